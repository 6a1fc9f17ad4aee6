//! The tables for readers: docs/reference/graph-operators.md, docs/reference/tensorflow-operators.md.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::classes;
use super::table::{Compared, Table};
use super::told;
use sandbar_model::Kind;

const ONNX: &str = "# Operators of ONNX graphs

Written by `cargo xtask differential --write`: what the engine computes as ONNX Runtime does. An
operator that is not here, or a version, type or attribute of it that was not compared, is refused
when a graph is loaded; [model folders](models.md#what-graphs-may-have) says more.
[compared.txt](../../host/inference/src/gate/compared.txt) has every attribute.

- Versions are the operator sets that brought one; a later set has the latest before it.
- Types are those of tensors that were right in at least one place of the operator.
- What is refused was computed otherwise, or failed.

| operator | versions | types | refused |
|---|---|---|---|
";

const TENSORFLOW: &str = "# Operators of TensorFlow graphs

Written by `cargo xtask differential --write`: what the engine computes as TensorFlow does. An
operator that is not here, or a type or attribute of it that was not compared, is refused when a
graph is loaded; [model folders](models.md#what-graphs-may-have) says more.
[compared-tensorflow.txt](../../host/inference/src/gate/compared-tensorflow.txt) has every
attribute.

- Types are those of attributes that were right in at least one place of the operator.
- What is refused was computed otherwise, or failed.

| operator | types | refused |
|---|---|---|
";

/// A page of the table for graphs of a kind: a row for each operator.
pub fn page(kind: Kind, table: &Table) -> String {
    let tensorflow = kind == Kind::Tensorflow;
    let mut page = if tensorflow { TENSORFLOW } else { ONNX }.to_owned();
    for (operator, compared) in table.operators() {
        let versions =
            if tensorflow { String::new() } else { format!(" {} |", versions(compared)) };
        let (types, refused) = (types(compared), refused(compared));
        let _ = writeln!(page, "| `{operator}` |{versions} {types} | {refused} |");
    }
    page
}

fn versions(compared: &Compared) -> String {
    let versions = compared.right.get("version").into_iter().flatten();
    let mut versions: Vec<u32> = versions.filter_map(|version| version.parse().ok()).collect();
    versions.sort_unstable();
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn types(compared: &Compared) -> String {
    let values = compared.right.iter().filter(|(key, _)| !key.contains('.'));
    let values = values.flat_map(|(_, values)| values);
    let types = values.map(String::as_str).filter(|value| classes::is_type(value));
    types.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

fn refused(compared: &Compared) -> String {
    let each = compared.wrong.iter().map(|(features, _)| {
        let features: Vec<String> = features.iter().map(|(key, value)| told(key, value)).collect();
        features.join(" with ")
    });
    each.collect::<Vec<_>>().join("; ")
}

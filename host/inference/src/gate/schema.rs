//! What the ONNX standard says of operators: versions, names, defaults, types of outputs.
//! `schema.txt` has it, as `tests/differential/schema.py` writes it from the onnx package.
//! `schema-tensorflow.txt` has the same of TensorFlow's, with `tensorflow` as the domain.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One version of an operator.
#[derive(Debug)]
pub(super) struct Schema {
    /// The opset that brought this version.
    pub(super) since: i64,
    /// The names of its inputs, in order; the last may stand for many.
    pub(super) inputs: Vec<&'static str>,
    /// Whether the last input may be given many times.
    pub(super) many: bool,
    /// The input that may be given many times, wherever it stands.
    pub(super) spread: Option<usize>,
    /// The names of its outputs, and how the type of each follows.
    pub(super) outputs: Vec<(&'static str, OutputType)>,
    /// Its attributes, and their defaults.
    pub(super) attributes: Vec<(&'static str, Option<&'static str>)>,
}

/// How the type of an output follows.
#[derive(Debug, Clone, Copy)]
pub(super) enum OutputType {
    /// It is that of the input of this index.
    Input(usize),
    /// It is always this.
    Fixed(&'static str),
    /// An attribute says it; without it, it is that of an input.
    Attribute(&'static str, Option<usize>),
    /// The standard's description of the types does not tell.
    Open,
}

/// Versions by domain and operator, the oldest first.
type Schemas = HashMap<&'static str, HashMap<&'static str, Vec<Schema>>>;

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    read(concat!(include_str!("schema.txt"), include_str!("schema-tensorflow.txt")))
});

/// The version of an operator that an opset has.
pub(super) fn find(domain: &str, operator: &str, opset: i64) -> Option<&'static Schema> {
    let versions = SCHEMAS.get(domain)?.get(operator)?;
    versions.iter().rev().find(|schema| schema.since <= opset)
}

/// The newest opset of a domain that the table of versions has.
pub(super) fn newest(domain: &str) -> i64 {
    let operators = SCHEMAS.get(domain).into_iter().flatten();
    operators.flat_map(|(_, versions)| versions).map(|schema| schema.since).max().unwrap_or(0)
}

fn read(text: &'static str) -> Schemas {
    let mut schemas = Schemas::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((domain, operator, schema)) = read_line(line) {
            schemas.entry(domain).or_default().entry(operator).or_default().push(schema);
        }
    }
    for versions in schemas.values_mut().flat_map(HashMap::values_mut) {
        versions.sort_by_key(|schema| schema.since);
    }
    schemas
}

fn read_line(line: &'static str) -> Option<(&'static str, &'static str, Schema)> {
    let mut parts = line.split('|');
    let mut head = parts.next()?.split_whitespace();
    let domain = head.next().map(|domain| if domain == "-" { "" } else { domain })?;
    let (operator, since) = (head.next()?, head.next()?.parse().ok()?);
    let inputs: Vec<&str> = parts.next()?.split_whitespace().collect();
    let many = inputs.last().is_some_and(|name| name.ends_with('*'));
    let spread = inputs.iter().position(|name| name.ends_with('*'));
    let inputs = inputs.into_iter().map(|name| name.trim_end_matches(['?', '*'])).collect();
    let output = |output: &'static str| {
        let (name, ty) = output.split_once(':')?;
        Some((name.trim_end_matches(['?', '*']), read_type(ty)))
    };
    let outputs = parts.next()?.split_whitespace().filter_map(output).collect();
    let attributes = parts.next().unwrap_or_default().split_whitespace();
    let attribute = |attribute: &'static str| match attribute.split_once('=') {
        Some((name, default)) => (name, Some(default)),
        None => (attribute, None),
    };
    let attributes = attributes.map(attribute).collect();
    Some((domain, operator, Schema { since, inputs, many, spread, outputs, attributes }))
}

fn read_type(ty: &'static str) -> OutputType {
    match ty.split_at(1) {
        ("?", _) => OutputType::Open,
        ("=", input) => input.parse().map_or(OutputType::Open, OutputType::Input),
        ("@", attribute) => match attribute.split_once('=') {
            Some((name, input)) => OutputType::Attribute(name, input.parse().ok()),
            None => OutputType::Attribute(attribute, None),
        },
        _ => OutputType::Fixed(ty),
    }
}

//! `show` of a registry

use super::list::kind;
use super::{RegistryArgs, table};
use crate::output::{self, say};
use sandbar_registry::aliases::{Action, AliasChange};
use sandbar_registry::{ArtifactKind, Reference, Registry, Version, time};

/// Changes of an alias that are shown at most.
const CHANGES: usize = 20;

/// A version, by number or alias; or, for a name alone, all versions and the
/// history of the aliases.
pub(in crate::cli) fn show(
    sort: ArtifactKind,
    place: &RegistryArgs,
    name: &str,
    json: bool,
) -> anyhow::Result<()> {
    let reference: Reference = name.parse().map_err(anyhow::Error::msg)?;
    let registry = place.open()?;
    if !name.contains('@') {
        return overview(&registry, sort, name, json);
    }
    let version = registry.resolve(sort, &reference)?;
    if json {
        output::json(&version)?;
    } else {
        output::lines(text(&version));
    }
    Ok(())
}

fn overview(registry: &Registry, sort: ArtifactKind, name: &str, json: bool) -> anyhow::Result<()> {
    let numbers = registry.numbers(sort, name)?;
    if numbers.is_empty() {
        // Its error lists the known names.
        registry.version(sort, name, 1)?;
    }
    let aliases = registry.aliases(sort, name)?;
    let mut rows =
        vec![["VERSION", "ALIASES", "KIND", "ADDED", "BY", "FROM"].map(str::to_owned).to_vec()];
    let mut versions = Vec::new();
    for number in numbers.iter().rev() {
        let version = registry.version(sort, name, number.number)?;
        let mut points: Vec<String> = aliases
            .iter()
            .filter(|(_, change)| change.version == number.number)
            .map(|(alias, _)| alias.clone())
            .collect();
        if number.removed {
            points.push("(files removed)".to_owned());
        }
        let mut json = serde_json::to_value(&version)?;
        json["removed"] = number.removed.into();
        versions.push(json);
        rows.push(vec![
            version.id(),
            points.join(" "),
            kind(&version),
            time(version.added.at),
            version.added.by,
            version.added.source,
        ]);
    }
    let mut histories = Vec::new();
    for alias in aliases.keys() {
        histories.push((alias, registry.history(sort, name, alias, CHANGES)?));
    }
    if json {
        let histories: serde_json::Map<String, serde_json::Value> = histories
            .into_iter()
            .map(|(alias, changes)| Ok((alias.clone(), serde_json::to_value(changes)?)))
            .collect::<anyhow::Result<_>>()?;
        let whole = serde_json::json!({
            "name": name, "versions": versions, "aliases": histories,
        });
        output::json(&whole)?;
        return Ok(());
    }
    output::lines(table(&rows));
    for (alias, changes) in histories {
        let mut rows =
            vec![["CHANGE", "VERSION", "WHAT", "AT", "BY", "WHY"].map(str::to_owned).to_vec()];
        rows.extend(changes.iter().map(|change| line(name, change)));
        say!();
        say!("{name}@{alias}");
        output::lines(table(&rows));
    }
    Ok(())
}

fn line(name: &str, change: &AliasChange) -> Vec<String> {
    let what = match change.action {
        Action::Promote => "promoted",
        Action::Rollback => "rolled back",
    };
    vec![
        change.change.to_string(),
        format!("{name}@{}", change.version),
        what.to_owned(),
        time(change.at),
        change.by.clone(),
        change.reason.clone().unwrap_or_default(),
    ]
}

/// Lines for a person.
fn text(version: &Version) -> Vec<String> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut line = |key: &str, value: String| rows.push(vec![key.to_owned(), value]);
    line("kind", kind(version));
    if let Some(model) = &version.model {
        line("described", model.described.clone());
        line("licence", model.licence.clone());
        line("says", model.description.clone());
        for (key, specs) in [("input", &model.inputs), ("output", &model.outputs)] {
            for spec in specs {
                let shape: Vec<String> = spec.shape.iter().map(ToString::to_string).collect();
                line(key, format!("{} {} [{}]", spec.name, spec.ty, shape.join(", ")));
            }
        }
        if let Some(classes) = &model.classes {
            let shown = classes.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
            let more = if classes.len() > 10 { ", ..." } else { "" };
            line("classes", format!("{}: {shown}{more}", classes.len()));
        }
        for (key, table) in [
            ("preprocessing", &model.preprocessing),
            ("postprocessing", &model.postprocessing),
            ("provenance", &model.provenance),
        ] {
            for (name, value) in table {
                line(key, format!("{name} = {value}"));
            }
        }
    }
    if let Some(operator) = &version.operator {
        if let Some(contract) = &operator.contract {
            line("contract", format!("sandbar:operator@{contract}"));
        }
        for import in &operator.imports {
            line("import", import.clone());
        }
    }
    for (name, metric) in &version.metrics {
        line("metric", format!("{name} = {metric}"));
    }
    line("added", format!("{} by {}", time(version.added.at), version.added.by));
    line("from", version.added.source.clone());
    for file in &version.files {
        line("file", format!("{}, {} bytes, sha256 {}", file.path, file.size, file.sha256));
    }
    let mut lines = vec![version.id()];
    lines.extend(table(&rows));
    lines
}

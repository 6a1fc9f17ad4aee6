//! `diff`

use std::collections::BTreeMap;

use clap::Args;
use serde_json::Value;

use super::{RegistryArgs, table};
use crate::output::{self, say};
use sandbar_registry::{ArtifactKind, Reference, Version};

/// Show how two versions differ: their descriptions, their metrics, their
/// files.
#[derive(Debug, Args)]
pub(in crate::cli) struct Diff {
    /// A version, as in flights@3 or flights@production.
    #[arg(value_name = "A")]
    from: Reference,
    /// The other.
    #[arg(value_name = "B")]
    to: Reference,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Diff {
    pub(in crate::cli) fn execute(
        self,
        kind: ArtifactKind,
        place: &RegistryArgs,
    ) -> anyhow::Result<()> {
        let registry = place.open()?;
        let (from, to) = (registry.resolve(kind, &self.from)?, registry.resolve(kind, &self.to)?);
        let differences = differences(&from, &to)?;
        if self.json {
            let changes: serde_json::Map<String, Value> = differences
                .into_iter()
                .map(|(key, (from, to))| (key, serde_json::json!({ "from": from, "to": to })))
                .collect();
            let whole = serde_json::json!({
                "from": from.id(), "to": to.id(), "same-files": from.content() == to.content(),
                "differences": changes,
            });
            output::json(&whole)?;
            return Ok(());
        }
        say!("{} → {}", from.id(), to.id());
        if from.content() == to.content() {
            say!("the files are the same");
        }
        let rows: Vec<Vec<String>> = differences
            .into_iter()
            .map(|(key, (from, to))| {
                let change = delta(&from, &to).unwrap_or_default();
                vec![key, format!("{} → {}{change}", shown(&from), shown(&to))]
            })
            .collect();
        output::lines(table(&rows));
        Ok(())
    }
}

type Differences = BTreeMap<String, (Option<Value>, Option<Value>)>;

fn differences(from: &Version, to: &Version) -> anyhow::Result<Differences> {
    let (mut from, mut to) = (flat(from)?, flat(to)?);
    let mut differences = Differences::new();
    let keys: Vec<String> = from.keys().chain(to.keys()).cloned().collect();
    for key in keys {
        let (a, b) = (from.remove(&key), to.remove(&key));
        if a != b {
            differences.insert(key, (a, b));
        }
    }
    Ok(differences)
}

/// The comparable properties, by name.
fn flat(version: &Version) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut flat = BTreeMap::new();
    let about = match (&version.model, &version.operator) {
        (Some(model), _) => serde_json::to_value(model)?,
        (_, operator) => serde_json::to_value(operator)?,
    };
    for (key, value) in about.as_object().into_iter().flatten() {
        match value {
            Value::Object(table) => {
                let inner = table.iter().map(|(name, it)| (format!("{key}.{name}"), it.clone()));
                flat.extend(inner);
            }
            // Tensors by name, as a removed input matters.
            Value::Array(list) if list.iter().all(|it| it.get("name").is_some()) => {
                for it in list {
                    let name = it["name"].as_str().unwrap_or_default();
                    let says = format!("{} {}", it["type"].as_str().unwrap_or("?"), it["shape"]);
                    flat.insert(format!("{key}.{name}"), says.into());
                }
            }
            _ => {
                flat.insert(key.clone(), value.clone());
            }
        }
    }
    for (name, metric) in &version.metrics {
        flat.insert(format!("metrics.{name}"), serde_json::to_value(metric)?);
    }
    for file in &version.files {
        let says = format!("{} bytes, {}", file.size, &file.sha256.to_string()[..12]);
        flat.insert(format!("files.{}", file.path), says.into());
    }
    Ok(flat)
}

fn shown(value: &Option<Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) if list.len() > 10 => {
            let first: Vec<String> = list[..5].iter().map(ToString::to_string).collect();
            format!("{} ({}, ...)", list.len(), first.join(", "))
        }
        Some(value) => value.to_string(),
    }
}

/// By how much a number grew or shrank.
fn delta(from: &Option<Value>, to: &Option<Value>) -> Option<String> {
    let difference = to.as_ref()?.as_f64()? - from.as_ref()?.as_f64()?;
    // Not the noise of binary fractions.
    let text = format!("{difference:+.6}");
    Some(format!(" ({})", text.trim_end_matches('0').trim_end_matches('.')))
}

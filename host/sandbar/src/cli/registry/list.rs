//! `list` of a registry

use bytesize::ByteSize;

use super::{RegistryArgs, table};
use crate::output::{self, complain};
use sandbar_registry::{ArtifactKind, Version, time};

/// One line for each name: its newest version, and where its aliases point.
pub(in crate::cli) fn list(
    sort: ArtifactKind,
    place: &RegistryArgs,
    json: bool,
) -> anyhow::Result<()> {
    let registry = place.open()?;
    let mut rows =
        vec![["NAME", "NEWEST", "ALIASES", "KIND", "SIZE", "ADDED"].map(str::to_owned).to_vec()];
    let mut list = Vec::new();
    let mut wrong = 0;
    for name in registry.names(sort)? {
        // An invalid one does not hide the others.
        let read = || {
            let numbers = registry.numbers(sort, &name)?;
            let newest = numbers.last().map(|last| registry.version(sort, &name, last.number));
            Ok((newest.transpose()?, registry.aliases(sort, &name)?))
        };
        let (newest, aliases) = match read() {
            Ok(read) => read,
            Err(error) => {
                let error: sandbar_registry::RegistryError = error;
                wrong += 1;
                complain!("{error}");
                continue;
            }
        };
        // Files of an `add` in progress, or of one that failed.
        let Some(newest) = newest else { continue };
        let points = aliases.iter().map(|(alias, change)| format!("{alias}={}", change.version));
        rows.push(vec![
            name.clone(),
            newest.version.to_string(),
            points.collect::<Vec<_>>().join(" "),
            kind(&newest),
            ByteSize(newest.size()).to_string(),
            time(newest.added.at),
        ]);
        let aliases: serde_json::Map<String, serde_json::Value> =
            aliases.iter().map(|(alias, change)| (alias.clone(), change.version.into())).collect();
        list.push(serde_json::json!({
            "name": name,
            "newest": newest.version,
            "aliases": aliases,
            "kind": kind(&newest),
            "size": newest.size(),
            "added": newest.added,
        }));
    }
    if json {
        output::json(&list)?;
    } else {
        output::lines(table(&rows));
    }
    anyhow::ensure!(wrong == 0, "{wrong} of the {} cannot be read", sort.folder());
    Ok(())
}

/// The kind of a model, the world of an operator.
pub(super) fn kind(version: &Version) -> String {
    match (&version.model, &version.operator) {
        (Some(model), _) => model.kind.to_string(),
        (_, Some(operator)) => operator.world.to_string(),
        _ => String::new(),
    }
}

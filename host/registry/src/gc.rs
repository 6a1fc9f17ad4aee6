//! Garbage collection: removes the files of unused versions, and files that
//! belong to no version.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::error::RegistryError;
use super::leases::Used;
use super::version::ArtifactKind;
use crate::catalog::Number;
use crate::catalog::Removed;
use crate::format::FORMAT;
use crate::keys;
use crate::registry::Registry;
use crate::time::now;
use sandbar_model::Sha256;

/// Changes of an alias that are searched for its last targets.
const LOOKED_THROUGH: usize = 100;

/// What is kept.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Versions and files that are younger. Files of an `add` that is under way belong to
    /// no version yet.
    pub older_than: Duration,
    /// How many of the last targets of each alias, including the current one.
    pub targets: usize,
    /// Who collects.
    pub by: String,
    /// Whether removals are only reported.
    pub dry_run: bool,
}

/// What was, or would be, removed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Collected {
    /// Versions, `name@N`.
    pub removed: Vec<String>,
    /// Versions that stay, and why.
    pub kept: BTreeMap<String, String>,
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Registry {
    /// Removes versions of `sort` that no alias points to or recently pointed to, no
    /// running pipeline uses, that are old enough and not the newest of their name; then
    /// files that belong to no version of either sort.
    ///
    /// # Errors
    /// If something cannot be read or removed. What is not known to be garbage is not
    /// removed: an invalid description ends the collection.
    pub fn gc(&self, kind: ArtifactKind, rules: &Rules) -> Result<Collected, RegistryError> {
        let mut collected = Collected::default();
        let mut live = BTreeSet::new();
        for one in ArtifactKind::ALL {
            for name in self.names(one)? {
                let numbers = self.numbers(one, &name)?;
                for number in numbers.iter().filter(|number| !number.removed) {
                    if one == kind
                        && self.collect(one, &name, number, &numbers, rules, &mut collected)?
                    {
                        continue;
                    }
                    let version = self.version(one, &name, number.number)?;
                    live.extend(version.files.iter().map(|file| file.sha256.to_string()));
                }
            }
        }
        self.sweep(&live, rules, &mut collected)?;
        Ok(collected)
    }

    /// Removes a version if it is garbage; returns whether it is.
    fn collect(
        &self,
        kind: ArtifactKind,
        name: &str,
        number: &Number,
        numbers: &[Number],
        rules: &Rules,
        collected: &mut Collected,
    ) -> Result<bool, RegistryError> {
        let id = format!("{name}@{}", number.number);
        let newest = numbers.last().is_some_and(|last| last.number == number.number);
        let reason = if newest {
            Some("the newest version".to_owned())
        } else if age(number.at) < rules.older_than {
            Some("added recently".to_owned())
        } else {
            self.in_use(kind, name, number.number, rules)?
        };
        if let Some(reason) = reason {
            collected.kept.insert(id, reason);
            return Ok(false);
        }
        if !rules.dry_run {
            let key = keys::removed(kind, name, number.number);
            let removed = Removed { format: FORMAT, by: rules.by.clone(), at: now() };
            self.claim(&key, &format!("{kind} {id}"), &removed)?;
            // A promotion before the mark was visible is seen here; a promotion
            // after it sees the mark.
            if let Some(reason) = self.in_use(kind, name, number.number, rules)? {
                let undone = self.objects.remove(&key);
                undone.map_err(|trouble| self.error(&id, trouble))?;
                collected.kept.insert(id, reason);
                return Ok(false);
            }
        }
        collected.removed.push(id);
        Ok(true)
    }

    /// Why a version must stay.
    fn in_use(
        &self,
        kind: ArtifactKind,
        name: &str,
        number: u32,
        rules: &Rules,
    ) -> Result<Option<String>, RegistryError> {
        for (alias, current) in self.aliases(kind, name)? {
            if current.version == number {
                return Ok(Some(format!("{name}@{alias} points to it")));
            }
            let mut targets = BTreeSet::from([current.version]);
            for change in self.history(kind, name, &alias, LOOKED_THROUGH)? {
                if targets.len() >= rules.targets {
                    break;
                }
                targets.insert(change.version);
            }
            if rules.targets > 1 && targets.contains(&number) {
                return Ok(Some(format!("{name}@{alias} pointed to it recently")));
            }
        }
        let used = Used { kind, name: name.to_owned(), version: number };
        let user = self.uses()?.into_iter().find(|uses| uses.versions.contains(&used));
        Ok(user.map(|uses| format!("used by the pipeline {} on {}", uses.pipeline, uses.runner)))
    }

    /// Removes files that belong to no version.
    fn sweep(
        &self,
        live: &BTreeSet<String>,
        rules: &Rules,
        collected: &mut Collected,
    ) -> Result<(), RegistryError> {
        let wrong = |trouble| self.error("files", trouble);
        for entry in self.objects.list(keys::BLOBS).map_err(wrong)? {
            let digest: Option<Sha256> = keys::digest(&entry.key);
            let Some(digest) = digest.filter(|digest| !live.contains(&digest.to_string())) else {
                continue;
            };
            if age(entry.modified) < rules.older_than {
                continue;
            }
            if !rules.dry_run {
                // An `add` may be using it again.
                let now = self.objects.look(&keys::blob(&digest)).map_err(wrong)?;
                if now.is_none_or(|now| now.modified != entry.modified) {
                    continue;
                }
                self.objects.remove(&entry.key).map_err(wrong)?;
            }
            collected.files += 1;
            collected.bytes += entry.size;
        }
        Ok(())
    }
}

fn age(at: SystemTime) -> Duration {
    SystemTime::now().duration_since(at).unwrap_or_default()
}

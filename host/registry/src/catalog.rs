//! What is in a registry: its names, their versions, and whether these still have files.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::error::{Cause, RegistryError};
use crate::keys;
use crate::registry::Registry;
use crate::time::time;
use crate::version::{ArtifactKind, Version};

/// The number of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// The number.
    pub number: u32,
    /// When it was added, by the store's clock.
    pub at: SystemTime,
    /// Whether its files were removed.
    pub removed: bool,
}

/// A mark that the files of a version are removed. Its description stays, so that its number
/// is not reused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Removed {
    /// The form of this description.
    pub format: u32,
    /// Who removed them.
    pub by: String,
    /// When.
    #[serde(with = "humantime_serde")]
    pub at: SystemTime,
}

impl Registry {
    /// The names of its models or operators, in alphabetical order.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn names(&self, kind: ArtifactKind) -> Result<Vec<String>, RegistryError> {
        let names = self.objects.folders(kind.folder());
        let mut names = names.map_err(|trouble| self.error(kind.folder(), trouble))?;
        // There may be other objects too.
        names.retain(|name| sandbar_config::name_problem(name).is_none());
        names.sort();
        Ok(names)
    }

    /// The numbers of all versions of a name, ascending, each with when it was added and
    /// whether its files were removed.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn numbers(&self, kind: ArtifactKind, name: &str) -> Result<Vec<Number>, RegistryError> {
        let wrong = |trouble| self.error(&format!("{kind} {name}"), trouble);
        let removed = self.objects.list(&keys::removed_folder(kind, name)).map_err(wrong)?;
        let removed: Vec<u32> = removed.iter().filter_map(|it| keys::number(&it.key)).collect();
        let versions = self.objects.list(&keys::versions(kind, name)).map_err(wrong)?;
        let mut numbers: Vec<Number> = versions
            .iter()
            .filter_map(|it| {
                let number = keys::number(&it.key)?;
                let is_removed = removed.contains(&number);
                Some(Number { number, at: it.modified, removed: is_removed })
            })
            .collect();
        numbers.sort_by_key(|it| it.number);
        Ok(numbers)
    }

    /// One version, even if its files were removed.
    ///
    /// # Errors
    /// If it does not exist or is invalid.
    pub fn version(
        &self,
        kind: ArtifactKind,
        name: &str,
        number: u32,
    ) -> Result<Version, RegistryError> {
        let subject = format!("{kind} {name}@{number}");
        let read = self.json::<Version>(&keys::version(kind, name, number), &subject)?;
        let Some(version) = read else { return Err(self.missing(kind, name, number)) };
        version
            .check(kind, name, number)
            .map_err(|reason| self.refuse(&subject, Cause::Corrupt, reason))?;
        Ok(version)
    }

    /// Checks that the files of a version were not removed.
    pub(crate) fn still_there(
        &self,
        kind: ArtifactKind,
        name: &str,
        number: u32,
    ) -> Result<(), RegistryError> {
        let subject = format!("{kind} {name}@{number}");
        let key = keys::removed(kind, name, number);
        match self.json::<Removed>(&key, &subject)? {
            None => Ok(()),
            Some(removed) => Err(self.refuse(
                &subject,
                Cause::Missing,
                format!(
                    "its files were removed by {} at {}; use another version, or add it again",
                    removed.by,
                    time(removed.at)
                ),
            )),
        }
    }

    pub(crate) fn missing(&self, kind: ArtifactKind, name: &str, number: u32) -> RegistryError {
        let numbers = self.numbers(kind, name).unwrap_or_default();
        let instead = match numbers.last() {
            Some(last) => format!("the newest is {name}@{}", last.number),
            None => self.other_names(kind, name),
        };
        let reason = format!("no such version; {instead}");
        self.refuse(&format!("{kind} {name}@{number}"), Cause::Missing, reason)
    }

    pub(crate) fn other_names(&self, kind: ArtifactKind, name: &str) -> String {
        let Ok(names) = self.names(kind) else {
            return "cannot list the known names".to_owned();
        };
        let folder = kind.folder();
        match sandbar_config::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("no {kind} has this name; did you mean '{near}'?"),
            None if names.is_empty() => {
                format!("the registry has no {folder}; add one with `sandbar {folder} add`")
            }
            None => format!("no {kind} has this name; known names are {}", names.join(", ")),
        }
    }
}

//! Aliases: names for versions. Each is a log of changes; the last one is in effect.
//!
//! A change is an object under the next number, written only if that number is still
//! free. So a decision based on an older change is rejected, nothing is ever
//! overwritten, and the log records who did what and when.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::error::{Cause, RegistryError};
use super::reference::{DEFAULT_ALIAS, Reference, Target, alias_problem};
use super::version::{ArtifactKind, Version, check_text};
use crate::format::FORMAT;
use crate::keys;
use crate::registry::Registry;
use crate::time::{now, time};

/// One change of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AliasChange {
    /// The format of this description.
    pub format: u32,
    /// Its number in the log, from 1.
    pub change: u64,
    /// The version that the alias points to from then on.
    pub version: u32,
    /// The version that it pointed to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u32>,
    /// What was done.
    pub action: Action,
    /// Who.
    pub by: String,
    /// When, by the clock of the machine that did it.
    #[serde(with = "humantime_serde")]
    pub at: SystemTime,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The change that a rollback of this one returns to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<u64>,
}

/// What was done to an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It was pointed to a version.
    Promote,
    /// It was pointed back to its version before the last promotion.
    Rollback,
}

/// Who changes an alias, and its expected version.
#[derive(Debug, Clone, Default)]
pub struct Intent {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// The version that the alias must point to now, or the change is rejected; 0 for
    /// none. Any version by default.
    pub expect: Option<u32>,
}

/// The result of a change.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The change that is in effect now.
    pub change: AliasChange,
    /// Whether it is new. It is not if the alias pointed there already.
    pub new: bool,
}

impl Registry {
    /// The version that a reference resolves to now.
    ///
    /// # Errors
    /// If there is no such version or alias, or its files were removed.
    pub fn resolve(
        &self,
        kind: ArtifactKind,
        reference: &Reference,
    ) -> Result<Version, RegistryError> {
        let number = match &reference.target {
            Target::Version(number) => *number,
            Target::Alias(alias) => {
                let current = self.alias(kind, &reference.name, alias)?;
                current.ok_or_else(|| self.no_alias(kind, &reference.name, alias))?.version
            }
        };
        let version = self.version(kind, &reference.name, number)?;
        self.still_there(kind, &reference.name, number)?;
        Ok(version)
    }

    pub(crate) fn no_alias(&self, kind: ArtifactKind, name: &str, alias: &str) -> RegistryError {
        let known = self.aliases(kind, name).unwrap_or_default();
        let known: Vec<&str> = known.keys().map(String::as_str).collect();
        let instead = match (known.is_empty(), self.numbers(kind, name).unwrap_or_default().last())
        {
            (false, _) => format!("known aliases are {}", known.join(", ")),
            (true, Some(last)) => format!(
                "set it with `sandbar {} promote {name} {}{}`",
                kind.folder(),
                last.number,
                if alias == DEFAULT_ALIAS { String::new() } else { format!(" --alias {alias}") }
            ),
            (true, None) => self.other_names(kind, name),
        };
        let reason = format!("no alias '{alias}'; {instead}");
        self.refuse(&format!("{kind} {name}"), Cause::Missing, reason)
    }

    /// The current changes of all aliases of a name.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn aliases(
        &self,
        kind: ArtifactKind,
        name: &str,
    ) -> Result<BTreeMap<String, AliasChange>, RegistryError> {
        let names = self.objects.folders(&keys::aliases(kind, name));
        let names = names.map_err(|trouble| self.error(&format!("{kind} {name}"), trouble))?;
        let mut aliases = BTreeMap::new();
        for alias in names.into_iter().filter(|alias| alias_problem(alias).is_none()) {
            if let Some(change) = self.alias(kind, name, &alias)? {
                aliases.insert(alias, change);
            }
        }
        Ok(aliases)
    }

    /// The current change of an alias, if it exists.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn alias(
        &self,
        kind: ArtifactKind,
        name: &str,
        alias: &str,
    ) -> Result<Option<AliasChange>, RegistryError> {
        match self.changes(kind, name, alias)?.last() {
            Some(last) => self.change(kind, name, alias, *last).map(Some),
            None => Ok(None),
        }
    }

    /// The last changes of an alias, the newest first, up to a limit.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn history(
        &self,
        kind: ArtifactKind,
        name: &str,
        alias: &str,
        most: usize,
    ) -> Result<Vec<AliasChange>, RegistryError> {
        let numbers = self.changes(kind, name, alias)?;
        numbers.iter().rev().take(most).map(|it| self.change(kind, name, alias, *it)).collect()
    }

    /// Points an alias to a version.
    ///
    /// # Errors
    /// If there is no such version, the alias does not have the expected version, or it is
    /// changed concurrently ([`Cause::Conflict`]).
    pub fn promote(
        &self,
        kind: ArtifactKind,
        name: &str,
        version: u32,
        alias: &str,
        intent: &Intent,
    ) -> Result<Changed, RegistryError> {
        let subject = format!("{kind} {name}@{alias}");
        if let Some(problem) = alias_problem(alias) {
            return Err(self.refuse(&subject, Cause::Refused, problem));
        }
        // It exists and is valid.
        self.version(kind, name, version)?;
        self.still_there(kind, name, version)?;
        let current = self.alias(kind, name, alias)?;
        self.expected(&subject, current.as_ref(), intent)?;
        if let Some(change) = current.clone().filter(|it| it.version == version) {
            return Ok(Changed { change, new: false });
        }
        let change = AliasChange {
            version,
            action: Action::Promote,
            back: current.as_ref().map(|it| it.change),
            ..self.next(current.as_ref(), intent)
        };
        self.append(kind, name, alias, &subject, change)
    }

    /// Points an alias back to its version before its last promotion.
    ///
    /// # Errors
    /// If there is no previous version, it was removed, the alias does not have the
    /// expected version, or it is changed concurrently.
    pub fn rollback(
        &self,
        kind: ArtifactKind,
        name: &str,
        alias: &str,
        intent: &Intent,
    ) -> Result<Changed, RegistryError> {
        let subject = format!("{kind} {name}@{alias}");
        let current = self.alias(kind, name, alias)?;
        let current = current.ok_or_else(|| self.no_alias(kind, name, alias))?;
        self.expected(&subject, Some(&current), intent)?;
        let Some(back) = current.back else {
            let reason = format!(
                "nothing to roll back to: it points to {name}@{} since the first promotion",
                current.version
            );
            return Err(self.refuse(&subject, Cause::Refused, reason));
        };
        let before = self.change(kind, name, alias, back)?;
        self.still_there(kind, name, before.version)?;
        let change = AliasChange {
            version: before.version,
            action: Action::Rollback,
            back: before.back,
            ..self.next(Some(&current), intent)
        };
        self.append(kind, name, alias, &subject, change)
    }

    fn expected(
        &self,
        subject: &str,
        current: Option<&AliasChange>,
        intent: &Intent,
    ) -> Result<(), RegistryError> {
        let found = current.map_or(0, |it| it.version);
        let Some(expected) = intent.expect.filter(|expected| *expected != found) else {
            return Ok(());
        };
        let points = |version: u32| match version {
            0 => "nothing".to_owned(),
            version => format!("version {version}"),
        };
        let who = current.map_or(String::new(), |it| format!(", by {} at {}", it.by, time(it.at)));
        let reason = format!(
            "it points to {}{who}, not to {}; re-read and retry",
            points(found),
            points(expected)
        );
        Err(self.refuse(subject, Cause::Conflict, reason))
    }

    fn next(&self, current: Option<&AliasChange>, intent: &Intent) -> AliasChange {
        AliasChange {
            format: FORMAT,
            change: current.map_or(0, |it| it.change) + 1,
            version: 0,
            previous: current.map(|it| it.version),
            action: Action::Promote,
            by: intent.by.clone(),
            at: now(),
            reason: intent.reason.clone(),
            back: None,
        }
    }

    fn append(
        &self,
        kind: ArtifactKind,
        name: &str,
        alias: &str,
        subject: &str,
        change: AliasChange,
    ) -> Result<Changed, RegistryError> {
        let texts = [("--by", Some(&change.by)), ("--reason", change.reason.as_ref())];
        for (what, text) in texts {
            text.map_or(Ok(()), |text| check_text(what, text))
                .map_err(|reason| self.refuse(subject, Cause::Refused, reason))?;
        }
        if !self.claim(&keys::change(kind, name, alias, change.change), subject, &change)? {
            let first = self.change(kind, name, alias, change.change)?;
            let reason = format!(
                "changed concurrently: {} pointed it to version {} at {}; re-read and retry",
                first.by,
                first.version,
                time(first.at)
            );
            return Err(self.refuse(subject, Cause::Conflict, reason));
        }
        // Garbage may have been collected concurrently. The collection reads the aliases again
        // after it has marked a version as removed, and this reads the mark after writing the
        // alias: one of them sees the other.
        if let Err(gone) = self.still_there(kind, name, change.version) {
            self.undo(kind, name, alias, subject, &change)?;
            return Err(gone);
        }
        Ok(Changed { change, new: true })
    }

    /// Undoes a change whose version was removed concurrently.
    fn undo(
        &self,
        kind: ArtifactKind,
        name: &str,
        alias: &str,
        subject: &str,
        change: &AliasChange,
    ) -> Result<(), RegistryError> {
        let Some(before) = change.previous else { return Ok(()) };
        let undone = AliasChange {
            change: change.change + 1,
            version: before,
            previous: Some(change.version),
            action: Action::Rollback,
            reason: Some("the version was removed concurrently".to_owned()),
            // The rollback target as if this change had never been made.
            back: match change.action {
                Action::Promote => match change.back {
                    Some(back) => self.change(kind, name, alias, back)?.back,
                    None => None,
                },
                Action::Rollback => change.back,
            },
            ..change.clone()
        };
        // If somebody else has this number, their change is in effect.
        self.claim(&keys::change(kind, name, alias, undone.change), subject, &undone).map(drop)
    }

    /// The numbers of all changes, ascending.
    fn changes(
        &self,
        kind: ArtifactKind,
        name: &str,
        alias: &str,
    ) -> Result<Vec<u64>, RegistryError> {
        let listed = self.objects.list(&keys::alias(kind, name, alias));
        let subject = format!("{kind} {name}@{alias}");
        let listed = listed.map_err(|trouble| self.error(&subject, trouble))?;
        let mut numbers: Vec<u64> = listed.iter().filter_map(|it| keys::number(&it.key)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn change(
        &self,
        kind: ArtifactKind,
        name: &str,
        alias: &str,
        number: u64,
    ) -> Result<AliasChange, RegistryError> {
        let subject = format!("{kind} {name}@{alias}");
        let key = keys::change(kind, name, alias, number);
        let corrupt = |reason: &str| {
            self.refuse(&subject, Cause::Corrupt, format!("change {number} {reason}"))
        };
        let change: AliasChange =
            self.json(&key, &subject)?.ok_or_else(|| corrupt("no longer exists"))?;
        if change.change != number || change.version == 0 {
            return Err(corrupt("is invalid"));
        }
        // Rollbacks only refer to earlier changes: a log has no cycles.
        if change.back.is_some_and(|back| back >= number || back == 0) {
            return Err(corrupt("refers back to a later change"));
        }
        Ok(change)
    }
}

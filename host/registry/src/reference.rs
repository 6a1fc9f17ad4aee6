//! `flights@3`, `flights@production`: references to versions in a registry.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use sandbar_config::name_problem;

/// The alias that a bare name stands for.
pub const DEFAULT_ALIAS: &str = "production";

/// A name, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The name of a model or an operator.
    pub name: String,
    /// Which version.
    pub target: Target,
}

/// Which version of a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The one of this number.
    Version(u32),
    /// The one that the alias points to.
    Alias(String),
}

/// What is wrong with the name of an alias. It must be a name, and not a number.
pub(crate) fn alias_problem(alias: &str) -> Option<String> {
    name_problem(alias).or_else(|| {
        (!alias.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| {
            format!("'{alias}' is not an alias; an alias begins with a letter, as in 'production'")
        })
    })
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, target) = text.split_once('@').unwrap_or((text, DEFAULT_ALIAS));
        if let Some(problem) = name_problem(name) {
            return Err(format!("{problem}; write flights@3 or flights@production"));
        }
        let target = if target.starts_with(|c: char| c.is_ascii_digit()) {
            let number = target.parse().ok().filter(|number| *number > 0 && target != "0");
            // One form only: not 03 or 3.0.
            let number = number.filter(|number: &u32| number.to_string() == target);
            Target::Version(number.ok_or_else(|| {
                format!("'{target}' is not a version; a version is a number from 1, as in {name}@3")
            })?)
        } else {
            if let Some(problem) = alias_problem(target) {
                return Err(problem);
            }
            Target::Alias(target.to_owned())
        };
        Ok(Reference { name: name.to_owned(), target })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Version(number) => write!(f, "{}@{number}", self.name),
            Target::Alias(alias) => write!(f, "{}@{alias}", self.name),
        }
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    #[test]
    fn a_number_is_a_version_and_a_word_an_alias() {
        let parse = |text: &str| text.parse::<Reference>().map(|it| it.to_string());
        assert_eq!(parse("flights@3").unwrap(), "flights@3");
        assert_eq!(parse("flights@canary").unwrap(), "flights@canary");
        assert_eq!(parse("flights").unwrap(), "flights@production");
        for wrong in [
            "",
            "@3",
            "flights@",
            "flights@0",
            "flights@03",
            "a/b@1",
            "flights@3x",
            "..@1",
            "a@b/c",
            "flights@-",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

//! Pins: versions by number and by the digest of their files, so that all machines
//! resolve them to the same files.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::reference::{Reference, Target};
use super::version::ArtifactKind;
use sandbar_config::name_problem;
use sandbar_model::Sha256;

/// A version and its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pin {
    /// Its name and number; never an alias.
    #[serde(deserialize_with = "version")]
    pub version: Reference,
    /// The digest of all its files and their paths ([`Version::content`](super::Version::content)).
    pub sha256: Sha256,
}

/// The parts of a pipeline that come from the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pins {
    /// Models, by the pipeline's names for them.
    #[serde(deserialize_with = "named")]
    pub models: BTreeMap<String, Pin>,
    /// Components, by stage.
    #[serde(deserialize_with = "named")]
    pub components: BTreeMap<String, Pin>,
}

impl Pins {
    /// Each with its sort and the pipeline's name for it.
    pub fn iter(&self) -> impl Iterator<Item = (ArtifactKind, &String, &Pin)> {
        let models = self.models.iter().map(|(name, pin)| (ArtifactKind::Model, name, pin));
        models.chain(self.components.iter().map(|(name, pin)| (ArtifactKind::Operator, name, pin)))
    }

    /// The pins of one sort.
    pub fn of_sort(&mut self, kind: ArtifactKind) -> &mut BTreeMap<String, Pin> {
        match kind {
            ArtifactKind::Model => &mut self.models,
            ArtifactKind::Operator => &mut self.components,
        }
    }

    /// The pins of `self` that are missing or different in `other`.
    pub fn beyond(&self, other: &Pins) -> Pins {
        let differing = |pins: &BTreeMap<String, Pin>, others: &BTreeMap<String, Pin>| {
            let differ = pins.iter().filter(|(name, pin)| others.get(*name) != Some(pin));
            differ.map(|(name, pin)| (name.clone(), pin.clone())).collect()
        };
        Pins {
            models: differing(&self.models, &other.models),
            components: differing(&self.components, &other.components),
        }
    }

    /// Whether it has a pin for all that `other` pins: what is not a version of the registry
    /// has no pin, and cannot be restored.
    pub fn covers(&self, other: &Pins) -> bool {
        other.models.keys().all(|name| self.models.contains_key(name))
            && other.components.keys().all(|name| self.components.contains_key(name))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty() && self.components.is_empty()
    }
}

fn version<'de, D: Deserializer<'de>>(from: D) -> Result<Reference, D::Error> {
    let reference = Reference::deserialize(from)?;
    match reference.target {
        Target::Version(_) => Ok(reference),
        Target::Alias(_) => Err(D::Error::custom(format!(
            "{reference} is not a version by number; write NAME@NUMBER"
        ))),
    }
}

fn named<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Pin>, D::Error> {
    let pins = BTreeMap::<String, Pin>::deserialize(from)?;
    match pins.keys().find_map(|name| name_problem(name)) {
        Some(problem) => Err(D::Error::custom(problem)),
        None => Ok(pins),
    }
}

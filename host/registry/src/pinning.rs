//! The pins of what was supplied.

use std::path::Path;

use super::pins::{Pin, Pins};
use super::reference::{Reference, Target};
use super::resolver::{ArtifactResolver, ResolvedArtifact};
use super::version::ArtifactKind;
use crate::source::ArtifactSource;

impl Pin {
    /// The pin of a supplied version.
    pub fn of(supplied: &ResolvedArtifact) -> Self {
        let (name, number) = (supplied.version.name.clone(), supplied.version.version);
        let version = Reference { name, target: Target::Version(number) };
        Pin { version, sha256: supplied.version.content() }
    }
}

impl Pins {
    /// Of what was supplied: models by the pipeline's names for them, which are versions by
    /// their numbers; components by stage, which may be files in the cache.
    pub fn of<'a>(
        supply: &ArtifactResolver,
        models: impl Iterator<Item = (&'a String, &'a ArtifactSource)>,
        components: impl Iterator<Item = (&'a String, &'a ArtifactSource)>,
    ) -> Self {
        let pin = |kind, source: &ArtifactSource| match source {
            ArtifactSource::Registry(reference) => {
                let id = reference.to_string();
                supply.got(kind, |it| it.version.id() == id).as_ref().map(Pin::of)
            }
            ArtifactSource::Path(path) if kind == ArtifactKind::Operator => cached(supply, path),
            ArtifactSource::Path(_) | ArtifactSource::Builtin(_) => None,
        };
        let pinned = |kind| {
            move |(name, it): (&String, &ArtifactSource)| Some((name.clone(), pin(kind, it)?))
        };
        Pins {
            models: models.filter_map(pinned(ArtifactKind::Model)).collect(),
            components: components.filter_map(pinned(ArtifactKind::Operator)).collect(),
        }
    }
}

/// The version of a file in the cache.
fn cached(supply: &ArtifactResolver, path: &Path) -> Option<Pin> {
    let folder = path.parent()?;
    let same = |it: &ResolvedArtifact| std::path::absolute(&it.folder).is_ok_and(|it| it == folder);
    supply.got(ArtifactKind::Operator, same).as_ref().map(Pin::of)
}

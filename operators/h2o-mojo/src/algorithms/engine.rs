//! What an algorithm gets to read a model from, and what it makes of it.

use std::fmt;
use std::sync::Arc;

use crate::archive::Archive;
use crate::columns::Feature;
use crate::error::Error;
use crate::info::Info;
use crate::limits::Limits;

/// The parts of a MOJO, as far as they are the same for all algorithms.
pub(crate) struct Source<'s, 'm> {
    pub(crate) archive: &'s mut Archive<'m>,
    pub(crate) info: &'s Info<'m>,
    pub(crate) features: &'s [Feature],
    /// 0 for a regression.
    pub(crate) classes: usize,
    pub(crate) limits: &'s Limits,
}

/// What an algorithm has read: a model that rows can be scored with. Threads share it.
pub(crate) trait Engine: fmt::Debug + Send + Sync {
    /// Makes a scorer of it, which has the memory that scoring needs.
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer>;
}

/// Scores rows with an [`Engine`]. One per thread.
pub(crate) trait EngineScorer: fmt::Debug + Send + Sync {
    /// Scores `rows`, row-major, into `values`: `width` of them per row, zero before.
    /// `offsets` has one value per row.
    fn score(&mut self, rows: &[f64], offsets: Option<&[f64]>, values: &mut [f64], width: usize);
}

impl Source<'_, '_> {
    /// The MOJO's version, from 1.00 to `newest`, if its categories are encoded as their
    /// numbers. `supported` names the versions that the algorithm reads.
    pub(crate) fn version(&self, newest: f64, supported: &str) -> Result<f64, Error> {
        let version: f64 = self.info.number("mojo_version")?;
        if !(1.0..=newest).contains(&version) {
            return Err(Error::Unsupported {
                what: format!("MOJO version {version:.2}"),
                supported: supported.into(),
            });
        }
        match self.info.text("_genmodel_encoding") {
            None | Some("AUTO" | "Enum" | "SortByResponse" | "OneHotInternal") => Ok(version),
            Some(other) => Err(Error::Unsupported {
                what: format!("categorical encoding '{other}'"),
                supported: "AUTO, Enum, OneHotInternal, SortByResponse".into(),
            }),
        }
    }
}

//! What an algorithm gets to read a model from, and what it makes of it.

use std::fmt;
use std::sync::Arc;

use crate::archive::Archive;
use crate::classes::Classes;
use crate::columns::Feature;
use crate::error::Error;
use crate::info::Info;
use crate::limits::Limits;

/// The parts of a MOJO, as far as they are the same for all algorithms.
pub(crate) struct Source<'s, 'm> {
    pub(crate) archive: &'s mut Archive<'m>,
    pub(crate) info: &'s Info<'m>,
    pub(crate) features: &'s [Feature],
    /// None where the model has no classes.
    pub(crate) classes: &'s Classes,
    pub(crate) limits: &'s Limits,
}

/// What an algorithm has read: a model that rows can be scored with. Threads share it.
pub(crate) trait Engine: fmt::Debug + Send + Sync {
    /// Makes a scorer of it, which has the memory that scoring needs.
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer>;

    /// The names of a row's values, where they are not the probabilities of classes.
    fn outputs(&self) -> &'static [&'static str] {
        &["predict"]
    }
}

/// Scores rows with an [`Engine`]. One per thread.
pub(crate) trait EngineScorer: fmt::Debug + Send + Sync {
    /// Scores `rows`, row-major, into `values`: `width` of them per row, zero before.
    /// `offsets` has one value per row.
    ///
    /// An engine that approximates probabilities adds one number per row to `doubts`, which is
    /// empty: by how much the logarithm of the ratio of any two may differ from H2O's.
    fn score(
        &mut self,
        rows: &[f64],
        offsets: Option<&[f64]>,
        values: &mut [f64],
        width: usize,
        doubts: &mut Vec<f64>,
    );

    /// Scores a row that there is a doubt about once more, without one.
    fn score_exactly(&mut self, _row: &[f64], _values: &mut [f64]) {}
}

impl Source<'_, '_> {
    /// The MOJO's version, from 1.00 to `newest`; `supported` names the versions that the
    /// algorithm reads.
    pub(crate) fn format(&self, newest: f64, supported: &str) -> Result<f64, Error> {
        let version: f64 = self.info.number("mojo_version")?;
        if (1.0..=newest).contains(&version) {
            return Ok(version);
        }
        Err(Error::Unsupported {
            what: format!("MOJO version {version:.2}"),
            supported: supported.into(),
        })
    }

    /// As [`format`](Self::format), if the MOJO's categories are encoded as their
    /// numbers. `encodings` names those that H2O scores for the algorithm without rewriting a
    /// row.
    ///
    /// The newest version of each algorithm always says the encoding. Where it says `null`,
    /// H2O has none for the algorithm (deep learning with `EnumLimited`): the columns are not
    /// those of the table that the model was trained on, and H2O's own runtime cannot read
    /// the model either.
    pub(crate) fn version(
        &self,
        newest: f64,
        supported: &str,
        encodings: &[&str],
    ) -> Result<f64, Error> {
        let version = self.format(newest, supported)?;
        let what = match self.info.text(ENCODING) {
            Some(encoding) if encodings.contains(&encoding) => return Ok(version),
            None if version < newest && self.info.text("_n_orig_names").is_none() => {
                return Ok(version);
            }
            Some(other) => format!("categorical encoding '{other}'"),
            None => format!("categorical encoding 'null' ({ENCODING} of model.ini)"),
        };
        Err(Error::Unsupported { what, supported: encodings.join(", ") })
    }
}

/// The key of the categorical encoding.
const ENCODING: &str = "_genmodel_encoding";

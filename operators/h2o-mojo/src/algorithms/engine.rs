//! What an algorithm gets to read a model from, and what it makes of it.

use std::fmt;
use std::sync::Arc;

use crate::archive::Archive;
use crate::category::Category;
use crate::classes::Classes;
use crate::columns::Feature;
use crate::encoding::{self, Encoding};
use crate::error::Error;
use crate::info::Info;
use crate::limits::Limits;

/// The parts of a MOJO, as far as they are the same for all algorithms.
pub(crate) struct Source<'s, 'm> {
    pub(crate) archive: &'s mut Archive<'m>,
    pub(crate) info: &'s Info<'s>,
    pub(crate) features: &'s [Feature],
    /// None where the model has no classes.
    pub(crate) classes: &'s Classes,
    pub(crate) category: Category,
    pub(crate) limits: &'s Limits,
    /// How to read a model that is inside of this one.
    pub(crate) submodels: Submodels,
}

/// Reads models inside of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Submodels {
    /// How many more may be inside of one another.
    pub(crate) depth: u32,
    /// Reads the model in the folder that the archive is at, whatever its algorithm.
    pub(crate) read: fn(&mut Archive<'_>, &Limits, u32) -> Result<Predictor, Error>,
}

/// What scores rows, whatever the algorithm: a model as its archive's folder has it, be that
/// all of the archive or part of an ensemble's.
#[derive(Debug)]
pub(crate) struct Predictor {
    pub(crate) category: Category,
    /// The columns of a row, as the caller has it.
    pub(crate) features: Vec<Feature>,
    /// How a row becomes one of those columns that the engine takes; `None` where it is one.
    pub(crate) encoding: Option<Encoding>,
    pub(crate) response: Option<Feature>,
    pub(crate) has_offset: bool,
    /// Empty where the model has none.
    pub(crate) classes: Classes,
    /// The names of a row's values, where the model has no classes.
    pub(crate) outputs: Vec<String>,
    pub(crate) engine: Arc<dyn Engine>,
}

/// Scores rows with a [`Predictor`]. One per thread.
#[derive(Debug)]
pub(crate) struct PredictorScorer {
    predictor: Arc<Predictor>,
    engine: Box<dyn EngineScorer>,
    /// What the engine's approximation leaves open, see `EngineScorer::score`.
    doubts: Vec<f64>,
    /// The rows as the engine takes them, where those of the caller are encoded.
    encoded: Vec<f64>,
}

/// Whether an engine may approximate probabilities where no label depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    Enough,
    /// Every bit as H2O's, since the values are another model's input.
    Exact,
}

impl Predictor {
    /// How many values a row has.
    pub(crate) fn width(&self) -> usize {
        self.outputs.len().max(self.classes.count())
    }

    /// Whether rows are rewritten before the engine takes them.
    pub(crate) fn is_encoded(&self) -> bool {
        self.encoding.is_some()
    }

    /// Makes a scorer, which has the memory that scoring needs.
    pub(crate) fn scorer(self: Arc<Self>) -> PredictorScorer {
        let engine = Arc::clone(&self.engine).scorer();
        PredictorScorer { predictor: self, engine, doubts: vec![], encoded: vec![] }
    }
}

impl PredictorScorer {
    pub(crate) fn predictor(&self) -> &Predictor {
        &self.predictor
    }

    /// Scores `rows` into `values`, which are zero before, and adds to `labels` one for each
    /// row, where the model has classes.
    pub(crate) fn score(
        &mut self,
        rows: &[f64],
        offsets: Option<&[f64]>,
        precision: Precision,
        values: &mut [f64],
        labels: &mut Vec<u32>,
    ) {
        let Self { predictor, engine, doubts, encoded } = self;
        let (classes, width) = (&predictor.classes, predictor.width());
        let count = rows.len() / predictor.features.len();
        let rows = match &predictor.encoding {
            Some(encoding) => {
                encoding.apply(rows, encoded);
                encoded.as_slice()
            }
            None => rows,
        };
        doubts.clear();
        engine.score(rows, offsets, values, width, doubts);
        if classes.count() == 0 {
            return;
        }
        if let Some(settled) = engine.settled() {
            labels.extend_from_slice(settled);
            return;
        }
        let features = rows.len().checked_div(count).unwrap_or(1);
        let rows = rows.chunks_exact(features).zip(values.chunks_exact_mut(width));
        if doubts.is_empty() {
            labels.extend(rows.map(|(row, p)| classes.label(row, p)));
            return;
        }
        for ((row, p), doubt) in rows.zip(doubts) {
            let mut label = classes.label(row, p);
            if precision == Precision::Exact || !classes.is_sure(p, *doubt) {
                engine.score_exactly(row, p);
                label = classes.label(row, p);
            }
            labels.push(label);
        }
    }
}

/// What an algorithm has read: a model that rows can be scored with. Threads share it.
pub(crate) trait Engine: fmt::Debug + Send + Sync {
    /// Makes a scorer of it, which has the memory that scoring needs.
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer>;

    /// The names of a row's values, where they are not the probabilities of classes.
    fn outputs(&self) -> Vec<String> {
        vec!["predict".into()]
    }

    /// The columns of a row, where they are not those of `model.ini`.
    fn features(&self) -> Option<Vec<Feature>> {
        None
    }

    /// From which probability on the second of two classes is the label, where the engine
    /// settles labels itself.
    fn threshold(&self) -> Option<f64> {
        None
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

    /// The labels of the rows that were scored last, where the engine settles them itself.
    fn settled(&self) -> Option<&[u32]> {
        None
    }
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
        let what = match self.info.text(encoding::KEY) {
            Some(encoding) if encodings.contains(&encoding) => return Ok(version),
            None if version < newest && self.info.text("_n_orig_names").is_none() => {
                return Ok(version);
            }
            Some(other) => format!("categorical encoding '{other}'"),
            None => format!("categorical encoding 'null' ({} of model.ini)", encoding::KEY),
        };
        Err(Error::Unsupported { what, supported: encodings.join(", ") })
    }
}

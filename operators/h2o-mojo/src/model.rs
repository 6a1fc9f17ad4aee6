//! A model, whatever its algorithm, and what scores rows with it.

use std::sync::Arc;

use crate::algorithms::Algorithm;
use crate::algorithms::engine::{Precision, Predictor, PredictorScorer, Source, Submodels};
use crate::archive::Archive;
use crate::calibration::Calibration;
use crate::category::Category;
use crate::classes::{self, Classes};
use crate::columns::{Columns, Feature};
use crate::encoding::Encoding;
use crate::error::Error;
use crate::info::{self, Info};
use crate::limits::Limits;

/// A model read from a MOJO. Clones share it.
#[derive(Debug, Clone)]
pub struct Model {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    algorithm: Algorithm,
    offset_column: Option<String>,
    uuid: Option<String>,
    h2o_version: Option<String>,
    mojo_version: f64,
    predictor: Arc<Predictor>,
    calibration: Option<Calibration>,
}

/// How many models may be inside of one another, the outermost included. H2O does not stack
/// ensembles: two.
const DEPTH: u32 = 2;

impl Model {
    /// Reads a MOJO, within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// [`Error`], for anything that is not a MOJO, is damaged, or is of a kind that this
    /// crate does not score.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::read_within(bytes, &Limits::default())
    }

    /// Reads a MOJO, within `limits`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_within(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut archive = Archive::open(bytes, limits)?;
        let text = archive.find(info::NAME)?.ok_or(Error::NotMojo)?;
        let text = String::from_utf8_lossy(&text);
        let info = Info::parse(&text, limits)?;
        let algorithm = Algorithm::of(&info)?;
        let predictor = read_predictor(&mut archive, &info, limits, DEPTH)?;
        // H2O calibrates two classes only.
        let calibration = match predictor.category {
            Category::Binomial => Calibration::read(&mut archive, &info)?,
            _ => None,
        };
        let own = |key| info.text(key).map(String::from);
        Ok(Self {
            shared: Arc::new(Shared {
                algorithm,
                offset_column: own("offset_column"),
                uuid: own("uuid"),
                h2o_version: own("h2o_version"),
                mojo_version: info.number("mojo_version")?,
                predictor: Arc::new(predictor),
                calibration,
            }),
        })
    }

    /// The algorithm that trained the model.
    pub fn algorithm(&self) -> Algorithm {
        self.shared.algorithm
    }

    /// What the model predicts.
    pub fn category(&self) -> Category {
        self.shared.predictor.category
    }

    /// The names of the classes; empty where the model has none, as for a regression.
    pub fn classes(&self) -> &[String] {
        &self.shared.predictor.classes.names
    }

    /// The names of a row's values, as H2O's own tables of predictions have them, for a model
    /// without classes; empty for one with classes.
    ///
    /// | algorithm | names |
    /// |---|---|
    /// | a regression, whatever the algorithm | `predict` |
    /// | `isolationforest` | `predict`, which is the score, and `mean_length`; or `predict`, which is 1 for an anomaly and 0 otherwise, `score` and `mean_length` |
    /// | `extendedisolationforest` | `anomaly_score`, `mean_length` |
    /// | `kmeans` | `cluster`, the number of the nearest from 0, and `distance_0`, `distance_1`, ...: the squared distances to the centres |
    /// | `deeplearning`, an auto-encoder | `reconstruction_error`, the mean of squares over the inputs, and `reconstr_COLUMN.CATEGORY`, `reconstr_COLUMN.missing(NA)`, `reconstr_COLUMN`: what the network makes of each input |
    /// | `pca` | `PC1`, `PC2`, ... |
    /// | `upliftdrf` | `uplift_predict`, `p_y1_with_treatment`, `p_y1_without_treatment` |
    /// | `coxph` | `lp`, the linear predictor: the log of the hazard ratio to the mean |
    pub fn outputs(&self) -> &[String] {
        &self.shared.predictor.outputs
    }

    /// The columns of a row, in their order.
    pub fn features(&self) -> &[Feature] {
        &self.shared.predictor.features
    }

    /// The name of the column that the model predicts.
    pub fn response(&self) -> Option<&str> {
        self.shared.predictor.response.as_ref().map(Feature::name)
    }

    /// The column whose value is added to a row's sum before the link function, if there is
    /// one. Deep learning MOJOs name it too, but H2O's scorer leaves it out there, as in random
    /// forests, and so does this one.
    pub fn offset_column(&self) -> Option<&str> {
        self.shared.offset_column.as_deref()
    }

    /// H2O's identifier of the model.
    pub fn uuid(&self) -> Option<&str> {
        self.shared.uuid.as_deref()
    }

    /// The release of H2O that wrote the MOJO, such as `3.46.0.6`.
    pub fn h2o_version(&self) -> Option<&str> {
        self.shared.h2o_version.as_deref()
    }

    /// The version of the MOJO's format, such as 1.40; every algorithm counts its own.
    pub fn mojo_version(&self) -> f64 {
        self.shared.mojo_version
    }

    /// From which probability on the second of two classes is the label; `None` unless the
    /// model is [`Category::Binomial`].
    pub fn default_threshold(&self) -> Option<f64> {
        (self.category() == Category::Binomial).then(|| {
            let predictor = &self.shared.predictor;
            predictor.engine.threshold().unwrap_or(predictor.classes.threshold)
        })
    }

    /// Whether the model has a calibration: [`Predictions::calibrated`] has probabilities then.
    pub fn is_calibrated(&self) -> bool {
        self.shared.calibration.is_some()
    }

    /// Makes a scorer. It holds the memory that scoring needs, so keep it for many rows.
    pub fn scorer(&self) -> Scorer {
        Scorer { model: self.clone(), predictor: self.shared.predictor.clone().scorer() }
    }
}

/// Reads the model in the folder that the archive is at, whatever its algorithm.
fn read_submodel(
    archive: &mut Archive<'_>,
    limits: &Limits,
    depth: u32,
) -> Result<Predictor, Error> {
    let text = archive.get(info::NAME)?;
    let text = String::from_utf8_lossy(&text);
    read_predictor(archive, &Info::parse(&text, limits)?, limits, depth)
}

/// Reads what scores rows. `depth` is how many models may be inside of one another, this one
/// included.
fn read_predictor(
    archive: &mut Archive<'_>,
    info: &Info<'_>,
    limits: &Limits,
    depth: u32,
) -> Result<Predictor, Error> {
    let algorithm = Algorithm::of(info)?;
    let category = Category::read(info)?;
    let columns = Columns::read(archive, info, limits)?;
    let response = columns.response.as_ref();
    let levels = response.and_then(Feature::domain).map(|domain| domain.levels());
    let names = classes::names(category, info.number("n_classes")?, levels)?;
    if category == Category::Binomial && names.len() != 2 {
        return Err(Error::Contradiction {
            key: "category".into(),
            reason: format!("expected 2 classes for Binomial, got {}", names.len()),
        });
    }
    let classes = Classes::read(info, names, algorithm.labels())?;
    let mut source = Source {
        archive,
        info,
        features: &columns.features,
        classes: &classes,
        category,
        limits,
        submodels: Submodels { depth: depth.saturating_sub(1), read: read_submodel },
    };
    let engine = algorithm.read(category, &mut source)?;
    let (encoding, features) = match engine.features() {
        Some(features) => (None, features),
        None => match Encoding::read(archive, info, &columns.features, limits)? {
            Some((encoding, features)) => (Some(encoding), features),
            None => (None, columns.features),
        },
    };
    if features.is_empty() {
        return Err(Error::Contradiction {
            key: "n_features".into(),
            reason: "no column of a row is read".into(),
        });
    }
    Ok(Predictor {
        category,
        features,
        encoding,
        response: columns.response,
        has_offset: info.text("offset_column").is_some(),
        outputs: if classes.count() > 0 { vec![] } else { engine.outputs() },
        classes,
        engine,
    })
}

/// Scores rows with a model. One per thread.
#[derive(Debug)]
pub struct Scorer {
    model: Model,
    predictor: PredictorScorer,
}

impl Scorer {
    /// The model that is scored with.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Scores `rows`, row-major, one value for each of [`Model::features`]: a number, or a
    /// category's number from [`Domain::index`](crate::Domain::index), or NaN where it is
    /// missing. `offsets` has one value per row, or is `None` for zero in all.
    ///
    /// What `predictions` held before is overwritten, its memory used again.
    ///
    /// # Errors
    ///
    /// [`Error::Rows`] and [`Error::Offsets`], where the lengths do not fit.
    pub fn score(
        &mut self,
        rows: &[f64],
        offsets: Option<&[f64]>,
        predictions: &mut Predictions,
    ) -> Result<(), Error> {
        let features = self.model.features().len();
        if !rows.len().is_multiple_of(features) {
            return Err(Error::Rows { values: rows.len(), features });
        }
        let count = rows.len() / features;
        if let Some(offsets) = offsets.filter(|offsets| offsets.len() != count) {
            return Err(Error::Offsets { offsets: offsets.len(), rows: count });
        }
        predictions.reset(count, self.predictor.predictor().width());
        let Predictions { labels, values, calibrated, .. } = predictions;
        self.predictor.score(rows, offsets, Precision::Enough, values, labels);
        if let Some(calibration) = &self.model.shared.calibration {
            let (rows, _) = values.as_chunks::<2>();
            calibrated.extend(rows.iter().flat_map(|row| calibration.apply(row)));
        }
        Ok(())
    }
}

/// The predictions for some rows. Keep it and hand it over again: its memory is reused.
#[derive(Debug, Clone, Default)]
pub struct Predictions {
    labels: Vec<u32>,
    values: Vec<f64>,
    width: usize,
    calibrated: Vec<f64>,
}

impl Predictions {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many values a row has: one per class, or one per name of [`Model::outputs`].
    pub fn width(&self) -> usize {
        self.width
    }

    /// Per row the number of its class in [`Model::classes`]; empty where the model has none.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Row-major [`width`](Self::width) values per row: the probabilities of the classes, or
    /// what [`Model::outputs`] names.
    ///
    /// All values of a row are NaN, and its label 0, where no result is a number, as for
    /// infinite inputs of a network. H2O's scorer throws there. Of an auto-encoder only the first
    /// value, the error, is NaN where a number is missing, as in H2O's wrapper.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// As [`values`](Self::values), calibrated; empty unless
    /// [`Model::is_calibrated`]. Labels follow the probabilities that are not.
    pub fn calibrated(&self) -> &[f64] {
        &self.calibrated
    }

    fn reset(&mut self, rows: usize, width: usize) {
        self.labels.clear();
        self.labels.reserve(rows);
        self.values.clear();
        self.values.resize(rows * width, 0.0);
        self.width = width;
        self.calibrated.clear();
    }
}

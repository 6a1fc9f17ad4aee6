//! Stacked ensembles: what several models predict of a row is the input of another one, the
//! metalearner, whose prediction is the ensemble's.
//!
//! A base model that the metalearner makes no use of is not in the MOJO; its input is zero.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::engine::{Engine, EngineScorer, Precision, Predictor, PredictorScorer, Source};
use crate::archive::Archive;
use crate::columns::Feature;
use crate::error::Error;
use crate::limits;

/// An ensemble.
#[derive(Debug)]
struct StackedEnsemble {
    features: usize,
    /// In their order; `None` for one that is not used.
    bases: Vec<Option<Base>>,
    /// How many inputs of the metalearner are of one base model.
    inputs: usize,
    /// Whether the metalearner's inputs are the logs of the odds, and not probabilities.
    logit: bool,
    metalearner: Arc<Predictor>,
}

/// A base model.
#[derive(Debug)]
struct Base {
    predictor: Arc<Predictor>,
    /// Which column of the ensemble each of its columns is.
    columns: Vec<usize>,
}

/// An ensemble and the memory for some rows.
#[derive(Debug)]
struct Scorer {
    ensemble: Arc<StackedEnsemble>,
    bases: Vec<Option<PredictorScorer>>,
    metalearner: PredictorScorer,
    /// The rows as one base model has them.
    rows: Vec<f64>,
    /// What it makes of them.
    values: Vec<f64>,
    /// The metalearner's rows.
    inputs: Vec<f64>,
    labels: Vec<u32>,
}

/// Reads the models and how they belong together.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    source.format(1.01, "stackedensemble 1.00 and 1.01")?;
    if source.submodels.depth == 0 {
        return Err(Error::Unsupported {
            what: "a model inside of a model that is inside of another".into(),
            supported: "ensembles of models that are no ensembles".into(),
        });
    }
    check_offset(source.info.text("offset_column").is_some())?;
    let logit = match source.info.text("metalearner_transform") {
        None | Some("NONE") => false,
        Some("Logit") => source.classes.count() > 0,
        Some(other) => {
            return Err(Error::Unsupported {
                what: format!("metalearner_transform '{other}'"),
                supported: "NONE, Logit".into(),
            });
        }
    };
    let models = submodels(source)?;
    // Of two classes the metalearner has the probability of the second one only.
    let inputs = if source.classes.count() > 2 { source.classes.count() } else { 1 };
    let count: usize = source.info.number("base_models_num")?;
    let metalearner = source.info.required("metalearner")?;
    let metalearner = model(&models, metalearner)?;
    check_kind(source, "metalearner", metalearner)?;
    let columns = &metalearner.features;
    if count.checked_mul(inputs) != Some(columns.len()) {
        let reason = format!("{count} times {inputs} are not the metalearner's {}", columns.len());
        return Err(Error::contradiction("base_models_num", reason));
    }
    let mut bases = Vec::with_capacity(count);
    for (number, columns) in columns.chunks_exact(inputs).enumerate() {
        let entry = format!("base_model{number}");
        bases.push(match source.info.text(&entry) {
            None => None,
            Some(key) => {
                check_inputs(source, &entry, key, columns)?;
                let predictor = model(&models, key)?;
                check_kind(source, &entry, predictor)?;
                let columns = mapping(source, key, predictor)?;
                Some(Base { predictor: Arc::clone(predictor), columns })
            }
        });
    }
    let beyond = format!("base_model{count}");
    if source.info.text(&beyond).is_some() {
        return Err(Error::contradiction(&beyond, format!("base_models_num is {count}")));
    }
    Ok(Arc::new(StackedEnsemble {
        features: source.features.len(),
        bases,
        inputs,
        logit,
        metalearner: Arc::clone(metalearner),
    }))
}

/// All models by their keys.
fn submodels(source: &mut Source<'_, '_>) -> Result<HashMap<String, Arc<Predictor>>, Error> {
    let Source { info, limits, submodels, .. } = *source;
    let count: u64 = info.number("submodel_count")?;
    limits::check(|| "submodels".into(), count, limits.entries, "entries")?;
    let mut folders = HashSet::new();
    let mut models = HashMap::new();
    for number in 0..count {
        let key = info.required(&format!("submodel_key_{number}"))?;
        let entry = format!("submodel_dir_{number}");
        let folder = info.required(&entry)?;
        if !folders.insert(folder) {
            return Err(Error::contradiction(&entry, format!("'{folder}' is another model's")));
        }
        let read = |archive: &mut Archive<'_>| (submodels.read)(archive, limits, submodels.depth);
        let predictor = source.archive.within(folder, read)?;
        check_offset(predictor.has_offset)?;
        models.insert(key.to_owned(), Arc::new(predictor));
    }
    Ok(models)
}

fn model<'m>(
    models: &'m HashMap<String, Arc<Predictor>>,
    key: &str,
) -> Result<&'m Arc<Predictor>, Error> {
    models
        .get(key)
        .ok_or_else(|| Error::contradiction("submodel_count", format!("no model '{key}'")))
}

/// H2O's wrapper scores ensembles without offsets, and throws where one is handed over.
fn check_offset(has_offset: bool) -> Result<(), Error> {
    if !has_offset {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: "an ensemble with an offset column, which H2O's scorer of MOJOs leaves out".into(),
        supported: "ensembles without an offset".into(),
    })
}

/// A model inside must predict what the ensemble predicts.
fn check_kind(source: &Source<'_, '_>, entry: &str, predictor: &Predictor) -> Result<(), Error> {
    let same = predictor.category == source.category
        && predictor.classes.names == source.classes.names
        && predictor.width() == source.classes.count().max(1);
    if same {
        return Ok(());
    }
    Err(Error::contradiction(entry, "it does not predict what the ensemble does"))
}

/// H2O hands inputs over by their position, whatever their names.
fn check_inputs(
    source: &Source<'_, '_>,
    entry: &str,
    key: &str,
    columns: &[Feature],
) -> Result<(), Error> {
    let names = columns.iter().map(Feature::name);
    let fits = match &source.classes.names[..] {
        classes @ [_, _, _, ..] => {
            let mut names = names.zip(classes);
            names.all(|(name, class)| {
                name.strip_prefix(key).and_then(|rest| rest.strip_prefix('/')) == Some(class)
            })
        }
        _ => names.eq([key]),
    };
    if fits && columns.iter().all(|column| column.domain().is_none()) {
        return Ok(());
    }
    Err(Error::contradiction(
        entry,
        format!("the metalearner's columns there are not those of '{key}'"),
    ))
}

/// Which column of the ensemble each column of a base model is. Their categories must be the
/// same, since H2O hands over their numbers.
fn mapping(source: &Source<'_, '_>, key: &str, predictor: &Predictor) -> Result<Vec<usize>, Error> {
    let refused = |what: String| Error::Unsupported {
        what,
        supported: "base models trained on the ensemble's own columns".into(),
    };
    if predictor.is_encoded() {
        let what = format!("base model '{key}' with an encoding that rewrites rows");
        return Err(refused(what));
    }
    let place = |feature: &Feature| {
        let name = feature.name();
        let found = source.features.iter().position(|column| column.name() == name);
        let place =
            found.ok_or_else(|| refused(format!("base model '{key}' with a column '{name}'")))?;
        let levels = |feature: &Feature| feature.domain().map(|domain| domain.levels().to_vec());
        if levels(&source.features[place]) != levels(feature) {
            let what = format!("base model '{key}' with other categories of '{name}'");
            return Err(refused(what));
        }
        Ok(place)
    };
    predictor.features.iter().map(place).collect()
}

impl Engine for StackedEnsemble {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        let scorer =
            |base: &Option<Base>| base.as_ref().map(|base| Arc::clone(&base.predictor).scorer());
        Box::new(Scorer {
            bases: self.bases.iter().map(scorer).collect(),
            metalearner: Arc::clone(&self.metalearner).scorer(),
            ensemble: self,
            rows: vec![],
            values: vec![],
            inputs: vec![],
            labels: vec![],
        })
    }

    fn threshold(&self) -> Option<f64> {
        Some(self.metalearner.classes.threshold)
    }
}

impl EngineScorer for Scorer {
    fn score(
        &mut self,
        rows: &[f64],
        _: Option<&[f64]>,
        values: &mut [f64],
        width: usize,
        _: &mut Vec<f64>,
    ) {
        let ensemble = &*self.ensemble;
        let count = rows.len() / ensemble.features;
        let stride = ensemble.bases.len() * ensemble.inputs;
        self.inputs.clear();
        self.inputs.resize(count * stride, 0.0);
        let bases = ensemble.bases.iter().zip(&mut self.bases).enumerate();
        for (number, base) in bases {
            let (Some(base), Some(scorer)) = base else { continue };
            self.rows.clear();
            for row in rows.chunks_exact(ensemble.features) {
                self.rows.extend(base.columns.iter().map(|column| row[*column]));
            }
            self.values.clear();
            self.values.resize(count * width, 0.0);
            self.labels.clear();
            scorer.score(&self.rows, None, Precision::Exact, &mut self.values, &mut self.labels);
            let inputs = self.inputs.chunks_exact_mut(stride);
            for (values, inputs) in self.values.chunks_exact(width).zip(inputs) {
                // All of many classes; the second of two; the number.
                let mine = &values[width - ensemble.inputs..];
                inputs[number * ensemble.inputs..][..ensemble.inputs].copy_from_slice(mine);
            }
        }
        if ensemble.logit {
            self.inputs.iter_mut().for_each(|value| *value = logit(*value));
        }
        self.labels.clear();
        self.metalearner.score(&self.inputs, None, Precision::Exact, values, &mut self.labels);
        // Where a base model has no result, H2O's scorer throws, or the metalearner puts in
        // the mean of training for it: either way it is no result of this row.
        let rows = self.inputs.chunks_exact(stride).zip(values.chunks_exact_mut(width));
        for (index, (inputs, values)) in rows.enumerate() {
            if inputs.iter().any(|value| value.is_nan()) {
                values.fill(f64::NAN);
                if let Some(label) = self.labels.get_mut(index) {
                    *label = 0;
                }
            }
        }
    }

    fn settled(&self) -> Option<&[u32]> {
        Some(&self.labels)
    }
}

/// The log of the odds of a probability, within H2O's bounds.
fn logit(p: f64) -> f64 {
    const LEAST: f64 = 1e-9;
    if p.is_nan() {
        return p;
    }
    let p = p.clamp(LEAST, 1.0 - LEAST);
    let odds = p / (1.0 - p);
    if odds == 0.0 { -19.0 } else { odds.ln().max(-19.0) }
}

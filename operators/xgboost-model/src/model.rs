//! A model, and what scores rows with it.

use std::sync::Arc;

use decision_trees::{Forest, Scratch};

use crate::document::{self, Booster};
use crate::error::Error;
use crate::features::{self, Feature};
use crate::limits::Limits;
use crate::linear::Linear;
use crate::objective::{self, Link, Objective, Outcome};
use crate::parameters;
use crate::predictions::Predictions;
use crate::rounds::{self, Rounds};
use crate::trees;

/// A model read from what `save_model` writes. Clones share it.
#[derive(Debug, Clone)]
pub struct Model {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    features: Vec<Feature>,
    objective_name: String,
    booster_name: String,
    version: Option<(u32, u32)>,
    best_iteration: Option<u64>,
    outcome: Outcome,
    /// What the sums of a row begin with.
    margins: Vec<f32>,
    engine: Engine,
    /// Empty where the model has none.
    classes: Vec<String>,
    outputs: Vec<String>,
}

#[derive(Debug)]
enum Engine {
    Trees(Box<Forest<f32>>),
    Linear(Linear),
}

impl Model {
    /// Reads a model, within the default [`Limits`], to be scored with [`Rounds::Best`].
    ///
    /// # Errors
    ///
    /// [`Error`], for anything that is not a model, is damaged, or is of a kind that this
    /// crate does not score.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::read_within(bytes, &Limits::default())
    }

    /// Reads a model, within `limits`, to be scored with [`Rounds::Best`].
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_within(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::read_rounds(bytes, limits, Rounds::Best)
    }

    /// Reads a model, within `limits`, to be scored with these rounds of it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_rounds(bytes: &[u8], limits: &Limits, rounds: Rounds) -> Result<Self, Error> {
        let mut document = document::read(bytes, limits)?;
        parameters::check_version(document.version)?;
        let objective_name = document.objective.name.clone().unwrap_or_default();
        let objective = Objective::of(&objective_name)?;
        let count = parameters::feature_count(&document, limits)?;
        let features = features::read(&document, count)?;
        let outputs = parameters::output_count(&document, &objective, limits)?;
        let margins = parameters::margins(&document, &objective, outputs)?;
        let best_iteration = rounds::best(&document)?;
        let rounds = best_iteration.filter(|_| rounds == Rounds::Best);
        let names = parameters::output_names(&document, &objective, outputs)?;

        let booster_name = document.booster.name.clone().unwrap_or_default();
        let engine = match booster_name.as_str() {
            "gbtree" | "dart" => {
                Engine::Trees(Box::new(forest(&document.booster, count, outputs, rounds, limits)?))
            }
            "gblinear" => {
                let weights = document.booster.weights.take().unwrap_or_default();
                Engine::Linear(Linear::new(weights, count, outputs)?)
            }
            other => {
                return Err(Error::Unsupported {
                    what: format!("booster '{other}'"),
                    supported: "gbtree, dart, gblinear".into(),
                });
            }
        };
        // XGBoost begins all sums of a linear model with the first one.
        let margins = match engine {
            Engine::Trees(_) => margins,
            Engine::Linear(_) => vec![margins.first().copied().unwrap_or_default(); outputs],
        };
        let outcome = match objective.outcome {
            Outcome::Probability if outputs > 1 => Outcome::Numbers(Link::Logistic),
            outcome => outcome,
        };
        let classes = match outcome {
            Outcome::Numbers(_) => 0,
            Outcome::Probability | Outcome::Sign => 2,
            Outcome::Shares => outputs,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                features,
                objective_name,
                booster_name,
                version: document.version,
                best_iteration,
                outcome,
                margins,
                engine,
                classes: (0..classes).map(|class| class.to_string()).collect(),
                outputs: if classes > 0 { vec![] } else { names },
            }),
        })
    }

    /// The columns of a row, in their order.
    pub fn features(&self) -> &[Feature] {
        &self.shared.features
    }

    /// The names of the classes, which XGBoost knows by their numbers alone: `0`, `1` and so
    /// on; empty where the model has none, as for a regression.
    pub fn classes(&self) -> &[String] {
        &self.shared.classes
    }

    /// The names of a row's values, for a model without classes; empty for one with classes.
    /// `predict`, where there is one; otherwise `quantile_0.1` and so on, or `output_0` and so
    /// on.
    pub fn outputs(&self) -> &[String] {
        &self.shared.outputs
    }

    /// XGBoost's name of the objective, such as `binary:logistic`.
    pub fn objective(&self) -> &str {
        &self.shared.objective_name
    }

    /// XGBoost's name of the booster: `gbtree`, `dart` or `gblinear`.
    pub fn booster(&self) -> &str {
        &self.shared.booster_name
    }

    /// Major and minor number of the release that wrote the model.
    pub fn xgboost_version(&self) -> Option<(u32, u32)> {
        self.shared.version
    }

    /// The best round of a training that stopped early, from 0.
    pub fn best_iteration(&self) -> Option<u64> {
        self.shared.best_iteration
    }

    /// How many trees are summed up for a row, those of all outputs together.
    pub fn trees(&self) -> usize {
        match &self.shared.engine {
            Engine::Trees(forest) => forest.trees(),
            Engine::Linear(_) => 0,
        }
    }

    /// Makes a scorer. It holds the memory that scoring needs, so keep it for many rows.
    pub fn scorer(&self) -> Scorer {
        let scratch = match &self.shared.engine {
            Engine::Trees(forest) => Some(forest.scratch()),
            Engine::Linear(_) => None,
        };
        Scorer { model: self.clone(), scratch, sums: vec![] }
    }
}

/// Scores rows with a model. One per thread.
#[derive(Debug)]
pub struct Scorer {
    model: Model,
    scratch: Option<Scratch>,
    sums: Vec<f32>,
}

impl Scorer {
    /// The model that is scored with.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Scores `rows`, row-major, one value for each of [`Model::features`]: a number, or what
    /// [`Feature::value`] makes of a text, or NaN where it is missing. Numbers are rounded to
    /// single precision, as XGBoost's are; where XGBoost refuses infinite numbers, they are
    /// the largest and the smallest here.
    ///
    /// What `predictions` held before is overwritten, its memory used again.
    ///
    /// # Errors
    ///
    /// [`Error::Rows`], where the length does not fit.
    pub fn score(&mut self, rows: &[f64], predictions: &mut Predictions) -> Result<(), Error> {
        self.sum(rows)?;
        let model = &*self.model.shared;
        let count = rows.len() / model.features.len();
        let outputs = model.margins.len();
        let width = model.classes.len().max(model.outputs.len());
        predictions.reset(count, width);
        let Predictions { labels, values, .. } = predictions;
        let rows = self.sums.chunks_exact(outputs).zip(values.chunks_exact_mut(width));
        match model.outcome {
            Outcome::Numbers(link) => {
                for (value, sum) in values.iter_mut().zip(&self.sums) {
                    *value = link.invert(*sum).into();
                }
            }
            Outcome::Probability => labels.extend(rows.map(|(sums, values)| {
                let probability = objective::logistic(sums[0]);
                values[0] = (1.0 - probability).into();
                values[1] = probability.into();
                u32::from(probability > 0.5)
            })),
            Outcome::Sign => labels.extend(rows.map(|(sums, values)| {
                let label = sums[0] > 0.0;
                values[usize::from(label)] = 1.0;
                u32::from(label)
            })),
            Outcome::Shares => labels.extend(rows.map(|(sums, values)| {
                objective::softmax(sums, values);
                objective::largest(sums)
            })),
        }
        Ok(())
    }

    /// What `rows` add up to before the objective makes predictions of it: row-major, one
    /// number per row and class, or target, or quantile. It is what `Booster.predict` answers
    /// with `output_margin`.
    ///
    /// # Errors
    ///
    /// [`Error::Rows`], where the length does not fit.
    pub fn margins(&mut self, rows: &[f64]) -> Result<&[f32], Error> {
        self.sum(rows)?;
        Ok(&self.sums)
    }

    fn sum(&mut self, rows: &[f64]) -> Result<(), Error> {
        let model = &*self.model.shared;
        let features = model.features.len();
        if !rows.len().is_multiple_of(features) {
            return Err(Error::Rows { values: rows.len(), features });
        }
        self.sums.clear();
        for _ in 0..rows.len() / features {
            self.sums.extend_from_slice(&model.margins);
        }
        match (&model.engine, &mut self.scratch) {
            (Engine::Trees(forest), Some(scratch)) => {
                forest.sum(rows, scratch, &mut self.sums, model.margins.len());
            }
            (Engine::Linear(linear), _) => linear.sum(rows, &mut self.sums),
            (Engine::Trees(_), None) => {}
        }
        Ok(())
    }
}

/// The trees up to a round, or all.
fn forest(
    booster: &Booster,
    features: usize,
    outputs: usize,
    round: Option<u64>,
    limits: &Limits,
) -> Result<Forest<f32>, Error> {
    let none = vec![];
    let trees = booster.trees.as_ref().unwrap_or(&none);
    let groups = booster.groups.as_deref().unwrap_or_default();
    let weights = booster.tree_weights.as_deref().unwrap_or_default();
    let field = |key: &str, reason: String| Error::Field {
        place: format!("learner.gradient_booster.{key}"),
        reason,
    };
    if groups.len() != trees.len() {
        let reason = format!("expected {} items, one per tree, got {}", trees.len(), groups.len());
        return Err(field("model.tree_info", reason));
    }
    let is_dart = booster.name.as_deref() == Some("dart");
    if weights.len() > trees.len() || is_dart && weights.len() < trees.len() {
        let reason = format!("expected {} items, one per tree, got {}", trees.len(), weights.len());
        return Err(field("weight_drop", reason));
    }
    let count = match round {
        Some(round) => rounds::trees_up_to(booster, outputs, round)?,
        None => trees.len(),
    };
    let (trees, groups) = (&trees[..count], &groups[..count]);
    trees::compile(&trees::Source { trees, groups, weights, features, outputs }, limits)
}

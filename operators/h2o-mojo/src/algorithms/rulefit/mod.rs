//! Rules: which leaf of each of some trees a row comes to, as categories of a linear model.
//!
//! - `rule`: a tree's leaves as rules, and which of them a row meets.
//! - this file: what `model.ini` says of the whole, and the linear model's rows.

mod rule;

use std::sync::Arc;

use super::engine::{Engine, EngineScorer, Precision, Predictor, PredictorScorer, Source};
use crate::archive::Archive;
use crate::columns::Feature;
use crate::error::Error;

use rule::Tree;

/// A model.
#[derive(Debug)]
struct RuleFit {
    features: usize,
    /// What each column of the linear model's rows is.
    columns: Vec<Column>,
    linear: Arc<Predictor>,
}

/// What a column of the linear model is.
#[derive(Debug)]
enum Column {
    /// The number of the rule of a tree that the row meets.
    Rules(Tree),
    /// A column of the row.
    Plain(usize),
}

/// A model and the memory for some rows.
#[derive(Debug)]
struct Scorer {
    model: Arc<RuleFit>,
    linear: PredictorScorer,
    rows: Vec<f64>,
    labels: Vec<u32>,
}

/// Reads the rules and the linear model.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    source.format(1.0, "rulefit 1.00")?;
    if source.submodels.depth == 0 {
        return Err(Error::Unsupported {
            what: "rules inside of a model that is inside of another".into(),
            supported: "rules by themselves".into(),
        });
    }
    let linear = linear(source)?;
    let Source { info, features, classes, .. } = *source;
    let (rules, plain) = match info.number("model_type")? {
        0 => (false, true),
        1 => (true, true),
        2 => (true, false),
        other => {
            let reason = format!("{other} is none of 0, 1 and 2");
            return Err(Error::contradiction("model_type", reason));
        }
    };
    let trees = if rules { rule::read(source)? } else { vec![] };
    let plain = if plain { 0..features.len() } else { 0..0 };
    let count = trees.len() + plain.len();
    // The response is among them, too.
    if count != linear.features.len() || info.number::<usize>("linear_names_len")? < count {
        let reason = format!("expected {count} columns, as many as the linear model's");
        return Err(Error::contradiction("linear_names_len", reason));
    }
    // By the places of the linear model.
    let mut columns: Vec<Option<Column>> = linear.features.iter().map(|_| None).collect();
    let made = trees.into_iter().map(Ok).chain(plain.map(Err)).enumerate();
    for (number, made) in made {
        let key = format!("linear_names_{number}");
        let name = info.required(&key)?;
        let place = linear.features.iter().position(|column| column.name() == name);
        let place = place.filter(|place| columns[*place].is_none());
        let place = place
            .ok_or_else(|| Error::contradiction(&key, "the linear model has no such column"))?;
        let column = &linear.features[place];
        columns[place] = Some(match made {
            Ok(tree) => Column::Rules(tree.numbered(column, &classes.names)?),
            Err(from) => {
                check_same(&features[from], column)?;
                Column::Plain(from)
            }
        });
    }
    let columns = columns.into_iter().flatten().collect();
    Ok(Arc::new(RuleFit { features: features.len(), columns, linear: Arc::new(linear) }))
}

/// The linear model, which must predict what the whole does.
fn linear(source: &mut Source<'_, '_>) -> Result<Predictor, Error> {
    let Source { info, limits, submodels, .. } = *source;
    const KEY: &str = "submodel_count";
    let count: u64 = info.number(KEY)?;
    let key = info.required("linear_model")?;
    if count != 1 || info.required("submodel_key_0")? != key {
        return Err(Error::contradiction(KEY, format!("expected one, '{key}'")));
    }
    let folder = info.required("submodel_dir_0")?;
    let read = |archive: &mut Archive<'_>| (submodels.read)(archive, limits, submodels.depth);
    let linear = source.archive.within(folder, read)?;
    if linear.category != source.category
        || linear.classes.names != source.classes.names
        || linear.width() != source.classes.count().max(1)
        || linear.encoding.is_some()
    {
        let reason = "the linear model does not predict what the whole does";
        return Err(Error::contradiction("linear_model", reason));
    }
    if linear.has_offset || info.text("offset_column").is_some() {
        return Err(Error::Unsupported {
            what: "rules with an offset column, which H2O's scorer of MOJOs leaves out".into(),
            supported: "rules without an offset".into(),
        });
    }
    Ok(linear)
}

/// H2O hands over the numbers of categories, so that they must be the same.
fn check_same(feature: &Feature, column: &Feature) -> Result<(), Error> {
    let levels = |feature: &Feature| feature.domain().map(|domain| domain.levels().to_vec());
    let named = column.name() == feature.name()
        || column.name().strip_prefix("linear.") == Some(feature.name());
    if named && levels(feature) == levels(column) {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: format!("rules whose linear model has other categories of '{}'", feature.name()),
        supported: "the same categories".into(),
    })
}

impl Engine for RuleFit {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        let linear = Arc::clone(&self.linear).scorer();
        Box::new(Scorer { model: self, linear, rows: vec![], labels: vec![] })
    }

    fn threshold(&self) -> Option<f64> {
        Some(self.linear.classes.threshold)
    }
}

impl EngineScorer for Scorer {
    fn score(
        &mut self,
        rows: &[f64],
        _: Option<&[f64]>,
        values: &mut [f64],
        _: usize,
        _: &mut Vec<f64>,
    ) {
        self.rows.clear();
        for row in rows.chunks_exact(self.model.features) {
            self.rows.extend(self.model.columns.iter().map(|column| match column {
                Column::Rules(tree) => tree.met(row),
                Column::Plain(from) => row[*from],
            }));
        }
        self.labels.clear();
        self.linear.score(&self.rows, None, Precision::Exact, values, &mut self.labels);
    }

    fn settled(&self) -> Option<&[u32]> {
        Some(&self.labels)
    }
}

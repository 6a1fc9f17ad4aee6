//! A scorer: of each row of features, a prediction.
//!
//! This one is a logistic regression whose weights are in the configuration. A model
//! with a file of its own comes by `setup.load_model`, one that the runner computes
//! (ONNX, TensorFlow) by `setup.load_graph`; the SDK's documentation (`cargo doc --open`)
//! shows both.

use std::collections::BTreeMap;

use sandbar_operator::{
    Column, Error, Failure, Field, FieldType, Output, Predictions, Scorer, Setup, Table,
};

/// The stage's `config` table in the pipeline's manifest.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What the two classes are called; the second is the one that weights speak for.
    classes: [String; 2],
    /// A weight for each feature that counts.
    weights: BTreeMap<String, f64>,
    /// What is added to the weighted sum.
    #[serde(default)]
    intercept: f64,
}

/// One feature that counts.
struct Term {
    feature: String,
    /// Its position among the columns.
    column: usize,
    weight: f64,
}

/// A logistic regression.
struct Logistic {
    classes: [String; 2],
    terms: Vec<Term>,
    intercept: f64,
}

impl Scorer for Logistic {
    type Config = Config;

    fn configure(config: Config, _: &Setup, features: &[Field]) -> Result<Self, Error> {
        let mut terms = Vec::new();
        for (feature, weight) in config.weights {
            let found = features
                .iter()
                .position(|field| field.name == feature && field.ty == FieldType::Number);
            let Some(column) = found else {
                return Err(format!("feature '{feature}': no numbers from the extractor").into());
            };
            terms.push(Term { feature, column, weight });
        }
        Ok(Logistic { classes: config.classes, terms, intercept: config.intercept })
    }

    fn output(&self) -> Output {
        Output::Classes(self.classes.to_vec())
    }

    fn score(&mut self, table: &Table<'_>, predictions: &mut Predictions) {
        // Columns are taken once for the whole table, not once a row.
        let columns: Vec<(&Term, &[f64])> = self
            .terms
            .iter()
            .filter_map(|term| match table.column(term.column)? {
                Column::Numbers(numbers) => Some((term, numbers)),
                _ => None,
            })
            .collect();
        for row in 0..table.rows() {
            predictions.class_with(|probabilities| {
                let mut sum = self.intercept;
                for (term, numbers) in &columns {
                    if numbers[row].is_nan() {
                        let message = format!("feature '{}' is missing", term.feature);
                        return Err(Failure::missing(message));
                    }
                    sum += term.weight * numbers[row];
                }
                probabilities[1] = 1.0 / (1.0 + (-sum).exp());
                probabilities[0] = 1.0 - probabilities[1];
                Ok(usize::from(probabilities[1] > probabilities[0]))
            });
        }
    }
}

sandbar_operator::scorer!(Logistic);

#[cfg(test)]
mod tests {
    use super::*;
    use sandbar_operator::testing::{Cell, Features, Stage};

    const CONFIG: &str =
        r#"{ "classes": ["short", "long"], "weights": { "words": 2.0 }, "intercept": -6.0 }"#;

    #[test]
    fn many_words_are_long() -> Result<(), Error> {
        let features = Features::new([Field::number("words")])
            .row([Cell::Number(1.0)])
            .row([Cell::Number(4.0)])
            .row([Cell::Missing]);
        let mut scorer = Stage::new().config(CONFIG).scorer::<Logistic>(features.fields())?;
        let scored = scorer.score(&features);
        let labels: Vec<_> = scored.iter().map(|it| it.as_ref().ok().and_then(|it| it.label())).collect();
        assert_eq!(labels, [Some("short"), Some("long"), None]);
        Ok(())
    }

    #[test]
    fn weights_need_their_features() {
        let result = Stage::new().config(CONFIG).scorer::<Logistic>(&[Field::text("words")]);
        assert!(result.is_err());
    }
}

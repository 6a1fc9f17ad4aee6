//! The least that a scorer can do, to measure what the interface costs: the value `x`
//! of every row is the configuration's `value` (0 by default).

use sandbar_operator::{Error, Field, Output, Predictions, Scorer, Setup, Table};

/// The scorer.
pub struct Constant {
    value: f64,
}

/// Its configuration.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every row gets.
    #[serde(default)]
    value: f64,
}

impl Scorer for Constant {
    type Config = Config;

    fn configure(config: Config, _: &Setup, _: &[Field]) -> Result<Self, Error> {
        Ok(Constant { value: config.value })
    }

    fn output(&self) -> Output {
        Output::Values(vec!["x".into()])
    }

    fn score(&mut self, table: &Table<'_>, predictions: &mut Predictions) {
        for _ in 0..table.rows() {
            predictions.values(&[self.value]);
        }
    }
}

sandbar_operator::scorer!(Constant);

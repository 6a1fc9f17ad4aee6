//! Features to predictions: the trait, what it fills, and what runs it.

use serde::de::DeserializeOwned;

use crate::bindings::scoring::{Output, Scored};
use crate::bindings::types;
use crate::error::{Error, Failure};
use crate::field::Field;
use crate::setup::Setup;
use crate::table::Table;

/// Turns each row of features into one prediction. Export it with [`scorer!`](crate::scorer).
pub trait Scorer: Sized + 'static {
    /// The stage's `config` table. Give it `#[serde(deny_unknown_fields)]`, so that
    /// a typo is an error. Without any configuration: [`NoConfig`](crate::NoConfig).
    type Config: DeserializeOwned;

    /// Called once, before anything else. `features` are the columns of every table
    /// to come: the place to match them with the model's inputs.
    ///
    /// # Errors
    /// What is wrong with the configuration, the model or the features, for the
    /// pipeline's author.
    fn configure(config: Self::Config, setup: &Setup, features: &[Field]) -> Result<Self, Error>;

    /// What every prediction is made of: classes or values, at least one, with
    /// different names. Asked once, after `configure`.
    fn output(&self) -> Output;

    /// Gives exactly one prediction or failure for each row, in order.
    fn score(&mut self, table: &Table<'_>, predictions: &mut Predictions);
}

/// What [`Scorer::score`] fills, row by row.
///
/// A prediction of another width than the output, or with a label that is no class,
/// becomes a failure with the code `internal`. If there are not as many as rows, all
/// rows fail, since nobody can tell which prediction belongs to which.
pub struct Predictions {
    classes: bool,
    width: usize,
    /// Predictions and failures so far.
    done: usize,
    scored: Scored,
}

impl Predictions {
    fn new(output: &Output, rows: usize) -> Predictions {
        let width = output.names().len();
        let classes = matches!(output, Output::Classes(_));
        let scored = Scored {
            labels: Vec::with_capacity(if classes { rows } else { 0 }),
            values: Vec::with_capacity(rows * width),
            failures: Vec::new(),
        };
        Predictions { classes, width, done: 0, scored }
    }

    /// The next row is of the class at index `label`; `probabilities` has a number
    /// for each class.
    #[inline]
    pub fn class(&mut self, label: usize, probabilities: &[f64]) {
        if !self.classes || label >= self.width || probabilities.len() != self.width {
            return self.mismatch(probabilities.len(), Some(label));
        }
        self.scored.labels.push(label as u32);
        self.scored.values.extend_from_slice(probabilities);
        self.done += 1;
    }

    /// The next row has these values, one for each name of the output.
    #[inline]
    pub fn values(&mut self, values: &[f64]) {
        if self.classes || values.len() != self.width {
            return self.mismatch(values.len(), None);
        }
        self.scored.values.extend_from_slice(values);
        self.done += 1;
    }

    /// As [`class`](Predictions::class), but `fill` writes the probabilities in
    /// place (they start as zeros) and returns the label, or why the row fails.
    #[inline]
    pub fn class_with(&mut self, fill: impl FnOnce(&mut [f64]) -> Result<usize, Failure>) {
        let start = self.scored.values.len();
        self.scored.values.resize(start + self.width, 0.0);
        match fill(&mut self.scored.values[start..]) {
            Ok(label) if self.classes && label < self.width => {
                self.scored.labels.push(label as u32);
                self.done += 1;
            }
            Ok(label) => {
                self.scored.values.truncate(start);
                self.mismatch(self.width, Some(label));
            }
            Err(failure) => {
                self.scored.values.truncate(start);
                self.fail(failure);
            }
        }
    }

    /// As [`values`](Predictions::values), but `fill` writes the values in place
    /// (they start as zeros), or says why the row fails.
    #[inline]
    pub fn values_with(&mut self, fill: impl FnOnce(&mut [f64]) -> Result<(), Failure>) {
        if self.classes {
            return self.mismatch(self.width, None);
        }
        let start = self.scored.values.len();
        self.scored.values.resize(start + self.width, 0.0);
        match fill(&mut self.scored.values[start..]) {
            Ok(()) => self.done += 1,
            Err(failure) => {
                self.scored.values.truncate(start);
                self.fail(failure);
            }
        }
    }

    /// The next row has no prediction, for this reason.
    pub fn fail(&mut self, failure: Failure) {
        self.scored.failures.push(failure.at(self.done));
        self.done += 1;
    }

    #[cold]
    fn mismatch(&mut self, found: usize, label: Option<usize>) {
        let kind = if self.classes { "classes" } else { "values" };
        let label = label.map(|label| format!(" and the label {label}")).unwrap_or_default();
        self.fail(Failure::internal(format!(
            "expected {} {kind}, got {found} numbers{label} from the scorer",
            self.width
        )));
    }

    fn finish(self, rows: usize) -> Scored {
        if self.done == rows {
            return self.scored;
        }
        let message = format!("expected {rows} predictions, got {} from the scorer", self.done);
        let failures = (0..rows).map(|row| Failure::internal(message.clone()).at(row)).collect();
        Scored { labels: Vec::new(), values: Vec::new(), failures }
    }
}

/// A configured scorer, and what is known about its tables.
pub struct Scoring<S> {
    operator: S,
    fields: Vec<Field>,
    output: Output,
}

impl<S: Scorer> Scoring<S> {
    pub(crate) fn new(
        config: S::Config,
        setup: &Setup,
        fields: Vec<Field>,
    ) -> Result<Scoring<S>, Error> {
        let operator = S::configure(config, setup, &fields)?;
        let output = operator.output();
        Ok(Scoring { operator, fields, output })
    }

    /// Configures the scorer with what the host says.
    ///
    /// # Errors
    /// Those of its configuration.
    pub fn configure(setup: types::Setup, fields: Vec<Field>) -> Result<Scoring<S>, String> {
        Setup::read(setup)
            .and_then(|(config, setup)| Self::new(config, &setup, fields))
            .map_err(Error::into_message)
    }

    /// What the scorer declared.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// Scores one table.
    pub fn score(&mut self, table: &types::Table) -> Scored {
        let table = Table::new(&self.fields, table);
        let mut predictions = Predictions::new(&self.output, table.rows());
        self.operator.score(&table, &mut predictions);
        predictions.finish(table.rows())
    }
}

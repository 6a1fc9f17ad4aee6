//! What a model is, whoever made it.

use sandbar_operator::{Error, Output};

use crate::config::Treatment;
use crate::described::Description;

/// A model of some maker.
pub(crate) trait Model {
    /// The columns of a row, in their order.
    fn features(&self) -> Vec<Box<dyn Feature>>;

    /// The names of these, in their order.
    fn names(&self) -> Vec<String>;

    /// What the maker does where a row has no column for a feature: most refuse it.
    fn missing_column(&self) -> Treatment {
        Treatment::Fail
    }

    /// What a prediction has.
    ///
    /// # Errors
    /// Where the names of the values cannot be told apart.
    fn output(&self) -> Result<Output, Error>;

    /// The column whose value is added to each row's sum, if the model was trained with one and
    /// says so.
    fn offset(&self) -> Option<Offset> {
        None
    }

    /// What scores rows; it has the memory for it.
    fn scorer(&self) -> Box<dyn Scorer>;
}

/// One column of a model's rows.
pub(crate) trait Feature {
    /// What the column holds.
    fn takes(&self) -> Takes;

    /// What a row holds for a text.
    ///
    /// # Errors
    /// Where it is no number, or a category that the model does not know.
    fn value(&self, text: &[u8]) -> Result<f64, Unfit>;
}

/// What a feature's column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Numbers, or texts that are numbers.
    Numbers,
    /// Names of categories.
    Categories,
}

/// Why a text is not a value of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The feature is categorical and the model has not seen this category.
    UnknownCategory,
    /// The feature is a number and the text is none.
    NotANumber,
}

/// The column that offsets come from.
pub(crate) struct Offset {
    pub(crate) name: String,
    /// Why the maker's own scorer leaves it out, where it does.
    pub(crate) left_out: Option<String>,
}

/// Scores rows with a model.
pub(crate) trait Scorer {
    /// Scores `rows`, row-major, a number for each feature; NaN is a missing value.
    ///
    /// # Errors
    /// Only where the lengths do not fit each other.
    fn score(&mut self, rows: &[f64], offsets: Option<&[f64]>) -> Result<Scored<'_>, String>;
}

/// The predictions of some rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scored<'a> {
    /// By row the number of its class; empty for a model without classes.
    pub(crate) labels: &'a [u32],
    /// Row-major, `width` for each.
    pub(crate) values: &'a [f64],
    pub(crate) width: usize,
    /// As `values`, calibrated; empty for a model that is not.
    pub(crate) calibrated: &'a [f64],
}

/// Asks for what the model's folder says.
pub(crate) type Describe<'a> = &'a dyn Fn() -> Result<Description, Error>;

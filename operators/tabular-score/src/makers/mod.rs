//! Models of every maker, as the operator sees them.
//!
//! A maker is added by a file here and a row in [`MAKERS`]; what is a model of whom is told by its
//! first bytes.

mod h2o;

use sandbar_operator::{Error, Output};

/// A model of some maker.
pub(crate) trait Model {
    /// The columns of a row, in their order.
    fn features(&self) -> Vec<Box<dyn Feature>>;

    /// What a prediction has.
    ///
    /// # Errors
    /// Where the names of the values cannot be told apart.
    fn output(&self) -> Result<Output, Error>;

    /// The column whose value is added to each row's sum, if the model was trained with one.
    fn offset(&self) -> Option<Offset>;

    /// What scores rows; it has the memory for it.
    fn scorer(&self) -> Box<dyn Scorer>;
}

/// One column of a model's rows.
pub(crate) trait Feature {
    fn name(&self) -> &str;

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

/// What reads a model of one maker from its bytes.
type Reader = fn(&[u8]) -> Result<Box<dyn Model>, Error>;

/// A maker's way to read a model.
struct Maker {
    /// The model's format, in words.
    format: &'static str,
    /// Whether bytes are a model of this maker, as far as their beginning tells.
    is_it: fn(&[u8]) -> bool,
    read: Reader,
}

/// All of them.
const MAKERS: [Maker; 1] = [Maker { format: "an H2O MOJO", is_it: h2o::is_mojo, read: h2o::read }];

/// Reads a model, whoever made it.
///
/// # Errors
/// Where the bytes are no model of any maker, or of none that can be scored.
pub(crate) fn read(bytes: &[u8]) -> Result<Box<dyn Model>, Error> {
    match MAKERS.iter().find(|maker| (maker.is_it)(bytes)) {
        Some(maker) => (maker.read)(bytes),
        None => {
            let formats: Vec<&str> = MAKERS.iter().map(|maker| maker.format).collect();
            Err(format!("not a model of a known maker: expected {}", formats.join(", ")).into())
        }
    }
}

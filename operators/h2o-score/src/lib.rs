//! Scores features with an H2O MOJO model, read inside the sandbox.
//!
//! ```toml
//! [stages.config]
//! unknown_category = "fail"       # or "missing"
//! invalid_number = "fail"         # or "missing"
//! missing_column = "missing"      # or "fail"
//! ```
//!
//! The values shown are the defaults: what H2O's `EasyPredictModelWrapper` does when
//! nothing is set on its `Config`.
//!
//! | what is found | key | `"fail"` | `"missing"` | H2O's switch for `"missing"` |
//! |---|---|---|---|---|
//! | a category that the model was not trained with | `unknown_category` | the row fails, `invalid` | the value counts as missing | `setConvertUnknownCategoricalLevelsToNa(true)` |
//! | text that is no number, for a numeric feature | `invalid_number` | the row fails, `malformed` | the value counts as missing | `setConvertInvalidNumbersToNa(true)` |
//! | no column for a feature of the model | `missing_column` | the configuration is refused | the feature is missing in every row | what H2O always does |
//!
//! Columns are matched with the model's features by name; columns that the model does
//! not know are ignored. What is compared with what:
//!
//! | model's feature | column of numbers | column of text |
//! |---|---|---|
//! | numeric | as it is; NaN is missing | read as Java's `Double.parseDouble` reads it; empty is missing |
//! | categorical | refused at configuration | the category of this name, or of the name `column.text`; empty is missing |
//!
//! H2O refuses a number for a categorical feature in each row; since it can never go
//! well, it is refused before the first. So is a tensor, and a table that has none of
//! the model's features.
//!
//! A model trained with an offset takes it from the column of that name, which must be
//! of numbers; without the column the offset is 0, as in H2O. A row for which the
//! model's result is not a number fails with `invalid`.
//!
//! A classification gives a label and the probability of each class; a regression
//! gives the value `predict`.

mod config;
mod memo;
mod operator;
mod source;

pub use config::{Config, Treatment};
pub use operator::H2oScore;

sandbar_operator::scorer!(H2oScore);

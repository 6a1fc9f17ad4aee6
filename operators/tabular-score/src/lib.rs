//! Scores features with an H2O MOJO model, read inside the sandbox.
//!
//! ```toml
//! [stages.config]
//! unknown_category = "fail"       # or "missing"
//! invalid_number = "fail"         # or "missing"
//! missing_column = "missing"      # or "fail"
//! missing_offset = "fail"         # or "zero"
//! ```
//!
//! The values shown are the defaults: for the first three what H2O's
//! `EasyPredictModelWrapper` does when nothing is set on its `Config`.
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
//! | numeric | as it is; NaN is missing | read as Java's `Double.parseDouble` reads it |
//! | categorical | refused at configuration | the category of this name, or of the name `column.text` |
//!
//! Empty text is how a table says that text is missing, and it is scored as missing: as by
//! H2O's own parser of CSV, which takes an empty field for NA. Handed to the wrapper, an
//! empty text would be an unknown category or an invalid number; only where a model was
//! trained with a category whose name is empty is it that category, here as there.
//!
//! H2O refuses a number for a categorical feature in each row; since it can never go
//! well, it is refused before the first. So is a tensor, and a table that has none of
//! the model's features.
//!
//! A model trained with an offset takes it from the column of that name, which must be
//! of numbers. H2O's server refuses a table without it, and its wrapper takes it for zero
//! without a word; here the configuration is refused without the column, and a row fails
//! with `missing` where it has no value, unless `missing_offset = "zero"`. H2O's MOJO scorer
//! leaves the offset of deep learning out, whatever it is, and so does this one, with a line
//! in the log.
//!
//! A classification gives a label and the probability of each class; a regression
//! gives the value `predict`. An isolation forest gives the values that H2O's tables of
//! predictions have: `predict`, the score, and `mean_length`; or, trained with `contamination`,
//! `predict`, 1 for an anomaly and 0 otherwise, `score` and `mean_length`. A model that is calibrated gives calibrated probabilities,
//! too, by the names that H2O gives them: `cal_YES` beside `YES`. The label follows the
//! probabilities that are not calibrated, as in H2O. A row for which the model's result is
//! not a number fails with `invalid`.

mod config;
mod makers;
mod memo;
mod offset;
mod operator;
mod source;

pub use config::{Config, MissingOffset, Treatment};
pub use operator::TabularScore;

sandbar_operator::scorer!(TabularScore);

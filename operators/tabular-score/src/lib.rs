//! Scores features with a model of H2O (MOJO), XGBoost (JSON, UBJSON) or LightGBM (text), read
//! inside the sandbox. Which of them a file is, its first bytes tell: a swap or a roll-out from one
//! maker's model to another's changes the model alone.
//!
//! ```toml
//! [stages.config]
//! unknown_category = "fail"       # or "missing"
//! invalid_number = "fail"         # or "missing"
//! # missing_column = "fail"       # or "missing"
//! missing_offset = "fail"         # or "zero"
//! ```
//!
//! The values shown are the defaults: what H2O's `EasyPredictModelWrapper` does when nothing is
//! set on its `Config`. `missing_column` is what the maker does: H2O takes a feature without a
//! column for missing in every row, the others refuse it.
//!
//! | what is found | key | `"fail"` | `"missing"` | H2O's switch for `"missing"` |
//! |---|---|---|---|---|
//! | a category that the model was not trained with | `unknown_category` | the row fails, `invalid` | the value counts as missing | `setConvertUnknownCategoricalLevelsToNa(true)` |
//! | text that is no number, for a numeric feature | `invalid_number` | the row fails, `malformed` | the value counts as missing | `setConvertInvalidNumbersToNa(true)` |
//! | no column for a feature of the model | `missing_column` | the configuration is refused | the feature is missing in every row | what H2O always does, and the default for its models |
//!
//! Columns are matched with the model's features by name; columns that the model does
//! not know are ignored. A model that was trained with an array has no names (XGBoost calls its
//! columns `f0`, LightGBM `Column_0`): `columns` under `[preprocessing]` in its `model.toml` lists
//! them, in the order that it was trained with. XGBoost and LightGBM know classes by their numbers;
//! `[labels]` of the model's folder names them. What is compared with what:
//!
//! | model's feature | column of numbers | column of text |
//! |---|---|---|
//! | numeric | as it is; NaN is missing | a decimal number; for H2O as Java's `Double.parseDouble` reads it |
//! | categories that the model knows by their numbers alone (LightGBM without pandas, XGBoost before 3.1) | the category's number | that number |
//! | categorical, with names | refused at configuration | the category of this name, or of the name `column.text` |
//!
//! XGBoost computes in single precision: values are rounded to it, and probabilities are what it
//! answers, widened. LightGBM computes in double precision.
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
mod described;
mod makers;
mod memo;
mod offset;
mod operator;
mod source;

pub use config::{Config, MissingOffset, Treatment};
pub use operator::TabularScore;

sandbar_operator::scorer!(TabularScore);

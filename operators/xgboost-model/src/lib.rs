//! Reads XGBoost models and scores rows with them, without XGBoost.
//!
//! A model is what `save_model` writes to `.json` and `.ubj`, of the releases 1.0 to 3.4. This
//! crate takes its bytes, from wherever they come, and does no input or output of its own, so
//! it runs natively and in a WebAssembly sandbox alike. It scores trees (`gbtree`, `dart`,
//! random forests) and linear models (`gblinear`), with all objectives but
//! `reg:expectileerror`, with the results of XGBoost's own predictor on the CPU: the same bits,
//! sums and what the objective makes of them.
//!
//! ```no_run
//! use xgboost_model::{Model, Predictions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::read(&std::fs::read("model.ubj")?)?;
//!
//! // One value per feature, in the order of the model. NaN is a missing value.
//! let text = |name: &str| match name { "Origin" => "SAN", "Dest" => "SFO", _ => "1987" };
//! let row: Vec<f64> = model
//!     .features()
//!     .iter()
//!     .map(|feature| feature.value(text(feature.name()).as_bytes()).unwrap_or(f64::NAN))
//!     .collect();
//!
//! let mut scorer = model.scorer();
//! let mut predictions = Predictions::default();
//! scorer.score(&row, &mut predictions)?;
//! println!("{:?}", predictions.values());
//! # Ok(())
//! # }
//! ```
//!
//! What XGBoost leaves open, and how it is here:
//! - A model that stopped training early is scored up to its best round, as XGBoost's
//!   scikit-learn classes do; [`Rounds`] says otherwise.
//! - `multi:softmax` has the probabilities of `multi:softprob`; the label is the class that
//!   XGBoost answers. `binary:hinge` has probabilities of 0 and 1.
//! - `dart` is summed up as `Booster.predict` does; `inplace_predict` of releases before 3.3
//!   rounds differently in the last bits.
//! - Sums begin with the model's `base_score`; margins of single rows are not taken.
//!
//! The bytes need not be trusted: whatever they are, the answer is a model or an [`Error`],
//! within [`Limits`]. Whatever a row holds, scoring ends and stays within the model.
//!
//! Where things are; each of these uses only those after it in this list:
//! - `model`: [`Model`], [`Scorer`]: a model from its bytes to its predictions.
//! - `schema`: [`Schema`], a model's columns without the model.
//! - `trees`, `linear`: what is summed up; `decision_trees` walks the trees.
//! - `parameters`: its release, its outputs and what sums begin with.
//! - `rounds`: [`Rounds`], which trees are summed up.
//! - `features`: [`Feature`], what a row holds.
//! - `document`: a model as the file has it.
//! - `tokens`: JSON and UBJSON.
//! - `predictions`, `objective`, `floats`, `limits`, `error`.

mod document;
mod error;
mod features;
mod floats;
mod limits;
mod linear;
mod model;
mod objective;
mod parameters;
mod predictions;
mod rounds;
mod schema;
mod tokens;
mod trees;

pub use error::{Error, ValueError};
pub use features::Feature;
pub use limits::Limits;
pub use model::{Model, Scorer};
pub use predictions::Predictions;
pub use rounds::Rounds;
pub use schema::Schema;

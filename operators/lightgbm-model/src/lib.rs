//! Reads LightGBM's text models and scores rows with them, without LightGBM.
//!
//! A text model is what `Booster.save_model` writes, in the formats `v3` (LightGBM 2.3 to 3.3)
//! and `v4` (from 4.0 on). This crate takes its bytes, from wherever they come, and does no
//! input or output of its own, so it runs natively and in a WebAssembly sandbox alike. Raw
//! scores have the bits of LightGBM's; so have predictions where LightGBM's C library is glibc
//! on a processor with FMA.
//!
//! ```no_run
//! use lightgbm_model::{Model, Predictions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::read(&std::fs::read("model.txt")?)?;
//!
//! // One value per feature, in the order of the model. NaN is a missing value.
//! let text = |name: &str| match name { "carrier" => "WN", _ => "1987" };
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
//! The bytes need not be trusted: whatever they are, the answer is a model or an [`Error`],
//! within [`Limits`]. Whatever a row holds, scoring ends and stays within the model.
//!
//! Where things are; each of these uses only those after it in this list:
//! - `model`: [`Model`], [`Scorer`], [`Predictions`].
//! - `schema`: [`Schema`], a model's columns without the model.
//! - `ending`: what stands behind the trees: pandas' categories.
//! - `forest`: all trees, compiled for the crate `decision-trees`.
//! - `tree`: one tree of the text.
//! - `features`, `domain`: columns, and categories of pandas.
//! - `objective`: what becomes of sums.
//! - `header`, `text`: keys, numbers and lines.
//! - `limits`, `exp`, `error`.

mod domain;
mod ending;
mod error;
mod exp;
mod features;
mod forest;
mod header;
mod limits;
mod model;
mod objective;
mod schema;
mod text;
mod tree;

pub use domain::{Domain, Level};
pub use error::{Error, ValueError};
pub use features::Feature;
pub use limits::Limits;
pub use model::{Model, Predictions, Scorer};
pub use objective::Category;
pub use schema::Schema;

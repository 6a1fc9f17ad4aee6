//! Reads H2O MOJO models and scores rows with them, without Java and without H2O.
//!
//! A MOJO is the zip archive that H2O exports for scoring. This crate takes its bytes, from
//! wherever they come, and does no input or output of its own, so it runs natively and in a
//! WebAssembly sandbox alike. It scores gradient boosting ([`Algorithm::Gbm`], MOJO versions
//! 1.00 to 1.40), random forests ([`Algorithm::Drf`], 1.00 to 1.40), generalised linear models
//! ([`Algorithm::Glm`], 1.00), deep learning ([`Algorithm::DeepLearning`], 1.00 and 1.10) and the
//! other algorithms of [`Algorithm`] with the results of H2O's own scorer: the same labels, and
//! the same bits, except for probabilities by deep learning, which differ by less than 1e-5, and
//! for the last bit of powers by a Tweedie link.
//!
//! ```no_run
//! use h2o_mojo::{Model, Predictions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::read(&std::fs::read("model.zip")?)?;
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
//! scorer.score(&row, None, &mut predictions)?;
//! let label = predictions.labels()[0] as usize;
//! println!("{}: {}", model.classes()[label], predictions.values()[label]);
//! # Ok(())
//! # }
//! ```
//!
//! The bytes need not be trusted: whatever they are, the answer is a model or an [`Error`],
//! within [`Limits`]. Whatever a row holds, scoring ends and stays within the model.
//!
//! Where things are; each of these uses only those after it in this list:
//! - `model`: [`Model`], [`Scorer`], [`Predictions`]: a MOJO from its bytes to its predictions.
//! - `schema`: [`Schema`], a MOJO's columns without the model.
//! - `algorithms`: the one table of algorithms, and a folder for each.
//! - `trees`: the decoder of H2O's trees; `decision_trees` scores with them.
//! - `distribution`, `classes`, `calibration`: from a model's sums to numbers, probabilities and labels.
//! - `columns`, `domain`, `names`, `category`, `info`, `archive`: the parts of a MOJO that all
//!   algorithms share.
//! - `limits`, `exp`, `error`.

mod algorithms;
mod archive;
mod calibration;
mod category;
mod classes;
mod columns;
mod distribution;
mod domain;
mod encoding;
mod error;
mod exp;
mod info;
mod limits;
mod model;
mod names;
mod schema;
mod trees;

pub use algorithms::Algorithm;
pub use category::Category;
pub use columns::Feature;
pub use domain::Domain;
pub use error::{Error, ValueError};
pub use limits::Limits;
pub use model::{Model, Predictions, Scorer};
pub use schema::{Schema, SchemaColumn};

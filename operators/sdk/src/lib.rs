//! The SDK for Sandbar operators: implement a trait, export it with one line, build
//! with `cargo build --target wasm32-wasip2 --release`.
//!
//! A Sandbar pipeline is a chain of operators, each a WebAssembly component that the
//! runner calls with batches of records. There are three kinds, and a crate is one of
//! them:
//!
//! | trait | exported by | makes |
//! |---|---|---|
//! | [`Extractor`] | [`extractor!`] | of each record, a row of features |
//! | [`Scorer`] | [`scorer!`] | of each row, a prediction |
//! | [`Transformer`] | [`transformer!`] | of each record, none, one or several |
//!
//! What crosses the sandbox's boundary is flat columns; the types here are views of
//! them ([`Record`], [`Table`]) and builders ([`Row`], [`Predictions`], [`Emitter`]),
//! so no author sees them and nothing is allocated per record.
//!
//! An operator says no in two ways: [`Error`] refuses the configuration, before the
//! pipeline starts; [`Failure`] refuses one record, which goes to the dead-letter
//! topic while the others go on. A panic is a trap: the runner finds the record that
//! causes it and starts a new instance.
//!
//! The crate compiles natively too; the module `testing` runs an operator in an
//! ordinary `cargo test` by the code that runs it in the sandbox.
//!
//! # An extractor
//! ```
//! use sandbar_operator::{Error, Extractor, Failure, Field, NoConfig, Record, Row, Setup, text};
//!
//! /// How long a value is, and its first word.
//! struct Words;
//!
//! impl Extractor for Words {
//!     type Config = NoConfig;
//!
//!     fn configure(_: NoConfig, _: &Setup) -> Result<Self, Error> {
//!         Ok(Words)
//!     }
//!
//!     fn features(&self) -> Vec<Field> {
//!         vec![Field::number("length"), Field::text("first")]
//!     }
//!
//!     fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
//!         let value = record.value().ok_or_else(|| Failure::missing("the value is null"))?;
//!         let text = text::string(value)?;
//!         row.number(text.len() as f64);
//!         row.text(text.split_whitespace().next().unwrap_or_default());
//!         Ok(())
//!     }
//! }
//!
//! sandbar_operator::extractor!(Words);
//! # #[cfg(not(target_arch = "wasm32"))]
//! # fn main() -> Result<(), Error> {
//! // In a test:
//! use sandbar_operator::testing::{Cell, Records, Stage};
//! let mut words = Stage::new().extractor::<Words>()?;
//! let rows = words.extract(&Records::of_values(["two words"])).rows();
//! assert_eq!(rows, [Ok(vec![Cell::Number(9.0), Cell::text("two")])]);
//! # Ok(())
//! # }
//! ```
//!
//! # A scorer
//! ```
//! use sandbar_operator::{Column, Error, Field, Output, Predictions, Scorer, Setup, Table};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     threshold: f64,
//! }
//!
//! /// Long or short, by the column `length`.
//! struct Threshold {
//!     column: usize,
//!     threshold: f64,
//! }
//!
//! impl Scorer for Threshold {
//!     type Config = Config;
//!
//!     fn configure(config: Config, _: &Setup, features: &[Field]) -> Result<Self, Error> {
//!         let column = features
//!             .iter()
//!             .position(|field| field.name == "length")
//!             .ok_or("this model needs the feature 'length', which the extractor does not give")?;
//!         Ok(Threshold { column, threshold: config.threshold })
//!     }
//!
//!     fn output(&self) -> Output {
//!         Output::Classes(vec!["short".into(), "long".into()])
//!     }
//!
//!     fn score(&mut self, table: &Table<'_>, predictions: &mut Predictions) {
//!         if let Some(Column::Numbers(lengths)) = table.column(self.column) {
//!             for length in lengths {
//!                 let label = usize::from(*length > self.threshold);
//!                 predictions.class(label, [[1.0, 0.0], [0.0, 1.0]][label].as_slice());
//!             }
//!         }
//!     }
//! }
//!
//! sandbar_operator::scorer!(Threshold);
//! # #[cfg(not(target_arch = "wasm32"))]
//! # fn main() -> Result<(), Error> {
//! // In a test:
//! use sandbar_operator::testing::{Cell, Features, Stage};
//! let stage = Stage::new().config(r#"{ "threshold": 10 }"#);
//! let features = Features::new([Field::number("length")]).row([Cell::Number(12.0)]);
//! let mut threshold = stage.scorer::<Threshold>(features.fields())?;
//! assert_eq!(threshold.score(&features)[0].as_ref().unwrap().label(), Some("long"));
//! # Ok(())
//! # }
//! ```
//!
//! # A transformer
//! ```
//! use sandbar_operator::{Emitter, Error, Failure, NoConfig, Record, Setup, Transformer};
//!
//! /// Drops tombstones, sends large records to another topic, tags the others.
//! struct Sorter;
//!
//! impl Transformer for Sorter {
//!     type Config = NoConfig;
//!
//!     fn configure(_: NoConfig, _: &Setup) -> Result<Self, Error> {
//!         Ok(Sorter)
//!     }
//!
//!     fn transform(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
//!         match record.value() {
//!             None => Ok(()),
//!             Some(value) if value.len() > 1000 => out.derive(record).to("large").send(),
//!             Some(_) => out.derive(record).header("sorted", b"yes".as_slice()).send(),
//!         }
//!     }
//! }
//!
//! sandbar_operator::transformer!(Sorter);
//! # #[cfg(not(target_arch = "wasm32"))]
//! # fn main() -> Result<(), Error> {
//! // In a test:
//! use sandbar_operator::testing::{Records, Stage};
//! let mut sorter = Stage::new().topic("large").transformer::<Sorter>()?;
//! let out = sorter.transform(&Records::of_values([vec![b'x'; 2000]]));
//! assert_eq!(out.records[0].topic.as_deref(), Some("large"));
//! # Ok(())
//! # }
//! ```

#[doc(hidden)]
pub mod __private;
#[cfg(all(feature = "bench", not(target_arch = "wasm32")))]
#[doc(hidden)]
pub mod bench;
mod bindings;
mod error;
mod export;
mod extract;
mod field;
pub mod nn;
mod record;
pub mod schemas;
mod score;
mod setup;
mod table;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod text;
mod transform;

pub use error::{Error, Failure, FailureCode};
pub use extract::{Extractor, Row};
pub use field::{ElementType, Field, FieldType, Output, TensorShape};
pub use record::{Headers, Record};
pub use score::{Predictions, Scorer};
pub use setup::{NoConfig, Setup};
pub use table::{Column, Table, Tensor, Text};
pub use transform::{Emission, Emitter, Transformer};

// The example of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! Samples that come with a model for its validation: what it is given, and the answers that it
//! must reproduce before it serves.
//!
//! - `table`: rows of features, or names of pictures, as CSV ([`Table`]).
//! - `npz`: tensors in numpy's archive; `npy`: one array of it ([`Array`]), with its `header`.
//! - `exact`: the elements of an array as those of a tensor, or as numbers.
//!
//! They come with the model, from any source: they are bounded, and errors in them are found
//! when the model is loaded.

mod exact;
mod header;
mod npy;
pub mod npz;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::digest::Sha256;
pub use exact::{Numbers, place};
pub use header::NumberType;
pub use npy::Array;
pub use table::{PICTURE, Picture, ROWS, SHA256, Sample, Table};

/// Bytes of a table at most.
pub const TABLE_BYTES: u64 = 1 << 20;
/// Bytes of an archive of tensors at most; of all pictures of a table together.
pub const BYTES: u64 = 16 << 20;
/// The default tolerance of a table.
const TOLERANCE: f64 = 1e-5;
/// The default tolerance of a graph's numbers: engines sum in different orders.
const GRAPH_TOLERANCE: f64 = 1e-4;

/// `[samples]` of a `model.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SampleFile {
    /// The file's name, in the model's folder: `.npz` for tensors, or else a table as CSV.
    pub file: String,
    /// How far a number may be from the expected one. The default depends on what is compared.
    #[serde(default)]
    pub tolerance: Option<f64>,
    /// Whose answers they are. Default: the original tool's.
    #[serde(default)]
    pub answers: Answers,
    /// The file's URL. Unknown by default.
    #[serde(default)]
    pub url: Option<String>,
    /// The file's digest. Unchecked by default.
    #[serde(default)]
    pub sha256: Option<Sha256>,
}

/// Where expected answers come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// The tool that made the model, or a person: they say what is right.
    #[default]
    Original,
    /// This runner, when the samples were written: they say what has changed since.
    Runner,
}

/// The samples of a model, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The file, for errors.
    pub path: PathBuf,
    /// As [`SampleFile::tolerance`].
    pub tolerance: Option<f64>,
    /// What they consist of.
    pub content: SampleContent,
}

/// What samples consist of.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleContent {
    /// Rows of features, and the expected predictions.
    Table(Table),
    /// Records, most often pictures: a file for each row of a table, and the expected
    /// predictions.
    Pictures(Table, Vec<Arc<[u8]>>),
    /// Inputs and expected outputs of a graph, by their names in it.
    Tensors(Vec<Array>),
}

impl Samples {
    /// How far a number of a prediction may be from the expected one; relative to it if it is
    /// beyond 1.
    pub fn tolerance(&self, is_graph: bool) -> f64 {
        self.tolerance.unwrap_or(if is_graph { GRAPH_TOLERANCE } else { TOLERANCE })
    }
}

impl SampleFile {
    /// Whether they show wherever the model serves that it is computed right: a table of pictures
    /// is tried by the one stage that reads it, tensors by all.
    pub(super) fn proves(&self) -> bool {
        self.is_tensors() && self.answers == Answers::Original
    }

    /// Whether the file holds tensors.
    pub fn is_tensors(&self) -> bool {
        self.file.ends_with(".npz")
    }

    /// Bytes of the file at most.
    pub fn limit(&self) -> u64 {
        if self.is_tensors() { BYTES } else { TABLE_BYTES }
    }

    /// What is wrong with the description, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        // From 1 on, 0 would be near every probability.
        let invalid = self.tolerance.filter(|it| !(0.0..1.0).contains(it));
        invalid.map(|it| format!("invalid tolerance {it}; expected a number from 0 to below 1"))
    }

    /// The table in the bytes of the file.
    ///
    /// # Errors
    /// If they are no table, or one with too many rows.
    pub(super) fn table(&self, bytes: &[u8]) -> Result<Table, String> {
        Table::read(bytes)
    }
}

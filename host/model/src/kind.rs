//! What a model's file is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a model's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A model exported by H2O (MOJO), a zip file. An operator reads it.
    H2oMojo,
    /// A model of XGBoost, saved as JSON or UBJSON. An operator reads it.
    Xgboost,
    /// A model of LightGBM, saved as text. An operator reads it.
    Lightgbm,
    /// An ONNX graph. The host runs it.
    Onnx,
    /// A frozen TensorFlow graph. The host runs it.
    Tensorflow,
    /// Any other file that an operator reads: a lookup table, a list of words, a model in
    /// a format of the operator's own.
    File,
}

impl Kind {
    /// Whether the host runs it, for operators that use `wasi:nn`.
    pub fn is_graph(self) -> bool {
        matches!(self, Kind::Onnx | Kind::Tensorflow)
    }

    /// What a model's file is, as far as its first bytes, and for graphs the ending of its name,
    /// tell.
    pub fn of_file(bytes: &[u8], extension: Option<&str>) -> Option<Kind> {
        match extension {
            // The list of a zip archive's files begins with this, and so does an entry.
            _ if bytes.starts_with(b"PK") => Some(Kind::H2oMojo),
            _ if bytes.starts_with(b"tree\n") || bytes.starts_with(b"tree\r\n") => {
                Some(Kind::Lightgbm)
            }
            // The first key of an object, in JSON or UBJSON, which has its length before it.
            _ if bytes.starts_with(b"{") && of_xgboost(bytes) => Some(Kind::Xgboost),
            Some("onnx") => Some(Kind::Onnx),
            Some("pb") => Some(Kind::Tensorflow),
            _ => None,
        }
    }
}

/// Whether an object's first key is one of a model of XGBoost.
fn of_xgboost(bytes: &[u8]) -> bool {
    /// Where the first key ends at the latest.
    const BEGINNING: usize = 64;
    let beginning = &bytes[..bytes.len().min(BEGINNING)];
    let holds = |key: &[u8]| beginning.windows(key.len()).any(|window| window == key);
    holds(b"learner") || holds(b"version")
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::H2oMojo => "h2o-mojo",
            Kind::Xgboost => "xgboost",
            Kind::Lightgbm => "lightgbm",
            Kind::Onnx => "onnx",
            Kind::Tensorflow => "tensorflow",
            Kind::File => "file",
        })
    }
}

//! What a model's file is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a model's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A model exported by H2O (MOJO), a zip file. An operator reads it.
    H2oMojo,
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
        match self {
            Kind::H2oMojo | Kind::File => false,
            Kind::Onnx | Kind::Tensorflow => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::H2oMojo => "h2o-mojo",
            Kind::Onnx => "onnx",
            Kind::Tensorflow => "tensorflow",
            Kind::File => "file",
        })
    }
}

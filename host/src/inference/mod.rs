//! Inference in the host: `wasi:nn` on tract.
//!
//! A model of kind `onnx` or `tensorflow` is a [`Graph`]: read once, and optimised
//! once for each set of input shapes. Operators reach it through `wasi:nn` and nothing
//! else.
//!
//! - [`formats`]: ONNX and frozen TensorFlow files; [`lrn`], an operation that tract
//!   has too slowly or not at all.
//! - [`graph`]: one model; [`ports`], its inputs and outputs; [`plan`], the model
//!   optimised for some shapes; [`fixed`], a stand-in for tests; [`tensor`]: bytes as a guest has them, and as tract does.
//! - [`lane`]: the thread that computes for one instance of an operator, and what
//!   happens when a computation does not end.
//! - [`session`]: what one instance may use and has left; [`wasi_nn`]: the interface.

mod fixed;
mod formats;
mod graph;
mod lane;
mod lrn;
mod plan;
mod ports;
mod session;
mod tensor;
mod wasi_nn;

use std::fmt;

pub use fixed::FixedAnswer;
pub use graph::{Graph, Source};
pub use lane::Threads;
pub use plan::States;
pub use session::NnLimits;
pub(crate) use session::Session;
pub use tensor::Tensor;
pub use wasi_nn::{Context, Handle};

pub use crate::sandbox::bindings::nn::errors::ErrorCode;

/// Why inference failed: what a guest sees as an error of `wasi:nn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind.
    pub code: ErrorCode,
    /// For a person; names the model.
    pub message: String,
}

impl Error {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Error { code, message: message.into() }
    }

    /// The same error, saying what it is about: `context: message`.
    pub(crate) fn context(self, context: impl fmt::Display) -> Self {
        Error { code: self.code, message: format!("{context}: {}", self.message) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

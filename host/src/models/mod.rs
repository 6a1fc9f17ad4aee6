//! Model folders: a model's file and `model.toml`, which describes it, its URL
//! and its digest.
//!
//! - [`model`]: the folder, its description and its file.
//! - [`tensors`], [`labels`]: what goes into a graph, what comes out, and what that means.
//! - [`samples`]: sample rows that validate a model.
//! - [`artifact`]: a loaded model; [`stub`]: a stand-in for one in tests.
//! - [`pull`]: downloads a model's files; [`download`] one of them, `zip` takes one
//!   out of an archive.
//! - [`digest`]: SHA-256, and SHA-1 where a publisher gives nothing better.

mod artifact;
mod digest;
pub mod download;
mod labels;
mod model;
pub mod pull;
mod samples;
mod stub;
mod tensors;
mod zip;

pub use artifact::{Artifact, Content};
pub use digest::{Digest, Sha1, Sha256};
pub use labels::Labels;
pub use model::{Archive, DESCRIPTION, Kind, Model, ModelError, SIZE_LIMIT};
pub use samples::{Sample, SampleFile, Samples};
pub use stub::Stub;
pub use tensors::{Dimension, ElementType, TensorSpec};

#[cfg(test)]
mod tests;

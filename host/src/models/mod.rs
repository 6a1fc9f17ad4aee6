//! Model folders: a model's file beside `model.toml`, which says what it is, where it
//! can be had and what its digest must be.
//!
//! - [`model`]: the folder, its description and its file.
//! - [`tensors`], [`labels`]: what goes into a graph, what comes out, and what that means.
//! - [`samples`]: rows that a model is tried on.
//! - [`artifact`]: a model that is loaded; [`stub`]: what stands in for one in tests.
//! - [`pull`]: gets what a description names; [`download`] one file of it, `zip` takes one
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

//! Model folders: a model's file beside `model.toml`, which says what it is, where it can be
//! downloaded from and what its digest must be.
//!
//! - [`Model`]: the folder and its description, [`Kind`], and [`ModelError`]; `folder` reads its
//!   files.
//! - [`TensorSpec`], [`ClassNames`]: what goes into a graph, what comes out, and the names of its
//!   classes; [`samples`]: what a model must reproduce before it serves, [`Samples`].
//! - [`pull`]: gets what a description names; [`download`] gets one file of it, `zip` takes one
//!   out of an archive; [`http`]: the client of this and of all later crates.
//! - [`Sha256`], [`Sha1`]: digests. [`ApprovedFiles`]: what is loaded is what was looked at.
//!
//! It may use `sandbar-files` and `-config`. A model that is loaded is an artifact of `sandbar-inference`.

mod approved;
mod class_names;
mod digest;
pub mod download;
mod error;
mod folder;
pub mod http;
mod kind;
mod model;
pub mod pull;
pub mod samples;
mod tensors;
mod zip;

pub use approved::{ApprovedFiles, FileDigests, absolute};
pub use class_names::ClassNames;
pub use digest::{Digest, Sha1, Sha256};
pub use error::ModelError;
pub use folder::DESCRIPTION;
pub use kind::Kind;
pub use model::{Archive, Model, SIZE_LIMIT};
pub use samples::{Answers, SampleContent, SampleFile, Samples};
pub use tensors::{Dimension, ElementType, TensorSpec};

#[cfg(test)]
mod tests;

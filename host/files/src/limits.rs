//! How many bytes of a file are read, by what it is for: docs/reference/operators.md and
//! its neighbours say the same. What is larger is refused before memory is taken for it.

/// A component: WebAssembly as it is delivered. One with an interpreter of JavaScript has
/// 18 MB.
pub const COMPONENT: u64 = 256 << 20;
/// A file of a model: a graph with its weights, a table.
pub const MODEL: u64 = 1 << 30;
/// An archive from which a file of a model is taken.
pub const ARCHIVE: u64 = 4 << 30;
/// A sample of a model: rows, pictures, tensors.
pub const SAMPLE: u64 = 256 << 20;
/// A document that people write: a manifest, `model.toml`, `operator.toml`, labels.
pub const DOCUMENT: u64 = 16 << 20;
/// A file of test cases, or one that a case refers to.
pub const CASES: u64 = 256 << 20;
/// A secret: a password, a token, a private key with its certificates.
pub const SECRET: u64 = 1 << 20;
/// The compiled form of a component, which is larger than the component.
pub const COMPILED: u64 = 2 << 30;
/// What is remembered beside it: the files of a pipeline that was prepared, an answer of the
/// registry.
pub const NOTE: u64 = 16 << 20;
/// What the system says of itself, in `/proc`.
pub const SYSTEM: u64 = 1 << 20;

//! Inference in the host: graphs computed on tract.
//!
//! A model of kind `onnx` or `tensorflow` is a [`Graph`]: read once, and optimised once for
//! each set of input shapes. Operators reach it through `wasi:nn`, which is the sandbox's.
//!
//! - `artifact`: a model that is loaded, graph or bytes ([`Artifact`]); `stand_in`: a stand-in
//!   for one ([`StandIn`]).
//! - `formats`: ONNX and frozen TensorFlow files; `repairs`, ONNX where tract's loader does
//!   something else than exporters mean; `tensorflow`, a loader of TensorFlow's; `lrn`, an
//!   operation that tract has too slowly or not at all.
//! - [`gate`]: what is refused as it was found wrong, or never compared with the reference.
//! - `constants`: what a graph may make of its constants when it is loaded.
//! - `graph`: one model ([`Graph`]); `ports`, its inputs and outputs; `plan`, the model optimised
//!   for some shapes, and `half`, half precision in single; `needs`, what it takes to
//!   compute that; `stub_graph`, a graph that computes nothing ([`StubGraph`]); `tensor`: bytes
//!   as a guest has them, and as tract does ([`Tensor`]).
//! - `trial`: the graph is computed for inputs of its own making before it serves.
//! - `thread`: the thread that computes for one instance of an operator, and what becomes of it
//!   when a computation does not end; `session`: what one instance may use and has left
//!   ([`Session`]).
//! - [`samples`]: tensors that a graph must reproduce before it serves.
//! - `error`: why inference gives nothing ([`Error`]); `events`: log lines.
//!
//! It knows nothing of wasm. It may use `sandbar-files`, `-record`, `-config`, `-telemetry` and `-model`.

mod artifact;
mod constants;
mod error;
mod events;
mod formats;
pub mod gate;
mod graph;
mod half;
mod lrn;
mod needs;
mod plan;
mod ports;
mod repairs;
pub mod samples;
mod session;
mod stand_in;
mod stub_graph;
mod tensor;
mod tensorflow;
mod thread;
mod trial;

pub use artifact::{Artifact, Content};
pub use error::{Error, ErrorCode};
pub use graph::{Graph, GraphSource};
pub use plan::States;
pub use session::{NnLimits, Session};
pub use stand_in::StandIn;
pub use stub_graph::StubGraph;
pub use tensor::Tensor;
pub use thread::LateThreads;

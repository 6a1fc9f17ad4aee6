//! Schemas of records: those of a registry with Confluent's Schema Registry API, and files that a
//! manifest names.
//!
//! - [`schema`]: a schema with all that it refers to, and why there is none.
//! - [`access`]: where a registry is, and the credentials for it.
//! - `client`: requests, several servers tried in turn, answers bounded in size and time.
//! - `references`: what a schema refers to, got from the registry, as deep as it goes.
//! - `answers`: the registry's JSON.
//! - [`subject`]: schemas that are put under a subject, or looked up there.
//! - `key`: what a schema is asked for by; `cache`: what was found, kept within bounds.
//! - [`store`]: all of it together; what the sandbox asks for its guests.
//!
//! It knows nothing of what schemas say, and may use `sandbar-model` alone, for its HTTP client.

pub mod access;
mod answers;
mod cache;
mod client;
mod key;
mod references;
pub mod schema;
pub mod store;
pub mod subject;

pub use access::{Access, Credentials};
pub use key::Key;
pub use schema::{Cause, Language, Reference, Schema, SchemaError};
pub use store::{Schemas, Snapshot};
pub use subject::{SchemaId, SubjectSchema};

//! The manifest: the definition of a pipeline in a TOML file.
//!
//! ```
//! use std::path::Path;
//! use sandbar_manifest::Manifest;
//!
//! let text = r#"
//!     name = "flights"
//!     [source]
//!     topics = ["flights"]
//!     [[stages]]
//!     name = "features"
//!     component = "flight_features.wasm"
//!     [sink]
//!     topic = "flight-predictions"
//! "#;
//! let manifest = Manifest::parse(text, Path::new("pipelines/flights.toml"))?;
//! assert_eq!(manifest.source.group, "flights");
//! assert_eq!(manifest.dead_letter.topic, "flights.dead-letter");
//! # Ok::<(), sandbar_manifest::ManifestError>(())
//! ```
//!
//! Everything that the file alone shows is checked; whether components and
//! models exist, and fit together, is checked by the plan of the pipeline.
//!
//! - `manifest`: its keys ([`Manifest`]); `load`: from a file, with all that is wrong in it
//!   ([`validate`]); `print`: as a file again, secrets hidden.
//! - `sections`: its sections, but for those with a file of their own: `failures`, `references`,
//!   `registry`, `schemas`, `admin`, `memory_limit`.
//! - Values in it: `allow`, what records may refer to; `properties`, librdkafka's; `native`,
//!   which of them a manifest may not set by itself; `start` and
//!   `topics` of the source; `format`, [`template`], `sink_schema` and `routes` of the sink, and what
//!   follows from them (`sink_format`).
//! - [`cases`]: the schema of test cases.
//!
//! It is pure data. It may use `sandbar-builtin`, `-files`, `-record`, `-config`, `-model`, `-schemas`,
//! `-inference`, `-sandbox` and `-registry`, for the types of what it names.

mod admin;
mod allow;
pub mod cases;
mod client_files;
mod failures;
mod format;
mod load;
mod manifest;
mod memory_limit;
mod native;
mod print;
mod properties;
mod references;
mod registry;
mod routes;
mod schemas;
mod sections;
mod sink_format;
mod sink_schema;
mod start;
pub mod template;
mod topics;
pub mod validate;

pub use admin::{Admin, AdminTls, AdminToken, Listen, Reading, Role, Secret};
pub use allow::{Allowed, Prefix, plain};
pub use failures::{DeadLetter, OnFailure, Order};
pub use format::{Form, Format, FormatError, FormatName, SchemaFormat};
pub use manifest::{Manifest, ManifestError};
pub use memory_limit::MemoryLimit;
pub use native::Trust;
pub use properties::{Properties, is_secret};
pub use references::{References, StoreOptions};
pub use registry::RegistrySection;
pub use routes::{Matching, Otherwise, Route};
pub use sandbar_registry::ArtifactSource;
pub use sandbar_sandbox::LimitsSection as Limits;
pub use schemas::SchemasSection;
pub use sections::{
    Delivery, Fleet, Grant, Kafka, OUTPUTS, Preparation, Runner, Sink, Source, Stage, retries,
};
pub use sink_schema::{IdPlace, SinkSchema, SubjectStrategy};
pub use start::{Start, StartTime};
pub use template::Template;
pub use topics::{Pattern, is_pattern};
pub use validate::SOURCE;

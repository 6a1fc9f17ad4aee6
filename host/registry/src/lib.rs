//! The registry: immutable versions `name@N` of models and of operators, in a folder or
//! an object store that many machines share. `docs/reference/registry.md` says what is
//! where.
//!
//! - [`location`], `store`: where it is, and the few requests that it needs.
//! - [`reference`](mod@reference): `flights@3` and `flights@production`, as people write
//!   them.
//! - [`version`]: what a version is; [`draft`] makes one of a folder or a component, `add`
//!   gives it its number.
//! - [`aliases`]: names for versions, as a log that only grows.
//! - `fetch`: the files of a version into the local cache; [`supply`] for a pipeline.
//! - [`pins`]: the versions that a pipeline is to have, by their digests.
//! - [`leases`]: which versions running pipelines use; [`gc`] removes the others.
//!
//! - `s3`, `clouds`, `signing`: object stores; [`source`]: a path or a version.
//!
//! It may use `sandbar-config`, `-model`, `-inference` and `-sandbox`.
//!
//! Whatever is read is untrusted until it is checked: names, paths, sizes and digests.
//! Every change is one object that is created if it is not there yet, so nothing is
//! locked, and whoever comes second is told.

mod add;
pub mod aliases;
mod catalog;
mod clouds;
pub mod draft;
mod error;
mod fetch;
pub mod gc;
mod keys;
pub mod leases;
pub mod location;
pub mod pins;
pub mod reference;
mod registry;
mod s3;
mod signing;
mod source;
mod store;
pub mod supply;
mod time;
pub mod version;

pub use add::Added;
pub use catalog::Number;
pub use error::{Cause, RegistryError};
pub use reference::{DEFAULT_ALIAS, Reference, Target};
pub use registry::Registry;
pub use s3::{Connector, retry, s3};
pub use signing::Signing;
pub use source::ArtifactSource;
pub use time::time;
pub use version::{Sort, Version};

//! The registry: immutable versions `name@N` of models and of operators, in a folder or
//! an object store that many machines share. `docs/reference/registry.md` describes the
//! layout.
//!
//! - `registry`: one that can be asked ([`Registry`]); [`location`]: where it is; `store`: the
//!   few requests that it makes; `catalog`: what is in it.
//! - [`reference`](mod@reference): `flights@3` and `flights@production`, as people write
//!   them.
//! - [`version`]: a version; [`draft`] makes one from a folder or a component, `add`
//!   gives it its number.
//! - [`aliases`]: names for versions, as a log that only grows.
//! - `fetch`: the files of a version into the local cache; [`resolver`] for a pipeline.
//! - [`pins`]: the versions of a pipeline, by their digests; `pinning` makes them of what was
//!   supplied.
//! - [`leases`]: which versions running pipelines use; [`gc`] removes the others.
//! - `s3`, `clouds`, `signing`: object stores; `source`: a path or a version
//!   ([`ArtifactSource`]).
//! - `keys` of objects, `format` of documents, `time` in them; `error`: [`RegistryError`].
//!
//! It may use `sandbar-builtin`, `-files`, `-config`, `-model`, `-inference` and `-sandbox`.
//!
//! Whatever is read is untrusted until it is checked: names, paths, sizes and digests.
//! Every change is one object that is created only if it does not exist, so nothing is
//! locked, and the loser of a race gets an error.

mod add;
pub mod aliases;
mod catalog;
mod clouds;
pub mod draft;
mod error;
mod fetch;
mod format;
pub mod gc;
mod keys;
pub mod leases;
pub mod location;
mod pinning;
pub mod pins;
pub mod reference;
mod registry;
pub mod resolver;
mod s3;
mod signing;
mod source;
mod store;
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
pub use version::{ArtifactKind, Version};

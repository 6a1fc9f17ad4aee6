//! External payloads (the claim-check pattern): a record may name its data (a path, a URL) instead
//! of carrying it. The runner fetches it before the first stage; operators see only the data and
//! reach neither files nor network.
//!
//! - [`allowed`](self::allowed): what a pipeline may refer to, and what a record does;
//!   `target`, the latter, or why it is refused.
//! - [`folders`]: files beneath allowed folders. [`stores`]: servers and object stores,
//!   below allowed URL prefixes; [`ahead`] has several fetches under way at once.
//! - [`slices`]: a batch with its references resolved, as much of it at a time as fits
//!   into memory.

mod ahead;
mod allowed;
mod folders;
mod slices;
mod stores;
mod target;

pub use allowed::{ExternalPayloads, ExternalPayloadsError};
pub use slices::{PayloadResolver, Slice};

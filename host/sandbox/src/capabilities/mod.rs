//! Capabilities of guests: what the host gives to an operator that imports it and is granted
//! it. A new one is a file here, a line in [`CAPABILITIES`], its interface in
//! [`bindings`](crate::bindings), and what [`State`] holds for an instance, if it holds anything.
//!
//! [`State`]: crate::state::State

mod artifacts;
mod capability;
mod nn;
mod schemas;

use capability::Capability;

/// All of them, in the order in which `sandbar inspect` shows them.
pub(crate) const CAPABILITIES: [Capability; 3] =
    [artifacts::CAPABILITY, nn::CAPABILITY, schemas::CAPABILITY];

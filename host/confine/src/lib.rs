//! A child process that can do little, for work on what is untrusted: compiling components,
//! reading and optimising graphs, first computations.
//!
//! - [`child`]: the parent's side. It starts the program, sends a request, and waits for the
//!   answer until a deadline or until nobody wants it any more.
//! - [`limits`]: the child's side. It limits itself before it looks at anything untrusted: memory
//!   and processor time, no network, no other program, and of the file system only what it is to
//!   read.
//! - [`parts`]: requests and answers as bytes.
//! - `system`: what Linux has for that beside limits; `calls`: the system calls that are refused.
//!
//! It knows nothing of what is computed, and may use `sandbar-record` alone, for requests to stop.

#[cfg(target_os = "linux")]
mod calls;
pub mod child;
pub mod limits;
pub mod parts;
#[cfg(target_os = "linux")]
mod system;

pub use child::{Child, Ended, Failed, Patience};
pub use limits::{Bounds, Confinement};

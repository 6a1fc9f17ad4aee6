//! What serves is replaced while records flow.

mod rollout;
mod samples;
mod swap;
mod watch;

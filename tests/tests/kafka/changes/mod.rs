//! What serves is replaced while records flow.

mod hostile;
mod prepared;
mod preparing;
mod rollout;
mod samples;
mod swap;
mod watch;

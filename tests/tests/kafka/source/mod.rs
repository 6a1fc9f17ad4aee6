//! Topics, where reading them starts, and gaps in them.

mod compacted;
mod starts;
mod topics;

//! Topics, where reading them starts, and gaps in them.

mod compacted;
mod positions;
mod starts;
mod topics;

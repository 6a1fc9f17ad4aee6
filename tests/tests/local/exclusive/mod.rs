//! What must have the machine for itself: times are measured, or guests that must end within
//! milliseconds take all that they can get meanwhile.

mod isolation;
mod mischief;

//! What must have the machine for itself: memory is measured, behind hundreds of megabytes.

mod pressure;

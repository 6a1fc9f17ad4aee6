//! What must have the machine for itself, as it lasts for half an hour and watches memory.

mod soak;

//! What must have the machine for itself: each test starts brokers of its own, and brokers that
//! get no time lose their leadership, which is another fault than the one at hand.

mod brokers;
mod soak;

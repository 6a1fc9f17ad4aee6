//! What becomes of records that fail.

mod dead_letters;
mod on_failure;

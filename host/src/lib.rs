//! sandbar
pub mod failure;
pub mod records;
pub mod sandbox;

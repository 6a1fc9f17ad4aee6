//! The operators of the repository, today's and those of the first version of the contract.

mod builtin;
mod compatibility;
mod examples;
mod records;

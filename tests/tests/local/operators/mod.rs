//! The operators of the repository, today's and those of the first version of the contract.

mod compatibility;
mod examples;

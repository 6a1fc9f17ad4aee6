//! Schemas of records: what an operator is given, and what becomes of records when it is not.

mod authority;
mod decoding;
mod failing;
mod files;
mod predicting;
mod stand_in;

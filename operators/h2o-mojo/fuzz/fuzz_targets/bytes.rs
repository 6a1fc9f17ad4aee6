//! Any bytes as a MOJO. Seeded with real ones: see the README of h2o-mojo.

#![no_main]

mod attempt;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| attempt::attempt(bytes));

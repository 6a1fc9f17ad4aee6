//! A MOJO whose archive is sound, with any bytes as its entries, so that checksums do not
//! keep the fuzzer from trees and from `model.ini`.
//!
//! The input is the entries: name, a zero byte, length as four bytes (little-endian), bytes.

#![no_main]

mod attempt;
#[path = "../../tests/support/zip.rs"]
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
mod zip;

/// What the shared module wants of its parent.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut entries = zip::Entries::new();
    let mut rest = input;
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let (name, after) = rest.split_at(end);
        let Some((length, after)) = after[1..].split_first_chunk::<4>() else { break };
        let length = (u32::from_le_bytes(*length) as usize).min(after.len());
        let (bytes, after) = after.split_at(length);
        entries.insert(String::from_utf8_lossy(name).into_owned(), bytes.to_vec());
        rest = after;
    }
    attempt::attempt(&zip::pack(&entries));
});

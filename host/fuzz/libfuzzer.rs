//! The targets for libFuzzer; `cargo xtask fuzz TARGET --coverage` runs them.

#![no_main]

use std::sync::LazyLock;

use sandbar_fuzz::SUITE;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| fuzz_driver::selected(SUITE.targets));

libfuzzer_sys::fuzz_target!(
    init: {
        if sandbar_fuzz::serve().is_some() {
            std::process::exit(0);
        }
    },
    |bytes: &[u8]| TARGET(bytes)
);

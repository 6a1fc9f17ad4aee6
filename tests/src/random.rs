//! Chance for tests that break things: another one in each run, and the same again with
//! SANDBAR_SEED.

use std::time::{SystemTime, UNIX_EPOCH};

/// A generator of numbers that look random (splitmix64).
pub struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// From SANDBAR_SEED, or from the clock.
    ///
    /// # Panics
    /// Where SANDBAR_SEED is not a number.
    pub fn new() -> Self {
        let seed = match std::env::var("SANDBAR_SEED") {
            Ok(seed) => seed.parse().unwrap_or_else(|_| panic!("SANDBAR_SEED={seed}")),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64,
        };
        Random { seed, state: seed }
    }

    /// What gives the same numbers again.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The next number, below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.state;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % limit
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

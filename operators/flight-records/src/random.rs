//! Random integers whose sequence depends on nothing but the seed.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

/// The stream of PCG32 that all seeds share: the reference implementation's default.
const STREAM: u64 = 0x0a02_bdbf_7bb3_c0a7;

/// PCG32 with ranges of our own: those of the `rand` crate may change between its
/// versions, and with them every golden result.
#[derive(Clone, Debug)]
pub(crate) struct Random(Pcg32);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(Pcg32::new(seed, STREAM))
    }

    /// 0 to `n` - 1; 0 where `n` is 0. The bias is below n / 2³², which for flights
    /// is nothing.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// `from` to `to`, both included.
    pub(crate) fn between(&mut self, from: i32, to: i32) -> i32 {
        from + self.below((to - from + 1).unsigned_abs()) as i32
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

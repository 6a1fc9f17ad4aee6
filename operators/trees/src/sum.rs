//! What leaves are added up in.

use std::fmt::Debug;
use std::ops::AddAssign;

/// A number that leaves can be added to.
pub trait Sum<L>: Copy + Debug + AddAssign {
    /// The leaf as such a number.
    fn of(leaf: L) -> Self;
}

impl Sum<f32> for f32 {
    #[inline(always)]
    fn of(leaf: f32) -> Self {
        leaf
    }
}

impl Sum<f32> for f64 {
    #[inline(always)]
    fn of(leaf: f32) -> Self {
        leaf.into()
    }
}

impl Sum<f64> for f64 {
    #[inline(always)]
    fn of(leaf: f64) -> Self {
        leaf
    }
}

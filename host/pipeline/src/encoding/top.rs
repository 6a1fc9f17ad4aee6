//! The most probable classes of a prediction.

use std::cell::{Ref, RefCell};
use std::cmp::Ordering;
use std::num::NonZeroUsize;

use sandbar_sandbox::OutputSchema;

/// The order of the most probable classes.
#[derive(Debug)]
pub(super) struct Top {
    count: usize,
    /// Kept to reuse its memory.
    order: RefCell<Vec<u32>>,
}

impl Top {
    /// `None`: all that a prediction has, in the order of the model.
    pub(super) fn of(output: &OutputSchema, top: Option<NonZeroUsize>) -> Option<Self> {
        match output {
            // With fewer classes than `top`, all of them, but still sorted.
            OutputSchema::Classes(names) => top.map(|top| Top {
                count: top.get().min(names.len()),
                order: RefCell::new(Vec::with_capacity(names.len())),
            }),
            OutputSchema::Values(_) => None,
        }
    }

    /// The indices of the most probable, the first first.
    pub(super) fn of_values(&self, values: &[f64]) -> Ref<'_, [u32]> {
        let mut order = self.order.borrow_mut();
        order.clear();
        order.extend(0..values.len() as u32);
        let descending = |a: &u32, b: &u32| {
            by_probability(values[*a as usize], values[*b as usize]).then(a.cmp(b))
        };
        if self.count < order.len() {
            order.select_nth_unstable_by(self.count, descending);
            order.truncate(self.count);
        }
        order.sort_unstable_by(descending);
        drop(order);
        Ref::map(self.order.borrow(), Vec::as_slice)
    }
}

/// The larger first; NaN last.
fn by_probability(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => b.total_cmp(&a),
        (a, b) => a.cmp(&b),
    }
}

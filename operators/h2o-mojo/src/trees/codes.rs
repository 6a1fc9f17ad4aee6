//! Values of rows as integers that every test of a tree can work with.
//!
//! A number becomes one that keeps its order, rounded down to the single precision that
//! thresholds have, which changes no comparison with them. A missing value becomes the
//! smallest or the largest of all, whichever sends it where a test wants it. A category
//! becomes its number.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// The largest code: that of a missing category, and that of a missing number that is to be
/// larger than all numbers.
pub(super) const MISSING: u32 = u32::MAX - 1;
/// The code of a missing number that is to be smaller than all numbers.
const MISSING_LOW: u32 = 0;
/// The threshold that no code reaches.
pub(super) const NEVER: u32 = u32::MAX;

/// In which way a test wants a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reading {
    /// As a number; missing values go left.
    MissingLow,
    /// As a number; missing values go right.
    MissingHigh,
    /// As a category.
    Category,
}

impl Reading {
    /// The code of a missing value.
    pub(super) fn missing(self) -> u32 {
        if self == Self::MissingLow { MISSING_LOW } else { MISSING }
    }
}

/// Which codes a row has: a column once for every reading that some test needs.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<(u16, Reading)>,
    numbers: HashMap<(u16, Reading), u32, RandomState>,
    /// By column, from which number on a value counts as missing.
    ends: Vec<i64>,
}

impl Slots {
    /// None at first. `ends` has, for every column, from which number on a value counts as
    /// missing.
    pub(super) fn new(ends: Vec<i64>) -> Self {
        // Leaves look at slot 0, so there is always one.
        let mut slots = Self { slots: vec![], numbers: HashMap::default(), ends };
        slots.slot(0, Reading::MissingLow);
        slots
    }

    /// How many columns a row has.
    pub(super) fn columns(&self) -> usize {
        self.ends.len()
    }

    /// How many codes a row has.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slot for a column in a reading.
    pub(super) fn slot(&mut self, column: u16, reading: Reading) -> u32 {
        // There are at most three readings of 65,535 columns.
        let next = self.slots.len() as u32;
        let slots = &mut self.slots;
        *self.numbers.entry((column, reading)).or_insert_with(|| {
            slots.push((column, reading));
            next
        })
    }

    /// The column of a slot, and how it is read.
    pub(super) fn read(&self, slot: u32) -> (u16, Reading) {
        self.slots[slot as usize]
    }

    /// From which number on a column's value counts as missing.
    pub(super) fn end(&self, column: u16) -> i64 {
        self.ends[usize::from(column)]
    }

    /// Encodes rows, row-major, into as many rows of `codes`.
    pub(super) fn encode(&self, rows: &[f64], codes: &mut [u32]) {
        let columns = self.columns();
        for (slot, (column, reading)) in self.slots.iter().enumerate() {
            let column = usize::from(*column);
            let values = rows[column..].iter().step_by(columns);
            let codes = codes[slot..].iter_mut().step_by(self.slots.len());
            let end = self.ends[column];
            let missing = |value: f64| value.is_nan() | (i64::from(value as i32) >= end);
            let code_of = if *reading == Reading::Category { category } else { number };
            let absent = reading.missing();
            for (code, value) in codes.zip(values) {
                *code = if missing(*value) { absent } else { code_of(*value) };
            }
        }
    }
}

/// A category's number; negative numbers become one beyond every set.
pub(super) fn category(value: f64) -> u32 {
    (value as i32 as u32).min(1 << 31)
}

/// A number's code. A value between two single-precision numbers gets the code of the lower
/// one: it is at least a threshold exactly if the lower one is.
pub(super) fn number(value: f64) -> u32 {
    let nearest = value as f32;
    ordered(nearest) - u32::from(f64::from(nearest) > value)
}

/// The code from which on a number goes right.
pub(super) fn threshold(split: f32) -> u32 {
    // No number is at least NaN, so only missing ones can go right.
    if split.is_nan() { MISSING } else { ordered(split) }
}

/// An integer for a number, in the order of the numbers. Both zeros are one.
fn ordered(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    // All bits of a negative number are flipped, of others the sign alone.
    bits ^ ((bits as i32 >> 31) as u32 | 1 << 31)
}

#[cfg(test)]
mod tests {
    use super::{MISSING, MISSING_LOW, number, threshold};

    #[test]
    fn codes_compare_with_thresholds_as_the_numbers_do() {
        let splits = [
            f32::NEG_INFINITY,
            f32::MIN,
            -1.5,
            -f32::from_bits(1),
            -0.0,
            0.0,
            f32::from_bits(1),
            f32::MIN_POSITIVE,
            0.1,
            16_777_216.0,
            f32::MAX,
            f32::INFINITY,
        ];
        let mut values = vec![f64::MIN, -1e-300, 1e-300, 0.1, 16_777_217.0, 1e300, f64::MAX];
        for split in splits.map(f64::from) {
            values.extend([split.next_down(), split, split.next_up()]);
        }
        for value in values.into_iter().filter(|value| !value.is_nan()) {
            let code = number(value);
            assert!(MISSING_LOW < code && code < MISSING);
            for split in splits {
                assert_eq!(
                    code >= threshold(split),
                    value >= f64::from(split),
                    "{value:e} against {split:e}"
                );
            }
        }
    }
}

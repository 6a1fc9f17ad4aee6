//! Values of rows as integers that every test of a tree can work with.
//!
//! A number becomes one that keeps its order: its own bits in the order of numbers, rounded to
//! the single precision that thresholds have, or, where they are doubles, how many of the
//! column's thresholds it reaches. A missing value becomes the smallest or the largest of all,
//! whichever sends it where a test wants it. A category becomes its number.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// The largest code: that of a missing category, and that of a missing number that is to be
/// larger than all numbers.
pub(crate) const MISSING: u32 = u32::MAX - 1;
/// The code of a missing number that is to be smaller than all numbers.
const MISSING_LOW: u32 = 0;
/// The threshold that no code reaches.
pub(crate) const NEVER: u32 = u32::MAX;
/// The code of a category that no set covers.
pub(crate) const OUTSIDE: u32 = 1 << 31;
/// The largest number that LightGBM takes for zero.
const ZERO: f64 = 1e-35_f32 as f64;

/// How a row's numbers, which are doubles, are compared with thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// As they are, with thresholds of single precision, as H2O does. A category is a number
    /// without its fraction; what is negative then is covered by no set.
    DoubleWithSingle,
    /// Rounded to single precision, with thresholds of single precision, as XGBoost does. A
    /// category is a number, rounded, without its fraction; what is negative before is covered
    /// by no set.
    Single,
    /// As they are, with thresholds of double precision, as LightGBM does. Categories as
    /// [`DoubleWithSingle`](Self::DoubleWithSingle) has them.
    Double,
}

/// Which numbers are missing at a test, and where they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// NaN, and what [`Settings::missing_from`](crate::Settings::missing_from) says.
    Nan {
        /// Whether they go right.
        right: bool,
    },
    /// NaN and what is zero or nearly so, at most 1e-35 (in single precision) away from it.
    NanOrZero {
        /// Whether they go right.
        right: bool,
    },
    /// None: NaN counts as 0.
    NanIsZero,
}

/// In which way a test wants a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reading {
    Number(Missing),
    Category,
}

/// Which values of a column a reading takes for what, whatever becomes of missing ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Numbers, some of which are [`Missing::Nan`].
    Number,
    /// Numbers, some of which are [`Missing::NanOrZero`].
    NotZero,
    /// Numbers, none of which is missing.
    Always,
    Category,
}

impl Reading {
    /// The code of a missing value.
    pub(crate) fn missing(self) -> u32 {
        match self {
            Self::Number(Missing::Nan { right: false } | Missing::NanOrZero { right: false }) => {
                MISSING_LOW
            }
            _ => MISSING,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Number(Missing::Nan { .. }) => Kind::Number,
            Self::Number(Missing::NanOrZero { .. }) => Kind::NotZero,
            Self::Number(Missing::NanIsZero) => Kind::Always,
            Self::Category => Kind::Category,
        }
    }
}

/// Which codes a row has: a column once for every reading that some test needs.
#[derive(Debug)]
pub(crate) struct Slots {
    comparison: Comparison,
    slots: Vec<(u32, Reading)>,
    numbers: HashMap<(u32, Reading), u32, RandomState>,
    columns: usize,
    /// By column, from which number on a value counts as missing; empty if none does.
    ends: Vec<i64>,
    /// By column its thresholds of double precision, as [`ordered_double`] has them, sorted.
    splits: Vec<Vec<u64>>,
}

impl Slots {
    /// None at first. `ends` has, for every column, from which number on a value counts as
    /// missing, or is empty.
    pub(crate) fn new(comparison: Comparison, columns: usize, ends: Vec<i64>) -> Self {
        let mut slots = Self {
            comparison,
            slots: vec![],
            numbers: HashMap::default(),
            columns,
            ends,
            splits: vec![],
        };
        // Leaves look at slot 0, so there is always one.
        slots.slot(0, Reading::Number(Missing::Nan { right: false }));
        slots
    }

    pub(crate) fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// How many columns a row has.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// How many codes a row has.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slot for a column in a reading.
    pub(crate) fn slot(&mut self, column: u32, reading: Reading) -> u32 {
        // Each has a node, and nodes are counted in 32 bits.
        let next = self.slots.len() as u32;
        let slots = &mut self.slots;
        *self.numbers.entry((column, reading)).or_insert_with(|| {
            slots.push((column, reading));
            next
        })
    }

    /// The column of a slot, and how it is read.
    pub(crate) fn read(&self, slot: u32) -> (u32, Reading) {
        self.slots[slot as usize]
    }

    /// From which number on a column's value counts as missing.
    pub(crate) fn end(&self, column: u32) -> i64 {
        self.ends.get(column as usize).copied().unwrap_or(i64::MAX)
    }

    /// Takes every column's thresholds of double precision, unsorted.
    pub(crate) fn set_splits(&mut self, mut splits: Vec<Vec<u64>>) {
        for splits in &mut splits {
            splits.sort_unstable();
            splits.dedup();
            splits.shrink_to_fit();
        }
        self.splits = splits;
    }

    /// The code from which on a number reaches one of the column's thresholds.
    pub(crate) fn rank(&self, column: u32, split: u64) -> u32 {
        reached(self.splits(column), split)
    }

    /// A column's thresholds of double precision.
    pub(crate) fn splits(&self, column: u32) -> &[u64] {
        self.splits.get(column as usize).map_or(&[], Vec::as_slice)
    }

    /// Encodes rows, row-major, into as many rows of `codes`.
    pub(crate) fn encode(&self, rows: &[f64], codes: &mut [u32]) {
        for (slot, (column, reading)) in self.slots.iter().enumerate() {
            let mut codes = codes[slot..].iter_mut().step_by(self.slots.len());
            let absent = reading.missing();
            self.each_code(*column, reading.kind(), rows, absent, |code| {
                if let Some(place) = codes.next() {
                    *place = code;
                }
            });
        }
    }

    /// Hands the codes of a column's values to `take`, row after row; `absent` for missing
    /// ones.
    #[inline(always)]
    pub(crate) fn each_code(
        &self,
        column: u32,
        kind: Kind,
        rows: &[f64],
        absent: u32,
        take: impl FnMut(u32),
    ) {
        let values = rows[column as usize..].iter().step_by(self.columns).copied();
        let column = Column { kind, end: self.end(column), absent, splits: self.splits(column) };
        match (self.comparison, kind) {
            (Comparison::Single, Kind::Category) => {
                column.each(values, |value| category(value, Comparison::Single), take);
            }
            (_, Kind::Category) => {
                column.each(values, |value| category(value, Comparison::Double), take);
            }
            (Comparison::DoubleWithSingle, _) => column.each(values, rounded_down, take),
            (Comparison::Single, _) => column.each(values, |value| ordered(value as f32), take),
            (Comparison::Double, _) => {
                let splits = column.splits;
                column.each(values, |value| reached(splits, ordered_double(value)), take);
            }
        }
    }
}

/// What the codes of one column's values depend on.
struct Column<'a> {
    kind: Kind,
    end: i64,
    absent: u32,
    splits: &'a [u64],
}

impl Column<'_> {
    /// Hands codes to `take`; `code` makes one of a value that is not missing.
    #[inline(always)]
    fn each(
        &self,
        values: impl Iterator<Item = f64>,
        code: impl Fn(f64) -> u32,
        mut take: impl FnMut(u32),
    ) {
        let Self { end, absent, .. } = *self;
        match self.kind {
            Kind::Number | Kind::Category => values.for_each(|value| {
                let missing = value.is_nan() | (i64::from(value as i32) >= end);
                take(if missing { absent } else { code(value) });
            }),
            Kind::NotZero => values.for_each(|value| {
                let missing = value.is_nan() | (value.abs() <= ZERO);
                take(if missing { absent } else { code(value) });
            }),
            Kind::Always => values.for_each(|value| {
                take(code(if value.is_nan() { 0.0 } else { value }));
            }),
        }
    }
}

/// A category's number; what is no category becomes one beyond every set.
#[inline(always)]
fn category(value: f64, comparison: Comparison) -> u32 {
    if comparison == Comparison::Single {
        let value = value as f32;
        return if value < 0.0 { OUTSIDE } else { (value as u32).min(OUTSIDE) };
    }
    (value as i32 as u32).min(OUTSIDE)
}

/// A number's code. A value between two single-precision numbers gets the code of the lower
/// one: it is at least a threshold exactly if the lower one is.
#[inline(always)]
fn rounded_down(value: f64) -> u32 {
    let nearest = value as f32;
    ordered(nearest) - u32::from(f64::from(nearest) > value)
}

/// The code of a number that reaches as many of these thresholds as this one.
#[inline(always)]
fn reached(splits: &[u64], number: u64) -> u32 {
    // A column has no more thresholds than the forest nodes; 0 is for missing values.
    splits.partition_point(|split| *split <= number) as u32 + 1
}

/// An integer for a number, in the order of the numbers. Both zeros are one. Neither the
/// smallest nor the largest three integers stand for a number.
pub(crate) fn ordered(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    // All bits of a negative number are flipped, of others the sign alone.
    bits ^ ((bits as i32 >> 31) as u32 | 1 << 31)
}

/// As [`ordered`], of a double.
pub(crate) fn ordered_double(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    bits ^ ((bits as i64 >> 63) as u64 | 1 << 63)
}

#[cfg(test)]
mod tests {
    use super::{MISSING, MISSING_LOW, ordered, rounded_down};

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
            let code = rounded_down(value);
            assert!(MISSING_LOW < code && code < MISSING);
            for split in splits {
                assert_eq!(
                    code >= ordered(split),
                    value >= f64::from(split),
                    "{value:e} against {split:e}"
                );
            }
        }
    }
}

//! Sets of categories.

use std::collections::HashMap;
use std::num::NonZeroU32;

use foldhash::fast::RandomState;

use crate::codes::MISSING;
use crate::error::Error;

/// A set of categories, as a reader finds it.
#[derive(Debug, Clone, Copy)]
pub struct Set<'a> {
    /// The first category that the set covers.
    pub first: u32,
    /// How many it covers.
    pub count: u32,
    /// A bit per category covered, the lowest first: whether it goes right. More bits than
    /// `count` are left aside.
    pub members: &'a [u8],
    /// Whether a category that the set does not cover goes right.
    pub outside_right: bool,
    /// Whether a missing value goes right.
    pub missing_right: bool,
}

/// A set that has been added to a forest's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SetId(NonZeroU32);

/// The sets of a forest, one after the other: the first category that a set covers, how many
/// it covers, then bits. Behind the bits of the categories is one for those that the set
/// does not cover and one for missing values, which have directions of their own.
#[derive(Debug)]
pub struct Sets {
    words: Vec<u32>,
    /// How many bytes there may be.
    limit: u64,
    /// For a set, the one of the same range without a member, where that was needed.
    empties: HashMap<SetId, SetId, RandomState>,
}

/// The words that a set has before its bits.
const HEADER: usize = 2;
/// Where the set that covers nothing and has no member begins.
pub(crate) const NOTHING: u32 = 0;

impl Sets {
    /// None but the one without a member.
    pub(crate) fn new(limit: u64) -> Self {
        Self { words: vec![0; HEADER + 1], limit, empties: HashMap::default() }
    }

    /// Adds a set.
    ///
    /// # Errors
    ///
    /// [`Error::SetBits`], [`Error::SetLimit`] and [`Error::Numbers`], before memory is taken.
    pub fn add(&mut self, set: Set<'_>) -> Result<SetId, Error> {
        let bytes = set.count.div_ceil(8) as usize;
        let members = set
            .members
            .get(..bytes)
            .ok_or(Error::SetBits { count: set.count, bits: set.members.len() * 8 })?;
        let id = self.reserve(set.first, set.count)?;
        let words = self.bits(id);
        for (word, chunk) in words.iter_mut().zip(members.chunks(4)) {
            let mut array = [0; 4];
            array[..chunk.len()].copy_from_slice(chunk);
            *word = u32::from_le_bytes(array);
        }
        put(words, set.count, set.outside_right);
        put(words, set.count + 1, set.missing_right);
        Ok(id)
    }

    /// The set that covers what `set` does but has no member: only missing values, and
    /// categories that it does not cover, go right.
    ///
    /// # Errors
    ///
    /// [`Error::SetLimit`] and [`Error::Numbers`], before memory is taken.
    pub fn without_members(&mut self, set: SetId) -> Result<SetId, Error> {
        if let Some(empty) = self.empties.get(&set) {
            return Ok(*empty);
        }
        let (first, count) = self.range(set.begin());
        let empty = self.reserve(first, count)?;
        let words = self.bits(empty);
        put(words, count, true);
        put(words, count + 1, true);
        self.empties.insert(set, empty);
        Ok(empty)
    }

    /// Whether a category is one that goes right; [`NOTHING`] has none.
    #[inline(always)]
    pub(crate) fn has(&self, set: u32, code: u32) -> bool {
        let (first, count) = self.range(set);
        let missing = u32::from(code == MISSING);
        let bit = code.wrapping_sub(first).min(count) + missing;
        let word = self.words[set as usize + HEADER + (bit >> 5) as usize];
        word >> (bit & 31) & 1 != 0
    }

    /// The category behind the last one that a set covers.
    pub(crate) fn reach(&self, set: u32) -> u32 {
        let (first, count) = self.range(set);
        first.saturating_add(count)
    }

    /// The first category that a set covers, and how many it covers.
    #[inline(always)]
    fn range(&self, set: u32) -> (u32, u32) {
        (self.words[set as usize], self.words[set as usize + 1])
    }

    /// The bits of a set, and whatever follows it.
    fn bits(&mut self, set: SetId) -> &mut [u32] {
        &mut self.words[set.begin() as usize + HEADER..]
    }

    /// Makes room for a set at the end. All its bits are zero.
    fn reserve(&mut self, first: u32, count: u32) -> Result<SetId, Error> {
        let begin = u32::try_from(self.words.len()).map_err(|_| Error::Numbers)?;
        // Its bits, of which the last has a number, too.
        let bits = count.checked_add(2).ok_or(Error::Numbers)?;
        let words = HEADER + bits.div_ceil(32) as usize;
        let bytes = (self.words.len() as u64 + words as u64) * 4;
        if bytes > self.limit {
            return Err(Error::SetLimit { bytes, limit: self.limit });
        }
        self.words.extend([first, count]);
        self.words.resize(begin as usize + words, 0);
        // The set without a member is there first.
        NonZeroU32::new(begin).map(SetId).ok_or(Error::Numbers)
    }
}

impl SetId {
    /// Where the set begins.
    pub(crate) fn begin(self) -> u32 {
        self.0.get()
    }
}

/// Sets or clears one bit of a set.
fn put(words: &mut [u32], bit: u32, value: bool) {
    let word = &mut words[(bit >> 5) as usize];
    *word = *word & !(1 << (bit & 31)) | u32::from(value) << (bit & 31);
}

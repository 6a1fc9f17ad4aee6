//! From a name to a number, quickly: every categorical value of every row is looked up.
//!
//! Most categories have short names (carriers, airports, codes). Names of up to seven bytes
//! are integers in an open table; the others are in an ordinary map.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

/// Names and their numbers.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// Keys and numbers, at most half of them taken; a free place has the key `FREE`.
    short: Vec<(u64, u32)>,
    taken: usize,
    /// Odd and drawn anew for every table, so that no file can make its names collide.
    multiplier: u64,
    long: HashMap<Box<[u8]>, u32, RandomState>,
}

/// No name has this key, since its length would be 255.
const FREE: u64 = u64::MAX;
/// The longest name that is an integer.
const SHORT: usize = 7;

impl Default for Names {
    fn default() -> Self {
        let multiplier = RandomState::default().hash_one(SHORT) | 1;
        Self { short: vec![(FREE, 0); 2], taken: 0, multiplier, long: HashMap::default() }
    }
}

impl Names {
    /// The number of a name.
    #[inline]
    pub(crate) fn get(&self, name: &[u8]) -> Option<u32> {
        match key(name) {
            Some(key) => match self.short[self.place(key)] {
                (FREE, _) => None,
                (_, number) => Some(number),
            },
            None => self.long.get(name).copied(),
        }
    }

    /// Gives a name a number, instead of one that it may have.
    pub(crate) fn insert(&mut self, name: &[u8], number: u32) {
        let Some(key) = key(name) else {
            self.long.insert(name.into(), number);
            return;
        };
        if self.taken * 2 >= self.short.len() {
            let larger = vec![(FREE, 0); self.short.len() * 2];
            for entry in std::mem::replace(&mut self.short, larger) {
                if entry.0 != FREE {
                    let place = self.place(entry.0);
                    self.short[place] = entry;
                }
            }
        }
        let place = self.place(key);
        self.taken += usize::from(self.short[place].0 == FREE);
        self.short[place] = (key, number);
    }

    /// Where a key is, or would be. There is always a free place to end at.
    #[inline]
    fn place(&self, key: u64) -> usize {
        let last = self.short.len() - 1;
        // The high bits of the product depend on all bits of the key.
        let mut place = (key.wrapping_mul(self.multiplier) >> 32) as usize & last;
        while self.short[place].0 != key && self.short[place].0 != FREE {
            place = (place + 1) & last;
        }
        place
    }
}

/// A short name as an integer: its length, then its bytes.
#[inline]
fn key(name: &[u8]) -> Option<u64> {
    if name.len() > SHORT {
        return None;
    }
    let bytes = name.iter().fold(0, |key, byte| key << 8 | u64::from(*byte));
    Some((name.len() as u64) << 56 | bytes)
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_of_every_length_are_found_and_no_others() {
        let names: Vec<String> = (0..2000)
            .map(|n| "x".repeat(n % 12) + &format!("{n}"))
            .chain([String::new()])
            .collect();
        let mut table = Names::default();
        for (number, name) in names.iter().enumerate() {
            table.insert(name.as_bytes(), number as u32);
        }
        for (number, name) in names.iter().enumerate() {
            assert_eq!(table.get(name.as_bytes()), Some(number as u32), "{name}");
        }
        for other in ["y", "2000", "x", "xxxxxxxxxxxxxxxx", "\0", "0\0"] {
            assert_eq!(table.get(other.as_bytes()), None, "{other:?}");
        }
        table.insert(b"0", 7);
        assert_eq!(table.get(b"0"), Some(7));
    }
}

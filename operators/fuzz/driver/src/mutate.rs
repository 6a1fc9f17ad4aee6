//! Changes inputs at random, reproducibly: the same seed gives the same changes.

/// Numbers at which programs go wrong.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "1e999",
    "-0.0",
    "NaN",
];

/// A random sequence (SplitMix64): a few lines, and the same in every version.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of a seed, another one for each name.
    pub fn new(seed: u64, name: &str) -> Self {
        // FNV-1a; the standard library's hash may change.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Rng(seed ^ hash)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, or 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        // The bias is of no account here.
        if limit == 0 { 0 } else { (self.next() % limit as u64) as usize }
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }
}

/// Makes inputs of seeds.
#[derive(Debug)]
pub struct Mutator<'a> {
    /// What it changes.
    pub seeds: &'a [Vec<u8>],
    /// Words that it puts in.
    pub dictionary: &'a [Vec<u8>],
    /// Bytes of an input at most.
    pub max_len: usize,
}

impl Mutator<'_> {
    /// The next input.
    pub fn next(&self, rng: &mut Rng) -> Vec<u8> {
        let mut input = rng.pick(self.seeds).cloned().unwrap_or_default();
        // Mostly one or two changes: after many, little of a format is left.
        let changes = 1 + rng.below(2) + rng.below(2) * rng.below(6);
        for _ in 0..changes {
            self.change(&mut input, rng);
        }
        input.truncate(self.max_len);
        input
    }

    fn change(&self, input: &mut Vec<u8>, rng: &mut Rng) {
        let at = rng.below(input.len() + 1);
        match rng.below(11) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << rng.below(8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = rng.byte();
                }
            }
            2 => {
                let new: Vec<u8> = (0..1 + rng.below(8)).map(|_| rng.byte()).collect();
                insert(input, at, &new);
            }
            3 => drop(input.drain(range(input.len(), at, rng))),
            4 => {
                let copy = input[range(input.len(), at, rng)].to_vec();
                let to = rng.below(input.len() + 1);
                insert(input, to, &copy);
            }
            5 => input.truncate(at),
            6 => {
                if let Some(other) = rng.pick(self.seeds) {
                    let from = rng.below(other.len() + 1);
                    match rng.below(2) {
                        // The head of one and the tail of another.
                        0 => {
                            input.truncate(at);
                            input.extend_from_slice(&other[from..]);
                        }
                        _ => insert(input, at, &other[range(other.len(), from, rng)]),
                    }
                }
            }
            7 | 8 => length(input, at, rng),
            9 => number(input, at, rng),
            _ => match rng.pick(self.dictionary) {
                Some(word) if rng.below(2) == 0 => insert(input, at, word),
                Some(word) => overwrite(input, at, word),
                None => length(input, at, rng),
            },
        }
    }
}

/// A short range that begins at `at`, more rarely a long one.
fn range(length: usize, at: usize, rng: &mut Rng) -> std::ops::Range<usize> {
    let most = length - at;
    let short = if rng.below(4) == 0 { most } else { most.min(16) };
    at..at + rng.below(short + 1)
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}

fn overwrite(input: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in input[at..].iter_mut().zip(bytes) {
        *to = *from;
    }
}

/// Writes what may be a length, a count or an offset, in one of the widths and orders that
/// formats have them.
fn length(input: &mut [u8], at: usize, rng: &mut Rng) {
    let rest = (input.len() - at) as u64;
    let values = [0, 1, rest, rest + 1, rest.wrapping_sub(1), input.len() as u64, u64::MAX];
    let values = [&values[..], &[0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000]];
    let values = values.concat();
    let value = rng.pick(&values).copied().unwrap_or_default();
    let width = 1 << rng.below(4);
    match rng.below(2) {
        0 => overwrite(input, at, &value.to_le_bytes()[..width]),
        _ => overwrite(input, at, &value.to_be_bytes()[8 - width..]),
    }
}

/// Puts another number in place of the digits after `at`, as text.
fn number(input: &mut Vec<u8>, at: usize, rng: &mut Rng) {
    let Some(from) = input[at..].iter().position(u8::is_ascii_digit).map(|first| at + first) else {
        return;
    };
    let digits = input[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let new = rng.pick(&NUMBERS).copied().unwrap_or_default();
    input.splice(from..from + digits, new.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_inputs_again() {
        let seeds = [b"{\"format\": 1}".to_vec(), b"\x04\0\0\0name".to_vec(), Vec::new()];
        let dictionary = [b"null".to_vec()];
        let mutator = Mutator { seeds: &seeds, dictionary: &dictionary, max_len: 30 };
        let inputs = |seed, name| -> Vec<Vec<u8>> {
            let mut rng = Rng::new(seed, name);
            (0..10_000).map(|_| mutator.next(&mut rng)).collect()
        };
        let one = inputs(1, "a");
        assert_eq!(one, inputs(1, "a"));
        assert_ne!(one, inputs(2, "a"));
        assert_ne!(one, inputs(1, "b"));
        assert!(one.iter().all(|input| input.len() <= 30));
        let distinct: std::collections::HashSet<_> = one.iter().collect();
        assert!(distinct.len() > 5000, "{}", distinct.len());
        let has = |word: &[u8]| one.iter().any(|it| it.windows(word.len()).any(|w| w == word));
        assert!(has(b"null") && has(b"18446744073709551616") && has(b"\x04\0\0\0\0name"));
    }

    #[test]
    fn nothing_can_be_made_of_nothing() {
        let mutator = Mutator { seeds: &[], dictionary: &[], max_len: 8 };
        let mut rng = Rng::new(1, "");
        for _ in 0..1000 {
            assert!(mutator.next(&mut rng).len() <= 8);
        }
    }
}

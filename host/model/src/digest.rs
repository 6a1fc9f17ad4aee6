//! Digests of files, written in hexadecimal.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

/// The digest of a file: `N` bytes, by the algorithm in its alias.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest<const N: usize>([u8; N]);

/// A SHA-256 digest.
pub type Sha256 = Digest<32>;
/// A SHA-1 digest, which some publishers still give. It detects a broken download, but
/// not a forged file.
pub type Sha1 = Digest<20>;

impl Sha256 {
    /// The SHA-256 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(sha2::Sha256::digest(bytes).into())
    }

    /// The SHA-256 digest of all that `reader` gives.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn of_reader(reader: &mut impl Read) -> io::Result<Self> {
        read_all::<sha2::Sha256>(reader).map(|digest| Digest(digest.into()))
    }
}

impl Sha1 {
    /// The SHA-1 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(sha1::Sha1::digest(bytes).into())
    }

    /// The SHA-1 digest of all that `reader` gives.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn of_reader(reader: &mut impl Read) -> io::Result<Self> {
        read_all::<sha1::Sha1>(reader).map(|digest| Digest(digest.into()))
    }
}

fn read_all<D: sha2::Digest>(reader: &mut impl Read) -> io::Result<sha2::digest::Output<D>> {
    let mut digest = D::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(digest.finalize()),
            read => digest.update(&buffer[..read]),
        }
    }
}

impl<const N: usize> FromStr for Digest<N> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = if N == 20 { "SHA-1" } else { "SHA-256" };
        let wrong =
            || format!("'{text}' is not a {name} digest; write its {} hexadecimal digits", 2 * N);
        let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
        let digits = text.as_bytes().iter().map(digit).collect::<Option<Vec<u8>>>();
        let digits = digits.filter(|digits| digits.len() == 2 * N).ok_or_else(wrong)?;
        let mut bytes = [0; N];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Digest(bytes))
    }
}

impl<const N: usize> fmt::Display for Digest<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Digest<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl<const N: usize> Serialize for Digest<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Digest<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

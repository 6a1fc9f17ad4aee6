//! The orientation in EXIF data: a TIFF of one directory, TIFF 6.0, section 2.
//!
//! Odd data is read as Pillow's `ImageFileDirectory_v2.load` reads it.

use std::collections::HashSet;

const ORIENTATION: u16 = 0x0112;

/// What EXIF data says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Exif {
    /// There is no orientation in it.
    None,
    /// There is one, of no type that is a number, or none of the eight; or the data is
    /// something else. Pillow then looks no further.
    Other,
    /// There is one.
    Value(u8),
}

/// The orientation, in data with the prefix `Exif\0\0` or without it.
pub(super) fn orientation(data: &[u8]) -> Exif {
    const PREFIX: &[u8] = b"Exif\0\0";
    // Some programs write the prefix twice.
    let data = data.strip_prefix(PREFIX).unwrap_or(data);
    let data = data.strip_prefix(PREFIX).unwrap_or(data);
    match Tiff::new(data) {
        _ if data.is_empty() => Exif::None,
        None => Exif::Other,
        Some(tiff) => tiff.orientation().unwrap_or(Exif::None),
    }
}

/// Data in one order of bytes.
#[derive(Clone, Copy)]
struct Tiff<'a> {
    data: &'a [u8],
    big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn new(data: &'a [u8]) -> Option<Tiff<'a>> {
        let big_endian = match data.get(..8)?.get(..4)? {
            // BigTIFF's mark too, where Pillow does not tell it from TIFF's.
            b"MM\0*" | b"MM*\0" | b"MM\0+" => true,
            b"II*\0" | b"II\0*" => false,
            _ => return None,
        };
        Some(Tiff { data, big_endian })
    }

    fn u16(self, at: usize) -> Option<u16> {
        let bytes = self.data.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(*bytes) } else { u16::from_le_bytes(*bytes) })
    }

    fn u32(self, at: usize) -> Option<u32> {
        let bytes = self.data.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) })
    }

    fn u64(self, at: usize) -> Option<u64> {
        let bytes = self.data.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u64::from_be_bytes(*bytes) } else { u64::from_le_bytes(*bytes) })
    }

    /// Reads the entries of the first directory up to the orientation. `None` where the
    /// data ends before it.
    fn orientation(self) -> Option<Exif> {
        let directory = self.u32(4)? as usize;
        let count = usize::from(self.u16(directory)?);
        let entries = directory.checked_add(2)?;
        // A tag counts once, and values of all tags together are no longer than the data.
        let (mut seen, mut total) = (HashSet::new(), 0_u64);
        for index in 0..count {
            let entry = entries.checked_add(12 * index)?;
            let last = self.data.get(entry..)?.get(..12).is_some();
            if !last {
                return None;
            }
            let (tag, kind) = (self.u16(entry)?, self.u16(entry + 2)?);
            let Some(unit) = unit(kind).filter(|_| !seen.contains(&tag)) else { continue };
            let size = u64::from(self.u32(entry + 4)?) * unit;
            let mut at = entry + 8;
            if size > 4 {
                total += size;
                if total > self.data.len() as u64 {
                    continue;
                }
                at = self.u32(at)? as usize;
                // Nothing behind a value that is cut off is read.
                self.data.get(at..)?.get(..size as usize)?;
            }
            if size > 0 {
                if tag == ORIENTATION {
                    return Some(self.value(kind, at).map_or(Exif::Other, Exif::from));
                }
                seen.insert(tag);
            }
        }
        None
    }

    /// The first number of an entry, if its type is one of numbers.
    fn value(self, kind: u16, at: usize) -> Option<f64> {
        let byte = self.data.get(at).copied();
        match kind {
            3 => self.u16(at).map(f64::from),
            4 | 13 => self.u32(at).map(f64::from),
            5 => Some(f64::from(self.u32(at)?) / f64::from(self.u32(at + 4)?)),
            6 => byte.map(|byte| f64::from(byte.cast_signed())),
            8 => self.u16(at).map(|value| f64::from(value.cast_signed())),
            9 => self.u32(at).map(|value| f64::from(value.cast_signed())),
            10 => {
                let number = |at| self.u32(at).map(|value| f64::from(value.cast_signed()));
                Some(number(at)? / number(at + 4)?)
            }
            11 => self.u32(at).map(|value| f64::from(f32::from_bits(value))),
            12 => self.u64(at).map(f64::from_bits),
            // Exact as far as it matters: the eight are small.
            16 => self.u64(at).map(|value| value as f64),
            // Bytes and texts are no numbers.
            _ => None,
        }
    }
}

impl From<f64> for Exif {
    fn from(value: f64) -> Exif {
        match (1..=8).find(|orientation| f64::from(*orientation) == value) {
            Some(orientation) => Exif::Value(orientation),
            None => Exif::Other,
        }
    }
}

/// The bytes of one value of a type; `None` for types that TIFF does not have.
fn unit(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    /// A directory with an entry of this type, whose value is `field`.
    fn exif(kind: u16, count: u32, field: [u8; 4]) -> Vec<u8> {
        let mut data = b"II*\0\x08\0\0\0\x01\0\x12\x01".to_vec();
        data.extend(kind.to_le_bytes());
        data.extend(count.to_le_bytes());
        data.extend(field);
        data
    }

    #[test]
    fn the_prefix_may_be_missing_or_there_twice() {
        let data = exif(3, 1, [6, 0, 0, 0]);
        for times in 0..3 {
            assert_eq!(orientation(&[b"Exif\0\0".repeat(times), data.clone()].concat()), {
                Exif::Value(6)
            });
        }
        assert_eq!(orientation(&[b"Exif\0\0".repeat(3), data].concat()), Exif::Other);
        assert_eq!(orientation(b"Exif\0\0"), Exif::None);
    }

    #[test]
    fn a_value_that_is_no_orientation_is_one_all_the_same() {
        for (kind, field, expected) in [
            (3, [0, 0, 0, 0], Exif::Other),
            (3, [9, 0, 0, 0], Exif::Other),
            (3, [6, 1, 0, 0], Exif::Other),
            (1, [6, 0, 0, 0], Exif::Other),
            (2, *b"6\0\0\0", Exif::Other),
            (4, [6, 0, 0, 0], Exif::Value(6)),
            (8, [6, 0, 0, 0], Exif::Value(6)),
            (77, [6, 0, 0, 0], Exif::None),
        ] {
            assert_eq!(orientation(&exif(kind, 1, field)), expected, "{kind} {field:?}");
        }
        assert_eq!(orientation(&exif(3, 0, [6, 0, 0, 0])), Exif::None);
        assert_eq!(orientation(&exif(3, u32::MAX, [6, 0, 0, 0])), Exif::None);
    }

    #[test]
    fn data_may_end_anywhere() {
        let data = exif(3, 1, [6, 0, 0, 0]);
        for length in 0..data.len() {
            let expected = if (1..8).contains(&length) { Exif::Other } else { Exif::None };
            assert_eq!(orientation(&data[..length]), expected, "{length}");
        }
    }
}

//! The segments of a JPEG: ITU-T T.81, annex B.

use marker::{EOI, SOS};

/// The markers' second bytes, by the names of the standard.
pub(crate) mod marker {
    pub(crate) const SOF0: u8 = 0xc0;
    pub(crate) const SOF1: u8 = 0xc1;
    pub(crate) const SOF2: u8 = 0xc2;
    pub(crate) const SOF9: u8 = 0xc9;
    pub(crate) const SOF10: u8 = 0xca;
    pub(crate) const DHT: u8 = 0xc4;
    pub(crate) const DAC: u8 = 0xcc;
    pub(crate) const EOI: u8 = 0xd9;
    pub(crate) const SOS: u8 = 0xda;
    pub(crate) const DQT: u8 = 0xdb;
    pub(crate) const DRI: u8 = 0xdd;
    pub(crate) const APP0: u8 = 0xe0;
    pub(crate) const APP1: u8 = 0xe1;
    pub(crate) const APP14: u8 = 0xee;
}

/// A marker and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    /// Its content, without the length.
    pub(crate) body: &'a [u8],
    /// All of it, from the marker on.
    pub(crate) whole: &'a [u8],
}

/// Goes through the segments; behind the header of a scan, over its data to the next.
/// It ends with the image, or where a segment is longer than the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    /// From behind the start of the image.
    pub(crate) fn new(bytes: &'a [u8]) -> Segments<'a> {
        Segments { bytes, at: 2 }
    }

    /// Those before the first scan.
    pub(crate) fn of_header(bytes: &'a [u8]) -> impl Iterator<Item = Segment<'a>> {
        Segments::new(bytes).take_while(|segment| segment.marker != SOS)
    }

    /// The data of the scan whose header was the last segment.
    pub(crate) fn scan_data(&self) -> &'a [u8] {
        let mut end = self.at;
        while let Some(more) = self.bytes.get(end..).and_then(next_mark) {
            end += more;
            // Zero means the byte itself; restarts belong to the scan; a row of marks is one.
            match self.bytes.get(end + 1) {
                Some(0 | 0xd0..=0xd7) => end += 2,
                Some(0xff) => end += 1,
                _ => return &self.bytes[self.at..end],
            }
        }
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

/// How far it is to the next 0xff.
fn next_mark(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == 0xff)
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        loop {
            self.at += next_mark(self.bytes.get(self.at..)?)?;
            let marker = *self.bytes.get(self.at + 1)?;
            match marker {
                EOI => return None,
                // Fill, what is no marker, and markers without a length.
                0xff => self.at += 1,
                0 | 1 | 0xd0..=0xd8 => self.at += 2,
                _ => {
                    let length = self.bytes.get(self.at + 2..)?.first_chunk()?;
                    let length = usize::from(u16::from_be_bytes(*length));
                    let whole = self.bytes.get(self.at..)?.get(..length + 2)?;
                    let body = whole.get(4..)?;
                    self.at += whole.len();
                    return Some(Segment { marker, body, whole });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_is_passed_over_and_scans_end_at_the_next_segment() {
        let jpeg = b"\xff\xd8junk\xff\xff\xe1\0\x04ab\xff\xda\0\x02\x01\xff\0\xff\xd3\xff\xff\xc4\0\x03c\xff\xd9\xff\xe1\0\x02";
        let mut segments = Segments::new(jpeg);
        let first = segments.next().expect("a segment");
        assert_eq!(
            (first.marker, first.body, first.whole),
            (0xe1, &b"ab"[..], &b"\xff\xe1\0\x04ab"[..])
        );
        assert_eq!(segments.next().map(|it| it.marker), Some(SOS));
        assert_eq!(segments.scan_data(), b"\x01\xff\0\xff\xd3\xff");
        assert_eq!(segments.next().map(|it| (it.marker, it.body)), Some((0xc4, &b"c"[..])));
        assert_eq!(segments.next(), None);
        assert_eq!(Segments::of_header(jpeg).count(), 1);
        assert_eq!(Segments::new(b"\xff\xd8\xff\xe1\0\x01").next(), None);
        assert_eq!(Segments::new(b"\xff").next(), None);
    }
}

//! EXIF and XMP in PNG's chunks: eXIf, the text `XML:com.adobe.xmp`, and ImageMagick's
//! text `Raw profile type exif`, which older programs write.
//!
//! Of several chunks of one kind the last counts, wherever it stands, as in Pillow.

use std::borrow::Cow;
use std::collections::VecDeque;

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use super::found::Metadata;
use crate::container::png::Chunks;

const XMP: &[u8] = b"XML:com.adobe.xmp";
const PROFILE: &[u8] = b"Raw profile type exif";
/// What a text may unpack to: Pillow's `MAX_TEXT_CHUNK`. A longer one is not read here,
/// where Pillow refuses the picture.
const LONGEST_TEXT: usize = 1 << 20;
/// How many texts of one kind are tried. Each may take a millisecond to unpack.
const MOST_TEXTS: usize = 16;

/// The texts of one kind, none of them unpacked yet.
#[derive(Default)]
struct Texts<'a>(VecDeque<(&'a [u8; 4], &'a [u8])>);

impl<'a> Texts<'a> {
    fn push(&mut self, kind: &'a [u8; 4], body: &'a [u8]) {
        if self.0.len() == MOST_TEXTS {
            self.0.pop_front();
        }
        self.0.push_back((kind, body));
    }

    /// The last that can be read. An international one that is not UTF-8 counts only where
    /// there is no other.
    fn last(&self) -> Option<Text<'a>> {
        let texts =
            || self.0.iter().rev().filter_map(|(kind, body)| Some((*kind, text(kind, body)?)));
        let is_sound =
            |(kind, text): &(&[u8; 4], Text)| *kind != b"iTXt" || str::from_utf8(text).is_ok();
        texts().find(is_sound).or_else(|| texts().next()).map(|(_, text)| text)
    }
}

/// What a text chunk says.
type Text<'a> = Cow<'a, [u8]>;

/// What all chunks have.
pub(super) fn metadata(bytes: &[u8]) -> Metadata<'_> {
    let mut exif = None;
    let (mut packets, mut profiles) = (Texts::default(), Texts::default());
    let (mut animated, mut image_seen) = (false, false);
    for (name, body) in Chunks::new(bytes) {
        match name {
            b"IEND" => break,
            b"IDAT" => image_seen = true,
            b"acTL" => animated = true,
            // Pillow reads an animation up to its second picture.
            b"fcTL" if animated && image_seen => break,
            b"eXIf" => exif = Some(Cow::Borrowed(body)),
            b"tEXt" | b"zTXt" | b"iTXt" => {
                let Some((key, body)) = at_zero(body) else { continue };
                match key {
                    XMP => packets.push(name, body),
                    PROFILE => profiles.push(name, body),
                    b"exif" if name == b"tEXt" => exif = Some(Cow::Borrowed(body)),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let exif = exif.or_else(|| Some(Cow::Owned(profile(&profiles.last()?)?)));
    Metadata { exif, xmp: packets.last() }
}

/// What a text chunk says, behind its key.
fn text<'a>(kind: &[u8; 4], body: &'a [u8]) -> Option<Text<'a>> {
    match kind {
        b"tEXt" => Some(Cow::Borrowed(body)),
        b"zTXt" => {
            let (method, packed) = body.split_first()?;
            (*method == 0).then(|| unpack(packed)).flatten()
        }
        _ => {
            let (is_packed, rest) = body.split_first()?;
            let (method, rest) = rest.split_first()?;
            let (_language, rest) = at_zero(rest)?;
            let (_translated, text) = at_zero(rest)?;
            match (is_packed, method) {
                (0, _) => Some(Cow::Borrowed(text)),
                (_, 0) => unpack(text),
                _ => None,
            }
        }
    }
}

/// Up to the first zero, and behind it.
fn at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn unpack(packed: &[u8]) -> Option<Text<'static>> {
    match decompress_to_vec_zlib_with_limit(packed, LONGEST_TEXT) {
        Ok(text) => Some(Cow::Owned(text)),
        // Cut short: what is there counts, as in Pillow.
        Err(error) if error.status == TINFLStatus::FailedCannotMakeProgress => {
            Some(Cow::Owned(error.output))
        }
        Err(_) => None,
    }
}

/// A profile: an empty line, its name, its length, and then hexadecimal digits in lines.
fn profile(text: &[u8]) -> Option<Vec<u8>> {
    let lines = text.split(|byte| *byte == b'\n').skip(3);
    let digits: Option<Vec<u8>> = lines
        .flatten()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| digit(*byte))
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

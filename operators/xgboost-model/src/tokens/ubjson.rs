//! Universal Binary JSON (draft 12), big-endian, as far as XGBoost reads and writes it: lists
//! may say how many items they have and of which type all are, objects do not.

use std::borrow::Cow;

use super::token::{DEPTH, Number, Token, fault};
use crate::error::Error;

/// UBJSON that is read from front to back.
#[derive(Debug)]
pub(crate) struct Ubjson<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open>,
    /// Whether a key, or nothing, was last.
    after_key: bool,
}

/// A container that is open.
#[derive(Debug, Clone, Copy)]
enum Open {
    Object,
    /// A list that ends with a bracket.
    Array,
    /// A list of so many items that are still to come, each with its own type.
    Counted(u64),
    /// A list of so many items that are still to come, all of one type.
    Typed(u64, u8),
}

impl<'a> Ubjson<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, open: vec![], after_key: true }
    }

    #[inline]
    pub(super) fn next(&mut self) -> Result<Token<'a>, Error> {
        if self.after_key {
            self.after_key = false;
            let marker = self.byte()?;
            return self.value(marker);
        }
        match self.open.last_mut() {
            None if self.at == self.bytes.len() => Ok(Token::End),
            None => fault(self.at, "unexpected bytes after the end"),
            Some(Open::Counted(0) | Open::Typed(0, _)) => {
                self.open.pop();
                Ok(Token::EndArray)
            }
            Some(Open::Typed(left, marker)) => {
                *left -= 1;
                let marker = *marker;
                self.value(marker)
            }
            Some(Open::Counted(left)) => {
                *left -= 1;
                let marker = self.byte()?;
                self.value(marker)
            }
            Some(Open::Array) => match self.byte()? {
                b']' => {
                    self.open.pop();
                    Ok(Token::EndArray)
                }
                marker => self.value(marker),
            },
            Some(Open::Object) => {
                if self.bytes.get(self.at) == Some(&b'}') {
                    self.at += 1;
                    self.open.pop();
                    return Ok(Token::EndObject);
                }
                self.after_key = true;
                self.text().map(Token::Key)
            }
        }
    }

    /// The value behind a marker.
    #[inline]
    fn value(&mut self, marker: u8) -> Result<Token<'a>, Error> {
        Ok(match marker {
            b'{' => {
                self.begin(Open::Object)?;
                Token::BeginObject
            }
            b'[' => {
                let open = self.list()?;
                self.begin(open)?;
                Token::BeginArray
            }
            b'S' => Token::Text(self.text()?),
            b'C' => match str::from_utf8(self.take(1)?) {
                Ok(text) => Token::Text(Cow::Borrowed(text)),
                Err(_) => return fault(self.at, "text is not UTF-8"),
            },
            b'T' => Token::Flag(true),
            b'F' => Token::Flag(false),
            b'Z' => Token::Null,
            b'd' => Token::Number(Number::Single(f32::from_be_bytes(self.array()?))),
            b'D' => Token::Number(Number::Double(f64::from_be_bytes(self.array()?))),
            _ => Token::Number(Number::Integer(self.integer(marker)?)),
        })
    }

    fn begin(&mut self, open: Open) -> Result<(), Error> {
        if self.open.len() == DEPTH {
            return fault(self.at, "lists are too deep in one another");
        }
        self.open.push(open);
        Ok(())
    }

    /// What a list says of its items.
    fn list(&mut self) -> Result<Open, Error> {
        let marker = match self.bytes.get(self.at) {
            Some(b'$') => {
                self.at += 1;
                let marker = self.byte()?;
                if self.bytes.get(self.at) != Some(&b'#') {
                    return fault(self.at, "a list with a type must have a count");
                }
                Some(marker)
            }
            Some(b'#') => None,
            _ => return Ok(Open::Array),
        };
        self.at += 1;
        let count = self.size()? as u64;
        // Before anybody takes memory for them. Every item takes a byte at least.
        let size = match marker {
            None | Some(b'i' | b'U') => 1,
            Some(b'I') => 2,
            Some(b'l' | b'd') => 4,
            Some(b'L' | b'D') => 8,
            Some(_) => return fault(self.at, "a list cannot have items of this type"),
        };
        if count > ((self.bytes.len() - self.at) / size) as u64 {
            return fault(self.at, "a list has more items than the file has room for");
        }
        Ok(marker.map_or(Open::Counted(count), |marker| Open::Typed(count, marker)))
    }

    /// A size: an integer with its type before it, not negative.
    fn size(&mut self) -> Result<usize, Error> {
        let marker = self.byte()?;
        let begin = self.at;
        let size = self.integer(marker)?;
        usize::try_from(size).or_else(|_| fault(begin, "a size is negative"))
    }

    fn integer(&mut self, marker: u8) -> Result<i64, Error> {
        Ok(match marker {
            b'i' => i8::from_be_bytes(self.array()?).into(),
            b'U' => u8::from_be_bytes(self.array()?).into(),
            b'I' => i16::from_be_bytes(self.array()?).into(),
            b'l' => i32::from_be_bytes(self.array()?).into(),
            b'L' => i64::from_be_bytes(self.array()?),
            _ => return fault(self.at - 1, "unknown type of value"),
        })
    }

    fn text(&mut self) -> Result<Cow<'a, str>, Error> {
        let size = self.size()?;
        let begin = self.at;
        let bytes = self.take(size)?;
        str::from_utf8(bytes).map(Cow::Borrowed).or_else(|_| fault(begin, "text is not UTF-8"))
    }

    fn byte(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else { return fault(self.bytes.len(), "truncated") };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }
}

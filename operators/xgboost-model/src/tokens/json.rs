//! JSON, with the numbers `NaN`, `Infinity` and `-Infinity`, which XGBoost writes: thresholds
//! of nodes that test categories are NaN.

use std::borrow::Cow;

use super::token::{DEPTH, Number, Token, fault};
use crate::error::Error;

/// JSON that is read from front to back.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The containers that are open: whether each is an object.
    open: Vec<bool>,
    after: After,
}

/// What was last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nothing, or a key.
    Key,
    /// The beginning of a container.
    Begin,
    /// A whole value.
    Value,
}

impl<'a> Json<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, open: vec![], after: After::Key }
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, Error> {
        let byte = self.peek();
        match (self.after, self.open.last(), byte) {
            (After::Key, ..) => self.value(byte),
            (After::Value, None, None) => Ok(Token::End),
            (After::Value, None, Some(_)) => fault(self.at, "unexpected bytes after the end"),
            (_, Some(true), Some(b'}')) => self.end(Token::EndObject),
            (_, Some(false), Some(b']')) => self.end(Token::EndArray),
            (After::Begin, Some(true), _) => self.key(),
            (After::Begin, ..) => self.value(byte),
            (After::Value, Some(object), Some(b',')) => {
                let object = *object;
                self.at += 1;
                if object {
                    self.peek();
                    return self.key();
                }
                let byte = self.peek();
                self.value(byte)
            }
            (After::Value, ..) => fault(self.at, "expected a comma or the end of the list"),
        }
    }

    /// Passes over blanks; the byte behind them.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.bytes.get(self.at).copied();
            match byte {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                _ => return byte,
            }
        }
    }

    fn end(&mut self, token: Token<'a>) -> Result<Token<'a>, Error> {
        self.at += 1;
        self.open.pop();
        self.after = After::Value;
        Ok(token)
    }

    fn key(&mut self) -> Result<Token<'a>, Error> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return fault(self.at, "expected a key in quotes");
        }
        let key = self.text()?;
        if self.peek() != Some(b':') {
            return fault(self.at, "expected a colon");
        }
        self.at += 1;
        self.after = After::Key;
        Ok(Token::Key(key))
    }

    #[inline]
    fn value(&mut self, byte: Option<u8>) -> Result<Token<'a>, Error> {
        self.after = After::Value;
        match byte {
            Some(b'{') => self.begin(true, Token::BeginObject),
            Some(b'[') => self.begin(false, Token::BeginArray),
            Some(b'"') => self.text().map(Token::Text),
            Some(b't') => self.word("true", Token::Flag(true)),
            Some(b'f') => self.word("false", Token::Flag(false)),
            Some(b'n') => self.word("null", Token::Null),
            Some(b'N') => self.word("NaN", Token::Number(Number::Single(f32::NAN))),
            Some(b'I') => self.word("Infinity", Token::Number(Number::Single(f32::INFINITY))),
            Some(b'-') if self.bytes.get(self.at + 1) == Some(&b'I') => {
                self.word("-Infinity", Token::Number(Number::Single(f32::NEG_INFINITY)))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            None => fault(self.at, "truncated"),
            Some(_) => fault(self.at, "expected a value"),
        }
    }

    fn begin(&mut self, object: bool, token: Token<'a>) -> Result<Token<'a>, Error> {
        if self.open.len() == DEPTH {
            return fault(self.at, "lists are too deep in one another");
        }
        self.at += 1;
        self.open.push(object);
        self.after = After::Begin;
        Ok(token)
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, Error> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return fault(self.at, "expected a value");
        }
        self.at += word.len();
        Ok(token)
    }

    fn number(&mut self) -> Result<Token<'a>, Error> {
        let begin = self.at;
        let mut is_integer = true;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'0'..=b'9' | b'-' => {}
                b'.' | b'e' | b'E' | b'+' => is_integer = false,
                _ => break,
            }
            self.at += 1;
        }
        let text = str::from_utf8(&self.bytes[begin..self.at]).unwrap_or_default();
        let integer = if is_integer { text.parse().ok() } else { None };
        let number = match integer {
            Some(integer) => Number::Integer(integer),
            None if text.parse::<f64>().is_ok() => Number::Decimal(text),
            None => return fault(begin, "not a number"),
        };
        Ok(Token::Number(number))
    }

    /// A text in quotes, which borrows from the bytes unless something is escaped in it.
    fn text(&mut self) -> Result<Cow<'a, str>, Error> {
        self.at += 1;
        let begin = self.at;
        let mut unescaped: Option<Vec<u8>> = None;
        loop {
            match self.bytes.get(self.at) {
                None => return fault(begin, "text without an end"),
                Some(b'"') => break,
                Some(b'\\') => {
                    let before = &self.bytes[begin..self.at];
                    let mut text = unescaped.take().unwrap_or_else(|| before.to_vec());
                    let character = self.escaped()?;
                    text.extend(character.encode_utf8(&mut [0; 4]).bytes());
                    unescaped = Some(text);
                }
                Some(byte) => {
                    if let Some(text) = &mut unescaped {
                        text.push(*byte);
                    }
                    self.at += 1;
                }
            }
        }
        let end = self.at;
        self.at += 1;
        let text = match unescaped {
            Some(text) => String::from_utf8(text).ok().map(Cow::Owned),
            None => str::from_utf8(&self.bytes[begin..end]).ok().map(Cow::Borrowed),
        };
        text.map_or_else(|| fault(begin, "text is not UTF-8"), Ok)
    }

    /// What stands behind a backslash.
    fn escaped(&mut self) -> Result<char, Error> {
        let byte = self.bytes.get(self.at + 1).copied();
        self.at += 2;
        Ok(match byte {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte.into(),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.unit()?;
                let is_high = (0xD800..0xDC00).contains(&first);
                let code = if is_high && self.bytes[self.at..].starts_with(b"\\u") {
                    self.at += 2;
                    let second = self.unit()?;
                    // Beyond all characters unless it is the second half of one.
                    let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400);
                    low.map_or(u32::MAX, |low| 0x1_0000 + ((first - 0xD800) << 10) + low)
                } else {
                    first
                };
                match char::from_u32(code) {
                    Some(character) => character,
                    None => return fault(self.at, "not a character"),
                }
            }
            _ => return fault(self.at, "unknown escape in a text"),
        })
    }

    /// Four hexadecimal digits. At an error, nothing is read any more.
    fn unit(&mut self) -> Result<u32, Error> {
        let digits = self.bytes.get(self.at..self.at + 4).and_then(|it| str::from_utf8(it).ok());
        let unit = digits
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        unit.map_or_else(|| fault(self.at.min(self.bytes.len()), "expected four digits"), Ok)
    }
}

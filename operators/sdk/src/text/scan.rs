//! The grammar of JSON (RFC 8259), token by token. Nothing is copied, and no byte is looked at
//! twice. `None` is for what the grammar does not have.

/// A place in a text.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

/// What stands between the quotes of a string.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) inside: &'a [u8],
    /// Whether there are escapes in it.
    pub(super) escaped: bool,
}

/// A value as it is written.
pub(super) enum Raw<'a> {
    Text(Text<'a>),
    Number(&'a [u8]),
    Null,
    Bool(bool),
    Array,
    Object,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    /// Where it is.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Passes white space. Returns the byte that follows.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.text.get(self.at)? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Passes the byte that [`peek`](Scanner::peek) has returned.
    #[inline]
    pub(super) fn pass(&mut self) {
        self.at += 1;
    }

    /// Passes white space and this byte.
    #[inline]
    pub(super) fn byte(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// After an opening bracket: whether there is something before the closing one, which is
    /// passed otherwise.
    #[inline]
    pub(super) fn is_any(&mut self, close: u8) -> Option<bool> {
        let is_any = self.peek()? != close;
        self.at += usize::from(!is_any);
        Some(is_any)
    }

    /// After a value in brackets: passes the comma before another, or the closing bracket.
    #[inline]
    pub(super) fn is_another(&mut self, close: u8) -> Option<bool> {
        let byte = self.peek()?;
        self.at += 1;
        (byte == b',' || byte == close).then_some(byte == b',')
    }

    /// Passes white space to the end of the text.
    pub(super) fn finish(&mut self) -> Option<()> {
        match self.peek() {
            None => Some(()),
            Some(_) => None,
        }
    }

    /// A key and the colon after it.
    #[inline]
    pub(super) fn key(&mut self) -> Option<Text<'a>> {
        self.byte(b'"')?;
        let key = self.string()?;
        self.byte(b':')?;
        Some(key)
    }

    /// One value. `open` is memory for the brackets in it, so that however many there are
    /// costs no stack.
    #[inline]
    pub(super) fn value(&mut self, open: &mut Vec<u8>) -> Option<Raw<'a>> {
        let byte = self.peek()?;
        let start = self.at;
        self.at += 1;
        Some(match byte {
            b'"' => Raw::Text(self.string()?),
            b'-' | b'0'..=b'9' => {
                self.number(byte)?;
                Raw::Number(&self.text[start..self.at])
            }
            b'n' => self.word(b"ull", Raw::Null)?,
            b't' => self.word(b"rue", Raw::Bool(true))?,
            b'f' => self.word(b"alse", Raw::Bool(false))?,
            b'[' => {
                self.brackets(byte, open)?;
                Raw::Array
            }
            b'{' => {
                self.brackets(byte, open)?;
                Raw::Object
            }
            _ => return None,
        })
    }

    #[inline]
    fn word(&mut self, rest: &[u8], value: Raw<'a>) -> Option<Raw<'a>> {
        self.text[self.at..].starts_with(rest).then(|| {
            self.at += rest.len();
            value
        })
    }

    /// The rest of a string whose opening quote is passed.
    #[inline]
    fn string(&mut self) -> Option<Text<'a>> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.plain();
            match *self.text.get(self.at)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(Text { inside: &self.text[start..self.at - 1], escaped })
    }

    /// Passes bytes of a string, eight at a time, to one that means something or to the last
    /// few of the text.
    #[inline]
    fn plain(&mut self) {
        const fn repeat(byte: u8) -> u64 {
            u64::from_ne_bytes([byte; 8])
        }
        // The highest bit of each byte that is zero. A byte above one that is may have it too.
        let zeros = |word: u64| word.wrapping_sub(repeat(1)) & !word;
        while let Some(bytes) = self.text[self.at..].first_chunk() {
            let word = u64::from_le_bytes(*bytes);
            let control = word.wrapping_sub(repeat(0x20)) & !word;
            let found = control | zeros(word ^ repeat(b'"')) | zeros(word ^ repeat(b'\\'));
            let found = found & repeat(0x80);
            if found != 0 {
                self.at += found.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
    }

    /// A backslash and what belongs to it. Whether it makes a character is seen when the
    /// string is wanted.
    #[inline(never)]
    fn escape(&mut self) -> Option<()> {
        let after = &self.text[self.at + 1..];
        self.at += match after {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', digits @ ..] => {
                let digits = digits.first_chunk::<4>()?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(6)?
            }
            _ => return None,
        };
        Some(())
    }

    /// The rest of a number that begins with this byte.
    #[inline]
    fn number(&mut self, first: u8) -> Option<()> {
        let first = if first == b'-' { self.digit()? } else { first };
        // Only a zero alone may begin with one.
        if first != b'0' {
            self.digits();
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digit()?;
            self.digits();
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.digit()?;
            self.digits();
        }
        Some(())
    }

    #[inline]
    fn digit(&mut self) -> Option<u8> {
        let digit = self.text.get(self.at).copied().filter(u8::is_ascii_digit)?;
        self.at += 1;
        Some(digit)
    }

    #[inline]
    fn digits(&mut self) {
        while self.digit().is_some() {}
    }

    /// The rest of an array or object, with all that is in it.
    #[inline(never)]
    fn brackets(&mut self, first: u8, open: &mut Vec<u8>) -> Option<()> {
        let close = |bracket| if bracket == b'[' { b']' } else { b'}' };
        open.clear();
        let mut opened = Some(first);
        loop {
            // A bracket was opened, or a value in one has ended.
            let (bracket, is_more) = match opened {
                Some(bracket) => {
                    open.push(bracket);
                    (bracket, self.is_any(close(bracket))?)
                }
                None => {
                    let bracket = *open.last()?;
                    (bracket, self.is_another(close(bracket))?)
                }
            };
            opened = None;
            if !is_more {
                open.pop();
                if open.is_empty() {
                    return Some(());
                }
                continue;
            }
            if bracket == b'{' {
                self.key()?;
            }
            match self.peek()? {
                byte @ (b'[' | b'{') => {
                    self.at += 1;
                    opened = Some(byte);
                }
                // Never an array or object, so that `open` is not touched.
                _ => {
                    self.value(&mut Vec::new())?;
                }
            }
        }
    }
}

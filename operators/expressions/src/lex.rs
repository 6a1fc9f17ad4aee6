//! The words of an expression.

use crate::problem::Problem;

/// One word, and the byte at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) at: usize,
    pub(crate) word: Word,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Word {
    Name(String),
    /// Digits, without a sign; what they are worth depends on one before them.
    Int(u64),
    Number(f64),
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}",
];

/// Words that the Common Expression Language keeps for itself.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The words of a text, with [`Word::End`] behind them.
pub(crate) fn words(source: &str) -> Result<Vec<Token>, Problem> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip();
        let at = lexer.at;
        let word = lexer.word()?;
        let is_end = word == Word::End;
        tokens.push(Token { at, word });
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn problem(&self, at: usize, message: impl Into<String>) -> Problem {
        Problem::at(self.source, at, message)
    }

    /// White space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let left = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
            let left = match left.strip_prefix("//") {
                Some(comment) => comment.find('\n').map_or("", |end| &comment[end..]),
                None => left,
            };
            self.at += rest.len() - left.len();
            if left.len() == rest.len() {
                return;
            }
        }
    }

    /// As many of the characters that come as `is` accepts.
    fn take(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn word(&mut self) -> Result<Word, Problem> {
        let rest = self.rest();
        let at = self.at;
        let mut characters = rest.chars();
        let Some(first) = characters.next() else { return Ok(Word::End) };
        let second = characters.next();
        if first.is_ascii_digit() || first == '.' && second.is_some_and(|c| c.is_ascii_digit()) {
            return self.number();
        }
        let raw = matches!(first, 'r' | 'R') && matches!(second, Some('"' | '\''));
        if raw || matches!(first, '"' | '\'') {
            self.at += usize::from(raw);
            return self.text(raw);
        }
        if matches!(first, 'b' | 'B') && matches!(second, Some('"' | '\'')) {
            return Err(self.problem(at, "bytes are not offered; write text, without the 'b'"));
        }
        if first == '`' {
            let Some(end) =
                rest[1..].find(['`', '\n']).filter(|end| rest[1..][*end..].starts_with('`'))
            else {
                return Err(self.problem(at, "the name has no end; add a '`' behind it"));
            };
            self.at += end + 2;
            return Ok(Word::Name(rest[1..=end].to_owned()));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let name = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
            if RESERVED.contains(&name) {
                let message = format!("'{name}' is a reserved word; for a variable write `{name}`");
                return Err(self.problem(at, message));
            }
            return Ok(Word::Name(name.to_owned()));
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
            return Ok(Word::Sign(sign));
        }
        let instead = match first {
            '=' => "; to compare write '=='",
            '&' => "; to combine conditions write '&&'",
            '|' => "; to combine conditions write '||'",
            '“' | '”' | '‘' | '’' => "; write straight quotes",
            _ => "; a name with other characters than letters, digits and '_' stands between '`'",
        };
        Err(self.problem(at, format!("unexpected {first:?}{instead}")))
    }

    fn number(&mut self) -> Result<Word, Problem> {
        let at = self.at;
        let rest = self.rest();
        let word = if rest.starts_with("0x") || rest.starts_with("0X") {
            self.at += 2;
            let digits = self.take(|c| c.is_ascii_hexdigit());
            u64::from_str_radix(digits, 16).ok().map(Word::Int)
        } else {
            let whole = self.take(|c| c.is_ascii_digit()).len();
            let mut is_whole = true;
            let digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
            if self.rest().strip_prefix('.').is_some_and(digit) {
                self.at += 1;
                self.take(|c| c.is_ascii_digit());
                is_whole = false;
            }
            if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
                let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if digit(unsigned) {
                    self.at += 1 + exponent.len() - unsigned.len();
                    self.take(|c| c.is_ascii_digit());
                    is_whole = false;
                }
            }
            match is_whole {
                true => rest[..whole].parse().ok().map(Word::Int),
                false => {
                    let number = rest[..self.at - at].parse().ok();
                    number.filter(|number: &f64| number.is_finite()).map(Word::Number)
                }
            }
        };
        if self.rest().starts_with(['u', 'U']) {
            let message = "unsigned numbers are not offered; leave out the 'u'";
            return Err(self.problem(self.at, message));
        }
        if self.rest().starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return Err(self.problem(self.at, "a number ends here; write a space or an operator"));
        }
        word.ok_or_else(|| {
            let message = "not a number of 64 bits; write a smaller one, or one with an exponent";
            self.problem(at, message)
        })
    }

    fn text(&mut self, raw: bool) -> Result<Word, Problem> {
        let start = self.at;
        let rest = self.rest();
        let quote = &rest[..1];
        let triple = quote.repeat(3);
        let is_triple = rest.starts_with(&triple);
        let end: &str = if is_triple { &triple } else { quote };
        self.at += end.len();
        let mut text = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(end) {
                self.at += end.len();
                return Ok(Word::Text(text));
            }
            match rest.chars().next() {
                Some('\\') if raw => {
                    // As in CEL, a raw text has no way to write its quote.
                    text.push('\\');
                    self.at += 1;
                }
                Some('\\') => text.push(self.escape()?),
                Some('\n' | '\r') | None if !is_triple => {
                    let message = format!("the text has no end; add a {quote} behind it");
                    return Err(self.problem(start, message));
                }
                None => {
                    let message = format!("the text has no end; add {end} behind it");
                    return Err(self.problem(start, message));
                }
                // Line ends are the same on every system.
                Some('\r') => {
                    self.at += if rest.starts_with("\r\n") { 2 } else { 1 };
                    text.push('\n');
                }
                Some(c) => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, Problem> {
        let at = self.at;
        let unknown = |lexer: &Self| {
            let message =
                "unknown escape; write \\\\ for a backslash, or put an r in front of the text";
            lexer.problem(at, message)
        };
        self.at += 1;
        let Some(kind) = self.rest().chars().next() else { return Err(unknown(self)) };
        self.at += kind.len_utf8();
        let (digits, radix) = match kind {
            'a' => return Ok('\u{7}'),
            'b' => return Ok('\u{8}'),
            'f' => return Ok('\u{c}'),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'v' => return Ok('\u{b}'),
            '\\' | '?' | '"' | '\'' | '`' => return Ok(kind),
            'x' | 'X' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='3' => {
                self.at -= 1;
                (3, 8)
            }
            _ => return Err(unknown(self)),
        };
        let code = self.rest().get(..digits).and_then(|text| {
            let fine = text.chars().all(|c| c.is_digit(radix));
            fine.then(|| u32::from_str_radix(text, radix).ok()).flatten()
        });
        self.at += digits;
        code.and_then(char::from_u32).ok_or_else(|| unknown(self))
    }
}

//! Rust's source as words and signs, without comments, literals and what is only compiled for
//! tests.

/// A word, or a sign; `::` is one sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As it is written.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
}

impl Token {
    /// Whether it may name something.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// The tokens of a file, the items under `#[cfg(test)]` left out.
pub fn tokens(source: &str) -> Vec<Token> {
    without_tests(all_tokens(source))
}

fn all_tokens(source: &str) -> Vec<Token> {
    let letters: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < letters.len() {
        let end = token_end(&letters, at);
        let text: String = letters[at..end].iter().collect();
        let kept = match letters[at] {
            first if first.is_alphabetic() || first == '_' => !text.ends_with(['"', '\'', '#']),
            '/' => end == at + 1,
            first => !first.is_whitespace() && !first.is_numeric() && !"\"'".contains(first),
        };
        if kept {
            tokens.push(Token { text: text.trim_start_matches("r#").to_owned(), line });
        }
        line += letters[at..end].iter().filter(|letter| **letter == '\n').count();
        at = end;
    }
    tokens
}

/// Where the token, the space, the comment or the literal ends that begins at `at`.
fn token_end(letters: &[char], at: usize) -> usize {
    let next = letters.get(at + 1).copied().unwrap_or(' ');
    match letters[at] {
        '/' if next == '/' => after(letters, at, |letter| letter != '\n'),
        '/' if next == '*' => comment_end(letters, at),
        '"' => string_end(letters, at + 1, 0),
        // A character or a lifetime.
        '\'' if next == '\\' => {
            let close = letters.iter().skip(at + 3).position(|letter| *letter == '\'');
            close.map_or(letters.len(), |close| at + 3 + close + 1)
        }
        '\'' if letters.get(at + 2) == Some(&'\'') => at + 3,
        '\'' => after(letters, at + 1, is_of_word),
        ':' if next == ':' => at + 2,
        first if first.is_numeric() => after(letters, at, is_of_word),
        first if is_of_word(first) => {
            let end = after(letters, at, is_of_word);
            let prefix: String = letters[at..end].iter().collect();
            literal_end(letters, &prefix, end).unwrap_or(end)
        }
        first if first.is_whitespace() => after(letters, at, char::is_whitespace),
        _ => at + 1,
    }
}

/// Where the literal ends whose prefix ends at `end`, or the word after `r#`.
fn literal_end(letters: &[char], prefix: &str, end: usize) -> Option<usize> {
    let quote = letters.get(end).copied()?;
    match (prefix, quote) {
        ("b" | "c", '"') => Some(string_end(letters, end + 1, 0)),
        ("b", '\'') => Some(token_end(letters, end)),
        ("r" | "br" | "cr", '"' | '#') => {
            let open = after(letters, end, |letter| letter == '#');
            match letters.get(open) {
                Some('"') if open == end => {
                    let close = letters.iter().skip(open + 1).position(|it| *it == '"');
                    Some(close.map_or(letters.len(), |close| open + 1 + close + 1))
                }
                Some('"') => Some(string_end(letters, open + 1, open - end)),
                _ => Some(after(letters, open, is_of_word)),
            }
        }
        _ => None,
    }
}

/// Where the string ends whose text begins at `at`; with hashes it is a raw one.
fn string_end(letters: &[char], mut at: usize, hashes: usize) -> usize {
    while at < letters.len() {
        let closes = |at: usize| letters[at + 1..].iter().take(hashes).all(|it| *it == '#');
        match letters[at] {
            '\\' if hashes == 0 => at += 1,
            '"' if closes(at) => return (at + 1 + hashes).min(letters.len()),
            _ => {}
        }
        at += 1;
    }
    letters.len()
}

fn comment_end(letters: &[char], at: usize) -> usize {
    let (mut at, mut depth) = (at + 2, 1);
    while at < letters.len() && depth > 0 {
        match (letters[at], letters.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 1),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 1),
            _ => {}
        }
        at += 1;
    }
    at.min(letters.len())
}

fn after(letters: &[char], at: usize, belongs: impl Fn(char) -> bool) -> usize {
    let length = letters.iter().skip(at).take_while(|letter| belongs(**letter)).count();
    at + length
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if is_for_tests(&tokens[at..]) {
            at = item_end(&tokens, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Whether `#[cfg(test)]` or `#[cfg(all(test, ...))]` is next.
fn is_for_tests(tokens: &[Token]) -> bool {
    let begins = |with: &[&str]| {
        tokens.len() >= with.len() && tokens.iter().zip(with).all(|(it, text)| it.text == *text)
    };
    begins(&["#", "[", "cfg", "(", "test", ")"])
        || begins(&["#", "[", "cfg", "(", "all", "(", "test"])
}

/// Where the item ends whose first attribute begins at `at`.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|it| it.text == "#") {
        at = group_end(tokens, at + 1);
    }
    // The braces of a `use` do not end it.
    let is_use = tokens[at..].iter().take(5).any(|it| it.text == "use");
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            ";" => return at + 1,
            "{" if !is_use => return group_end(tokens, at),
            "{" | "(" | "[" => at = group_end(tokens, at),
            // The end of what the item is in: it was a field, or an arm.
            "}" | ")" | "]" => return at,
            _ => at += 1,
        }
    }
    at
}

/// Where the brackets end that begin at `at`.
fn group_end(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        tokens(source).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_are_left_out() {
        let source = "/* a /* b */ c */ let x = \"use \\\" y\"; // z\nr#\"q \" r\"# b'\\'' 'd' \
                      r\"\\\" 'e1: &'f str 1_000u8 br\"g\" after";
        assert_eq!(texts(source), ["let", "x", "=", ";", ":", "&", "str", "after"]);
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let last = tokens("/*\n*/ a \"\n\n\" b\n::c").pop();
        assert_eq!(last, Some(Token { text: "c".to_owned(), line: 5 }));
    }

    #[test]
    fn raw_identifiers_are_words() {
        assert_eq!(texts("r#type::b r##\"x\"#\"## c"), ["type", "::", "b", "c"]);
    }

    #[test]
    fn what_is_for_tests_is_left_out() {
        let source = "a #[cfg(test)] #[x] use b::{c}; d #[cfg(test)] fn e() { f } g \
                      #[cfg(test)] mod tests { } h { #[cfg(test)] i: J } k";
        assert_eq!(texts(source), ["a", "d", "g", "h", "{", "}", "k"]);
    }
}

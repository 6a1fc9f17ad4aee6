//! `[source] topics`: names, and expressions that topics' names match.

use regex_automata::nfa::thompson::pikevm::PikeVM;

/// What an entry of `[source] topics` begins with that is an expression.
const SIGN: char = '^';

/// Whether an entry of `[source] topics` is an expression, not a name.
pub fn is_pattern(entry: &str) -> bool {
    entry.starts_with(SIGN)
}

/// An expression that topics' names match. librdkafka compares the names on the brokers
/// with it, as a POSIX extended regular expression; this is the part of those in which
/// another engine means the same, so that what a pipeline reads can be foretold.
#[derive(Debug, Clone)]
pub struct Pattern(PikeVM);

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// Where it is none, or one that librdkafka would read otherwise.
    pub fn new(expression: &str) -> Result<Self, String> {
        if let Some(part) = unsure(expression) {
            return Err(format!(
                "'{expression}' contains '{part}', which librdkafka does not support or reads \
                 differently; use a POSIX extended regular expression, as in ^flights-[0-9]+$"
            ));
        }
        let read = PikeVM::new(expression);
        read.map(Pattern).map_err(|error| {
            format!("'{expression}' is not a regular expression: {}", cause(&error))
        })
    }

    /// Whether a topic's name matches.
    pub fn matches(&self, topic: &str) -> bool {
        self.0.is_match(&mut self.0.create_cache(), topic)
    }
}

/// The first part of an expression that two engines may read differently. Of what can be
/// escaped only the dot is ever in a topic's name.
fn unsure(expression: &str) -> Option<&str> {
    let perl = ["(?", "*?", "+?", "??", "}?", "^*", "^+", "^?", "^{"];
    let mut in_brackets = false;
    for (index, char) in expression.char_indices() {
        let rest = &expression[index..];
        let part = rest.char_indices().nth(2).map_or(rest, |(end, _)| &rest[..end]);
        let known = match char {
            '\\' => part == r"\.",
            '[' if in_brackets => part == "[:",
            _ if in_brackets => !["&&", "--", "~~"].contains(&part),
            _ => !perl.contains(&part),
        };
        if !known {
            return Some(part);
        }
        match char {
            '[' => in_brackets = true,
            // That of a class of characters, as in [[:digit:]], ends no brackets.
            ']' => in_brackets = expression[..index].ends_with(':'),
            _ => {}
        }
    }
    None
}

/// The last line of what the engine says, which draws a picture above it.
fn cause(error: &dyn std::error::Error) -> String {
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_or_do_not() {
        let matches = |pattern: &str, topic: &str| {
            Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(topic))
        };
        assert!(matches("^flights-.*", "flights-eu"));
        assert!(matches("^flights", "flights-eu"));
        assert!(!matches("^flights$", "flights-eu"));
        assert!(!matches("^flights", "late-flights"));
        assert!(matches(r"^a\.b(c|d)+[[:digit:]]{2}$", "a.bcd12"));
        assert!(!matches(r"^a\.b", "acb"));
    }

    #[test]
    fn what_two_engines_would_read_otherwise_is_refused() {
        let error = |pattern: &str| Pattern::new(pattern).err().unwrap_or_default();
        for pattern in [
            r"^a\d", r"^a\.\w", "^(?i)a", "^a.*?", "^[a", "^(a", "^a{2,1}", "^*", "^[a[b]]",
            "^[a\\]]",
        ] {
            let error = error(pattern);
            assert!(error.starts_with(&format!("'{pattern}' ")), "{pattern}: {error}");
        }
        assert!(error(r"^a\d").contains(r"contains '\d', which"));
    }
}

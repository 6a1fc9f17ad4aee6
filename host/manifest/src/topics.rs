//! `[source] topics`: names, and regular expressions that match topic names.

use regex_automata::nfa::thompson::pikevm::PikeVM;

/// The first character of an expression in `[source] topics`.
const SIGN: char = '^';

/// Whether an entry of `[source] topics` is an expression, not a name.
pub fn is_pattern(entry: &str) -> bool {
    entry.starts_with(SIGN)
}

/// A regular expression that matches topic names. librdkafka matches the names on the brokers
/// with it, as a POSIX extended regular expression; only the subset is accepted that
/// Rust's engine reads the same way, so that a pipeline's topics can be predicted.
#[derive(Debug, Clone)]
pub struct Pattern(PikeVM);

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// If it is invalid, or librdkafka would read it differently.
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

/// The first part of an expression that the two engines may read differently. Of all that can be
/// escaped, topic names contain only the dot.
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
            // The bracket of a character class, as in [[:digit:]], does not end the brackets.
            ']' => in_brackets = expression[..index].ends_with(':'),
            _ => {}
        }
    }
    None
}

/// The last line of the engine's message; the lines above point at the place.
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

//! Names of operators: the same for every language, so that one can be rewritten in
//! another. A name is a crate, a stage and a file.

use sandbar_sandbox::stage_name_problem;

/// Characters of a name at most: the limit of cargo's registries.
const LENGTH: usize = 64;

/// Words that rustc rejects as the name of a crate, of all editions.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "raw", "union",
];

/// Crates that every operator already uses.
const CRATES: [&str; 8] =
    ["alloc", "core", "proc-macro", "sandbar-operator", "serde", "serde-json", "std", "test"];

/// What is wrong with a name, and what to do.
pub(super) fn problem(name: &str) -> Option<String> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(fine) {
        let better: String = name.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-");
        let example = if better != name && problem(&better).is_none() {
            better
        } else {
            "flight-features".to_owned()
        };
        return Some(format!(
            "it must begin with a lower-case letter and have only lower-case letters, digits, '-' and '_', \
             as in '{example}'"
        ));
    }
    if name.len() > LENGTH {
        return Some(format!("it can have at most {LENGTH} characters; use a shorter one"));
    }
    if KEYWORDS.contains(&name) {
        return Some(format!("it is a reserved word of Rust; use another, as '{name}-operator'"));
    }
    if CRATES.contains(&name.replace('_', "-").as_str()) {
        return Some(format!("it is the name of a library; use another, as 'my-{name}'"));
    }
    stage_name_problem(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates_and_stages() {
        for name in ["words", "flight-features", "a", "tabular_score", "x1"] {
            assert_eq!(problem(name), None, "{name}");
        }
        let long = "a".repeat(65);
        for name in [
            "",
            "Words",
            "1st",
            "-a",
            "_a",
            "a b",
            "a/b",
            "../a",
            "a.b",
            "ä",
            "self",
            "serde_json",
            "sandbar-operator",
            "source",
            &long,
        ] {
            assert!(problem(name).is_some(), "{name}");
        }
        assert!(problem("My Words").is_some_and(|why| why.ends_with("as in 'my-words'")));
        assert!(problem("Self").is_some_and(|why| why.ends_with("as in 'flight-features'")));
    }
}

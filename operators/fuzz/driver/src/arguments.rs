//! The arguments of a program of fuzz targets.
//!
//! `--fuzz [TARGET] [--seconds N] [--seed N] [--list | --coverage | --input FILE]`, which
//! `cargo xtask fuzz` gives. Without `--fuzz` in front `cargo test` is calling, whose
//! arguments are those of libtest: a filter counts, the rest means nothing here.

use std::path::PathBuf;
use std::time::Duration;

use crate::Target;

/// How long `cargo test` runs each target.
const TEST_SECONDS: u64 = 2;
/// The seed of `cargo test`: a build must not fail by chance.
const TEST_SEED: u64 = 1;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Run on the stable toolchain.
    Stable,
    /// Run by libFuzzer.
    Coverage,
    /// Say which targets there are.
    List,
    /// Run one input.
    Input(PathBuf),
}

/// What the program is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub mode: Mode,
    /// How long each target runs.
    pub seconds: Duration,
    /// What the changes follow from.
    pub seed: u64,
    names: Vec<String>,
    /// Whether `names` are parts of names, as in libtest.
    filter: bool,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// Where one is not known, or a number is missing.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.peekable();
        if arguments.next_if(|first| first == "--fuzz").is_none() {
            return Ok(Self::of_libtest(arguments));
        }
        let mut parsed = Arguments {
            mode: Mode::Stable,
            seconds: Duration::from_secs(TEST_SECONDS),
            seed: TEST_SEED,
            names: Vec::new(),
            filter: false,
        };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let text = arguments.next().unwrap_or_default();
                text.parse().map_err(|_| format!("{argument}: expected a number, got {text:?}"))
            };
            match argument.as_str() {
                "--seconds" => parsed.seconds = Duration::from_secs(number()?),
                "--seed" => parsed.seed = number()?,
                "--list" => parsed.mode = Mode::List,
                "--coverage" => parsed.mode = Mode::Coverage,
                "--input" => {
                    let file = arguments.next().ok_or("--input: expected a file")?;
                    parsed.mode = Mode::Input(file.into());
                }
                name if !name.starts_with('-') => parsed.names.push(argument),
                _ => return Err(format!("{argument}: not known")),
            }
        }
        Ok(parsed)
    }

    fn of_libtest(arguments: impl Iterator<Item = String>) -> Self {
        let arguments: Vec<String> = arguments.collect();
        let list = arguments.iter().any(|argument| argument == "--list");
        Arguments {
            mode: if list { Mode::List } else { Mode::Stable },
            seconds: Duration::from_secs(TEST_SECONDS),
            seed: TEST_SEED,
            names: arguments.into_iter().filter(|it| !it.starts_with('-')).collect(),
            filter: true,
        }
    }

    /// The targets that are named, or all.
    ///
    /// # Errors
    /// Where a name is that of none.
    pub fn select(&self, targets: &[Target]) -> Result<Vec<Target>, String> {
        let named = |target: &&Target| {
            self.names.is_empty()
                || self.names.iter().any(|name| match self.filter {
                    true => target.name.contains(name.as_str()),
                    false => target.name == name,
                })
        };
        let selected: Vec<Target> = targets.iter().filter(named).copied().collect();
        if selected.is_empty() && !self.filter {
            let known: Vec<&str> = targets.iter().map(|target| target.name).collect();
            return Err(format!(
                "{:?}: no such target; there are {}",
                self.names,
                known.join(", ")
            ));
        }
        Ok(selected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: [Target; 2] = [
        Target { name: "one", run: |_| {}, seeds: &[], max_len: 1 },
        Target { name: "two", run: |_| {}, seeds: &[], max_len: 1 },
    ];

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    fn selected(line: &str) -> Result<Vec<&'static str>, String> {
        let selected = parse(line)?.select(&TARGETS)?;
        Ok(selected.iter().map(|target| target.name).collect())
    }

    #[test]
    fn by_hand_a_name_is_a_name() {
        assert_eq!(selected("--fuzz two"), Ok(vec!["two"]));
        assert_eq!(selected("--fuzz"), Ok(vec!["one", "two"]));
        assert!(selected("--fuzz three").is_err());
        assert!(parse("--fuzz --no-such-thing").is_err());
        assert!(parse("--fuzz --seconds soon").is_err());
        let arguments = parse("--fuzz one --seconds 7 --seed 8").ok();
        let arguments = arguments.map(|it| (it.mode, it.seconds.as_secs(), it.seed));
        assert_eq!(arguments, Some((Mode::Stable, 7, 8)));
    }

    #[test]
    fn arguments_of_libtest_do_no_harm() {
        assert_eq!(selected("--nocapture"), Ok(vec!["one", "two"]));
        assert_eq!(selected("tw --nocapture"), Ok(vec!["two"]));
        assert_eq!(selected("something_else"), Ok(vec![]));
    }
}

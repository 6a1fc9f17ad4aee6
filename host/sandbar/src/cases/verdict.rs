//! Whether actual results match the expected ones, and where they differ.

/// Whether the actual results match the expected ones.
#[derive(Debug)]
pub enum Verdict {
    /// They are equal.
    Passed,
    /// They differ.
    Failed(Vec<Difference>),
    /// The case could not be run.
    Error(String),
}

/// A difference between an actual result and its expectation.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The index of the record or row; `None` if it is about the case itself.
    pub record: Option<usize>,
    /// The beginning of its value, if it is a record.
    pub about: Option<String>,
    /// The line of the expectation.
    pub line: Option<usize>,
    /// The expectation; `None` if there is none.
    pub expected: Option<toml::Table>,
    /// The actual result, as far as the expectation covers it; `None` if there is none.
    pub actual: Option<toml::Table>,
}

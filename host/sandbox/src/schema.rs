//! What a scorer declares of its predictions.

/// The content of a scorer's predictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputSchema {
    /// A label, and a probability for each of these classes.
    Classes(Vec<String>),
    /// A number for each of these names.
    Values(Vec<String>),
}

impl OutputSchema {
    /// The names of the classes or values.
    pub fn names(&self) -> &[String] {
        match self {
            OutputSchema::Classes(names) | OutputSchema::Values(names) => names,
        }
    }
}

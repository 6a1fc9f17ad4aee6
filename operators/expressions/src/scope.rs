//! What an expression may name: variables and their types.

use std::fmt;

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// A whole number of 64 bits: CEL's `int`.
    Int,
    /// A number of 64 bits: CEL's `double`.
    Number,
    /// Text: CEL's `string`.
    Text,
    /// `true` or `false`.
    Bool,
    /// A point in time, to the nanosecond.
    Timestamp,
    /// Values of one type, in order.
    List(Box<Type>),
    /// Values of one type by names, such as headers; only a variable has this type.
    Map {
        /// The type of each.
        of: Box<Type>,
        /// The names, if they are known and the same for every record.
        keys: Option<Vec<String>>,
    },
}

impl Type {
    /// Values of one type by names that differ from record to record.
    pub fn map(of: Type) -> Self {
        Type::Map { of: Box::new(of), keys: None }
    }

    /// Values of one type by names that are the same for every record.
    pub fn fields(of: Type, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let keys = Some(keys.into_iter().map(Into::into).collect());
        Type::Map { of: Box::new(of), keys }
    }
}

impl fmt::Display for Type {
    /// As the documentation calls it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Int => f.write_str("int"),
            Type::Number => f.write_str("number"),
            Type::Text => f.write_str("text"),
            Type::Bool => f.write_str("bool"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::List(of) => write!(f, "list of {of}"),
            Type::Map { of, .. } => write!(f, "map of {of}"),
        }
    }
}

/// The variables that an expression may name. The number of each is its place in the order of
/// declaration.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub(crate) variables: Vec<(String, Type)>,
}

impl Scope {
    /// Adds a variable and returns its number. A later one of the same name takes precedence.
    ///
    /// A name that is no identifier, such as `capital-gain`, stands between backticks in an
    /// expression.
    pub fn declare(&mut self, name: impl Into<String>, is: Type) -> usize {
        self.variables.push((name.into(), is));
        self.variables.len() - 1
    }

    /// The name of a variable.
    pub fn name(&self, variable: usize) -> &str {
        self.variables.get(variable).map_or("", |(name, _)| name)
    }

    pub(crate) fn find(&self, name: &str) -> Option<(usize, &Type)> {
        let found = self.variables.iter().enumerate().rev().find(|(_, (known, _))| known == name);
        found.map(|(index, (_, is))| (index, is))
    }
}

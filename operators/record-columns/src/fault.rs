//! Why a record gives no columns.

use std::fmt;

use expressions::{Expression, FaultCode};
use sandbar_operator::{Failure, FailureCode, text};

/// Why a record gives no columns. Each says what was found and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The record's value is null.
    Tombstone,
    /// There is nothing in the value, or only white space.
    Empty,
    /// The value is larger than the stage accepts.
    TooLarge {
        /// The length of the value in bytes.
        bytes: usize,
        /// The limit: `max_bytes` of the configuration.
        limit: usize,
    },
    /// The line that names the columns.
    Header {
        /// Whether it names them in the order in which they are read.
        in_order: bool,
    },
    /// A line where the configuration does not say which columns a line has.
    NoFields(String),
    /// The line has too few or too many columns.
    Columns {
        /// How many it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// The value has none of what is wanted.
    NoColumn,
    /// A key that no column is read from, where such keys are refused.
    Unknown(String),
    /// The value cannot be read.
    Text(text::Fault),
    /// The record does not name its schema, or is none of it.
    Schema {
        /// The code.
        code: FailureCode,
        /// What is wrong.
        problem: String,
    },
    /// An array is not as a tensor needs it.
    Array {
        /// The tensor's place.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A column cannot be read, or has a value that it cannot have; or it cannot be known whether a
    /// condition holds.
    Column {
        /// The column, or the condition.
        name: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a column, or with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The record has nothing of the kind.
    Absent,
    /// It has no value, and needs one, as an element of a tensor does.
    Missing,
    /// Its value is none.
    Value(text::Fault),
    /// A condition depends on a value that is missing: which, and where it is named.
    Undecided(String),
    /// It cannot be computed, for this reason.
    Expression(String),
    /// It takes more than an expression may.
    ExpressionTooLarge(String),
    /// A number that the tensor's elements cannot have.
    Element {
        /// The number as it is written.
        value: String,
        /// The elements' type.
        element: &'static str,
    },
}

impl Fault {
    /// The code that the record fails with.
    pub fn code(&self) -> FailureCode {
        match self {
            Fault::Tombstone | Fault::Empty | Fault::NoColumn => FailureCode::Missing,
            Fault::TooLarge { .. } => FailureCode::TooLarge,
            Fault::Header { .. } | Fault::NoFields(_) => FailureCode::Unsupported,
            Fault::Columns { .. } => FailureCode::Malformed,
            Fault::Unknown(_) | Fault::Array { .. } => FailureCode::Invalid,
            Fault::Text(fault) => fault.code(),
            Fault::Schema { code, .. } => *code,
            Fault::Column { problem, .. } => problem.code(),
        }
    }
}

impl Problem {
    /// Why an expression cannot be computed.
    #[cold]
    pub(crate) fn of(expression: &Expression, fault: &expressions::Fault) -> Problem {
        let problem = expression.explain(fault);
        match fault.code() {
            FaultCode::Missing => Problem::Undecided(problem),
            FaultCode::TooLarge => Problem::ExpressionTooLarge(problem),
            _ => Problem::Expression(problem),
        }
    }

    fn code(&self) -> FailureCode {
        match self {
            Problem::Absent | Problem::Missing | Problem::Undecided(_) => FailureCode::Missing,
            Problem::Value(fault) => fault.code(),
            Problem::Element { .. } | Problem::Expression(_) => FailureCode::Invalid,
            Problem::ExpressionTooLarge(_) => FailureCode::TooLarge,
        }
    }
}

impl Fault {
    /// Whether a condition depends on a value that is missing, and nothing else is wrong.
    pub fn is_undecided(&self) -> bool {
        matches!(self, Fault::Column { problem: Problem::Undecided(_), .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Tombstone => f.write_str("the value is null (a tombstone)"),
            Fault::Empty => f.write_str("the value is empty"),
            Fault::TooLarge { bytes, limit } => {
                write!(f, "the value has {bytes} bytes, which exceeds `max_bytes` ({limit})")
            }
            Fault::Header { in_order: true } => {
                f.write_str("the value is a CSV header line, not a record")
            }
            Fault::Header { in_order: false } => f.write_str(
                "the value is a CSV header line, and names the columns in another order than they \
                 are read in: list them as `fields` in their order",
            ),
            Fault::NoFields(reason) => {
                write!(f, "the value is no JSON object, and as CSV {reason}")
            }
            Fault::Columns { expected, found } => {
                write!(f, "expected {expected} columns, got {found}")
            }
            Fault::NoColumn => f.write_str("the value has none of the columns that are wanted"),
            Fault::Unknown(key) => write!(f, "unknown key '{key}' in the JSON object"),
            Fault::Text(fault) => fault.fmt(f),
            Fault::Schema { problem, .. } => f.write_str(problem),
            Fault::Array { name, problem } => write!(f, "{name}: {problem}"),
            Fault::Column { name, problem } => write!(f, "{name}: {problem}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Absent => f.write_str("the record does not have it"),
            Problem::Missing => f.write_str("has no value, and a tensor needs one"),
            Problem::Value(fault) => fault.fmt(f),
            Problem::Undecided(problem)
            | Problem::Expression(problem)
            | Problem::ExpressionTooLarge(problem) => f.write_str(problem),
            Problem::Element { value, element } => {
                write!(f, "{value} is no number that an element of type {element} can have")
            }
        }
    }
}

impl std::error::Error for Fault {}

impl From<text::Fault> for Fault {
    fn from(fault: text::Fault) -> Fault {
        Fault::Text(fault)
    }
}

impl From<Fault> for Failure {
    #[cold]
    fn from(fault: Fault) -> Failure {
        Failure { code: fault.code(), message: fault.to_string().into() }
    }
}

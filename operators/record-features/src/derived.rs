//! Columns that are computed from others.

use std::cell::RefCell;

use expressions::{Expression, FaultCode, Scope, Timestamp, Type, Value, Variables};

use crate::cell::{Cell, Content};
use crate::column::Column;
use crate::config::{Kind, Scalar};
use crate::envelope::Envelope;
use crate::fault::{Fault, Problem};

/// A number or text that is computed.
#[derive(Debug)]
pub(crate) struct Derived {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What it is where something is missing that it depends on.
    pub(crate) default: Option<Scalar>,
    expression: Expression,
}

/// What expressions may name: what a record has besides its value, as conditions of routes do,
/// and the columns that are read. A column takes precedence.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    scope: Scope,
    /// By the number of the variable.
    variables: Vec<Variable>,
}

#[derive(Debug)]
enum Variable {
    Key,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Headers,
    Column(Column),
}

impl Default for Vocabulary {
    fn default() -> Vocabulary {
        let mut own = Vocabulary { scope: Scope::default(), variables: Vec::new() };
        own.add("key", Type::Text, Variable::Key);
        own.add("topic", Type::Text, Variable::Topic);
        own.add("partition", Type::Int, Variable::Partition);
        own.add("offset", Type::Int, Variable::Offset);
        own.add("timestamp", Type::Timestamp, Variable::Timestamp);
        own.add("headers", Type::map(Type::Text), Variable::Headers);
        own
    }
}

impl Vocabulary {
    /// Adds a column, under its name.
    pub(crate) fn declare(&mut self, column: Column) {
        let is = match column.kind {
            Kind::Number => Type::Number,
            Kind::Text => Type::Text,
        };
        self.add(&column.name.clone(), is, Variable::Column(column));
    }

    fn add(&mut self, name: &str, is: Type, variable: Variable) {
        self.scope.declare(name, is);
        self.variables.push(variable);
    }
}

impl Derived {
    /// A column of this name, and of this type if that is known.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub(crate) fn new(
        name: &str,
        expression: &str,
        kind: Option<Kind>,
        default: Option<Scalar>,
        vocabulary: &Vocabulary,
    ) -> Result<Derived, String> {
        let expression = Expression::compile(expression, &vocabulary.scope)
            .map_err(|problem| format!("`expression`: {problem}"))?;
        let kind = match (expression.result(), kind) {
            (Type::Int | Type::Number, Some(Kind::Number) | None) => Kind::Number,
            (Type::Text, Some(Kind::Text) | None) => Kind::Text,
            (Type::Bool, kind) => kind.unwrap_or(Kind::Number),
            (other, _) => {
                let expected = match kind {
                    Some(Kind::Number) => "a number or bool",
                    Some(Kind::Text) => "a text or bool",
                    None => "a number, text or bool",
                };
                return Err(format!("`expression`: expected {expected}, it is {other}"));
            }
        };
        Ok(Derived { name: name.to_owned(), kind, default, expression })
    }

    /// Computes it for a record, and hands on what it is.
    ///
    /// # Errors
    /// Why a column that it depends on cannot be read, or it cannot be computed.
    #[inline(never)]
    pub(crate) fn compute<R>(
        &self,
        vocabulary: &Vocabulary,
        content: Content<'_>,
        envelope: &impl Envelope,
        take: impl FnOnce(Cell<'_>) -> R,
    ) -> Result<R, Fault> {
        let facts = Facts {
            variables: &vocabulary.variables,
            content,
            envelope,
            fault: RefCell::default(),
        };
        let value = self.expression.evaluate(&facts);
        // A column that is wrong is no value that is missing, whatever the expression makes of it.
        if let Some(fault) = facts.fault.take() {
            return Err(fault);
        }
        let value = match value {
            Ok(value) => value,
            Err(fault) if fault.is_missing() => {
                return Ok(take(self.default.as_ref().map_or(Cell::Missing, Cell::from)));
            }
            Err(fault) => {
                let is_large = fault.code() == FaultCode::TooLarge;
                return Err(self.fault(self.expression.explain(&fault), is_large));
            }
        };
        let number = match (&value, self.kind) {
            (Value::Text(text), _) if text.is_empty() => return Ok(take(Cell::Missing)),
            (Value::Text(text), _) => return Ok(take(Cell::Text(text))),
            (Value::Bool(true), Kind::Text) => return Ok(take(Cell::Text("true"))),
            (Value::Bool(false), Kind::Text) => return Ok(take(Cell::Text("false"))),
            (Value::Bool(value), Kind::Number) => f64::from(u8::from(*value)),
            (Value::Int(whole), _) => *whole as f64,
            (Value::Number(number), _) => *number,
            // Refused when it was compiled.
            (Value::Timestamp(_) | Value::List(_), _) => f64::NAN,
        };
        match number.is_finite() {
            true => Ok(take(Cell::Number(number))),
            false => Err(self.fault(format!("the result is {number}, and no number"), false)),
        }
    }

    #[cold]
    fn fault(&self, problem: String, too_large: bool) -> Fault {
        let problem = match too_large {
            true => Problem::ExpressionTooLarge(problem),
            false => Problem::Expression(problem),
        };
        Fault::Column { name: self.name.clone(), problem }
    }
}

/// A record, as expressions see it.
struct Facts<'a, E> {
    variables: &'a [Variable],
    content: Content<'a>,
    envelope: &'a E,
    /// Why a column that was asked for cannot be read.
    fault: RefCell<Option<Fault>>,
}

impl<E: Envelope> Facts<'_, E> {
    fn column<'b>(&'b self, column: &'b Column) -> Option<Value<'b>> {
        match self.content.cell(column, self.envelope) {
            Ok(Cell::Missing) => None,
            Ok(Cell::Number(number)) => Some(number.into()),
            Ok(Cell::Text(text)) => Some(text.into()),
            Ok(Cell::Whole(whole)) => Some(whole.to_string().into()),
            Err(fault) => {
                self.fault.borrow_mut().get_or_insert(fault);
                None
            }
        }
    }
}

impl<E: Envelope> Variables for Facts<'_, E> {
    fn value(&self, variable: usize) -> Option<Value<'_>> {
        Some(match self.variables.get(variable)? {
            Variable::Key => text(self.envelope.key()?),
            Variable::Topic => self.envelope.topic().into(),
            Variable::Partition => i64::from(self.envelope.partition()).into(),
            Variable::Offset => self.envelope.offset().into(),
            Variable::Timestamp => Timestamp::from_millis(self.envelope.timestamp()?)?.into(),
            Variable::Headers => return None,
            Variable::Column(column) => self.column(column)?,
        })
    }

    fn entry(&self, variable: usize, key: &str) -> Option<Value<'_>> {
        match self.variables.get(variable)? {
            Variable::Headers => self.envelope.header(key)?.map(text),
            _ => None,
        }
    }
}

/// Bytes as text; what is not UTF-8 becomes U+FFFD, as in conditions of routes.
fn text(bytes: &[u8]) -> Value<'_> {
    String::from_utf8_lossy(bytes).into()
}

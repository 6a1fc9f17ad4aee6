//! Columns that are computed from others.

use expressions::{Expression, Type, Value};

use crate::cell::{Cell, Content};
use crate::config::{Kind, Scalar};
use crate::envelope::Envelope;
use crate::fault::{Fault, Problem};
use crate::vocabulary::Vocabulary;

/// A number or text that is computed.
#[derive(Debug)]
pub(crate) struct Derived {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What it is where something is missing that it depends on.
    pub(crate) default: Option<Scalar>,
    expression: Expression,
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
        let expression = Expression::compile(expression, vocabulary.scope())
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
        vocabulary.evaluate(&self.expression, content, envelope, |value| {
            let value = match value {
                Ok(value) => value,
                Err(fault) if fault.is_missing() => {
                    return Ok(take(self.default.as_ref().map_or(Cell::Missing, Cell::from)));
                }
                Err(fault) => return Err(self.fault(Problem::of(&self.expression, &fault))),
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
                false => {
                    let problem = format!("the result is {number}, and no number");
                    Err(self.fault(Problem::Expression(problem)))
                }
            }
        })?
    }

    #[cold]
    fn fault(&self, problem: Problem) -> Fault {
        Fault::Column { name: self.name.clone(), problem }
    }
}

//! An expression, read and checked once, evaluated for every record.

use crate::check;
use crate::evaluate::{Node, Variables};
use crate::fault::{Budget, Fault, STEPS};
use crate::parse::parse;
use crate::problem::{Problem, place};
use crate::scope::{Scope, Type};
use crate::value::Value;

/// An expression whose names and types are known.
#[derive(Debug)]
pub struct Expression {
    source: String,
    result: Type,
    root: Node,
    uses: Vec<usize>,
}

/// Whether a text is an expression at all, whatever its names and types.
///
/// # Errors
/// If it does not parse.
pub fn parses(source: &str) -> Result<(), Problem> {
    parse(source).map(drop)
}

impl Expression {
    /// Reads an expression and finds its types.
    ///
    /// # Errors
    /// If it does not parse, names what is unknown, or mixes types.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, Problem> {
        let tree = parse(source)?;
        let (root, result, uses) = check::check(source, scope, &tree)?;
        Ok(Expression { source: source.to_owned(), result, root, uses })
    }

    /// The same for one that says whether something holds.
    ///
    /// # Errors
    /// As [`Expression::compile`], and if it is not a condition.
    pub fn condition(source: &str, scope: &Scope) -> Result<Self, Problem> {
        let expression = Self::compile(source, scope)?;
        match expression.result {
            Type::Bool => Ok(expression),
            other => {
                let message = format!(
                    "a condition is true or false, this is {other}; compare it with something"
                );
                Err(Problem::at(source, expression.root.at as usize, message))
            }
        }
    }

    /// The type of the result.
    pub fn result(&self) -> &Type {
        &self.result
    }

    /// The text that it was compiled of.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The numbers of the variables that it names, each once, ascending.
    pub fn uses(&self) -> &[usize] {
        &self.uses
    }

    /// The value for one record.
    ///
    /// # Errors
    /// If a value is missing, or something cannot be computed.
    pub fn evaluate<'a>(&'a self, variables: &'a dyn Variables) -> Result<Value<'a>, Fault> {
        self.root.evaluate(variables, &mut Budget(STEPS))
    }

    /// Whether a condition holds. If that depends on a value that is missing, it does not.
    ///
    /// # Errors
    /// If something cannot be computed.
    pub fn holds(&self, variables: &dyn Variables) -> Result<bool, Fault> {
        match self.evaluate(variables) {
            Ok(value) => Ok(value == Value::Bool(true)),
            Err(fault) if fault.is_missing() => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// A fault of this expression in words, with its place.
    pub fn explain(&self, fault: &Fault) -> String {
        let (line, column) = place(&self.source, fault.at as usize);
        let what = match fault.about(&self.source) {
            Some(name) => format!("'{name}' {}", fault.message),
            None => fault.message.to_string(),
        };
        format!("line {line}, column {column}: {what}")
    }
}

//! A checked expression, and its evaluation.

use std::borrow::Cow;

use crate::check;
use crate::parse::parse;
use crate::problem::{Problem, place};
use crate::scope::{Scope, Type};
use crate::value::Value;

/// What one evaluation may do: a byte of text or an element of a list that is looked at is a step
/// or, for regular expressions, more.
pub const STEPS: u64 = 1_000_000;
/// Bytes of a text that an expression makes, at most.
pub const TEXT: usize = 1 << 20;

/// Where an expression finds the values of its variables. Only those are asked for that an
/// evaluation comes to.
pub trait Variables {
    /// The value of a variable by its number, of the type that it was declared with; none if it
    /// is missing. Not asked for maps.
    fn value(&self, variable: usize) -> Option<Value<'_>>;

    /// The value in a map whose keys are known, by the number of the key.
    fn field(&self, variable: usize, field: usize) -> Option<Value<'_>> {
        let _ = (variable, field);
        None
    }

    /// The value in a map by its key.
    fn entry(&self, variable: usize, key: &str) -> Option<Value<'_>> {
        let _ = (variable, key);
        None
    }
}

/// An expression whose names and types are known.
#[derive(Debug)]
pub struct Expression {
    source: String,
    result: Type,
    root: Node,
    uses: Vec<usize>,
}

/// Why one evaluation gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    code: FaultCode,
    at: u32,
    message: Cow<'static, str>,
}

/// What kind of a [`Fault`] it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCode {
    /// A value is missing that the result depends on.
    Missing,
    /// A whole number beyond 64 bits, or divided by zero.
    Arithmetic,
    /// A text that is no number or time, a number that is no whole one, an index out of range.
    Conversion,
    /// It takes more steps or more memory than an expression may.
    TooLarge,
    /// A value does not have the type that its variable was declared with.
    Type,
}

impl Fault {
    pub(crate) fn new(code: FaultCode, message: impl Into<Cow<'static, str>>) -> Self {
        Fault { code, at: u32::MAX, message: message.into() }
    }

    /// What kind of a fault it is.
    pub fn code(&self) -> FaultCode {
        self.code
    }

    /// Whether a value is missing, and nothing else is wrong.
    pub fn is_missing(&self) -> bool {
        self.code == FaultCode::Missing
    }

    /// The variable at the place, where the fault is about one.
    fn about<'a>(&self, source: &'a str) -> Option<&'a str> {
        let rest = source.get(self.at as usize..)?;
        let name = match rest.strip_prefix('`') {
            Some(rest) => rest.split('`').next()?,
            None => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                &rest[..end.unwrap_or(rest.len())]
            }
        };
        let is_about_one = matches!(self.code, FaultCode::Missing | FaultCode::Type);
        (is_about_one && !name.is_empty()).then_some(name)
    }

    /// The innermost place counts.
    fn placed(self, at: u32) -> Self {
        if self.at == u32::MAX { Fault { at, ..self } } else { self }
    }
}

/// The steps that are left.
#[derive(Debug)]
pub(crate) struct Budget(u64);

impl Budget {
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        match self.0.checked_sub(steps as u64) {
            Some(left) => self.0 = left,
            None => return Err(Fault::new(FaultCode::TooLarge, "takes too many steps")),
        }
        Ok(())
    }

    /// Pays for a text that is made.
    pub(crate) fn text(&mut self, bytes: usize) -> Result<(), Fault> {
        if bytes > TEXT {
            let message = format!("would be a text of more than {TEXT} bytes");
            return Err(Fault::new(FaultCode::TooLarge, message));
        }
        self.spend(bytes)
    }
}

pub(crate) type Made<'a> = Result<Value<'a>, Fault>;
pub(crate) type One = for<'a> fn(&mut Budget, Value<'a>) -> Made<'a>;
pub(crate) type Two = for<'a> fn(&mut Budget, Value<'a>, Value<'a>) -> Made<'a>;
pub(crate) type Three = for<'a> fn(&mut Budget, Value<'a>, Value<'a>, Value<'a>) -> Made<'a>;

/// A node whose types are known.
#[derive(Debug)]
pub(crate) struct Node {
    /// The byte of the text that stands for it.
    pub(crate) at: u32,
    pub(crate) kind: NodeKind,
}

#[derive(Debug)]
pub(crate) enum NodeKind {
    Constant(Value<'static>),
    /// Always missing.
    Null,
    Variable(usize, Type),
    Field(usize, usize, Type),
    Entry(usize, Box<Node>, Type),
    List(Vec<Node>),
    One(One, Box<Node>),
    Two(Two, Box<[Node; 2]>),
    Three(Three, Box<[Node; 3]>),
    Matches(Box<Node>, Box<Pattern>),
    /// Whether a value is there, or with `false` whether it is missing.
    Present(Box<Node>, bool),
    /// The first of the sides that is so decides: `&&` with `false`, `||` with `true`.
    Decide(bool, Vec<Node>),
    Choice(Box<[Node; 3]>),
}

/// A regular expression, and the steps that it takes for a byte.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: regex_lite::Regex,
    pub(crate) weight: usize,
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

/// A value of a variable, if it has the type that was declared.
fn typed<'a>(value: Option<Value<'a>>, is: &Type, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    let value = value.ok_or(Fault {
        code: FaultCode::Missing,
        at: u32::MAX,
        message: "is missing".into(),
    })?;
    match fits(&value, is, budget)? {
        true => Ok(value),
        false => Err(Fault::new(FaultCode::Type, format!("is declared as {is}, and is not"))),
    }
}

fn fits(value: &Value<'_>, is: &Type, budget: &mut Budget) -> Result<bool, Fault> {
    Ok(match (value, is) {
        (Value::Int(_), Type::Int)
        | (Value::Number(_), Type::Number)
        | (Value::Text(_), Type::Text)
        | (Value::Bool(_), Type::Bool)
        | (Value::Timestamp(_), Type::Timestamp) => true,
        (Value::List(items), Type::List(of)) => {
            budget.spend(items.len())?;
            for item in items.iter() {
                if !fits(item, of, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}

impl Node {
    fn evaluate<'a>(&'a self, variables: &'a dyn Variables, budget: &mut Budget) -> Made<'a> {
        let at = self.at;
        let made = match &self.kind {
            NodeKind::Constant(value) => Ok(value.borrowed()),
            NodeKind::Null => Err(Fault::new(FaultCode::Missing, "is null")),
            NodeKind::Variable(variable, is) => typed(variables.value(*variable), is, budget),
            NodeKind::Field(variable, field, is) => {
                typed(variables.field(*variable, *field), is, budget)
            }
            NodeKind::Entry(variable, key, is) => match key.evaluate(variables, budget)? {
                Value::Text(key) => typed(variables.entry(*variable, &key), is, budget),
                _ => Err(Fault::new(FaultCode::Type, "is no text")),
            },
            NodeKind::List(items) => {
                let items = items.iter().map(|item| item.evaluate(variables, budget));
                items.collect::<Result<Vec<_>, Fault>>().map(Value::from)
            }
            NodeKind::One(run, argument) => {
                let argument = argument.evaluate(variables, budget)?;
                run(budget, argument)
            }
            NodeKind::Two(run, arguments) => {
                let [a, b] = &**arguments;
                let (a, b) = (a.evaluate(variables, budget)?, b.evaluate(variables, budget)?);
                run(budget, a, b)
            }
            NodeKind::Three(run, arguments) => {
                let [a, b, c] = &**arguments;
                let (a, b) = (a.evaluate(variables, budget)?, b.evaluate(variables, budget)?);
                let c = c.evaluate(variables, budget)?;
                run(budget, a, b, c)
            }
            NodeKind::Matches(text, pattern) => match text.evaluate(variables, budget)? {
                Value::Text(text) => budget
                    .spend(text.len().saturating_mul(pattern.weight))
                    .map(|()| pattern.regex.is_match(&text).into()),
                _ => Err(Fault::new(FaultCode::Type, "is no text")),
            },
            NodeKind::Present(value, present) => match value.evaluate(variables, budget) {
                Ok(_) => Ok((*present).into()),
                Err(fault) if fault.is_missing() => Ok((!*present).into()),
                Err(fault) => Err(fault),
            },
            NodeKind::Decide(decisive, sides) => decide(*decisive, sides, variables, budget),
            NodeKind::Choice(parts) => {
                let [condition, first, second] = &**parts;
                match condition.evaluate(variables, budget)? {
                    Value::Bool(true) => first.evaluate(variables, budget),
                    _ => second.evaluate(variables, budget),
                }
            }
        };
        made.map_err(|fault| fault.placed(at))
    }
}

/// As CEL has it: one side that decides does so whatever is wrong with the others.
fn decide<'a>(
    decisive: bool,
    sides: &'a [Node],
    variables: &'a dyn Variables,
    budget: &mut Budget,
) -> Made<'a> {
    let mut first_fault: Option<Fault> = None;
    for side in sides {
        match side.evaluate(variables, budget) {
            Ok(Value::Bool(value)) if value == decisive => return Ok(decisive.into()),
            Ok(_) => {}
            // What cannot be computed outweighs what is missing.
            Err(fault) => match &first_fault {
                Some(first) if !first.is_missing() || fault.is_missing() => {}
                _ => first_fault = Some(fault),
            },
        }
    }
    first_fault.map_or(Ok((!decisive).into()), Err)
}

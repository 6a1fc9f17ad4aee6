//! The evaluation of what `check` has found.

use crate::fault::{Budget, Fault, FaultCode};
use crate::scope::Type;
use crate::value::Value;

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
    pub(crate) fn evaluate<'a>(
        &'a self,
        variables: &'a dyn Variables,
        budget: &mut Budget,
    ) -> Made<'a> {
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

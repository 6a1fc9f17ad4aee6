//! Functions and operators: which of those of a name a call means.

use super::messages::no_overload;
use super::nodes::{node, promoted};
use crate::evaluate::{Node, NodeKind, Pattern, Two};
use crate::functions::{Overload, Plain, Run, Style, TABLE, greatest, least, size};
use crate::scope::Type;
use crate::value::Value;

/// Bytes that a regular expression may take once it is compiled.
const PATTERN: usize = 16 * 1024;

/// The byte of the expression, and what is wrong there.
pub(super) type Wrong = (usize, String);

fn wrong(at: usize, message: impl Into<String>) -> Wrong {
    (at, message.into())
}

/// What a call of these values means.
pub(super) fn function(
    at: usize,
    name: &str,
    style: Style,
    values: Vec<(Node, Type)>,
) -> Result<(NodeKind, Type), Wrong> {
    match (name, values.len()) {
        ("size", 1) if matches!(values[0].1, Type::Text | Type::List(_)) => {
            let [(value, _)] = take(values);
            Ok((NodeKind::One(size, Box::new(value)), Type::Int))
        }
        ("matches", 2) if values[0].1 == Type::Text && values[1].1 == Type::Text => {
            let [(text, _), (pattern, _)] = take(values);
            let pattern = compiled(&pattern)?;
            Ok((NodeKind::Matches(Box::new(text), Box::new(pattern)), Type::Bool))
        }
        ("math.greatest", 1..) => extreme(at, name, greatest, values),
        ("math.least", 1..) => extreme(at, name, least, values),
        _ => overload(at, name, style, values),
    }
}

fn compiled(pattern: &Node) -> Result<Pattern, Wrong> {
    let at = pattern.at as usize;
    let NodeKind::Constant(Value::Text(text)) = &pattern.kind else {
        return Err(wrong(at, "the regular expression is a text between quotes, not computed"));
    };
    // The least memory in which it can be compiled says how many states it has.
    let mut limit = PATTERN / 16;
    loop {
        let mut builder = regex_lite::RegexBuilder::new(text);
        match builder.size_limit(limit).nest_limit(50).build() {
            Ok(regex) => return Ok(Pattern { regex, weight: limit / 64 }),
            Err(_) if limit < PATTERN => limit *= 2,
            Err(error) => {
                let message = format!("not a regular expression that is offered: {error}");
                return Err(wrong(at, message));
            }
        }
    }
}

fn extreme(
    at: usize,
    name: &str,
    run: Two,
    values: Vec<(Node, Type)>,
) -> Result<(NodeKind, Type), Wrong> {
    let mut is = Type::Int;
    for (node, value) in &values {
        match value {
            Type::Int => {}
            Type::Number => is = Type::Number,
            other => {
                let message = format!("'{name}' takes numbers, this is {other}");
                return Err(wrong(node.at as usize, message));
            }
        }
    }
    let promote = |(node, value): (Node, Type)| promoted(node, &value, &is);
    let folded = values
        .into_iter()
        .map(promote)
        .reduce(|a, b| node(at, NodeKind::Two(run, Box::new([a, b]))));
    match folded {
        Some(folded) => Ok((folded.kind, is)),
        None => Err(wrong(at, format!("'{name}' takes at least one number"))),
    }
}

/// What the table has for values of these types: just as they are, else with whole numbers as
/// numbers.
pub(super) fn overload(
    at: usize,
    name: &str,
    style: Style,
    values: Vec<(Node, Type)>,
) -> Result<(NodeKind, Type), Wrong> {
    let fits = |overload: &&Overload| {
        overload.name == name
            && (overload.style == style || overload.style == Style::Either && style != Style::Sign)
    };
    let named: Vec<&Overload> = TABLE.iter().filter(fits).collect();
    let exact = |takes: &Plain, is: &Type| takes.full() == *is;
    let promotable =
        |takes: &Plain, is: &Type| exact(takes, is) || *takes == Plain::Number && *is == Type::Int;
    let find = |accepts: &dyn Fn(&Plain, &Type) -> bool| {
        named.iter().find(|overload| {
            overload.takes.len() == values.len()
                && overload.takes.iter().zip(&values).all(|(takes, (_, is))| accepts(takes, is))
        })
    };
    let Some(found) = find(&exact).or_else(|| find(&promotable)) else {
        return Err(wrong(at, no_overload(name, style, &named, &values)));
    };
    let arguments = found.takes.iter().zip(values);
    let arguments: Vec<Node> =
        arguments.map(|(takes, (node, is))| promoted(node, &is, &takes.full())).collect();
    let kind = match found.run {
        Run::One(run) => {
            let [a] = take(arguments);
            NodeKind::One(run, Box::new(a))
        }
        Run::Two(run) => NodeKind::Two(run, Box::new(take(arguments))),
        Run::Three(run) => NodeKind::Three(run, Box::new(take(arguments))),
    };
    Ok((kind, found.gives.full()))
}

/// As many as were counted before.
fn take<T, const N: usize>(values: Vec<T>) -> [T; N] {
    match values.try_into() {
        Ok(values) => values,
        Err(_) => unreachable!("counted before"),
    }
}

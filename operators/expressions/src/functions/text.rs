//! What is made of texts.

use super::values::{borrow, conversion, mixed, text};
use crate::evaluate::Made;
use crate::fault::{Budget, Fault, FaultCode};
use crate::value::Value;

pub(super) fn concat<'a>(budget: &mut Budget, a: Value<'a>, b: Value<'a>) -> Made<'a> {
    let (a, b) = (borrow(&a)?, borrow(&b)?);
    budget.text(a.len() + b.len())?;
    Ok([a, b].concat().into())
}

pub(super) fn replace<'a>(
    budget: &mut Budget,
    a: Value<'a>,
    from: Value<'a>,
    to: Value<'a>,
) -> Made<'a> {
    let (a, from, to) = (text(budget, &a)?, text(budget, &from)?, borrow(&to)?);
    let times = a.matches(from).count();
    budget.text(a.len().saturating_add(times.saturating_mul(to.len())))?;
    Ok(a.replace(from, to).into())
}

/// By characters, not bytes.
pub(super) fn substring<'a>(
    budget: &mut Budget,
    a: Value<'a>,
    start: i64,
    end: Option<i64>,
) -> Made<'a> {
    let text = text(budget, &a)?;
    let byte = |place: i64| {
        let place = usize::try_from(place).ok()?;
        let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        ends.nth(place)
    };
    let range = byte(start).zip(end.map_or(Some(text.len()), byte));
    match range.and_then(|(start, end)| text.get(start..end)) {
        Some(part) => Ok(part.to_owned().into()),
        None => Err(conversion("the range is not one of the text")),
    }
}

pub(super) fn split<'a>(budget: &mut Budget, a: Value<'a>, by: Value<'a>) -> Made<'a> {
    let (a, by) = (text(budget, &a)?, text(budget, &by)?);
    let part = |part: &str| Value::from(part.to_owned());
    // An element takes more memory than its text.
    let parts: Vec<Value<'a>> = match by.is_empty() {
        true => {
            budget.spend(a.len().saturating_mul(32))?;
            a.chars().map(|c| part(c.encode_utf8(&mut [0; 4]))).collect()
        }
        false => {
            budget.spend(a.matches(by).count().saturating_mul(32))?;
            a.split(by).map(part).collect()
        }
    };
    Ok(parts.into())
}

pub(super) fn join<'a>(budget: &mut Budget, list: Value<'a>, by: Value<'a>) -> Made<'a> {
    let Value::List(items) = &list else { return Err(mixed()) };
    let by = borrow(&by)?;
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        let item = borrow(item)?;
        let separator = if index > 0 { by } else { "" };
        budget.spend(1 + separator.len() + item.len())?;
        if joined.len() + separator.len() + item.len() > crate::TEXT {
            return Err(Fault::new(FaultCode::TooLarge, "would be too long a text"));
        }
        joined.push_str(separator);
        joined.push_str(item);
    }
    Ok(joined.into())
}

//! What takes values of any type.

use std::cmp::Ordering;

use super::values::{conversion, int, mixed, text};
use crate::evaluate::{Made, Two};
use crate::fault::{Budget, Fault};
use crate::value::{Items, Value};

/// `==`
pub(crate) fn equal<'a>(budget: &mut Budget, a: Value<'a>, b: Value<'a>) -> Made<'a> {
    Ok(same(budget, &a, &b)?.into())
}

/// `!=`
pub(crate) fn unequal<'a>(budget: &mut Budget, a: Value<'a>, b: Value<'a>) -> Made<'a> {
    Ok((!same(budget, &a, &b)?).into())
}

/// `a < b` and its kind. What is not a number is neither less nor greater than anything.
pub(crate) fn ordered(sign: &str) -> Option<Two> {
    Some(match sign {
        "<" => |budget, a, b| Ok((compare(budget, &a, &b)? == Some(Ordering::Less)).into()),
        ">" => |budget, a, b| Ok((compare(budget, &a, &b)? == Some(Ordering::Greater)).into()),
        "<=" => |budget, a, b| {
            Ok(compare(budget, &a, &b)?.is_some_and(|order| order != Ordering::Greater).into())
        },
        ">=" => |budget, a, b| {
            Ok(compare(budget, &a, &b)?.is_some_and(|order| order != Ordering::Less).into())
        },
        _ => return None,
    })
}

/// `a in list`
pub(crate) fn contained<'a>(budget: &mut Budget, a: Value<'a>, list: Value<'a>) -> Made<'a> {
    let Value::List(items) = list else { return Err(mixed()) };
    for item in items.iter() {
        if same(budget, &a, item)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

/// `list[index]`
pub(crate) fn element<'a>(budget: &mut Budget, list: Value<'a>, index: Value<'a>) -> Made<'a> {
    let Value::List(items) = list else { return Err(mixed()) };
    budget.spend(1)?;
    let index = int(index)?;
    let place = usize::try_from(index).ok().filter(|place| *place < items.len());
    let Some(place) = place else {
        let message = format!("index {index} is out of range; the list has {}", items.len());
        return Err(conversion(message));
    };
    Ok(match items {
        Items::Borrowed(items) => items[place].borrowed(),
        Items::Owned(mut items) => items.swap_remove(place),
    })
}

/// `size(text)` in characters, `size(list)`
pub(crate) fn size<'a>(budget: &mut Budget, a: Value<'a>) -> Made<'a> {
    let size = match &a {
        Value::List(items) => items.len(),
        a => text(budget, a)?.chars().count(),
    };
    Ok((size as i64).into())
}

/// The sum of two lists.
pub(crate) fn appended<'a>(budget: &mut Budget, a: Value<'a>, b: Value<'a>) -> Made<'a> {
    let (Value::List(a), Value::List(b)) = (a, b) else { return Err(mixed()) };
    budget.spend(a.len() + b.len())?;
    Ok(a.iter().chain(b.iter()).cloned().collect::<Vec<_>>().into())
}

/// The larger of two of one type; not a number, if one of them is not.
pub(crate) fn greatest<'a>(_: &mut Budget, a: Value<'a>, b: Value<'a>) -> Made<'a> {
    extreme(a, b, Ordering::Greater)
}

/// The smaller.
pub(crate) fn least<'a>(_: &mut Budget, a: Value<'a>, b: Value<'a>) -> Made<'a> {
    extreme(a, b, Ordering::Less)
}

fn extreme<'a>(a: Value<'a>, b: Value<'a>, wanted: Ordering) -> Made<'a> {
    match (&a, &b) {
        (Value::Number(x), _) if x.is_nan() => Ok(a),
        (_, Value::Number(y)) if y.is_nan() => Ok(b),
        (Value::Number(x), Value::Number(y)) => {
            Ok(if y.partial_cmp(x) == Some(wanted) { b } else { a })
        }
        (Value::Int(x), Value::Int(y)) => Ok(if y.cmp(x) == wanted { b } else { a }),
        _ => Err(mixed()),
    }
}

fn same(budget: &mut Budget, a: &Value<'_>, b: &Value<'_>) -> Result<bool, Fault> {
    budget.spend(1)?;
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => {
            budget.spend(if a.len() == b.len() { a.len() } else { 0 })?;
            Ok(a == b)
        }
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !same(budget, a, b)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(compare(budget, a, b)? == Some(Ordering::Equal)),
    }
}

fn compare(budget: &mut Budget, a: &Value<'_>, b: &Value<'_>) -> Result<Option<Ordering>, Fault> {
    Ok(match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        // As CEL has it: rounded above 2^53.
        (Value::Int(a), Value::Number(b)) => (*a as f64).partial_cmp(b),
        (Value::Number(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => {
            budget.spend(a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        _ => return Err(mixed()),
    })
}

//! Conversions between types.

use super::values::{conversion, int, text};
use crate::evaluate::Made;
use crate::fault::Budget;
use crate::time::Timestamp;
use crate::value::Value;

/// A whole number as a number, which may round it above 2^53.
pub(crate) fn to_number<'a>(_: &mut Budget, a: Value<'a>) -> Made<'a> {
    Ok((int(a)? as f64).into())
}

pub(super) fn to_int<'a>(number: f64) -> Made<'a> {
    let whole = number.trunc();
    // As CEL has it, which leaves out the smallest.
    match whole.abs() < 9_223_372_036_854_775_808.0 {
        true => Ok((whole as i64).into()),
        false => Err(conversion("the number is no whole number of 64 bits")),
    }
}

pub(super) fn text_to_int<'a>(budget: &mut Budget, a: Value<'a>) -> Made<'a> {
    let text = text(budget, &a)?;
    let plain = !text.starts_with('+');
    let value = text.parse().ok().filter(|_| plain);
    value.map(Value::Int).ok_or_else(|| conversion("the text is no whole number of 64 bits"))
}

pub(super) fn text_to_number<'a>(budget: &mut Budget, a: Value<'a>) -> Made<'a> {
    let text = text(budget, &a)?;
    let value: Option<f64> = text.parse().ok();
    let named = || text.contains(['i', 'I']);
    match value {
        Some(value) if value.is_finite() || value.is_nan() || named() => Ok(value.into()),
        Some(_) => Err(conversion("the text is a number beyond 64 bits")),
        None => Err(conversion("the text is no number")),
    }
}

pub(super) fn text_to_bool<'a>(budget: &mut Budget, a: Value<'a>) -> Made<'a> {
    match text(budget, &a)? {
        "true" | "True" | "TRUE" | "t" | "1" => Ok(true.into()),
        "false" | "False" | "FALSE" | "f" | "0" => Ok(false.into()),
        _ => Err(conversion("the text is neither true nor false")),
    }
}

pub(super) fn text_to_time<'a>(budget: &mut Budget, a: Value<'a>) -> Made<'a> {
    let time = Timestamp::parse(text(budget, &a)?);
    let message = "the text is no time such as 2026-11-30T12:00:00Z";
    time.map(Value::Timestamp).ok_or_else(|| conversion(message))
}

/// The shortest text that reads back as the same number.
pub(super) fn written(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && size.is_finite() && !(1e-5..1e21).contains(&size) {
        return format!("{number:e}");
    }
    match number {
        f64::INFINITY => "inf".to_owned(),
        f64::NEG_INFINITY => "-inf".to_owned(),
        number if number.is_nan() => "nan".to_owned(),
        number => number.to_string(),
    }
}

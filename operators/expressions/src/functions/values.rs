//! Values of the type that an overload takes.

use crate::evaluate::Made;
use crate::fault::{Budget, Fault, FaultCode};
use crate::time::Timestamp;
use crate::value::Value;

pub(super) fn mixed() -> Fault {
    Fault::new(FaultCode::Type, "values of different types")
}

pub(super) fn overflow() -> Fault {
    Fault::new(FaultCode::Arithmetic, "the result is no whole number of 64 bits")
}

pub(super) fn conversion(message: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    Fault::new(FaultCode::Conversion, message)
}

pub(super) fn int(value: Value<'_>) -> Result<i64, Fault> {
    if let Value::Int(value) = value { Ok(value) } else { Err(mixed()) }
}

pub(super) fn number(value: Value<'_>) -> Result<f64, Fault> {
    if let Value::Number(value) = value { Ok(value) } else { Err(mixed()) }
}

pub(super) fn truth(value: Value<'_>) -> Result<bool, Fault> {
    if let Value::Bool(value) = value { Ok(value) } else { Err(mixed()) }
}

pub(super) fn time(value: Value<'_>) -> Result<Timestamp, Fault> {
    if let Value::Timestamp(value) = value { Ok(value) } else { Err(mixed()) }
}

pub(super) fn borrow<'a>(value: &'a Value<'_>) -> Result<&'a str, Fault> {
    if let Value::Text(text) = value { Ok(text) } else { Err(mixed()) }
}

/// A text all of which is looked at.
pub(super) fn text<'a>(budget: &mut Budget, value: &'a Value<'_>) -> Result<&'a str, Fault> {
    let text = borrow(value)?;
    budget.spend(text.len())?;
    Ok(text)
}

pub(super) fn whole<'a>(a: Value<'a>, b: Value<'a>, run: fn(i64, i64) -> Option<i64>) -> Made<'a> {
    run(int(a)?, int(b)?).map(Value::Int).ok_or_else(overflow)
}

pub(super) fn divided<'a>(
    a: Value<'a>,
    b: Value<'a>,
    run: fn(i64, i64) -> Option<i64>,
) -> Made<'a> {
    let (a, b) = (int(a)?, int(b)?);
    if b == 0 {
        return Err(Fault::new(FaultCode::Arithmetic, "a whole number is divided by zero"));
    }
    run(a, b).map(Value::Int).ok_or_else(overflow)
}

//! The functions and operators of the language, by name and by the types that they take.

use std::cmp::Ordering;

use crate::evaluate::{Budget, Fault, FaultCode, Made, One, Three, Two};
use crate::scope::Type;
use crate::time::Timestamp;
use crate::value::Value;

/// One way to call a function or an operator.
pub(crate) struct Overload {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    pub(crate) takes: &'static [Plain],
    pub(crate) gives: Plain,
    pub(crate) run: Run,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `a + b`, `-a`
    Sign,
    /// `f(a, b)`
    Global,
    /// `a.f(b)`
    Method,
    /// Both.
    Either,
}

#[derive(Clone, Copy)]
pub(crate) enum Run {
    One(One),
    Two(Two),
    Three(Three),
}

/// A type of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    Int,
    Number,
    Text,
    Bool,
    Timestamp,
    Texts,
}

impl Plain {
    pub(crate) fn full(self) -> Type {
        match self {
            Int => Type::Int,
            Number => Type::Number,
            Text => Type::Text,
            Bool => Type::Bool,
            Time => Type::Timestamp,
            Texts => Type::List(Box::new(Type::Text)),
        }
    }
}

use Plain::{Bool, Int, Number, Text, Texts, Timestamp as Time};
use Style::{Either, Global, Method, Sign};

/// A row of the table.
macro_rules! row {
    ($name:literal $style:ident ($($takes:ident),*) $gives:ident $kind:ident $run:expr) => {
        Overload {
            name: $name,
            style: $style,
            takes: &[$($takes),*],
            gives: $gives,
            run: Run::$kind($run),
        }
    };
}

/// All of them, but for those that take values of any type: `==`, `!=`, `<` and the like, `in`,
/// `[]`, `size`, `has`, `matches`, `math.greatest` and `math.least`, which `check` knows.
pub(crate) static TABLE: &[Overload] = &[
    row!("+" Sign (Int, Int) Int Two |_, a, b| whole(a, b, i64::checked_add)),
    row!("-" Sign (Int, Int) Int Two |_, a, b| whole(a, b, i64::checked_sub)),
    row!("*" Sign (Int, Int) Int Two |_, a, b| whole(a, b, i64::checked_mul)),
    row!("/" Sign (Int, Int) Int Two |_, a, b| divided(a, b, i64::checked_div)),
    row!("%" Sign (Int, Int) Int Two |_, a, b| divided(a, b, i64::checked_rem)),
    row!("+" Sign (Number, Number) Number Two |_, a, b| Ok((number(a)? + number(b)?).into())),
    row!("-" Sign (Number, Number) Number Two |_, a, b| Ok((number(a)? - number(b)?).into())),
    row!("*" Sign (Number, Number) Number Two |_, a, b| Ok((number(a)? * number(b)?).into())),
    row!("/" Sign (Number, Number) Number Two |_, a, b| Ok((number(a)? / number(b)?).into())),
    row!("+" Sign (Text, Text) Text Two concat),
    row!("-" Sign (Int) Int One |_, a| int(a)?.checked_neg().map(Value::Int).ok_or_else(overflow)),
    row!("-" Sign (Number) Number One |_, a| Ok((-number(a)?).into())),
    row!("!" Sign (Bool) Bool One |_, a| Ok((!truth(a)?).into())),
    // Conversions.
    row!("int" Global (Int) Int One |_, a| Ok(a)),
    row!("int" Global (Number) Int One |_, a| to_int(number(a)?)),
    row!("int" Global (Text) Int One text_to_int),
    row!("int" Global (Time) Int One |_, a| Ok(time(a)?.seconds().into())),
    row!("double" Global (Number) Number One |_, a| Ok(a)),
    row!("double" Global (Int) Number One to_number),
    row!("double" Global (Text) Number One text_to_number),
    row!("string" Global (Text) Text One |_, a| Ok(a)),
    row!("string" Global (Int) Text One |_, a| Ok(int(a)?.to_string().into())),
    row!("string" Global (Number) Text One |_, a| Ok(written(number(a)?).into())),
    row!("string" Global (Bool) Text One |_, a| Ok(truth(a)?.to_string().into())),
    row!("string" Global (Time) Text One |_, a| Ok(time(a)?.to_string().into())),
    row!("bool" Global (Bool) Bool One |_, a| Ok(a)),
    row!("bool" Global (Text) Bool One text_to_bool),
    row!("timestamp" Global (Time) Time One |_, a| Ok(a)),
    row!("timestamp" Global (Int) Time One |_, a| {
        let time = Timestamp::from_seconds(int(a)?);
        time.map(Value::Timestamp).ok_or_else(|| conversion("is outside of the years 1 to 9999"))
    }),
    row!("timestamp" Global (Text) Time One text_to_time),
    // Text.
    row!("contains" Method (Text, Text) Bool Two |budget, a, b| {
        let (a, b) = (text(budget, &a)?, text(budget, &b)?);
        Ok(a.contains(b).into())
    }),
    row!("startsWith" Method (Text, Text) Bool Two |budget, a, b| {
        let (a, b) = (borrow(&a)?, text(budget, &b)?);
        Ok(a.starts_with(b).into())
    }),
    row!("endsWith" Method (Text, Text) Bool Two |budget, a, b| {
        let (a, b) = (borrow(&a)?, text(budget, &b)?);
        Ok(a.ends_with(b).into())
    }),
    row!("indexOf" Method (Text, Text) Int Two |budget, a, b| {
        let (a, b) = (text(budget, &a)?, text(budget, &b)?);
        Ok(a.find(b).map_or(-1, |at| a[..at].chars().count() as i64).into())
    }),
    row!("lowerAscii" Method (Text) Text One |budget, a| {
        Ok(text(budget, &a)?.to_ascii_lowercase().into())
    }),
    row!("upperAscii" Method (Text) Text One |budget, a| {
        Ok(text(budget, &a)?.to_ascii_uppercase().into())
    }),
    row!("trim" Method (Text) Text One |budget, a| Ok(text(budget, &a)?.trim().to_owned().into())),
    row!("replace" Method (Text, Text, Text) Text Three replace),
    row!("substring" Method (Text, Int) Text Two |budget, a, b| substring(budget, a, int(b)?, None)),
    row!("substring" Method (Text, Int, Int) Text Three |budget, a, b, c| {
        let end = Some(int(c)?);
        substring(budget, a, int(b)?, end)
    }),
    row!("split" Method (Text, Text) Texts Two split),
    row!("join" Method (Texts, Text) Text Two join),
    // Parts of a time, in UTC.
    row!("year" Either (Time) Int One |_, a| Ok(time(a)?.date()[0].into())),
    row!("month" Either (Time) Int One |_, a| Ok(time(a)?.date()[1].into())),
    row!("day" Either (Time) Int One |_, a| Ok(time(a)?.date()[2].into())),
    row!("dayOfWeek" Either (Time) Int One |_, a| Ok(time(a)?.day_of_week().into())),
    row!("dayOfYear" Either (Time) Int One |_, a| Ok(time(a)?.day_of_year().into())),
    row!("hour" Either (Time) Int One |_, a| Ok(time(a)?.time()[0].into())),
    row!("minute" Either (Time) Int One |_, a| Ok(time(a)?.time()[1].into())),
    row!("second" Either (Time) Int One |_, a| Ok(time(a)?.time()[2].into())),
    row!("getFullYear" Method (Time) Int One |_, a| Ok(time(a)?.date()[0].into())),
    row!("getMonth" Method (Time) Int One |_, a| Ok((time(a)?.date()[1] - 1).into())),
    row!("getDate" Method (Time) Int One |_, a| Ok(time(a)?.date()[2].into())),
    row!("getDayOfMonth" Method (Time) Int One |_, a| Ok((time(a)?.date()[2] - 1).into())),
    row!("getDayOfWeek" Method (Time) Int One |_, a| Ok(time(a)?.day_of_week().into())),
    row!("getDayOfYear" Method (Time) Int One |_, a| Ok((time(a)?.day_of_year() - 1).into())),
    row!("getHours" Method (Time) Int One |_, a| Ok(time(a)?.time()[0].into())),
    row!("getMinutes" Method (Time) Int One |_, a| Ok(time(a)?.time()[1].into())),
    row!("getSeconds" Method (Time) Int One |_, a| Ok(time(a)?.time()[2].into())),
    row!("getMilliseconds" Method (Time) Int One |_, a| {
        Ok(i64::from(time(a)?.nanos() / 1_000_000).into())
    }),
    // Numbers.
    row!("math.abs" Global (Int) Int One |_, a| {
        int(a)?.checked_abs().map(Value::Int).ok_or_else(overflow)
    }),
    row!("math.abs" Global (Number) Number One |_, a| Ok(number(a)?.abs().into())),
    row!("math.ceil" Global (Number) Number One |_, a| Ok(number(a)?.ceil().into())),
    row!("math.floor" Global (Number) Number One |_, a| Ok(number(a)?.floor().into())),
    row!("math.round" Global (Number) Number One |_, a| Ok(number(a)?.round().into())),
    row!("math.trunc" Global (Number) Number One |_, a| Ok(number(a)?.trunc().into())),
    row!("math.sqrt" Global (Number) Number One |_, a| Ok(number(a)?.sqrt().into())),
    row!("math.isNaN" Global (Number) Bool One |_, a| Ok(number(a)?.is_nan().into())),
    row!("math.isInf" Global (Number) Bool One |_, a| Ok(number(a)?.is_infinite().into())),
    row!("math.isFinite" Global (Number) Bool One |_, a| Ok(number(a)?.is_finite().into())),
];

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
        crate::Items::Borrowed(items) => items[place].borrowed(),
        crate::Items::Owned(mut items) => items.swap_remove(place),
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

fn mixed() -> Fault {
    Fault::new(FaultCode::Type, "values of different types")
}

fn overflow() -> Fault {
    Fault::new(FaultCode::Arithmetic, "the result is no whole number of 64 bits")
}

fn conversion(message: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    Fault::new(FaultCode::Conversion, message)
}

fn int(value: Value<'_>) -> Result<i64, Fault> {
    if let Value::Int(value) = value { Ok(value) } else { Err(mixed()) }
}

fn number(value: Value<'_>) -> Result<f64, Fault> {
    if let Value::Number(value) = value { Ok(value) } else { Err(mixed()) }
}

fn truth(value: Value<'_>) -> Result<bool, Fault> {
    if let Value::Bool(value) = value { Ok(value) } else { Err(mixed()) }
}

fn time(value: Value<'_>) -> Result<Timestamp, Fault> {
    if let Value::Timestamp(value) = value { Ok(value) } else { Err(mixed()) }
}

fn borrow<'a>(value: &'a Value<'_>) -> Result<&'a str, Fault> {
    if let Value::Text(text) = value { Ok(text) } else { Err(mixed()) }
}

/// A text all of which is looked at.
fn text<'a>(budget: &mut Budget, value: &'a Value<'_>) -> Result<&'a str, Fault> {
    let text = borrow(value)?;
    budget.spend(text.len())?;
    Ok(text)
}

fn whole<'a>(a: Value<'a>, b: Value<'a>, run: fn(i64, i64) -> Option<i64>) -> Made<'a> {
    run(int(a)?, int(b)?).map(Value::Int).ok_or_else(overflow)
}

fn divided<'a>(a: Value<'a>, b: Value<'a>, run: fn(i64, i64) -> Option<i64>) -> Made<'a> {
    let (a, b) = (int(a)?, int(b)?);
    if b == 0 {
        return Err(Fault::new(FaultCode::Arithmetic, "a whole number is divided by zero"));
    }
    run(a, b).map(Value::Int).ok_or_else(overflow)
}

/// A whole number as a number, which may round it above 2^53.
pub(crate) fn to_number<'a>(_: &mut Budget, a: Value<'a>) -> Made<'a> {
    Ok((int(a)? as f64).into())
}

fn to_int<'a>(number: f64) -> Made<'a> {
    let whole = number.trunc();
    // As CEL has it, which leaves out the smallest.
    match whole.abs() < 9_223_372_036_854_775_808.0 {
        true => Ok((whole as i64).into()),
        false => Err(conversion("the number is no whole number of 64 bits")),
    }
}

fn text_to_int<'a>(budget: &mut Budget, a: Value<'a>) -> Made<'a> {
    let text = text(budget, &a)?;
    let plain = !text.starts_with('+');
    let value = text.parse().ok().filter(|_| plain);
    value.map(Value::Int).ok_or_else(|| conversion("the text is no whole number of 64 bits"))
}

fn text_to_number<'a>(budget: &mut Budget, a: Value<'a>) -> Made<'a> {
    let text = text(budget, &a)?;
    let value: Option<f64> = text.parse().ok();
    let named = || text.contains(['i', 'I']);
    match value {
        Some(value) if value.is_finite() || value.is_nan() || named() => Ok(value.into()),
        Some(_) => Err(conversion("the text is a number beyond 64 bits")),
        None => Err(conversion("the text is no number")),
    }
}

fn text_to_bool<'a>(budget: &mut Budget, a: Value<'a>) -> Made<'a> {
    match text(budget, &a)? {
        "true" | "True" | "TRUE" | "t" | "1" => Ok(true.into()),
        "false" | "False" | "FALSE" | "f" | "0" => Ok(false.into()),
        _ => Err(conversion("the text is neither true nor false")),
    }
}

fn text_to_time<'a>(budget: &mut Budget, a: Value<'a>) -> Made<'a> {
    let time = Timestamp::parse(text(budget, &a)?);
    let message = "the text is no time such as 2026-11-30T12:00:00Z";
    time.map(Value::Timestamp).ok_or_else(|| conversion(message))
}

/// The shortest text that reads back as the same number.
fn written(number: f64) -> String {
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

fn concat<'a>(budget: &mut Budget, a: Value<'a>, b: Value<'a>) -> Made<'a> {
    let (a, b) = (borrow(&a)?, borrow(&b)?);
    budget.text(a.len() + b.len())?;
    Ok([a, b].concat().into())
}

fn replace<'a>(budget: &mut Budget, a: Value<'a>, from: Value<'a>, to: Value<'a>) -> Made<'a> {
    let (a, from, to) = (text(budget, &a)?, text(budget, &from)?, borrow(&to)?);
    let times = a.matches(from).count();
    budget.text(a.len().saturating_add(times.saturating_mul(to.len())))?;
    Ok(a.replace(from, to).into())
}

/// By characters, not bytes.
fn substring<'a>(budget: &mut Budget, a: Value<'a>, start: i64, end: Option<i64>) -> Made<'a> {
    let text = text(budget, &a)?;
    let byte = |place: i64| {
        let place = usize::try_from(place).ok()?;
        let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        ends.skip(place).next()
    };
    let range = byte(start).zip(end.map_or(Some(text.len()), byte));
    match range.and_then(|(start, end)| text.get(start..end)) {
        Some(part) => Ok(part.to_owned().into()),
        None => Err(conversion("the range is not one of the text")),
    }
}

fn split<'a>(budget: &mut Budget, a: Value<'a>, by: Value<'a>) -> Made<'a> {
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

fn join<'a>(budget: &mut Budget, list: Value<'a>, by: Value<'a>) -> Made<'a> {
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

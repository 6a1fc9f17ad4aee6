//! The functions and operators of the language, by name and by the types that they take.
//!
//! `compare`: those that take values of any type; `convert`, `text`: what they do; `values`: values
//! of a type.

mod compare;
mod convert;
mod text;
mod values;

use crate::evaluate::{One, Three, Two};
use crate::scope::Type;
use crate::time::Timestamp;
use crate::value::Value;
pub(crate) use compare::{
    appended, contained, element, equal, greatest, least, ordered, size, unequal,
};
pub(crate) use convert::to_number;
use convert::{text_to_bool, text_to_int, text_to_number, text_to_time, to_int, written};
use text::{concat, join, replace, split, substring};
use values::{borrow, conversion, divided, int, number, overflow, text, time, truth, whole};

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

//! The categories that a model knows by name, which releases from 3.1 on store.

use crate::document::input::{Input, Most};
use crate::error::Error;
use crate::limits::Limits;
use crate::tokens::Number;

/// The categories of one feature, in the order of their numbers in trees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Categories {
    Texts(Vec<String>),
    Numbers(Vec<f64>),
}

impl Categories {
    /// Whether a category is a text that is not ASCII.
    pub(crate) fn is_beyond_ascii(&self) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().any(|text| !text.is_ascii()),
            Self::Numbers(_) => false,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }
}

/// Reads what stands at `cats`: of every feature its categories, none where it has none.
pub(crate) fn read(input: &mut Input<'_>, limits: &Limits) -> Result<Vec<Categories>, Error> {
    let mut features = vec![];
    let (mut total, mut bytes) = (0, 0);
    input.object(|input, key| match key {
        "enc" => input.list(Most(limits.features, "features"), |input| {
            let most = Most(limits.categories.saturating_sub(total), "categories");
            let room = Most(limits.category_bytes.saturating_sub(bytes), "category_bytes");
            let (categories, values) = column(input, most, room)?;
            bytes += values;
            total += categories.len() as u64;
            features.push(categories);
            Ok(())
        }),
        _ => input.skip(),
    })?;
    Ok(features)
}

/// Reads the categories of one feature: texts as bytes one after the other and where each
/// begins, or numbers. Answers how many bytes or numbers there are, too; `room` says how many
/// there may be.
fn column(input: &mut Input<'_>, most: Most, room: Most) -> Result<(Categories, u64), Error> {
    let (mut offsets, mut values): (Option<Vec<usize>>, Option<Vec<f64>>) = (None, None);
    input.object(|input, key| match key {
        "offsets" => {
            let most = Most(most.0.saturating_add(1), most.1);
            let convert = |it: Number<'_>| it.integer().and_then(|it| usize::try_from(it).ok());
            let read = input.numbers(most, "an offset", convert)?;
            input.set(&mut offsets, read)
        }
        "values" => {
            let read = input.numbers(room, "a number", exact)?;
            input.set(&mut values, read)
        }
        _ => input.skip(),
    })?;
    let values = values.ok_or_else(|| input.fault("values is missing"))?;
    let count = values.len() as u64;
    match offsets {
        None if count > most.0 => {
            Err(input.fault(format!("more than {} categories: raise Limits::categories", most.0)))
        }
        None => Ok((Categories::Numbers(values), count)),
        Some(offsets) => {
            let text = |range: &[usize]| text(&values, range[0], range[1]);
            let texts: Option<Vec<String>> = offsets.windows(2).map(text).collect();
            texts.map(|texts| (Categories::Texts(texts), count)).ok_or_else(|| {
                input.fault(
                    "the categories are no texts; releases before 3.4 cut those that are not \
                     ASCII at the wrong places",
                )
            })
        }
    }
}

/// A number without rounding: integers beyond 53 bits are none.
fn exact(number: Number<'_>) -> Option<f64> {
    let is_exact = |it: i64| it.unsigned_abs() <= 1 << 53;
    number.integer().is_none_or(is_exact).then(|| number.double()).flatten()
}

/// The text between two bytes, which the file has as signed numbers.
fn text(values: &[f64], begin: usize, end: usize) -> Option<String> {
    let byte = |value: &f64| {
        let is_byte = value.fract() == 0.0 && (-128.0..256.0).contains(value);
        is_byte.then_some(*value as i16 as u8)
    };
    let bytes: Option<Vec<u8>> = values.get(begin..end)?.iter().map(byte).collect();
    String::from_utf8(bytes?).ok()
}

//! Columns of a row that are made of two others. A row without strata begins with its
//! categories, so that a column's number is its place among them.

use std::collections::HashMap;

use crate::columns::Feature;
use crate::error::Error;
use crate::info::Info;

/// A column that is made of two others.
#[derive(Debug)]
pub(super) struct Interaction {
    pub(super) target: usize,
    /// The columns that it is made of.
    pub(super) of: [usize; 2],
    kind: Kind,
}

/// How the model counts the coefficients of its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbering<'a> {
    pub(super) all_levels: bool,
    /// How many columns of categories it has, behind which those of numbers stand.
    pub(super) categories: usize,
    /// Where the coefficient of each number is.
    pub(super) numbers: &'a [usize],
}

#[derive(Debug)]
enum Kind {
    /// Which pair of categories it is, by the first and then the second; -1 for one that
    /// training has not seen.
    Pair(HashMap<(usize, usize), f64>),
    /// The product of two numbers.
    Product,
    /// The number of the second column, with a coefficient for each category of the first.
    Split,
}

/// The interactions of a model; none where `model.ini` has none.
pub(super) fn read(
    info: &Info<'_>,
    features: &[Feature],
    cats: usize,
    nums: usize,
) -> Result<Vec<Interaction>, Error> {
    if info.text("interaction_targets").is_none() {
        return Ok(vec![]);
    }
    let targets: Vec<usize> = info.required_list("interaction_targets")?;
    let first: Vec<usize> = info.required_list("interactions_1")?;
    let second: Vec<usize> = info.required_list("interactions_2")?;
    if first.len() != targets.len() || second.len() != targets.len() {
        let reason = "it has not as many columns as interactions_1 or interactions_2";
        return Err(Error::contradiction("interaction_targets", reason));
    }
    let mut interactions = vec![];
    for (target, of) in targets.iter().zip(first.into_iter().zip(second)) {
        let of = [of.0, of.1];
        let wrong =
            |what: &str| Error::contradiction("interaction_targets", format!("{target}: {what}"));
        let feature = |column: usize| features.get(column).ok_or_else(|| wrong("no such column"));
        let domain = |column: usize| Ok::<_, Error>(feature(column)?.domain());
        if of.iter().any(|column| targets.contains(column)) {
            return Err(wrong("it is made of a column that is made of others"));
        }
        let (of, kind) = match [domain(of[0])?, domain(of[1])?] {
            [Some(first), Some(second)] => {
                let pairs = domain(*target)?.ok_or_else(|| wrong("it has no categories"))?;
                let mut numbers = HashMap::new();
                for (number, pair) in pairs.levels().iter().enumerate() {
                    // Which of two names an underscore divides is tried as H2O puts them together.
                    for (place, _) in pair.match_indices('_') {
                        let (one, other) =
                            (&pair.as_bytes()[..place], &pair.as_bytes()[place + 1..]);
                        if let (Some(one), Some(other)) = (first.index(one), second.index(other)) {
                            numbers.entry((one as usize, other as usize)).or_insert(number as f64);
                        }
                    }
                }
                (of, Kind::Pair(numbers))
            }
            [None, None] => (of, Kind::Product),
            [Some(_), None] => (of, Kind::Split),
            [None, Some(_)] => ([of[1], of[0]], Kind::Split),
        };
        let among = if matches!(kind, Kind::Pair(_)) { 0..cats } else { cats..cats + nums };
        if !among.contains(target) {
            return Err(wrong("it is not where its kind of column is"));
        }
        interactions.push(Interaction { target: *target, of, kind });
    }
    Ok(interactions)
}

impl Interaction {
    /// Makes the column of a row, and says where the coefficient of a number is that interacts
    /// with a category. `None` where H2O's scorer throws.
    pub(super) fn make(
        &self,
        row: &mut [f64],
        places: &mut [Option<i64>],
        numbering: Numbering<'_>,
    ) -> Option<()> {
        let [first, second] = self.of.map(|column| row[column]);
        // As Java makes an integer of a number, and 0 of one that is missing.
        let level = |value: f64| i64::from(value as i32);
        row[self.target] = match &self.kind {
            Kind::Product => first * second,
            Kind::Pair(pairs) => {
                let pair = [first, second].map(|value| usize::try_from(level(value)).ok());
                pairs.get(&(pair[0]?, pair[1]?)).copied().unwrap_or(-1.0)
            }
            Kind::Split => {
                let level = level(first) - i64::from(!numbering.all_levels);
                let number = self.target - numbering.categories;
                let place = i64::try_from(numbering.numbers[number]).ok()?;
                places[number] = Some(level + place);
                if level < 0 { 0.0 } else { second }
            }
        };
        Some(())
    }
}

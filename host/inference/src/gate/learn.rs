//! The table out of the results of the suite.

use std::collections::{BTreeMap, BTreeSet};

use super::forms::Form;
use super::table::{Compared, Table};

type Features = BTreeSet<(String, String)>;

/// Features of a combination that is wrong, at most, before the whole form is one.
const COMBINED: usize = 3;

/// What came of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every output is what the reference has.
    Right,
    /// An output is not.
    Wrong,
    /// It was loaded, and failed when it was computed.
    Failed,
    /// It was not loaded.
    Refused,
}

/// Writes a table from cases: their names, forms and outcomes. A value of a feature counts as
/// right if one case with it was. What was wrong or failed is told from what was right by the
/// fewest features that no right case has together; of several that do, by those that tell
/// most of the wrong cases. Where no features do, the two that take fewest right cases along.
pub fn learn(cases: &[(String, Form, Outcome)]) -> Table {
    let mut by_operator: BTreeMap<&str, Vec<&(String, Form, Outcome)>> = BTreeMap::new();
    for case in cases {
        by_operator.entry(&case.1.operator).or_default().push(case);
    }
    let mut table = Table::default();
    for (operator, cases) in by_operator {
        let of = |outcomes: &[Outcome]| -> BTreeMap<&Features, &str> {
            let those = cases.iter().rev().filter(|(_, _, outcome)| outcomes.contains(outcome));
            those.map(|(name, form, _)| (&form.features, name.as_str())).collect()
        };
        let right = of(&[Outcome::Right]);
        if right.is_empty() {
            continue;
        }
        let mut compared = Compared::default();
        for (key, value) in right.keys().flat_map(|features| features.iter()) {
            compared.right.entry(key.clone()).or_default().insert(value.clone());
        }
        let right: Vec<&Features> = right.into_keys().collect();
        compared.wrong = combinations(&right, of(&[Outcome::Wrong, Outcome::Failed]));
        table.insert(operator.to_owned(), compared);
    }
    table
}

/// A set of features, by their places among all of an operator's.
type Bits = [u64; 8];

fn combinations(
    right: &[&Features],
    mut wrong: BTreeMap<&Features, &str>,
) -> Vec<(Features, String)> {
    let all: BTreeSet<_> = right.iter().copied().chain(wrong.keys().copied()).flatten().collect();
    let all: Vec<&(String, String)> = all.into_iter().take(Bits::default().len() * 64).collect();
    let bits = |features: &Features| {
        let mut bits = Bits::default();
        for (place, _) in all.iter().enumerate().filter(|(_, it)| features.contains(**it)) {
            bits[place / 64] |= 1 << (place % 64);
        }
        bits
    };
    let right: Vec<Bits> = right.iter().map(|features| bits(features)).collect();
    let mut found = Vec::new();
    for size in 1..=COMBINED {
        let mut counts: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for features in wrong.keys() {
            let places: Vec<usize> =
                (0..all.len()).filter(|place| features.contains(all[*place])).collect();
            subsets(&places, size)
                .into_iter()
                .for_each(|some| *counts.entry(some).or_default() += 1);
        }
        let mut candidates: Vec<(Vec<usize>, usize)> = counts.into_iter().collect();
        candidates.retain(|(some, _)| {
            let has = |bits: &Bits| some.iter().all(|it| bits[it / 64] >> (it % 64) & 1 == 1);
            !right.iter().any(has)
        });
        // Stable: of equals, the first in the order of names.
        candidates.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (some, _) in candidates {
            let some: Features = some.into_iter().map(|place| all[place].clone()).collect();
            let met: Vec<&str> =
                wrong.iter().filter(|(it, _)| some.is_subset(it)).map(|(_, name)| *name).collect();
            if let Some(name) = met.first() {
                found.push((some.clone(), format!("{}, {name}", met.len())));
                wrong.retain(|features, _| !some.is_subset(features));
            }
        }
    }
    // What nothing tells from a right case depends on numbers or shapes, which forms do not have.
    // The two features with which the fewest right forms are lost are refused with it.
    while let Some(features) = wrong.keys().next().copied() {
        let places: Vec<usize> =
            (0..all.len()).filter(|place| features.contains(all[*place])).collect();
        let lost = |some: &Vec<usize>| {
            let has = |bits: &&Bits| some.iter().all(|it| bits[it / 64] >> (it % 64) & 1 == 1);
            right.iter().filter(has).count()
        };
        let some = subsets(&places, 2).into_iter().min_by_key(lost).unwrap_or_default();
        let some: Features = some.into_iter().map(|place| all[place].clone()).collect();
        let met: Vec<&str> =
            wrong.iter().filter(|(it, _)| some.is_subset(it)).map(|(_, name)| *name).collect();
        found.push((some.clone(), format!("{}, {}, right elsewhere", met.len(), met[0])));
        wrong.retain(|features, _| !some.is_subset(features));
    }
    found
}

/// The subsets of a size.
fn subsets(all: &[usize], size: usize) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        let longer = sets.iter().flat_map(|set| {
            let beyond = set.last().copied();
            let next = all.iter().filter(move |place| beyond.is_none_or(|last| **place > last));
            next.map(|place| set.iter().copied().chain([*place]).collect())
        });
        sets = longer.collect();
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, features: &[(&str, &str)], outcome: Outcome) -> (String, Form, Outcome) {
        let features = features.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let (node, operator) = ("n".to_owned(), "Op".to_owned());
        (name.to_owned(), Form { node, operator, opset: 13, features: features.collect() }, outcome)
    }

    #[test]
    fn the_fewest_features_tell_wrong_from_right() {
        let cases = [
            case("a", &[("x", "fp32"), ("mode", "a")], Outcome::Right),
            case("b", &[("x", "fp16"), ("mode", "a")], Outcome::Right),
            case("c", &[("x", "fp32"), ("mode", "b")], Outcome::Right),
            case("d", &[("x", "fp16"), ("mode", "b")], Outcome::Wrong),
            case("e", &[("x", "fp32"), ("mode", "c")], Outcome::Failed),
            case("f", &[("x", "i64"), ("mode", "a")], Outcome::Refused),
        ];
        let table = learn(&cases);
        assert_eq!(
            table.to_string(),
            "Op\n  mode: a b\n  x: fp16 fp32\n  wrong: mode=c # 1, e\n  wrong: mode=b x=fp16 # 1, d\n"
        );
        let read = Table::read(&table.to_string());
        assert_eq!(read.to_string(), table.to_string());
        for (name, form, outcome) in &cases {
            assert_eq!(read.doubt(form).is_none(), *outcome == Outcome::Right, "{name}");
        }
    }
}

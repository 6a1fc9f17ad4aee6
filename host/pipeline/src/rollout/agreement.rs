//! The agreement of two models' predictions for the same records.

use std::collections::BTreeMap;

use super::report::{Confused, OTHERS};
use crate::outcome::Predictions;
use sandbar_record::Variant;
use sandbar_sandbox::OutputSchema;

/// Classes that are counted separately, those that occur first; the others are counted together.
const CLASSES: usize = 32;
/// In [`Agreement::slots`]: not seen yet.
const UNSEEN: u8 = u8::MAX;

/// Counts of labels and differences of numbers. Labels and numbers of the two are matched by
/// their names, wherever they stand in each.
pub(super) struct Agreement {
    /// All classes, of both.
    names: Vec<String>,
    /// For each of the two, and each of its classes, the index in `names`; empty: it has none.
    classes: [Vec<u32>; 2],
    /// For each of `names` its row in the tables.
    slots: Vec<u8>,
    /// The classes that have rows of their own.
    seen: Vec<u32>,
    /// For each of the two, how often it predicted each; the last row is of all others.
    labels: [[u64; CLASSES + 1]; 2],
    /// How often the serving model predicted the row and the candidate the column.
    confusion: Vec<u64>,
    /// Where numbers stand that both have: in what serves, and in the candidate.
    columns: Vec<(usize, usize)>,
    compared: u64,
    agreed: u64,
    differences: f64,
    numbers: u64,
}

impl Agreement {
    pub(super) fn new(serving: Option<&OutputSchema>, candidate: Option<&OutputSchema>) -> Self {
        let mut index = BTreeMap::new();
        let mut names: Vec<String> = Vec::new();
        let mut classes = |output: Option<&OutputSchema>| match output {
            Some(OutputSchema::Classes(of)) => {
                let each = of.iter().map(|name| {
                    *index.entry(name.clone()).or_insert_with(|| {
                        names.push(name.clone());
                        names.len() as u32 - 1
                    })
                });
                each.collect()
            }
            _ => Vec::new(),
        };
        let classes: [Vec<u32>; 2] = [classes(serving), classes(candidate)];
        let numbers = |output: Option<&OutputSchema>| {
            output.map(OutputSchema::names).unwrap_or_default().to_vec()
        };
        let (of_serving, of_candidate) = (numbers(serving), numbers(candidate));
        let place = |name| of_candidate.iter().position(|it| it == name);
        let columns =
            of_serving.iter().enumerate().filter_map(|(at, name)| Some((at, place(name)?)));
        Agreement {
            slots: vec![UNSEEN; names.len()],
            columns: columns.collect(),
            names,
            classes,
            seen: Vec::new(),
            labels: [[0; CLASSES + 1]; 2],
            confusion: vec![0; (CLASSES + 1) * (CLASSES + 1)],
            compared: 0,
            agreed: 0,
            differences: 0.0,
            numbers: 0,
        }
    }

    /// Whether both say labels.
    pub(super) fn has_labels(&self) -> bool {
        self.classes.iter().all(|classes| !classes.is_empty())
    }

    /// Counts the labels that one of the two predicted.
    pub(super) fn count(&mut self, variant: Variant, predictions: &Predictions) {
        for label in &predictions.labels {
            if let Some(class) = self.class(variant, *label) {
                let slot = self.slot(class);
                self.labels[variant as usize][slot] += 1;
            }
        }
    }

    /// Compares the predictions for the records that both scored. If a record was made
    /// into several, the first of one is compared with the first of the other, and so on.
    pub(super) fn compare(&mut self, serving: &Predictions, candidate: &Predictions) {
        let (mut one, mut other) = (0, 0);
        while let (Some(origin), Some(beside)) =
            (serving.origins.get(one), candidate.origins.get(other))
        {
            if origin == beside {
                self.pair((serving, one), (candidate, other));
            }
            // The side with more predictions of a record has the rest left over.
            one += usize::from(origin <= beside);
            other += usize::from(beside <= origin);
        }
    }

    fn pair(&mut self, serving: (&Predictions, usize), candidate: (&Predictions, usize)) {
        self.compared += 1;
        let label = |(predictions, at): (&Predictions, usize)| predictions.labels.get(at).copied();
        let class = |pairs: &Self, variant, label: Option<u32>| pairs.class(variant, label?);
        let said = class(self, Variant::Serving, label(serving));
        let beside = class(self, Variant::Candidate, label(candidate));
        if let (Some(said), Some(beside)) = (said, beside) {
            self.agreed += u64::from(said == beside);
            let (row, column) = (self.slot(said), self.slot(beside));
            self.confusion[row * (CLASSES + 1) + column] += 1;
        }
        let (said, beside) = (serving.0.values(serving.1), candidate.0.values(candidate.1));
        for (at, there) in &self.columns {
            let difference = (said[*at] - beside[*there]).abs();
            if difference.is_finite() {
                self.differences += difference;
                self.numbers += 1;
            }
        }
    }

    /// The index among all classes of one's label.
    fn class(&self, variant: Variant, label: u32) -> Option<u32> {
        self.classes[variant as usize].get(label as usize).copied()
    }

    /// The row of a class.
    fn slot(&mut self, class: u32) -> usize {
        let slot = &mut self.slots[class as usize];
        if *slot == UNSEEN {
            *slot = self.seen.len().min(CLASSES) as u8;
            if self.seen.len() < CLASSES {
                self.seen.push(class);
            }
        }
        usize::from(*slot)
    }

    /// How many records both scored.
    pub(super) fn compared(&self) -> u64 {
        self.compared
    }

    /// On how much of these they agree; `None` if there are no labels, or no such records.
    pub(super) fn agreement(&self) -> Option<f64> {
        let known = self.has_labels() && self.compared > 0;
        known.then(|| self.agreed as f64 / self.compared as f64)
    }

    /// The mean of the absolute differences of all numbers that both gave.
    pub(super) fn mean_difference(&self) -> Option<f64> {
        (self.numbers > 0).then(|| self.differences / self.numbers as f64)
    }

    /// How often one of the two predicted each label.
    pub(super) fn labels(&self, variant: Variant) -> BTreeMap<String, u64> {
        let counts = self.labels[variant as usize].iter().enumerate();
        let said = counts.filter(|(_, count)| **count > 0);
        said.map(|(slot, count)| (self.name(slot), *count)).collect()
    }

    /// The counts of label pairs, the most frequent first.
    pub(super) fn confusion(&self) -> Vec<Confused> {
        let cells = self.confusion.iter().enumerate().filter(|(_, records)| **records > 0);
        let mut confused: Vec<Confused> = cells
            .map(|(at, records)| Confused {
                serving: self.name(at / (CLASSES + 1)),
                candidate: self.name(at % (CLASSES + 1)),
                records: *records,
            })
            .collect();
        confused.sort_by_key(|it| std::cmp::Reverse(it.records));
        confused
    }

    fn name(&self, slot: usize) -> String {
        let name = self.seen.get(slot).map(|class| &self.names[*class as usize]);
        name.cloned().unwrap_or_else(|| OTHERS.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn classes(names: &[&str]) -> OutputSchema {
        OutputSchema::Classes(names.iter().map(|&name| name.to_owned()).collect())
    }

    fn predictions(width: usize, rows: &[(u32, u32, &[f64])]) -> Predictions {
        let mut predictions = Predictions::default();
        for (origin, label, values) in rows {
            assert_eq!(values.len(), width);
            predictions.push(*origin, Some(*label), values);
        }
        predictions
    }

    #[test]
    fn labels_and_numbers_are_matched_by_name() {
        let (serving, candidate) = (classes(&["no", "yes"]), classes(&["yes", "maybe", "no"]));
        let mut pairs = Agreement::new(Some(&serving), Some(&candidate));
        assert_eq!((pairs.agreement(), pairs.mean_difference()), (None, None));
        let one = predictions(2, &[(0, 0, &[0.9, 0.1]), (2, 1, &[0.2, 0.8]), (3, 1, &[0.0, 1.0])]);
        let other = predictions(
            3,
            &[(0, 2, &[0.2, 0.0, 0.8]), (1, 0, &[1.0, 0.0, 0.0]), (3, 1, &[0.5, 0.5, f64::NAN])],
        );
        pairs.count(Variant::Candidate, &other);
        pairs.compare(&one, &other);
        assert_eq!((pairs.compared(), pairs.agreement()), (2, Some(0.5)));
        // 0.9 and 0.8, 0.1 and 0.2, 1.0 and 0.5; what is no number is not counted.
        assert!((pairs.mean_difference().unwrap_or(0.0) - 0.7 / 3.0).abs() < 1e-12);
        let confused = |serving: &str, candidate: &str| Confused {
            serving: serving.into(),
            candidate: candidate.into(),
            records: 1,
        };
        let mut seen = pairs.confusion();
        seen.sort_by(|a, b| a.serving.cmp(&b.serving));
        assert_eq!(seen, [confused("no", "no"), confused("yes", "maybe")]);
        let labels = ["maybe", "no", "yes"].map(|label| (label.to_owned(), 1));
        assert_eq!(pairs.labels(Variant::Candidate), labels.into());
    }

    #[test]
    fn numbers_have_no_labels_to_agree() {
        let values = OutputSchema::Values(vec!["x".into()]);
        let mut pairs = Agreement::new(Some(&values), Some(&values));
        let of = |value: f64| {
            let mut predictions = Predictions::default();
            predictions.push(0, None, &[value]);
            predictions
        };
        pairs.compare(&of(1.0), &of(1.5));
        assert_eq!((pairs.agreement(), pairs.mean_difference()), (None, Some(0.5)));
        assert!(pairs.confusion().is_empty());
    }

    #[test]
    fn classes_without_a_row_are_counted_together() {
        let names: Vec<String> = (0..1000).map(|n| format!("class {n}")).collect();
        let output = OutputSchema::Classes(names);
        let mut pairs = Agreement::new(Some(&output), Some(&output));
        let values = vec![0.0; 1000];
        let rows: Vec<(u32, u32, &[f64])> = (0..1000).map(|n| (n, n, values.as_slice())).collect();
        let all = predictions(1000, &rows);
        pairs.compare(&all, &all);
        assert_eq!(pairs.agreement(), Some(1.0));
        let confusion = pairs.confusion();
        assert_eq!(confusion.len(), CLASSES + 1);
        assert_eq!((confusion[0].serving.as_str(), confusion[0].records), (OTHERS, 968));
    }

    proptest! {
        /// Against the plainest way to say it.
        #[test]
        fn pairs_are_those_of_the_same_record(
            one in proptest::collection::btree_map(0..40_u32, 0..3_u32, 0..40),
            other in proptest::collection::btree_map(0..40_u32, 0..3_u32, 0..40),
        ) {
            let output = classes(&["a", "b", "c"]);
            let mut pairs = Agreement::new(Some(&output), Some(&output));
            let of = |labels: &BTreeMap<u32, u32>| {
                let mut predictions = Predictions::default();
                labels.iter().for_each(|(origin, label)| {
                    predictions.push(*origin, Some(*label), &[0.0, 0.0, f64::from(*label)]);
                });
                predictions
            };
            pairs.compare(&of(&one), &of(&other));
            let both: Vec<(u32, u32)> =
                one.iter().filter_map(|(it, label)| Some((*label, *other.get(it)?))).collect();
            let agreed = both.iter().filter(|(a, b)| a == b).count();
            prop_assert_eq!(pairs.compared(), both.len() as u64);
            prop_assert_eq!(pairs.agreed, agreed as u64);
            let sum: u64 = both.iter().map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            prop_assert!((pairs.differences - sum as f64).abs() < 1e-9);
            let counted: u64 = pairs.confusion().iter().map(|it| it.records).sum();
            prop_assert_eq!(counted, both.len() as u64);
        }
    }
}

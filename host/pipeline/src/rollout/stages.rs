//! The agreement of what serves and of a candidate, scorer by scorer: they are matched by the
//! names of their stages.

use std::sync::Arc;

use super::agreement::Agreement;
use super::report::{RolloutReport, StageReport};
use crate::outcome::PredictionSet;
use sandbar_record::Variant;
use sandbar_sandbox::OutputSchema;

/// What scorers predict, by stage.
pub(crate) type Shapes = [(Arc<str>, OutputSchema)];

/// The agreement of each scorer.
pub(super) struct Agreements(Vec<Pair>);

struct Pair {
    stage: Arc<str>,
    /// Its number among the scorers of each of the two, if it is there.
    numbers: [Option<usize>; 2],
    agreement: Agreement,
}

impl Agreements {
    pub(super) fn new(serving: &Shapes, candidate: &Shapes) -> Self {
        let find =
            |shapes: &Shapes, stage: &Arc<str>| shapes.iter().position(|(it, _)| it == stage);
        let output =
            |shapes: &'_ Shapes, number: Option<usize>| number.map(|it| shapes[it].1.clone());
        let only = candidate.iter().filter(|(stage, _)| find(serving, stage).is_none());
        let pair = |(stage, _): &(Arc<str>, OutputSchema)| {
            let numbers = [find(serving, stage), find(candidate, stage)];
            let (one, other) = (output(serving, numbers[0]), output(candidate, numbers[1]));
            let agreement = Agreement::new(one.as_ref(), other.as_ref());
            Pair { stage: stage.clone(), numbers, agreement }
        };
        Agreements(serving.iter().chain(only).map(pair).collect())
    }

    /// Whether a scorer says labels in both, which can agree.
    pub(super) fn has_labels(&self) -> bool {
        self.0.iter().any(|pair| pair.agreement.has_labels())
    }

    /// Counts the labels that one of the two predicted.
    pub(super) fn count(&mut self, variant: Variant, predictions: &PredictionSet) {
        for Pair { numbers, agreement, .. } in &mut self.0 {
            let of = numbers[variant as usize].and_then(|number| predictions.of(number));
            if let Some(predictions) = of {
                agreement.count(variant, predictions);
            }
        }
    }

    /// Compares the predictions for the records that both scored.
    pub(super) fn compare(&mut self, serving: &PredictionSet, candidate: &PredictionSet) {
        for Pair { numbers, agreement, .. } in &mut self.0 {
            let one = numbers[0].and_then(|number| serving.of(number));
            let other = numbers[1].and_then(|number| candidate.of(number));
            if let (Some(one), Some(other)) = (one, other) {
                agreement.compare(one, other);
            }
        }
    }

    /// How many records both scored, with each of the scorers that both have.
    pub(super) fn compared(&self) -> u64 {
        let both = self.0.iter().filter(|pair| pair.numbers.iter().all(Option::is_some));
        both.map(|pair| pair.agreement.compared()).min().unwrap_or_default()
    }

    /// On how much of these they agree, of the scorer with the lowest agreement.
    pub(super) fn agreement(&self) -> Option<f64> {
        self.0.iter().filter_map(|pair| pair.agreement.agreement()).min_by(f64::total_cmp)
    }

    /// Writes what is compared into a report.
    pub(super) fn report(&self, report: &mut RolloutReport) {
        report.compared = self.compared();
        report.agreement = self.agreement();
        let differences = self.0.iter().filter_map(|pair| pair.agreement.mean_difference());
        report.mean_difference = differences.max_by(f64::total_cmp);
        if let [Pair { agreement, .. }] = self.0.as_slice() {
            report.confusion = agreement.confusion();
            report.serving.labels = agreement.labels(Variant::Serving);
            report.candidate.labels = agreement.labels(Variant::Candidate);
            return;
        }
        let stage = |Pair { stage, agreement, .. }: &Pair| {
            let about = StageReport {
                compared: agreement.compared(),
                agreement: agreement.agreement(),
                confusion: agreement.confusion(),
                mean_difference: agreement.mean_difference(),
                serving: agreement.labels(Variant::Serving),
                candidate: agreement.labels(Variant::Candidate),
            };
            (stage.to_string(), about)
        };
        report.stages = self.0.iter().map(stage).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scorers_are_matched_by_stage() {
        let classes = || OutputSchema::Classes(vec!["NO".into(), "YES".into()]);
        let shapes = |stages: &[&str]| -> Vec<(Arc<str>, OutputSchema)> {
            stages.iter().map(|stage| ((*stage).into(), classes())).collect()
        };
        let mut pairs = Agreements::new(&shapes(&["a", "b"]), &shapes(&["b", "c"]));
        let (mut one, mut other) = (PredictionSet::default(), PredictionSet::default());
        for origin in 0..4 {
            one.push(0, origin, Some(0), &[1.0, 0.0]);
            one.push(1, origin, Some(1), &[0.0, 1.0]);
            // The candidate's first is `b`.
            other.push(0, origin, Some(u32::from(origin > 0)), &[0.5, 0.5]);
            other.push(1, origin, Some(0), &[1.0, 0.0]);
        }
        pairs.count(Variant::Serving, &one);
        pairs.count(Variant::Candidate, &other);
        pairs.compare(&one, &other);
        let mut report = RolloutReport::default();
        pairs.report(&mut report);
        assert_eq!((report.agreement, report.mean_difference), (Some(0.75), Some(0.5)));
        assert_eq!(report.stages.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        let b = &report.stages["b"];
        assert_eq!((b.compared, b.agreement), (4, Some(0.75)));
        assert_eq!(b.candidate, [("NO".to_owned(), 1), ("YES".to_owned(), 3)].into());
        // What only one of the two has is counted, and cannot be compared.
        assert_eq!((report.stages["a"].compared, report.stages["a"].agreement), (0, None));
        assert_eq!(report.stages["a"].serving, [("NO".to_owned(), 4)].into());
        assert!(report.confusion.is_empty() && report.serving.labels.is_empty());
    }
}

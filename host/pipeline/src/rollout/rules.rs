//! Whether a candidate holds to its rules.

use humantime_serde::re::humantime::format_duration;

use super::spec::{Fraction, OnPass, Rules};
use super::tally::Tally;

/// The verdict of the rules, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The candidate kept its rules.
    Holds(String),
    /// It broke a rule.
    Broken(String),
}

impl Rules {
    /// Judges a candidate by its results, once there are enough of these;
    /// `None`: there are not, or it holds and is to go on.
    pub(super) fn judge(
        &self,
        candidate: &Tally,
        compared: u64,
        agreement: Option<f64>,
    ) -> Option<Verdict> {
        let Rules { min_rows, max_failure_rate, min_agreement, max_p99, then } = self;
        if candidate.records < *min_rows {
            return None;
        }
        let percent = |share: f64| {
            Fraction::new(share).map_or_else(|| share.to_string(), |share| share.to_string())
        };
        let records = candidate.records;
        let rate = candidate.failure_rate();
        if let Some(most) = max_failure_rate.filter(|most| rate > most.get()) {
            let rate = percent(rate);
            let broken = format!(
                "{rate} of the candidate's {records} records failed, above max_failure_rate {most}"
            );
            return Some(Verdict::Broken(broken));
        }
        let p99 = candidate.times.quantile(0.99);
        if let (Some(p99), Some(most)) = (p99, max_p99)
            && p99 > *most
        {
            let (p99, most) = (format_duration(p99), format_duration(*most));
            let broken = format!("the candidate's p99 per batch is {p99}, above max_p99 {most}");
            return Some(Verdict::Broken(broken));
        }
        if let Some(least) = min_agreement {
            // Records that failed in one of the two do not count.
            let agreement = agreement.filter(|_| compared >= *min_rows)?;
            if agreement < least.get() {
                let agreement = percent(agreement);
                let broken = format!(
                    "the agreement on the labels of {compared} records is {agreement}, below min_agreement {least}"
                );
                return Some(Verdict::Broken(broken));
            }
        }
        let holds =
            || Verdict::Holds(format!("the candidate kept its rules over {records} records"));
        (*then == OnPass::Promote).then(holds)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use std::time::Duration;

    use super::*;
    use sandbar_record::Code;

    fn tally(records: u64, failed: u64, took: Duration) -> Tally {
        let mut tally =
            Tally { records, failed: [(Code::Trap, failed)].into(), ..Tally::default() };
        tally.times.add(took);
        tally
    }

    #[test]
    fn what_is_broken_is_named() {
        let share = |share| Some(Fraction::new(share).unwrap());
        let rules = Rules {
            min_rows: 100,
            max_failure_rate: share(0.01),
            min_agreement: share(0.95),
            max_p99: Some(Duration::from_millis(50)),
            then: OnPass::Promote,
        };
        let fast = Duration::from_millis(1);
        let judge = |tally: &Tally, compared, agreement| rules.judge(tally, compared, agreement);
        let broken = |tally: &Tally, compared, agreement| match judge(tally, compared, agreement) {
            Some(Verdict::Broken(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(judge(&tally(99, 99, fast), 0, None), None);
        let seen = broken(&tally(200, 3, fast), 0, None);
        assert_eq!(seen, "1.5% of the candidate's 200 records failed, above max_failure_rate 1%");
        let seen = broken(&tally(200, 2, Duration::from_millis(80)), 0, None);
        assert!(seen.contains(", above max_p99 50ms"), "{seen}");
        let seen = broken(&tally(200, 2, fast), 198, Some(0.9));
        assert_eq!(
            seen,
            "the agreement on the labels of 198 records is 90%, below min_agreement 95%"
        );
        // Too few of both, so far.
        assert_eq!(judge(&tally(200, 2, fast), 99, Some(0.9)), None);
        let holds = judge(&tally(200, 2, fast), 198, Some(0.95));
        assert_eq!(
            holds,
            Some(Verdict::Holds("the candidate kept its rules over 200 records".into()))
        );
        let keep = Rules { then: OnPass::Keep, ..rules.clone() };
        assert_eq!(keep.judge(&tally(200, 2, fast), 198, Some(0.95)), None);
    }
}

//! Knows every record that was fed, and whether what came out is what is promised.

use std::collections::BTreeMap;

use crate::broker::Sent;

/// What is fed: numbered records, shared out evenly over partitions.
#[derive(Debug, Clone, Copy)]
pub struct Feed {
    /// Partitions of the source's topic.
    pub partitions: u64,
    /// What the records ask of the extractor that does mischief.
    pub mix: Mix,
}

/// How many records are bad, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// One in 100 fails, one in 997 traps.
    Usual,
    /// The same, and one in 9,973 never returns or takes memory without end.
    Soak,
    /// One in 100 fails or traps, exits, aborts, overflows its stack, takes memory without
    /// end, or never returns.
    Poison,
    /// One in 10 may trap, and does so in one of 16 times, by chance.
    Chance,
}

/// How often each record must arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Once or more.
    AtLeastOnce,
    /// Once.
    ExactlyOnce,
}

/// Where a record came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// In the sink's topic.
    Output,
    /// In the topic of dead letters.
    Letter,
}

impl Feed {
    /// The record of a number.
    pub fn record(&self, number: u64) -> Sent {
        Sent {
            partition: Some((number % self.partitions) as i32),
            ..Sent::keyed(number, self.value(number).0)
        }
    }

    /// What the record of a number asks for, and where it must come out; `None`: in either.
    fn value(&self, number: u64) -> (&'static str, Option<Side>) {
        let is = |every: u64| number % every == every - 1;
        let bad = |value| (value, Some(Side::Letter));
        let usual = || match number {
            _ if is(997) => bad("trap"),
            _ if is(100) => bad("fail"),
            _ => ("fine", Some(Side::Output)),
        };
        match self.mix {
            Mix::Usual => usual(),
            Mix::Soak if is(9973) => bad(["loop", "allocate"][(number / 9973 % 2) as usize]),
            Mix::Soak => usual(),
            // Each kind on every partition in turn.
            Mix::Poison if is(100) => match number / 100 % 40 {
                7 => bad("loop"),
                17 => bad("allocate"),
                rest => bad(["fail", "trap", "exit", "abort", "recurse"][(rest % 5) as usize]),
            },
            Mix::Poison => ("fine", Some(Side::Output)),
            Mix::Chance if is(10) => ("perhaps-trap", None),
            Mix::Chance => ("fine", None),
        }
    }
}

/// What has come out so far, of each record.
pub struct Seen {
    feed: Feed,
    times: Times,
    /// How often each record stands in the source's topic, up to 255, by its number: a
    /// producer whose broker is killed may write one twice.
    stands: Vec<u8>,
    /// How often each came out.
    counts: Vec<u8>,
    /// The last record that came for the first time: by the partition that it was fed to,
    /// where it came out, and the partition there.
    last: BTreeMap<(u64, Side, i32), u64>,
    totals: Counts,
    /// What is not as promised: the first of it.
    wrong: Option<String>,
}

/// What came out, counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Records fed.
    pub fed: u64,
    /// Different records that came first as outputs.
    pub outputs: u64,
    /// Different records that came first as dead letters.
    pub letters: u64,
    /// What arrived again.
    pub repeated: u64,
    /// What was fed again, by no fault of the pipeline.
    pub fed_again: u64,
    /// What the test's own consumer was given again, at the same offset.
    pub read_again: u64,
}

impl Seen {
    /// Nothing yet.
    pub fn new(feed: Feed, times: Times) -> Self {
        let (stands, counts, last) = Default::default();
        Seen { feed, times, stands, counts, last, totals: Counts::default(), wrong: None }
    }

    /// Says that so many records are fed, or are about to be.
    pub fn fed(&mut self, count: u64) {
        self.totals.fed = count;
    }

    /// How many different records have come out.
    pub fn different(&self) -> u64 {
        self.totals.outputs + self.totals.letters
    }

    /// Takes in what stands in the source's topic.
    pub fn note_fed(&mut self, key: &[u8]) {
        let Some(index) = self.number(key) else { return };
        let count = count(&mut self.stands, index as usize);
        self.totals.fed_again += u64::from(count > 1);
    }

    /// Counts a record that is no other than one that was read before.
    pub fn read_again(&mut self) {
        self.totals.read_again += 1;
    }

    /// Takes in what came out, in the order of each partition.
    pub fn note(&mut self, side: Side, partition: i32, key: &[u8]) {
        let Some(number) = self.number(key) else { return };
        if self.feed.value(number).1.is_some_and(|due| due != side) {
            return self.complain(format!("record {number} came out as {side:?}"));
        }
        if count(&mut self.counts, number as usize) > 1 {
            self.totals.repeated += 1;
            return;
        }
        match side {
            Side::Output => self.totals.outputs += 1,
            Side::Letter => self.totals.letters += 1,
        }
        let way = (number % self.feed.partitions, side, partition);
        if let Some(before) = self.last.insert(way, number)
            && before > number
        {
            self.complain(format!("record {number} came behind {before}, which was fed later"));
        }
    }

    fn number(&mut self, key: &[u8]) -> Option<u64> {
        let text = String::from_utf8_lossy(key);
        let number = text.parse().ok().filter(|number| *number < self.totals.fed);
        if number.is_none() {
            self.complain(format!("nobody fed a record {text:?}"));
        }
        number
    }

    /// Says that nothing more will come, and looks at all that did.
    pub fn finish(&mut self) {
        let came = |number: u64| self.counts.get(number as usize).copied().unwrap_or(0);
        let stands = |number: u64| self.stands.get(number as usize).copied().unwrap_or(0);
        let each = 0..self.totals.fed;
        let lost: Vec<u64> = each.clone().filter(|it| came(*it) < stands(*it).min(1)).collect();
        let twice: Vec<u64> = each.filter(|it| came(*it) > stands(*it)).collect();
        let few = |all: &[u64]| format!("{}: {:?}", all.len(), &all[..all.len().min(20)]);
        if !lost.is_empty() {
            self.complain(format!("records that never came, {}", few(&lost)));
        }
        if self.times == Times::ExactlyOnce && !twice.is_empty() {
            self.complain(format!("records that came more than once, {}", few(&twice)));
        }
    }

    /// Remembers the first thing that is not as promised.
    pub fn complain(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }

    /// The counts so far.
    ///
    /// # Errors
    /// Where something is not as promised.
    pub fn counts(&self) -> Result<Counts, String> {
        match &self.wrong {
            Some(wrong) => Err(format!("{wrong}; {:?}", self.totals)),
            None => Ok(self.totals),
        }
    }

    /// The first records that have not come out, for a message.
    pub fn missing(&self) -> Vec<u64> {
        let came = |number: &u64| self.counts.get(*number as usize).is_some_and(|count| *count > 0);
        (0..self.totals.fed).filter(|number| !came(number)).take(10).collect()
    }
}

/// Counts one more at a place, and says how many that are.
fn count(counts: &mut Vec<u8>, index: usize) -> u8 {
    if counts.len() <= index {
        counts.resize(index + 1, 0);
    }
    counts[index] = counts[index].saturating_add(1);
    counts[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(times: Times) -> Seen {
        let mut seen = Seen::new(Feed { partitions: 2, mix: Mix::Usual }, times);
        seen.fed(200);
        seen
    }

    #[test]
    fn what_is_as_promised_is_counted() {
        let mut seen = seen(Times::AtLeastOnce);
        for number in ["0", "2", "1", "2"] {
            seen.note(Side::Output, 0, number.as_bytes());
        }
        seen.note(Side::Letter, 0, b"99");
        let counts =
            Counts { fed: 200, outputs: 3, letters: 1, repeated: 1, fed_again: 0, read_again: 0 };
        assert_eq!(seen.counts(), Ok(counts));
        assert_eq!(seen.missing()[..2], [3, 4]);
    }

    #[test]
    fn what_is_not_is_told() {
        let told = |times, notes: &[(Side, &str)]| {
            let mut seen = seen(times);
            for (side, key) in notes {
                seen.note_fed(key.as_bytes());
                seen.note(*side, 0, key.as_bytes());
            }
            seen.note(Side::Output, 0, b"5");
            seen.note(Side::Output, 0, b"5");
            seen.finish();
            seen.counts().unwrap_err()
        };
        let once = |notes: &[(Side, &str)]| told(Times::ExactlyOnce, notes);
        // Five was never fed, and three twice.
        let twice = once(&[(Side::Output, "3"), (Side::Output, "3")]);
        assert!(twice.contains("more than once, 1: [5]"), "{twice}");
        assert!(once(&[(Side::Output, "3"), (Side::Output, "1")]).contains("behind 3"));
        assert!(once(&[(Side::Output, "99")]).contains("as Output"));
        assert!(once(&[(Side::Letter, "3")]).contains("as Letter"));
        assert!(once(&[(Side::Output, "200")]).contains("nobody fed"));
        let order = [(Side::Output, "3"), (Side::Output, "1")];
        assert!(told(Times::AtLeastOnce, &order).contains("behind 3"));
    }
}

//! Knows every record that was fed, and whether what came out is what is promised.

use std::collections::BTreeMap;

use crate::{Broker, Received, Sent};

/// Every so many records one that fails, and one that traps.
const FAILS: u64 = 100;
const TRAPS: u64 = 997;

/// What is fed: numbered records, shared out evenly over partitions.
pub struct Checker {
    partitions: u64,
    fed: u64,
}

/// How often each record must arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Once or more.
    AtLeastOnce,
    /// Once.
    ExactlyOnce,
}

/// What came out, counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records fed.
    pub fed: u64,
    /// Different records that became outputs, and dead letters.
    pub outputs: u64,
    /// Different records that became dead letters.
    pub dead_letters: u64,
    /// What arrived again.
    pub repeated: u64,
}

impl Checker {
    /// Nothing fed yet.
    pub fn new(partitions: u64) -> Self {
        Checker { partitions, fed: 0 }
    }

    /// The next records, for the extractor that does mischief.
    pub fn next(&mut self, count: u64) -> Vec<Sent> {
        let record = |number: u64| Sent {
            partition: Some((number % self.partitions) as i32),
            ..Sent::keyed(number, value(number))
        };
        let records = (self.fed..self.fed + count).map(record).collect();
        self.fed += count;
        records
    }

    /// How many records become outputs, and how many dead letters.
    pub fn due(&self) -> (u64, u64) {
        let dead = (0..self.fed).filter(|number| value(*number) != "fine").count() as u64;
        (self.fed - dead, dead)
    }

    /// Waits until every record has come out, then looks at all that did.
    ///
    /// # Panics
    /// Where a record is missing, stands in the wrong topic, came too often, or came
    /// first after one that was fed after it.
    pub fn check(&self, broker: &Broker, [sink, dead]: [&str; 2], times: Times) -> Counts {
        let (outputs, letters) = self.due();
        broker.receive_keys(sink, outputs as usize);
        broker.receive_keys(dead, letters as usize);
        // Whatever should not be there has had its time to arrive: the runners are gone.
        let sink =
            self.read(&broker.receive(sink, outputs as usize), |number| value(number) == "fine");
        let dead =
            self.read(&broker.receive(dead, letters as usize), |number| value(number) != "fine");
        assert_eq!(sink.len() as u64, outputs, "outputs of different records");
        assert_eq!(dead.len() as u64, letters, "dead letters of different records");
        let repeated = sink.values().chain(dead.values()).map(|count| count - 1).sum();
        if times == Times::ExactlyOnce {
            let again: Vec<_> = sink.iter().chain(&dead).filter(|(_, count)| **count > 1).collect();
            assert!(again.is_empty(), "came more than once: {again:?}");
        }
        Counts { fed: self.fed, outputs, dead_letters: letters, repeated }
    }

    /// How often each record came, in a topic where those that `belongs` says may be.
    fn read(&self, received: &[Received], belongs: impl Fn(u64) -> bool) -> BTreeMap<u64, u64> {
        let mut counts = BTreeMap::new();
        // The last record that came for the first time, by the partition that it was fed
        // to and the one that it came to.
        let mut last: BTreeMap<(u64, i32), u64> = BTreeMap::new();
        for record in received {
            let key = std::str::from_utf8(record.key.as_deref().unwrap()).unwrap();
            let number: u64 = key.parse().unwrap();
            assert!(number < self.fed && belongs(number), "record {number} is in the wrong topic");
            let count = counts.entry(number).or_insert(0_u64);
            *count += 1;
            if *count == 1 {
                let before = last.insert((number % self.partitions, record.partition), number);
                assert!(before.is_none_or(|before| before < number), "{number} after {before:?}");
            }
        }
        counts
    }
}

/// What the record of a number asks for.
fn value(number: u64) -> &'static str {
    if number % TRAPS == TRAPS - 1 {
        "trap"
    } else if number % FAILS == FAILS - 1 {
        "fail"
    } else {
        "fine"
    }
}

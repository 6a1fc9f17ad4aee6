//! Topics whose offsets have gaps: compaction and transactions leave them. And tombstones.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sandbar_tests::broker::PATIENCE;
use sandbar_tests::{Broker, Received, Runner, Sent, on_each_broker};

const DELIVERIES: [&str; 2] = ["at-least-once", "exactly-once"];

fn pipeline(delivery: &str, stages: &str, source: &str, sink: &str, dead: &str) -> String {
    format!(
        r#"
        name = "{source}"
        delivery = "{delivery}"
        {stages}
        [source]
        topics = ["{source}"]
        properties = {{ "statistics.interval.ms" = 100 }}
        [sink]
        topic = "{sink}"
        [dead-letter]
        topic = "{dead}"
        [runner]
        commit-interval = "50ms"
        "#
    )
}

const ROUTE: &str = r#"
    [[stages]]
    name = "route"
    component = "{component:route-transformer}"
"#;
const MISCHIEF: &str = r#"
    [[stages]]
    name = "extract"
    component = "{component:mischief-extractor}"
    [[stages]]
    name = "score"
    component = "{component:mischief-scorer}"
"#;
const FLIGHTS: &str = r#"
    models = { flights = "{project}/models/flights-gbm" }
    [[stages]]
    name = "features"
    component = "{component:flight-features}"
    [[stages]]
    name = "score"
    component = "{component:tabular-score}"
    models = ["flights"]
"#;

/// Waits until a runner has nothing more to read.
fn await_no_lag(runner: &Runner, topic: &str) {
    let end = Instant::now() + PATIENCE;
    let key = (topic.to_owned(), 0);
    while runner.lags().get(&key) != Some(&0) {
        assert!(Instant::now() < end, "{:?}", runner.lags());
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// What compaction has left is read, whatever is missing between; tombstones that it has
/// not removed yet pass.
#[test]
fn a_compacted_topic_is_read() {
    let Some(broker) = Broker::apache() else { return };
    let source = broker.topic_with(
        "compacted",
        1,
        &[
            ("cleanup.policy", "compact"),
            ("segment.ms", "100"),
            ("min.cleanable.dirty.ratio", "0.001"),
        ],
    );
    // One key in ten keeps only its last record, a tombstone for every second of them.
    let record = |number: i32| {
        let sent = Sent::keyed(number % 10, number.to_string());
        let value = if number >= 290 && number % 2 == 0 { None } else { sent.value.clone() };
        Sent { value, ..sent }
    };
    broker.send(&source, &(0..300).map(record).collect::<Vec<_>>());
    // What lies in the segment that is written to is not compacted: another record, later.
    let offsets = || broker.receive(&source, 1).iter().map(|it| it.offset).collect::<Vec<_>>();
    let end = Instant::now() + PATIENCE;
    let mut sent = 300;
    while offsets().len() > 100 {
        assert!(Instant::now() < end, "the broker does not compact");
        broker.send(&source, &[Sent::keyed("tick", "tick")]);
        sent += 1;
        std::thread::park_timeout(Duration::from_millis(200));
    }
    let left = broker.receive(&source, 1);
    let last = left.last().unwrap().offset;
    assert!(last + 1 > left.len() as i64, "there are gaps: {} of {sent}", left.len());
    assert!(left.iter().any(|record| record.value.is_none()), "there are tombstones");

    for delivery in DELIVERIES {
        let [sink, dead] = ["sink", "dead"].map(|name| broker.topic(name, 1));
        let manifest = pipeline(delivery, ROUTE, &source, &sink, &dead);
        let group = format!("{source}-{delivery}");
        let manifest = manifest.replace("[source]\n", &format!("[source]\ngroup = \"{group}\"\n"));
        let runner = Runner::start(&broker, &manifest);
        broker.await_committed(&group, &source, 0, last + 1);
        await_no_lag(&runner, &source);
        let end = runner.stop().unwrap();
        assert_eq!(end.failed(), 0, "{end:?}");
        let values = |records: &[Received]| -> BTreeMap<_, _> {
            records.iter().map(|record| (record.key.clone(), record.value.clone())).collect()
        };
        let passed = broker.receive(&sink, 1);
        assert_eq!(values(&passed), values(&left), "the last of every key");
    }
}

/// Transactions leave marks in a topic, which take offsets, also the last ones: whoever has
/// read all is not behind, and reads nothing twice.
#[test]
fn marks_of_transactions_are_no_records() {
    let Some(broker) = Broker::apache() else { return };
    let [first, between, last, dead] =
        ["first", "between", "last", "dead"].map(|name| broker.topic(name, 1));
    let values: Vec<Sent> = (0..20).map(|number| Sent::keyed(number, number.to_string())).collect();
    broker.send(&first, &values);
    let writer = Runner::start(&broker, &pipeline("exactly-once", ROUTE, &first, &between, &dead));
    broker.receive(&between, 20);
    // In the group's topic, not in this, are the marks of its offsets.
    await_no_lag(&writer, &first);
    writer.stop().unwrap();
    let (_, end) = broker.ends(&between, 0);
    assert!(end > 20, "there are marks: the topic ends at {end}");

    for delivery in DELIVERIES {
        let group = format!("{between}-{delivery}");
        let manifest = pipeline(delivery, ROUTE, &between, &last, &dead)
            .replace("[source]\n", &format!("[source]\ngroup = \"{group}\"\n"));
        let runner = Runner::start(&broker, &manifest);
        runner.await_stats("all are passed on", |now| now.outputs == 20);
        await_no_lag(&runner, &between);
        runner.stop().unwrap();
        let committed = broker.committed(&group, &between, 0).unwrap();
        let records = broker.receive(&between, 20);
        assert_eq!(committed, records.last().unwrap().offset + 1);
        assert!(committed < end, "the last offset is that of a mark");

        // Who comes behind that has nothing to read.
        let runner = Runner::start(&broker, &manifest);
        await_no_lag(&runner, &between);
        assert_eq!(runner.stop().unwrap().records, 0, "{delivery}");
    }
}

on_each_broker! {
    /// A tombstone passes through a transformer as one.
    fn a_transformer_may_pass_a_tombstone_on(broker: &Broker) {
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        broker.send(&source, &[Sent { value: None, ..Sent::keyed("gone", "") }, Sent::keyed("here", "x")]);
        let runner = Runner::start(broker, &pipeline("at-least-once", ROUTE, &source, &sink, &dead));
        let passed = broker.receive(&sink, 2);
        assert_eq!(runner.stop().unwrap().failed(), 0);
        let values: Vec<_> = passed.iter().map(|record| record.value.as_deref()).collect();
        assert_eq!(values, [None, Some(&b"x"[..])]);
        assert_eq!(passed[0].key.as_deref(), Some(&b"gone"[..]));
    }

    /// What a tombstone is to an extractor, it says itself: one that reads no value makes a
    /// row of it, one that needs one fails, and the dead letter is the tombstone with its cause.
    fn an_extractor_says_what_a_tombstone_is(broker: &Broker) {
        let tombstone = Sent { value: None, ..Sent::keyed("gone", "") };
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        broker.send(&source, std::slice::from_ref(&tombstone));
        let runner = Runner::start(broker, &pipeline("at-least-once", MISCHIEF, &source, &sink, &dead));
        assert!(broker.receive(&sink, 1)[0].text().contains(r#""label":"short""#));
        runner.stop().unwrap();

        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        broker.send(&source, &[tombstone]);
        let runner = Runner::start(broker, &pipeline("at-least-once", FLIGHTS, &source, &sink, &dead));
        let letter = &broker.receive(&dead, 1)[0];
        runner.stop().unwrap();
        assert_eq!((letter.key.as_deref(), letter.value.as_deref()), (Some(&b"gone"[..]), None));
        assert_eq!(letter.header("sandbar-code"), "missing");
        assert_eq!(letter.header("sandbar-stage"), "features");
        let message = letter.header("sandbar-message");
        assert!(message.contains("null"), "{message}");
        assert_eq!(broker.committed(&source, &source, 0), Some(1));
    }
}

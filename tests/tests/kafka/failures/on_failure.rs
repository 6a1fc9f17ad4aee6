//! What becomes of records that fail, as their stage says.

use sandbar::pipeline::harness::Harness;
use sandbar::record::Input;
use sandbar_tests::runner::plan;
use sandbar_tests::{Broker, Received, Runner, Sent, on_each_broker};

/// A pipeline of the guests that do mischief; `extract` says more of the first stage.
fn mischief(topics: [&str; 3], extract: &str, delivery: &str) -> String {
    pipeline(topics, extract, delivery, "")
}

/// One in which records follow an earlier one of their key to the dead-letter topic.
fn ordered(topics: [&str; 3], delivery: &str) -> String {
    pipeline(topics, "", delivery, "order = \"key\"")
}

fn pipeline(
    [source, sink, dead]: [&str; 3],
    extract: &str,
    delivery: &str,
    letters: &str,
) -> String {
    format!(
        r#"
        name = "{source}"
        delivery = "{delivery}"
        [source]
        topics = ["{source}"]
        # A mock broker takes a member that ended with an error for alive until then.
        properties = {{ "session.timeout.ms" = 3000, "heartbeat.interval.ms" = 500 }}
        [[stages]]
        name = "extract"
        component = "{{component:mischief-extractor}}"
        {extract}
        [[stages]]
        name = "score"
        component = "{{component:mischief-scorer}}"
        [sink]
        topic = "{sink}"
        template = "{{{{ value }}}}"
        [dead-letter]
        topic = "{dead}"
        {letters}
        [runner]
        commit-interval = "50ms"
        "#
    )
}

fn texts(records: &[Received]) -> Vec<String> {
    records.iter().map(Received::text).collect()
}

on_each_broker! {
    fn a_stage_may_skip_what_fails(broker: &Broker) {
        let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let names = topics.each_ref().map(String::as_str);
        broker.send(names[0], &["one", "fail", "trap", "two"].map(Sent::value));
        let manifest = mischief(names, "on-failure = \"skip\"", "at-least-once");
        let runner = Runner::start(broker, &manifest);
        let kept = broker.receive(names[1], 2);
        let end = runner.stop().unwrap();
        assert_eq!(texts(&kept), ["one", "two"]);
        assert_eq!((end.skipped, end.failed()), (2, 0));
        assert_eq!(broker.committed(names[0], names[0], 0), Some(4));
    }

    /// The run ends at the record, with what came of those before it delivered, and the
    /// next start meets it again.
    fn a_stage_may_stop_at_what_fails(broker: &Broker) {
        for delivery in ["at-least-once", "exactly-once"] {
            if let ("exactly-once", Broker::Mock(_)) = (delivery, broker) {
                // It shows what was aborted, or not.
                continue;
            }
            let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
            let names = topics.each_ref().map(String::as_str);
            broker.send(names[0], &["one", "fail", "two"].map(Sent::value));
            let stops = mischief(names, "on-failure = \"stop\"", delivery);
            let error = Runner::start(broker, &stops).join().unwrap_err().to_string();
            let due = format!(
                "stage 'extract' stops at {}/0, offset 1: malformed: the record asked to fail; \
                 nothing from there on is committed",
                names[0]
            );
            assert!(error.starts_with(&due), "{error}");
            assert_eq!(broker.committed(names[0], names[0], 0), None);

            // Somebody has decided what to do about it.
            let goes_on = mischief(names, "on-failure = \"dead-letter\"", delivery);
            let runner = Runner::start(broker, &goes_on);
            let letters = broker.receive(names[2], 1);
            runner.await_stats("both others are through", |now| now.outputs >= 2);
            runner.stop().unwrap();
            assert_eq!(texts(&letters), ["fail"]);
            let due: &[&str] = match delivery {
                "exactly-once" => &["one", "two"],
                _ => &["one", "one", "two"],
            };
            let kept = broker.receive(names[1], due.len());
            assert_eq!(texts(&kept), due, "{delivery}");
        }
    }

    /// Nobody sees a key's later state while an earlier one is missing, until that was fed
    /// in again.
    fn records_follow_an_earlier_one_of_their_key(broker: &Broker) {
        for delivery in ["at-least-once", "exactly-once"] {
            if let ("exactly-once", Broker::Mock(_)) = (delivery, broker) {
                // It shows what was aborted, or not.
                continue;
            }
            let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
            let names = topics.each_ref().map(String::as_str);
            let runner = Runner::start(broker, &ordered(names, delivery));
            let keyed = |pairs: &[(&str, &str)]| -> Vec<Sent> {
                pairs.iter().map(|(key, value)| Sent::keyed(key, *value)).collect()
            };
            // Failures of both kinds, in one batch with what follows and before it.
            broker.send(names[0], &keyed(&[("a", "a1"), ("a", "fail"), ("a", "a2"), ("b", "b1")]));
            broker.receive(names[1], 2);
            broker.send(names[0], &keyed(&[("b", "trap"), ("a", "a3"), ("b", "b2"), ("c", "c1")]));
            broker.send(names[0], &[Sent::value("keyless"), Sent::value("fail")]);
            broker.send(names[0], &[Sent::value("keyless too")]);
            let kept = broker.receive(names[1], 5);
            let letters = broker.receive(names[2], 6);
            assert_eq!(texts(&kept), ["a1", "b1", "c1", "keyless", "keyless too"]);
            assert_eq!(texts(&letters), ["fail", "a2", "trap", "a3", "b2", "fail"]);
            let codes: Vec<_> = letters.iter().map(|it| it.header("sandbar-code")).collect();
            assert_eq!(codes, ["malformed", "follows", "trap", "follows", "follows", "malformed"]);
            assert_eq!(letters[1].header("sandbar-stage"), "order");
            assert_eq!(
                letters[1].header("sandbar-message"),
                "an earlier record with the same key became a dead letter: offset 1"
            );

            // As `sandbar dlq replay` does it, with what made it fail mended.
            let again = |key: &str, value: &str| Sent {
                headers: vec![("sandbar-replayed".into(), b"1".to_vec())],
                ..Sent::keyed(key, value)
            };
            broker.send(names[0], &[again("a", "mended"), again("a", "a2"), again("a", "a3")]);
            broker.send(names[0], &keyed(&[("a", "a4"), ("b", "b3")]));
            let kept = broker.receive(names[1], 9);
            assert_eq!(texts(&kept)[5..], ["mended", "a2", "a3", "a4"]);
            assert_eq!(texts(&broker.receive(names[2], 7))[6..], ["b3"]);
            runner.stop().unwrap();
        }
    }
}

/// What is not available may come: the batch is run again, and once more.
#[test]
fn what_may_pass_is_tried_again() {
    let run = |value: &str, retries: &str| {
        let plan = plan(&mischief(["in", "out", "dead"], retries, "at-least-once"), "").unwrap();
        let mut harness = Harness::new(&plan).unwrap();
        let written = harness.pipe([value, "fine"].map(Input::value)).unwrap();
        (written.outputs.len(), written.dead_letters.len())
    };
    assert_eq!(run("unavailable 2", ""), (2, 0));
    assert_eq!(run("unavailable 3", ""), (1, 1));
    assert_eq!(run("unavailable 3", "retries = 3"), (2, 0));
    assert_eq!(run("unavailable 1", "retries = 0"), (1, 1));
}

/// More traps in a row than are tolerated: the worker is slowed down, and nothing is lost.
#[test]
fn a_worker_that_is_slowed_down_does_all_its_work() {
    let plan = plan(&mischief(["in", "out", "dead"], "", "at-least-once"), "").unwrap();
    let mut harness = Harness::new(&plan).unwrap();
    let traps = (0..20).map(|_| Input::value("trap"));
    let written = harness.pipe(traps.chain([Input::value("fine"), Input::value("trap")])).unwrap();
    assert_eq!((written.outputs.len(), written.dead_letters.len()), (1, 21));
}

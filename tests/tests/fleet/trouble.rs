//! What goes wrong in a fleet.

use std::time::{Duration, Instant};

use sandbar_tests::broker::PATIENCE;
use sandbar_tests::{Broker, Sent, cluster};

use super::fixture::{Fixture, Runner, copy};

/// What does not work where it is asked for reaches nobody.
#[test]
fn what_does_not_work_is_refused_everywhere() {
    let Some(broker) = Broker::apache() else { return };
    let fixture = Fixture::new(broker, "at-least-once");
    let fleet = [fixture.runner("one"), fixture.runner("two")];
    fixture.under_load(|| {
        fleet[0].await_model("flights@1");
        // A damaged version: its description is there, its file is another.
        for blob in fixture.blobs(2) {
            let path = fixture.path("registry").join(blob);
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[100] ^= 1;
            let mut permissions = std::fs::metadata(&path).unwrap().permissions();
            #[expect(clippy::permissions_set_readonly_false, reason = "a test's own file")]
            permissions.set_readonly(false);
            std::fs::set_permissions(&path, permissions).unwrap();
            std::fs::write(&path, bytes).unwrap();
        }
        for (words, due) in [
            (vec!["flights", "3"], "stage 'score'"),
            (vec!["flights", "4"], "not a model of a known maker"),
            (vec!["flights", "9"], "no such version; the newest is flights@4"),
            (vec!["flights", "canary"], "no alias 'canary'"),
            (vec!["flihgts", "2"], "no model 'flihgts'; it has 'flights' (flights@1)"),
            (vec!["features", "2", "--operator"], "stage 'features' (number 1, scorer)"),
            (vec!["flights", "models/flights-dl"], "local to one machine"),
            (vec!["flights", "1", "--revision", "7"], "the desired revision is 0, not 7"),
            (vec!["flights", "1", "--by", "\u{1b}[2J"], "must be a line of 1 to 1024 characters"),
        ] {
            let words: Vec<&str> = ["promote"].into_iter().chain(words).collect();
            let said = fleet[0].refuses(&words);
            assert!(said.contains(due), "{words:?}: {said}");
        }
        let said = fleet[0].refuses(&["swap", "--model", "flights=flights@1"]);
        assert!(said.contains("`sandbar promote`"), "{said}");
        let said = fleet[0].refuses(&["rollback"]);
        assert!(said.contains("`sandbar fleet rollback`"), "{said}");
    });
    for runner in &fleet {
        assert_eq!(runner.revision(), 0);
        assert_eq!(runner.status()["revision"], 1);
        assert!(runner.serves("flights@1"));
    }
    fleet.into_iter().for_each(|runner| drop(runner.process.stop()));
}

/// A version that one runner cannot fetch is reported for it, the others serve it; one that
/// starts and cannot fetch waits; and both go over once they can.
#[test]
fn a_version_that_one_runner_cannot_fetch() {
    let Some(broker) = Broker::apache() else { return };
    let fixture = Fixture::new(broker, "at-least-once");
    let elsewhere = fixture.path("elsewhere");
    copy(&fixture.path("registry"), &elsewhere);
    let blobs = fixture.blobs(2);
    for blob in &blobs {
        std::fs::remove_file(elsewhere.join(blob)).unwrap();
    }
    let one = fixture.runner("one");
    let (cache, other) = (fixture.path("cache"), fixture.path("other-cache"));
    let poor = Runner::of(fixture.start("poor", &elsewhere, Some(&cache)));
    fixture.under_load(|| {
        one.await_model("flights@1");
        let said = one.refuses(&["promote", "flights", "2"]);
        assert!(
            said.contains("1 runners serve it after ") && said.contains("1 refused it"),
            "{said}"
        );
        assert!(said.contains("revision 2 is refused: poor: registry "), "{said}");
        assert!(said.contains("(retrying)"), "{said}");
        assert!(one.serves("flights@2") && poor.serves("flights@1"));
        let status = one.says(&["status"]);
        assert!(status.contains("poor refused it: registry "), "{status}");
        one.await_model("flights@2");
        poor.await_model("flights@1");

        let mut late = fixture.start("late", &elsewhere, Some(&other));
        late.await_said("this runner does not serve the desired version of its fleet");
        let known = one.await_known("late", "it says why", |known| known["state"] == "refused");
        assert!(known["report"]["since"].is_null(), "{known:#}");
        assert!(!late.said().contains(" running "), "{}", late.said());

        for blob in &blobs {
            std::fs::copy(fixture.path("registry").join(blob), elsewhere.join(blob)).unwrap();
        }
        poor.await_model("flights@2");
        let late = Runner::of(late);
        assert!(late.serves("flights@2") && late.status()["revision"] == 1);
        late.process.stop();
    });
    one.await_known("late", "it has left", serde_json::Value::is_null);
    one.process.stop();
    poor.process.stop();
}

/// Whatever else is written to the control topic harms nobody; a change that this version
/// cannot read is told, and is not overwritten.
#[test]
fn what_others_write_to_the_control_topic() {
    let Some(broker) = Broker::apache() else { return };
    let fixture = Fixture::new(broker, "at-least-once");
    let one = fixture.runner("one");
    let group = &fixture.topics[0];
    let key = |sort: &str, last: &str| format!("{sort}/{group}/{group}/{last}");
    let long = "x".repeat(300_000);
    let mut records: Vec<Sent> = [
        ("nonsense", "nonsense"),
        ("change/other/other/7", r#"{"format":1}"#),
        (&key("change", "1"), "not JSON"),
        (&key("change", "2"), &long),
        (&key("change", "-3"), r#"{"format":2}"#),
        (&key("actual", "\u{1b}[2J"), r#"{"format":1}"#),
        (&key("actual", "two"), r#"{"format":1,"version":"x"}"#),
    ]
    .map(|(key, value)| Sent::keyed(key, value))
    .to_vec();
    records.push(Sent { key: Some(vec![0xff; 70]), ..Sent::value("x") });
    records.push(Sent::value("without a key"));
    fixture.broker.send(&fixture.control, &records);
    let said = one.says(&["promote", "flights", "2"]);
    assert!(said.contains("fleet revision 2, promote") && one.serves("flights@2"), "{said}");

    let newer = Sent::keyed(key("change", "3"), r#"{"format":2,"news":true}"#);
    fixture.broker.send(&fixture.control, &[newer]);
    let end = Instant::now() + PATIENCE;
    while one.knows("one")["state"] != "refused" {
        assert!(Instant::now() < end, "{}", one.process.said());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let said = one.says(&["status"]);
    assert!(
        said.contains("cannot read the desired version: change 3: format 2 is not supported"),
        "{said}"
    );
    let said = one.refuses(&["promote", "flights", "1"]);
    assert!(said.contains("run a newer one"), "{said}");
    assert!(one.serves("flights@2"));
    one.process.stop();
}

/// A control topic that cannot be one ends the start, with the command that makes one.
#[test]
fn a_topic_that_is_no_control_topic() {
    let Some(broker) = Broker::apache() else { return };
    let mut fixture = Fixture::new(broker, "at-least-once");
    let compact = [("cleanup.policy", "compact")];
    let topics = [
        ("nowhere".to_owned(), "does not exist"),
        (fixture.broker.topic_with("control", 2, &compact), "has 2 partitions"),
        (fixture.broker.topic("control", 1), "has cleanup.policy=delete"),
    ];
    for (topic, due) in topics {
        fixture.control = topic;
        let process = fixture.start("one", &fixture.path("registry"), None);
        let (status, said) = process.join();
        assert!(!status.success() && said.contains(due), "{said}");
        assert!(said.contains("--config cleanup.policy=compact"), "{said}");
    }
}

/// While the brokers are away nothing is changed; runners go on, and catch up.
#[test]
fn the_control_topic_is_away() {
    let Some(mut kafka) = cluster("fleet", 1, Default::default()) else { return };
    let broker = Broker::Apache(kafka.bootstrap().to_owned());
    let fixture = Fixture::new(broker, "at-least-once");
    let fleet = ["one", "two"].map(|name| fixture.runner(name));
    fleet[0].says(&["promote", "flights", "2"]);
    kafka.stop_broker(0).unwrap();
    let said = fleet[0].refuses(&["promote", "flights", "1"]);
    assert!(said.contains("no answer within 30 s"), "{said}");
    let mut fleet = fleet;
    for Runner { process, .. } in &mut fleet {
        process.await_said("control topic unreachable");
    }
    let status = fleet[1].says(&["status"]);
    assert!(status.contains("what follows may be out of date"), "{status}");
    assert!(fleet[1].serves("flights@2") && fleet[1].revision() == 2);
    kafka.restart_broker(0).unwrap();
    for Runner { process, .. } in &mut fleet {
        process.await_said("control topic reachable again");
    }
    let said = fleet[1].says(&["promote", "flights", "1"]);
    assert!(said.contains("fleet revision 3") && fleet[0].serves("flights@1"), "{said}");
    fleet.into_iter().for_each(|runner| drop(runner.process.stop()));
}

//! A canary, both answers and a shadow of flights, against H2O's own answers.

use super::*;

/// Looks whether an answer is H2O's own, for the model that it names, and that model the one
/// of its variant. Returns the flight's number and the variant.
fn look_at(record: &Received, golden: &BTreeMap<&str, Vec<(String, f64)>>) -> (usize, String) {
    let number = String::from_utf8(record.key.clone().unwrap()).unwrap().parse().unwrap();
    let (variant, model) = (record.header("sandbar-variant"), record.header("sandbar-model"));
    let due = if variant == "candidate" { "flights-dl@1" } else { "flights-gbm@1" };
    assert_eq!(model, due);
    let answer: &(String, f64) = &golden[due][number];
    assert_golden(record, answer, 1e-5);
    (number, variant)
}

fn both_golden() -> BTreeMap<&'static str, Vec<(String, f64)>> {
    BTreeMap::from([
        ("flights-gbm@1", golden("flights-gbm")),
        ("flights-dl@1", golden("flights-dl")),
    ])
}

/// Whether a comparison is the one that H2O's own answers give.
fn assert_report(report: &RolloutReport, golden: &BTreeMap<&str, Vec<(String, f64)>>) {
    let pairs = || golden["flights-gbm@1"].iter().zip(&golden["flights-dl@1"]).take(FLIGHTS);
    let agreed = pairs().filter(|(a, b)| a.0 == b.0).count();
    assert_eq!(report.compared, FLIGHTS as u64);
    assert_eq!(report.agreement, Some(agreed as f64 / FLIGHTS as f64));
    let mut confusion: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (a, b) in pairs() {
        *confusion.entry((a.0.clone(), b.0.clone())).or_default() += 1;
    }
    let seen = report.confusion.iter();
    let seen = seen.map(|it| ((it.serving.clone(), it.candidate.clone()), it.records));
    assert_eq!(seen.collect::<BTreeMap<_, _>>(), confusion);
    // NO is as far off as YES.
    let mean = pairs().map(|(a, b)| (a.1 - b.1).abs()).sum::<f64>() / FLIGHTS as f64;
    assert!((report.mean_difference.unwrap() - mean).abs() < 1e-5, "{report:?}");
    assert_eq!((report.serving.scored, report.candidate.scored), (4000, 4000));
}

/// Every flight twice: those of a key go the same way both times.
fn canary_of_flights(broker: &Broker, delivery: &str) {
    let topics = topics(broker);
    let runner = start(broker, &topics, delivery);
    let rollout = runner.deployment().start_rollout(&model("flights-dl"), &canary(0.2)).unwrap();
    assert_eq!(rollout.candidate.models["flights"], "flights-dl@1");
    broker.send(&topics[0], &flights());
    broker.send(&topics[0], &flights());
    let received = broker.receive(&topics[1], 2 + 2 * FLIGHTS);
    let report = runner.deployment().rollout().unwrap().report();
    let ended = runner.deployment().abort_rollout(Some(1), "it is enough".into()).unwrap();
    assert_eq!((ended.end, ended.reason.as_str()), (End::Aborted, "it is enough"));
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    let last = &broker.receive(&topics[1], 4 + 2 * FLIGHTS)[2 + 2 * FLIGHTS..];
    let end = runner.stop().unwrap();

    assert_eq!(received.len(), 2 + 2 * FLIGHTS);
    let golden = both_golden();
    let mut variants: Vec<Option<String>> = vec![None; FLIGHTS];
    for (at, record) in received[2..].iter().enumerate() {
        let (number, variant) = look_at(record, &golden);
        assert_eq!(number, at % FLIGHTS, "in the order in which they were sent");
        let before = variants[number].replace(variant.clone());
        assert!(before.is_none_or(|before| before == variant), "flight {number}");
    }
    let theirs = variants.iter().filter(|it| it.as_deref() == Some("candidate")).count();
    assert!((700..900).contains(&theirs), "{theirs} of {FLIGHTS}");
    assert_eq!(
        variants.iter().filter(|it| it.as_deref() == Some("serving")).count(),
        FLIGHTS - theirs
    );
    for record in received[..2].iter().chain(last) {
        assert_eq!(record.header("sandbar-variant"), "");
        assert_eq!(record.header("sandbar-model"), "flights-gbm@1");
    }
    if end.aborted == 0 {
        let (ours, theirs) = (2 * (FLIGHTS - theirs) as u64, 2 * theirs as u64);
        assert_eq!((report.serving.records, report.candidate.records), (ours, theirs));
        let labels: u64 = report.candidate.labels.values().sum();
        assert_eq!((report.compared, report.agreement, labels), (0, None, theirs));
        assert_eq!(end.outputs, 4 + 2 * FLIGHTS as u64);
    }
    assert_eq!((end.failed(), end.rollouts_started, end.rollouts_aborted), (0, 1, 1));
}

/// Flights that come one at a time, most of them in a batch without one for the candidate.
fn canary_of_single_flights(broker: &Broker) {
    let topics = topics(broker);
    let runner = start(broker, &topics, "at-least-once");
    runner.deployment().start_rollout(&model("flights-dl"), &canary(0.2)).unwrap();
    let golden = both_golden();
    for (number, flight) in flights().into_iter().take(5).enumerate() {
        broker.send(&topics[0], &[flight]);
        let (seen, variant) = look_at(&broker.receive(&topics[1], 3 + number)[2 + number], &golden);
        assert_eq!(seen, number);
        assert!(["serving", "candidate"].contains(&variant.as_str()), "{number}: '{variant}'");
    }
    runner.stop().unwrap();
}

/// Two answers to each flight, one behind the other.
fn ab_of_flights(broker: &Broker, delivery: &str) {
    let topics = topics(broker);
    let runner = start(broker, &topics, delivery);
    let terms = RolloutSpec::new(Mode::Ab);
    runner.deployment().start_rollout(&model("flights-dl"), &terms).unwrap();
    broker.send(&topics[0], &flights());
    // One that is no flight: what serves decides, once.
    broker.send(&topics[0], &[Sent::keyed("none", "no flight")]);
    let received = broker.receive(&topics[1], 2 + 2 * FLIGHTS);
    let letters = broker.receive(&topics[2], 1);
    let deployment = runner.deployment().clone();
    let report = await_that("all are compared", || {
        let report = deployment.rollout().unwrap().report();
        (report.candidate.records > FLIGHTS as u64).then_some(report)
    });
    let swap = deployment.promote_rollout(None, "it is better".into()).unwrap();
    assert_eq!((swap.revision.number, swap.revision.model.as_deref()), (2, Some("flights-dl@1")));
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    let last = broker.receive(&topics[1], 4 + 2 * FLIGHTS);
    let end = runner.stop().unwrap();

    let golden = both_golden();
    for (at, record) in received[2..].iter().enumerate() {
        let due = ["serving", "candidate"][at % 2].to_owned();
        assert_eq!(look_at(record, &golden), (at / 2, due));
    }
    for record in &last[2 + 2 * FLIGHTS..] {
        assert_eq!(record.header("sandbar-variant"), "");
        assert_eq!(record.header("sandbar-model"), "flights-dl@1");
    }
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].header("sandbar-stage"), "features");
    if end.aborted == 0 {
        assert_report(&report, &golden);
        let failed = BTreeMap::from([("malformed".to_owned(), 1)]);
        assert_eq!((&report.serving.failed, &report.candidate.failed), (&failed, &failed));
        assert_eq!(end.failed(), 1);
    }
    assert_eq!((end.swaps, end.rollouts_promoted), (1, 1));
}

on_each_broker! {
    fn a_canary_serves_its_share(broker: &Broker) {
        canary_of_flights(broker, "at-least-once");
    }

    fn each_record_names_its_variant(broker: &Broker) {
        canary_of_single_flights(broker);
    }

    fn both_answers_are_put_out(broker: &Broker) {
        ab_of_flights(broker, "at-least-once");
    }

    /// A shadow that keeps up has seen all; its answers go to the topic that was named.
    fn a_shadow_is_compared_and_puts_nothing_out(broker: &Broker) {
        let topics = topics(broker);
        let aside = broker.topic("aside", 1);
        let runner = start(broker, &topics, "at-least-once");
        let terms = RolloutSpec { topic: Some(aside.clone()), ..RolloutSpec::new(Mode::Shadow) };
        let deployment = runner.deployment();
        deployment.start_rollout(&model("flights-dl"), &terms).unwrap();
        // Not more at once than may wait for it.
        for (at, flights) in flights().chunks(500).enumerate() {
            broker.send(&topics[0], flights);
            await_that("the shadow keeps up", || {
                let seen = deployment.rollout()?.report().candidate.records;
                (seen == (at as u64 + 1) * 500).then_some(())
            });
        }
        let received = broker.receive(&topics[1], 2 + FLIGHTS);
        let answers = broker.receive(&aside, FLIGHTS);
        let report = deployment.rollout().unwrap().report();
        deployment.abort_rollout(None, "it is enough".into()).unwrap();
        let end = runner.stop().unwrap();
        let golden = both_golden();
        assert_eq!((received.len(), answers.len()), (2 + FLIGHTS, FLIGHTS));
        for (number, record) in received[2..].iter().enumerate() {
            assert_eq!(look_at(record, &golden), (number, String::new()));
        }
        for (number, record) in answers.iter().enumerate() {
            assert_eq!(look_at(record, &golden), (number, "candidate".to_owned()));
        }
        assert_report(&report, &golden);
        assert_eq!((report.left_out, report.unwritten), (0, 0));
        let seen = (end.records, end.outputs, end.failed());
        assert_eq!(seen, (2 + FLIGHTS as u64, 2 + FLIGHTS as u64, 0));
    }
}

#[test]
fn a_canary_in_transactions() {
    if let Some(broker) = Broker::apache() {
        canary_of_flights(&broker, "exactly-once");
    }
}

#[test]
fn both_answers_in_transactions() {
    if let Some(broker) = Broker::apache() {
        ab_of_flights(&broker, "exactly-once");
    }
}

/// By a header, whatever the key.
#[test]
fn a_canary_by_a_header() {
    let broker = Broker::mock();
    let topics = topics(&broker);
    let runner = start(&broker, &topics, "at-least-once");
    let terms = RolloutSpec { by: Some(SplitKey::Header("airline".into())), ..canary(0.5) };
    runner.deployment().start_rollout(&model("flights-dl"), &terms).unwrap();
    let airline = |n: usize| (n % 40).to_string();
    let with_header = |(n, sent): (usize, Sent)| Sent {
        headers: vec![("airline".into(), airline(n).into_bytes())],
        ..sent
    };
    let sent: Vec<Sent> = flights().into_iter().enumerate().map(with_header).collect();
    broker.send(&topics[0], &sent);
    let received = broker.receive(&topics[1], 2 + FLIGHTS);
    runner.stop().unwrap();
    let mut variants = BTreeMap::new();
    for record in &received[2..] {
        let variant = record.header("sandbar-variant");
        let before = variants.insert(record.header("airline"), variant.clone());
        assert!(before.is_none_or(|before| before == variant), "{record:?}");
    }
    let theirs = variants.values().filter(|it| *it == "candidate").count();
    assert!((5..35).contains(&theirs), "{variants:?}");
}

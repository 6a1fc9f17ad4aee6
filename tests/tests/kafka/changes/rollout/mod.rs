//! A candidate beside what serves, while records flow.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flight_records::{CLASSIC, Flights};
use sandbar::observe::Snapshot;
use sandbar::pipeline::Deployment;
use sandbar::pipeline::deployment::{Change, SwapError};
use sandbar::pipeline::rollout::{By, End, Ended, Mode, Report, Rules, Share, Terms, Then};
use sandbar_tests::broker::PATIENCE;
use sandbar_tests::flights::{assert_golden, golden, pipeline, topics};
use sandbar_tests::process::Process;
use sandbar_tests::{Broker, Received, Runner, Sent, component, on_each_broker, project, sandbar};

/// The flights that each test sends.
const FLIGHTS: usize = 4000;

fn model(name: &str) -> Change {
    let folder = project().join("models").join(name);
    Change { models: BTreeMap::from([("flights".into(), folder.into())]), ..Change::default() }
}

fn stage(name: &str, component: PathBuf) -> Change {
    Change { components: BTreeMap::from([(name.into(), component.into())]), ..Change::default() }
}

fn share(share: f64) -> Option<Share> {
    Share::new(share)
}

fn canary(weight: f64) -> Terms {
    Terms { weight: share(weight), ..Terms::new(Mode::Canary) }
}

fn with_rules(mode: Mode, rules: Rules) -> Terms {
    Terms { rules, ..Terms::new(mode) }
}

/// The generator's first flights, each with its number as key.
fn flights() -> Vec<Sent> {
    Flights::new(1).take(FLIGHTS).enumerate().map(|(n, it)| Sent::keyed(n, it)).collect()
}

/// Waits until something is so.
fn await_that<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn await_end(deployment: &Deployment) -> Ended {
    await_that("the roll-out ends", || deployment.last_rollout())
}

/// Starts a runner of flights, and waits until it has answered two.
fn start(broker: &Broker, topics: &[String; 3], delivery: &str) -> Runner {
    let manifest = pipeline(topics, "flights-gbm", "");
    let runner = Runner::start(broker, &format!("delivery = \"{delivery}\"\n{manifest}"));
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    broker.receive(&topics[1], 2);
    runner
}

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
fn assert_report(report: &Report, golden: &BTreeMap<&str, Vec<(String, f64)>>) {
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

/// Two answers to each flight, one behind the other.
fn ab_of_flights(broker: &Broker, delivery: &str) {
    let topics = topics(broker);
    let runner = start(broker, &topics, delivery);
    let terms = Terms::new(Mode::Ab);
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

    fn both_answers_are_put_out(broker: &Broker) {
        ab_of_flights(broker, "at-least-once");
    }

    /// A shadow that keeps up has seen all; its answers go to the topic that was named.
    fn a_shadow_is_compared_and_puts_nothing_out(broker: &Broker) {
        let topics = topics(broker);
        let aside = broker.topic("aside", 1);
        let runner = start(broker, &topics, "at-least-once");
        let terms = Terms { topic: Some(aside.clone()), ..Terms::new(Mode::Shadow) };
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

/// A pipeline that answers anything.
struct Echo {
    runner: Runner,
    source: String,
    sink: String,
    dead: String,
}

impl Echo {
    fn start(broker: &Broker) -> Self {
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let manifest = format!(
            r#"
            name = "{source}"
            [source]
            topics = ["{source}"]
            [[stages]]
            name = "extract"
            component = "{{component:echo-extractor}}"
            [[stages]]
            name = "score"
            component = "{{component:constant-scorer}}"
            [sink]
            topic = "{sink}"
            [dead-letter]
            topic = "{dead}"
            [limits]
            deadline = "500ms"
            "#
        );
        let runner = Runner::start(broker, &manifest);
        broker.send(&source, &[Sent::keyed("first", "fine")]);
        broker.receive(&sink, 1);
        Echo { runner, source, sink, dead }
    }

    fn deployment(&self) -> &Arc<Deployment> {
        self.runner.deployment()
    }

    /// Lets a component run in the place of the extractor.
    fn beside(&self, name: &str, terms: &Terms) {
        self.deployment().start_rollout(&stage("extract", component(name)), terms).unwrap();
    }
}

/// Whatever a shadow does, the stream does not know of it.
#[test]
fn a_shadow_that_traps_is_dropped() {
    let broker = Broker::practice();
    let echo = Echo::start(&broker);
    echo.beside("mischief-extractor", &Terms::new(Mode::Shadow));
    let records: Vec<Sent> = (0..200).map(|n| Sent::keyed(n, "trap")).collect();
    broker.send(&echo.source, &records);
    let ended = await_end(echo.deployment());
    assert_eq!(ended.end, End::RolledBack);
    assert!(ended.reason.contains("calls gave nothing for"), "{}", ended.reason);
    assert!(ended.reason.contains("trap: "), "{}", ended.reason);
    assert!(ended.report.candidate.failed["trap"] >= 32, "{:?}", ended.report);
    assert_eq!(broker.receive(&echo.sink, 201).len(), 201);
    let end = echo.runner.stop().unwrap();
    assert_eq!((end.records, end.outputs, end.failed(), end.isolated), (201, 201, 0, 0));
    assert_eq!((end.retried, end.rollouts_rolled_back), (0, 1));
}

/// One that never gets done: the stream goes on, and so does whoever ends the roll-out.
#[test]
fn a_shadow_that_is_slow_leaves_out() {
    let broker = Broker::practice();
    let echo = Echo::start(&broker);
    echo.beside("mischief-extractor", &Terms::new(Mode::Shadow));
    // It spends its deadline on each of these, and the others come meanwhile.
    let mut sent = 9;
    broker.send(&echo.source, &["loop"; 8].map(|it| Sent::keyed("loop", it)));
    let report = await_that("something is left out", || {
        broker.send(&echo.source, &[Sent::keyed(sent, "loop")]);
        sent += 1;
        echo.runner.await_stats("the stream goes on", |now| now.outputs == sent as u64);
        let report = echo.deployment().rollout().unwrap().report();
        (report.left_out > 0).then_some(report)
    });
    assert_eq!(report.serving.records, sent as u64 - 1);
    let ended = echo.deployment().abort_rollout(None, "it is enough".into()).unwrap();
    assert_eq!(ended.end, End::Aborted);
    let end = echo.runner.stop().unwrap();
    assert_eq!((end.outputs, end.failed(), end.isolated), (sent as u64, 0, 0));
}

/// One that reads nothing of what comes by, and a rule that it breaks so.
#[test]
fn a_shadow_that_fails_breaks_its_rule() {
    let broker = Broker::practice();
    let echo = Echo::start(&broker);
    // The trial would refuse one that fails at all of the sample; this one reads it.
    let rules = Rules { min_rows: 100, max_failure_rate: share(0.05), ..Rules::default() };
    echo.beside("mischief-extractor", &with_rules(Mode::Shadow, rules));
    let value = |n: usize| if n.is_multiple_of(5) { "fail" } else { "fine" };
    let records: Vec<Sent> = (0..500).map(|n| Sent::keyed(n, value(n))).collect();
    broker.send(&echo.source, &records);
    let ended = await_end(echo.deployment());
    assert_eq!(ended.end, End::RolledBack);
    assert!(ended.reason.contains("records failed, above max_failure_rate 5%"), "{}", ended.reason);
    assert!(ended.report.candidate.failed["malformed"] >= 20, "{:?}", ended.report);
    broker.receive(&echo.sink, 501);
    let end = echo.runner.stop().unwrap();
    assert_eq!((end.outputs, end.failed(), end.rollouts_rolled_back), (501, 0, 1));
}

on_each_broker! {
    /// What a canary traps at becomes a dead letter, as its stage says; it is not let at more
    /// than it takes to see that it is of no use.
    fn a_canary_that_traps_is_dropped(broker: &Broker) {
        let echo = Echo::start(broker);
        echo.beside("mischief-extractor", &canary(0.5));
        let mut sent = 1;
        let done = |sent: usize| {
            let all = |now: &Snapshot| now.outputs + now.failed() == sent as u64;
            echo.runner.await_stats("all are done", all);
        };
        let ended = await_that("the roll-out ends", || {
            let numbers = sent..sent + 100;
            broker.send(&echo.source, &numbers.map(|n| Sent::keyed(n, "trap")).collect::<Vec<_>>());
            sent += 100;
            done(sent);
            echo.deployment().last_rollout()
        });
        assert_eq!(ended.end, End::RolledBack);
        assert!(ended.reason.contains("calls gave nothing for"), "{}", ended.reason);
        let dead = echo.runner.stop().unwrap().failed() as usize;
        let outputs = broker.receive(&echo.sink, sent - dead);
        let letters = broker.receive(&echo.dead, dead);
        assert!((32..sent / 2).contains(&dead), "{dead} of {sent}");
        let mut keys: Vec<_> = outputs.iter().chain(&letters).map(|it| it.key.clone()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), sent);
        assert!(letters.iter().all(|it| it.header("sandbar-code") == "trap"));
    }
}

/// By a header, whatever the key.
#[test]
fn a_canary_by_a_header() {
    let broker = Broker::practice();
    let topics = topics(&broker);
    let runner = start(&broker, &topics, "at-least-once");
    let terms = Terms { by: Some(By::Header("airline".into())), ..canary(0.5) };
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

#[test]
fn rules_promote_and_roll_back() {
    let broker = Broker::practice();
    let topics = topics(&broker);
    let runner = start(&broker, &topics, "at-least-once");
    let deployment = runner.deployment();
    let rules = |agreement, then| Rules {
        min_rows: 500,
        min_agreement: share(agreement),
        max_failure_rate: share(0.01),
        max_p99: Some(Duration::from_secs(60)),
        then,
    };
    // They agree on some three quarters.
    let terms = with_rules(Mode::Ab, rules(0.99, Then::Promote));
    deployment.start_rollout(&model("flights-dl"), &terms).unwrap();
    broker.send(&topics[0], &flights());
    let ended = await_end(deployment);
    assert_eq!(ended.end, End::RolledBack);
    assert!(ended.reason.contains("below min_agreement 99%"), "{}", ended.reason);
    assert!(ended.report.compared >= 500, "{:?}", ended.report);
    assert_eq!(deployment.revision().number, 1);
    assert!(deployment.rollout().is_none());

    let terms = with_rules(Mode::Shadow, rules(0.1, Then::Promote));
    deployment.start_rollout(&model("flights-dl"), &terms).unwrap();
    broker.send(&topics[0], &flights());
    await_that("the candidate serves", || (deployment.revision().number == 2).then_some(()));
    let ended = await_that("that is noted", || {
        deployment.last_rollout().filter(|it| it.end == End::Promoted)
    });
    assert!(ended.reason.contains("it held to its rules over"), "{}", ended.reason);
    assert_eq!(deployment.revision().model.as_deref(), Some("flights-dl@1"));
    // As after any swap.
    let back = deployment.rollback(Some(2)).unwrap();
    assert_eq!(back.revision.model.as_deref(), Some("flights-gbm@1"));

    let slow = Rules { max_p99: Some(Duration::from_nanos(1)), ..rules(0.1, Then::Keep) };
    deployment.start_rollout(&model("flights-dl"), &with_rules(Mode::Ab, slow)).unwrap();
    broker.send(&topics[0], &flights());
    let ended = await_that("it is too slow", || {
        deployment.last_rollout().filter(|it| it.reason.contains("above max_p99 1ns"))
    });
    assert_eq!(ended.end, End::RolledBack);
    let end = runner.stop().unwrap();
    let counts = (end.rollouts_started, end.rollouts_promoted, end.rollouts_rolled_back);
    assert_eq!(counts, (3, 1, 2));
}

/// Whatever is wrong leaves what serves alone, and says why.
#[test]
fn what_does_not_work_is_refused() {
    let broker = Broker::practice();
    let topics = topics(&broker);
    let runner = start(&broker, &topics, "at-least-once");
    let deployment = runner.deployment();
    let shadow = |topic: &str| Terms { topic: Some(topic.into()), ..Terms::new(Mode::Shadow) };
    let dl = || model("flights-dl");
    let outdated = Change { revision: Some(7), ..dl() };
    for (change, terms, due) in [
        (dl(), Terms::new(Mode::Canary), "give it a weight above 0"),
        (model("airports"), canary(0.1), "not an H2O MOJO"),
        (model("digits"), canary(0.1), "stage 'score'"),
        (stage("features", component("echo-extractor")), canary(0.1), "stage 'score'"),
        (outdated, canary(0.1), "revision 1 serves, not 7"),
        (dl(), shadow(&topics[0]), "the pipeline itself reads topic"),
        (dl(), shadow(&topics[1]), "the pipeline itself writes topic"),
    ] {
        let error = deployment.start_rollout(&change, &terms).unwrap_err().to_string();
        assert!(error.contains(due), "{error}");
    }
    assert!(matches!(
        deployment.promote_rollout(None, "it is better".into()),
        Err(SwapError::NoRollout)
    ));
    assert!(matches!(
        deployment.abort_rollout(None, "it is enough".into()),
        Err(SwapError::NoRollout)
    ));
    assert!(deployment.rollout().is_none() && deployment.last_rollout().is_none());

    deployment.start_rollout(&dl(), &canary(0.1)).unwrap();
    let due = "a roll-out is under way (canary of flights-dl@1): promote it or abort it first";
    for error in [
        deployment.swap(&dl()).unwrap_err(),
        deployment.rollback(None).unwrap_err(),
        deployment.start_rollout(&dl(), &canary(0.1)).unwrap_err(),
    ] {
        assert!(error.to_string().starts_with(due), "{error}");
    }
    let error = deployment.promote_rollout(Some(2), "it is better".into()).unwrap_err();
    assert!(matches!(error, SwapError::Outdated { .. }), "{error}");
    deployment.abort_rollout(Some(1), "it is enough".into()).unwrap();
    deployment.swap(&dl()).unwrap();
    let end = runner.stop().unwrap();
    assert_eq!((end.swaps, end.rollouts_started, end.rollouts_aborted), (1, 1, 1));
    assert_eq!((end.refused_swaps, end.rollouts_refused), (2, 11));

    // Values have no labels.
    let echo = Echo::start(&broker);
    let rules = Rules { min_agreement: share(0.9), ..Rules::default() };
    let change = stage("extract", component("echo-extractor"));
    let terms = with_rules(Mode::Shadow, rules);
    let error = echo.deployment().start_rollout(&change, &terms).unwrap_err().to_string();
    assert!(
        error.contains("min_agreement compares labels, and these predictions have none"),
        "{error}"
    );
}

/// The practice broker makes topics for whoever asks.
#[test]
fn a_topic_that_is_not_there_is_named() {
    let Some(broker) = Broker::apache() else { return };
    let topics = topics(&broker);
    let runner = start(&broker, &topics, "at-least-once");
    let terms = Terms { topic: Some("nowhere".into()), ..Terms::new(Mode::Shadow) };
    let error = runner.deployment().start_rollout(&model("flights-dl"), &terms).unwrap_err();
    let due = "the shadow's answers cannot be written: topic 'nowhere': ";
    assert!(error.to_string().starts_with(due), "{error}");
    assert!(error.to_string().ends_with("create it, or name one that is there"), "{error}");
    runner.stop().unwrap();
}

/// The commands of docs/guide/canary-a-model.md, on a runner in a process of its own.
#[test]
fn the_guide_works() {
    let broker = Broker::practice();
    let topics = topics(&broker);
    broker.make_topic("flight-candidates", 1, &[]);
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("flights.toml");
    let text = pipeline(&topics, "flights-gbm", "");
    let text =
        text.replace("{project}", "..").replace("\"../", &format!("\"{}/", project().display()));
    std::fs::write(&manifest, text).unwrap();
    let mut command = sandbar();
    command.arg("run").arg(&manifest).args(["--brokers", &broker.address()]);
    command.args(["--admin", "127.0.0.1:0", "--admin-token", "secret"]);
    let mut runner = Process::start(&mut command);
    let address = runner.admin_address();
    let guide = std::fs::read_to_string(project().join("docs/guide/canary-a-model.md")).unwrap();
    let guide = guide.replace("\\\n    ", "");
    let ask = |line: &str, token: &str| {
        assert!(guide.contains(&format!("$ sandbar {line}\n")), "the guide has no '{line}'");
        let mut command = sandbar();
        command.args(line.split(' ')).args(["--admin", &address]);
        command.env("SANDBAR_ADMIN_TOKEN", token);
        let output = command.current_dir(project()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    let send = || broker.send(&topics[0], &flights());
    send();
    broker.receive(&topics[1], FLIGHTS);

    let shadow =
        "rollout start --mode shadow --model flights=models/flights-dl --topic flight-candidates";
    let (done, said) = ask(shadow, "wrong");
    assert!(!done && said.contains("this needs the token"), "{said}");
    let (done, said) = ask(shadow, "secret");
    assert!(done && said.contains("roll-out: shadow, flights-dl@1 since 2"), "{said}");
    assert!(said.contains("records that came by: 0 failed, 0 did before"), "{said}");
    send();
    broker.receive(&topics[1], 2 * FLIGHTS);
    broker.receive("flight-candidates", 1);
    let said = await_that("records are compared", || {
        let (_, said) = ask("rollout status", "");
        said.contains("labels agree to").then_some(said)
    });
    assert!(said.contains("numbers differ by") && said.contains("but candidate"), "{said}");
    let metrics = get(&address, "/metrics");
    for name in ["active", "records", "labels", "agreement_ratio", "batch_duration_seconds_count"] {
        assert!(
            metrics.contains(&format!("sandbar_rollout_{name}{{pipeline=")),
            "{name}: {metrics}"
        );
    }
    let (done, said) = ask("rollout abort", "secret");
    assert!(done && said.contains("aborted 2") && said.contains("somebody aborted it"), "{said}");

    let canary = "rollout start --mode canary --weight 10% --model flights=models/flights-dl \
                  --min-rows 300 --max-failure-rate 1% --max-p99 10s --then promote";
    let (done, said) = ask(canary, "secret");
    assert!(done && said.contains("canary of 10% by key, flights-dl@1"), "{said}");
    assert!(
        said.contains(
            "rules from 300 records on: failures at most 1%, p99 at most 10s; then it is promoted"
        ),
        "{said}"
    );
    let (done, said) = ask("swap --model flights=models/flights-gbm", "secret");
    assert!(!done && said.contains("a roll-out is under way (canary of flights-dl@1)"), "{said}");
    send();
    let said = await_that("it is promoted", || {
        let (_, said) = ask("status", "");
        said.contains("last roll-out: canary of 10% by key, flights-dl@1, promoted").then_some(said)
    });
    assert!(said.contains("revision 2 since") && said.contains("held to its rules over"), "{said}");
    broker.receive(&topics[1], 3 * FLIGHTS);

    let (done, said) = ask("rollout start --mode ab --model flights=models/flights-gbm", "secret");
    assert!(done && said.contains("roll-out: ab, flights-gbm@1"), "{said}");
    send();
    let answers = broker.receive(&topics[1], 5 * FLIGHTS);
    assert!(answers.iter().any(|it| it.header("sandbar-variant") == "candidate"));
    let (done, said) = ask("rollout promote", "secret");
    assert!(done && said.contains("promoted\nrevision 3 since"), "{said}");
    let (done, said) = ask("rollback", "secret");
    assert!(done && said.contains("revision 4 since") && said.contains("flights-dl@1"), "{said}");
    let (done, said) = ask("rollout promote", "secret");
    assert!(!done && said.contains("no roll-out is under way"), "{said}");
    let said = runner.stop();
    assert!(said.contains("a roll-out has ended, promoted: it held to its rules"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

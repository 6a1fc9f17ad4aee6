//! Candidates that trap, fail or are slow.

use super::*;

/// Whatever a shadow does, the stream does not know of it.
#[test]
fn a_shadow_that_traps_is_dropped() {
    let broker = Broker::mock();
    let echo = Echo::start(&broker);
    echo.beside("mischief-extractor", &RolloutSpec::new(Mode::Shadow));
    let records: Vec<Sent> = (0..200).map(|n| Sent::keyed(n, "trap")).collect();
    broker.send(&echo.source, &records);
    let ended = await_end(echo.deployment());
    assert_eq!(ended.end, End::RolledBack);
    assert!(ended.reason.contains("calls failed for"), "{}", ended.reason);
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
    let broker = Broker::mock();
    let echo = Echo::start(&broker);
    echo.beside("mischief-extractor", &RolloutSpec::new(Mode::Shadow));
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
    let broker = Broker::mock();
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
        assert!(ended.reason.contains("calls failed for"), "{}", ended.reason);
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

//! Rules that promote and roll back, and what is refused.

use super::*;

#[test]
fn rules_promote_and_roll_back() {
    let broker = Broker::mock();
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
    let terms = with_rules(Mode::Ab, rules(0.99, OnPass::Promote));
    deployment.start_rollout(&model("flights-dl"), &terms).unwrap();
    broker.send(&topics[0], &flights());
    let ended = await_end(deployment);
    assert_eq!(ended.end, End::RolledBack);
    assert!(ended.reason.contains("below min_agreement 99%"), "{}", ended.reason);
    assert!(ended.report.compared >= 500, "{:?}", ended.report);
    assert_eq!(deployment.revision().number, 1);
    assert!(deployment.rollout().is_none());

    let terms = with_rules(Mode::Shadow, rules(0.1, OnPass::Promote));
    deployment.start_rollout(&model("flights-dl"), &terms).unwrap();
    broker.send(&topics[0], &flights());
    await_that("the candidate serves", || (deployment.revision().number == 2).then_some(()));
    let ended = await_that("that is noted", || {
        deployment.last_rollout().filter(|it| it.end == End::Promoted)
    });
    assert!(ended.reason.contains("kept its rules over"), "{}", ended.reason);
    assert_eq!(deployment.revision().model.as_deref(), Some("flights-dl@1"));
    // As after any swap.
    let back = deployment.rollback(Some(2)).unwrap();
    assert_eq!(back.revision.model.as_deref(), Some("flights-gbm@1"));

    let slow = Rules { max_p99: Some(Duration::from_nanos(1)), ..rules(0.1, OnPass::Keep) };
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
    let broker = Broker::mock();
    let topics = topics(&broker);
    let runner = start(&broker, &topics, "at-least-once");
    let deployment = runner.deployment();
    let shadow =
        |topic: &str| RolloutSpec { topic: Some(topic.into()), ..RolloutSpec::new(Mode::Shadow) };
    let dl = || model("flights-dl");
    let outdated = SwapSpec { revision: Some(7), ..dl() };
    for (change, terms, due) in [
        (dl(), RolloutSpec::new(Mode::Canary), "give it a weight above 0"),
        (model("airports"), canary(0.1), "not a model of a known maker"),
        (model("digits"), canary(0.1), "stage 'score'"),
        (stage("features", component("echo-extractor")), canary(0.1), "stage 'score'"),
        (outdated, canary(0.1), "expected revision 7, but 1 serves"),
        (dl(), shadow(&topics[0]), "the pipeline itself reads it"),
        (dl(), shadow(&topics[1]), "the pipeline itself writes it"),
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
        error.contains("min_agreement compares labels, but these predictions have none"),
        "{error}"
    );
}

/// The mock broker makes topics for whoever asks.
#[test]
fn a_topic_that_is_not_there_is_named() {
    let Some(broker) = Broker::apache() else { return };
    let topics = topics(&broker);
    let runner = start(&broker, &topics, "at-least-once");
    let terms = RolloutSpec { topic: Some("nowhere".into()), ..RolloutSpec::new(Mode::Shadow) };
    let error = runner.deployment().start_rollout(&model("flights-dl"), &terms).unwrap_err();
    let due = "cannot write the shadow's outputs: topic 'nowhere': ";
    assert!(error.to_string().starts_with(due), "{error}");
    assert!(error.to_string().ends_with("create the topic, or name an existing one"), "{error}");
    runner.stop().unwrap();
}

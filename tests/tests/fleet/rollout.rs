//! Roll-outs for all runners of a fleet.

use sandbar_tests::{Broker, project};
use serde_json::Value;

use super::fixture::{Fixture, Runner};

/// Waits until a candidate has seen records on every runner.
fn await_candidates(fleet: &[Runner], names: &[&str]) {
    for name in names {
        fleet[0].await_known(name, "its candidate sees records", |known| {
            known["report"]["rollout"]["records"].as_u64() > Some(0)
        });
    }
}

fn history(runner: &Runner) -> Vec<Value> {
    let history: Value =
        serde_json::from_str(&runner.says(&["fleet", "history", "--json"])).unwrap();
    history.as_array().unwrap().clone()
}

/// A canary begins on every runner and on one that starts later, is promoted through any of
/// them, and can be gone back from; another one is dropped by all. Every prediction is the one
/// of the version that it names.
#[test]
fn a_canary_of_all() {
    let Some(broker) = Broker::apache() else { return };
    let fixture = Fixture::new(broker, "exactly-once");
    let mut fleet = vec![fixture.runner("one"), fixture.runner("two")];
    let canary = ["rollout", "start", "--mode", "canary", "--weight", "30%"];
    let (served, ()) = fixture.under_load(|| {
        fleet[0].await_model("flights@1");
        let start = [&canary[..], &["--model", "flights=flights@2", "--reason", "try it"]].concat();
        let said = fleet[0].says(&start);
        assert!(said.contains("fleet revision 2, rollout by ada at "), "{said}");
        assert!(said.contains("roll-out: canary of flights=flights@2"), "{said}");
        assert!(said.contains("2 runners serve it after "), "{said}");
        fleet.push(fixture.runner("late"));
        await_candidates(&fleet, &["one", "two", "late"]);
        let status = fleet[1].says(&["status"]);
        assert!(status.contains("late's candidate: "), "{status}");

        // What serves does not change meanwhile.
        for words in [&["promote", "flights", "1"][..], &["fleet", "rollback"], &start] {
            let said = fleet[1].refuses(words);
            assert!(said.contains("a roll-out is under way (canary of flights"), "{said}");
        }
        let said = fleet[1].refuses(&["rollout", "promote", "--revision", "1"]);
        assert!(said.contains("the desired revision is 2, by ada"), "{said}");
        let said = fleet[2].says(&["rollout", "promote"]);
        assert!(said.contains("fleet revision 3, promote by ada"), "{said}");
        assert!(said.contains("3 runners serve it after "), "{said}");
        for runner in &fleet {
            assert!(runner.serves("flights@2"));
            let status = runner.status();
            assert_eq!(status["rollout"], Value::Null);
            assert_eq!(status["last_rollout"]["outcome"], "promoted");
        }
        let said = fleet[0].refuses(&["rollout", "abort"]);
        assert!(said.contains("no roll-out is under way"), "{said}");
        fleet[0].says(&["fleet", "rollback"]);
        assert!(fleet[1].serves("flights@1"));

        fleet[1].says(&[&canary[..], &["--model", "flights=flights@2"]].concat());
        await_candidates(&fleet, &["one", "two", "late"]);
        let said = fleet[0].says(&["rollout", "abort", "--reason", "enough seen"]);
        assert!(said.contains("fleet revision 6, abort by ada"), "{said}");
        for runner in &fleet {
            let last = &runner.status()["last_rollout"];
            assert_eq!(last["outcome"], "aborted");
            assert_eq!(last["reason"], "fleet revision 6, by ada: enough seen");
            assert!(runner.serves("flights@1"));
        }
        let said = fleet[0].refuses(&["fleet", "rollback"]);
        assert!(said.contains("no previous revision to roll back to"), "{said}");
    });
    assert!(served["flights@1"] > 0 && served["flights@2"] > 0, "{served:?}");
    fleet.into_iter().for_each(|runner| drop(runner.process.stop()));
}

/// What breaks a rule on one runner is dropped by all, and what holds to them is promoted for
/// all; the fleet's history says which runner saw it, and what.
#[test]
fn rules_decide_for_all() {
    let Some(broker) = Broker::apache() else { return };
    let fixture = Fixture::new(broker, "at-least-once");
    let fleet = [fixture.runner("one"), fixture.runner("two")];
    let start = |words: &[&str]| {
        let all =
            [&["rollout", "start", "--model", "flights=flights@2", "--min-rows", "200"], words];
        fleet[0].says(&all.concat())
    };
    let (served, ()) = fixture.under_load(|| {
        fleet.iter().for_each(|runner| runner.await_model("flights@1"));
        // What is no version of the registry cannot be a fleet's.
        let model = format!("flights={}", project().join("models/flights-dl").display());
        let said = fleet[0].refuses(&["rollout", "start", "--mode", "shadow", "--model", &model]);
        assert!(said.contains("local to one machine"), "{said}");
        start(&["--mode", "canary", "--weight", "50%", "--max-p99", "1us", "--no-wait"]);
        for name in ["one", "two"] {
            fleet[0].await_known(name, "it drops the candidate", |known| {
                known["report"]["serves"] == 3 && known["report"]["rollout"].is_null()
            });
        }
        let last = &history(&fleet[0])[0];
        assert_eq!(last["action"], "abort");
        assert!(["one", "two"].map(Value::from).contains(&last["by"]), "{last}");
        assert!(last["reason"].as_str().unwrap().contains("above max_p99 1us"), "{last}");
        assert!(fleet[0].serves("flights@1") && fleet[1].serves("flights@1"));

        let holds = ["--min-agreement", "50%", "--then", "promote", "--no-wait"];
        start(&[&["--mode", "shadow"], &holds[..]].concat());
        for runner in &fleet {
            runner.await_model("flights@2");
        }
        let last = &history(&fleet[1])[0];
        assert_eq!((&last["action"], &last["revision"]), (&"promote".into(), &5.into()));
        assert!(last["reason"].as_str().unwrap().contains("kept its rules"), "{last}");
        fleet[1].says(&["fleet", "rollback"]);
        assert!(fleet[0].serves("flights@1"));
    });
    assert!(served["flights@1"] > 0 && served["flights@2"] > 0, "{served:?}");
    fleet.into_iter().for_each(|runner| drop(runner.process.stop()));
}

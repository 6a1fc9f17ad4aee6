//! Promotions and rollbacks reach every runner while flights flow.

use sandbar_tests::Broker;
use sandbar_tests::process::Process;

use super::fixture::{Fixture, Runner};

/// What `promote` says of the time that it took.
fn took(said: &str, runners: usize) -> String {
    let line = said.lines().find(|line| line.contains(" runners serve it after "));
    let line = line.unwrap_or_else(|| panic!("{said}")).to_owned();
    assert!(line.starts_with(&format!("{runners} runners serve it after ")), "{said}");
    line
}

/// Promotions and a rollback reach every runner while flights flow, and one that starts later
/// begins with what is to serve.
fn promote_under_load(delivery: &'static str, runners: usize) {
    let Some(broker) = Broker::apache() else { return };
    let fixture = Fixture::new(broker, delivery);
    let mut fleet: Vec<Runner> =
        (0..runners).map(|number| fixture.runner(&format!("runner-{number}"))).collect();
    let (served, ()) = fixture.under_load(|| {
        fleet[0].await_model("flights@1");
        assert_eq!(fleet[0].revision(), 0);
        // What served is written down first.
        let said = fleet[0].says(&["promote", "flights", "2", "--reason", "better on 2008"]);
        assert!(
            said.contains("fleet revision 2, promote by ada at ")
                && said.contains("better on 2008"),
            "{said}"
        );
        assert!(said.contains("model flights: flights@2"), "{said}");
        eprintln!("{delivery}, promotion: {}", took(&said, runners));
        for runner in &fleet {
            assert!(runner.serves("flights@2"));
        }
        fleet[0].await_model("flights@2");

        // It has never served anything else.
        let late = fixture.runner("late");
        let status = late.status();
        assert_eq!((&status["revision"], &status["model"]), (&1.into(), &"flights@2".into()));
        let known = late.knows("late");
        assert_eq!((&known["report"]["serves"], &known["state"]), (&2.into(), &"serving".into()));
        fleet.push(late);

        // Through any of them, by any name that is known.
        let last = fleet.len() - 1;
        let said = fleet[last].says(&["promote", "flights", "flights@1", "--revision", "2"]);
        eprintln!("{delivery}, promotion: {}", took(&said, runners + 1));
        fleet[last].await_model("flights@1");
        let said = fleet[1].says(&["fleet", "rollback"]);
        assert!(said.contains("fleet revision 4, rollback by ada"), "{said}");
        eprintln!("{delivery}, rollback: {}", took(&said, runners + 1));
        fleet[1].await_model("flights@2");
        let said = fleet[1].says(&["fleet", "rollback"]);
        assert!(said.contains("fleet revision 5, rollback by ada"), "{said}");
        let said = fleet[0].refuses(&["fleet", "rollback"]);
        assert!(said.contains("no previous revision to roll back to"), "{said}");
        fleet[0].await_model("flights@1");
        let history = fleet[0].says(&["fleet", "history"]);
        let actions: Vec<&str> =
            history.lines().filter_map(|line| line.split(", ").nth(1)?.split(' ').next()).collect();
        assert_eq!(actions, ["rollback", "rollback", "promote", "promote", "begin"], "{history}");
    });
    assert!(served["flights@1"] > 0 && served["flights@2"] > 0, "{served:?}");
    for Runner { process, .. } in fleet {
        let said = process.stop();
        // When the late one joins, the offsets of those who give partitions up are refused in
        // exactly once: their batches are run again, elsewhere.
        let wrong = |line: &&str| line.contains("ERROR") && !line.contains("(ILLEGAL_GENERATION)");
        assert_eq!(said.lines().find(wrong), None, "{said}");
    }
}

#[test]
fn two_runners_lose_nothing() {
    promote_under_load("at-least-once", 2);
}

#[test]
fn four_runners_write_nothing_twice() {
    promote_under_load("exactly-once", 4);
}

/// One that goes over is killed, one that is asked is killed: nothing is lost or written
/// twice, no lock is left, and whoever comes again begins with what is to serve.
#[test]
fn whoever_is_killed_in_the_middle() {
    let Some(broker) = Broker::apache() else { return };
    let fixture = Fixture::new(broker, "exactly-once");
    let asked = fixture.runner("asked");
    let mut other = fixture.runner("other");
    let (served, left) = fixture.under_load(|| {
        asked.await_model("flights@1");
        other.await_model("flights@1");
        std::thread::scope(|scope| {
            let promotion = scope.spawn(|| asked.says(&["promote", "flights", "2"]));
            other
                .process
                .await_said("desired version of the fleet changed versions=\"flights=flights@2");
            // Most likely it loads the model now.
            drop(other);
            let said = promotion.join().unwrap();
            // It may have gone over before.
            assert!(said.contains("1 runners serve it after "), "{said}");
        });
        asked.await_known("other", "it is lost", |known| known["state"] == "lost");
        let other = fixture.runner("other");
        assert_eq!(other.status()["revision"], 1);
        other.await_model("flights@2");

        let mut asked = asked;
        std::thread::scope(|scope| {
            let address = asked.address.clone();
            let promotion = scope.spawn(move || {
                let mut command = sandbar_tests::sandbar();
                command.args(["promote", "flights", "1", "--admin", &address]);
                Process::start(&mut command).join()
            });
            asked.process.await_said("before the change is written versions=\"flights=flights@1");
            drop(asked);
            let (status, said) = promotion.join().unwrap();
            assert!(!status.success(), "{said}");
        });
        let before = other.revision();
        let said = other.says(&["promote", "features", "features@1", "--operator"]);
        assert!(said.contains("it is already the fleet's desired version"), "{said}");
        let said = other.says(&["promote", "flights", if before == 2 { "1" } else { "2" }]);
        assert!(said.contains(&format!("fleet revision {}, promote", before + 1)), "{said}");
        let asked = fixture.runner("asked");
        assert_eq!(asked.knows("asked")["report"]["serves"], before + 1);
        asked.await_model(if before == 2 { "flights@1" } else { "flights@2" });
        [asked, other]
    });
    assert!(served["flights@1"] > 0 && served["flights@2"] > 0, "{served:?}");
    left.into_iter().for_each(|runner| drop(runner.process.stop()));
}

/// Of two people who promote at once exactly one wins, and the other is told.
#[test]
fn two_people_at_once() {
    let Some(broker) = Broker::apache() else { return };
    let fixture = Fixture::new(broker, "at-least-once");
    let fleet = [fixture.runner("one"), fixture.runner("two")];
    for round in 0..4 {
        let before = fleet[0].revision();
        let version = if round % 2 == 0 { "2" } else { "1" };
        let promote = |runner: &Runner| {
            let revision = before.to_string();
            runner.ask(&["promote", "flights", version, "--revision", &revision, "--no-wait"])
        };
        let answers = std::thread::scope(|scope| {
            let asked = fleet.each_ref().map(|runner| scope.spawn(move || promote(runner)));
            asked.map(|asked| asked.join().unwrap())
        });
        let won = answers.iter().filter(|(done, _)| *done).count();
        assert_eq!(won, 1, "{answers:?}");
        let (_, said) = answers.iter().find(|(done, _)| !done).unwrap();
        assert!(said.contains("re-read and retry"), "{said}");
        for runner in &fleet {
            runner.await_known("two", "it goes over", |known| {
                known["report"]["serves"].as_u64() > Some(before)
            });
            let due = before + if before == 0 { 2 } else { 1 };
            assert_eq!(runner.revision(), due);
        }
    }
    fleet.into_iter().for_each(|runner| drop(runner.process.stop()));
}

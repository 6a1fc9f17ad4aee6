//! The commands of docs/guide/run-a-fleet.md and roll-back.md.

use std::process::Command;

use sandbar_tests::{Broker, project, sandbar};

use super::fixture::Fixture;

/// The commands of a guide that begin with some words.
fn commands(guide: &str, begin: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(project().join("docs/guide").join(guide)).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("$ "));
    let words = |line: &str| {
        // Quotes hold words together; a comment says what it is for.
        let line = line.split(" # ").next().unwrap_or_default();
        let parts = line.split('"').enumerate();
        let words = parts.flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
            _ => vec![part.to_owned()],
        });
        words.collect()
    };
    lines.filter(|line| line.starts_with(begin)).map(words).collect()
}

fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// Each command of the guides does what is said of it, in their order.
#[test]
fn the_guides_work() {
    let Some(broker) = Broker::apache() else { return };
    let fixture = Fixture::new(broker, "at-least-once");
    let fleet = [fixture.runner("one"), fixture.runner("two")];
    let ask = |words: &[String]| {
        let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        fleet[0].says(&words)
    };
    let promotions = commands("run-a-fleet.md", "sandbar promote");
    assert_eq!(promotions.len(), 2, "{promotions:?}");
    let said = ask(&promotions[0]);
    assert!(
        said.contains("model flights: flights@2") && said.contains("2 runners serve"),
        "{said}"
    );
    let status = ask(&commands("run-a-fleet.md", "sandbar status")[0]);
    assert!(status.contains("fleet revision 2, promote by ada at "), "{status}");
    for name in ["one", "two"] {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains("  serving  2  ") && line.contains("flights@2"), "{status}");
    }
    let said = ask(&promotions[1]);
    assert!(said.contains("stage") || said.contains("operator features: features@1"), "{said}");
    let rollout = commands("run-a-fleet.md", "sandbar rollout");
    assert_eq!(rollout.len(), 3, "{rollout:?}");
    let said = ask(&rollout[0]);
    assert!(said.contains("roll-out: canary of flights=flights@1"), "{said}");
    let said = ask(&rollout[1]);
    assert!(said.contains("roll-out: canary of 10% by key, flights@1"), "{said}");
    let said = ask(&rollout[2]);
    assert!(said.contains("fleet revision 4, promote by ada"), "{said}");
    assert!(fleet[1].serves("flights@1"));
    fleet[1].says(&["fleet", "rollback"]);
    assert!(fleet[0].serves("flights@2"));
    let history = ask(&commands("run-a-fleet.md", "sandbar fleet history")[0]);
    assert!(history.contains("fleet revision 1, begin by ada"), "{history}");
    let said = ask(&commands("roll-back.md", "sandbar fleet rollback")[0]);
    assert!(said.contains("rollback by ada") && said.contains("flights@1"), "{said}");
    assert!(fleet[1].serves("flights@1"));

    // An alias of the registry.
    let registry = fixture.path("registry");
    for words in commands("roll-back.md", "sandbar models") {
        let mut command = sandbar();
        command.args(&words[1..]).env("SANDBAR_REGISTRY", &registry).env("SANDBAR_BY", "ada");
        let said = run(command);
        assert!(said.contains("flights@production is flights@"), "{said}");
    }
    fleet.into_iter().for_each(|runner| drop(runner.process.stop()));
}

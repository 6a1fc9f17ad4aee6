//! The commands, as a person types them.

use sandbar_tests::{component, project, sandbar};
use serde_json::Value;

use super::fixture::{Fixture, text};

/// The commands, as a person types them.
fn commands(fixture: &Fixture) {
    let models = project().join("models");
    let (gbm, dl) = (models.join("flights-gbm"), models.join("flights-dl"));
    let (gbm, dl) = (gbm.to_str().unwrap(), dl.to_str().unwrap());
    let said = fixture.says(&["models", "add", gbm, "--name", "flights", "--metric", "auc=0.7294"]);
    assert!(said.starts_with("flights@1: added, "), "{said}");
    let said = fixture.says(&[
        "models", "add", dl, "--name", "flights", "--metric", "auc=0.75", "--source", "run 7",
        "--json",
    ]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["version"], &said["new"]), (&2.into(), &true.into()));
    assert_eq!(said["added"]["source"], "run 7");
    let said = fixture.says(&["models", "add", dl, "--name", "flights"]);
    assert!(said.starts_with("flights@2: has these files already"), "{said}");

    assert_eq!(
        fixture.says(&["models", "promote", "flights", "1"]),
        "flights@production is flights@1\n"
    );
    let said = fixture.says(&["models", "promote", "flights", "2", "--reason", "better"]);
    assert_eq!(said, "flights@production is flights@2; it was flights@1\n");
    let said = fixture.complains(&["models", "promote", "flights", "1", "--expect", "1"]);
    assert!(said.contains("flights@production: it points to version 2, by ada at"), "{said}");
    let said = fixture.says(&["models", "show", "flights"]);
    for expected in ["flights@2", "production", "run 7", "promoted", "better", "ada"] {
        assert!(said.contains(expected), "{said}");
    }
    let said = fixture.says(&["models", "show", "flights@production"]);
    assert!(said.starts_with("flights@2\n") && said.contains("auc = 0.75"), "{said}");
    let said = fixture.says(&["models", "diff", "flights@1", "flights@2"]);
    assert!(said.starts_with("flights@1 → flights@2\n"), "{said}");
    assert!(said.contains("0.7294 → 0.75 (+0.0206)"), "{said}");
    assert!(
        said.contains("files.model.zip") && said.contains("flights-gbm@1 → flights-dl@1"),
        "{said}"
    );
    let said = fixture.says(&["models", "list", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said[0]["newest"], &said[0]["aliases"]["production"]), (&2.into(), &2.into()));
    assert!(fixture.says(&["models", "list"]).contains("production=2"));
    // Folders are where they were.
    let said = fixture.says(&["models", "list", "--models", models.to_str().unwrap()]);
    assert!(said.contains("flights-gbm@1"), "{said}");
    assert_eq!(fixture.says(&["models", "verify"]), "flights@1: ok\nflights@2: ok\n");
    assert_eq!(
        fixture.says(&["models", "rollback", "flights"]),
        "flights@production is flights@1; it was flights@2\n"
    );
    let said = fixture.says(&["models", "gc", "--dry-run", "--older-than", "0s", "--keep", "1"]);
    assert!(said.contains("flights@2: kept: the newest"), "{said}");

    let extractor = component("flight-features");
    let extractor = extractor.to_str().unwrap();
    assert!(fixture.says(&["operators", "add", extractor]).starts_with("flight-features@1: added"));
    fixture.says(&["operators", "promote", "flight-features", "1"]);
    let said = fixture.says(&["operators", "show", "flight-features@1"]);
    assert!(said.contains("extractor") && said.contains("sandbar:operator@0.1.0"), "{said}");
    assert!(fixture.says(&["operators", "list"]).contains("production=1"));
    let said = fixture.complains(&["operators", "add", gbm]);
    assert!(said.contains("operator.toml"), "{said}");
}

#[test]
fn the_commands_on_a_folder() {
    commands(&Fixture::folder());
}

#[test]
fn the_commands_on_an_object_store() {
    commands(&Fixture::s3());
}

#[test]
fn without_a_registry_the_way_out_is_told() {
    let output = sandbar()
        .args(["models", "promote", "flights", "1"])
        .env_remove("SANDBAR_REGISTRY")
        .output();
    let said = text(&output.unwrap().stderr);
    assert!(said.contains("give --registry FOLDER|URL, or set SANDBAR_REGISTRY"), "{said}");
}

//! What garbage collection keeps.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sandbar::registry::gc::Rules;
use sandbar::registry::leases::{Lease, Used};
use sandbar::registry::{ArtifactKind, Cause};
use sandbar_tests::objects::Tongue;

use super::fixture::{Fixture, MODEL, files, intent, reference, rules};

/// What garbage collection keeps, and that what it removes is gone for good.
fn garbage(fixture: &Fixture) {
    for size in 1..=7 {
        fixture.add(&"x".repeat(size));
    }
    let registry = Arc::new(fixture.registry());
    let promote = |version, alias: &str| {
        registry.promote(MODEL, "table", version, alias, &intent()).unwrap();
    };
    // The last two targets of production: 3 and 4. Canary: 5.
    promote(2, "production");
    promote(3, "production");
    promote(4, "production");
    promote(5, "canary");
    let used = BTreeSet::from([Used { kind: MODEL, name: "table".into(), version: 6 }]);
    let lease = Lease::hold(registry.clone(), "flights", used);
    while registry.uses().unwrap().is_empty() {
        std::thread::yield_now();
    }
    let young = Rules { older_than: Duration::from_secs(3600), ..rules(false) };
    let collected = registry.gc(MODEL, &young).unwrap();
    assert_eq!((collected.removed.len(), collected.files), (0, 0));

    let expected = ["table@1", "table@2"];
    let dry = registry.gc(MODEL, &rules(true)).unwrap();
    assert_eq!(dry.removed, expected);
    registry.verify(&registry.version(MODEL, "table", 1).unwrap()).unwrap();
    // Operators' collection leaves models alone.
    assert_eq!(registry.gc(ArtifactKind::Operator, &rules(false)).unwrap().files, 0);

    let collected = registry.gc(MODEL, &rules(false)).unwrap();
    assert_eq!(collected.removed, expected);
    // model.toml and table.csv of both; they share the sample with all others.
    assert_eq!((collected.files, dry.files), (4, 4));
    assert_eq!(collected.bytes, dry.bytes);
    let kept = |id: &str| collected.kept[id].as_str();
    assert_eq!(kept("table@3"), "table@production pointed to it recently");
    assert_eq!(kept("table@4"), "table@production points to it");
    assert_eq!(kept("table@5"), "table@canary points to it");
    assert!(kept("table@6").starts_with("used by the pipeline flights"), "{}", kept("table@6"));
    assert_eq!(kept("table@7"), "the newest version");
    for number in 3..=7 {
        registry.verify(&registry.version(MODEL, "table", number).unwrap()).unwrap();
    }
    for gone in ["table@1", "table@2"] {
        let error = registry.resolve(MODEL, &reference(gone)).unwrap_err();
        assert!(error.to_string().contains("its files were removed by ada at"), "{error}");
    }
    let error = registry.promote(MODEL, "table", 1, "production", &intent()).unwrap_err();
    assert_eq!(error.cause, Cause::Missing);
    registry.rollback(MODEL, "table", "production", &intent()).unwrap();
    let error = registry.rollback(MODEL, "table", "production", &intent()).unwrap_err();
    assert!(error.to_string().contains("its files were removed by ada"), "{error}");

    // A lease that was given back holds nothing; numbers are never given again.
    drop(lease);
    assert_eq!(registry.uses().unwrap(), []);
    assert_eq!(registry.gc(MODEL, &rules(false)).unwrap().removed, ["table@6"]);
    assert_eq!(fixture.add("x"), 8);
}

#[test]
fn garbage_of_a_folder() {
    garbage(&Fixture::folder());
}

#[test]
fn garbage_of_an_object_store() {
    garbage(&Fixture::s3());
}

#[test]
fn garbage_of_a_store_of_google() {
    garbage(&Fixture::store(Tongue::Google));
}

#[test]
fn garbage_of_a_store_of_azure() {
    garbage(&Fixture::store(Tongue::Azure));
}

/// What is not understood may be in use.
#[test]
fn garbage_is_not_collected_where_a_description_is_broken() {
    let fixture = Fixture::folder();
    fixture.add("a");
    fixture.add("bb");
    fixture.forge("models/table/versions/2.json", |it| it["surprise"] = 1.into());
    let error = fixture.registry().gc(MODEL, &rules(false)).unwrap_err();
    assert_eq!(error.cause, Cause::Corrupt);
    let blobs = files(&fixture.file("blobs"));
    assert_eq!(blobs.len(), 5, "{blobs:?}");
}

/// A lease of a runner that was killed ends.
#[test]
fn a_lease_that_has_run_out_holds_nothing() {
    let fixture = Fixture::folder();
    fixture.add("a");
    fixture.add("bb");
    let lease = serde_json::json!({
        "format": 1, "pipeline": "flights", "runner": "r", "until": "2026-01-01T00:00:00Z",
        "versions": [{ "sort": "model", "name": "table", "version": 1 }],
    });
    std::fs::create_dir(fixture.file("uses")).unwrap();
    std::fs::write(fixture.file("uses/r.json"), lease.to_string()).unwrap();
    assert_eq!(fixture.registry().gc(MODEL, &rules(true)).unwrap().removed, ["table@1"]);
    fixture.forge("uses/r.json", |it| it["until"] = "2999-01-01T00:00:00Z".into());
    assert_eq!(fixture.registry().gc(MODEL, &rules(true)).unwrap().removed, [""; 0]);
}

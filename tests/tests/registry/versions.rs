//! Versions get numbers, aliases point to them.

use std::collections::BTreeSet;
use std::sync::Barrier;

use sandbar::model::Model;
use sandbar::registry::aliases::{Action, Intent};
use sandbar::registry::draft::Draft;
use sandbar::registry::{ArtifactKind, Cause};
use sandbar_tests::objects::Tongue;

use super::fixture::{Fixture, MODEL, files, intent, notes, reference};

/// From nothing to a model that an alias means, and back.
fn a_version_is_added_promoted_fetched_and_rolled_back(fixture: &Fixture) {
    let registry = fixture.registry();
    assert_eq!(registry.names(MODEL).unwrap(), [""; 0]);
    assert_eq!((fixture.add("a"), fixture.add("bb")), (1, 2));
    // The same files are the same version, whichever it is.
    assert_eq!((fixture.add("bb"), fixture.add("a")), (2, 1));
    let again = Draft::model(&fixture.table("a"), None, notes()).unwrap();
    assert_eq!(registry.add(again, true).unwrap().version.version, 3);

    let version = registry.version(MODEL, "table", 2).unwrap();
    let paths: Vec<&str> = version.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["model.toml", "samples/one.csv", "table.csv"]);
    let about = version.model.as_ref().unwrap();
    assert_eq!((about.described.as_str(), version.id().as_str()), ("table@9", "table@2"));
    assert_eq!(about.provenance["rows"], 2);
    assert_eq!(version.added.by, "ada");

    let error = registry.resolve(MODEL, &reference("table")).unwrap_err();
    assert_eq!(error.cause, Cause::Missing);
    assert!(error.to_string().contains("no alias 'production'; set it with"), "{error}");
    let promote =
        |version, alias: &str| registry.promote(MODEL, "table", version, alias, &intent()).unwrap();
    assert!(promote(1, "production").new);
    assert!(promote(2, "production").new);
    assert!(!promote(2, "production").new);
    assert!(promote(3, "production").new);
    assert!(promote(3, "canary").new);
    let means = |text: &str| registry.resolve(MODEL, &reference(text)).unwrap().version;
    assert_eq!((means("table"), means("table@canary"), means("table@1")), (3, 3, 1));

    // Back, and back again; a promotion in between is what one goes back from.
    let back = || registry.rollback(MODEL, "table", "production", &intent()).map(|it| it.change);
    assert_eq!(back().unwrap().version, 2);
    assert_eq!(back().unwrap().version, 1);
    let error = back().unwrap_err();
    assert!(error.to_string().contains("nothing to roll back to"), "{error}");
    promote(3, "production");
    assert_eq!(back().unwrap().version, 1);
    let history = registry.history(MODEL, "table", "production", 100).unwrap();
    let history: Vec<(u64, u32, Action)> =
        history.iter().rev().map(|it| (it.change, it.version, it.action)).collect();
    let (up, down) = (Action::Promote, Action::Rollback);
    let expected =
        [(1, 1, up), (2, 2, up), (3, 3, up), (4, 2, down), (5, 1, down), (6, 3, up), (7, 1, down)];
    assert_eq!(history, expected);

    let version = registry.resolve(MODEL, &reference("table@2")).unwrap();
    let folder = registry.fetch(&version, &fixture.cache()).unwrap();
    assert_eq!(Model::open(&folder).unwrap().read().unwrap().as_ref(), b"bb");
    assert_eq!(files(&folder).len(), 3);
    registry.verify(&version).unwrap();
    assert_eq!(registry.names(MODEL).unwrap(), ["table"]);
    assert_eq!(registry.names(ArtifactKind::Operator).unwrap(), [""; 0]);
}

#[test]
fn a_version_and_its_alias_in_a_folder() {
    a_version_is_added_promoted_fetched_and_rolled_back(&Fixture::folder());
}

#[test]
fn a_version_and_its_alias_in_an_object_store() {
    let fixture = Fixture::s3();
    a_version_is_added_promoted_fetched_and_rolled_back(&fixture);
    let store = fixture.store.as_ref().unwrap();
    assert!(store.keys().iter().all(|key| key.starts_with("team/registry/")), "{:?}", store.keys());
    let signed = |it: &str| it.starts_with("AWS4-HMAC-SHA256 Credential=AKID/");
    assert!(store.requests().iter().all(|request| signed(&request.headers["authorization"])));
}

#[test]
fn a_version_and_its_alias_in_a_store_of_google() {
    let fixture = Fixture::store(Tongue::Google);
    a_version_is_added_promoted_fetched_and_rolled_back(&fixture);
    let requests = fixture.store.as_ref().unwrap().requests();
    assert!(requests.iter().all(|request| request.headers["authorization"] == "Bearer hush"));
}

#[test]
fn a_version_and_its_alias_in_a_store_of_azure() {
    let fixture = Fixture::store(Tongue::Azure);
    a_version_is_added_promoted_fetched_and_rolled_back(&fixture);
    let requests = fixture.store.as_ref().unwrap().requests();
    let signed = |it: &str| it.starts_with("SharedKey AKID:");
    assert!(requests.iter().all(|request| signed(&request.headers["authorization"])));
}

/// Eight add, eight numbers.
fn adds_at_once_get_different_numbers(fixture: &Fixture) {
    let drafts: Vec<Draft> = (1..=8)
        .map(|size| Draft::model(&fixture.table(&"x".repeat(size)), None, notes()).unwrap())
        .collect();
    let barrier = Barrier::new(drafts.len());
    let add = &|draft| {
        let registry = fixture.registry();
        barrier.wait();
        registry.add(draft, false).unwrap().version.version
    };
    let numbers: BTreeSet<u32> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            drafts.into_iter().map(|draft| scope.spawn(move || add(draft))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(numbers, (1..=8).collect());
    let contents: BTreeSet<String> = (1..=8)
        .map(|n| fixture.registry().version(MODEL, "table", n).unwrap().content().to_string())
        .collect();
    assert_eq!(contents.len(), 8);
}

#[test]
fn adds_at_once_to_a_folder() {
    adds_at_once_get_different_numbers(&Fixture::folder());
}

#[test]
fn adds_at_once_to_an_object_store() {
    adds_at_once_get_different_numbers(&Fixture::s3());
}

#[test]
fn adds_at_once_to_a_store_of_google() {
    adds_at_once_get_different_numbers(&Fixture::store(Tongue::Google));
}

#[test]
fn adds_at_once_to_a_store_of_azure() {
    adds_at_once_get_different_numbers(&Fixture::store(Tongue::Azure));
}

/// Of two who decide by the same state one is refused, and told by whom.
fn promotions_at_once(fixture: &Fixture) {
    for content in ["a", "bb", "ccc"] {
        fixture.add(content);
    }
    let registry = fixture.registry();
    let expecting = |expect| Intent { expect: Some(expect), ..intent() };
    registry.promote(MODEL, "table", 1, "production", &expecting(0)).unwrap();
    for _ in 0..10 {
        let barrier = Barrier::new(2);
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = [2, 3]
                .map(|version| {
                    let (barrier, expecting) = (&barrier, &expecting);
                    scope.spawn(move || {
                        let registry = fixture.registry();
                        barrier.wait();
                        registry.promote(MODEL, "table", version, "production", &expecting(1))
                    })
                })
                .into_iter()
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 1));
        let error = lost.into_iter().next().unwrap().unwrap_err();
        assert_eq!(error.cause, Cause::Conflict, "{error}");
        assert!(error.to_string().contains("re-read and retry"), "{error}");
        let now = registry.alias(MODEL, "table", "production").unwrap().unwrap();
        assert_eq!(now.version, won[0].as_ref().unwrap().change.version);
        registry.rollback(MODEL, "table", "production", &expecting(now.version)).unwrap();
    }
    let history = registry.history(MODEL, "table", "production", 100).unwrap();
    assert_eq!(history.len(), 21);
}

#[test]
fn promotions_at_once_in_a_folder() {
    promotions_at_once(&Fixture::folder());
}

#[test]
fn promotions_at_once_in_an_object_store() {
    promotions_at_once(&Fixture::s3());
}

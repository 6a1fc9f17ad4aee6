//! The registry as people and pipelines use it: in a folder and in an object store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use flight_records::CLASSIC;
use sandbar::models::Model;
use sandbar::registry::aliases::{Action, Intent};
use sandbar::registry::draft::{Draft, Notes};
use sandbar::registry::gc::Rules;
use sandbar::registry::leases::{Lease, Used};
use sandbar::registry::supply::Supply;
use sandbar::registry::{Cause, Reference, Registry, Sort};
use sandbar_tests::objects::{Store, Tongue};
use sandbar_tests::process::Process;
use sandbar_tests::{Broker, Sent, component, project, sandbar};
use serde_json::Value;

const MODEL: Sort = Sort::Model;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Where a registry is, and what lies about it.
struct Fixture {
    folder: tempfile::TempDir,
    store: Option<Store>,
}

impl Fixture {
    fn folder() -> Self {
        Fixture { folder: tempfile::tempdir().unwrap(), store: None }
    }

    fn store(tongue: Tongue) -> Self {
        Fixture { store: Some(Store::start(tongue)), ..Fixture::folder() }
    }

    fn s3() -> Self {
        Fixture::store(Tongue::S3)
    }

    fn location(&self) -> String {
        match &self.store {
            Some(store) => store.location("team/registry"),
            None => self.path("registry").to_str().unwrap().to_owned(),
        }
    }

    fn options(&self) -> BTreeMap<String, String> {
        self.store.as_ref().map(Store::options).unwrap_or_default()
    }

    fn registry(&self) -> Registry {
        Registry::create(&self.location(), &self.options(), Path::new("")).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// A model folder with a table in it.
    fn table(&self, content: &str) -> PathBuf {
        let folder = self.path(&format!("table-{}", content.len()));
        std::fs::create_dir_all(folder.join("samples")).unwrap();
        let digest = sandbar::models::Sha256::of(content.as_bytes());
        let description = format!(
            "name = \"table\"\nversion = 9\nkind = \"file\"\nfile = \"table.csv\"\n\
             sha256 = \"{digest}\"\nlicence = \"Apache-2.0\"\ndescription = \"A table.\"\n\
             [provenance]\nrows = {}\n",
            content.len()
        );
        std::fs::write(folder.join("model.toml"), description).unwrap();
        std::fs::write(folder.join("table.csv"), content).unwrap();
        std::fs::write(folder.join("samples/one.csv"), "1").unwrap();
        std::fs::write(folder.join(".hidden"), "not this").unwrap();
        folder
    }

    /// Adds a table as the next version of `table`.
    fn add(&self, content: &str) -> u32 {
        let draft = Draft::model(&self.table(content), None, notes()).unwrap();
        self.registry().add(draft, false).unwrap().version.version
    }

    /// The file of a registry in a folder.
    fn file(&self, key: &str) -> PathBuf {
        self.path("registry").join(key)
    }

    /// Changes a description as somebody could who can write there.
    fn forge(&self, key: &str, change: impl FnOnce(&mut Value)) {
        let mut value: Value =
            serde_json::from_slice(&std::fs::read(self.file(key)).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(self.file(key), value.to_string()).unwrap();
    }

    /// `sandbar VERB...` for this registry.
    fn sandbar(&self, words: &[&str]) -> Command {
        let mut command = sandbar();
        command.args(words).env("SANDBAR_REGISTRY", self.location()).env("SANDBAR_BY", "ada");
        for (name, value) in self.options() {
            command.arg("--registry-option").arg(format!("{name}={value}"));
        }
        command
    }

    fn says(&self, words: &[&str]) -> String {
        let output = self.sandbar(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    fn complains(&self, words: &[&str]) -> String {
        let output = self.sandbar(words).output().unwrap();
        assert!(!output.status.success(), "{words:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }
}

fn notes() -> Notes {
    Notes { by: "ada".to_owned(), ..Notes::default() }
}

fn intent() -> Intent {
    Intent { by: "ada".to_owned(), ..Intent::default() }
}

fn rules(dry_run: bool) -> Rules {
    Rules { older_than: Duration::ZERO, targets: 2, by: "ada".to_owned(), dry_run }
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// All files below a folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        found.extend(if path.is_dir() { files(&path) } else { BTreeSet::from([path]) });
    }
    found
}

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
    assert!(error.to_string().contains("there is no alias 'production'; set it by"), "{error}");
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
    assert!(error.to_string().contains("nothing to go back to"), "{error}");
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
    assert_eq!(registry.names(Sort::Operator).unwrap(), [""; 0]);
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
        assert!(error.to_string().contains("look, and decide again"), "{error}");
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

/// What is wrong in a registry is told, and nothing of it reaches the cache.
#[test]
fn what_a_registry_says_is_not_believed() {
    let fixture = Fixture::folder();
    fixture.add("a table");
    let key = "models/table/versions/1.json";
    let whole = std::fs::read(fixture.file(key)).unwrap();
    let complaint = || {
        let registry = fixture.registry();
        let version = registry.resolve(MODEL, &reference("table@1"));
        let error = version.and_then(|version| registry.fetch(&version, &fixture.cache()));
        let error = error.unwrap_err();
        assert_eq!(files(&fixture.cache()), BTreeSet::new(), "{error}");
        std::fs::write(fixture.file(key), &whole).unwrap();
        (error.cause, error.to_string())
    };
    let forged = |change: &dyn Fn(&mut Value), expected: &str| {
        fixture.forge(key, change);
        let (cause, said) = complaint();
        assert_eq!(cause, Cause::Corrupt, "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(said.starts_with(&format!("registry {}: ", fixture.location())), "{said}");
    };
    for path in ["../../escaped", "/etc/escaped", "a/../../escaped", "a\\b", "", "."] {
        forged(&|it| it["files"][0]["path"] = path.into(), "leads out of its version");
    }
    forged(&|it| it["files"][1]["path"] = "model.toml".into(), "is there twice");
    forged(&|it| it["files"][0]["size"] = (1u64 << 40).into(), "at most");
    forged(&|it| it["files"] = Value::Array(Vec::new()), "0 files");
    forged(&|it| it["name"] = "other".into(), "the description found there is of other@1");
    forged(&|it| it["version"] = 7.into(), "the description found there is of table@7");
    forged(&|it| it["surprise"] = 7.into(), "unknown field `surprise`");
    forged(&|it| it["format"] = 2.into(), "use a newer one");
    forged(&|it| it["model"] = Value::Null, "not of models alone");
    std::fs::write(fixture.file(key), "{\"format\": 1, ").unwrap();
    assert!(complaint().1.contains("is not in order"));
    std::fs::write(fixture.file(key), vec![b' '; 5 << 20]).unwrap();
    assert!(complaint().1.contains("is larger than"));

    // The files: of another content, longer, cut, gone.
    let digest = fixture.registry().version(MODEL, "table", 1).unwrap().files[2].sha256.to_string();
    let blob = fixture.file(&format!("blobs/sha256/{}/{}", &digest[..2], &digest[2..]));
    for (content, expected) in [
        ("A TABLE", "table.csv is not the file that was added: its sha256 is"),
        ("a table and more", "is larger than the 7 bytes"),
        ("a", "it has 1 bytes instead of 7"),
    ] {
        std::fs::write(&blob, content).unwrap();
        let (cause, said) = complaint();
        assert!(cause == Cause::Corrupt && said.contains(expected), "{said}");
    }
    std::fs::remove_file(&blob).unwrap();
    let (cause, said) = complaint();
    assert_eq!(cause, Cause::Missing);
    assert!(said.contains("its file table.csv is missing; add the version again"), "{said}");
    // To add it again mends it.
    assert_eq!(fixture.add("a table"), 1);
    let registry = fixture.registry();
    let version = registry.version(MODEL, "table", 1).unwrap();
    let folder = registry.fetch(&version, &fixture.cache()).unwrap();
    // What was damaged in the cache is fetched again.
    std::fs::write(folder.join("table.csv"), "A TABLE").unwrap();
    registry.fetch(&version, &fixture.cache()).unwrap();
    assert_eq!(std::fs::read(folder.join("table.csv")).unwrap(), b"a table");

    let log = "models/table/aliases/production/00000001.json";
    registry.promote(MODEL, "table", 1, "production", &intent()).unwrap();
    fixture.forge(log, |it| it["back"] = 1.into());
    let error = registry.resolve(MODEL, &reference("table")).unwrap_err();
    assert!(error.to_string().contains("change 1 goes back to a later one"), "{error}");
}

#[test]
fn what_does_not_exist_is_told_with_what_does() {
    let fixture = Fixture::folder();
    let open = |location: &str| Registry::open(location, &BTreeMap::new(), Path::new(""));
    let complaint = |location: &str| match open(location) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    assert!(complaint(&fixture.location()).contains("the first `add` makes the folder"));
    assert!(complaint("ftp://host/a").contains("there are no registries at 'ftp'"));
    assert!(
        complaint("s3://").contains("this names no bucket") || complaint("s3://").contains("URL")
    );
    assert!(complaint("s3://bucket/?key=hush").contains("a prefix and nothing else"));
    fixture.add("a");
    let registry = fixture.registry();
    let complaint = |text: &str| registry.resolve(MODEL, &reference(text)).unwrap_err().to_string();
    assert!(complaint("table@2").contains("the newest is table@1"), "{}", complaint("table@2"));
    assert!(complaint("tabel@1").contains("did you mean 'table'?"), "{}", complaint("tabel@1"));
    let error = registry.promote(MODEL, "table", 5, "production", &intent()).unwrap_err();
    assert_eq!(error.cause, Cause::Missing);
    let error = registry.promote(MODEL, "table", 1, "3rd", &intent()).unwrap_err();
    assert!(error.to_string().contains("begins with a letter"), "{error}");
}

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
    let used = BTreeSet::from([Used { sort: MODEL, name: "table".into(), version: 6 }]);
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
    assert_eq!(registry.gc(Sort::Operator, &rules(false)).unwrap().files, 0);

    let collected = registry.gc(MODEL, &rules(false)).unwrap();
    assert_eq!(collected.removed, expected);
    // model.toml and table.csv of both; they share the sample with all others.
    assert_eq!((collected.files, dry.files), (4, 4));
    assert_eq!(collected.bytes, dry.bytes);
    let kept = |id: &str| collected.kept[id].as_str();
    assert_eq!(kept("table@3"), "table@production pointed to it lately");
    assert_eq!(kept("table@4"), "table@production points to it");
    assert_eq!(kept("table@5"), "table@canary points to it");
    assert!(kept("table@6").starts_with("the pipeline flights uses it"), "{}", kept("table@6"));
    assert_eq!(kept("table@7"), "the newest");
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

/// While the registry is away, what it said last counts, if the files are here.
fn away(fixture: Fixture) {
    fixture.add("a");
    fixture.add("bb");
    let registry = fixture.registry();
    registry.promote(MODEL, "table", 2, "production", &intent()).unwrap();
    let (location, options) = (fixture.location(), fixture.options());
    let supply = |cache: &str| {
        let cache = Some(fixture.path(cache));
        Supply::new(&location, options.clone(), Path::new(""), cache, None)
    };
    let model = supply("cache").model(&reference("table")).unwrap();
    assert_eq!(model.id(), "table@2");
    drop(registry);
    if fixture.store.is_none() {
        std::fs::rename(fixture.path("registry"), fixture.path("moved")).unwrap();
    }
    let Fixture { folder, store } = fixture;
    drop(store);
    let supply = |cache: &str| {
        let cache = Some(folder.path().join(cache));
        Supply::new(&location, options.clone(), Path::new(""), cache, None)
    };
    for known in ["table", "table@2"] {
        let model = supply("cache").model(&reference(known)).unwrap();
        assert_eq!((model.id().as_str(), model.read().unwrap().as_ref()), ("table@2", &b"bb"[..]));
    }
    for (cache, unknown) in [("cache", "table@1"), ("cache", "table@canary"), ("other", "table")] {
        let error = supply(cache).model(&reference(unknown)).unwrap_err();
        assert_eq!(error.cause, Cause::Unreachable, "{error}");
    }
}

#[test]
fn a_folder_that_is_away() {
    away(Fixture::folder());
}

#[test]
fn an_object_store_that_is_away() {
    away(Fixture::s3());
}

#[test]
fn a_link_out_of_the_folder_is_not_added() {
    let fixture = Fixture::folder();
    let folder = fixture.table("a");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("passwords")).unwrap();
    let error = Draft::model(&folder, None, notes()).unwrap_err();
    assert!(error.to_string().contains("this leads out of the model's folder"), "{error}");
}

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
    assert!(said.contains("flights@2: stays: the newest"), "{said}");

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

/// The manifest of the flights pipeline, with all of it from the registry.
fn pipeline(fixture: &Fixture, model: &str) -> PathBuf {
    let options: String =
        fixture.options().iter().map(|(name, value)| format!("{name} = \"{value}\"\n")).collect();
    let location = match &fixture.store {
        Some(_) => fixture.location(),
        // Seen from the manifest's folder.
        None => "../registry".to_owned(),
    };
    let scorer = component("h2o-score");
    let manifest = format!(
        "name = \"flights\"\nsource = {{ topics = [\"flights\"] }}\n\
         sink = {{ topic = \"predictions\" }}\n\
         models = {{ flights = {{ registry = \"{model}\" }} }}\n\
         [[stages]]\nname = \"features\"\ncomponent = {{ registry = \"flight-features\" }}\n\
         [[stages]]\nname = \"score\"\ncomponent = {scorer:?}\nmodels = [\"flights\"]\n\
         [registry]\nlocation = \"{location}\"\n[registry.options]\n{options}"
    );
    let folder = fixture.path("pipelines");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("flights.toml");
    std::fs::write(&path, manifest).unwrap();
    path
}

/// Takes the later of the classic flights through a pipeline.
fn run(pipeline: &Path, cache: &Path) -> Output {
    let mut child = sandbar()
        .arg("run")
        .arg(pipeline)
        .arg("--stdin")
        .env("SANDBAR_CACHE", cache)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended by then: with a complaint.
    let _ = child.stdin.take().unwrap().write_all(CLASSIC[1].as_bytes());
    child.wait_with_output().unwrap()
}

/// A pipeline whose model and extractor come from the registry follows its alias, and
/// starts without the registry once it has been there.
fn a_pipeline_follows_an_alias(fixture: Fixture) {
    let models = project().join("models");
    let registry = fixture.registry();
    for folder in ["flights-gbm", "flights-dl"] {
        let draft = Draft::model(&models.join(folder), Some("flights"), notes()).unwrap();
        registry.add(draft, false).unwrap();
    }
    let extractor = component("flight-features");
    fixture.says(&["operators", "add", extractor.to_str().unwrap()]);
    fixture.says(&["operators", "promote", "flight-features", "1"]);
    let promote = |version| {
        registry.promote(MODEL, "flights", version, "production", &intent()).unwrap();
    };
    let (manifest, cache) = (pipeline(&fixture, "flights"), fixture.cache());
    let said = |output: Output| {
        assert!(output.status.success(), "{}", text(&output.stderr));
        let line: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
        (line["label"].as_str().unwrap().to_owned(), line["model"].as_str().unwrap().to_owned())
    };
    let complaint = text(&run(&manifest, &cache).stderr);
    assert!(complaint.contains("model flights: there is no alias 'production'"), "{complaint}");
    promote(1);
    // The two models disagree about this one.
    assert_eq!(said(run(&manifest, &cache)), ("NO".into(), "flights@1".into()));
    promote(2);
    assert_eq!(said(run(&manifest, &cache)), ("YES".into(), "flights@2".into()));
    let check =
        sandbar().arg("check").arg(&manifest).env("SANDBAR_CACHE", &cache).output().unwrap();
    assert!(text(&check.stdout).contains("flights@2"), "{}", text(&check.stderr));

    // The registry goes away; another machine cannot start then, and says why.
    let Fixture { folder, store } = fixture;
    match store {
        Some(store) => drop(store),
        None => {
            let from = folder.path().join("registry");
            std::fs::rename(from, folder.path().join("moved")).unwrap();
        }
    }
    let output = run(&manifest, &cache);
    let warned = text(&output.stderr);
    assert!(warned.contains("the registry does not answer; its last word counts"), "{warned}");
    assert_eq!(said(output), ("YES".into(), "flights@2".into()));
    let output = run(&manifest, &folder.path().join("other-cache"));
    let complaint = text(&output.stderr);
    assert!(
        !output.status.success() && complaint.contains("model 'flights': registry "),
        "{complaint}"
    );
    assert!(!complaint.contains("hush"), "{complaint}");
}

#[test]
fn a_pipeline_with_a_registry_in_a_folder() {
    a_pipeline_follows_an_alias(Fixture::folder());
}

#[test]
fn a_pipeline_with_a_registry_in_an_object_store() {
    a_pipeline_follows_an_alias(Fixture::s3());
}

/// While a pipeline runs, garbage collection keeps what it uses; outputs say which version
/// that is.
#[test]
fn a_running_pipeline_holds_its_versions() {
    let fixture = Fixture::folder();
    let models = project().join("models");
    let registry = fixture.registry();
    for folder in ["flights-gbm", "flights-dl", "flights-gbm"] {
        let draft = Draft::model(&models.join(folder), Some("flights"), notes()).unwrap();
        registry.add(draft, true).unwrap();
    }
    fixture.says(&["operators", "add", component("flight-features").to_str().unwrap()]);
    fixture.says(&["operators", "promote", "flight-features", "1"]);
    let broker = Broker::practice();
    for topic in ["flights", "predictions", "flights.dead-letter"] {
        broker.make_topic(topic, 1, &[]);
    }
    broker.send("flights", &[Sent::value(CLASSIC[1])]);
    let manifest = pipeline(&fixture, "flights@1");
    let mut command = sandbar();
    command.arg("run").arg(&manifest).args(["--brokers", &broker.address(), "--admin", "off"]);
    let process = Process::start(command.env("SANDBAR_CACHE", fixture.cache()));
    let received = &broker.receive("predictions", 1)[0];
    assert_eq!(received.header("sandbar-model"), "flights@1");

    while registry.uses().unwrap().is_empty() {
        std::thread::yield_now();
    }
    let collected = registry.gc(MODEL, &rules(false)).unwrap();
    assert_eq!(collected.removed, ["flights@2"]);
    let kept = &collected.kept["flights@1"];
    assert!(kept.starts_with("the pipeline flights uses it, on "), "{kept}");
    process.stop();
    assert_eq!(registry.uses().unwrap(), []);
    assert_eq!(registry.gc(MODEL, &rules(false)).unwrap().removed, ["flights@1"]);
}

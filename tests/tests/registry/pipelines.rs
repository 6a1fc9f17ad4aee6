//! Pipelines whose models come from a registry, also while that is away.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use flight_records::CLASSIC;
use sandbar::pipeline::Plan;
use sandbar::registry::draft::Draft;
use sandbar::registry::resolver::ArtifactResolver;
use sandbar::registry::{ArtifactKind, Cause};
use sandbar_tests::preparing::Preparing;
use sandbar_tests::process::Process;
use sandbar_tests::{Broker, Sent, component, project, sandbar};
use serde_json::Value;

use super::fixture::{Fixture, MODEL, intent, notes, reference, rules, text};

/// While the registry is away, what it said last counts, if the files are here.
fn away(fixture: Fixture) {
    fixture.add("a");
    fixture.add("bb");
    let registry = fixture.registry();
    registry.promote(MODEL, "table", 2, "production", &intent()).unwrap();
    let (location, options) = (fixture.location(), fixture.options());
    let supply = |cache: &str| {
        let cache = Some(fixture.path(cache));
        ArtifactResolver::new(&location, options.clone(), Path::new(""), cache, None)
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
        ArtifactResolver::new(&location, options.clone(), Path::new(""), cache, None)
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

/// What a registry has answered is believed only as this user's processes have written it down.
#[test]
fn what_is_remembered_of_a_registry_that_is_away_cannot_be_planted() {
    let fixture = Fixture::folder();
    fixture.add("a");
    fixture.add("bb");
    let registry = fixture.registry();
    let (location, options) = (fixture.location(), fixture.options());
    let model = |cache: &Path| {
        let cache = Some(cache.to_owned());
        let supply = ArtifactResolver::new(&location, options.clone(), Path::new(""), cache, None);
        supply.model(&reference("table")).map(|model| model.id())
    };
    let notes = |cache: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(cache).unwrap().map(|it| it.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|it| it == "note")).collect()
    };
    // Two users, who have seen other versions.
    let caches = [fixture.path("one"), fixture.path("two")];
    for (number, cache) in (1..).zip(&caches) {
        registry.promote(MODEL, "table", number, "production", &intent()).unwrap();
        assert_eq!(model(cache).unwrap(), format!("table@{number}"));
        assert_eq!(notes(cache).len(), 2);
    }
    // The second has the files of both.
    registry.fetch(&registry.version(MODEL, "table", 1).unwrap(), &caches[1]).unwrap();
    std::fs::rename(fixture.path("registry"), fixture.path("moved")).unwrap();
    assert_eq!(model(&caches[1]).unwrap(), "table@2");
    for note in notes(&caches[0]) {
        std::fs::copy(&note, caches[1].join(note.file_name().unwrap())).unwrap();
    }
    assert_eq!(model(&caches[1]).unwrap_err().cause, Cause::Unreachable);
}

/// Files of a registry are compared with its digests when they are loaded, and not only before.
#[test]
fn cached_files_that_change_meanwhile_are_refused() {
    let fixture = Fixture::folder();
    let draft = Draft::model(&project().join("models/flights-gbm"), Some("flights"), notes());
    fixture.registry().add(draft.unwrap(), false).unwrap();
    let extractor = component("flight-features");
    fixture.says(&["operators", "add", extractor.to_str().unwrap()]);
    for (kind, name) in [(MODEL, "flights"), (ArtifactKind::Operator, "flight-features")] {
        fixture.registry().promote(kind, name, 1, "production", &intent()).unwrap();
    }
    let preparing = Preparing::new();
    let definition = preparing.definition(&pipeline(&fixture, "flights"));
    let load = || Plan::new(&definition, &preparing.sandbox()).map_err(|error| error.to_string());
    for file in ["flight_features.wasm", "model.toml"] {
        preparing.before(&format!("printf '# changed\\n' >> \"$(find cache -name {file})\""));
        let error = load().err().unwrap();
        assert!(error.contains(file) && error.contains("it was changed meanwhile"), "{error}");
    }
    preparing.undisturbed();
    // What was changed is fetched again.
    load().unwrap();
}

#[test]
fn a_folder_that_is_away() {
    away(Fixture::folder());
}

#[test]
fn an_object_store_that_is_away() {
    away(Fixture::s3());
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
    let scorer = component("tabular-score");
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
    assert!(complaint.contains("model flights: no alias 'production'"), "{complaint}");
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
    assert!(warned.contains("registry unreachable, using the cached version"), "{warned}");
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
    let broker = Broker::mock();
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
    assert!(kept.starts_with("used by the pipeline flights on "), "{kept}");
    process.stop();
    assert_eq!(registry.uses().unwrap(), []);
    assert_eq!(registry.gc(MODEL, &rules(false)).unwrap().removed, ["flights@1"]);
}

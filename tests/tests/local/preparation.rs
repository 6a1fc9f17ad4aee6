//! What is untrusted is prepared in a process of its own: once, as long as it is the same, and
//! what is loaded then is what was looked at there.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use sandbar::pipeline::Plan;
use sandbar_tests::preparing::{Preparing, copy};
use sandbar_tests::{component, project};

/// The flights pipeline with files of its own.
struct Pipeline {
    preparing: Preparing,
}

impl Pipeline {
    fn new() -> Self {
        let preparing = Preparing::new();
        copy(&project().join("models/flights-gbm"), &preparing.path("model"));
        for name in ["flight-features", "tabular-score"] {
            std::fs::copy(component(name), preparing.path(name)).unwrap();
        }
        let manifest = "name = \"flights\"\nsource = { topics = [\"in\"] }\n\
             sink = { topic = \"out\" }\nmodels = { flights = \"model\" }\n\
             [[stages]]\nname = \"features\"\ncomponent = \"flight-features\"\n\
             [[stages]]\nname = \"score\"\ncomponent = \"tabular-score\"\nmodels = [\"flights\"]\n";
        std::fs::write(preparing.path("p.toml"), manifest).unwrap();
        Pipeline { preparing }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.preparing.path(name)
    }

    /// A start, in as far as a later process knows nothing of the one before.
    fn start(&self) -> Result<Plan, String> {
        let definition = self.preparing.definition(&self.path("p.toml"));
        Plan::new(&definition, &self.preparing.sandbox()).map_err(|error| error.to_string())
    }

    /// A start that succeeds, and whether something was prepared for it.
    #[track_caller]
    fn is_prepared(&self) -> bool {
        let before = self.preparing.count();
        let plan = self.start().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(plan.samples(), 20);
        self.preparing.count() > before
    }
}

/// Adds bytes to the end of a file.
fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

/// A section that says nothing, which may be at the end of any component.
const SECTION: &[u8] = &[0, 3, 1, b'x', 7];

#[test]
fn what_was_prepared_is_not_prepared_again() {
    let pipeline = Pipeline::new();
    assert!(pipeline.is_prepared());
    assert!(!pipeline.is_prepared());

    // `sandbar check` wants to see it done.
    let definition = pipeline.preparing.definition(&pipeline.path("p.toml"));
    let before = pipeline.preparing.count();
    assert_eq!(Plan::anew(&definition, &pipeline.preparing.sandbox()).unwrap().samples(), 20);
    assert_eq!(pipeline.preparing.count(), before + 1);

    // Each file that decides.
    append(&pipeline.path("model/model.toml"), b"# the same, in other words\n");
    assert!(pipeline.is_prepared());
    append(&pipeline.path("tabular-score"), SECTION);
    assert!(pipeline.is_prepared());
    append(&pipeline.path("p.toml"), b"[limits]\nmemory = \"80 MiB\"\n");
    assert!(pipeline.is_prepared());
    assert!(!pipeline.is_prepared());
    // One that does not.
    append(&pipeline.path("model/golden-generated.csv"), b"\n");
    assert!(!pipeline.is_prepared());

    // Samples are not read by the process that serves, and decide all the same.
    let samples = pipeline.path("model/samples.csv");
    let right = std::fs::read_to_string(&samples).unwrap();
    std::fs::write(&samples, right.replacen("YES", "NO", 1)).unwrap();
    let error = pipeline.start().err().unwrap();
    assert!(error.contains("samples of flights-gbm@1"), "{error}");
    std::fs::write(&samples, right).unwrap();
    assert!(!pipeline.is_prepared());
}

#[test]
fn a_failure_is_not_remembered() {
    let pipeline = Pipeline::new();
    let model = pipeline.path("model/model.zip");
    let right = std::fs::read(&model).unwrap();
    append(&model, b"x");
    for count in 1..3 {
        let error = pipeline.start().err().unwrap();
        assert!(error.contains("model.zip"), "{error}");
        assert_eq!(pipeline.preparing.count(), count);
    }
    std::fs::write(&model, right).unwrap();
    assert!(pipeline.is_prepared());
}

#[test]
fn what_is_lost_or_planted_in_the_cache_is_prepared_again() {
    let pipeline = Pipeline::new();
    assert!(pipeline.is_prepared());
    let of_kind = |kind: &str| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(pipeline.preparing.cache()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|it| it == kind)).collect()
    };

    // Without it, code of untrusted origin would be compiled by the process that serves.
    std::fs::remove_file(&of_kind("cwasm")[0]).unwrap();
    assert!(pipeline.is_prepared());
    assert!(!pipeline.is_prepared());

    let notes = of_kind("note");
    assert_eq!(notes.len(), 1, "{notes:?}");
    append(&notes[0], b"x");
    assert!(pipeline.is_prepared());

    // What another user remembers, who has another key.
    let other = Pipeline::new();
    assert!(other.is_prepared());
    let planted = std::fs::read_dir(other.preparing.cache()).unwrap();
    let planted = planted
        .map(|it| it.unwrap().path())
        .find(|it| it.extension().is_some_and(|it| it == "note"));
    std::fs::copy(planted.unwrap(), &notes[0]).unwrap();
    assert!(pipeline.is_prepared());
    assert!(!pipeline.is_prepared());
}

#[test]
fn what_changes_after_it_was_prepared_is_refused_by_name() {
    let pipeline = Pipeline::new();
    for name in ["tabular-score", "model/model.toml"] {
        let right = std::fs::read(pipeline.path(name)).unwrap();
        pipeline.preparing.after(&format!("printf '# changed\\n' >> {name}"));
        let error = pipeline.start().err().unwrap();
        let file = name.rsplit('/').next().unwrap();
        assert!(error.contains(file) && error.contains("it was changed meanwhile"), "{error}");
        pipeline.preparing.undisturbed();
        std::fs::write(pipeline.path(name), right).unwrap();
    }
    // It was not remembered, and is no longer disturbed.
    assert!(pipeline.is_prepared());

    // Another component in its place, whole and right by itself.
    let file = pipeline.path("flight-features");
    let other = component("echo-extractor");
    append(&file, SECTION);
    pipeline.preparing.after(&format!("cp {} flight-features", other.display()));
    let error = pipeline.start().err().unwrap();
    let named = format!("stage 'features': component {}: it was changed", file.display());
    assert!(error.contains(&named), "{error}");
}

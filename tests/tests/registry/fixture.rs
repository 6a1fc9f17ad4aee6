//! Where a registry is, and what lies about it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sandbar::registry::aliases::Intent;
use sandbar::registry::draft::{Draft, Notes};
use sandbar::registry::gc::Rules;
use sandbar::registry::{ArtifactKind, Reference, Registry};
use sandbar_tests::objects::{Store, Tongue};
use sandbar_tests::sandbar;
use serde_json::Value;

pub const MODEL: ArtifactKind = ArtifactKind::Model;

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Where a registry is, and what lies about it.
pub struct Fixture {
    pub folder: tempfile::TempDir,
    pub store: Option<Store>,
}

impl Fixture {
    pub fn folder() -> Self {
        Fixture { folder: tempfile::tempdir().unwrap(), store: None }
    }

    pub fn store(tongue: Tongue) -> Self {
        Fixture { store: Some(Store::start(tongue)), ..Fixture::folder() }
    }

    pub fn s3() -> Self {
        Fixture::store(Tongue::S3)
    }

    pub fn location(&self) -> String {
        match &self.store {
            Some(store) => store.location("team/registry"),
            None => self.path("registry").to_str().unwrap().to_owned(),
        }
    }

    pub fn options(&self) -> BTreeMap<String, String> {
        self.store.as_ref().map(Store::options).unwrap_or_default()
    }

    pub fn registry(&self) -> Registry {
        Registry::create(&self.location(), &self.options(), Path::new("")).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// A model folder with a table in it.
    pub fn table(&self, content: &str) -> PathBuf {
        let folder = self.path(&format!("table-{}", content.len()));
        std::fs::create_dir_all(folder.join("samples")).unwrap();
        let digest = sandbar::model::Sha256::of(content.as_bytes());
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
    pub fn add(&self, content: &str) -> u32 {
        let draft = Draft::model(&self.table(content), None, notes()).unwrap();
        self.registry().add(draft, false).unwrap().version.version
    }

    /// The file of a registry in a folder.
    pub fn file(&self, key: &str) -> PathBuf {
        self.path("registry").join(key)
    }

    /// Changes a description as somebody could who can write there.
    pub fn forge(&self, key: &str, change: impl FnOnce(&mut Value)) {
        let mut value: Value =
            serde_json::from_slice(&std::fs::read(self.file(key)).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(self.file(key), value.to_string()).unwrap();
    }

    /// `sandbar VERB...` for this registry.
    pub fn sandbar(&self, words: &[&str]) -> Command {
        let mut command = sandbar();
        command.args(words).env("SANDBAR_REGISTRY", self.location()).env("SANDBAR_BY", "ada");
        for (name, value) in self.options() {
            command.arg("--registry-option").arg(format!("{name}={value}"));
        }
        command
    }

    pub fn says(&self, words: &[&str]) -> String {
        let output = self.sandbar(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    pub fn complains(&self, words: &[&str]) -> String {
        let output = self.sandbar(words).output().unwrap();
        assert!(!output.status.success(), "{words:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }
}

pub fn notes() -> Notes {
    Notes { by: "ada".to_owned(), ..Notes::default() }
}

pub fn intent() -> Intent {
    Intent { by: "ada".to_owned(), ..Intent::default() }
}

pub fn rules(dry_run: bool) -> Rules {
    Rules { older_than: Duration::ZERO, targets: 2, by: "ada".to_owned(), dry_run }
}

pub fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// All files below a folder.
pub fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        found.extend(if path.is_dir() { files(&path) } else { BTreeSet::from([path]) });
    }
    found
}

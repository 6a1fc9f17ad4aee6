//! `sandbar models`: what there is, whether it is right, and getting it from a server
//! that does what servers do.

mod archive;
mod catalogue;
mod pull;
mod reference;
mod samples;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Output;

use sandbar::model::{Sha1, Sha256};
use sandbar_tests::http::{Answer, Request, Server};
use sandbar_tests::sandbar;

const LABELS: &str = "n1 crane\nn2 tench\n";

/// A model's file: what comes first is unlike what comes last.
fn weights() -> Vec<u8> {
    (0..100_000_u32).flat_map(|number| number.to_le_bytes()).collect()
}

/// A folder of model folders.
struct Models(tempfile::TempDir);

impl Models {
    fn new() -> Self {
        Models(tempfile::tempdir().unwrap())
    }

    /// A model `cat` whose file is got as `origin` says.
    fn cat(origin: &str) -> Self {
        let models = Models::new();
        models.describe("cat", origin, Some(weights().len()));
        models
    }

    fn describe(&self, name: &str, origin: &str, size: Option<usize>) {
        fs::create_dir_all(self.path(name)).unwrap();
        let digest = Sha256::of(&weights());
        let size = size.map_or(String::new(), |size| format!("size = {size}\n"));
        let text = format!(
            "name = \"{name}\"\nversion = 2\nkind = \"h2o-mojo\"\nfile = \"cat.bin\"\nsha256 = \"{digest}\"\n\
             {size}licence = \"MIT\"\ndescription = \"Is it a cat?\"\n{origin}\n"
        );
        fs::write(self.path(name).join("model.toml"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = sandbar();
        command.arg("models").args(arguments).arg("--models").arg(self.0.path());
        command.output().unwrap()
    }

    /// What a command says that succeeds.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        self.shortened(&output.stdout)
    }

    /// What a command complains of that fails.
    fn complains(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
        let said = self.shortened(&[output.stdout, output.stderr].concat());
        for line in said.lines() {
            let line = line.trim_start_matches("error: ");
            let half = line.len().saturating_sub(2) / 2;
            let twice = line.get(..half).is_some_and(|first| line == format!("{first}: {first}"));
            assert!(!twice || line.is_empty(), "said twice: {line}");
        }
        said
    }

    fn shortened(&self, said: &[u8]) -> String {
        String::from_utf8_lossy(said).replace(self.0.path().to_str().unwrap(), "MODELS")
    }

    /// The files of `cat`, without its description.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("cat")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "model.toml").collect();
        names.sort();
        names
    }

    fn assert_pulled(&self, arguments: &[&str]) {
        let said = self.says(&[&["pull", "cat"], arguments].concat());
        assert_eq!(said, "cat@2: downloaded to MODELS/cat/cat.bin\n");
        assert_eq!(fs::read(self.path("cat").join("cat.bin")).unwrap(), weights());
        assert!(self.files().iter().all(|name| !name.ends_with(".part")), "{:?}", self.files());
    }
}

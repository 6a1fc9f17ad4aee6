//! `sandbar test` as a person and as a build server sees it.

mod blessing;
mod comparing;
mod damage;
mod mistakes;
mod reporting;
mod running;

use std::path::{Path, PathBuf};
use std::process::Output;

use sandbar::cases::{Finder, Runner, Verdict};
use sandbar_tests::runner::sandbox;
use sandbar_tests::{component, project, sandbar};
use tempfile::TempDir;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with case files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, in which `{component:NAME}` is a component and `{project}` the
    /// project's folder.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let mut text = text.replace("{project}", project().to_str().unwrap());
        while let Some((before, rest)) = text.split_once("{component:") {
            let (name, after) = rest.split_once('}').unwrap();
            text = format!("{before}{}{after}", component(name).display());
        }
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `sandbar test` in the folder.
    fn test(&self, arguments: &[&str]) -> Run {
        let output =
            sandbar().current_dir(self.0.path()).arg("test").args(arguments).output().unwrap();
        Run::of(&output)
    }
}

/// What a run said, without times and memory.
struct Run {
    status: Option<i32>,
    said: String,
    errors: String,
}

impl Run {
    fn of(output: &Output) -> Self {
        // What cases cost has its own line, and the total time stands behind the totals.
        let costs = |line: &&str| !line.contains(" B a record");
        let said = text(&output.stdout);
        let lines: Vec<&str> = said.lines().filter(costs).collect();
        let said = lines.join("\n");
        let said = match said.rsplit_once(" (") {
            Some((before, time)) if time.ends_with("s)") => before.to_owned(),
            _ => said,
        };
        Run { status: output.status.code(), said, errors: text(&output.stderr) }
    }

    #[track_caller]
    fn expect(&self, status: i32, said: &str) {
        assert_eq!(self.status, Some(status), "{}\n{}", self.said, self.errors);
        assert_eq!(self.said, said, "\n{}\n{}", self.said, self.errors);
    }
}

const ECHO: &str = "component = \"{component:echo-extractor}\"\n";

const ROUTE: &str = "component = \"{component:route-transformer}\"\n";

const MISCHIEF: &str = "component = \"{component:mischief-extractor}\"\n";

/// A pipeline of a transformer, an extractor and a scorer.
const PIPELINE: &str = r#"
name = "p"
source = { topics = ["a", "b"] }
sink = { topic = "out" }
[[stages]]
name = "route"
component = "{component:route-transformer}"
topics = ["side"]
[[stages]]
name = "extract"
component = "{component:echo-extractor}"
[[stages]]
name = "score"
component = "{component:constant-scorer}"
config = { value = 1.5 }
"#;

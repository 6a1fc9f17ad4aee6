//! Records that name their data: files, servers and an object store, and everything
//! that must not be reached through them.

mod files;
mod servers;
mod stores;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use sandbar_tests::http::{Answer, Server};
use sandbar_tests::runner::plan;
use sandbar_tests::{Broker, Received, Runner, Sent};

/// A broker, three topics, and a folder `images` beside others.
struct Fixture {
    broker: Broker,
    topics: [String; 3],
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let broker = Broker::mock();
        let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("images")).unwrap();
        Fixture { broker, topics, folder }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A pipeline that passes on what a transformer gets, or what two stages predict.
    fn manifest(&self, predicts: bool, rest: &str) -> String {
        let [source, sink, dead] = &self.topics;
        let stages = if predicts {
            "[[stages]]\nname = \"extract\"\ncomponent = \"{component:mischief-extractor}\"\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{component:mischief-scorer}\"\n"
        } else {
            "[[stages]]\nname = \"route\"\ncomponent = \"{component:route-transformer}\"\n"
        };
        format!(
            "name = \"references\"\n[source]\ntopics = [\"{source}\"]\n{stages}\
             [dead-letter]\ntopic = \"{dead}\"\n{rest}\n[sink]\ntopic = \"{sink}\"\n"
        )
    }

    fn send(&self, values: &[impl AsRef<[u8]>]) {
        let records: Vec<Sent> =
            values.iter().map(|value| Sent::value(value.as_ref().to_vec())).collect();
        self.broker.send(&self.topics[0], &records);
    }

    fn sink(&self, count: usize) -> Vec<Received> {
        self.broker.receive(&self.topics[1], count)
    }

    fn dead(&self, count: usize) -> Vec<Received> {
        self.broker.receive(&self.topics[2], count)
    }

    /// `[references]` of the folder `images`, and more.
    fn images(&self, rest: &str) -> String {
        format!("[references]\nallow = [\"{}\"]\n{rest}\n", self.path("images"))
    }

    /// Sends values that all become dead letters, and returns these by their values.
    fn refused(&self, references: &str, values: &[&str]) -> BTreeMap<String, Received> {
        self.send(values);
        let runner = Runner::start(&self.broker, &self.manifest(false, references));
        let dead = self.dead(values.len());
        runner.stop().unwrap();
        assert_eq!(dead.len(), values.len());
        let order: Vec<String> = dead.iter().map(Received::text).collect();
        assert_eq!(order, values, "in the order of the records, with their own values");
        for letter in &dead {
            assert_eq!(letter.header("sandbar-stage"), "references");
        }
        dead.into_iter().map(|letter| (letter.text(), letter)).collect()
    }
}

fn code(letters: &BTreeMap<String, Received>, value: &str) -> String {
    letters[value].header("sandbar-code")
}

fn message(letters: &BTreeMap<String, Received>, value: &str) -> String {
    letters[value].header("sandbar-message")
}

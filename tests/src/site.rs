//! A pipeline under test, and runners of it that are processes of their own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::broker::{self, Broker};
use crate::checker::Times;
use crate::paths::{component, sandbar};

/// Partitions of each topic.
pub const PARTITIONS: u64 = 4;

/// A pipeline and its topics.
pub struct Site {
    folder: tempfile::TempDir,
    manifest: PathBuf,
    /// What records are promised.
    pub times: Times,
    /// Where records are fed to.
    pub source: String,
    /// Where they come out.
    pub sink: String,
    /// Where those that fail do.
    pub dead: String,
}

impl Site {
    /// Topics on a broker, and a pipeline that reads and writes them.
    pub fn new(broker: &Broker, times: Times) -> Self {
        Self::with(broker, times, &[], "")
    }

    /// The same with settings of the topics, and lines in front of the manifest's tables.
    pub fn with(broker: &Broker, times: Times, topics: &[(&str, &str)], kafka: &str) -> Self {
        let topic = |name| broker.topic_with(name, PARTITIONS as i32, topics);
        let [source, sink, dead] = ["source", "sink", "dead"].map(topic);
        // What a killed runner left open holds up readers for as long; but until a broker has
        // taken another's place none can be ended.
        let timeout = if let Broker::Replicated(_) = broker { 30_000 } else { 3000 };
        let (delivery, transactions) = match times {
            Times::AtLeastOnce => ("at-least-once", String::new()),
            Times::ExactlyOnce => {
                ("exactly-once", format!("\"transaction.timeout.ms\" = {timeout}"))
            }
        };
        let manifest = format!(
            "name = \"{source}\"\ndelivery = \"{delivery}\"\n{kafka}\n\
             [source]\ntopics = [\"{source}\"]\n\
             properties = {{ \"session.timeout.ms\" = 1500, \"heartbeat.interval.ms\" = 300 }}\n\
             [sink]\ntopic = \"{sink}\"\nproperties = {{ {transactions} }}\n\
             [dead-letter]\ntopic = \"{dead}\"\n\
             [[stages]]\nname = \"extract\"\ncomponent = \"{}\"\ngrants = [\"random\"]\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n\
             [runner]\nworkers = 2\nbatch-records = 50\n",
            component("mischief-extractor").display(),
            component("mischief-scorer").display(),
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, manifest).unwrap();
        Site { folder, manifest: path, times, source, sink, dead }
    }

    /// A folder that is the site's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a runner.
    pub fn runner(&self, brokers: &str, name: &str) -> Process {
        self.runner_with(brokers, name, |_| {})
    }

    /// The same, with changes to the command.
    pub fn runner_with(
        &self,
        brokers: &str,
        name: &str,
        change: impl FnOnce(&mut Command),
    ) -> Process {
        let log = self.folder.path().join(format!("{name}.log"));
        let file = std::fs::File::create(&log).unwrap();
        let mut command = sandbar();
        command.arg("run").arg(&self.manifest).args(["--brokers", brokers]);
        command.args(["--admin", "off"]).stdout(Stdio::null()).stderr(Stdio::from(file));
        change(&mut command);
        Process { child: command.spawn().unwrap(), log }
    }
}

/// A runner in a process of its own, which writes its log to a file.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Kills it, in the middle of whatever it does.
    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().unwrap();
    }

    /// Ends it as a platform does, and wants it to end well. Returns its log.
    pub fn stop(mut self) -> String {
        // Before that it does not know of signals.
        self.await_log(" running ");
        self.signal(Signal::SIGTERM);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
        self.log()
    }

    /// What it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Wants it to be there still.
    pub fn check(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "a runner has ended, {ended:?}: {}", self.log());
    }

    /// Waits until it has said something.
    pub fn await_log(&mut self, words: &str) {
        let end = Instant::now() + broker::PATIENCE;
        while !self.log().contains(words) {
            self.check();
            assert!(Instant::now() < end, "{words:?} is not in {}", self.log());
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// The memory that is its own, in KiB.
    pub fn resident(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let text = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(60)..].join("\n");
            eprintln!("{}:\n{tail}", self.log.display());
        }
    }
}

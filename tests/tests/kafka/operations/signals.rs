//! The command `sandbar run` as a platform ends it.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbar_tests::{Broker, Sent, component, on_each_broker, sandbar};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(manifest: &Path, broker: &Broker) -> Child {
    let mut command = sandbar();
    command.arg("run").arg(manifest).args(["--brokers", &broker.address()]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A pipeline of the mischief extractor: its `loop` keeps a worker busy for a second.
fn slow(broker: &Broker) -> (tempfile::TempDir, PathBuf, [String; 3]) {
    let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
    let [source, sink, dead] = &topics;
    let [extract, score] = ["mischief-extractor", "mischief-scorer"].map(component);
    let manifest = format!(
        "name = \"{source}\"\n[source]\ntopics = [\"{source}\"]\n\
         properties = {{ \"session.timeout.ms\" = 6000 }}\n[[stages]]\nname = \"extract\"\ncomponent = \"{}\"\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n\
         [sink]\ntopic = \"{sink}\"\n[dead-letter]\ntopic = \"{dead}\"\n[limits]\ndeadline = \"1s\"\n",
        extract.display(),
        score.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slow.toml");
    std::fs::write(&path, manifest).unwrap();
    (folder, path, topics)
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
}

on_each_broker! {
    /// SIGTERM in the middle of work: what is on its way arrives and is committed.
    fn sigterm_drains(broker: &Broker) {
        let (_folder, manifest, topics) = slow(broker);
        broker.send(&topics[0], &["one", "loop", "two"].map(Sent::value));
        let child = run(&manifest, broker);
        // The first record of the batch is through, the loop is not.
        broker.receive(&topics[1], 1);
        signal(&child, Signal::SIGTERM);
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("totals"), "{said}");
        let good = broker.receive(&topics[1], 2);
        let dead = broker.receive(&topics[2], 1);
        assert_eq!((good.len(), dead[0].header("sandbar-code").as_str()), (2, "deadline"));
        assert_eq!(broker.committed(&topics[0], &topics[0], 0), Some(3));
    }

    /// `kill -9` in the middle of work, and a new start: nothing is lost.
    fn a_killed_runner_loses_nothing(broker: &Broker) {
        let (_folder, manifest, topics) = slow(broker);
        let value = |number| if number == 100 { "loop" } else { "x" };
        let records: Vec<Sent> = (0..200).map(|number| Sent::keyed(number, value(number))).collect();
        broker.send(&topics[0], &records);
        let mut child = run(&manifest, broker);
        broker.receive(&topics[1], 1);
        signal(&child, Signal::SIGKILL);
        child.wait().unwrap();
        let child = run(&manifest, broker);
        broker.receive_keys(&topics[1], 199);
        broker.receive_keys(&topics[2], 1);
        signal(&child, Signal::SIGTERM);
        assert!(child.wait_with_output().unwrap().status.success());
        assert_eq!(broker.committed(&topics[0], &topics[0], 0), Some(200));
    }
}

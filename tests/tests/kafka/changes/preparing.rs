//! A change that takes long to prepare: others are told of it, it is cancelled, and the runner
//! serves and ends as if it were not there.

use std::path::PathBuf;
use std::process::{Child, Output, Stdio};

use sandbar_tests::process::Process;
use sandbar_tests::{Broker, Sent, component, sandbar};
use tempfile::TempDir;

/// A runner whose scorer takes any configuration; another in its place never ends with it.
struct Runner {
    process: Process,
    address: String,
    topics: [String; 2],
    broker: Broker,
    _folder: TempDir,
}

impl Runner {
    fn start() -> Self {
        let (broker, folder) = (Broker::mock(), tempfile::tempdir().unwrap());
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let manifest = format!(
            "name = \"{source}\"\nsink = {{ topic = \"{sink}\" }}\n\
             dead-letter = {{ topic = \"{dead}\" }}\n[source]\ntopics = [\"{source}\"]\n\
             [limits]\nconfigure-deadline = \"10m\"\n\
             [[stages]]\nname = \"extract\"\ncomponent = \"{}\"\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n\
             config = {{ lie = \"configure-loop\" }}\n",
            component("mischief-extractor").display(),
            component("plain-nn-scorer").display(),
        );
        let path = folder.path().join("p.toml");
        std::fs::write(&path, manifest).unwrap();
        let mut command = sandbar();
        command.arg("run").arg(&path).args(["--brokers", &broker.address()]);
        let mut process = Process::start(command.args(["--admin", "127.0.0.1:0"]));
        let address = process.admin_address();
        process.await_said("running");
        Runner { process, address, topics: [source, sink], broker, _folder: folder }
    }

    /// `sandbar VERB` to it.
    fn verb(&self, arguments: &[&str]) -> Child {
        let mut command = sandbar();
        command.args(arguments).args(["--admin", &self.address]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn told(&self, arguments: &[&str]) -> (bool, String) {
        told(self.verb(arguments).wait_with_output().unwrap())
    }

    /// The swap to the scorer that never ends.
    fn endless(&self, more: &[&str]) -> Child {
        let scorer: PathBuf = component("mischief-scorer");
        let place = format!("score={}", scorer.display());
        self.verb(&[&["swap", "--component", &place], more].concat())
    }
}

/// Whether a verb succeeded, and what it said.
fn told(output: Output) -> (bool, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn others_are_told_of_it_and_it_is_cancelled() {
    let runner = Runner::start();
    let swap = runner.endless(&[]);
    // Until it has begun there is nothing to roll back to; then there is a swap.
    let busy = loop {
        let (rolled, said) = runner.told(&["rollback"]);
        assert!(!rolled, "{said}");
        if !said.contains("no previous revision") {
            break said;
        }
    };
    assert!(busy.contains("a swap is being prepared since"), "{busy}");
    let (ok, status) = runner.told(&["status"]);
    assert!(ok && status.contains("revision 1"), "{status}");
    runner.broker.send(&runner.topics[0], &[Sent::value("one")]);

    let (ok, said) = runner.told(&["swap", "--cancel"]);
    assert!(ok && said.contains("the swap is cancelled"), "{said}");
    let (swapped, said) = told(swap.wait_with_output().unwrap());
    // Whatever it has come to: on a busy machine that may be the compiler.
    assert!(
        !swapped && said.contains("cancelled while ") && said.contains("was prepared"),
        "{said}"
    );
    let (ok, said) = runner.told(&["swap", "--cancel"]);
    assert!(!ok && said.contains("no change is being prepared"), "{said}");
    runner.process.stop();
}

#[test]
fn it_ends_at_its_timeout() {
    let runner = Runner::start();
    let swap = runner.endless(&["--timeout", "300ms"]);
    let (swapped, said) = told(swap.wait_with_output().unwrap());
    assert!(!swapped && said.contains("is not prepared within 300ms"), "{said}");
    runner.process.stop();
}

#[test]
fn the_runner_ends_meanwhile() {
    let runner = Runner::start();
    let swap = runner.endless(&[]);
    while runner.told(&["rollback"]).1.contains("no previous revision") {}
    let said = runner.process.stop();
    assert!(!said.contains("drain deadline exceeded"), "{said}");
    drop(swap.wait_with_output());
}

//! What a runner tells over HTTP, as a platform asks for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sandbar_tests::{Broker, Sent, component, on_each_broker, sandbar};

const PATIENCE: Duration = Duration::from_secs(60);

/// Status and body of what is told at a path.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Asks again and again until the body is as it should be.
fn await_body(address: &str, path: &str, due: impl Fn(&str) -> bool) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let (_, body) = get(address, path);
        if due(&body) {
            return body;
        }
        assert!(Instant::now() < end, "{path}: {body}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A pipeline of the mischief guests with topics of its own. Where two members join the mock
/// broker's group at the same moment, it may wait for one of them until its session has ended.
fn pipeline(broker: &Broker, folder: &Path) -> (PathBuf, String) {
    let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
    let manifest = format!(
        "name = \"{source}\"\nsink = {{ topic = \"{sink}\" }}\ndead-letter = {{ topic = \"{dead}\" }}\n\
         [source]\ntopics = [\"{source}\"]\nproperties = {{ \"statistics.interval.ms\" = 100, \
         \"session.timeout.ms\" = 6000 }}\n\
         [[stages]]\nname = \"extract\"\ncomponent = \"{}\"\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n\
         [runner]\ncommit-interval = \"50ms\"\n",
        component("mischief-extractor").display(),
        component("mischief-scorer").display(),
    );
    let path = folder.join("p.toml");
    std::fs::write(&path, manifest).unwrap();
    (path, source)
}

/// A command that is ended when the test is.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a runner, and reads from its log where it serves.
fn run(manifest: &Path, broker: &Broker) -> (Running, String) {
    let mut command = sandbar();
    command.arg("run").arg(manifest).args(["--brokers", &broker.address()]);
    command.args(["--admin", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let running = Running(child);
    let line = log.find_map(|line| {
        let line = line.unwrap();
        let (_, after) = line.split_once("serving metrics and health address=")?;
        Some(after.trim().to_owned())
    });
    // Whoever writes a log must be able to.
    std::thread::spawn(move || log.for_each(drop));
    (running, line.unwrap())
}

fn value<'a>(metrics: &'a str, name: &str) -> Option<&'a str> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
}

on_each_broker! {
fn what_a_runner_does_can_be_read(broker: &Broker) {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, source) = pipeline(broker, folder.path());
    let (_runner, address) = run(&manifest, broker);
    assert_eq!(await_body(&address, "/readyz", |body| body == "ready\n"), "ready\n");
    assert_eq!(get(&address, "/healthz"), (200, "healthy\n".into()));
    assert_eq!(get(&address, "/nothing").0, 404);

    let values = ["one", "two", "fail", "trap"];
    broker.send(&source, &values.map(Sent::value));
    let label = format!("{{pipeline=\"{source}\"}}");
    let metrics = await_body(&address, "/metrics", |metrics| {
        value(
            metrics,
            &format!(
                "sandbar_lag_records{{pipeline=\"{source}\",topic=\"{source}\",partition=\"0\"}}"
            ),
        ) == Some("0")
            && value(metrics, &format!("sandbar_in_flight_bytes{label}")) == Some("0")
            && value(metrics, &format!("sandbar_records_total{label}")) == Some("4")
    });
    for (name, due) in [
        ("sandbar_outputs_total", "2"),
        ("sandbar_isolated_batches_total", "1"),
        ("sandbar_assigned_partitions", "1"),
        ("sandbar_paused_partitions", "0"),
    ] {
        assert_eq!(value(&metrics, &format!("{name}{label}")), Some(due), "{name}: {metrics}");
    }
    for code in ["malformed", "trap"] {
        let labels = format!("pipeline=\"{source}\",stage=\"extract\",code=\"{code}\"");
        let name = format!("sandbar_failed_records_total{{{labels}}}");
        assert_eq!(value(&metrics, &name), Some("1"), "{metrics}");
    }
    for stage in ["extract", "score"] {
        let labels = format!("pipeline=\"{source}\",stage=\"{stage}\"");
        let calls = value(&metrics, &format!("sandbar_call_duration_seconds_count{{{labels}}}"));
        assert!(calls.is_some_and(|count| count != "0"), "{metrics}");
    }
    assert!(metrics.contains("# TYPE sandbar_records counter"), "{metrics}");
    assert!(
        metrics.contains("# HELP sandbar_in_flight_bytes Bytes that are consumed"),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}

fn a_runner_without_partitions_is_ready_too(broker: &Broker) {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, source) = pipeline(broker, folder.path());
    let runners = [run(&manifest, broker), run(&manifest, broker)];
    let assigned = format!("sandbar_assigned_partitions{{pipeline=\"{source}\"}}");
    let end = Instant::now() + PATIENCE;
    loop {
        let all_ready = runners.iter().all(|(_, address)| get(address, "/readyz").0 == 200);
        let partitions: Vec<String> = runners
            .iter()
            .map(|(_, address)| value(&get(address, "/metrics").1, &assigned).unwrap().to_owned())
            .collect();
        if all_ready && partitions.iter().filter(|number| *number == "1").count() == 1 {
            return;
        }
        assert!(Instant::now() < end, "{partitions:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let broker = Broker::mock();
    let folder = tempfile::tempdir().unwrap();
    let (manifest, _) = pipeline(&broker, folder.path());
    let ask = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let mut command = sandbar();
    command.arg("run").arg(&manifest).args(["--brokers", &broker.address()]);
    let said = ask(command.args(["--admin", &address]));
    assert!(said.contains(&format!("cannot listen on {address}: ")), "{said}");
    assert!(said.contains("choose another address with --admin or [admin] listen"), "{said}");
    let said = ask(sandbar().arg("run").arg(&manifest).args(["--admin", "everywhere"]));
    assert!(said.contains("'everywhere' is not an address; write IP:PORT"), "{said}");
}

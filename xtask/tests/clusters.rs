//! `cargo xtask kafka`, as one types it: a real Apache Kafka comes and goes.
//!
//! Runs where Java is known to be there: under `cargo xtask test`, which sets
//! `SANDBAR_TEST_KAFKA_LAUNCHER`.

#![allow(clippy::print_stderr, reason = "a test says what it skips and what it leaves")]

use std::error::Error;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

type Outcome = Result<(), Box<dyn Error>>;

#[test]
fn a_cluster_starts_once_and_leaves_nothing_behind() -> Outcome {
    if std::env::var_os("SANDBAR_TEST_KAFKA_LAUNCHER").is_none() {
        eprintln!("skipped: `cargo xtask test` runs this with Java 17 and Maven installed");
        return Ok(());
    }
    let name = format!("self-test-{}", std::process::id());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/kafka/run").join(&name);
    let cluster = Stopped(&name);

    let first = kafka("start", &name)?;
    assert!(first.status.success(), "{first:?}");
    let address: SocketAddr = String::from_utf8(first.stdout)?.trim().parse()?;
    assert!(address.ip().is_loopback());
    TcpStream::connect(address)?;
    assert!(folder.join("node-1/broker.log").is_file());

    // Again is the same one, and so says its status.
    for verb in ["start", "status"] {
        let output = kafka(verb, &name)?;
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8(output.stdout)?.trim(), address.to_string());
    }

    // Its port is taken for another one, which must not disturb it.
    let other = format!("{name}-other");
    let port = address.port().to_string();
    let output = xtask(&["start", "--name", &other, "--port", &port])?;
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr)?;
    assert!(message.contains(&port), "{message}");
    assert!(kafka("status", &name)?.status.success());

    drop(cluster);
    assert!(!folder.exists(), "{} is still there", folder.display());
    assert!(TcpStream::connect(address).is_err(), "it still listens");
    assert!(!kafka("status", &name)?.status.success());
    // To stop what does not run is no mistake.
    assert!(kafka("stop", &name)?.status.success());
    Ok(())
}

/// Stops the cluster however the test ends.
struct Stopped<'a>(&'a str);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let output = kafka("stop", self.0);
        if !matches!(&output, Ok(output) if output.status.success()) {
            eprintln!("the cluster {} does not stop: {output:?}", self.0);
        }
    }
}

fn kafka(verb: &str, name: &str) -> std::io::Result<Output> {
    xtask(&[verb, "--name", name])
}

fn xtask(arguments: &[&str]) -> std::io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("kafka").args(arguments).output()
}

//! `sandbar bench` on real components. What it says of times is not looked at: only that
//! it says something of every part, and of the right work.

use std::path::{Path, PathBuf};
use std::process::Output;

use flight_records::Flights;
use sandbar_tests::{component, project, sandbar};
use serde_json::Value;
use tempfile::TempDir;

mod exclusive;

/// A file of flights, and one line that is none.
fn flights(folder: &TempDir, count: usize) -> PathBuf {
    let path = folder.path().join("flights.csv");
    let lines: Vec<String> = Flights::new(3).take(count).collect();
    std::fs::write(&path, format!("{}\nnot a flight\n", lines.join("\n"))).unwrap();
    path
}

fn bench(target: &Path, records: &Path, arguments: &[&str]) -> Output {
    let mut command = sandbar();
    command.current_dir(project()).args(["--log", "warn", "bench"]).arg(target);
    command.arg("--records").arg(records).args(["--rounds", "2"]).args(arguments);
    command.output().unwrap()
}

/// The reports, as JSON.
fn reports(target: &Path, records: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = bench(target, records, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refusal(target: &Path, records: &Path, arguments: &[&str]) -> String {
    let output = bench(target, records, arguments);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// Cargo builds the guest's crate natively, and its private type is found.
#[test]
fn against_the_native_build() {
    let folder = TempDir::new().unwrap();
    let records = flights(&folder, 299);
    let native = ["--native", "tests/guests/echo-extractor"];
    let found = reports(&component("echo-extractor"), &records, &native);
    assert!(found[0]["native"]["median"].as_f64().unwrap() > 0.0, "{found:?}");
    assert!(found[0]["cost_of_sandbox"].as_f64().unwrap() > 0.0);
    let text = bench(&component("echo-extractor"), &records, &native).stdout;
    let text = String::from_utf8(text).unwrap();
    for line in ["in the sandbox", "  interface", "  guest", "  host calls", "limits off", "native"]
    {
        assert!(text.contains(&format!("\n  {line}")), "{line}: {text}");
    }
    // A folder says all of that itself.
    let router = project().join("operators/header-router");
    let config = "rules = [{ header = \"a\", values = [\"b\"], to = \"drop\" }]";
    let found = reports(&router, &records, &["--config", config, "--native"]);
    assert_eq!(found[0]["stage"], "header-router");
    assert_eq!(found[0]["outputs"], 300);
    assert!(found[0]["native"]["median"].as_f64().unwrap() > 0.0);
    // Of other code than the component: it makes other results.
    let refused = refusal(&component("flight-features"), &records, &native);
    assert!(refused.contains("the native build and the component differ"), "{refused}");
}

#[test]
fn what_cannot_be_measured_is_said() {
    let folder = TempDir::new().unwrap();
    let records = flights(&folder, 1);
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let echo = component("echo-extractor");
    for (records, arguments, reason) in [
        (&empty, &[][..], "empty: no records to measure with"),
        (&folder.path().join("absent"), &[], "absent: cannot be read"),
        (&records, &["--header", "a"], "--header a: write NAME=..."),
        (&records, &["--models", "=x"], "--models =x: write NAME=..."),
        (&records, &["--config", "a ="], "--config"),
        (&records, &["--native", "models"], "--native takes an operator's crate"),
        (&records, &["--native", "operators/h2o-mojo"], "the crate does not use the SDK"),
        (&records, &["--stage", "echo"], "--stage needs a pipeline"),
        (&records, &["--native"], "--native: name the folder of the operator's crate"),
        (&records, &["--extractor", "models"], "an operator's folder has an operator.toml in it"),
    ] {
        let refused = refusal(&echo, records, arguments);
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
    let trap = folder.path().join("trap");
    std::fs::write(&trap, "trap\n").unwrap();
    let refused = refusal(&component("mischief-extractor"), &trap, &[]);
    assert!(refused.contains("stage 'mischief-extractor'"), "{refused}");
}

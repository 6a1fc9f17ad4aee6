//! `sandbar bench` on real components. What it says of times is not looked at: only that
//! it says something of every part, and of the right work.

use std::path::{Path, PathBuf};
use std::process::Output;

use flight_records::Flights;
use sandbar_tests::{component, project, sandbar};
use serde_json::Value;
use tempfile::TempDir;

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

#[track_caller]
fn is_measured(report: &Value) {
    for figure in ["/sandbox/median", "/limits_off/median", "/parts/interface", "/parts/guest"] {
        assert!(report.pointer(figure).unwrap().as_f64().unwrap() > 0.0, "{figure}: {report}");
    }
    // Medians of shares: they come to the whole, or nearly.
    let parts = ["interface", "guest", "host_calls"].map(|part| &report["parts"][part]);
    let sum: f64 = parts.iter().map(|part| part.as_f64().unwrap()).sum();
    let whole = report["sandbox"]["median"].as_f64().unwrap();
    assert!((0.5..=1.5).contains(&(sum / whole)), "{report}");
}

#[test]
fn an_extractor_by_its_parts() {
    let folder = TempDir::new().unwrap();
    let found = reports(&component("flight-features"), &flights(&folder, 299), &[]);
    let [report] = found.as_slice() else { panic!("{found:?}") };
    is_measured(report);
    assert_eq!(
        (&report["stage"], &report["world"]),
        (&"flight-features".into(), &"extractor".into())
    );
    assert_eq!((report["records"].as_u64(), report["calls"].as_u64()), (Some(300), Some(2)));
    assert_eq!((report["outputs"].as_u64(), report["failures"].as_u64()), (Some(299), Some(1)));
    assert_eq!(report["rounds"], 2);
    assert!(report["native"].is_null());
}

#[test]
fn few_records_come_again_until_a_batch_is_full() {
    let folder = TempDir::new().unwrap();
    let found =
        reports(&component("echo-extractor"), &flights(&folder, 2), &["--batch-records", "100"]);
    assert_eq!((found[0]["records"].as_u64(), found[0]["calls"].as_u64()), (Some(100), Some(1)));
}

#[test]
fn a_scorer_needs_features() {
    let folder = TempDir::new().unwrap();
    let records = flights(&folder, 299);
    let scorer = component("h2o-score");
    let model = ["--models", "flights=models/flights-gbm"];
    let refused = refusal(&scorer, &records, &model);
    assert!(refused.contains("'h2o-score' is a scorer, which takes features"), "{refused}");

    let extractor = component("flight-features");
    let arguments = ["--extractor", extractor.to_str().unwrap(), "--config"];
    let config = ["unknown_category = \"missing\""];
    let found = reports(&scorer, &records, &[&model[..], &arguments, &config].concat());
    let [report] = found.as_slice() else { panic!("{found:?}") };
    is_measured(report);
    assert_eq!(report["world"], "scorer");
    assert_eq!(report["outputs"], 299, "the line that is no flight ends at the extractor");
}

#[test]
fn a_pipeline_stage_by_stage() {
    let folder = TempDir::new().unwrap();
    let records = flights(&folder, 299);
    let pipeline = project().join("pipelines/states.toml");
    let found = reports(&pipeline, &records, &[]);
    let stages: Vec<_> = found.iter().map(|report| report["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["state", "route"]);
    found.iter().for_each(is_measured);
    assert_eq!(found[1]["records"], found[0]["outputs"]);
    let found = reports(&pipeline, &records, &["--stage", "route"]);
    assert_eq!(found.len(), 1);
    let refused = refusal(&pipeline, &records, &["--stage", "rout"]);
    assert!(
        refused.contains("--stage rout: no such stage; the pipeline has state, route"),
        "{refused}"
    );
    let refused = refusal(&pipeline, &records, &["--config", "a = 1"]);
    assert!(refused.contains("a pipeline has them in its manifest"), "{refused}");
}

#[test]
fn inference_is_a_host_call() {
    let picture = project().join("models/digits/samples").join("0184-2.png");
    assert!(picture.exists());
    let pipeline = project().join("pipelines/images.toml");
    let found = reports(&pipeline, &picture, &["--whole"]);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["parts"]["host_calls_per_record"], 0.0);
    assert!(found[1]["parts"]["host_calls_per_record"].as_f64().unwrap() >= 1.0);
    assert!(found[1]["parts"]["host_calls"].as_f64() > found[1]["parts"]["guest"].as_f64());
    let native = ["--whole", "--stage", "score", "--native", "operators/nn-score"];
    let refused = refusal(&pipeline, &picture, &native);
    assert!(refused.contains("'images' is a graph that the host computes"), "{refused}");
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

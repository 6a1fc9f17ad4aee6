//! The parts of a time come to the whole: on a machine that is otherwise at rest.

use super::*;

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
    let scorer = component("tabular-score");
    let model = ["--models", "flights=models/flights-gbm"];
    let refused = refusal(&scorer, &records, &model);
    assert!(refused.contains("'tabular-score' is a scorer, which takes features"), "{refused}");

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

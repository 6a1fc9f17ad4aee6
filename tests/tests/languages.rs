//! Operators of the repository that are not in Rust.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use sandbar_tests::projects::{has, output};
use sandbar_tests::{component, project, sandbar};

/// The classic flight, in the two years of the classic example.
const FLIGHT: &str = "YEAR,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,\
                      NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES";

/// A scorer in Python: what scikit-learn answers, alone and behind an extractor in Rust.
#[test]
fn logit_score() {
    if !has("python") {
        return;
    }
    component("flight-features");
    let folder = project().join("operators/logit-score");
    output(sandbar().arg("build").arg(&folder));
    let tested = output(sandbar().arg("test").arg(&folder));
    assert!(tested.contains("1 passed"), "{tested}");

    let file = tempfile::NamedTempFile::new().unwrap();
    let flights = ["1987", "1999"].map(|year| FLIGHT.replace("YEAR", year)).join("\n");
    std::fs::write(file.path(), flights).unwrap();
    let pipeline = folder.join("pipeline.toml");
    let lines = output(sandbar().arg("run").arg(pipeline).arg("--file").arg(file.path()));
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    // As scikit-learn 1.9.1 answers with the pipeline of models/train-logit.py.
    let answers = [("YES", 0.6586859490463608), ("NO", 0.47134789861376686)];
    for (line, (label, probability)) in lines.iter().zip(answers) {
        assert_eq!((&line["label"], &line["model"]), (&label.into(), &"flights-logit@1".into()));
        let found = line["probabilities"]["YES"].as_f64().unwrap();
        assert!((found - probability).abs() < 1e-12, "{line}");
    }
}

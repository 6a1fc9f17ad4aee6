//! The flight models against H2O's own Java runtime, through both operators: lines of
//! CSV in, predictions out. `models/golden.py` made the answers, with
//! `setConvertUnknownCategoricalLevelsToNa(true)`.

use std::path::{Path, PathBuf};

use flight_features::FlightFeatures;
use sandbar_operator::testing::{Prediction, Records, Stage};
use sandbar_operator::{Error, Failure, Output};
use tabular_score::TabularScore;

/// As many records as the runner puts into a batch.
const BATCH: usize = 256;

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name)
}

type Answers = Vec<Result<Prediction, Failure>>;

/// The predictions of a flight model for lines of CSV, all of which can be extracted.
fn score(name: &str, lines: &[String]) -> Result<(Output, Answers), Error> {
    let mut extractor = Stage::new().extractor::<FlightFeatures>()?;
    let mut scorer = Stage::new()
        .config(r#"{ "unknown_category": "missing" }"#)
        .model("flights", std::fs::read(model(name).join("model.zip"))?)
        .scorer::<TabularScore>(extractor.features())?;
    let mut answers = Vec::new();
    for lines in lines.chunks(BATCH) {
        let extracted = extractor.extract(&Records::of_values(lines));
        assert_eq!(extracted.features.len(), lines.len(), "{:?}", extracted.rows());
        answers.extend(scorer.score(&extracted.features));
    }
    Ok((scorer.output().clone(), answers))
}

/// Labels equal, and the probability of YES within `tolerance`.
fn compare(name: &str, tolerance: f64) -> Result<(), Error> {
    let golden = std::fs::read_to_string(model(name).join("golden-generated.csv"))?;
    let golden: Vec<(&str, f64)> = golden
        .lines()
        .skip(1)
        .map(|line| {
            let (label, yes) = line.split_once(',').ok_or("a golden line has two columns")?;
            Ok((label, yes.parse()?))
        })
        .collect::<Result<_, Error>>()?;
    assert_eq!(golden.len(), 20_000);
    let lines: Vec<String> = flight_records::Flights::new(1).take(golden.len()).collect();

    let (output, answers) = score(name, &lines)?;
    assert_eq!(output, Output::Classes(vec!["NO".into(), "YES".into()]));
    assert_eq!(answers.len(), golden.len());
    for (row, (answer, (label, yes))) in answers.iter().zip(&golden).enumerate() {
        let answer = answer.as_ref().map_err(|failure| failure.to_string())?;
        let [no, found] = answer.numbers() else { panic!("two classes") };
        assert_eq!(answer.label(), Some(*label), "row {row}");
        assert!((found - yes).abs() <= tolerance, "row {row}: {found}, Java says {yes}");
        assert!((no + found - 1.0).abs() < 1e-9, "row {row}: {no} and {found}");
    }
    Ok(())
}

#[test]
fn gradient_boosting_is_as_in_java() -> Result<(), Error> {
    compare("flights-gbm", 1e-6)
}

#[test]
fn deep_learning_is_as_in_java() -> Result<(), Error> {
    compare("flights-dl", 1e-5)
}

#[test]
fn the_classic_flight_is_late_and_twelve_years_on_the_models_differ() -> Result<(), Error> {
    let flight = "1987,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,NA,NA,0,NA,0,\
                  NA,NA,NA,NA,NA,YES,YES";
    let lines = [flight.to_owned(), flight.replace("1987", "1999")];
    for (name, expected) in [("flights-gbm", ["YES", "NO"]), ("flights-dl", ["YES", "YES"])] {
        let (_, answers) = score(name, &lines)?;
        let labels: Vec<_> =
            answers.iter().map(|answer| answer.as_ref().ok().and_then(Prediction::label)).collect();
        assert_eq!(labels, expected.map(Some), "{name}");
    }
    Ok(())
}

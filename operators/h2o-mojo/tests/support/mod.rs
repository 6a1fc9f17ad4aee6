//! What the tests share: tables of text, rows made from them, golden results.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod page;
pub mod zip;

use std::fs;
use std::path::{Path, PathBuf};

use h2o_mojo::{Model, Predictions};

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The folder of this crate.
pub fn crate_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

/// The names of the models in `testdata`.
pub fn zoo() -> Result<Vec<String>> {
    let mut names = vec![];
    for entry in fs::read_dir(crate_folder().join("testdata"))? {
        let name = entry?.file_name().into_string().map_err(|_| "a name that is not UTF-8")?;
        names.extend(name.strip_suffix(".zip").map(String::from));
    }
    names.sort();
    assert!(names.len() > 40, "testdata is not complete: {names:?}");
    Ok(names)
}

/// The bytes of a model in `testdata`.
pub fn zoo_bytes(name: &str) -> Result<Vec<u8>> {
    Ok(fs::read(crate_folder().join(format!("testdata/{name}.zip")))?)
}

/// The bytes of a flight model.
pub fn flights_bytes(name: &str) -> Result<Vec<u8>> {
    Ok(fs::read(crate_folder().join(format!("../../models/{name}/model.zip")))?)
}

/// A table of text: a header, then lines; no quotes. Commas separate, or tabs where the header
/// has any.
pub struct Table {
    pub header: Vec<String>,
    pub lines: Vec<Vec<Vec<u8>>>,
}

impl Table {
    pub fn parse(bytes: &[u8]) -> Table {
        let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let separator = if header.contains(&b'\t') { b'\t' } else { b',' };
        let mut lines = bytes
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.is_empty())
            .map(|line| line.split(|byte| *byte == separator).map(<[u8]>::to_vec))
            .map(Iterator::collect::<Vec<_>>);
        let header = lines.next().unwrap_or_default();
        let header = header.iter().map(|name| String::from_utf8_lossy(name).into()).collect();
        Table { header, lines: lines.collect() }
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The rows of a model: columns by name, what is absent or unknown is missing.
    pub fn rows(&self, model: &Model) -> Vec<f64> {
        let columns: Vec<_> = model.features().iter().map(|f| self.column(f.name())).collect();
        let mut rows = Vec::with_capacity(self.lines.len() * columns.len());
        for line in &self.lines {
            for (feature, column) in model.features().iter().zip(&columns) {
                let text = column.map(|column| line[column].as_slice());
                rows.push(match text {
                    None | Some(b"NA") => f64::NAN,
                    Some(text) => feature.value(text).unwrap_or(f64::NAN),
                });
            }
        }
        rows
    }
}

/// Compares predictions with what H2O's scorer said: a table of labels and probabilities, or
/// of values. Answers the largest difference, relative to values above 1. Where H2O's scorer
/// threw, no value is a number.
pub fn compare(
    name: &str,
    model: &Model,
    predictions: &Predictions,
    golden: &Table,
) -> Result<f64> {
    assert_eq!(predictions.len(), golden.lines.len(), "{name}: rows");
    let classification = !model.classes().is_empty();
    let mut largest = 0.0_f64;
    for (index, line) in golden.lines.iter().enumerate() {
        let line: Vec<_> = line.iter().map(|item| String::from_utf8_lossy(item)).collect();
        if line[0] == "error" {
            let values = predictions.values().chunks_exact(predictions.width()).nth(index);
            let values = values.ok_or("a row without values")?;
            assert!(values.iter().all(|value| value.is_nan()), "{name}: row {index}: {values:?}");
            continue;
        }
        if classification {
            let label = &model.classes()[predictions.labels()[index] as usize];
            assert_eq!(label, &line[0], "{name}: label of row {index}");
        }
        let expected = &line[usize::from(classification)..];
        let values = predictions.values().chunks_exact(predictions.width()).nth(index);
        let values = values.ok_or("a row without values")?;
        let calibrated = predictions.calibrated().chunks_exact(predictions.width()).nth(index);
        let values: Vec<f64> = [values, calibrated.unwrap_or_default()].concat();
        assert_eq!(values.len(), expected.len(), "{name}: values of row {index}");
        for (value, expected) in values.iter().zip(expected) {
            let expected: f64 = expected.parse()?;
            let difference = match (value - expected).abs() / expected.abs().max(1.0) {
                _ if *value == expected || value.is_nan() && expected.is_nan() => 0.0,
                difference if difference.is_nan() => f64::INFINITY,
                difference => difference,
            };
            largest = largest.max(difference);
        }
    }
    Ok(largest)
}

/// Scores all rows at once.
pub fn score(model: &Model, rows: &[f64], offsets: Option<&[f64]>) -> Result<Predictions> {
    let mut predictions = Predictions::default();
    model.scorer().score(rows, offsets, &mut predictions)?;
    Ok(predictions)
}

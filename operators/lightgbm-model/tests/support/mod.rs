//! What the tests share: the models of `testdata`, their rows and what LightGBM says of them.

#![allow(dead_code, reason = "each test file uses its own part")]

#[path = "../../../h2o-mojo/tests/support/page.rs"]
pub mod page;

use std::fs;
use std::path::{Path, PathBuf};

use lightgbm_model::{Model, Predictions};

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The folder of models and golden results.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The names of the models in `testdata`.
pub fn zoo() -> Result<Vec<String>> {
    let mut names = vec![];
    for entry in fs::read_dir(folder())? {
        let name = entry?.file_name().into_string().map_err(|_| "a name that is not UTF-8")?;
        names.extend(name.strip_suffix(".txt.gz").map(String::from));
    }
    names.sort();
    assert!(names.len() > 100, "testdata is not complete: {names:?}");
    Ok(names)
}

/// The text of a model in `testdata`.
pub fn zoo_text(name: &str) -> Result<String> {
    Ok(String::from_utf8(unpack(&format!("{name}.txt.gz"))?)?)
}

/// A model in `testdata`, read.
pub fn zoo_model(name: &str) -> Result<Model> {
    Model::read(zoo_text(name)?.as_bytes()).map_err(|error| format!("{name}: {error}").into())
}

/// A file in gzip's format, whose header has no optional parts.
fn unpack(name: &str) -> Result<Vec<u8>> {
    const HEADER: usize = 10;
    const TRAILER: usize = 8;
    let bytes = fs::read(folder().join(name))?;
    let end = bytes.len().checked_sub(TRAILER).ok_or("too short for gzip")?;
    assert_eq!(
        bytes.get(..4),
        Some(&[0x1f, 0x8b, 8, 0][..]),
        "{name}: not as gzip.compress makes it"
    );
    let deflated = bytes.get(HEADER..end).ok_or("too short for gzip")?;
    miniz_oxide::inflate::decompress_to_vec(deflated).map_err(|error| format!("{error:?}").into())
}

/// Rows and what LightGBM says of them.
pub struct Golden {
    /// Row-major, a text for every column.
    pub cells: Vec<String>,
    /// Row-major.
    pub raw: Vec<f64>,
    pub values: Vec<f64>,
    /// Empty where there are no classes.
    pub labels: Vec<u32>,
    pub rows: usize,
}

impl Golden {
    pub fn read(name: &str) -> Result<Golden> {
        let text = String::from_utf8(unpack(&format!("{name}.golden.tsv.gz"))?)?;
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().ok_or("no header")?.split('\t').collect();
        let mut golden =
            Golden { cells: vec![], raw: vec![], values: vec![], labels: vec![], rows: 0 };
        for line in lines {
            for (kind, cell) in header.iter().zip(line.split('\t')) {
                match *kind {
                    "raw" => golden.raw.push(cell.parse()?),
                    "value" => golden.values.push(cell.parse()?),
                    "label" => golden.labels.push(cell.parse()?),
                    _ => golden.cells.push(cell.into()),
                }
            }
            golden.rows += 1;
        }
        Ok(golden)
    }

    /// The rows of a model: numbers as they are, categories of pandas by their texts.
    pub fn rows(&self, model: &Model) -> Result<Vec<f64>> {
        let features = model.features();
        let cells = self.cells.iter().enumerate();
        cells
            .map(|(index, cell)| match cell.strip_prefix("t:") {
                None => Ok(cell.parse()?),
                Some(json) => {
                    let text: serde_json::Value = serde_json::from_str(json)?;
                    let text = text.as_str().map_or_else(|| json.into(), String::from);
                    let feature = &features[index % features.len()];
                    assert!(feature.is_categorical() && feature.domain().is_some());
                    Ok(feature.value(text.as_bytes())?)
                }
            })
            .collect()
    }
}

/// The largest difference, relative to what is expected where that is above 1; and how many
/// values have other bits.
pub fn difference(found: &[f64], expected: &[f64]) -> (f64, usize) {
    assert_eq!(found.len(), expected.len());
    let (mut largest, mut others) = (0.0_f64, 0);
    for (found, expected) in found.iter().zip(expected) {
        if found == expected || found.is_nan() && expected.is_nan() {
            continue;
        }
        others += 1;
        let relative = (found - expected).abs() / expected.abs().max(1.0);
        largest = if relative.is_nan() { f64::INFINITY } else { largest.max(relative) };
    }
    (largest, others)
}

/// Scores all rows at once.
pub fn score(model: &Model, rows: &[f64]) -> Result<Predictions> {
    let mut predictions = Predictions::default();
    model.scorer().score(rows, &mut predictions)?;
    Ok(predictions)
}

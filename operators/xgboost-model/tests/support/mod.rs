//! What the tests share: models and golden results of `testdata`.

#![allow(dead_code, reason = "each test file uses its own part")]

#[path = "../../../h2o-mojo/tests/support/page.rs"]
pub mod page;

use std::fs;
use std::path::{Path, PathBuf};

use xgboost_model::Model;

/// A test fails with whatever an operation failed with.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The names of all models, with `json` or `ubj` at the end.
pub fn models() -> Result<Vec<String>> {
    let mut names = vec![];
    for entry in fs::read_dir(folder())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".z").filter(|name| !name.ends_with(".golden")) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The bytes of a file of `testdata`, without the compression.
pub fn bytes(name: &str) -> Result<Vec<u8>> {
    let path = folder().join(format!("{name}.z"));
    let packed = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(&packed);
    Ok(bytes.map_err(|error| format!("{name}: {error}"))?)
}

/// What XGBoost predicts of some rows.
pub struct Golden {
    /// The rows as texts.
    pub rows: Vec<Vec<String>>,
    pub margins: Vec<f32>,
    pub predictions: Vec<f32>,
    pub columns: usize,
    /// How many margins and predictions a row has.
    pub outputs: usize,
    pub width: usize,
    pub trees: usize,
}

impl Golden {
    pub fn read(name: &str) -> Result<Self> {
        let text = String::from_utf8(bytes(&format!("{name}.golden"))?)?;
        let mut lines = text.split('\n');
        let counts: Vec<usize> = lines
            .next()
            .unwrap_or_default()
            .split(' ')
            .map(str::parse)
            .collect::<std::result::Result<_, _>>()?;
        let [columns, outputs, width, trees] = counts[..] else { return Err("counts".into()) };
        let (mut rows, mut margins, mut predictions) = (vec![], vec![], vec![]);
        for line in lines {
            let mut parts = line.rsplitn(3, '|');
            for values in [&mut predictions, &mut margins] {
                for bits in parts.next().ok_or("a short line")?.split(' ') {
                    values.push(f32::from_bits(u32::from_str_radix(bits, 16)?));
                }
            }
            rows.push(parts.next().ok_or("a short line")?.split('\t').map(String::from).collect());
        }
        Ok(Self { rows, margins, predictions, columns, outputs, width, trees })
    }

    /// The rows as a model has them: what it does not know is missing.
    pub fn values(&self, model: &Model) -> Result<Vec<f64>> {
        let mut values = vec![];
        for row in &self.rows {
            assert_eq!(row.len(), model.features().len());
            for (text, feature) in row.iter().zip(model.features()) {
                values.push(
                    if text == "\\N" || text.is_empty() && feature.categories().is_none() {
                        f64::NAN
                    } else if feature.is_categorical() && feature.categories().is_none() {
                        text.parse()?
                    } else {
                        feature
                            .value(text.as_bytes())
                            .map_err(|error| format!("{text}: {error}"))?
                    },
                );
            }
        }
        Ok(values)
    }
}

/// How many numbers of single precision are between two.
pub fn ulps(a: f32, b: f32) -> u32 {
    let ordered = |x: f32| {
        let bits = x.to_bits() as i32;
        if bits < 0 { i32::MIN.wrapping_sub(bits) } else { bits }
    };
    if a.is_nan() && b.is_nan() { 0 } else { ordered(a).abs_diff(ordered(b)) }
}

//! Embeds the components that `cargo xtask operators` has built. Without them the command is
//! built too, and says so where a pipeline names one.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

/// The operators that come with the command, and what each is for.
const OPERATORS: [(&str, &str); 5] = [
    ("image-features", "turns pictures into tensors"),
    ("nn-score", "scores features with an ONNX or TensorFlow graph"),
    ("record-features", "turns records into the columns that a model wants"),
    ("record-filter", "keeps the records for which an expression holds"),
    ("tabular-score", "scores features with a model of H2O, XGBoost or LightGBM"),
];

fn main() -> io::Result<()> {
    let here = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let components = Path::new(&here).join("../../operators/target/wasm32-wasip2/release");
    let mut table = format!("static OPERATORS: [Operator; {}] = [", OPERATORS.len());
    for (name, purpose) in OPERATORS {
        let file = components.join(format!("{}.wasm", name.replace('-', "_")));
        println!("cargo::rerun-if-changed={}", file.display());
        let component = match file.canonicalize() {
            Ok(file) => format!("Some(include_bytes!({file:?}))"),
            Err(_) => "None".to_owned(),
        };
        let _ = write!(
            table,
            "Operator {{ name: {name:?}, purpose: {purpose:?}, component: {component} }},"
        );
    }
    table.push_str("];");
    let to = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&to).join("operators.rs"), table)
}

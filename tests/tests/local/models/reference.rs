//! The reference of model folders names every key of a `model.toml`, and no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sandbar::model::{Answers, Model, SampleFile};
use serde_json::Value;

/// Every key of a description, with a value.
const FULL: &str = r#"
name = "m"
version = 1
kind = "onnx"
file = "m.onnx"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d"
size = 3
licence = "MIT"
description = "d"
[archive]
url = "https://host/m.zip"
member = "m"
[[inputs]]
name = "x"
shape = ["N", 3]
[[outputs]]
name = "y"
shape = ["N"]
[labels]
file = "labels.txt"
[preprocessing]
width = 1
[postprocessing]
softmax = true
"#;

fn keys(table: &Value, section: &str, keys: &mut BTreeSet<String>) {
    keys.extend(table.as_object().unwrap().keys().map(|key| format!("{section} {key}")));
}

#[test]
fn the_reference_has_every_key_and_no_other() {
    let folder = tempfile(FULL);
    let model = serde_json::to_value(Model::describe(&folder).unwrap()).unwrap();
    fs::remove_dir_all(folder).unwrap();
    let mut accepted = BTreeSet::new();
    keys(&model, "model.toml", &mut accepted);
    keys(&model["archive"], "[archive]", &mut accepted);
    keys(&model["inputs"][0], "[[inputs]]", &mut accepted);
    keys(&model["labels"], "[labels]", &mut accepted);
    // Of which the description has none.
    let samples = SampleFile {
        file: String::new(),
        tolerance: None,
        answers: Answers::Original,
        url: None,
        sha256: None,
    };
    keys(&serde_json::to_value(samples).unwrap(), "[samples]", &mut accepted);

    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/models.md");
    let (mut documented, mut section) = (BTreeSet::new(), String::new());
    for line in fs::read_to_string(reference).unwrap().lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.split('`').nth(1).unwrap_or_default().to_owned();
        } else if let Some(row) = line.strip_prefix("| `")
            && !matches!(section.as_str(), "" | "[preprocessing]" | "[postprocessing]")
        {
            documented.insert(format!("{section} {}", row.split('`').next().unwrap()));
        }
    }
    assert_eq!(documented, accepted);
}

/// A folder with a description.
fn tempfile(text: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("sandbar-reference-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("model.toml"), text).unwrap();
    folder
}

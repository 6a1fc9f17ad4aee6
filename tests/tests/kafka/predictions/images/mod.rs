//! Pictures from topic to topic: `pipelines/images.toml` as it stands, with the digits
//! that come with Sandbar and with the networks of the large test data.

mod digits;
mod networks;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use sandbar::model::Sha256;
use sandbar::pipeline::swap::SwapSpec;
use sandbar_tests::gaps::Gaps;
use sandbar_tests::runner::plan;
use sandbar_tests::{
    Broker, End, Received, Runner, Sent, graphs, on_each_broker, project, test_data,
};

/// `pipelines/images.toml` with a broker's topics, another model, and more in the sink.
fn images(topics: &[String; 3], model: &Path, sink: &str) -> String {
    let text = std::fs::read_to_string(project().join("pipelines/images.toml")).unwrap();
    let model = model.display();
    let parts = [
        ("name = \"images\"\n".to_owned(), format!("name = \"{}\"\n", topics[0])),
        ("topics = [\"images\"]".to_owned(), format!("topics = [\"{}\"]", topics[0])),
        ("\"../operators/".to_owned(), "\"{project}/operators/".to_owned()),
        ("\"../operators/".to_owned(), "\"{project}/operators/".to_owned()),
        ("\"../models/digits\"".to_owned(), format!("\"{model}\"")),
        (
            "topic = \"image-predictions\"\ntop = 5".to_owned(),
            format!("topic = \"{}\"\n{sink}", topics[1]),
        ),
        ("topic = \"images.dead-letter\"".to_owned(), format!("topic = \"{}\"", topics[2])),
    ];
    parts.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "pipelines/images.toml has changed: {from}");
        text.replacen(from, to, 1)
    })
}

fn topics(broker: &Broker) -> [String; 3] {
    ["images", "labels", "dead"].map(|name| broker.topic(name, 1))
}

fn digits() -> PathBuf {
    project().join("models/digits")
}

fn json(record: &Received) -> serde_json::Value {
    serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()
}

/// A model folder with these files and this in its description.
fn folder(files: &[(&str, &[u8])], rest: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let (file, bytes) = files[0];
    let kind = if file.ends_with(".pb") { "tensorflow" } else { "onnx" };
    let text = format!(
        "name = \"test\"\nversion = 3\nkind = \"{kind}\"\nfile = \"{file}\"\nsha256 = \"{}\"\n\
         licence = \"none\"\ndescription = \"A test.\"\n{rest}",
        Sha256::of(bytes)
    );
    std::fs::write(folder.path().join("model.toml"), text).unwrap();
    folder
}

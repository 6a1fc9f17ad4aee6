//! `sandbar check`, and what `run` refuses, as a person meets them.

use std::path::{Path, PathBuf};
use std::process::Output;

use sandbar::model::samples::{Array, NumberType, npz};
use sandbar_tests::{graphs, project, sandbar};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check(path: &Path) -> Output {
    sandbar().arg("check").arg(path).output().unwrap()
}

/// A folder with a manifest of the flights pipeline in which `from` is `to`.
fn changed(from: &str, to: &str) -> (tempfile::TempDir, PathBuf) {
    let text = std::fs::read_to_string(project().join("pipelines/flights.toml")).unwrap();
    let absolute = format!("\"{}/", project().display());
    assert!(text.contains(from));
    let text = text.replacen(from, to, 1).replace("\"../", &absolute);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// What `sandbar check` says of a manifest that is wrong.
fn complaint(from: &str, to: &str) -> String {
    let (_folder, path) = changed(from, to);
    let output = check(&path);
    assert!(!output.status.success(), "{}", text(&output.stdout));
    let complaint = text(&output.stderr);
    // Behind what is logged, if anything is.
    let path = path.to_str().unwrap();
    assert!(complaint.lines().any(|line| line.starts_with(path)), "{complaint}");
    complaint
}

#[test]
fn check_says_what_a_pipeline_is() {
    let output = check(&project().join("pipelines/flights.toml"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.ends_with(
            "ok: flights → features (extractor) → score (scorer, flights-gbm@1) → flight-predictions\n"
        ),
        "{said}"
    );
}

#[test]
fn check_names_what_is_wrong() {
    let typo = complaint("topics = [\"flights\"]", "topcs = [\"flights\"]");
    assert!(typo.contains("unknown key 'topcs'; did you mean 'topics'?"), "{typo}");

    let component = complaint("flight_features.wasm", "flight_feature.wasm");
    assert!(component.contains("stage 'features': component "), "{component}");
    assert!(component.contains("No such file"), "{component}");

    let world = complaint("flight_features.wasm", "tabular_score.wasm");
    let expected =
        "stage 'features' (number 1, scorer): a scorer takes features, and no stage before it";
    assert!(world.contains(expected), "{world}");

    let config = complaint("unknown_category = \"missing\"", "unknown_categry = \"missing\"");
    assert!(config.contains("stage 'score': the operator refuses its configuration"), "{config}");
    assert!(config.contains("unknown_categry"), "{config}");

    let model = complaint("models/flights-gbm", "models/flights");
    assert!(model.contains("model 'flights': ") && model.contains("model.toml"), "{model}");
}

/// A model folder whose file is `bytes`, under the right digest.
fn model_of(bytes: &[u8], folder: &Path) {
    let digest = sandbar::model::Sha256::of(bytes);
    std::fs::write(folder.join("model.zip"), bytes).unwrap();
    let about = format!(
        "name = \"bad\"\nversion = 1\nkind = \"h2o-mojo\"\nfile = \"model.zip\"\nsha256 = \"{digest}\"\n\
         size = {}\nlicence = \"none\"\ndescription = \"a test\"\n",
        bytes.len()
    );
    std::fs::write(folder.join("model.toml"), about).unwrap();
}

#[test]
fn a_bad_model_is_refused_with_its_reason() {
    let mojo = std::fs::read(project().join("models/flights-gbm/model.zip")).unwrap();
    let cases = [
        (mojo[..mojo.len() / 2].to_vec(), "not an H2O MOJO"),
        (b"this is not a zip file".to_vec(), "not a model of a known maker"),
    ];
    for (bytes, due) in cases {
        let folder = tempfile::tempdir().unwrap();
        model_of(&bytes, folder.path());
        let path = format!("\"{}\"", folder.path().display());
        let said = complaint("\"../models/flights-gbm\"", &path);
        assert!(
            said.contains("stage 'score': the operator refuses its configuration: "),
            "{due}: {said}"
        );
        assert!(said.contains(due), "{said}");
    }
}

/// What `sandbar check` says of a graph, with more lines in its description, and samples.
fn of_graph(bytes: &[u8], more: &str, samples: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    model_of(bytes, folder.path());
    std::fs::write(folder.path().join("samples.npz"), samples).unwrap();
    let about = folder.path().join("model.toml");
    let text = std::fs::read_to_string(&about).unwrap();
    std::fs::write(&about, text.replace("h2o-mojo", "onnx") + more).unwrap();
    let path = folder.path().display().to_string();
    complaint("\"../models/flights-gbm\"", &format!("\"{path}\"")).replace(&path, "FOLDER")
}

#[test]
fn a_graph_that_is_not_known_to_be_right_is_refused() {
    let said = of_graph(&graphs::shifts(), "", b"");
    assert!(
        said.contains(
            "FOLDER/model.zip: bad@1: node 'y', operator BitShift of opset 13: X i32 with direction \
             \"LEFT\" is known to be computed otherwise than by ONNX Runtime; export the model without \
             it, or write 'unverified = true' in model.toml and show by [samples] that its outputs are \
             right\n"
        ),
        "{said}"
    );
    // It is for the samples to show that it is right all the same.
    let said = of_graph(&graphs::shifts(), "unverified = true\n", b"");
    assert!(
        said.contains(
            "unverified: what the engine is not known to compute right must be shown by samples: \
             declare [samples] too, an .npz with answers of the tool that made the model"
        ),
        "{said}"
    );
    let array = |name: &str, numbers: [i32; 6]| Array {
        name: name.into(),
        ty: NumberType::Signed(4),
        shape: vec![2, 3],
        data: numbers.into_iter().flat_map(i32::to_le_bytes).collect(),
    };
    let samples =
        npz::write(&[array("x", [1, 2, 3, 4, 5, 6]), array("y", [2, 8, 24, 64, 160, 384])]);
    let declared = "unverified = true\nsamples = { file = \"samples.npz\" }\n";
    let said = of_graph(&graphs::shifts(), declared, &samples.unwrap());
    // The gate lets it by: what is left is that the stage wants another kind of model.
    assert!(said.contains("stage 'score': the operator refuses its configuration"), "{said}");
}

#[test]
fn a_model_that_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    model_of(b"as it was", folder.path());
    std::fs::write(folder.path().join("model.zip"), b"otherwise").unwrap();
    let said = complaint("\"../models/flights-gbm\"", &format!("\"{}\"", folder.path().display()));
    assert!(said.contains("sha256"), "{said}");
}

#[test]
fn run_wants_brokers() {
    let output =
        sandbar().arg("run").arg(project().join("pipelines/flights.toml")).output().unwrap();
    assert!(!output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("no brokers configured; give --brokers HOST:PORT"), "{said}");
}

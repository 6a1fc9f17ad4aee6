//! Components that were built for the first version of the contract run on this runner, as
//! they did then: docs/reference/compatibility.md promises it.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use flight_records::CLASSIC;
use sandbar::pipeline::harness::Harness;
use sandbar::record::Code;
use sandbar::record::Input;
use sandbar::sandbox::{Inspection, World};
use sandbar_tests::project;
use sandbar_tests::runner::{plan, sandbox};
use serde_json::Value;
use tempfile::TempDir;

/// A component of `tests/golden/components`, unpacked.
fn unpack(folder: &TempDir, name: &str) -> PathBuf {
    let packed = project().join(format!("tests/golden/components/{name}.wasm.gz"));
    let mut wasm = Vec::new();
    GzDecoder::new(std::fs::File::open(packed).unwrap()).read_to_end(&mut wasm).unwrap();
    let path = folder.path().join(format!("{name}.wasm"));
    std::fs::write(&path, wasm).unwrap();
    path
}

fn stage(name: &str, component: &Path, more: &str) -> String {
    format!("[[stages]]\nname = \"{name}\"\ncomponent = \"{}\"\n{more}\n", component.display())
}

fn harness(stages: &str, models: &str) -> Harness {
    let manifest = format!(
        "name = \"old\"\nsource = {{ topics = [\"source\"] }}\nsink = {{ topic = \"sink\" }}\n\
         models = {{ {models} }}\n{stages}"
    );
    Harness::new(&plan(&manifest, "").unwrap()).unwrap()
}

#[test]
fn an_extractor_and_a_scorer_of_0_1_0_predict() {
    let folder = TempDir::new().unwrap();
    let features = stage("features", &unpack(&folder, "flight_features-0.1.0"), "");
    let score = unpack(&folder, "h2o_score-0.1.0");
    let score = stage("score", &score, "models = [\"flights\"]");
    let models = "flights = \"{project}/models/flights-gbm\"";
    let written = harness(&format!("{features}{score}"), models)
        .pipe([Input::value(CLASSIC[0]), Input::value("no flight"), Input::value(CLASSIC[1])])
        .unwrap();
    // The words of models/flights-gbm/model.toml, which H2O's own scorer said.
    let texts: Vec<_> = written.outputs.iter().map(|output| output.text()).collect();
    let yes =
        r#"{"label":"YES","probabilities":{"NO":0.40302007242832516,"YES":0.5969799275716748},"#;
    let no = r#"{"label":"NO","probabilities":{"NO":0.638909389277942,"YES":0.36109061072205795},"#;
    assert!(texts[0].starts_with(yes) && texts[1].starts_with(no), "{texts:?}");
    assert_eq!(written.dead_letters[0].code, Code::Malformed);
}

#[test]
fn a_transformer_of_0_1_0_takes_every_way() {
    let folder = TempDir::new().unwrap();
    let route = unpack(&folder, "route_transformer-0.1.0");
    let mut harness = harness(&stage("route", &route, "topics = [\"side\"]"), "");
    let values = ["drop", "twice", "route:x", "header", "fail", "trap", "plain"];
    let written = harness.pipe(values.map(Input::value)).unwrap();
    let to = |topic| {
        let there = written.outputs.iter().filter(move |output| output.topic == topic);
        there.map(|output| output.text().into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(to("sink"), ["twice", "twice", "header", "plain"]);
    assert_eq!(to("side"), ["x"]);
    let codes: Vec<_> = written.dead_letters.iter().map(|letter| letter.code).collect();
    assert_eq!(codes, [Code::Invalid, Code::Trap]);
}

#[test]
fn a_scorer_of_0_1_0_asks_for_inference() {
    let folder = TempDir::new().unwrap();
    // It takes commands from the first column, whatever that is called.
    let features = unpack(&folder, "flight_features-0.1.0");
    let features = stage("features", &features, "config = { features = [\"UniqueCarrier\"] }");
    let score = unpack(&folder, "plain_nn_scorer-0.1.0");
    let score = stage("score", &score, "models = [\"digits\"]");
    let models = "digits = \"{project}/models/digits\"";
    let command = CLASSIC[0].replace(",PS,", ",named digits image 1x1x8x8 fp32 -1,");
    let written =
        harness(&format!("{features}{score}"), models).pipe([Input::value(command)]).unwrap();
    let prediction: Value = serde_json::from_str(&written.outputs[0].text()).unwrap();
    let [count, sum] = ["count", "sum"].map(|name| prediction["values"][name].as_f64().unwrap());
    // Ten probabilities.
    assert_eq!(count, 10.0);
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
}

#[test]
fn each_is_known_by_its_version() {
    let folder = TempDir::new().unwrap();
    for (name, world) in [
        ("flight_features-0.1.0", World::Extractor),
        ("h2o_score-0.1.0", World::Scorer),
        ("plain_nn_scorer-0.1.0", World::Scorer),
        ("route_transformer-0.1.0", World::Transformer),
    ] {
        let inspection = Inspection::of(&sandbox(), &unpack(&folder, name));
        assert!(inspection.runnable, "{name}: {:?}", inspection.reason);
        assert_eq!(inspection.world, Some(world), "{name}");
        assert_eq!(inspection.contract.as_deref(), Some("0.1.0"), "{name}");
    }
}

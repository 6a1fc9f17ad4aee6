//! `record-features` in pipelines whose manifests say nothing but the model.

use std::fs;
use std::path::Path;

use sandbar::model::Sha256;
use sandbar::pipeline::harness::{Harness, Written};
use sandbar::record::{Code, Input};
use sandbar_tests::graphs::weighs;
use sandbar_tests::runner::plan;
use serde_json::Value;

/// A pipeline of this operator and a scorer with a model's folder.
fn pipeline(scorer: &str, model: &str, more: &str) -> Result<Harness, String> {
    let manifest = format!(
        "name = \"any\"\nsource = {{ topics = [\"records\"] }}\nsink = {{ topic = \"sink\" }}\n\
         models = {{ m = \"{model}\" }}\n\
         [[stages]]\nname = \"features\"\ncomponent = \"{{component:record-features}}\"\n{more}\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{{component:{scorer}}}\"\nmodels = [\"m\"]\n"
    );
    let plan = plan(&manifest, "").map_err(|error| error.to_string())?;
    Harness::new(&plan).map_err(|error| error.to_string())
}

/// The predictions, and the codes and messages of dead letters.
fn told(written: &Written) -> (Vec<Value>, Vec<(Code, String)>) {
    let outputs = written.outputs.iter().map(|it| serde_json::from_str(&it.text()).unwrap());
    let letters = written.dead_letters.iter().map(|it| (it.code, it.message.clone()));
    (outputs.collect(), letters.collect())
}

/// The folder of a small graph of three classes, with what else its description has.
fn graph(folder: &Path, more: &str) -> String {
    let bytes = weighs(2, 3, &[1.0, 0.0, 0.5, 0.0, 1.0, 0.25]);
    let digest = Sha256::of(&bytes);
    fs::write(folder.join("model.onnx"), &bytes).unwrap();
    fs::write(folder.join("labels.txt"), "left\nright\nboth\n").unwrap();
    let description = format!(
        "name = \"weighs\"\nversion = 1\nkind = \"onnx\"\nfile = \"model.onnx\"\n\
         sha256 = \"{digest}\"\nlicence = \"Apache-2.0\"\ndescription = \"Which is more?\"\n\
         [[inputs]]\nname = \"x\"\nshape = [\"N\", 2]\n[labels]\nfile = \"labels.txt\"\n{more}"
    );
    fs::write(folder.join("model.toml"), description).unwrap();
    folder.display().to_string()
}

#[test]
fn a_mojo_scores_json_and_csv_without_configuration() {
    let mut harness = pipeline("tabular-score", "{project}/models/flights-gbm", "").unwrap();
    let object = r#"{"tail":"N1","Origin":"MCO","Dest":"ORD","UniqueCarrier":"UA","Year":1994,
        "Month":6,"DayofMonth":1,"DayOfWeek":3,"CRSDepTime":1435}"#;
    let written = harness
        .pipe([
            Input::value(object),
            Input::value("1994,6,1,3,1435,UA,MCO,ORD"),
            Input::value("1993,11,1,1,1825,WN,LBB,DAL\r\n"),
            Input::value("Year,Month,DayofMonth,DayOfWeek,CRSDepTime,UniqueCarrier,Origin,Dest"),
            Input::value(r#"{"Year":1994}"#),
            Input::value("1994,6,1,3,1435,UA,MCO"),
            Input::value(r#"{"Year":"last"}"#),
        ])
        .unwrap();
    let (outputs, letters) = told(&written);
    // H2O's own answers: models/flights-gbm/samples.csv.
    let expected = [0.6904108682340332, 0.6904108682340332, 0.518812172659296];
    assert_eq!(outputs.len(), expected.len(), "{letters:?}");
    for (output, expected) in outputs.iter().zip(expected) {
        assert_eq!(output["label"], "YES");
        let probability = output["probabilities"]["YES"].as_f64().unwrap();
        assert!((probability - expected).abs() < 1e-12, "{output}");
    }
    let codes: Vec<Code> = letters.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [Code::Unsupported, Code::Missing, Code::Malformed, Code::Invalid]);
    assert!(letters[1].1.contains("Month: the record does not have it"), "{letters:?}");
}

#[test]
fn a_graph_scores_json_and_csv_without_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let named = graph(folder.path(), "[preprocessing]\ncolumns = [\"a\", \"b\"]\n");
    let written = pipeline("nn-score", &named, "")
        .unwrap()
        .pipe([
            Input::value(r#"{"b":1,"a":4}"#),
            Input::value("1,4"),
            Input::value(r#"{"a":4}"#),
            Input::value("1,"),
        ])
        .unwrap();
    let (outputs, letters) = told(&written);
    let labels: Vec<&Value> = outputs.iter().map(|output| &output["label"]).collect();
    assert_eq!(labels, ["left", "right"], "{letters:?}");
    assert_eq!(outputs[0]["probabilities"]["both"], 2.25);
    assert_eq!(letters.iter().map(|it| it.0).collect::<Vec<_>>(), [Code::Missing, Code::Missing]);

    // Without names it is an array under the input's, or a line.
    let folder = tempfile::tempdir().unwrap();
    let mut harness = pipeline("nn-score", &graph(folder.path(), ""), "").unwrap();
    let written = harness.pipe([Input::value(r#"{"x":[4,1]}"#), Input::value("1,4")]).unwrap();
    let (outputs, letters) = told(&written);
    let labels: Vec<&Value> = outputs.iter().map(|output| &output["label"]).collect();
    assert_eq!(labels, ["left", "right"], "{letters:?}");
}

#[test]
fn configuration_maps_what_records_have() {
    let config = "config = { columns = [{ name = \"Year\", from = \"when.year\" }, \
                  { name = \"Dest\", default = \"ORD\" }, \
                  { name = \"UniqueCarrier\", from = { header = \"carrier\" } }] }";
    let mut harness = pipeline("tabular-score", "{project}/models/flights-gbm", config).unwrap();
    let object = r#"{"when":{"year":1994},"Month":6,"DayofMonth":1,"DayOfWeek":3,
        "CRSDepTime":1435,"Origin":"MCO"}"#;
    let written =
        harness.pipe([Input::value(object).header("carrier", "UA"), Input::value(object)]).unwrap();
    let (outputs, letters) = told(&written);
    assert_eq!(outputs[0]["probabilities"]["YES"].as_f64(), Some(0.6904108682340332));
    assert_eq!(letters.len(), 1);
    assert!(letters[0].1.contains("UniqueCarrier: the record does not have it"), "{letters:?}");
}

#[test]
fn a_model_that_does_not_say_what_it_wants_is_refused() {
    let flights = "{project}/models/airports";
    let error = pipeline("tabular-score", flights, "").err().unwrap();
    assert!(error.contains("a model of kind file does not say which columns"), "{error}");
}

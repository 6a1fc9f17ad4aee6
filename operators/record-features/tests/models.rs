//! Without any configuration: the columns that the stage's models want.

mod common;

use common::{expect, floats, read, refusal};
use record_features::RecordFeatures;
use sandbar_operator::FailureCode::{Invalid, Malformed, Missing};
use sandbar_operator::testing::{Cell, ExtractorStage, Stage};
use sandbar_operator::{ElementType, Field};
use serde_json::{Value, json};

/// The flight model: five numbers and three categories.
fn mojo() -> Vec<u8> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/flights-gbm/model.zip");
    std::fs::read(file).expect("the model is part of the repository")
}

fn flights() -> Stage {
    Stage::new()
        .description("flights", json!({ "name": "flights", "version": 1, "kind": "h2o-mojo" }))
        .model("flights", mojo())
}

/// A graph with these inputs, and what its folder says under `[preprocessing]`.
fn graph(inputs: Value, preprocessing: Value) -> Stage {
    Stage::new().description(
        "net",
        json!({ "kind": "onnx", "inputs": inputs, "preprocessing": preprocessing }),
    )
}

fn configured(stage: &Stage) -> ExtractorStage<RecordFeatures> {
    stage.extractor().expect("a valid configuration")
}

#[test]
fn a_mojo_says_which_columns_it_wants() {
    let mut stage = configured(&flights());
    let numbers = ["Year", "Month", "DayofMonth", "DayOfWeek", "CRSDepTime"].map(Field::number);
    let texts = ["UniqueCarrier", "Origin", "Dest"].map(Field::text);
    assert_eq!(stage.features(), [&numbers[..], &texts[..]].concat());

    let numbers = [1987.0, 10.0, 14.0, 3.0, 730.0].map(Cell::Number);
    let texts = ["PS", "SAN", "SFO"].map(Cell::text);
    let row = Ok([&numbers[..], &texts[..]].concat());
    let object = br#"{"Dest":"SFO","Origin":"SAN","Year":1987,"Month":10,"DayofMonth":14,
        "DayOfWeek":3,"CRSDepTime":730,"UniqueCarrier":"PS","ArrDelay":23}"#;
    assert_eq!(read(&mut stage, object), row);
    assert_eq!(read(&mut stage, b"1987,10,14,3,730,PS,SAN,SFO"), row);
    expect(&mut stage, br#"{"Year":1987}"#, Missing, "Month: the record does not have it");
    expect(&mut stage, b"1987,10,14,3,PS,SAN,SFO,730", Invalid, "CRSDepTime: expected a number");
    expect(&mut stage, b"1987,10", Malformed, "expected 8 columns, got 2");
}

#[test]
fn the_schema_of_a_mojo_is_that_of_the_model() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../h2o-mojo/testdata");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).expect("testdata") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "zip") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        let Ok(model) = h2o_mojo::Model::read(&bytes) else { continue };
        let schema = h2o_mojo::Schema::read(&bytes).expect("a schema");
        let expected: Vec<(&str, bool)> =
            model.features().iter().map(|it| (it.name(), it.domain().is_some())).collect();
        let found: Vec<(&str, bool)> =
            schema.columns().iter().map(|it| (&*it.name, it.is_categorical)).collect();
        assert_eq!(found, expected, "{}", path.display());
        assert_eq!(schema.offset_column(), model.offset_column(), "{}", path.display());
        read += 1;
    }
    assert!(read > 20, "{read} models");
}

#[test]
fn what_is_said_of_a_models_columns_is_added_to_it() {
    let stage = flights().config(json!({ "columns": [
        { "name": "Year", "from": "when.year" },
        { "name": "Origin", "default": "SAN" },
        { "name": "Month", "constant": 6 },
        { "name": "id", "type": "text" },
    ] }));
    let mut stage = configured(&stage);
    let names: Vec<&str> = stage.features().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names[..2], ["Year", "Month"]);
    assert_eq!(names[8], "id");
    let object = br#"{"when":{"year":1999},"DayofMonth":14,"DayOfWeek":3,"CRSDepTime":730,
        "UniqueCarrier":"PS","Dest":"SFO","id":"x"}"#;
    let row = read(&mut stage, object).expect("a row");
    assert_eq!(row[..2], [Cell::Number(1999.0), Cell::Number(6.0)]);
    assert_eq!(row[6..], [Cell::text("SAN"), Cell::text("SFO"), Cell::text("x")]);
}

#[test]
fn an_input_of_a_graph_is_a_tensor_of_named_columns() {
    let inputs = json!([{ "name": "X", "type": "fp32", "shape": ["N", 3] }]);
    let mut stage = configured(&graph(inputs, json!({ "columns": ["a", "b", "c"] })));
    assert_eq!(stage.features(), [Field::tensor("X", ElementType::Fp32, [3])]);
    let row = Ok(vec![floats(&[1.0, 2.5, -3.0])]);
    assert_eq!(read(&mut stage, br#"{"c":-3,"a":1,"b":"2.5"}"#), row);
    assert_eq!(read(&mut stage, b"1,2.5,-3"), row);
    expect(&mut stage, br#"{"a":1,"b":2}"#, Missing, "c: the record does not have it");
    expect(&mut stage, br#"{"a":1,"b":2,"c":null}"#, Missing, "c: has no value");
    expect(&mut stage, b"1,,3", Missing, "b: has no value");
    expect(&mut stage, b"1,1e39,3", Invalid, "b: 1");
    expect(&mut stage, b"a,b,c", sandbar_operator::FailureCode::Unsupported, "header");
}

#[test]
fn an_input_without_names_is_an_array_or_a_line() {
    let inputs = json!([{ "name": "X", "type": "i64", "shape": ["N", 2, 2] }]);
    let mut stage = configured(&graph(inputs, json!({})));
    let bytes = [1i64, -2, 9_007_199_254_740_993, 4].map(i64::to_le_bytes).concat();
    let row = Ok(vec![Cell::Tensor(bytes)]);
    assert_eq!(read(&mut stage, br#"{"X":[[1,-2],[9007199254740993,4]]}"#), row);
    assert_eq!(read(&mut stage, b"1,-2,9007199254740993,4"), row);
    assert_eq!(read(&mut stage, b"\"1\",-2,9007199254740993,4"), row);
    for (value, words) in [
        (r#"{"X":[1,2,3,4]}"#, "X: expected an array, got a number"),
        (r#"{"X":[[1,2],[3]]}"#, "X: expected an array of 2, got one of 1"),
        (r#"{"X":[[1,2],[3,4],[5,6]]}"#, "X: expected an array of 2, got more"),
        (r#"{"X":[[1,2],[3,"4"]]}"#, "X: expected a number, got a string"),
        (r#"{"X":[[1,2],[3,null]]}"#, "X: expected a number, got null"),
        (r#"{"X":7}"#, "X: unexpected JSON type: a number"),
        (r#"{"X":[[1,2],[3,1.5]]}"#, "X: 1.5 is no number that an element of type i64 can have"),
        (r#"{"X":[[1,2],[3,1e18]]}"#, "is no number that an element of type i64"),
    ] {
        expect(&mut stage, value.as_bytes(), Invalid, words);
    }
    expect(&mut stage, br#"{"X":null}"#, Missing, "X: has no value");
    expect(&mut stage, b"1,2,3", Malformed, "expected 4 columns, got 3");
    expect(&mut stage, b"1,2,3,", Missing, "X: has no value");
}

#[test]
fn inputs_of_one_number_are_columns() {
    let inputs = json!([
        { "name": "age", "type": "fp32", "shape": ["N", 1] },
        { "name": "level", "type": "u8", "shape": [1] },
    ]);
    let mut stage = configured(&graph(inputs, json!({})));
    let row = Ok(vec![floats(&[33.5]), Cell::Tensor(vec![7])]);
    assert_eq!(read(&mut stage, br#"{"age":33.5,"level":7}"#), row);
    assert_eq!(read(&mut stage, b"33.5,7"), row);
    expect(&mut stage, b"33.5,256", Invalid, "level: 256 is no number that an element of type u8");
    expect(&mut stage, b"33.5,-1", Invalid, "level: -1");
}

#[test]
fn models_of_other_kinds_name_their_columns_in_their_folder() {
    let description = json!({
        "kind": "file",
        "preprocessing": { "columns": ["a", { "name": "b", "type": "text" }] },
    });
    let stage = configured(&Stage::new().description("m", description));
    assert_eq!(stage.features(), [Field::number("a"), Field::text("b")]);
    let silent = Stage::new().description("m", json!({ "kind": "file" }));
    assert!(refusal(&silent).contains("model 'm': a model of kind file does not say"));
}

#[test]
fn several_models_get_what_they_want_together() {
    let one = json!({ "kind": "file", "preprocessing": { "columns": ["a", "b"] } });
    let two = json!({ "kind": "file", "preprocessing": { "columns": ["b", "c"] } });
    let stage = Stage::new().description("one", &one).description("two", two);
    let names = ["a", "b", "c"].map(Field::number);
    assert_eq!(configured(&stage).features(), names);
    let other = json!({ "kind": "file",
        "preprocessing": { "columns": [{ "name": "a", "type": "text" }] } });
    let stage = Stage::new().description("one", one).description("two", other);
    assert!(refusal(&stage).contains("model 'two': column 'a': another model"));
}

#[test]
fn what_no_record_can_give_is_refused() {
    let input = |ty: &str, shape: Value| json!([{ "name": "X", "type": ty, "shape": shape }]);
    for (inputs, preprocessing, words) in [
        (input("fp16", json!(["N", 1])), json!({}), "elements of type fp16"),
        (input("fp32", json!(["N", "length"])), json!({}), "dimension 'length'"),
        (input("fp32", json!(["N", 3])), json!({ "columns": ["a"] }), "expected 3 names"),
        (input("fp32", json!(["N", 1])), json!({ "columns": { "Y": ["a"] } }), "no input 'Y'"),
        (
            input("fp32", json!(["N", 1])),
            json!({ "columns": [{ "name": "a", "type": "text" }] }),
            "a tensor has numbers",
        ),
    ] {
        let message = refusal(&graph(inputs, preprocessing));
        assert!(message.contains(words), "{message}");
    }
    let broken = Stage::new().description("m", json!({ "kind": "h2o-mojo" })).model("m", b"PK");
    assert!(refusal(&broken).starts_with("model 'm': "));
}

//! The scorer against graphs that are functions, through the SDK's stand-in for a stage.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::sync::{Arc, Mutex};

use nn_score::NnScore;
use sandbar_operator::nn::{ComputeError, Input, Output};
use sandbar_operator::testing::{Cell, Features, Stage};
use sandbar_operator::{ElementType, Failure, FailureCode, Field};
use serde_json::{Value, json};

/// A model of two numbers in and two classes out.
fn description() -> Value {
    json!({
        "name": "pair", "version": 1, "kind": "onnx",
        "inputs": [{ "name": "x", "type": "fp32", "shape": ["N", 2] }],
        "outputs": [{ "name": "y", "type": "fp32", "shape": ["N", 2] }],
        "labels": ["left", "right"],
    })
}

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// What goes in comes out. A row that begins with 13 makes the computation fail, one
/// with 60 takes too long.
fn echo(inputs: &[Input<'_>]) -> Result<Vec<Output>, ComputeError> {
    let Input { dimensions, element, data, .. } = inputs[0];
    for (first, timeout) in [(13.0, false), (60.0, true)] {
        if data.chunks(8).any(|row| row.starts_with(&bytes(&[first]))) {
            return Err(ComputeError { timeout, message: "model 'pair': no".into() });
        }
    }
    let dimensions = dimensions.to_vec();
    Ok(vec![Output { name: "y".into(), dimensions, element, data: data.to_vec() }])
}

fn stage(config: Value) -> Stage {
    Stage::new().config(config).description("pair", description()).graph("pair", echo)
}

fn field() -> Field {
    Field::tensor("image", ElementType::Fp32, [2])
}

fn features(rows: &[[f32; 2]]) -> Features {
    rows.iter()
        .fold(Features::new([field()]), |features, row| features.row([Cell::Tensor(bytes(row))]))
}

/// Labels, or the codes of failures.
fn labels(config: Value, rows: &[[f32; 2]]) -> Vec<Result<String, FailureCode>> {
    let mut scorer = stage(config).scorer::<NnScore>(&[field()]).unwrap();
    let scored = scorer.score(&features(rows));
    let label = |result: &Result<_, Failure>| match result {
        Ok(prediction) => {
            let prediction: &sandbar_operator::testing::Prediction = prediction;
            Ok(prediction.label().unwrap().to_owned())
        }
        Err(failure) => Err(failure.code),
    };
    scored.iter().map(label).collect()
}

fn refusal(config: Value, description: Value, fields: &[Field]) -> String {
    let stage = Stage::new().config(config).description("pair", description).graph("pair", echo);
    let error = stage.scorer::<NnScore>(fields).err().unwrap();
    error.message().to_owned()
}

/// A model as a converter of scikit-learn writes it: the best class first, then the probabilities.
fn two_outputs(labels: Value) -> Value {
    json!({
        "name": "pair", "version": 1, "kind": "onnx",
        "inputs": [{ "name": "x", "type": "fp32", "shape": ["N", 2] }],
        "outputs": [
            { "name": "best", "type": "i64", "shape": ["N"] },
            { "name": "p", "type": "fp32", "shape": ["N", 2] },
        ],
        "labels": labels,
    })
}

#[test]
fn labels_are_those_of_the_output_that_is_scored() {
    let best_first = |inputs: &[Input<'_>]| {
        let mut outputs = echo(inputs)?;
        let (name, data) = ("best".into(), 1_i64.to_le_bytes().to_vec());
        outputs.insert(0, Output { name, dimensions: vec![1], element: ElementType::I64, data });
        Ok(outputs)
    };
    for (config, labels) in [
        (json!({}), json!(["left", "right"])),
        (json!({ "output": "p" }), json!(["left", "right"])),
        (json!({}), json!([])),
    ] {
        let stage = Stage::new().config(config).description("pair", two_outputs(labels.clone()));
        let stage = stage.graph("pair", best_first);
        let mut scorer = stage.scorer::<NnScore>(&[field()]).unwrap();
        let scored = scorer.score(&features(&[[0.25, 0.75]]));
        let label = scored[0].as_ref().unwrap().label().unwrap().to_owned();
        assert_eq!(label, labels[1].as_str().unwrap_or("1"));
    }
    let labels = json!(["left", "right"]);
    let refused = refusal(json!({ "output": "best" }), two_outputs(labels), &[field()]);
    assert!(refused.contains("output 'best': 1 numbers for each row, but the model has 2 labels"));
}

#[test]
fn the_batch_is_the_dimension_that_the_model_leaves_open() {
    let mut open = description();
    open["inputs"][0]["shape"] = json!([2, "rows"]);
    let shapes = Arc::new(Mutex::new(Vec::new()));
    let seen = shapes.clone();
    let graph = move |inputs: &[Input<'_>]| {
        seen.lock().unwrap().push(inputs[0].dimensions.to_vec());
        echo(inputs)
    };
    let stage = Stage::new().config(json!({})).description("pair", open.clone());
    let mut scorer = stage.graph("pair", graph).scorer::<NnScore>(&[field()]).unwrap();
    assert!(scorer.score(&features(&[[0.25, 0.75]]))[0].is_ok());
    assert_eq!(*shapes.lock().unwrap(), [[2, 1]]);
    let refused = refusal(json!({ "stack": 2 }), open, &[field()]);
    assert!(refused.contains("its batch is dimension 1"), "{refused}");
}

#[test]
fn the_most_probable_class_is_the_label() {
    let rows = [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [f32::NAN, 1.0]];
    let found = labels(json!({}), &rows);
    let due = [Ok("left".into()), Ok("right".into()), Ok("left".into()), Err(FailureCode::Invalid)];
    assert_eq!(found, due);
}

#[test]
fn too_improbable_is_unknown() {
    let found = labels(json!({ "unknown_below": 0.7 }), &[[0.9, 0.1], [0.4, 0.6]]);
    assert_eq!(found, [Ok("left".into()), Ok("unknown".into())]);
}

#[test]
fn logits_become_probabilities() {
    let mut logits = description();
    logits["postprocessing"] = json!({ "softmax": true });
    let by_folder = Stage::new().description("pair", logits.clone()).graph("pair", echo);
    for stage in [stage(json!({ "softmax": true })), by_folder] {
        let mut scorer = stage.scorer::<NnScore>(&[field()]).unwrap();
        let scored = scorer.score(&features(&[[1000.0, 1001.0]]));
        let values = scored[0].as_ref().unwrap().numbers().to_vec();
        let right = 1.0 / (1.0 + (-1.0_f64).exp());
        assert!((values[1] - right).abs() < 1e-12 && (values[0] + values[1] - 1.0).abs() < 1e-12);
    }
    logits["postprocessing"] = json!({ "softmex": true });
    let error = refusal(json!({}), logits, &[field()]);
    assert!(
        error.contains("model 'pair': model.toml: postprocessing") && error.contains("softmex"),
        "{error}"
    );
}

#[test]
fn a_row_that_fails_fails_alone_also_in_a_stack() {
    let rows = [[0.9, 0.1], [13.0, 0.0], [0.1, 0.9], [60.0, 0.0], [0.1, 0.9]];
    let due = [
        Ok("left".into()),
        Err(FailureCode::Internal),
        Ok("right".into()),
        Err(FailureCode::Unavailable),
        Ok("right".into()),
    ];
    for stack in [1, 2, 3, 5, 8] {
        assert_eq!(labels(json!({ "stack": stack }), &rows), due, "{stack}");
    }
}

#[test]
fn a_graph_sees_two_sizes_of_batch() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = sizes.clone();
    let graph = move |inputs: &[Input<'_>]| {
        seen.lock().unwrap().push(inputs[0].dimensions[0]);
        echo(inputs)
    };
    let stage = Stage::new()
        .config(json!({ "stack": 3 }))
        .description("pair", description())
        .graph("pair", graph);
    let mut scorer = stage.scorer::<NnScore>(&[field()]).unwrap();
    scorer.score(&features(&[[0.0, 1.0]; 8]));
    assert_eq!(*sizes.lock().unwrap(), [3, 3, 1, 1]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let with = |key: &str, value: Value| {
        let mut description = description();
        description[key] = value;
        description
    };
    let two = json!([
        { "name": "image", "type": "fp32", "shape": ["N", 2] },
        { "name": "b", "type": "fp32", "shape": ["N", 2] },
    ]);
    assert_eq!(
        refusal(json!({}), with("inputs", two.clone()), &[field()]),
        "model 'pair': input 'b': the extractor gives no tensor of this name: it gives image"
    );
    assert!(
        refusal(json!({ "column": "image" }), with("inputs", two), &[field()])
            .contains("the model has several inputs")
    );
    let other = Field::tensor("image", ElementType::U8, [2]);
    assert_eq!(
        refusal(json!({}), description(), &[other]),
        "model 'pair': input 'x': expected fp32 of [2] for each row, got u8 of [2] from the extractor"
    );
    let fixed = json!([{ "name": "x", "type": "fp32", "shape": [4, 2] }]);
    assert!(
        refusal(json!({}), with("inputs", fixed), &[field()]).contains("set stack = 4, or declare")
    );
    let mut nameless = description();
    nameless.as_object_mut().unwrap().remove("labels");
    nameless.as_object_mut().unwrap().remove("outputs");
    assert!(refusal(json!({}), nameless, &[field()]).contains("unknown number of classes"));
    let refused = |config: Value| refusal(config, description(), &[field()]);
    assert!(refused(json!({ "stack": 0 })).contains("key 'stack': must be greater than zero"));
    assert!(refused(json!({ "unknown_below": 2 })).contains("between 0 and 1"));
    assert!(refused(json!({ "output": "z" })).contains("no output 'z': set it to one of y"));
    assert!(refused(json!({ "column": "z" })).contains("no tensor 'z': set it to one of image"));
    assert!(refusal(json!({}), description(), &[]).contains("the extractor gives no tensor"));
    let two = [field(), Field::tensor("other", ElementType::Fp32, [2])];
    assert!(refusal(json!({}), description(), &two).contains("one of image, other"));
    let unknown = with("labels", json!(["left", "unknown"]));
    assert!(
        refusal(json!({ "unknown_below": 0.5 }), unknown, &[field()])
            .contains("omit 'unknown_below'")
    );
}

#[test]
fn of_several_inputs_each_takes_the_tensor_of_its_name() {
    let mut description = description();
    description["inputs"] = json!([
        { "name": "left", "type": "fp32", "shape": ["N", 1] },
        { "name": "right", "type": "fp32", "shape": ["N", 1] },
    ]);
    // Side by side, as they are named.
    let graph = |inputs: &[Input<'_>]| {
        let names: Vec<&str> = inputs.iter().map(|input| input.name).collect();
        assert_eq!(names, ["left", "right"]);
        let rows = inputs[0].data.chunks(4).zip(inputs[1].data.chunks(4));
        let data = rows.flat_map(|(left, right)| [left, right].concat()).collect();
        let dimensions = vec![inputs[0].dimensions[0], 2];
        Ok(vec![Output { name: "y".into(), dimensions, element: ElementType::Fp32, data }])
    };
    let field = |name: &str| Field::tensor(name, ElementType::Fp32, [1]);
    for stack in [1, 2, 3] {
        let stage = Stage::new().config(json!({ "stack": stack }));
        let stage = stage.description("pair", description.clone()).graph("pair", graph);
        // In the extractor's order, which is another.
        let fields = [field("right"), field("left")];
        let mut scorer = stage.scorer::<NnScore>(&fields).unwrap();
        let rows = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]].iter();
        let table = rows.fold(Features::new(fields), |table, [left, right]| {
            table.row([Cell::Tensor(bytes(&[*right])), Cell::Tensor(bytes(&[*left]))])
        });
        let scored = scorer.score(&table);
        let labels: Vec<&str> =
            scored.iter().map(|it| it.as_ref().unwrap().label().unwrap()).collect();
        assert_eq!(labels, ["left", "right", "left"], "{stack}");
    }
}

#[test]
fn classes_without_labels_are_numbers() {
    let mut nameless = description();
    nameless.as_object_mut().unwrap().remove("labels");
    let stage = Stage::new().description("pair", nameless).graph("pair", echo);
    let mut scorer = stage.scorer::<NnScore>(&[field()]).unwrap();
    let scored = scorer.score(&features(&[[0.1, 0.9]]));
    assert_eq!(scored[0].as_ref().unwrap().label(), Some("1"));
}

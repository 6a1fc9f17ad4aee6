//! Scorers through the public interface: predictions, failures, configuration.

use sandbar_operator::testing::{Cell, Features, Prediction, Stage};
use sandbar_operator::{
    Column, ElementType, Error, Failure, Field, Output, Predictions, Scorer, Setup, Table,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// One prediction for each of these, whatever the table.
    script: Vec<Step>,
    #[serde(default)]
    values: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// `class` or `values` with these.
    Give(usize, Vec<f64>),
    /// The same in place.
    Fill(usize, f64),
    Fail,
    FailFilling,
}

/// Does what its configuration says.
struct Script(Config);

impl Scorer for Script {
    type Config = Config;

    fn configure(config: Config, _: &Setup, _: &[Field]) -> Result<Self, Error> {
        Ok(Script(config))
    }

    fn output(&self) -> Output {
        let names = vec!["a".into(), "b".into()];
        if self.0.values { Output::Values(names) } else { Output::Classes(names) }
    }

    fn score(&mut self, _: &Table<'_>, predictions: &mut Predictions) {
        for step in &self.0.script {
            match step {
                Step::Give(_, values) if self.0.values => predictions.values(values),
                Step::Give(label, values) => predictions.class(*label, values),
                Step::Fill(_, value) if self.0.values => predictions.values_with(|it| {
                    it[1] = *value;
                    Ok(())
                }),
                Step::Fill(label, value) => predictions.class_with(|it| {
                    it[1] = *value;
                    Ok(*label)
                }),
                Step::Fail => predictions.fail(Failure::invalid("no")),
                Step::FailFilling => predictions.class_with(|_| Err(Failure::invalid("no"))),
            }
        }
    }
}

fn rows(count: usize) -> Features {
    let empty = Features::new([Field::number("x")]);
    (0..count).fold(empty, |features, row| features.row([Cell::Number(row as f64)]))
}

fn run(config: &str, count: usize) -> Result<Vec<Result<Prediction, Failure>>, Error> {
    let features = rows(count);
    Ok(Stage::new().config(config).scorer::<Script>(features.fields())?.score(&features))
}

fn class(label: &str, probabilities: [f64; 2]) -> Result<Prediction, Failure> {
    Ok(Prediction::Class { label: label.into(), probabilities: probabilities.to_vec() })
}

#[test]
fn predictions_and_failures_keep_their_rows() -> Result<(), Error> {
    let script = r#"{ "script": [
        "fail", { "give": [1, [0.25, 0.75]] }, "fail_filling", { "fill": [0, 0.5] }, "fail"
    ] }"#;
    let no = || Err(Failure::invalid("no"));
    let expected = [no(), class("b", [0.25, 0.75]), no(), class("a", [0.0, 0.5]), no()];
    assert_eq!(run(script, 5)?, expected);

    let script = r#"{ "values": true, "script": [
        { "give": [0, [1.0, 2.0]] }, "fail", { "fill": [0, 3.0] }
    ] }"#;
    let values = |values: [f64; 2]| Ok(Prediction::Values(values.to_vec()));
    assert_eq!(run(script, 3)?, [values([1.0, 2.0]), no(), values([0.0, 3.0])]);
    Ok(())
}

#[test]
fn a_prediction_that_does_not_fit_fails_alone() -> Result<(), Error> {
    let script = r#"{ "script": [
        { "give": [0, [1.0]] }, { "give": [2, [0.0, 1.0]] }, { "fill": [2, 1.0] },
        { "give": [0, [1.0, 0.0]] }
    ] }"#;
    let internal = |found: &str| {
        Err(Failure::internal(format!("expected 2 classes, got {found} from the scorer")))
    };
    let expected = [
        internal("1 numbers and the label 0"),
        internal("2 numbers and the label 2"),
        internal("2 numbers and the label 2"),
        class("a", [1.0, 0.0]),
    ];
    assert_eq!(run(script, 4)?, expected);
    Ok(())
}

#[test]
fn too_few_or_too_many_predictions_fail_every_row() -> Result<(), Error> {
    let script = r#"{ "script": [{ "give": [0, [1.0, 0.0]] }, "fail"] }"#;
    for count in [1, 3] {
        let message = format!("expected {count} predictions, got 2 from the scorer");
        assert_eq!(run(script, count)?, vec![Err(Failure::internal(message)); count]);
    }
    Ok(())
}

#[test]
fn a_configuration_that_is_wrong_names_the_key() {
    let cases = [
        (r#"{ "script": [], "valuse": true }"#, "unknown field `valuse`"),
        (r#"{ "script": [], "values": 7 }"#, "key 'values': invalid type: integer `7`"),
        (r#"{ "script": ["fail", { "give": ["x", []] }] }"#, "key 'script[1]"),
        (r#"{}"#, "missing field `script`"),
    ];
    for (config, expected) in cases {
        let error = run(config, 1).expect_err("it is wrong");
        assert!(error.message().contains(expected), "{error:?}");
        assert!(!error.message().contains("line"), "{error:?} speaks of JSON, not of TOML");
    }
}

/// Checks the views of a table from inside a scorer; loads its model.
struct Views {
    model: Vec<u8>,
}

impl Scorer for Views {
    type Config = sandbar_operator::NoConfig;

    fn configure(_: Self::Config, setup: &Setup, _: &[Field]) -> Result<Self, Error> {
        let main = setup.main_model().ok_or("this scorer needs a model")?;
        Ok(Views { model: setup.load_model(main)? })
    }

    fn output(&self) -> Output {
        Output::Values(vec!["bytes".into()])
    }

    fn score(&mut self, table: &Table<'_>, predictions: &mut Predictions) {
        assert!(table.named("nobody").is_none());
        let Some(Column::Numbers(numbers)) = table.column(0) else { panic!("not numbers") };
        assert!(numbers[0] == 1.0 && numbers[1].is_nan());
        let Some(Column::Text(text)) = table.named("text") else { panic!("not text") };
        assert_eq!((text.get(0), text.get(1), text.get(2)), ("ä", "", ""));
        assert_eq!(text.iter().collect::<Vec<_>>(), ["ä", ""]);
        let Some(Column::Tensor(tensor)) = table.named("tensor") else { panic!("not a tensor") };
        assert_eq!((tensor.get(0), tensor.get(1)), ([1, 2].as_slice(), [3, 4].as_slice()));
        assert!(tensor.get(2).is_empty());
        for _ in 0..table.rows() {
            predictions.values(&[self.model.len() as f64]);
        }
    }
}

#[test]
fn a_table_is_read_by_position_and_by_name() -> Result<(), Error> {
    let features = Features::new([
        Field::number("number"),
        Field::text("text"),
        Field::tensor("tensor", ElementType::U8, [2]),
    ])
    .row([Cell::Number(1.0), Cell::text("ä"), Cell::Tensor(vec![1, 2])])
    .row([Cell::Missing, Cell::Missing, Cell::Tensor(vec![3, 4])]);
    let stage = Stage::new().model("other@1", "12345");
    let predictions = stage.scorer::<Views>(features.fields())?.score(&features);
    assert_eq!(predictions, vec![Ok(Prediction::Values(vec![5.0])); 2]);

    let Err(error) = Stage::new().scorer::<Views>(&[]) else { panic!("it has no model") };
    assert_eq!(error.message(), "this scorer needs a model");
    Ok(())
}

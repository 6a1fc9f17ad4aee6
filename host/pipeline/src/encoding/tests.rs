#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::num::NonZeroUsize;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{EncodeError, Encoder};
use sandbar_manifest::{Format, FormatError};
use sandbar_record::Batch;
use sandbar_sandbox::OutputSchema;

const JSON: Format = Format::Json { top: None };

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn airline() -> OutputSchema {
    OutputSchema::Classes(names(&["NO", "YES"]))
}

fn template(text: &str) -> Format {
    Format::Template(text.to_owned())
}

fn top(count: usize) -> Format {
    Format::Json { top: NonZeroUsize::new(count) }
}

/// Two records: one with everything, one with nothing.
fn batch() -> Batch {
    let mut batch = Batch::new("flights".into(), 3, 2);
    let headers = [("trace", Some(&b"first"[..])), ("trace", Some(b"last")), ("gone", None)];
    batch.push(41, Some(561_168_000_000), Some(b"PS1451"), Some(b"1987,\xff"), headers.into_iter());
    batch.push(42, None, None, None, std::iter::empty::<(&str, _)>());
    batch
}

fn encode_record(
    index: usize,
    format: &Format,
    output: &OutputSchema,
    label: Option<u32>,
    values: &[f64],
) -> Result<String, EncodeError> {
    let encoder = Encoder::new(format, output, "flights-gbm@1").unwrap();
    let mut out = b"before".to_vec();
    encoder.encode(&batch().record(index), label, values, &mut out)?;
    Ok(String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned())
}

fn encode(format: &Format, output: &OutputSchema, label: Option<u32>, values: &[f64]) -> String {
    encode_record(0, format, output, label, values).unwrap()
}

#[test]
fn classes_as_json() {
    let expected =
        r#"{"label":"YES","probabilities":{"NO":0.31,"YES":0.69},"model":"flights-gbm@1"}"#;
    assert_eq!(encode(&JSON, &airline(), Some(1), &[0.31, 0.69]), expected);
}

#[test]
fn values_as_json() {
    let output = OutputSchema::Values(names(&["predict"]));
    let expected = r#"{"values":{"predict":12.3},"model":"flights-gbm@1"}"#;
    assert_eq!(encode(&JSON, &output, None, &[12.3]), expected);
    // The most probable of values are a matter of no meaning.
    assert_eq!(encode(&top(1), &output, None, &[12.3]), expected);
}

#[test]
fn the_most_probable_come_first() {
    let output = OutputSchema::Classes(names(&["a", "b", "c", "d", "e"]));
    let values = [0.1, f64::NAN, 0.4, 0.1, 0.3];
    let with = |text: &str| {
        format!(r#"{{"label":"c","probabilities":{{{text}}},"model":"flights-gbm@1"}}"#)
    };
    assert_eq!(encode(&top(3), &output, Some(2), &values), with(r#""c":0.4,"e":0.3,"a":0.1"#));
    let all = with(r#""c":0.4,"e":0.3,"a":0.1,"d":0.1,"b":null"#);
    assert_eq!(encode(&top(5), &output, Some(2), &values), all);
    assert_eq!(encode(&top(900), &output, Some(2), &values), all);
}

#[test]
fn what_is_no_number_is_null() {
    let output = OutputSchema::Values(names(&["a", "b", "c"]));
    let text = encode(&JSON, &output, None, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    let expected =
        json!({ "values": { "a": null, "b": null, "c": null }, "model": "flights-gbm@1" });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
}

#[test]
fn a_prediction_of_another_shape_is_an_error() {
    let wrong = |label, values: &[f64]| {
        encode_record(0, &JSON, &airline(), label, values).unwrap_err().to_string()
    };
    assert_eq!(wrong(Some(0), &[0.5]), "expected 2 values for each prediction, the scorer gave 1");
    for label in [None, Some(2), Some(u32::MAX)] {
        assert!(wrong(label, &[0.5, 0.5]).contains("for the label"), "{label:?}");
    }
}

#[test]
fn the_classic_text() {
    let format = template("Prediction: Is Airline delayed? => {{ label }}");
    let text = encode(&format, &airline(), Some(1), &[0.31, 0.69]);
    assert_eq!(text, "Prediction: Is Airline delayed? => YES");
}

#[test]
fn a_filter_in_a_template() {
    let format = template(r#"{{ label }}, probability = {{ "%.2f"|format(probability * 100) }}"#);
    let output = OutputSchema::Classes(names(&["airliner", "devil"]));
    let text = encode(&format, &output, Some(0), &[0.977_7, 0.022_3]);
    assert_eq!(text, "airliner, probability = 97.77");
}

#[test]
fn a_template_sees_the_whole_record() {
    let format = template(
        "{{ model }} {{ topic }}/{{ partition }}/{{ offset }} {{ timestamp }} {{ key }} {{ value }} {{ headers.trace }} {{ headers.gone }}",
    );
    let text = encode(&format, &airline(), Some(0), &[0.5, 0.5]);
    assert_eq!(text, "flights-gbm@1 flights/3/41 561168000000 PS1451 1987,\u{fffd} last None");
    let format = template("{{ key }} {{ value or 'nothing' }} {{ timestamp }}");
    let text = encode_record(1, &format, &airline(), Some(0), &[0.5, 0.5]).unwrap();
    assert_eq!(text, "None nothing None");
}

#[test]
fn a_template_may_go_through_classes_and_values_in_order() {
    let each = "{% for name in X %}{{ name }}={{ X[name] }};{% endfor %}{{ X|length }}";
    let output = OutputSchema::Classes(names(&["z", "a", "m"]));
    let text =
        encode(&template(&each.replace('X', "probabilities")), &output, Some(0), &[0.5, 0.2, 0.3]);
    assert_eq!(text, "z=0.5;a=0.2;m=0.3;3");
    let output = OutputSchema::Values(names(&["z", "a"]));
    let text = encode(&template(&each.replace('X', "values")), &output, None, &[1.5, -2.0]);
    assert_eq!(text, "z=1.5;a=-2.0;2");
}

#[test]
fn the_text_stays_as_it_is() {
    let format = template("<b>{{ label }}</b> & \"é\"\n\n");
    let output = OutputSchema::Classes(names(&["<NO>"]));
    assert_eq!(encode(&format, &output, Some(0), &[1.0]), "<b><NO></b> & \"é\"\n\n");
    assert_eq!(encode(&template(""), &output, Some(0), &[1.0]), "");
}

#[test]
fn a_template_that_fails_says_where() {
    let error = |text: &str| {
        encode_record(0, &template(text), &airline(), Some(0), &[0.5, 0.5]).unwrap_err().to_string()
    };
    let absent = error("{{ label }}\n{{ headers.absent }}");
    assert!(absent.starts_with("[sink] template: ") && absent.contains("line 2"), "{absent}");
    let endless =
        error("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}");
    assert!(endless.contains("it takes too many steps for one record"), "{endless}");
}

#[test]
fn a_template_must_fit_the_predictions() {
    let error = |text: &str, output: &OutputSchema| {
        Encoder::new(&template(text), output, "m@1").unwrap_err()
    };
    let values = OutputSchema::Values(names(&["predict"]));
    assert_eq!(
        error("{{ label }}", &values).to_string(),
        "the template uses 'label', but the model predicts values; use 'values'"
    );
    assert_eq!(
        error("{{ values.predict }}", &airline()).to_string(),
        "the template uses 'values', but the model predicts classes; use 'label', 'probability' or 'probabilities'"
    );
    assert!(matches!(error("{{ lable }}", &airline()), FormatError::Unknown { .. }));
    assert!(matches!(error("{% if %}", &airline()), FormatError::Template { .. }));
    assert!(matches!(error("{{ label|nofilter }}", &airline()), FormatError::Template { .. }));
}

fn is_send<T: Send>(_: &T) {}

#[test]
fn an_encoder_goes_to_its_worker() {
    is_send(&Encoder::new(&top(1), &airline(), "m@1").unwrap());
}

proptest! {
    #[test]
    fn any_prediction_reads_back_the_same(
        named in prop::collection::btree_map(".{0,12}", prop::num::f64::ANY, 1..20),
        label in any::<prop::sample::Index>(),
        most in prop::option::of(1..30_usize),
        model in ".{1,12}",
    ) {
        let (names, values): (Vec<String>, Vec<f64>) = named.into_iter().unzip();
        let label = label.index(names.len());
        let output = OutputSchema::Classes(names.clone());
        let format = most.map_or(JSON, top);
        let encoder = Encoder::new(&format, &output, &model).unwrap();
        let mut out = Vec::new();
        encoder.encode(&batch().record(0), Some(label as u32), &values, &mut out).unwrap();
        let read: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(&read["label"], &json!(names[label]));
        prop_assert_eq!(&read["model"], &json!(model));
        let probabilities = read["probabilities"].as_object().unwrap();
        prop_assert_eq!(probabilities.len(), most.unwrap_or(usize::MAX).min(names.len()));
        for (name, value) in names.iter().zip(&values) {
            match probabilities.get(name) {
                Some(read) => prop_assert_eq!(read.is_number(), value.is_finite()),
                // Left out are only those that are not larger than any that is there.
                None => for (other, kept) in names.iter().zip(&values) {
                    prop_assert!(!probabilities.contains_key(other) || value.is_nan() || *kept >= *value);
                },
            }
        }
    }

    #[test]
    fn any_number_reads_back_the_same(value in prop::num::f64::ANY) {
        let text = encode(&JSON, &OutputSchema::Values(names(&["v"])), None, &[value]);
        let number = text.strip_prefix(r#"{"values":{"v":"#).unwrap();
        let number = number.strip_suffix(r#"},"model":"flights-gbm@1"}"#).unwrap();
        // Not by serde_json, which by default reads to the last digit but one.
        match value.is_finite() {
            true => prop_assert_eq!(number.parse::<f64>().unwrap().to_bits(), value.to_bits()),
            false => prop_assert_eq!(number, "null"),
        }
    }

    #[test]
    fn any_text_is_a_template_or_an_error(text in "[{}%# a-z|().\"]{0,40}") {
        if let Ok(encoder) = Encoder::new(&template(&text), &airline(), "m@1") {
            drop(encoder.encode(&batch().record(0), Some(0), &[0.5, 0.5], &mut Vec::new()));
        }
    }
}

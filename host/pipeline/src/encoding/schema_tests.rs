//! What is written by a schema is, byte for byte, what Confluent's serializers write, and what does
//! not fit is refused.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use proptest::prelude::*;
use sandbar_manifest::{Format, IdPlace, SchemaFormat, SinkSchema};
use sandbar_record::{Batch, SchemaHeader};
use sandbar_sandbox::OutputSchema;
use sandbar_schemas::{Language, Schema, SchemaId, Schemas, SubjectSchema};
use serde::Deserialize;

use super::{EncodeError, Predicting, Prediction, SchemaContext, Writer};

/// What `tests/golden/predictions/make.py` writes.
#[derive(Deserialize)]
struct Case {
    format: String,
    name: Option<String>,
    namespace: Option<String>,
    top: Option<std::num::NonZeroUsize>,
    given: bool,
    schema: String,
    id: u32,
    guid: String,
    scorers: Vec<Answer>,
    value: String,
    header: String,
}

#[derive(Deserialize)]
struct Answer {
    stage: String,
    classes: Option<Vec<String>>,
    #[serde(default)]
    names: Vec<String>,
    label: Option<u32>,
    values: Vec<serde_json::Value>,
    model: String,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../../tests/golden/predictions/predictions.json");
    serde_json::from_str(text).unwrap()
}

fn language(format: &str) -> Language {
    match format {
        "avro" => Language::Avro,
        "protobuf" => Language::Protobuf,
        _ => Language::JsonSchema,
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn classes(names: &[&str]) -> OutputSchema {
    OutputSchema::Classes(names.iter().map(|name| (*name).to_owned()).collect())
}

fn values(names: &[&str]) -> OutputSchema {
    OutputSchema::Values(names.iter().map(|name| (*name).to_owned()).collect())
}

/// A context with one schema in a file.
fn with_file(text: &str) -> SchemaContext {
    let schema = Schema { language: Language::Avro, text: text.to_owned(), references: Vec::new() };
    let files = BTreeMap::from([("given".to_owned(), schema)]);
    let schemas = Schemas::new(Err("no registry".to_owned()), Default::default(), files);
    SchemaContext { files: Some(Arc::new(schemas)), ..SchemaContext::default() }
}

fn format(language: Language, schema: SinkSchema) -> SchemaFormat {
    SchemaFormat { language, top: None, schema, topic: "out".to_owned() }
}

fn write(
    format: &SchemaFormat,
    scorers: &[Predicting<'_>],
    context: &SchemaContext,
    predictions: &[Prediction<'_>],
) -> Result<(Vec<u8>, SchemaHeader, String), String> {
    let format = Format::Schema(Box::new(format.clone()));
    let writer = Writer::new(&format, scorers, context).map_err(|error| error.to_string())?;
    let mut batch = Batch::new("in".into(), 0, 1);
    batch.push(7, None, None, None, std::iter::empty::<(&str, _)>());
    let mut out = b"before".to_vec();
    let written = writer.encode(&batch.record(0), predictions.iter().copied(), &mut out);
    written.map_err(|error: EncodeError| error.to_string())?;
    let schema = writer.schema().unwrap().schema.text.clone();
    Ok((out.strip_prefix(b"before").unwrap().to_vec(), writer.header().clone(), schema))
}

#[test]
fn predictions_are_what_confluents_serializers_write() {
    let cases = cases();
    assert!(cases.len() > 25);
    for (number_of, case) in cases.iter().enumerate() {
        let outputs: Vec<OutputSchema> = case
            .scorers
            .iter()
            .map(|it| match &it.classes {
                Some(names) => OutputSchema::Classes(names.clone()),
                None => OutputSchema::Values(it.names.clone()),
            })
            .collect();
        let scorers: Vec<Predicting<'_>> = case
            .scorers
            .iter()
            .zip(&outputs)
            .map(|(it, output)| Predicting { stage: &it.stage, output, model: &it.model })
            .collect();
        let numbers: Vec<Vec<f64>> =
            case.scorers.iter().map(|it| it.values.iter().map(number).collect()).collect();
        let predictions: Vec<Prediction<'_>> = case
            .scorers
            .iter()
            .zip(&numbers)
            .map(|(it, values)| Prediction { label: it.label, values })
            .collect();
        let guid = u128::from_str_radix(&case.guid.replace('-', ""), 16).unwrap().to_be_bytes();
        let front = if case.format == "protobuf" { 6 } else { 5 };
        for id in [IdPlace::Prefix, IdPlace::Header, IdPlace::None] {
            let schema = SinkSchema {
                id,
                name: case.name.clone(),
                namespace: case.namespace.clone(),
                file: case.given.then(|| "given".to_owned()),
                ..SinkSchema::default()
            };
            let language = language(&case.format);
            let format = SchemaFormat { top: case.top, ..format(language, schema) };
            let text = case.schema.clone();
            let known = SubjectSchema { subject: "out-value".to_owned(), language, text };
            let ids = HashMap::from([(known, SchemaId { id: case.id, guid: Some(guid) })]);
            let context = SchemaContext { ids: Some(Arc::new(ids)), ..with_file(&case.schema) };
            let (value, header, text) = write(&format, &scorers, &context, &predictions)
                .unwrap_or_else(|error| panic!("{number_of}: {error}"));
            assert_eq!(text, case.schema, "{number_of}");
            let (expected, set) = match id {
                IdPlace::Prefix => (bytes(&case.value), SchemaHeader::Removed),
                IdPlace::Header => (
                    bytes(&case.value)[front..].to_vec(),
                    SchemaHeader::Set(bytes(&case.header).into()),
                ),
                IdPlace::None => (bytes(&case.value)[front..].to_vec(), SchemaHeader::Removed),
            };
            assert_eq!(value, expected, "{number_of} {} {id:?}", case.format);
            assert_eq!(header, set, "{number_of} {} {id:?}", case.format);
        }
    }
}

#[test]
fn a_registry_without_globally_unique_ids_has_its_numbers_in_headers() {
    let output = classes(&["NO", "YES"]);
    let scorers = [Predicting { stage: "score", output: &output, model: "m@1" }];
    let own = SinkSchema { id: IdPlace::Header, ..SinkSchema::default() };
    for (language, expected) in
        [(Language::Avro, &[0, 0, 0, 1, 2][..]), (Language::Protobuf, &[0, 0, 0, 1, 2, 0])]
    {
        let format = format(language, own.clone());
        let prediction = Prediction { label: Some(0), values: &[0.5, 0.5] };
        let (_, _, text) =
            write(&format, &scorers, &SchemaContext::default(), &[prediction]).unwrap();
        let known = SubjectSchema { subject: "out-value".to_owned(), language, text };
        let ids = HashMap::from([(known, SchemaId { id: 258, guid: None })]);
        let context = SchemaContext { ids: Some(Arc::new(ids)), ..SchemaContext::default() };
        let (_, header, _) = write(&format, &scorers, &context, &[prediction]).unwrap();
        assert_eq!(header, SchemaHeader::Set(expected.into()));
    }
}

#[test]
fn stages_whose_names_are_the_same_by_then_are_refused() {
    let output = values(&["x"]);
    let error = |first: &str, second: &str, language| {
        let scorer = |stage| Predicting { stage, output: &output, model: "m@1" };
        let scorers = [scorer(first), scorer("other"), scorer(second)];
        let predictions = [Prediction { label: None, values: &[1.0] }; 3];
        let format = format(language, SinkSchema::default());
        write(&format, &scorers, &SchemaContext::default(), &predictions).err()
    };
    assert_eq!(
        error("by-how", "by.how", Language::Avro).unwrap(),
        "stages 'by-how' and 'by.how' are both written as 'by_how', as Avro takes letters, digits and '_' alone; rename one of them"
    );
    for language in [Language::Avro, Language::Protobuf] {
        assert!(error("by-how", "by_how", language).is_some());
        assert!(error("stage_2", "2", language).is_some());
        assert!(error("by-how", "by-now", language).is_none());
    }
    // Their JSON has the same name.
    assert!(error("byHow", "by_how", Language::Protobuf).is_some());
    assert!(error("byHow", "by_how", Language::Avro).is_none());
    assert!(error("by-how", "by.how", Language::JsonSchema).is_none());
}

/// The error of a given schema for flights, without what stands in front of all of them.
fn refused(schema: &str) -> String {
    let output = classes(&["NO", "YES"]);
    let scorers = [Predicting { stage: "score", output: &output, model: "m@1" }];
    let own = SinkSchema { file: Some("given".to_owned()), ..SinkSchema::default() };
    let prediction = Prediction { label: Some(0), values: &[0.5, 0.5] };
    let format = format(Language::Avro, own);
    let error = write(&format, &scorers, &with_file(schema), &[prediction]).unwrap_err();
    error.strip_prefix("schema 'given': ").unwrap().to_owned()
}

#[test]
fn a_given_schema_that_does_not_fit_is_refused_with_its_place() {
    let with = |fields: &str| {
        refused(&format!("{{\"type\":\"record\",\"name\":\"a.R\",\"fields\":[{fields}]}}"))
    };
    let field = |name: &str, ty: &str| format!("{{\"name\":\"{name}\",\"type\":{ty}}}");
    for (schema, expected) in [
        ("{", "not JSON: EOF while parsing an object at line 1 column 1"),
        ("\"string\"", "expected a record, got string"),
        ("\"Gone\"", "the schema defines no type 'Gone'"),
        ("7", "expected a type, got 7"),
        ("{}", "a type without its 'type'"),
        (r#"{"type":"record","fields":[]}"#, "a type without its 'name'"),
        (r#"{"type":"record","name":"R"}"#, "a type without its 'fields'"),
        (
            r#"{"type":"record","name":"R","fields":[]}"#,
            "no field is of a prediction, which has 'label', 'probability', 'probabilities', 'model'",
        ),
    ] {
        assert_eq!(refused(schema), expected, "{schema}");
    }
    for (name, ty, expected) in [
        (
            "lable",
            "\"string\"",
            "lable: no prediction has this, and it cannot be null; predictions have 'label', 'probability', 'probabilities', 'model': leave the field out, or make its type [\"null\", ...]",
        ),
        ("values", "{\"type\":\"map\",\"values\":\"double\"}", "values: no prediction has this"),
        ("lable", "[\"null\",\"string\"]", "no field is of a prediction"),
        ("label", "\"int\"", "label: expected string or an enum of the classes, got int"),
        (
            "label",
            "[\"null\",\"int\"]",
            "label: expected string or an enum of the classes, got int",
        ),
        ("label", "[\"null\"]", "label: a union without a type that fits"),
        (
            "label",
            "{\"type\":\"string\",\"logicalType\":\"uuid\"}",
            "label: expected string or an enum of the classes, got uuid",
        ),
        (
            "label",
            r#"{"type":"enum","name":"E","symbols":["NO"]}"#,
            "label: the enum has no symbol for the class 'YES'; add it",
        ),
        ("probability", "\"long\"", "probability: expected double or float, got long"),
        (
            "probability",
            "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9}",
            "got decimal",
        ),
        (
            "probabilities",
            "\"double\"",
            "probabilities: expected a map of double or float, or a record with a field for each, got double",
        ),
        (
            "probabilities",
            "{\"type\":\"map\",\"values\":\"string\"}",
            "probabilities: expected a map of double or float, got string",
        ),
        (
            "probabilities",
            r#"{"type":"record","name":"P","fields":[{"name":"NO","type":"double"}]}"#,
            "probabilities: no field for 'YES'; add 'YES'",
        ),
        (
            "probabilities",
            r#"{"type":"record","name":"P","fields":[{"name":"NO","type":"double"},{"name":"YES","type":"int"}]}"#,
            "probabilities.YES: expected double or float, got int",
        ),
        ("probabilities", "{\"type\":\"array\",\"items\":\"double\"}", "got array"),
        ("model", "\"bytes\"", "model: expected string, got bytes"),
        ("model", "\"a.Gone\"", "model: the schema defines no type 'a.Gone'"),
        ("model", "\"Gone\"", "model: the schema defines no type 'a.Gone'"),
    ] {
        let error = with(&field(name, ty));
        assert!(error.contains(expected), "{name} {ty}: {error}");
    }
    // Depth is bounded, and a type in itself is no endless loop.
    assert!(with(&field("label", &("[".repeat(200) + &"]".repeat(200)))).contains("not JSON"));
    assert!(with(&field("model", "\"R\"")).contains("got the record 'a.R'"));
}

#[test]
fn a_number_that_a_float_does_not_take_fails() {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"values","type":{"type":"map","values":"float"}}]}"#;
    let output = values(&["x"]);
    let scorers = [Predicting { stage: "score", output: &output, model: "m@1" }];
    let own = SinkSchema { file: Some("given".to_owned()), ..SinkSchema::default() };
    let with = |number: f64| {
        let prediction = Prediction { label: None, values: &[number] };
        let format = format(Language::Avro, own.clone());
        write(&format, &scorers, &with_file(schema), &[prediction]).map(|(value, ..)| value)
    };
    let error = with(1e300).unwrap_err();
    assert!(error.ends_with("is more than a float takes; make the field a double in the schema"));
    for number in [1.5, f64::INFINITY, 1e-300, f64::from(f32::MAX)] {
        let value = with(number).unwrap();
        assert_eq!(value[5..], [&[2, 2, b'x'], &(number as f32).to_le_bytes()[..], &[0]].concat());
    }
}

#[test]
fn a_prediction_of_another_shape_is_an_error() {
    let output = classes(&["NO", "YES"]);
    let scorers = [Predicting { stage: "score", output: &output, model: "m@1" }];
    for language in [Language::Avro, Language::Protobuf, Language::JsonSchema] {
        let format = format(language, SinkSchema::default());
        for (label, values) in
            [(None, &[0.5, 0.5][..]), (Some(2), &[0.5, 0.5]), (Some(0), &[0.5]), (Some(0), &[])]
        {
            let prediction = Prediction { label, values };
            let written = write(&format, &scorers, &SchemaContext::default(), &[prediction]);
            let error = written.unwrap_err();
            assert!(error.contains("the scorer gave"), "{error}");
        }
        assert!(write(&format, &scorers, &SchemaContext::default(), &[]).is_err());
    }
}

type Numbers = Vec<(String, f64)>;

/// Reads a record of the generated schema: the label, the numbers in their order, the model.
fn read(mut from: &[u8]) -> Option<(String, Numbers, String)> {
    fn long(from: &mut &[u8]) -> Option<i64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = from.split_first()?;
            *from = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        None
    }
    fn text(from: &mut &[u8]) -> Option<String> {
        let length = usize::try_from(long(from)?).ok()?;
        let (text, rest) = from.split_at_checked(length)?;
        *from = rest;
        String::from_utf8(text.to_vec()).ok()
    }
    let from = &mut from;
    let label = text(from)?;
    let mut entries = Vec::new();
    loop {
        let count = long(from)?;
        if count == 0 {
            break;
        }
        for _ in 0..count {
            let key = text(from)?;
            let (number, rest) = from.split_first_chunk::<8>()?;
            *from = rest;
            entries.push((key, f64::from_le_bytes(*number)));
        }
    }
    let model = text(from)?;
    from.is_empty().then_some((label, entries, model))
}

proptest! {
    #[test]
    fn any_prediction_reads_back_the_same(
        named in prop::collection::btree_map(".{0,12}", prop::num::f64::ANY, 1..200),
        label in any::<prop::sample::Index>(),
        model in ".{1,12}",
    ) {
        let (names, values): (Vec<String>, Vec<f64>) = named.into_iter().unzip();
        let label = label.index(names.len());
        let output = OutputSchema::Classes(names.clone());
        let scorers = [Predicting { stage: "score", output: &output, model: &model }];
        let schema = SinkSchema { id: IdPlace::None, ..SinkSchema::default() };
        let prediction = Prediction { label: Some(label as u32), values: &values };
        let format = format(Language::Avro, schema);
        let (value, ..) =
            write(&format, &scorers, &SchemaContext::default(), &[prediction]).unwrap();
        let (own, entries, made_by) = read(&value).unwrap();
        prop_assert_eq!(own, names[label].clone());
        prop_assert_eq!(made_by, model);
        let bits = |(name, value): (&String, &f64)| (name.clone(), value.to_bits());
        let expected: Vec<_> = names.iter().zip(&values).map(bits).collect();
        let found: Vec<_> = entries.iter().map(|(name, value)| bits((name, value))).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_schema_is_fitted_or_refused(
        text in "[{}\\[\\]\",: a-z]{0,60}",
        ty in prop::sample::select(vec!["string", "map", "record", "enum", "null", "R", "a.R"]),
    ) {
        let output = classes(&["NO", "YES"]);
        let scorers = [Predicting { stage: "score", output: &output, model: "m@1" }];
        drop(super::given::fit(&text, &scorers));
        let field = format!(
            r#"{{"type":"record","name":"R","fields":[{{"name":"label","type":{{"type":"{ty}",{text}}}}}]}}"#
        );
        drop(super::given::fit(&field, &scorers));
    }
}

//! The schemas that follow from what scorers predict, as texts. They are the same for the same
//! stages, whatever their classes are called, and are written by hand so that nothing changes
//! them by the way: a registry has them for good.

use sandbar_manifest::{FormatError, SinkSchema};
use sandbar_sandbox::OutputSchema;
use sandbar_schemas::Language;

use super::json::quote;
use super::prediction::Predicting;

/// The full name of what a generated schema describes.
pub(super) fn full_name(schema: &SinkSchema) -> String {
    match &schema.namespace {
        Some(namespace) => format!("{namespace}.{}", schema.name()),
        None => schema.name().to_owned(),
    }
}

/// The schema of the predictions of these scorers.
///
/// # Errors
/// If two stages have the same name in this language.
pub(super) fn generate(
    language: Language,
    schema: &SinkSchema,
    scorers: &[Predicting<'_>],
) -> Result<String, FormatError> {
    Ok(match language {
        Language::Avro => avro(schema, &fields(scorers, "Avro", str::to_owned)?, scorers),
        Language::Protobuf => {
            // The names that its JSON has may not be the same either.
            let json = |name: &str| name.replace('_', "").to_ascii_lowercase();
            protobuf(schema, &fields(scorers, "Protobuf", json)?, scorers)
        }
        Language::JsonSchema => json_schema(schema, scorers),
    })
}

/// The name that Avro and Protobuf take in place of any: what they do not take is '_'.
pub(super) fn field_name(name: &str) -> String {
    let plain = |it: char| if it.is_ascii_alphanumeric() { it } else { '_' };
    let field: String = name.chars().map(plain).collect();
    match field.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("stage_{field}"),
        false => field,
    }
}

/// A field for each stage; `key` is what must differ.
fn fields(
    scorers: &[Predicting<'_>],
    language: &'static str,
    key: impl Fn(&str) -> String,
) -> Result<Vec<String>, FormatError> {
    let fields: Vec<String> = scorers.iter().map(|scorer| field_name(scorer.stage)).collect();
    for (second, name) in fields.iter().enumerate() {
        if let Some(first) = fields[..second].iter().position(|other| key(other) == key(name)) {
            return Err(FormatError::SameName {
                first: scorers[first].stage.to_owned(),
                second: scorers[second].stage.to_owned(),
                name: name.clone(),
                language,
            });
        }
    }
    Ok(fields)
}

/// What the predictions of a form are called, where there are several.
fn part(schema: &SinkSchema, output: &OutputSchema) -> String {
    let form = if is_labelled(output) { "Classes" } else { "Values" };
    format!("{}{form}", schema.name())
}

fn is_labelled(output: &OutputSchema) -> bool {
    matches!(output, OutputSchema::Classes(_))
}

fn avro(schema: &SinkSchema, fields: &[String], scorers: &[Predicting<'_>]) -> String {
    let named = |name: &str, namespace: Option<&str>, fields: &str| {
        let namespace = namespace.map(|it| format!(",\"namespace\":\"{it}\"")).unwrap_or_default();
        format!("{{\"type\":\"record\",\"name\":\"{name}\"{namespace},\"fields\":[{fields}]}}")
    };
    let map = "{\"type\":\"map\",\"values\":\"double\"}";
    let of = |output: &OutputSchema| match is_labelled(output) {
        true => format!(
            "{{\"name\":\"label\",\"type\":\"string\"}},{{\"name\":\"probabilities\",\"type\":{map}}},{{\"name\":\"model\",\"type\":\"string\"}}"
        ),
        false => format!(
            "{{\"name\":\"values\",\"type\":{map}}},{{\"name\":\"model\",\"type\":\"string\"}}"
        ),
    };
    let namespace = schema.namespace.as_deref();
    if let [scorer] = scorers {
        return named(schema.name(), namespace, &of(scorer.output));
    }
    let mut defined = Vec::new();
    let stages = scorers.iter().zip(fields).map(|(scorer, field)| {
        let part = part(schema, scorer.output);
        let ty = match defined.contains(&part) {
            true => format!("\"{part}\""),
            false => named(&part, None, &of(scorer.output)),
        };
        defined.push(part);
        let doc = match scorer.stage == field {
            true => String::new(),
            false => format!(",\"doc\":{}", quote(&format!("stage {}", scorer.stage))),
        };
        format!("{{\"name\":\"{field}\"{doc},\"type\":{ty}}}")
    });
    named(schema.name(), namespace, &stages.collect::<Vec<_>>().join(","))
}

/// The numbers of the fields of a prediction: what has a number never means anything else.
pub(super) const LABEL: u32 = 1;
pub(super) const PROBABILITIES: u32 = 2;
pub(super) const VALUES: u32 = 3;
pub(super) const MODEL: u32 = 4;

fn protobuf(schema: &SinkSchema, fields: &[String], scorers: &[Predicting<'_>]) -> String {
    let mut text = "syntax = \"proto3\";\n".to_owned();
    if let Some(package) = &schema.namespace {
        text += &format!("package {package};\n");
    }
    let message = |name: &str, fields: &[String]| {
        let fields: String = fields.iter().map(|field| format!("  {field};\n")).collect();
        format!("\nmessage {name} {{\n{fields}}}\n")
    };
    let of = |output: &OutputSchema| match is_labelled(output) {
        true => vec![
            format!("string label = {LABEL}"),
            format!("map<string, double> probabilities = {PROBABILITIES}"),
            format!("string model = {MODEL}"),
        ],
        false => vec![
            format!("map<string, double> values = {VALUES}"),
            format!("string model = {MODEL}"),
        ],
    };
    if let [scorer] = scorers {
        return text + &message(schema.name(), &of(scorer.output));
    }
    let (mut parts, mut texts) = (Vec::new(), String::new());
    let stages = scorers.iter().zip(fields).enumerate().map(|(at, (scorer, field))| {
        let part = part(schema, scorer.output);
        let stage = format!("{part} {field} = {}", at + 1);
        if !parts.contains(&part) {
            texts += &message(&part, &of(scorer.output));
            parts.push(part);
        }
        stage
    });
    let stages: Vec<String> = stages.collect();
    text + &message(schema.name(), &stages) + &texts
}

fn json_schema(schema: &SinkSchema, scorers: &[Predicting<'_>]) -> String {
    let object = |properties: &[(String, String)]| {
        let named: Vec<String> =
            properties.iter().map(|(name, ty)| format!("{}:{ty}", quote(name))).collect();
        let names: Vec<String> = properties.iter().map(|(name, _)| quote(name)).collect();
        format!(
            "\"type\":\"object\",\"properties\":{{{}}},\"required\":[{}],\"additionalProperties\":false",
            named.join(","),
            names.join(",")
        )
    };
    let of = |output: &OutputSchema| {
        // What is no number, or infinite, is null.
        let map = "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"number\",\"null\"]}}";
        let text = || "{\"type\":\"string\"}".to_owned();
        let property = |name: &str, ty: String| (name.to_owned(), ty);
        let mut properties = match is_labelled(output) {
            true => vec![property("label", text()), property("probabilities", map.to_owned())],
            false => vec![property("values", map.to_owned())],
        };
        properties.push(property("model", text()));
        object(&properties)
    };
    let content = match scorers {
        [scorer] => of(scorer.output),
        scorers => {
            let stage =
                |it: &Predicting<'_>| (it.stage.to_owned(), format!("{{{}}}", of(it.output)));
            object(&scorers.iter().map(stage).collect::<Vec<_>>())
        }
    };
    let (draft, title) = ("http://json-schema.org/draft-07/schema#", quote(&full_name(schema)));
    format!("{{\"$schema\":\"{draft}\",\"title\":{title},{content}}}")
}

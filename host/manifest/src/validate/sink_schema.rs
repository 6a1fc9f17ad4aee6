//! The rules of `schema` in `[sink]` and in its routes.

use std::path::Path;

use sandbar_config::KeyPath;
use sandbar_record::SCHEMA_HEADER;
use sandbar_schemas::Language;

use crate::format::FormatName;
use crate::manifest::Manifest;
use crate::sink_schema::{IdPlace, SinkSchema};

/// Where a schema has no meaning.
const UNUSED: &str = "only applies to format = \"avro\", \"protobuf\" and \"json-schema\"; choose \
                      one of them, or leave it out";

/// What is wrong, each with its place.
pub(super) fn problems(manifest: &Manifest) -> Vec<(KeyPath, String)> {
    let mut problems = Vec::new();
    let (sink, place) = (&manifest.sink, KeyPath::of("sink"));
    let own = language(sink.format, sink.template.is_some());
    let (mut is_used, mut by_schema) = (own.is_some(), own.is_some());
    if let Some(language) = own {
        form(manifest, &place, language, sink.schema.as_ref(), &mut problems);
    }
    for (index, route) in sink.routes.iter().enumerate() {
        let place = place.clone().key("routes").index(index);
        let format = manifest.format_name(route);
        match (language(Some(format), route.template.is_some()), &route.schema) {
            (Some(language), Some(schema)) => {
                by_schema = true;
                form(manifest, &place, language, Some(schema), &mut problems);
            }
            // What is wrong with that of `[sink]` is said there, unless it is for another format.
            (Some(language), None) => {
                (is_used, by_schema) = (true, true);
                if own != Some(language) {
                    form(manifest, &place, language, sink.schema.as_ref(), &mut problems);
                }
            }
            (None, Some(_)) => problems.push((place.key("schema"), UNUSED.to_owned())),
            (None, None) => {}
        }
    }
    let routed = sink
        .routes
        .iter()
        .enumerate()
        .map(|(index, route)| (place.clone().key("routes").index(index), &route.headers));
    for (place, headers) in std::iter::once((place.clone(), &sink.headers)).chain(routed) {
        if by_schema && headers.contains_key(SCHEMA_HEADER) {
            let message =
                "is written by the schema; leave it out, or write schema = { id = \"header\" }";
            problems.push((place.key("headers").key(SCHEMA_HEADER), message.to_owned()));
        }
    }
    if sink.schema.is_some() && !is_used {
        problems.push((place.key("schema"), UNUSED.to_owned()));
    }
    problems
}

/// What schemas of a format are written in; `None`: it has none.
fn language(format: Option<FormatName>, is_template: bool) -> Option<Language> {
    format.filter(|_| !is_template).and_then(FormatName::language)
}

/// `format` and `schema` go together, and with `[schemas]`.
fn form(
    manifest: &Manifest,
    place: &KeyPath,
    language: Language,
    schema: Option<&SinkSchema>,
    problems: &mut Vec<(KeyPath, String)>,
) {
    let at = |key: &str| place.clone().key("schema").key(key);
    let mut report = |place: KeyPath, message: &str| problems.push((place, message.to_owned()));
    let none = SinkSchema::default();
    let schema = schema.unwrap_or(&none);
    if let (Some(_), Some(_)) = (&schema.subject, schema.strategy) {
        report(at("strategy"), "conflicts with 'subject'; leave one of them out");
    }
    let has_registry = manifest.schemas.as_ref().is_some_and(|section| !section.urls.is_empty());
    if schema.id == IdPlace::None {
        let asked = [
            ("subject", schema.subject.is_some()),
            ("strategy", schema.strategy.is_some()),
            ("register", schema.register),
        ];
        for (key, _) in asked.into_iter().filter(|(_, is_there)| *is_there) {
            let message = "is of a registry, which is not asked with id = \"none\"; leave one of \
                           them out";
            report(at(key), message);
        }
    } else if !has_registry {
        let message = "needs a registry, which gives schemas their ids: add urls = [\"URL\"] to \
                       [schemas], or write schema = { id = \"none\" }";
        report(place.clone().key("format"), message);
    }
    names(schema, &at, &mut report);
    let Some(file) = &schema.file else { return };
    let files = manifest.schemas.as_ref().map(|section| &section.files);
    match files.and_then(|files| files.get(file)) {
        _ if language != Language::Avro => {
            let message = "only schemas of Avro can be given; leave it out, and one is generated";
            report(at("file"), message);
        }
        None => {
            report(at("file"), &format!("[schemas.files] has no '{file}'; add it there"));
        }
        Some(path) if is_avro(path) => {}
        Some(path) => {
            let message = format!("{}: expected a file that ends in .avsc", path.display());
            report(at("file"), &message);
        }
    }
}

/// What is generated has names that all three languages take.
fn names(schema: &SinkSchema, at: &dyn Fn(&str) -> KeyPath, report: &mut dyn FnMut(KeyPath, &str)) {
    for (key, text) in [("name", &schema.name), ("namespace", &schema.namespace)] {
        let Some(text) = text else { continue };
        let parts = if key == "name" { 1 } else { usize::MAX };
        if schema.file.is_some() {
            report(at(key), "is said by the schema of 'file'; leave one of them out");
        } else if text.split('.').count() > parts || !text.split('.').all(is_name) {
            let message = "expected letters, digits and '_', with no digit first";
            let dots =
                if key == "namespace" { "; several parts with '.' between them" } else { "" };
            report(at(key), &format!("{message}{dots}"));
        }
    }
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let begins = characters.next().is_some_and(|it| it.is_ascii_alphabetic() || it == '_');
    begins && characters.all(|it| it.is_ascii_alphanumeric() || it == '_')
}

fn is_avro(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.and_then(Language::of_extension) == Some(Language::Avro)
}

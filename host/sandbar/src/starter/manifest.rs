//! The texts of a new pipeline: its manifest, and a case of the sample records.

use std::fmt::Write;

use super::model::{FOLDER, list};
use super::sample::{Form, Records};

/// The manifest of a pipeline that reads a topic, with this scorer.
pub(super) fn manifest(name: &str, topic: &str, scorer: &str, records: &Records) -> String {
    format!(
        "name = \"{name}\"\n\n\
         # Where the records are: give the brokers with --brokers, or here under [kafka].\n\
         [source]\ntopics = [{source}]\n\n\
         [sink]\ntopic = \"{name}-predictions\"\n\n\
         [models]\n{name} = \"{folder}\"\n\n\
         # Records to the columns that the model wants, by name. All that can be said about them is in\n\
         # docs/reference/record-features.md.\n\
         [[stages]]\nname = \"extract\"\ncomponent = \"builtin:record-features\"\n\
         config = {config}\n\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{scorer}\"\nmodels = [\"{name}\"]\n",
        source = toml::Value::from(topic),
        folder = FOLDER,
        config = config(records),
    )
}

/// What the extractor has to know of the records.
fn config(records: &Records) -> String {
    let mut text = format!("{{ format = \"{}\"", records.form);
    if records.form == Form::Csv {
        let _ = write!(text, ", fields = {}", list(&records.fields));
        if records.separator != ',' {
            let separator = toml::Value::from(records.separator.to_string());
            let _ = write!(text, ", separator = {separator}");
        }
    }
    text.push_str(" }");
    text
}

/// A case, without what is expected.
pub(super) fn cases(records: &Records) -> String {
    let mut text = String::from(
        "# What the pipeline predicts for the sample records, as it did when this was written: look it\n\
         # over. `sandbar test` compares, `sandbar test --bless` writes what it is now.\n\n\
         [[tests]]\nname = \"sample records\"\nrecords = [\n",
    );
    for value in &records.values {
        let _ = writeln!(text, "    {{ value = {} }},", toml::Value::from(value.as_str()));
    }
    text.push_str("]\n");
    text
}

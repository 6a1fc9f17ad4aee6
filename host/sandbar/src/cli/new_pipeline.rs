//! `sandbar new pipeline`

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::Args;
use rdkafka::message::Message;
use sandbar_files::limits;
use sandbar_kafka::config::{Connection, Properties};
use sandbar_kafka::to_the_end::{self, Begin};
use sandbar_pipeline::harness::Harness;
use sandbar_pipeline::{Definition, Plan};
use sandbar_record::Input;

use super::common::Common;
use super::test::Test;
use crate::output::say;
use crate::starter::{CASES, Form, MANIFEST, Records, Starter};

/// How many records are taken from each partition of a topic.
const LATEST: i64 = 20;

/// Create a pipeline without code: from a model's file and some records to predictions.
///
/// The model is a MOJO of H2O (a zip file), a model of XGBoost (JSON or UBJSON) or LightGBM (text),
/// an ONNX graph (.onnx) or a frozen graph of TensorFlow (.pb); the records are CSV or JSON. The
/// folder has the manifest, with operators that come with this command, the model, and a case with
/// what it predicts for the records: look it over.
#[derive(Debug, Args)]
pub(super) struct NewPipeline {
    /// Its name, as in "churn"; also the source topic's unless --topic says another.
    #[arg(value_name = "NAME")]
    name: String,
    /// The model's file.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// A file of sample records: lines of CSV below a line of names, or JSON objects.
    #[arg(long, value_name = "FILE", required_unless_present = "from")]
    records: Option<PathBuf>,
    /// Take the latest records of this topic as samples, which the pipeline then reads.
    #[arg(long, value_name = "TOPIC", conflicts_with = "records", requires = "brokers")]
    from: Option<String>,
    /// The brokers of --from, "host:port" separated by commas.
    #[arg(long, value_name = "HOST:PORT,...", env = "SANDBAR_BROKERS")]
    brokers: Option<String>,
    /// What the records are. [default: told by their first character]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Form>,
    /// The names of the columns of CSV that has no line of them, in their order.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    fields: Vec<String>,
    /// The columns that a graph's only input takes, or a model of XGBoost or LightGBM that was
    /// trained without names, in the order that it was trained with.
    /// [default: for a graph all columns of CSV, if they are as many]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    features: Vec<String>,
    /// The names of the classes that a graph, XGBoost or LightGBM has numbers for, in their order.
    /// [default: 0, 1, ...]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    labels: Vec<String>,
    /// The topic that the pipeline reads. [default: that of --from, or NAME]
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// The folder to create. [default: NAME]
    #[arg(long, value_name = "FOLDER")]
    path: Option<PathBuf>,
}

impl NewPipeline {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let records = self.sample()?;
        let folder = self.path.unwrap_or_else(|| PathBuf::from(&self.name));
        let starter = Starter {
            name: self.name,
            folder,
            model: self.model,
            records,
            topic: self.topic.or(self.from),
            features: self.features,
            labels: self.labels,
        };
        starter.create()?;
        let folder = starter.folder.display();
        let manifest = starter.folder.join(MANIFEST);
        let failed = failed(&manifest, starter.records.values(), common)?;
        Test::of(&manifest).blessing().execute(common)?;
        say!();
        say!("{folder}: a pipeline. Look over what it predicts in {folder}/{CASES}, then:");
        say!();
        for step in [
            format!("cd {folder}"),
            format!("sandbar test {MANIFEST}"),
            format!("sandbar topics create {MANIFEST} --brokers HOST:PORT"),
            format!("sandbar run {MANIFEST} --brokers HOST:PORT"),
        ] {
            say!("    {step}");
        }
        if let Some(first) = failed.first() {
            bail!(
                "{} of {} sample records become dead letters: {first}: say more about the records \
                 in {folder}/{MANIFEST}, or correct them, and then `sandbar test --bless`",
                failed.len(),
                starter.records.values().len()
            );
        }
        Ok(())
    }

    fn sample(&self) -> anyhow::Result<Records> {
        let text = |place: &str, bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .map_err(|_| anyhow!("{place}: not UTF-8: write the records as UTF-8"))
        };
        let (place, text) = match (&self.records, &self.from) {
            (Some(path), _) => {
                let place = path.display().to_string();
                let bytes = sandbar_files::read(Path::new(path), limits::DOCUMENT)
                    .map_err(|error| anyhow!("{place}: {error}"))?;
                (place.clone(), text(&place, bytes)?)
            }
            (None, from) => {
                let topic = from.clone().unwrap_or_default();
                let place = format!("topic '{topic}'");
                (place.clone(), text(&place, self.latest(&topic)?)?)
            }
        };
        Ok(Records::of_text(&place, &text, self.format, &self.fields)?)
    }

    /// The latest records of a topic, a line each.
    fn latest(&self, topic: &str) -> anyhow::Result<Vec<u8>> {
        let connection = Connection {
            brokers: self.brokers.clone().unwrap_or_default(),
            consumer: Properties::new(),
            producer: Properties::new(),
        };
        let mut lines = Vec::new();
        to_the_end::read(&connection, topic, "--from", Begin::Latest(LATEST), |message| {
            if let Some(value) = message.payload() {
                lines.extend_from_slice(value);
                if !value.ends_with(b"\n") {
                    lines.push(b'\n');
                }
            }
            true
        })?;
        Ok(lines)
    }
}

/// Why sample records fail in the new pipeline.
fn failed(manifest: &Path, values: &[String], common: &Common) -> anyhow::Result<Vec<String>> {
    let definition = Definition::new(common.manifest(manifest)?, common.cache_folder());
    let mut harness = Harness::new(&Plan::anew(&definition, &common.sandbox()?)?.readable())?;
    let written = harness.pipe(values.iter().map(|value| Input::value(value.as_str())))?;
    let letters = written.dead_letters.iter();
    Ok(letters.map(|letter| format!("{}: {}", letter.code, letter.message)).collect())
}

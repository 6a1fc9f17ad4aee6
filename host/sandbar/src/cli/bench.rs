//! `sandbar bench`

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use toml::{Table, Value};

use super::common::Common;
use crate::bench;
use crate::bench::{BenchReport, Length, Options, Work};
use crate::local::lines::{self, LineSource};
use crate::output;
use sandbar_manifest::Manifest;
use sandbar_pipeline::plan::operators;
use sandbar_pipeline::{Definition, Plan};
use sandbar_record::BatchLimits;
use sandbar_sandbox::Sandbox;
use sandbar_sandbox::operator_folder::{DESCRIPTION, OperatorFolder};

/// Bytes of records to measure with; of a larger input, the beginning.
const ENOUGH: usize = 256 << 20;

/// Measure how fast operators are and where their time goes.
///
/// Each stage is called with the records in batches, as a runner calls it, in alternating
/// rounds: in the sandbox as it is, with all limits off, and with --native as the native
/// build of the same code. Times are CPU time for one record: the median of the rounds.
///
/// A time in the sandbox has three parts. `interface` is what it costs to pass the columns:
/// copies, checks, and memory for them in the guest. `guest` is the operator's own code.
/// `host calls` are its calls to the host: models, inference, log, WASI.
///
/// Kafka, the encoding of predictions, and setting an operator up are not measured.
#[derive(Debug, Args)]
pub(super) struct Bench {
    /// The component, or its folder with an operator.toml; or a pipeline's manifest (.toml),
    /// to measure all of its stages.
    #[arg(value_name = "COMPONENT|FOLDER|PIPELINE")]
    target: PathBuf,
    /// Files with records, one a line. If they are fewer than a full batch, they are repeated.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    records: Vec<PathBuf>,
    /// Take each file as one record: for images.
    #[arg(long)]
    whole: bool,
    /// A header that every record gets. May be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<String>,
    /// The operator's configuration, as a stage's `config` in a manifest: TOML, as in
    /// 'format = "csv"', or a JSON object.
    #[arg(long, value_name = "TOML", help_heading = OF_A_COMPONENT)]
    config: Option<String>,
    /// A model that the operator may use: its name for the operator, and its folder. May be
    /// given several times; the first is the main one.
    #[arg(long, value_name = "NAME=FOLDER", help_heading = OF_A_COMPONENT)]
    models: Vec<String>,
    /// A topic that a transformer may send to. May be given several times.
    #[arg(long, value_name = "TOPIC", help_heading = OF_A_COMPONENT)]
    topics: Vec<String>,
    /// For a scorer: the extractor that makes features of the records. It gets the same
    /// models, and is not measured.
    #[arg(long, value_name = "COMPONENT|FOLDER", help_heading = OF_A_COMPONENT)]
    extractor: Option<PathBuf>,
    /// The configuration of that extractor.
    #[arg(long, value_name = "TOML", requires = "extractor", help_heading = OF_A_COMPONENT)]
    extractor_config: Option<String>,
    /// Memory of an instance. [default: that of the operator.toml, or 64 MiB]
    #[arg(long, value_name = "SIZE", help_heading = OF_A_COMPONENT)]
    memory: Option<String>,
    /// Measure this stage alone; those before it only make its records.
    #[arg(long, value_name = "NAME", help_heading = "Of a pipeline")]
    stage: Option<String>,
    /// Records of a batch. [default: 256, or what the manifest says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_records: Option<u32>,
    /// How long each stage is measured; three rounds at least.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, conflicts_with = "rounds")]
    seconds: f64,
    /// Measure this many rounds instead.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Compare with the native build of the operator's crate, which is in this folder and
    /// uses the SDK; FOLDER by default. Needs cargo, and builds below the crate's `target`.
    #[arg(long, value_name = "CRATE")]
    native: Option<Option<PathBuf>>,
    /// As JSON: a list with an object for each stage; times in nanoseconds.
    #[arg(long)]
    json: bool,
}

const OF_A_COMPONENT: &str = "Of a component";

impl Bench {
    pub(super) fn execute(self, common: &Common) -> Result<()> {
        let definition = Definition::new(self.manifest(common)?, common.cache_folder());
        let manifest = &definition.manifest;
        let mut limits = BatchLimits::from(&manifest.runner);
        if let Some(records) = self.batch_records {
            limits.records = records as usize;
        }
        let sandbox = common.sandbox()?;
        let plan = match self.is_pipeline() {
            true => Some(Plan::untried(&definition, &sandbox)?),
            false => None,
        };
        let operators = match &plan {
            Some(plan) => plan.operators().cloned().collect(),
            None => operators(&definition, &sandbox)?,
        };
        let last = operators.last().context("a pipeline has a stage")?.stage.clone();
        let wanted = match (&self.stage, self.is_pipeline()) {
            (Some(stage), _) => Some(stage.as_str()),
            // The extractor before a scorer is not measured.
            (None, false) => Some(&*last),
            (None, true) => None,
        };
        let names: Vec<&str> = operators.iter().map(|operator| &*operator.stage).collect();
        if let Some(stage) = wanted.filter(|stage| !names.contains(stage)) {
            bail!("--stage {stage}: no such stage; the pipeline has {}", names.join(", "));
        }
        ensure!(
            self.native.is_none() || wanted.is_some() || operators.len() == 1,
            "--native measures one stage; choose it with --stage: {}",
            names.join(", ")
        );
        let unlimited = Sandbox::without_deadlines(common.cache_folder())?;
        let options = Options { length: self.length()?, native: self.native()? };

        let topic = manifest.source.topics.first().map(String::as_str).unwrap_or_default();
        let records = self.work(topic, limits)?;
        let mut reports = Vec::new();
        for operator in &operators {
            if wanted.is_some_and(|stage| stage != &*operator.stage) {
                continue;
            }
            let work = match (&plan, operators.as_slice()) {
                (Some(plan), _) => records.reaching(plan, &operator.stage)?,
                (None, [extractor, _]) => records.extracted(extractor)?,
                (None, _) => records.clone(),
            };
            let report = bench::measure(operator, &unlimited, &work, &options)?;
            if !self.json {
                self.show(&report, &reports);
            }
            reports.push(report);
            if output::is_closed() {
                break;
            }
        }
        if self.json {
            output::json(&reports)?;
        }
        Ok(())
    }

    fn show(&self, report: &BenchReport, before: &[BenchReport]) {
        let between = if before.is_empty() { "" } else { "\n" };
        output::text(format_args!("{between}{report}"));
    }

    fn is_pipeline(&self) -> bool {
        let is_toml = self.target.extension().is_some_and(|extension| extension == "toml");
        is_toml && !is_folder(&self.target)
    }

    fn native(&self) -> Result<Option<PathBuf>> {
        Ok(match &self.native {
            None => None,
            Some(Some(folder)) => Some(folder.clone()),
            Some(None) if is_folder(&self.target) => {
                Some(OperatorFolder::open(&self.target)?.folder().to_owned())
            }
            Some(None) => bail!("--native: name the folder of the operator's crate"),
        })
    }

    fn length(&self) -> Result<Length> {
        Ok(match self.rounds {
            Some(rounds) => Length::Rounds(rounds as usize),
            None => Length::Time(
                Duration::try_from_secs_f64(self.seconds)
                    .with_context(|| format!("--seconds {}", self.seconds))?,
            ),
        })
    }

    /// The pipeline, or one with the component and its extractor as stages.
    fn manifest(&self, common: &Common) -> Result<Manifest> {
        if self.is_pipeline() {
            let of_a_component = self.config.is_some()
                || self.extractor.is_some()
                || self.memory.is_some()
                || !self.models.is_empty()
                || !self.topics.is_empty();
            ensure!(
                !of_a_component,
                "--config, --models, --topics, --extractor and --memory are for a single component; \
                 a pipeline has them in its manifest"
            );
            return common.manifest(&self.target);
        }
        ensure!(self.stage.is_none(), "--stage needs a pipeline");
        let mut stages = Vec::new();
        if let Some(extractor) = &self.extractor {
            let config = self.extractor_config.as_deref();
            stages.push(self.stage_table(
                "--extractor",
                extractor,
                config,
                "--extractor-config",
            )?);
        }
        stages.push(self.stage_table(
            "component",
            &self.target,
            self.config.as_deref(),
            "--config",
        )?);
        if let Some(last) = stages.last_mut().and_then(Value::as_table_mut) {
            last.insert("topics".into(), self.topics.clone().into());
        }
        let mut models = Table::new();
        for model in &self.models {
            let (name, folder) = pair(model, "--models")?;
            models.insert(name.into(), folder.into());
        }
        // A measurement has no deadline.
        let mut limits = Table::from_iter([("deadline".into(), "10m".into())]);
        if let Some(memory) = &self.memory {
            limits.insert("memory".into(), memory.as_str().into());
        } else if is_folder(&self.target) {
            let memory = OperatorFolder::open(&self.target)?.limits.memory.as_u64();
            limits.insert("memory".into(), i64::try_from(memory)?.into());
        }
        let topic = |key: &str, topic: Value| Value::from(Table::from_iter([(key.into(), topic)]));
        let manifest = Table::from_iter([
            ("name".into(), "bench".into()),
            ("source".into(), topic("topics", vec!["records"].into())),
            ("sink".into(), topic("topic", "predictions".into())),
            ("stages".into(), stages.into()),
            ("models".into(), models.into()),
            ("limits".into(), limits.into()),
        ]);
        Ok(Manifest::parse(&manifest.to_string(), Path::new("<arguments>"))?)
    }

    fn stage_table(
        &self,
        what: &str,
        component: &Path,
        config: Option<&str>,
        key: &str,
    ) -> Result<Value> {
        let folder = is_folder(component).then(|| OperatorFolder::open(component)).transpose()?;
        let component =
            folder.as_ref().map_or_else(|| component.to_owned(), OperatorFolder::component);
        let path = component.to_str().with_context(|| format!("{what}: the path is not UTF-8"))?;
        let stem = component.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = folder.map_or_else(|| stem.replace('_', "-"), |folder| folder.name);
        let fits = sandbar_sandbox::stage_name_problem(&name).is_none();
        let mut stage = Table::new();
        stage.insert("name".into(), if fits { name } else { "operator".to_owned() }.into());
        stage.insert("component".into(), path.into());
        if let Some(config) = config {
            stage.insert("config".into(), parse_config(config).context(key.to_owned())?.into());
        }
        let names = self.models.iter().map(|model| Ok(pair(model, "--models")?.0.to_owned()));
        stage.insert("models".into(), names.collect::<Result<Vec<_>>>()?.into());
        Ok(stage.into())
    }

    fn work(&self, topic: &str, limits: BatchLimits) -> Result<Work> {
        let headers = self.header.iter().map(|header| {
            let (name, value) = pair(header, "--header")?;
            Ok((name.to_owned(), value.to_owned()))
        });
        let headers = headers.collect::<Result<Vec<_>>>()?;
        self.records.iter().try_for_each(|path| lines::look(path))?;
        let places = self.records.iter().cloned().map(LineSource::File).collect();
        let (mut values, mut bytes) = (Vec::new(), 0);
        'all: for chunk in
            lines::read(places, self.whole).context("cannot start the reader thread")?
        {
            for value in chunk?.values {
                bytes += value.len();
                values.push(value);
                if bytes >= ENOUGH {
                    tracing::warn!(
                        records = values.len(),
                        "input is too large, using the first 256 MiB"
                    );
                    break 'all;
                }
            }
        }
        let files = self.records.iter().map(|path| path.display().to_string());
        let files = files.collect::<Vec<_>>().join(", ");
        Work::of_values(topic, &values, &headers, limits).context(files)
    }
}

/// Whether this is an operator's folder or its description.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.file_name().is_some_and(|name| name == DESCRIPTION)
}

/// Splits `NAME=VALUE`.
fn pair<'a>(text: &'a str, option: &str) -> Result<(&'a str, &'a str)> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    parts.with_context(|| format!("{option} {text}: write NAME=..., as in {option} a=b"))
}

/// A configuration as TOML or as a JSON object.
fn parse_config(text: &str) -> Result<Table> {
    if text.trim_start().starts_with('{') {
        return Ok(serde_json::from_str(text)?);
    }
    Ok(text.parse()?)
}

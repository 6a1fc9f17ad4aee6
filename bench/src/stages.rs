//! The flights pipeline in the sandbox, whole and in its parts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sandbar::inference::Artifact;
use sandbar::manifest::Manifest;
use sandbar::pipeline::chain::Chain;
use sandbar::pipeline::encoding::Encoder;
use sandbar::pipeline::outcome::Outcome;
use sandbar::pipeline::{Definition, Plan};
use sandbar::record::Batch;
use sandbar::sandbox::Limits;
use sandbar::sandbox::{Component, Extractor, Grants, Operator, Sandbox, Scored, Scorer, cache};
use sandbar::telemetry::CallTimes;

use crate::clock::thread_cpu;
use crate::workload::{BATCH, HEADERS, flights};

/// The manifest of the flights pipeline, with another model if one is given.
///
/// # Errors
/// If it cannot be read.
pub fn manifest(project: &Path, model: &str) -> Result<Manifest> {
    let mut manifest = Manifest::load(&project.join("pipelines/flights.toml"))?;
    manifest.models.insert("flights".into(), project.join("models").join(model).into());
    Ok(manifest)
}

/// A sandbox with the cache that `sandbar` itself uses.
///
/// # Errors
/// If this machine cannot run wasmtime.
pub fn sandbox() -> Result<Sandbox> {
    Ok(Sandbox::new(cache::default_folder())?)
}

/// A number of flights as batches of the runner. `headers` include keys.
pub fn batches(records: usize, keys: bool, headers: bool) -> Vec<Batch> {
    let flights: Vec<_> = flights(records).collect();
    let batch = |chunk: &[crate::workload::Flight]| {
        let mut batch = Batch::new("flights".into(), 0, chunk.len());
        for (offset, flight) in chunk.iter().enumerate() {
            let key = keys.then_some(flight.key.as_bytes());
            let headers = HEADERS.iter().filter(|_| headers);
            let headers = headers.map(|(name, value)| (*name, Some(*value)));
            batch.push(offset as i64, Some(0), key, Some(flight.line.as_bytes()), headers);
        }
        batch
    };
    flights.chunks(BATCH).map(batch).collect()
}

/// A stage of the manifest as in the plan, limits and grants included.
///
/// # Errors
/// If its component or a model cannot be used.
pub fn operator(manifest: &Manifest, stage: &str, sandbox: &Sandbox) -> Result<Operator> {
    let definition = Definition::from(manifest.clone());
    let found = manifest.stages.iter().find(|it| it.name == stage);
    let stage = found.with_context(|| format!("the manifest has no stage '{stage}'"))?;
    let models = stage
        .models
        .iter()
        .map(|name| Ok((name.clone(), Artifact::load(definition.open_model(name)?)?)));
    Ok(Operator {
        stage: stage.name.as_str().into(),
        component: Component::load(sandbox, &definition.component(stage)?)?,
        grants: Arc::new(Grants {
            config: serde_json::Value::Object(stage.config.clone()).to_string(),
            models: models.collect::<Result<_>>()?,
            topics: Vec::new(),
            ..Grants::default()
        }),
        limits: Limits::from(&stage.limits),
        times: CallTimes::default(),
    })
}

/// A worker's chain of stages, with flights as its input.
pub struct Sandboxed {
    chain: Chain,
    outcome: Outcome,
    batches: Vec<Batch>,
}

impl Sandboxed {
    /// Plans the pipeline and creates one worker's chain.
    ///
    /// # Errors
    /// If the plan fails.
    pub fn new(manifest: &Manifest, sandbox: &Sandbox, records: usize) -> Result<Self> {
        let chain = Plan::new(&manifest.clone().into(), sandbox)?.chain()?;
        Ok(Sandboxed { chain, outcome: Outcome::default(), batches: batches(records, true, false) })
    }

    /// Runs all flights through all stages once: CPU time, encoding included.
    ///
    /// # Errors
    /// If a flight fails: the figures would be of something else.
    pub fn pass(&mut self) -> Result<Duration> {
        let start = thread_cpu()?;
        for batch in &self.batches {
            self.chain.process(batch, &mut self.outcome)?;
            if let Some(failure) = self.outcome.failures.first() {
                bail!("cannot score a flight: {}", failure.message);
            }
        }
        Ok(thread_cpu()?.saturating_sub(start))
    }
}

/// The same, stage by stage, to see what takes how long.
pub struct Parts {
    extractor: Extractor,
    scorer: Scorer,
    encoder: Encoder,
    batches: Vec<Batch>,
    predictions: Vec<Scored>,
    /// Kept to reuse its memory.
    text: Vec<u8>,
}

impl Parts {
    /// Creates the stages and runs the flights through them once.
    ///
    /// # Errors
    /// If a stage fails.
    pub fn new(manifest: &Manifest, sandbox: &Sandbox, records: usize) -> Result<Self> {
        let extractor = Extractor::new(operator(manifest, "features", sandbox)?)?;
        let shape = extractor.shape().clone();
        let scorer = Scorer::new(operator(manifest, "score", sandbox)?, shape)?;
        let encoder = Encoder::new(&manifest.format(), scorer.shape(), "flights@1")?;
        let batches = batches(records, true, false);
        let mut parts = Parts {
            extractor,
            scorer,
            encoder,
            batches,
            predictions: Vec::new(),
            text: Vec::new(),
        };
        parts.stages()?;
        for (scored, batch) in parts.predictions.iter().zip(&parts.batches) {
            ensure!(scored.labels.len() == batch.len(), "cannot score a flight");
        }
        Ok(parts)
    }

    /// Extracts and scores all flights once, batch by batch: CPU time of each.
    ///
    /// # Errors
    /// If a stage fails.
    pub fn stages(&mut self) -> Result<[Duration; 2]> {
        let mut times = [Duration::ZERO; 2];
        let mut last = thread_cpu()?;
        self.predictions.clear();
        for batch in &self.batches {
            let extracted = self.extractor.extract(batch)?;
            let middle = thread_cpu()?;
            self.predictions.push(self.scorer.score(&extracted.table)?);
            let end = thread_cpu()?;
            times = [times[0] + (middle - last), times[1] + (end - middle)];
            last = end;
        }
        Ok(times)
    }

    /// The sum of the labels.
    pub fn sum(&self) -> u64 {
        let labels = self.predictions.iter().flat_map(|scored| &scored.labels);
        labels.map(|label| u64::from(*label)).sum()
    }

    /// Encodes all predictions once: CPU time.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn encode(&mut self) -> Result<Duration> {
        let start = thread_cpu()?;
        for (scored, batch) in self.predictions.iter().zip(&self.batches) {
            self.text.clear();
            let width = scored.values.len() / batch.len();
            let rows = batch.records().zip(&scored.labels).zip(scored.values.chunks_exact(width));
            for ((record, label), values) in rows {
                self.encoder.encode(&record, Some(*label), values, &mut self.text)?;
            }
        }
        std::hint::black_box(&self.text);
        Ok(thread_cpu()?.saturating_sub(start))
    }
}

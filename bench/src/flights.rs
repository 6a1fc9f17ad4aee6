//! The flights pipeline in the sandbox against the same code natively.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use sandbar::model::Model;

use crate::Bench;
use crate::clock::Samples;
use crate::native::Native;
use crate::report::{Budget, Row};
use crate::stages::{self, Parts, Sandboxed};

/// DESIGN.md §6, row 1.
const BUDGET: Budget = Budget::at_most(1.75, 1.4, "x");

/// CPU time per flight: extract, score and encode, for one of the two models.
///
/// # Errors
/// If a stage fails, or the native results differ from those of the sandbox.
pub fn against_native(bench: &Bench, model: &str, records: usize) -> Result<Row> {
    let manifest = stages::manifest(&bench.project, model)?;
    let sandbox = stages::sandbox()?;
    let mut whole = Sandboxed::new(&manifest, &sandbox, records)?;
    let mut parts = Parts::new(&manifest, &sandbox, records)?;
    let config = |stage: usize| {
        let config = manifest.stages.get(stage).map(|stage| stage.config.clone());
        serde_json::Value::Object(config.unwrap_or_default()).to_string()
    };
    let (records_text, file) = (records.to_string(), model_file(&bench.project, model)?);
    let workload = ["flights", &records_text, &file, &config(0), &config(1)];
    let mut native = Native::start(&bench.native, &workload)?;

    // An uncounted pass warms the caches of both.
    whole.pass()?;
    ensure!(native.pass()?.sum == parts.sum(), "the results of sandbox and native code differ");
    let mut ratio = Samples::default();
    let [mut inside, mut outside] = [(); 2].map(|()| Samples::default());
    let mut steps = [(); 5].map(|()| Samples::default());
    for _ in 0..bench.rounds {
        let sandboxed = whole.pass()?;
        let native = native.pass()?;
        let encode = parts.encode()?;
        let [extract, score] = parts.stages()?;
        let natively = native.extract + native.score + encode;
        ratio.push(sandboxed.as_secs_f64() / natively.as_secs_f64());
        let each = |time: Duration| time.as_nanos() as f64 / records as f64;
        inside.push(each(sandboxed));
        outside.push(each(natively));
        let times = [extract, score, native.extract, native.score, encode];
        steps.iter_mut().zip(times).for_each(|(samples, time)| samples.push(each(time)));
    }
    let (low, high) = ratio.quartiles();
    let [extract, score, native_extract, native_score, encode] =
        steps.each_ref().map(Samples::median);
    let notes = vec![
        format!(
            "sandbox {:.0} ns a flight (extract {extract:.0}, score {score:.0}), native {:.0} ns \
             (extract {native_extract:.0}, score {native_score:.0}), encode {encode:.0} in both",
            inside.median(),
            outside.median(),
        ),
        format!(
            "CPU time; median of {} alternating rounds of {records} flights in batches of 256, \
             half of them {low:.2} to {high:.2}; fastest against fastest {:.2}",
            bench.rounds,
            inside.lowest() / outside.lowest(),
        ),
    ];
    let what = format!("flights, {model}: sandbox / native");
    Ok(match model {
        "flights-gbm" => Row::new(what, ratio.median(), BUDGET, notes),
        _ => Row::plain(what, ratio.median(), "x", notes),
    })
}

/// The path of a model's MOJO.
///
/// # Errors
/// If the folder is not one of a model, or its path is not UTF-8.
pub fn model_file(project: &Path, model: &str) -> Result<String> {
    let model = Model::open(&project.join("models").join(model))?;
    let file = model.folder().join(&model.file);
    file.to_str().map(str::to_owned).ok_or_else(|| anyhow::anyhow!("the path is not UTF-8"))
}

//! Validation: a model's own samples are tried before it makes other predictions.
//!
//! - `table`: rows of features, scored in the scorer's sandbox, in an instance of its own that is
//!   set up with the features that the rows have. So validation gives the same result behind every
//!   extractor, whatever that gives.
//! - `pictures`: records that the pipeline's own extractor reads, scored as its records are.
//! - `expected`: the answers that a table expects; `predictors`: the stages that give them.
//!
//! Tensors are compared where graphs are computed (`sandbar_inference::samples`), whatever the
//! stages do with them.

mod expected;
mod pictures;
mod predictors;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use sandbar_inference::{Artifact, Content};
use sandbar_model::{SampleContent, Samples};
use sandbar_sandbox::Operator;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use expected::answers;
pub(crate) use pictures::predict as predict_pictures;
pub(crate) use predictors::Predictors;
pub(crate) use table::predict as predict_rows;

use predictors::Wrong;

/// Why a model failed its validation.
#[derive(Debug, Error)]
#[error(
    "samples of {model}: {file}{place}: {reason}; the model failed its validation: correct the model, the stages or the samples"
)]
pub struct SampleError {
    /// `name@version` of the model.
    pub model: String,
    /// The file of the samples.
    pub file: String,
    /// `, row 2 (line 3)`, where it is about a row.
    place: String,
    /// Expected and actual value.
    pub reason: String,
}

/// Samples that no stage of the pipeline can try.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Untried {
    /// `name@version` of the model.
    pub(crate) model: String,
    /// The file of the samples.
    pub(crate) file: PathBuf,
}

/// Has the stages reproduce the samples of the models that they are granted: tensors of any graph,
/// and the table of each scorer's main model, which makes its predictions. Returns how many samples
/// there are; `untried` are those that no stage can try.
///
/// # Errors
/// If a sample cannot be computed, or its answer is not the expected one.
pub(crate) fn try_samples(
    stages: &[&Operator],
    predictors: &[Predictors<'_>],
    untried: &mut Vec<Untried>,
) -> Result<usize, Box<SampleError>> {
    let granted = stages
        .iter()
        .flat_map(|stage| stage.grants.models.iter().map(move |(_, model)| (*stage, model)));
    let mut seen: Vec<&Arc<Samples>> = Vec::new();
    let mut tried = 0;
    for (stage, model) in granted {
        let Some(samples) = &model.samples else { continue };
        // Most models are granted to several stages.
        if seen.iter().any(|other| Arc::ptr_eq(other, samples)) {
            continue;
        }
        seen.push(samples);
        let is_main = |it: &&Predictors<'_>| {
            let main = it.scorer.grants.models.first();
            main.and_then(|(_, it)| it.samples.as_ref()).is_some_and(|it| Arc::ptr_eq(it, samples))
        };
        let predictors: Vec<&Predictors<'_>> = predictors.iter().filter(is_main).collect();
        match try_model(stage, model, samples, &predictors) {
            Ok(Some(count)) => tried += count,
            Ok(None) => {
                untried.push(Untried { model: model.id.clone(), file: samples.path.clone() });
            }
            Err((row, reason)) => {
                let place = row.map(|row| place(samples, row)).unwrap_or_default();
                let (model, file) = (model.id.clone(), samples.path.display().to_string());
                return Err(Box::new(SampleError { model, file, place, reason }));
            }
        }
    }
    Ok(tried)
}

/// The samples of one model that a stage is granted, and that is the main one of these scorers.
/// `None` where no stage says what it predicts.
fn try_model(
    stage: &Operator,
    model: &Artifact,
    samples: &Samples,
    predictors: &[&Predictors<'_>],
) -> Result<Option<usize>, Wrong> {
    let graph = match &model.content {
        Content::Graph(graph) => Some(graph),
        Content::Bytes(_) => None,
    };
    let tolerance = samples.tolerance(graph.is_some());
    if let (SampleContent::Tensors(arrays), Some(graph)) = (&samples.content, graph) {
        let threads = stage.component.threads().clone();
        let tried =
            sandbar_inference::samples::reproduce(graph, arrays, samples.tolerance, threads);
        return tried.map(Some).map_err(|error| (error.row, error.reason));
    }
    let mut tried = None;
    for predictors in predictors {
        let count = match &samples.content {
            SampleContent::Table(table) => Some(table::try_rows(table, predictors, tolerance)?),
            SampleContent::Pictures(table, files) => {
                pictures::try_files(table, files, predictors, tolerance)?
            }
            SampleContent::Tensors(_) => None,
        };
        tried = count.map(|count| count + tried.unwrap_or_default()).or(tried);
    }
    Ok(tried)
}

/// `, row 2 (line 3)`
fn place(samples: &Samples, row: usize) -> String {
    let number = row + 1;
    match &samples.content {
        SampleContent::Tensors(_) => format!(", row {number}"),
        SampleContent::Table(table) => format!(", row {number} (line {})", table.rows[row].line),
        SampleContent::Pictures(table, _) => {
            let picture =
                table.pictures().and_then(|it| it.ok()?.get(row).map(|it| it.file.to_owned()));
            let picture = picture.unwrap_or_default();
            format!(", row {number} (line {}), {picture}", table.rows[row].line)
        }
    }
}

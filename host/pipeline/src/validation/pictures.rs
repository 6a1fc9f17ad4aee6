//! Sample pictures, or any records: read by the pipeline's own extractor, so that they are what it
//! makes of them.

use std::sync::Arc;

use sandbar_model::samples::{PICTURE, SHA256, Table};
use sandbar_record::{Failure, Input};
use sandbar_sandbox::{OutputSchema, StageError};

use super::expected::Expected;
use super::predictors::{Predictors, Wrong, apart};
use crate::operator_harness::{ExtractorHarness, HarnessError, Predicted, ScorerHarness};

/// Pictures that are decoded at once at most: a tensor of one has megabytes.
const AT_ONCE: usize = 16;

/// Has the stages reproduce the answers of a table for the files that it names. Returns how many
/// there are; `None`: the scorer reads more than one extractor makes of a file.
pub(super) fn try_files(
    table: &Table,
    files: &[Arc<[u8]>],
    predictors: &Predictors<'_>,
    tolerance: f64,
) -> Result<Option<usize>, Wrong> {
    let Some(mut stages) = Stages::of(predictors)? else { return Ok(None) };
    let output = stages.scorer.output().clone();
    let expected = Expected::of(table, &[PICTURE, SHA256], &[], &output, tolerance);
    let expected = expected.map_err(|reason| (None, reason))?;
    stages.predict(files, |row, predicted| expected.compare(row, predicted))?;
    Ok(Some(files.len()))
}

/// The predictions of pictures, and what they consist of.
///
/// # Errors
/// If one fails.
pub(crate) fn predict(
    files: &[Arc<[u8]>],
    predictors: &Predictors<'_>,
) -> Result<(OutputSchema, Vec<Predicted>), Wrong> {
    let mut stages = Stages::of(predictors)?.ok_or_else(|| {
        let reason = format!(
            "stage '{}' reads more than one extractor makes of a file: its predictions of files \
             cannot be samples",
            predictors.scorer.stage
        );
        (None, reason)
    })?;
    let mut all = Vec::with_capacity(files.len());
    stages.predict(files, |row, predicted| {
        all.push(
            predicted
                .map_err(|it| (Some(row), format!("it fails: {}: {}", it.code, it.message)))?,
        );
        Ok(())
    })?;
    Ok((stages.scorer.output().clone(), all))
}

/// Instances for validation alone.
struct Stages {
    extractor: ExtractorHarness,
    scorer: ScorerHarness,
}

impl Stages {
    fn of(predictors: &Predictors<'_>) -> Result<Option<Self>, Wrong> {
        let Predictors { extractor, scorer, fields, limits } = *predictors;
        let Some(extractor) = extractor else { return Ok(None) };
        let whole = |error: StageError| (None, error.to_string());
        let extractor = ExtractorHarness::new(apart(extractor), limits).map_err(whole)?;
        let scorer = ScorerHarness::new(apart(scorer), fields.to_vec(), limits).map_err(whole)?;
        Ok(Some(Stages { extractor, scorer }))
    }

    /// Takes the files through both stages, and gives each prediction to `take`.
    fn predict(
        &mut self,
        files: &[Arc<[u8]>],
        mut take: impl FnMut(usize, Result<Predicted, Failure>) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let whole = |error: HarnessError| (None, error.to_string());
        for (part, files) in files.chunks(AT_ONCE).enumerate() {
            let first = part * AT_ONCE;
            let records = files.iter().map(|bytes| Input::value(bytes.to_vec()));
            let mut rows = Vec::with_capacity(files.len());
            for (index, (_, row)) in
                self.extractor.pipe(records).map_err(whole)?.into_iter().enumerate()
            {
                match row {
                    Ok(row) => rows.push(row),
                    Err(failure) => take(first + index, Err(failure))?,
                }
            }
            // Who takes a failure ends here, so rows and files are as many.
            for (index, predicted) in
                self.scorer.pipe(&rows).map_err(whole)?.into_iter().enumerate()
            {
                take(first + index, predicted)?;
            }
        }
        Ok(())
    }
}

//! The request and the answer as bytes, in parts. The first part is JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use sandbar_confine::parts::{join, split};
use sandbar_model::{FileDigests, Sha256};
use sandbar_record::Batch;
use sandbar_sandbox::Handed;
use sandbar_schemas::Snapshot;
use serde::{Deserialize, Serialize};

use crate::revision::Tried;
use crate::validation::Untried;

/// What is to be prepared.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The manifest as TOML, which names files alone, and holds no secrets.
    pub(crate) manifest: String,
    /// Where it comes from, for errors.
    pub(crate) path: PathBuf,
    /// The names and numbers that models of a registry have.
    pub(crate) known_as: BTreeMap<String, (String, u32)>,
    /// Files whose content is known.
    pub(crate) expected: FileDigests,
    /// The folder of compiled components.
    pub(crate) cache: Option<PathBuf>,
    /// Files and folders that may be read.
    pub(crate) readable: Vec<PathBuf>,
    /// Bytes of memory that it may take.
    pub(crate) memory: u64,
    /// Processor time that it may take.
    pub(crate) cpu: Duration,
    /// Whether something serves meanwhile, which comes first.
    pub(crate) yields: bool,
    /// The schemas that are known, if operators may ask for any.
    pub(crate) schemas: Option<Snapshot>,
    /// A recent batch, but for its bytes, which are the second part.
    batch: Option<Columns>,
}

/// [`Batch`] without its bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Columns {
    topic: String,
    partition: i32,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    ends: Vec<u32>,
    nulls: Vec<u8>,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    /// The files that were read.
    pub(crate) files: FileDigests,
    /// Whether all of the confinement is there that is known.
    pub(crate) confined: bool,
    /// The digests of the components whose compiled forms are the other parts.
    compiled: Vec<Sha256>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// It can serve.
    Ready {
        /// How many samples were reproduced.
        samples: usize,
        untried: Vec<Untried>,
        /// What became of the batch, if there was one.
        tried: Option<Result<Tried, String>>,
    },
    /// It cannot.
    Refused(String),
}

impl Request {
    pub(crate) fn new(manifest: String, path: PathBuf) -> Self {
        Request {
            manifest,
            path,
            known_as: BTreeMap::new(),
            expected: FileDigests::new(),
            cache: None,
            readable: Vec::new(),
            memory: 0,
            cpu: Duration::ZERO,
            yields: false,
            schemas: None,
            batch: None,
        }
    }

    pub(crate) fn write(mut self, batch: Option<&Batch>) -> serde_json::Result<Vec<u8>> {
        self.batch = batch.map(|batch| Columns {
            topic: batch.topic.to_string(),
            partition: batch.partition,
            offsets: batch.offsets.clone(),
            timestamps: batch.timestamps.clone(),
            ends: batch.ends.clone(),
            nulls: batch.nulls.clone(),
        });
        let bytes = batch.map(|batch| batch.bytes.as_slice()).unwrap_or_default();
        Ok(join([serde_json::to_vec(&self)?.as_slice(), bytes].into_iter()))
    }

    /// What [`Request::write`] wrote; `None` if it is nothing of the kind.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, Option<Batch>)> {
        let [json, bytes] = split(bytes)?.try_into().ok()?;
        let mut request: Request = serde_json::from_slice(json).ok()?;
        let batch = request.batch.take().map(|columns| Batch {
            topic: columns.topic.into(),
            partition: columns.partition,
            offsets: columns.offsets,
            timestamps: columns.timestamps,
            bytes: bytes.to_vec(),
            ends: columns.ends,
            nulls: columns.nulls,
        });
        Some((request, batch))
    }
}

impl Answer {
    pub(crate) fn write(
        outcome: Outcome,
        files: FileDigests,
        confined: bool,
        compiled: &[Handed],
    ) -> serde_json::Result<Vec<u8>> {
        let digests = compiled.iter().map(|(digest, _)| *digest).collect();
        let json = serde_json::to_vec(&Answer { outcome, files, confined, compiled: digests })?;
        let forms = compiled.iter().map(|(_, form)| form.as_slice());
        Ok(join(std::iter::once(json.as_slice()).chain(forms)))
    }

    /// What [`Answer::write`] wrote; `None` if it is nothing of the kind.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, Vec<Handed>)> {
        let parts = split(bytes)?;
        let (json, forms) = parts.split_first()?;
        let mut answer: Answer = serde_json::from_slice(json).ok()?;
        let digests = std::mem::take(&mut answer.compiled);
        let whole = digests.len() == forms.len();
        let forms = forms.iter().map(|form| form.to_vec());
        whole.then(|| (answer, digests.into_iter().zip(forms).collect()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut batch = Batch::new("in".into(), 3, 1);
        batch.push(7, Some(5), None, Some(b"value"), std::iter::empty::<(&str, _)>());
        let request = Request::new("name = 'a'".into(), "a.toml".into());
        let written = request.write(Some(&batch)).unwrap();
        let (request, read) = Request::read(&written).unwrap();
        assert_eq!((request.manifest.as_str(), read), ("name = 'a'", Some(batch)));

        let compiled = [(Sha256::of(b"a"), vec![1, 2]), (Sha256::of(b"b"), vec![])];
        let files = FileDigests::from([("/a".into(), Sha256::of(b"a"))]);
        let written =
            Answer::write(Outcome::Refused("no".into()), files.clone(), true, &compiled).unwrap();
        let (answer, read) = Answer::read(&written).unwrap();
        assert_eq!(answer.files, files);
        assert!(matches!(answer.outcome, Outcome::Refused(reason) if reason == "no"));
        assert_eq!(read, compiled);
        for end in 0..written.len() {
            assert!(Answer::read(&written[..end]).is_none(), "{end}");
        }
    }
}

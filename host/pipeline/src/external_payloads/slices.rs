//! A batch with its references resolved, slice by slice: a batch of small references may
//! name more than the memory holds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ahead::Ahead;
use super::allowed::ExternalPayloads;
use super::folders;
use super::target::{Refusal, Target};
use sandbar_record::REFERENCES;
use sandbar_record::{Batch, Record};
use sandbar_record::{Failure, shorten};

/// After this time a slice ends with what it has: that is processed, and a worker
/// that should stop notices.
const PATIENCE: Duration = Duration::from_secs(1);

/// Resolves the references of one worker's batches.
pub struct PayloadResolver {
    references: Arc<ExternalPayloads>,
    /// Bytes of a slice, except for a single record that is larger.
    budget: usize,
    ahead: Option<Ahead>,
    /// The first record of the batch whose reference has not been read.
    seen: usize,
    /// What the last slice had no room for.
    held: Option<Vec<u8>>,
    stage: Arc<str>,
}

/// The records of a stretch of a batch, with what they refer to as their values.
pub struct Slice {
    /// The records whose references were resolved, and those that refer to nothing.
    pub batch: Batch,
    /// For each of them its index in the batch that it comes from.
    pub origins: Vec<u32>,
    /// Those that were refused, in order.
    pub failures: VecDeque<Failure>,
    /// The first record of the batch that is not in this slice.
    pub end: usize,
}

impl PayloadResolver {
    /// Resolves `external_payloads`, so many bytes at a time, or a single record.
    pub fn new(references: Arc<ExternalPayloads>, budget: usize) -> Self {
        let network = references.network.as_ref();
        let ahead = network.map(|network| {
            let runtime = network.runtime.handle().clone();
            Ahead::new(network.stores.clone(), runtime, references.limits, budget as u64)
        });
        PayloadResolver { references, budget, ahead, seen: 0, held: None, stage: REFERENCES.into() }
    }

    /// Whether any record of a batch has an external payload. It then goes through
    /// [`PayloadResolver::slice`]; otherwise it is used as it is.
    pub fn concerns(&mut self, batch: &Batch) -> bool {
        self.clear();
        let refers =
            |record: Record<'_>| !matches!(self.references.target(&record), Target::Nothing);
        batch.records().any(refers)
    }

    /// Resolves the next slice of a batch, from the record `start`, which is 0 or the end
    /// of the last slice.
    pub fn slice(&mut self, batch: &Batch, start: usize) -> Slice {
        let mut slice = Slice {
            batch: Batch::new(batch.topic.clone(), batch.partition, 0),
            origins: Vec::new(),
            failures: VecDeque::new(),
            end: start,
        };
        let begin = Instant::now();
        while slice.end < batch.len() && (slice.end == start || begin.elapsed() < PATIENCE) {
            let record = batch.record(slice.end);
            let value = match self.held.take() {
                Some(value) => Ok(Some(value)),
                None => self.resolve(batch, slice.end),
            };
            match value {
                Ok(value) => {
                    let bytes = value.as_deref().or(record.value());
                    let size = size(&record) + bytes.map_or(0, <[u8]>::len);
                    let full = slice.batch.bytes.len() + size > self.budget;
                    if full && !slice.batch.is_empty() {
                        self.held = value;
                        break;
                    }
                    if slice.batch.fits(size) {
                        let (key, time) = (record.key(), record.timestamp());
                        slice.batch.push(record.offset(), time, key, bytes, record.headers());
                        slice.origins.push(slice.end as u32);
                    } else {
                        let refusal = Refusal::too_large(size as u64, self.budget as u64);
                        slice.failures.push_back(self.failure(slice.end, refusal, None));
                    }
                }
                Err(failure) => slice.failures.push_back(failure),
            }
            slice.end += 1;
        }
        slice
    }

    /// Forgets the batch that was last resolved, if something is left of it.
    fn clear(&mut self) {
        self.seen = 0;
        self.held = None;
        if let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.len() > 0) {
            ahead.clear();
        }
    }

    /// The data that a record refers to; `None` if it refers to nothing.
    fn resolve(&mut self, batch: &Batch, index: usize) -> Result<Option<Vec<u8>>, Failure> {
        self.look_ahead(batch);
        let target = self.references.target(&batch.record(index));
        let shown = target.shown();
        let limits = self.references.limits;
        let result = match target {
            Target::Nothing => return Ok(None),
            Target::Refused(refusal) => Err(refusal),
            Target::File(path) => {
                let end = Instant::now() + limits.timeout;
                folders::read(&self.references.folders, &path, limits.size, end)
            }
            Target::Url(_) => self.ahead.as_mut().and_then(Ahead::take).unwrap_or_else(|| {
                // Looking ahead sees every URL; this is not reached.
                Err(Refusal::unavailable("not fetched".into()))
            }),
        };
        result.map(Some).map_err(|refusal| self.failure(index, refusal, shown))
    }

    /// Keeps as many fetches under way as the manifest says.
    fn look_ahead(&mut self, batch: &Batch) {
        let Some(ahead) = &mut self.ahead else { return };
        while self.seen < batch.len() && ahead.len() < self.references.concurrency {
            if let Target::Url(url) = self.references.target(&batch.record(self.seen)) {
                ahead.start(url);
            }
            self.seen += 1;
        }
    }

    fn failure(&self, record: usize, refusal: Refusal, shown: Option<String>) -> Failure {
        let Refusal { code, reason } = refusal;
        let message = match shown {
            Some(target) => format!("{reason}: {target}"),
            None => reason,
        };
        Failure { record, stage: self.stage.clone(), code, message: shorten(message) }
    }
}

/// Bytes of a record's key and headers in a batch.
fn size(record: &Record<'_>) -> usize {
    let headers =
        record.headers().map(|(name, value)| 8 + name.len() + value.map_or(0, <[u8]>::len));
    record.key().map_or(0, <[u8]>::len) + headers.sum::<usize>()
}

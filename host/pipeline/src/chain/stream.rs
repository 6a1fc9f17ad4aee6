//! The records between two stages of a chain, and where they come from.

use sandbar_record::{Batch, Record};

use crate::outcome::Outcome;

/// Bytes that an output takes besides its content.
pub(super) const RECORD: usize = 200;

/// Bytes that the records of a batch take for themselves.
pub(super) fn size(batch: &Batch) -> usize {
    batch.bytes.len() + RECORD * batch.len()
}

/// What the first stage is given.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The records as they came in. Outputs and failures are of these.
    pub source: &'a Batch,
    /// `source`, some of it, or its external payloads.
    pub batch: &'a Batch,
    /// For each record of `batch` its index in `source`; `None`: the same.
    pub origins: Option<&'a [u32]>,
}

impl<'a> Input<'a> {
    /// All records, as they came in.
    pub fn whole(batch: &'a Batch) -> Self {
        Input { source: batch, batch, origins: None }
    }

    /// The index in the source of the record at `index`.
    pub fn origin(&self, index: usize) -> usize {
        self.origins.map_or(index, |origins| origins[index] as usize)
    }
}

/// The records that reach a stage: those of the batch, or what stages before it made.
pub(super) struct Stream<'a> {
    /// The records as they came in.
    pub(super) source: &'a Batch,
    pub(super) batch: &'a Batch,
    /// 0 or where the batch stands in [`Outcome::derived`], from 1.
    pub(super) place: usize,
    /// The record of the source's batch that each comes from; `None`: the same.
    pub(super) origins: Option<&'a [u32]>,
}

impl<'a> Stream<'a> {
    pub(super) fn origin(&self, index: u32) -> u32 {
        self.origins.map_or(index, |origins| origins[index as usize])
    }

    /// The record that an output is made of, and its index in the batch at `place`: in
    /// front of all transformers the record as it came in, not what it refers to.
    pub(super) fn record(&self, index: u32) -> (Record<'a>, u32) {
        let (batch, index) =
            if self.place == 0 { (self.source, self.origin(index)) } else { (self.batch, index) };
        (batch.record(index as usize), index)
    }
}

/// Records that stages have made.
pub(super) struct Made {
    /// Where they are in [`Outcome::derived`], from 1.
    place: usize,
    /// The record of the source's batch that each comes from.
    origins: Vec<u32>,
}

impl Made {
    pub(super) fn put(batch: Batch, origins: Vec<u32>, outcome: &mut Outcome) -> Self {
        outcome.derived.push(batch);
        Made { place: outcome.derived.len(), origins }
    }

    /// The batch, which is put back afterwards.
    pub(super) fn take(&self, outcome: &mut Outcome) -> Batch {
        std::mem::take(&mut outcome.derived[self.place - 1])
    }

    pub(super) fn put_back(&self, batch: Batch, outcome: &mut Outcome) {
        outcome.derived[self.place - 1] = batch;
    }

    pub(super) fn stream<'a>(&'a self, source: &'a Batch, batch: &'a Batch) -> Stream<'a> {
        Stream { source, batch, place: self.place, origins: Some(&self.origins) }
    }
}

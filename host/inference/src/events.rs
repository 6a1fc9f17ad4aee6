//! The events of inference: each type writes its log line in `emit`.

use std::time::Duration;

use sandbar_telemetry::resident_bytes;

/// A graph was optimised for inputs of some shapes.
pub struct GraphOptimised<'a> {
    /// The model's `name@version`.
    pub model: &'a str,
    /// The shape of each of its inputs.
    pub shapes: &'a [Vec<usize>],
    /// How long it took.
    pub took: Duration,
    /// [`resident_bytes`] before.
    pub before: Option<u64>,
}

impl GraphOptimised<'_> {
    /// Logs it, with what the process has in memory before and after.
    pub fn emit(self) {
        let GraphOptimised { model, shapes, took, before } = self;
        tracing::info!(
            model,
            shapes = shown(shapes),
            took_seconds = took.as_secs_f64(),
            resident_before_bytes = before,
            resident_after_bytes = resident_bytes(),
            "graph optimised for inputs of these shapes"
        );
    }
}

/// `1x3x224x224, 1x4`
fn shown(shapes: &[Vec<usize>]) -> String {
    let sizes = |shape: &Vec<usize>| {
        let each: Vec<String> = shape.iter().map(ToString::to_string).collect();
        each.join("x")
    };
    shapes.iter().map(sizes).collect::<Vec<_>>().join(", ")
}

/// A graph serves though the gate has doubts, as its model's folder wants it.
pub struct GraphUnverified<'a> {
    /// The model's `name@version`.
    pub model: &'a str,
    /// Nodes, and why.
    pub doubts: &'a str,
}

impl GraphUnverified<'_> {
    /// Logs it.
    pub fn emit(self) {
        let GraphUnverified { model, doubts } = self;
        tracing::warn!(
            model,
            doubts,
            "model says 'unverified = true': its outputs may differ from those of other runtimes"
        );
    }
}

/// A computation exceeded its deadline: its caller has been answered, its thread
/// has not ended yet.
pub struct InferenceLate<'a> {
    /// The stage that asked for it.
    pub stage: &'a str,
    /// The deadline.
    pub deadline: Duration,
    /// The number of late threads now, including this one.
    pub late: usize,
}

impl InferenceLate<'_> {
    /// Logs it.
    pub fn emit(self) {
        let InferenceLate { stage, deadline, late } = self;
        tracing::warn!(%stage, deadline_seconds = deadline.as_secs_f64(), late, "computation exceeded its deadline; its thread is left to end by itself");
    }
}

/// A thread that was late has ended.
pub struct InferenceEnded<'a> {
    /// The stage that asked for it.
    pub stage: &'a str,
    /// How many late threads are left.
    pub late: usize,
}

impl InferenceEnded<'_> {
    /// Logs it.
    pub fn emit(self) {
        let InferenceEnded { stage, late } = self;
        tracing::info!(%stage, late, "computation that exceeded its deadline has ended");
    }
}

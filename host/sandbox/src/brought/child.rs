//! The process that tries a graph: limited by itself, before it reads anything of it.

use std::io;
use std::sync::Arc;

use sandbar_confine::{Bounds, Confinement, parts};
use sandbar_inference::{Error, Graph, GraphSource};
use sandbar_model::Kind;
use sandbar_telemetry::{MemoryMeter, allocated_bytes};

use super::{Answer, Request, Takes};

/// How often a graph is loaded once more, for what each takes.
const AGAIN: usize = 2;
/// What part of that its allocator takes besides.
const SCATTERED: u64 = 8;

/// What a graph that a guest brought is called.
pub(crate) const NAME: &str = "the operator's own graph";

/// Answers a request for a graph, and limits this process for good. `None` if the bytes ask for
/// something else.
pub fn serve(request: &[u8]) -> Option<io::Result<Vec<u8>>> {
    let [json, bytes] = parts::split(request)?.try_into().ok()?;
    let request: Request = serde_json::from_slice(json).ok()?;
    Some(answer(&request, bytes))
}

fn answer(request: &Request, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut meter = MemoryMeter::open();
    Confinement::enter(Bounds { memory: request.memory, cpu: request.cpu }, &[])?;
    let answer = match try_out(request.graph, bytes, &mut meter) {
        Ok(takes) => Answer::Loads(takes),
        Err(error) => Answer::Refused(error),
    };
    Ok(serde_json::to_vec(&answer)?)
}

/// Tries the graph, and finds what it takes. The first one brings with it what is there already in a
/// process that serves.
fn try_out(kind: Kind, bytes: &[u8], meter: &mut MemoryMeter) -> Result<Takes, Error> {
    Graph::warm_up()?;
    let load = || Graph::load(NAME.into(), GraphSource::Bytes(kind, Arc::from(bytes)));
    let before = meter.resident();
    let first = load()?;
    first.try_out()?;
    let peak = before.zip(meter.resident());
    let peak = peak.map(|((before, _), (_, most))| most.saturating_sub(before));
    // Where the system tells nothing, it is estimated.
    let mut kept = if before.is_some() { 0 } else { first.held() as u64 };
    let mut graphs = vec![first];
    for _ in 0..AGAIN {
        let before = allocated_bytes();
        graphs.push(load()?);
        let more =
            before.zip(allocated_bytes()).map(|(before, after)| after.saturating_sub(before));
        kept = kept.max(more.unwrap_or_default());
    }
    // What lies between is freed, but not given back.
    let kept = kept + kept / SCATTERED;
    Ok(Takes { peak: peak.unwrap_or(kept).max(kept), kept })
}

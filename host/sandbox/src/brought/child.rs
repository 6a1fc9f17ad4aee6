//! The process that tries a graph: limited by itself, before it reads anything of it.

use std::io;
use std::sync::Arc;

use sandbar_confine::{Bounds, Confinement, parts};
use sandbar_inference::{Error, Graph, GraphSource};
use sandbar_telemetry::{MemoryMeter, allocated_bytes};

use super::{Answer, Request, Takes};

/// Bytes that the process takes besides what the graph does, stacks included.
const OWN: u64 = 192 << 20;
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
    let memory = OWN.saturating_add(request.memory);
    Confinement::enter(Bounds { memory, cpu: request.cpu, yields: false }, &[])?;
    let answer = match try_out(request, bytes, &mut meter) {
        Ok(takes) => Answer::Loads(takes),
        Err(error) => Answer::Refused(error),
    };
    Ok(serde_json::to_vec(&answer)?)
}

/// Tries the graph, and finds what it takes.
fn try_out(request: &Request, bytes: &[u8], meter: &mut MemoryMeter) -> Result<Takes, Error> {
    Graph::warm_up()?;
    let (resident, allocated) = (meter.resident(), allocated_bytes());
    let load = || Graph::load(NAME.into(), GraphSource::Bytes(request.graph, Arc::from(bytes)));
    let since = |before: Option<u64>| {
        before.zip(allocated_bytes()).map(|(before, after)| after.saturating_sub(before))
    };
    let first = load()?;
    // Where the system tells nothing, it is estimated.
    let mut kept = since(allocated).unwrap_or(first.held() as u64);
    first.try_out()?;
    let peak = resident.zip(meter.resident());
    let peak = peak.map_or(kept, |((before, _), (_, most))| most.saturating_sub(before));
    // The first one brings with it what is there already in a process that serves. There may be
    // no room for more.
    let mut graphs = vec![first];
    let mut room = request.memory.saturating_sub(peak);
    while graphs.len() <= AGAIN && allocated.is_some() && kept <= room {
        let before = allocated_bytes();
        graphs.push(load()?);
        let more = since(before).unwrap_or(kept);
        kept = if graphs.len() == 2 { more } else { kept.max(more) };
        room -= more.min(room);
    }
    // What lies between is freed, but not given back.
    let kept = kept + kept / SCATTERED;
    Ok(Takes { peak: peak.max(kept), kept })
}

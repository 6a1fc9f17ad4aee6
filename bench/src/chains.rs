//! What a chain costs besides its stages: the flights pipeline against its stages called directly,
//! and how its time grows with further stages.

use anyhow::{Context, Result};
use sandbar::manifest::Manifest;

use crate::Bench;
use crate::clock::Samples;
use crate::report::Row;
use crate::stages::{self, Parts, Sandboxed};

const COUNTS: [usize; 3] = [1, 3, 6];

/// The chain of the flights pipeline against its parts; 1, 3 and 6 transformers; and 1, 3 and 6
/// scorers on the same features.
///
/// # Errors
/// If a stage fails.
pub fn rows(bench: &Bench, records: usize) -> Result<Vec<Row>> {
    let flights = stages::manifest(&bench.project, "flights-gbm")?;
    let sandbox = stages::sandbox()?;
    let of = |manifest: &Manifest| Sandboxed::new(manifest, &sandbox, records);
    let mut whole = of(&flights)?;
    let mut parts = Parts::new(&flights, &sandbox, records)?;
    let transformers = COUNTS.map(|count| of(&transformers(&flights, bench, count)));
    let scorers = COUNTS.map(|count| scorers(&flights, count).and_then(|it| of(&it)));
    let mut chains = transformers.into_iter().chain(scorers).collect::<Result<Vec<_>>>()?;

    let mut ratio = Samples::default();
    let mut times = [(); 6].map(|()| Samples::default());
    let mut growth = [(); 6].map(|()| Samples::default());
    for _ in 0..bench.rounds {
        let one = whole.pass()?;
        let [extracted, scored] = parts.stages()?;
        let direct = extracted + scored + parts.encode()?;
        ratio.push(one.as_secs_f64() / direct.as_secs_f64());
        let of_each = chains.iter_mut().map(Sandboxed::pass).collect::<Result<Vec<_>>>()?;
        for (at, time) in of_each.iter().enumerate() {
            times[at].push(time.as_nanos() as f64 / records as f64);
            let first = of_each[at - at % COUNTS.len()];
            growth[at].push(time.as_secs_f64() / first.as_secs_f64());
        }
    }
    let rounds = format!("CPU time, median of {} rounds of {records} flights", bench.rounds);
    let (low, high) = ratio.quartiles();
    let what = "chain of the flights pipeline, against its stages called directly";
    let note = format!("{rounds}, half of them {low:.3} to {high:.3}");
    let mut rows = vec![Row::plain(what, ratio.median(), "x", vec![note])];
    for (at, (times, growth)) in times.iter().zip(&growth).enumerate() {
        let count = COUNTS[at % COUNTS.len()];
        let what = match at < COUNTS.len() {
            true => format!("chain of {count} transformers that pass records on"),
            false => format!("chain of an extractor and {count} scorers of its features"),
        };
        let note = format!("{rounds}; {:.2} times that of one", growth.median());
        rows.push(Row::plain(what, times.median(), " ns a record", vec![note]));
    }
    Ok(rows)
}

fn transformers(flights: &Manifest, bench: &Bench, count: usize) -> Manifest {
    let mut manifest = flights.clone();
    let stage = manifest.stages[0].clone();
    manifest.stages = (0..count)
        .map(|number| {
            let component = bench.components().join("route_transformer.wasm").into();
            sandbar::manifest::Stage { name: format!("pass-{number}"), component, ..stage.clone() }
        })
        .collect();
    manifest
}

fn scorers(flights: &Manifest, count: usize) -> Result<Manifest> {
    let mut manifest = flights.clone();
    let scorer = manifest.stages.pop().context("the flights pipeline has a scorer")?;
    manifest.stages.extend((0..count).map(|number| {
        let name = format!("score-{number}");
        sandbar::manifest::Stage { name, ..scorer.clone() }
    }));
    Ok(manifest)
}

//! The cost of crossing the sandbox's boundary: an extractor that does almost nothing.

use std::sync::Arc;

use anyhow::{Result, ensure};
use sandbar::sandbox::Limits;
use sandbar::sandbox::{Component, Extractor, Grants, LimitsSection, Operator};
use sandbar::telemetry::CallTimes;

use crate::Bench;
use crate::clock::{Samples, thread_cpu};
use crate::native::Native;
use crate::report::{Budget, Row};
use crate::stages;

/// DESIGN.md §6, row 4.
const BUDGET: Budget = Budget::at_most(30.0, 15.0, " ns");

/// CPU time per record of one call of the echo extractor, checks included: with
/// keys and headers, and with values alone.
///
/// # Errors
/// If the component fails, or the native results differ from those of the sandbox.
pub fn cost(bench: &Bench, records: usize) -> Result<Vec<Row>> {
    Ok(vec![measure(bench, records, true)?, measure(bench, records, false)?])
}

fn measure(bench: &Bench, records: usize, full: bool) -> Result<Row> {
    let sandbox = stages::sandbox()?;
    let path = bench.components().join("echo_extractor.wasm");
    let mut extractor = Extractor::new(Operator {
        stage: "echo".into(),
        component: Component::load(&sandbox, &path)?,
        grants: Arc::new(Grants { config: "{}".into(), ..Grants::default() }),
        limits: Limits::from(&LimitsSection::default()),
        times: CallTimes::default(),
    })?;
    let batches = stages::batches(records, full, full);
    let bytes = batches.iter().map(|batch| batch.bytes.len()).sum::<usize>() / records;
    let mut pass = || -> Result<(f64, u64)> {
        let mut rows = 0;
        let start = thread_cpu()?;
        for batch in &batches {
            rows += u64::from(std::hint::black_box(extractor.extract(batch)?).table.rows);
        }
        Ok(((thread_cpu()? - start).as_nanos() as f64 / records as f64, rows))
    };
    let workload = ["echo", &records.to_string(), if full { "full" } else { "plain" }];
    let mut native = Native::start(&bench.native, &workload)?;
    ensure!(native.pass()?.sum == pass()?.1, "the results of sandbox and native code differ");
    let [mut inside, mut outside] = [(); 2].map(|()| Samples::default());
    for _ in 0..bench.rounds {
        inside.push(pass()?.0);
        outside.push(native.pass()?.extract.as_nanos() as f64 / records as f64);
    }
    let (low, high) = inside.quartiles();
    let notes = vec![format!(
        "CPU time, {bytes} bytes a record; natively {:.1} ns; median of {} rounds of {records} \
         records in batches of 256, half of them {low:.1} to {high:.1}, fastest {:.1}",
        outside.median(),
        bench.rounds,
        inside.lowest()
    )];
    Ok(match full {
        true => {
            let what = "interface, a record with key and two headers";
            Row::new(what, inside.median(), BUDGET, notes)
        }
        false => Row::plain("interface, a record's value alone", inside.median(), " ns", notes),
    })
}

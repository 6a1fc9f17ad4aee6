//! The differential suite: `cargo xtask differential` starts it.
//!
//! ```text
//! differential CASES [--table FILE] [--page FILE] [--short FILE] [--verbose]
//! differential --models CASES
//! differential --doubts TABLE MODEL...
//! ```
//!
//! Loads each model of `CASES` as a user's model is loaded, but without the gate; computes it,
//! and compares the outputs with the reference's. It prints counts by operator. `--table` writes
//! what the gate reads (`host/inference/src/gate/compared.txt`); `--page` the
//! same for readers; `--short` writes cases of one of each operator that is right, small, for the
//! ordinary tests. `--models` loads models with the gate and a trial run, as they are served, and
//! prints what is refused or not right. `--doubts` prints which nodes of ONNX files, or
//! of TensorFlow's (`.pb`), a table refuses, and what of them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "for those who develop Sandbar, whose terminal stays"
)]
#![allow(clippy::disallowed_methods, reason = "a tool for developers, given their own files")]

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use sandbar_inference::gate::{self, Form, Outcome, Table};
use sandbar_inference::{Graph, GraphSource};
use sandbar_model::Kind;

#[path = "../tests/differential/cases.rs"]
mod cases;
use cases::Case;

/// Bytes of a case of the short form at most, unless an operator has none.
const SMALL: usize = 4096;
const THREADS: usize = 8;
/// Graphs of two operators: there are too many for the short form.
const PAIR: &str = "pair-";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut path, mut table, mut page, mut short) = (None, None, None, None);
    let mut verbose = false;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--table" => table = arguments.next().map(PathBuf::from),
            "--page" => page = arguments.next().map(PathBuf::from),
            "--short" => short = arguments.next().map(PathBuf::from),
            "--verbose" => verbose = true,
            "--models" => return models(&arguments.next().ok_or("the file of cases is missing")?),
            "--doubts" => return doubts(&arguments.collect::<Vec<_>>()),
            _ => path = Some(PathBuf::from(argument)),
        }
    }
    let path = path.ok_or("the file of cases is missing: differential CASES")?;
    // Panics are counted; what they say is shown by --verbose.
    std::panic::set_hook(Box::new(|_| {}));
    let bytes: Arc<[u8]> = std::fs::read(path)?.into();
    let cases = cases::read(&bytes)?;
    let (mut results, mut graphs) = (Vec::new(), Vec::new());
    let mut small: BTreeMap<String, Vec<(&Case, Form)>> = BTreeMap::new();
    for (case, outcome, reason) in run(&cases) {
        let Some(form) = case.form()? else {
            graphs.push((case, outcome, reason));
            continue;
        };
        if verbose && outcome != Outcome::Right {
            println!("{outcome:?} {} {}: {reason}", form.operator, case.name);
        }
        if outcome == Outcome::Right {
            small.entry(form.operator.clone()).or_default().push((case, form.clone()));
        }
        results.push((case.name.clone(), form, outcome));
    }
    let learnt = gate::learn(&results);
    report(&results, &learnt);
    whole(&graphs, &learnt)?;
    if let Some(path) = table {
        let head = "# Written by cargo xtask differential: what of each operator is right, and what is wrong.\n";
        std::fs::write(path, format!("{head}{learnt}"))?;
    }
    if let Some(path) = page {
        let kind = cases.first().map_or(Kind::Onnx, |case| case.kind);
        std::fs::write(path, gate::page(kind, &learnt))?;
    }
    if let Some(path) = short {
        let chosen = small.into_values().flat_map(chosen);
        let graphs =
            graphs.iter().map(|(case, ..)| *case).filter(|case| !case.name.starts_with(PAIR));
        let texts = chosen.chain(graphs).map(|case| &*case.text);
        write(&path, texts)?;
    }
    Ok(())
}

fn models(path: &str) -> Result<(), Box<dyn Error>> {
    let bytes: Arc<[u8]> = std::fs::read(path)?.into();
    for case in cases::read(&bytes)? {
        let source = GraphSource::Bytes(case.kind, case.model.clone());
        let loaded = Graph::load(case.name.clone(), source).and_then(|graph| graph.try_out());
        match (loaded, case.run(false)) {
            (Ok(()), (outcome, reason)) => println!("{outcome:?} {}: {reason}", case.name),
            (Err(error), (outcome, _)) => println!("Kept away, {outcome:?}: {error}"),
        }
    }
    Ok(())
}

/// Writes a file of cases; packed if its name ends in `.gz`.
fn write<'a>(path: &Path, texts: impl Iterator<Item = &'a [u8]>) -> Result<(), Box<dyn Error>> {
    let file = File::create(path)?;
    let mut file: Box<dyn Write> = match path.extension() {
        Some(end) if end == "gz" => Box::new(GzEncoder::new(file, Compression::best())),
        _ => Box::new(file),
    };
    for text in texts {
        file.write_all(text)?;
    }
    Ok(file.flush()?)
}

/// Prints what comes of whole graphs, and what of them the table refuses.
fn whole(graphs: &[(&Case, Outcome, String)], table: &Table) -> Result<(), Box<dyn Error>> {
    let mut counts = [0; 4];
    for (case, outcome, reason) in graphs {
        let forms = gate::forms(case.kind, &case.model)?;
        let doubts = forms.iter().filter_map(|form| Some((form, table.doubt(form)?)));
        let doubts: Vec<String> = doubts
            .map(|(form, doubt)| format!("{} ({}) {doubt:?}", form.node, form.operator))
            .collect();
        match doubts.first() {
            Some(_) if *outcome == Outcome::Right => {
                println!("{}: right, but refused: {}", case.name, doubts.join("; "));
            }
            _ if *outcome == Outcome::Right && case.name.starts_with(PAIR) => {}
            _ => println!("{}: {outcome:?} {reason}", case.name),
        }
        counts[*outcome as usize] += 1;
    }
    let [right, wrong, failed, refused] = counts;
    println!("graphs: {right} right, {wrong} wrong, {failed} failed, {refused} refused");
    Ok(())
}

fn doubts(files: &[String]) -> Result<(), Box<dyn Error>> {
    let (table, models) = files.split_first().ok_or("the table is missing")?;
    let table = Table::read(&std::fs::read_to_string(table)?);
    for model in models {
        let tensorflow = model.ends_with(".pb");
        let kind = if tensorflow { Kind::Tensorflow } else { Kind::Onnx };
        let forms = gate::forms(kind, &std::fs::read(model)?)?;
        println!("{model}: {} nodes", forms.len());
        for form in &forms {
            if let Some(doubt) = table.doubt(form) {
                println!("  {} ({}): {doubt:?}", form.node, form.operator);
            }
        }
    }
    Ok(())
}

/// What comes of each case, in their order; several threads compute.
fn run(cases: &[Case]) -> Vec<(&Case, Outcome, String)> {
    let part = cases.len().div_ceil(THREADS).max(1);
    std::thread::scope(|scope| {
        let work = |cases: &'_ [Case]| -> Vec<(Outcome, String)> {
            cases.iter().map(|case| case.run(false)).collect()
        };
        let threads: Vec<_> =
            cases.chunks(part).map(|cases| scope.spawn(move || work(cases))).collect();
        let died = || (Outcome::Failed, "its thread ended".to_owned());
        let results = threads.into_iter().flat_map(|it| it.join().unwrap_or_else(|_| vec![died()]));
        cases.iter().zip(results).map(|(case, (outcome, reason))| (case, outcome, reason)).collect()
    })
}

/// Few cases of an operator: the smallest, and the smallest of each further version, type and mode.
fn chosen(mut cases: Vec<(&Case, Form)>) -> Vec<&Case> {
    cases.sort_by_key(|(case, _)| case.text.len());
    let small = cases.partition_point(|(case, _)| case.text.len() <= SMALL);
    cases.truncate(small.max(1));
    let kind = cases.first().map(|(case, _)| case.kind);
    let mut seen = HashSet::new();
    let mut fresh = |form: &Form| {
        let wanted = |key: &str, value: &str| {
            if kind == Some(Kind::Tensorflow) {
                return !key.ends_with(".from");
            }
            let words = value.starts_with('"');
            let kind = matches!(value, "fp16" | "fp64" | "i64" | "quantized");
            words || kind || matches!(key, "version" | "base_values")
        };
        let features = form.features.iter().filter(|(key, value)| wanted(key, value));
        features.filter(|feature| seen.insert((*feature).clone())).count() > 0
    };
    let chosen = cases.into_iter().enumerate();
    chosen
        .filter(|(place, (_, form))| fresh(form) || *place == 0)
        .map(|(_, (case, _))| case)
        .collect()
}

/// Prints counts by operator and in all.
fn report(results: &[(String, Form, Outcome)], table: &Table) {
    let mut by_operator: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut all = [0; 4];
    let mut escaped = 0;
    for (name, form, outcome) in results {
        by_operator.entry(&form.operator).or_default()[*outcome as usize] += 1;
        all[*outcome as usize] += 1;
        let taken = table.doubt(form).is_none();
        if taken && matches!(outcome, Outcome::Wrong | Outcome::Failed) {
            println!("taken by the gate, though {outcome:?}: {name}");
            escaped += 1;
        }
    }
    println!("{:40} {:>7} {:>7} {:>7} {:>7}", "operator", "right", "wrong", "failed", "refused");
    for (operator, [right, wrong, failed, refused]) in &by_operator {
        println!("{operator:40} {right:7} {wrong:7} {failed:7} {refused:7}");
    }
    let [right, wrong, failed, refused] = all;
    println!("{:40} {right:7} {wrong:7} {failed:7} {refused:7}", "all");
    let count = |each: fn(&gate::Compared) -> usize| -> usize {
        table.operators().map(|(_, compared)| each(compared)).sum()
    };
    let values = count(|it| it.right.values().map(|values| values.len()).sum());
    println!("operators with right cases: {}", table.operators().count());
    println!("features of them that are right: {}", values);
    println!("versions: {}", count(|it| it.right.get("version").map_or(0, |it| it.len())));
    println!("combinations that are wrong: {}", count(|it| it.wrong.len()));
    println!("wrong and taken by the gate: {escaped}");
}

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
//! prints what is refused or not right. `--doubts` prints which nodes of ONNX files a table
//! refuses, and what of them.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use sandbar_inference::gate::{self, Form, Outcome, Table};
use sandbar_inference::{Graph, GraphSource};
use sandbar_model::Kind;

#[path = "../tests/differential/cases.rs"]
mod cases;
use cases::Case;

/// Bytes of a case of the short form at most, unless an operator has none.
const SMALL: usize = 4096;
const THREADS: usize = 8;

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
    let mut results = Vec::new();
    let mut small: BTreeMap<String, Vec<(&Case, Form)>> = BTreeMap::new();
    for (case, outcome, reason) in run(&cases) {
        let forms = gate::forms(&case.model)?;
        let form = forms.into_iter().find(|form| form.node == case.node);
        let form = form.ok_or_else(|| format!("{}: no node {}", case.name, case.node))?;
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
    if let Some(path) = table {
        let head = "# Written by cargo xtask differential: what of each operator is right, and what is wrong.\n";
        std::fs::write(path, format!("{head}{learnt}"))?;
    }
    if let Some(path) = page {
        std::fs::write(path, gate::page(&learnt))?;
    }
    if let Some(path) = short {
        let mut file = std::fs::File::create(path)?;
        for of_operator in small.into_values() {
            for case in chosen(of_operator) {
                file.write_all(&case.text)?;
            }
        }
    }
    Ok(())
}

fn models(path: &str) -> Result<(), Box<dyn Error>> {
    let bytes: Arc<[u8]> = std::fs::read(path)?.into();
    for case in cases::read(&bytes)? {
        let source = GraphSource::Bytes(Kind::Onnx, case.model.clone());
        let loaded = Graph::load(case.name.clone(), source).and_then(|graph| graph.try_out());
        match (loaded, case.run()) {
            (Ok(()), (outcome, reason)) => println!("{outcome:?} {}: {reason}", case.name),
            (Err(error), (outcome, _)) => println!("Kept away, {outcome:?}: {error}"),
        }
    }
    Ok(())
}

fn doubts(files: &[String]) -> Result<(), Box<dyn Error>> {
    let (table, models) = files.split_first().ok_or("the table is missing")?;
    let table = Table::read(&std::fs::read_to_string(table)?);
    for model in models {
        let forms = gate::forms(&std::fs::read(model)?)?;
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
        let work =
            |cases: &'_ [Case]| -> Vec<(Outcome, String)> { cases.iter().map(Case::run).collect() };
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
    let mut seen = HashSet::new();
    let mut fresh = |form: &Form| {
        let wanted = |key: &str, value: &str| {
            let words = value.starts_with('"');
            let kind = matches!(value, "fp16" | "fp64" | "i64" | "quantized");
            words || kind || matches!(key, "version" | "base_values")
        };
        let features = form.features.iter().filter(|(key, value)| wanted(key, value));
        features.filter(|feature| seen.insert((*feature).clone())).count() > 0
    };
    cases.into_iter().filter(|(_, form)| fresh(form)).map(|(case, _)| case).collect()
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

//! Graphs that a guest brings, tried in a process of their own before this one loads them.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use sandbar::confine::Child;
use sandbar_tests::graphs::{integers, made, node};

use super::*;

/// A sandbox with a process for what is untrusted.
pub(super) fn apart() -> Sandbox {
    let program = sandbar_tests::sandbar().get_program().into();
    sandbox().with_child(Child { program, arguments: vec![OsString::from("prepare")] })
}

/// The same, which writes a line into `counted` for each of its processes.
fn counted(counted: &Path) -> Sandbox {
    let script = format!(
        "echo >> '{}'; exec '{}' prepare",
        counted.display(),
        sandbar_tests::sandbar().get_program().display()
    );
    let arguments = ["-c".into(), script.into()].to_vec();
    sandbox().with_child(Child { program: "/bin/sh".into(), arguments })
}

/// A command that brings a graph of one number, and computes it.
fn bring(graph: &[u8]) -> String {
    let mut hex = String::new();
    graph.iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
    format!("hex onnx {hex} x 1x1 fp32 2")
}

#[test]
fn a_graph_is_tried_once_for_all_instances() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("processes");
    let sandbox = counted(&log);
    let command = "bytes onnx cpu image 1x1x8x8 fp32 -1";
    for _ in 0..2 {
        let mut scorer = scorer(&sandbox, vec![], PATIENT);
        for _ in 0..2 {
            assert_eq!(obey(&mut scorer, command).unwrap()[0], 10.0);
        }
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "\n");
    // Nor is one that is refused.
    let bomb = bring(&made(
        vec![node("ConstantOfShape", &["shape"], "c")],
        vec![integers("shape", &[1], &[1 << 27])],
    ));
    let mut scorer = scorer(&sandbox, vec![], PATIENT);
    for _ in 0..2 {
        let error = obey(&mut scorer, &bomb).unwrap_err();
        let expected = "TooLarge: the operator's own graph: node 'c', operation ConstantOfShape, ";
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "\n\n");
}

/// The process is ended, and no thread of this one goes on with it.
#[test]
fn a_graph_that_takes_too_long_is_ended() {
    let sums: Vec<_> = (0..20_000)
        .map(|step| {
            let from = if step == 0 { "x".to_owned() } else { format!("s{}", step - 1) };
            let to = if step == 19_999 { "c".to_owned() } else { format!("s{step}") };
            node("Add", &[&from, &from], &to)
        })
        .collect();
    let command = bring(&made(sums, vec![]));
    let patience = Duration::from_secs(2);
    let sandbox = apart();
    let nn = NnLimits { deadline: patience, load: 4 << 20, apart: true };
    let mut scorer = scorer(&sandbox, vec![], nn);
    let start = Instant::now();
    let error = obey(&mut scorer, &command).unwrap_err();
    assert!(error.starts_with("Timeout: the operator's own graph: not read, "), "{error}");
    assert!(start.elapsed() < 3 * patience, "{:?}", start.elapsed());
    assert_eq!(sandbox.threads().late(), 0);
    // It is not tried again for as long a time.
    let start = Instant::now();
    assert_eq!(obey(&mut scorer, &command).unwrap_err(), error);
    assert!(start.elapsed() < patience, "{:?}", start.elapsed());
}

#[test]
fn a_graph_that_fails_when_it_is_computed_is_refused() {
    let sandbox = apart();
    let mut scorer = scorer(&sandbox, vec![], PATIENT);
    let broken = obey(&mut scorer, &bring(b"no graph")).unwrap_err();
    let expected = "InvalidEncoding: the operator's own graph: not a readable graph of kind onnx";
    assert!(broken.starts_with(expected), "{broken}");
}

/// Without such a process, and where the manifest says so, it is loaded here.
#[test]
fn a_child_that_is_not_there_is_an_error() {
    let child = Child { program: "/nowhere".into(), arguments: vec![] };
    let sandbox = sandbox().with_child(child);
    let mut scorer = scorer(&sandbox, vec![], PATIENT);
    let command = "bytes onnx cpu image 1x1x8x8 fp32 -1";
    let error = obey(&mut scorer, command).unwrap_err();
    let expected = "RuntimeError: the operator's own graph: not tried in a process of its own: ";
    assert!(error.starts_with(expected), "{error}");
    let mut scorer = self::scorer(&sandbox, vec![], NnLimits { apart: false, ..PATIENT });
    assert_eq!(obey(&mut scorer, command).unwrap()[0], 10.0);
}

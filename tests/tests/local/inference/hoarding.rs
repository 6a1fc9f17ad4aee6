//! A guest that keeps whatever the host makes for it, and what the process takes then.
#![allow(clippy::print_stdout, reason = "a child tells its test, and the test what it measured")]

use wit_parser::{Resolve, TypeDefKind};

use super::*;

/// How each resource of `wit/` is hoarded: a command of `plain-nn-scorer`, with more than its
/// limit pays for.
const HOARDS: [(&str, &str); 7] = [
    ("tensor", "hoard 300 1000000"),
    ("tensor", "hoard 4000000 1"),
    ("tensor", "dimensions 4000000 16"),
    ("error", "errors 4000000"),
    ("graph", "graphs 4000000 digits"),
    ("graph", "brought 100000"),
    ("graph-execution-context", "contexts 4000000 digits"),
];

/// Says which command the process hoards with; it is a child of the test.
const HOARD: &str = "SANDBAR_TEST_HOARD";
/// What the child writes in front of its answer.
const ANSWER: &str = "hoarded: ";

/// Bytes of `/proc/self/status`.
fn resident(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

mod exclusive {
    use super::*;

    /// Hoards in a process of its own, as memory that was freed before would be taken again.
    #[test]
    fn one_hoard() {
        let Ok(command) = std::env::var(HOARD) else { return };
        let mut scorer = scorer(&sandbox(), vec![digits()], PATIENT);
        let before = resident("VmRSS:");
        let error = scorer.score(&table(&[&command])).unwrap_err();
        let taken = resident("VmHWM:").saturating_sub(before) >> 20;
        println!("\n{ANSWER}{taken} {}", error.code);
    }

    /// The process's memory is what counts, not what was charged.
    #[test]
    fn whatever_is_hoarded_the_process_stays_within_the_limit() {
        let mut resolve = Resolve::default();
        resolve.push_dir(project().join("wit")).unwrap();
        for (_, ty) in resolve.types.iter().filter(|(_, ty)| ty.kind == TypeDefKind::Resource) {
            let name = ty.name.as_deref().unwrap();
            let hoarded = HOARDS.iter().any(|(resource, _)| *resource == name);
            assert!(hoarded, "resource '{name}': say in HOARDS how a guest hoards it");
        }
        println!("| resource | command | MiB, of 256 | ended by |\n|---|---|---|---|");
        for (resource, command) in HOARDS {
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "inference::hoarding::exclusive::one_hoard", "--nocapture"])
                .env(HOARD, command)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&child.stdout);
            let answer = said.lines().find_map(|line| line.strip_prefix(ANSWER));
            let Some((taken, code)) = answer.and_then(|answer| answer.split_once(' ')) else {
                panic!("{command}: {}: {said}", child.status)
            };
            println!("| {resource} | `{command}` | {taken} | {code} |");
            assert_eq!(code, "memory", "{command}");
            assert!(taken.parse::<u64>().unwrap() < 256 * 3 / 2, "{command}: {taken} MiB");
        }
    }
}

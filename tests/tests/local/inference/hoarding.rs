//! A guest that keeps whatever the host makes for it, and what the process takes then.
#![allow(clippy::print_stdout, reason = "a child tells its test, and the test what it measured")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wit_parser::{Resolve, TypeDefKind};

use super::brought::apart;
use super::*;

/// MiB that an instance may take.
const LIMIT: u64 = 256;

/// MiB that a process may take for what it makes once, such as the thread that computes.
const ONCE: u64 = 8;
/// In front of a command: graphs are loaded without being tried in a process of their own.
const HERE: &str = "in-process: ";

/// How each resource of `wit/` is hoarded: a command of `plain-nn-scorer`, with more than its
/// limit pays for.
const HOARDS: [(&str, &str); 8] = [
    ("tensor", "hoard 300 1000000"),
    ("tensor", "hoard 4000000 1"),
    ("tensor", "dimensions 4000000 16"),
    ("error", "errors 4000000"),
    ("graph", "graphs 4000000 digits"),
    ("graph", "brought 100000"),
    // Arguments of one call, beside what the guest has of them: 150 MB each.
    ("graph", "lifted 150 1000000"),
    ("graph-execution-context", "contexts 4000000 digits"),
];

/// How each resource of WASI is hoarded, or why a guest can have none: the error when it asks.
const WASI_HOARDS: [(&str, Result<&str, &str>); 14] = [
    ("pollable", Ok("wasi pollable 4000000")),
    ("input-stream", Ok("wasi input-stream 4000000")),
    ("output-stream", Ok("wasi output-stream 4000000")),
    ("network", Ok("wasi network 4000000")),
    ("tcp-socket", Err("access-denied")),
    ("udp-socket", Err("access-denied")),
    ("descriptor", Err("no directory")),
    ("terminal-input", Err("no terminal")),
    ("terminal-output", Err("no terminal")),
    ("resolve-address-stream", Err("permanent-resolver-failure")),
    // Of an open directory.
    ("directory-entry-stream", Err("")),
    // Of a socket that is bound.
    ("incoming-datagram-stream", Err("")),
    ("outgoing-datagram-stream", Err("")),
    // Of a stream that failed otherwise than by its end.
    ("error", Err("")),
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

/// The resources of a package and its dependencies.
fn resources(folder: &Path) -> BTreeSet<String> {
    let mut resolve = Resolve::default();
    resolve.push_dir(folder).unwrap();
    let resources = resolve.types.iter().filter(|(_, ty)| ty.kind == TypeDefKind::Resource);
    resources.filter_map(|(_, ty)| ty.name.clone()).collect()
}

/// The WIT of WASI that the host links. Of other platforms' packages there may be no copy here.
fn wasi() -> PathBuf {
    let rustc = std::process::Command::new("rustc").args(["--print", "host-tuple"]).output();
    let platform = String::from_utf8(rustc.unwrap().stdout).unwrap();
    let metadata = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline"])
        .args(["--filter-platform", platform.trim(), "--manifest-path"])
        .arg(project().join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|it| it["name"] == "wasmtime-wasi").unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).with_file_name("src/p2/wit")
}

mod exclusive {
    use super::*;

    /// Hoards in a process of its own, as memory that was freed before would be taken again.
    #[test]
    fn one_hoard() {
        let Ok(command) = std::env::var(HOARD) else { return };
        let patience = Duration::from_secs(60);
        let here = command.strip_prefix(HERE);
        let nn = NnLimits { load: 1 << 30, apart: here.is_none(), ..PATIENT };
        let command = here.unwrap_or(&command);
        let mut scorer = scorer_within(&apart(), vec![digits()], nn, patience);
        let before = resident("VmRSS:");
        let answer = match scorer.score(&table(&[command])) {
            Err(error) => error.code.to_string(),
            Ok(mut scored) => scored.failures.pop().unwrap().message,
        };
        let taken = resident("VmHWM:").saturating_sub(before) >> 20;
        println!("\n{ANSWER}{taken} {answer}");
    }

    /// The MiB that the process took, and what ended the call.
    fn hoard(command: &str) -> (u64, String) {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "inference::hoarding::exclusive::one_hoard", "--nocapture"])
            .env(HOARD, command)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        let answer = said.lines().find_map(|line| line.strip_prefix(ANSWER));
        let Some((taken, end)) = answer.and_then(|answer| answer.split_once(' ')) else {
            panic!("{command}: {}: {said}", child.status)
        };
        (taken.parse().unwrap(), end.to_owned())
    }

    /// The process's memory is what counts, not what was charged.
    #[test]
    fn whatever_is_hoarded_the_process_stays_within_the_limit() {
        for resource in resources(&project().join("wit")) {
            let hoarded = HOARDS.iter().any(|(known, _)| *known == resource);
            assert!(hoarded, "resource '{resource}': say in HOARDS how a guest hoards it");
        }
        println!("| resource | command | MiB, of {LIMIT} | ended by |\n|---|---|---|---|");
        for (resource, command) in HOARDS {
            let (taken, end) = hoard(command);
            println!("| {resource} | `{command}` | {taken} | {end} |");
            assert_eq!(end, "memory", "{command}");
            assert!(taken <= LIMIT + ONCE, "{command}: {taken} MiB");
        }
        // Without a process that tries them, graphs are charged by an estimate.
        let (taken, end) = hoard(&format!("{HERE}brought 100000"));
        println!("| graph | `brought 100000`, in-process | {taken} | {end} |");
        assert_eq!(end, "memory");
        assert!(taken <= LIMIT + ONCE, "{taken} MiB");
    }

    #[test]
    fn resources_of_wasi_are_few() {
        for resource in resources(&wasi()) {
            let hoarded = WASI_HOARDS.iter().any(|(known, _)| *known == resource);
            assert!(hoarded, "resource '{resource}': say in WASI_HOARDS how a guest hoards it");
        }
        println!("| resource of WASI | MiB | ended by |\n|---|---|---|");
        for (resource, hoarded) in WASI_HOARDS {
            let command = match hoarded {
                Err("") => continue,
                Ok(command) => command.to_owned(),
                Err(_) => format!("wasi {resource} 1"),
            };
            let (taken, end) = hoard(&command);
            println!("| {resource} | {taken} | {end} |");
            assert_eq!(end, hoarded.map_or_else(|error| error, |_| "memory"), "{resource}");
            // An instance pays for 256 KiB of them from the start.
            assert!(taken < 2, "{resource}: {taken} MiB");
        }
    }
}

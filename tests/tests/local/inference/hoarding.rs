//! A guest that keeps whatever the host makes for it, and what the process takes then.

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

/// Bytes that the process takes, and that it took at the most since this was last reset.
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let bytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    (bytes("VmRSS:"), bytes("VmHWM:"))
}

mod exclusive {
    use super::*;

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
        let sandbox = sandbox();
        println!("| resource | command | peak beyond what was before, of 256 MiB |\n|---|---|---|");
        for (resource, command) in HOARDS {
            let mut scorer = scorer(&sandbox, vec![digits()], PATIENT);
            // 5: the peak begins anew.
            std::fs::write("/proc/self/clear_refs", "5").unwrap();
            let before = resident().0;
            let result = scorer.score(&table(&[command]));
            let taken = resident().1.saturating_sub(before) >> 20;
            println!("| {resource} | `{command}` | {taken} MiB |");
            let error = result.unwrap_err();
            // Many small ones may take longer than the deadline; a guest's own memory may end.
            let codes = [Code::Memory, Code::Trap, Code::Deadline];
            assert!(codes.contains(&error.code), "{command}: {error}");
            assert!(taken < 256 * 3 / 2, "{command}: {taken} MiB");
        }
    }
}

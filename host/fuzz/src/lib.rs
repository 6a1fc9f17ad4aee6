//! The fuzz targets of the runner: whatever it reads that others wrote. `CONTRIBUTING.md`
//! says how to run them and how to add one: a function, a row here, and a corpus.

pub mod admin;
pub mod bytes;
pub mod calls;
pub mod child;
pub mod fleet;
pub mod graphs;
pub mod guests;
pub mod letters;
pub mod manifests;
pub mod models;
pub mod registry;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use fuzz_driver::{Suite, Target};

/// All targets.
pub const SUITE: Suite = Suite {
    folder: env!("CARGO_MANIFEST_DIR"),
    targets: &[
        Target { name: "admin-requests", run: admin::request, seeds: &[], max_len: 4096 },
        Target { name: "components", run: graphs::component, seeds: &[], max_len: 128 },
        Target { name: "dead-letters", run: letters::dead_letter, seeds: &[], max_len: 2048 },
        Target { name: "fleet-records", run: fleet::record, seeds: &[], max_len: 4096 },
        Target { name: "graphs", run: graphs::graph, seeds: &[], max_len: 128 },
        Target { name: "guest-answers", run: guests::answer, seeds: &[], max_len: 1024 },
        Target { name: "guest-calls", run: calls::calls, seeds: &[], max_len: 2048 },
        Target {
            name: "manifest",
            run: manifests::manifest,
            seeds: &[("../../tests/golden/manifest", ".toml"), ("../../pipelines", ".toml")],
            max_len: 8192,
        },
        Target {
            name: "model-description",
            run: models::description,
            seeds: &[
                ("../../models/airports", "model.toml"),
                ("../../models/digits", "model.toml"),
                ("../../models/flights-dl", "model.toml"),
                ("../../models/googlenet-12", "model.toml"),
                ("../../models/inception5h", "model.toml"),
            ],
            max_len: 4096,
        },
        Target { name: "prepare", run: graphs::prepare, seeds: &[], max_len: 128 },
        Target { name: "registry-documents", run: registry::document, seeds: &[], max_len: 4096 },
        Target {
            name: "samples",
            run: models::samples,
            seeds: &[
                ("../../tests/golden/samples", "types.npz"),
                ("../../tests/golden/samples", "one.npz"),
                ("../../tests/golden/samples", "digits-other.npz"),
                ("../../tests/golden/samples", "hostile-objects.npz"),
                ("../../tests/golden/samples", "digits.csv"),
            ],
            max_len: 4096,
        },
        Target { name: "tensors", run: models::tensor, seeds: &[], max_len: 2048 },
    ],
};

/// What this program does when a target starts it as a process of its own; `None` if it was not.
#[allow(clippy::disallowed_methods, reason = "who started it reads its answers")]
pub fn serve() -> Option<ExitCode> {
    let served = match std::env::args().nth(1)?.as_str() {
        graphs::WORKER => graphs::serve(Path::new(&std::env::args_os().nth(2)?)),
        child::PREPARE => {
            sandbar::pipeline::prepare::serve(std::io::stdin().lock(), std::io::stdout().lock())
        }
        _ => return None,
    };
    Some(match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Who started it may be gone.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    })
}

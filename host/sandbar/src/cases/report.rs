//! Reports as text.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use bytesize::ByteSize;

use super::diff::Colours;
use super::run::CaseReport;
use super::verdict::{Difference, Verdict};
use sandbar_sandbox::Usage;
use sandbar_telemetry::visible;

impl CaseReport {
    /// The explanation of a failure of a case in the file at `path`; empty
    /// if it did not fail. What is from elsewhere in it is visible.
    pub fn explain(&self, path: &Path, colours: Colours) -> String {
        match &self.verdict {
            Verdict::Passed => String::new(),
            Verdict::Error(reason) => visible::lines(reason).into_owned(),
            Verdict::Failed(differences) => {
                let path = self.expectations.as_deref().unwrap_or(path);
                differences.iter().map(|difference| difference.explain(path, colours)).collect()
            }
        }
    }

    /// What each stage has used, in one line; empty if nothing ran.
    pub fn cost(&self) -> String {
        let stage = |(name, usage): &(std::sync::Arc<str>, Usage)| {
            let Usage { records, memory, .. } = *usage;
            format!(
                "{name} {} {}, memory {}, {:+} B a record",
                records,
                match records {
                    1 => format!("record in {:.1?}", usage.time),
                    _ => format!("records, {:.1?} each", per_record(usage)),
                },
                ByteSize(memory),
                usage.grown.checked_div(records).unwrap_or_default(),
            )
        };
        let stages: Vec<String> = self.usage.iter().map(stage).collect();
        stages.join("; ")
    }

    /// The same as names and values, for programs.
    pub fn costs(&self) -> Vec<(String, String)> {
        let stage = |(name, usage): &(std::sync::Arc<str>, Usage)| {
            let own = |what: &str| format!("{name}.{what}");
            [
                (own("records"), usage.records.to_string()),
                (own("calls"), usage.calls.to_string()),
                (own("nanoseconds-per-record"), per_record(usage).as_nanos().to_string()),
                (own("memory-bytes"), usage.memory.to_string()),
                (own("grown-bytes"), usage.grown.to_string()),
            ]
        };
        self.usage.iter().flat_map(stage).collect()
    }
}

fn per_record(usage: &Usage) -> Duration {
    let records = u32::try_from(usage.records).unwrap_or(u32::MAX);
    usage.time.checked_div(records).unwrap_or_default()
}

impl Difference {
    /// The record, and the difference between the actual result and the expectation in the
    /// file at `path`.
    pub fn explain(&self, path: &Path, colours: Colours) -> String {
        let mut text = match self.record {
            Some(index) => format!("record {}", index + 1),
            None => "the case".to_owned(),
        };
        if let Some(about) = &self.about {
            let _ = write!(text, ", {}", visible::line(about));
        }
        if let Some(line) = self.line {
            let _ =
                write!(text, ", expected at {}:{line}", visible::line(&path.display().to_string()));
        }
        text + ":\n" + &self.render("  ", colours)
    }
}

//! What serves, and what trying it gave, for a person.

use std::time::{Duration, UNIX_EPOCH};

use humantime_serde::re::humantime;

use crate::admin::api::{Serving, Tried};
use crate::output::say;

/// Prints the results of trying a change on recent records.
pub(super) fn tried(samples: usize, trial: Option<&Tried>) {
    tried_samples(samples);
    match trial {
        Some(trial) => say!(
            "tried on {} recent records: {} failed, {} failed before",
            trial.records,
            trial.failed,
            trial.failed_before
        ),
        None => say!("not tried: no records have been read yet"),
    }
}

/// Prints whether the model was validated with its sample rows, if it has any.
pub(super) fn tried_samples(samples: usize) {
    if samples > 0 {
        say!("tried on {samples} sample rows of the model: as expected");
    }
}

/// Seconds since the epoch, for a person.
pub(super) fn moment(seconds: u64) -> impl std::fmt::Display {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds))
}

pub(super) fn show(serving: &Serving) {
    say!("revision {} since {}", serving.revision, moment(serving.since));
    for (name, id) in &serving.models {
        say!("  model {name}: {id}");
    }
    for stage in &serving.components {
        say!("  stage {}: {}", stage.stage, stage.component.display());
    }
}

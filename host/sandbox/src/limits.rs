//! `[limits]`: what an operator may use, as documents say it.

use std::num::NonZeroU32;
use std::time::Duration;

use bytesize::ByteSize;
use sandbar_config::units::{duration, duration_problem, size, size_problem};
use sandbar_config::{Document, KeyPath, Problem, name_problem};
use sandbar_inference::NnLimits;
use sandbar_record::RESERVED_STAGES;
use serde::{Deserialize, Serialize};

use crate::state::Limits;

/// The size of a 32-bit linear memory.
pub const MEMORY_LIMIT: ByteSize = ByteSize::gib(4);
/// What the preparation of a pipeline may take at most.
const LOAD_LIMIT: ByteSize = ByteSize::tib(1);
/// The default of [`LimitsSection::load_deadline`].
const LOAD_DEADLINE: Duration = Duration::from_secs(60);
/// The default of [`LimitsSection::load_memory`].
const LOAD_MEMORY: ByteSize = ByteSize::gib(1);

/// `[stages.limits]`: the limits in which a stage differs from `[limits]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Overrides {
    #[serde(default, deserialize_with = "size::optional")]
    memory: Option<ByteSize>,
    #[serde(default, deserialize_with = "duration::optional")]
    deadline: Option<Duration>,
    #[serde(default, deserialize_with = "duration::optional")]
    configure_deadline: Option<Duration>,
    #[serde(default, deserialize_with = "duration::optional")]
    inference_deadline: Option<Duration>,
    #[serde(default, deserialize_with = "size::optional")]
    log: Option<ByteSize>,
    #[serde(default)]
    retire_after: Option<NonZeroU32>,
}

impl Overrides {
    /// The limits that a stage has: `limits`, and over them these.
    pub fn over(&self, limits: &LimitsSection) -> LimitsSection {
        LimitsSection {
            memory: self.memory.unwrap_or(limits.memory),
            deadline: self.deadline.unwrap_or(limits.deadline),
            configure_deadline: self.configure_deadline.unwrap_or(limits.configure_deadline),
            inference_deadline: self.inference_deadline.unwrap_or(limits.inference_deadline),
            log: self.log.unwrap_or(limits.log),
            retire_after: self.retire_after.or(limits.retire_after),
            // Of the pipeline, not of a stage.
            load_deadline: None,
            load_memory: None,
        }
    }
}

/// `[limits]`: how much a stage may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LimitsSection {
    /// Memory of one instance, its tensors in the host included. Default 64 MiB; at
    /// most 4 GiB.
    #[serde(with = "size")]
    pub memory: ByteSize,
    /// Time for one call with a batch. Default 1 s; at most a day.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// Time for the call that configures an instance, which may load a model.
    /// Default 10 s; at most a day.
    #[serde(with = "duration")]
    pub configure_deadline: Duration,
    /// Time for one computation of a graph; a call with n records may spend n times
    /// that. It does not count as time of the call itself. Default 10 s; at most a day.
    #[serde(with = "duration")]
    pub inference_deadline: Duration,
    /// What the operator may print to stdout and stderr together: this many bytes at once, and
    /// as many every second; the rest is dropped and counted. Default 64 KiB.
    #[serde(with = "size")]
    pub log: ByteSize,
    /// Batches after which an instance is replaced. Default: it stays
    /// until a call fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retire_after: Option<NonZeroU32>,
    /// Time to prepare what a pipeline names, before it serves: to compile components, to read,
    /// optimise and try models. Default 60 s; at most a day. Of the pipeline alone.
    #[serde(
        deserialize_with = "duration::optional",
        serialize_with = "duration::serialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub load_deadline: Option<Duration>,
    /// Memory that this may take. Default 1 GiB. Of the pipeline alone.
    #[serde(
        deserialize_with = "size::optional",
        serialize_with = "size::serialize_optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub load_memory: Option<ByteSize>,
}

impl Default for LimitsSection {
    fn default() -> Self {
        LimitsSection {
            memory: ByteSize::mib(64),
            deadline: Duration::from_secs(1),
            configure_deadline: Duration::from_secs(10),
            inference_deadline: Duration::from_secs(10),
            log: ByteSize::kib(64),
            retire_after: None,
            load_deadline: None,
            load_memory: None,
        }
    }
}

impl LimitsSection {
    /// Sets the defaults of what only a pipeline has.
    pub fn fill(&mut self) {
        self.load_deadline.get_or_insert(LOAD_DEADLINE);
        self.load_memory.get_or_insert(LOAD_MEMORY);
    }

    /// Time to prepare what a pipeline names.
    pub fn load_deadline(&self) -> Duration {
        self.load_deadline.unwrap_or(LOAD_DEADLINE)
    }

    /// Memory that this may take.
    pub fn load_memory(&self) -> ByteSize {
        self.load_memory.unwrap_or(LOAD_MEMORY)
    }
}

impl From<&LimitsSection> for Limits {
    /// As an operator has them, which may not bring graphs.
    fn from(section: &LimitsSection) -> Self {
        Limits {
            memory: section.memory.as_u64(),
            deadline: section.deadline,
            configure_deadline: section.configure_deadline,
            log: section.log.as_u64(),
            retire_after: section.retire_after,
            nn: NnLimits { deadline: section.inference_deadline, load: 0, apart: true },
        }
    }
}

/// What is wrong with limits at `place`; of a stage's only with those that it has not from
/// `inherited`.
pub fn limit_problems(
    document: &Document<'_>,
    place: &KeyPath,
    limits: &LimitsSection,
    inherited: Option<&LimitsSection>,
) -> Vec<Problem> {
    let own = |differs: &dyn Fn(&LimitsSection) -> bool| inherited.is_none_or(differs);
    let memory = || size_problem(limits.memory, MEMORY_LIMIT);
    let log = || size_problem(limits.log, MEMORY_LIMIT);
    let found = [
        ("memory", own(&|it| it.memory != limits.memory).then(memory)),
        ("deadline", {
            let own = own(&|it| it.deadline != limits.deadline);
            own.then(|| duration_problem(limits.deadline))
        }),
        ("configure-deadline", {
            let own = own(&|it| it.configure_deadline != limits.configure_deadline);
            own.then(|| duration_problem(limits.configure_deadline))
        }),
        ("inference-deadline", {
            let own = own(&|it| it.inference_deadline != limits.inference_deadline);
            own.then(|| duration_problem(limits.inference_deadline))
        }),
        ("log", own(&|it| it.log != limits.log).then(log)),
        ("load-deadline", limits.load_deadline.map(duration_problem)),
        ("load-memory", limits.load_memory.map(|memory| size_problem(memory, LOAD_LIMIT))),
    ];
    let problem = |(key, found): (&str, Option<Option<String>>)| {
        Some(document.problem(&place.clone().key(key), found??))
    };
    found.into_iter().filter_map(problem).collect()
}

/// What is wrong with the name of a stage.
pub fn stage_name_problem(name: &str) -> Option<String> {
    let reserved = || {
        RESERVED_STAGES
            .contains(&name)
            .then(|| format!("'{name}' is reserved in dead letters; give the stage another name"))
    };
    name_problem(name).or_else(reserved)
}

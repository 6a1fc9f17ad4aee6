//! What a process may use, set by itself and for good.
//!
//! Memory is bounded by `RLIMIT_DATA`, not by the address space: the sandbox reserves gigabytes of
//! addresses for each memory of a guest, and uses few of them. Since Linux 4.7 the limit is on
//! what is private and writable, allocated by `mmap` or not (`getrlimit(2)`). What is writable and
//! not counted (shared mappings, those that grow down, memory files) is refused by `calls`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};

#[cfg(target_os = "linux")]
use crate::system;

/// How much a process may use of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of memory that it may write to.
    pub memory: u64,
    /// Processor time of all its threads.
    pub cpu: Duration,
    /// Whether other work of the machine comes first: records that are processed meanwhile.
    pub yields: bool,
}

/// What of a process's confinement this system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confinement {
    /// What was inherited is closed, but for standard input, output and error.
    pub descriptors: bool,
    /// Files fail to open but for those that it is to read (Landlock).
    pub files: bool,
    /// System calls of the network, those that start programs, and those that act on other
    /// processes fail (seccomp).
    pub calls: bool,
}

/// Descriptors that a process may have at once: each may hold some memory of the kernel.
const DESCRIPTORS: u64 = 256;
/// How much nicer than its parent one is that yields: where others take all of the machine, a tenth
/// of it is left to this.
const NICE: i32 = 10;
/// Bytes of a first thread's stack, which is no data to the kernel.
const STACK: u64 = 64 << 20;

impl Confinement {
    /// Limits this process: call it before there are other threads, and before anything
    /// untrusted is read. `readable` are the files and folders that may still be opened, for
    /// reading; those that do not exist are left out.
    ///
    /// # Errors
    /// If the memory or the time cannot be limited, or there are other threads.
    pub fn enter(bounds: Bounds, readable: &[PathBuf]) -> io::Result<Self> {
        limit(Resource::Data, bounds.memory, bounds.memory)?;
        let seconds = bounds.cpu.as_secs().max(1);
        // The hard limit kills without saying which limit it was, and so does the kernel where
        // memory is short: the soft one, with a signal of its own, comes first.
        limit(Resource::Cpu, seconds, seconds.saturating_add(1))?;
        limit(Resource::Stack, STACK, STACK)?;
        limit(Resource::Nofile, DESCRIPTORS, DESCRIPTORS)?;
        // It writes to no file, also where Landlock is missing.
        limit(Resource::Fsize, 0, 0)?;
        if bounds.yields {
            nice(NICE)?;
        }
        // Its memory is a user's records and models.
        limit(Resource::Core, 0, 0)?;
        system::enter(readable)
    }

    /// Whether all of it is there.
    pub fn is_whole(self) -> bool {
        self.descriptors && self.files && self.calls
    }
}

/// Lowers a limit: a lower one stays, since only root may raise it.
fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let lower = |most: u64, now: Option<u64>| Some(now.map_or(most, |now| now.min(most)));
    let limit = Rlimit { current: lower(soft, now.current), maximum: lower(hard, now.maximum) };
    Ok(setrlimit(resource, limit)?)
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::path::PathBuf;

    use super::Confinement;

    /// Nothing but the limits of memory and time is known here.
    pub(super) fn enter(_: &[PathBuf]) -> io::Result<Confinement> {
        Ok(Confinement::default())
    }
}

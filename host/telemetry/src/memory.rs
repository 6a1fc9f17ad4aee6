//! Memory of this process, for events that tell what something costs, and for limits that follow
//! from what was measured.

use std::fs::File;
use std::io::{Read, Seek};

/// Bytes that this process has in memory, where the system tells.
pub fn resident_bytes() -> Option<u64> {
    #[allow(clippy::disallowed_methods, reason = "the system's own, and small")]
    let about = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = about.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// The bytes of [`resident_bytes`] that the kernel cannot take back, for which it ends a process
/// when there are no others: all but pages of files. Where the system tells: Linux.
pub fn occupied_bytes() -> Option<u64> {
    #[allow(clippy::disallowed_methods, reason = "the system's own, and small")]
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    Some((kibibytes("RssAnon:")? + kibibytes("RssShmem:")?) << 10)
}

/// Gives memory that was freed back to the system, which the C library keeps to use it again.
pub fn release_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes a number, may be called by any thread at any time, and moves nothing that
    // is allocated.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Bytes that this process has allocated and not freed, where its allocator tells.
pub fn allocated_bytes() -> Option<u64> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: it takes nothing, and returns numbers.
        let about = unsafe { libc::mallinfo2() };
        // From arenas, and mapped for themselves.
        Some(about.uordblks as u64 + about.hblkhd as u64)
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    None
}

/// What this process has in memory, also when it may open no files any more.
#[derive(Debug)]
pub struct MemoryMeter(Option<File>);

impl MemoryMeter {
    /// Opens what the system tells.
    pub fn open() -> Self {
        #[allow(clippy::disallowed_methods, reason = "the system's own, and small")]
        MemoryMeter(File::open("/proc/self/status").ok())
    }

    /// Bytes in memory now, and at the most until now, where the system tells.
    pub fn resident(&mut self) -> Option<(u64, u64)> {
        let file = self.0.as_mut()?;
        let mut about = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut about)).ok()?;
        let bytes = |key: &str| {
            let line = about.lines().find_map(|line| line.strip_prefix(key))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
        };
        Some((bytes("VmRSS:")?, bytes("VmHWM:")?))
    }
}

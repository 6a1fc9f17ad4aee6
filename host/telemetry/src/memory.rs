//! Memory of this process, for events that tell what something costs.

/// Bytes that this process has in memory, where the system tells.
pub fn resident_bytes() -> Option<u64> {
    #[allow(clippy::disallowed_methods, reason = "the system's own, and small")]
    let about = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = about.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

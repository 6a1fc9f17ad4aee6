//! Times as descriptions and people have them.

use std::time::{Duration, SystemTime};

/// Now, to the millisecond: what is written is what is read.
pub fn now() -> SystemTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(since.as_millis() as u64)
}

/// A time, for people.
pub fn time(at: SystemTime) -> String {
    humantime_serde::re::humantime::format_rfc3339_seconds(at).to_string()
}

//! Who has changed what, and who was refused, as events. Whoever asks often and in vain does
//! not fill the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use axum::response::Response;

use super::handle::Reason;
use super::peer::Peer;

/// How many refusals are logged at once, and how often another one.
const BURST: u32 = 20;
const EVERY: Duration = Duration::from_secs(1);
/// How much of a path is logged.
const LENGTH: usize = 100;

/// Logs changes and refusals.
pub(super) struct Audit(Mutex<Allowance>);

/// How many events may still be logged.
struct Allowance {
    left: u32,
    since: Instant,
    /// Refusals since the last one that was logged.
    unlogged: u64,
}

/// A request, as it is logged.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    request: String,
    from: Peer,
}

impl Asked {
    pub(super) fn of(head: &Parts, from: &Peer) -> Self {
        let path: String = head.uri.path().chars().take(LENGTH).collect();
        let method: String = head.method.as_str().chars().take(LENGTH).collect();
        let request = format!("{method} {path}").escape_default().to_string();
        Asked { request, from: from.clone() }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Audit(Mutex::new(Allowance { left: BURST, since: Instant::now(), unlogged: 0 }))
    }
}

impl Audit {
    /// Logs the outcome of a request to change something, or that a request was refused.
    pub(super) fn tell(&self, by: Option<&str>, asked: &Asked, response: &Response) {
        let (Asked { request, from }, status) = (asked, response.status());
        let from = from.address;
        if status.is_success() {
            tracing::info!(by, %from, %request, "admin request made a change");
            return;
        }
        let Some(unlogged) = self.allow(Instant::now()) else { return };
        let error = response.extensions().get::<Reason>().map(|reason| reason.0.as_str());
        let status = status.as_u16();
        tracing::warn!(by, %from, %request, status, error, unlogged, "admin request refused");
    }

    /// Whether one more may be logged; if so, how many were not.
    fn allow(&self, now: Instant) -> Option<u64> {
        let mut allowance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(allowance.since).as_secs_f64();
        let more = (passed / EVERY.as_secs_f64()) as u32;
        if more > 0 {
            allowance.left = allowance.left.saturating_add(more).min(BURST);
            allowance.since = now;
        }
        if allowance.left == 0 {
            allowance.unlogged += 1;
            return None;
        }
        allowance.left -= 1;
        Some(std::mem::take(&mut allowance.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_refusals_are_few_events() {
        let (audit, start) = (Audit::default(), Instant::now());
        let logged = (0..1000).filter(|_| audit.allow(start).is_some()).count();
        assert_eq!(logged, BURST as usize);
        assert_eq!(audit.allow(start + EVERY), Some(980));
        assert_eq!(audit.allow(start + EVERY), None);
        assert_eq!(audit.allow(start + 100 * EVERY), Some(1));
    }
}

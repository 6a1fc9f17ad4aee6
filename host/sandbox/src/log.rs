//! What a guest prints becomes log events: whole lines, so many bytes a second.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes of one line; a longer one is split.
const LINE_LIMIT: usize = 4096;
/// The time between two events that report how much was dropped.
const BETWEEN_COMPLAINTS: Duration = Duration::from_secs(1);

/// The log of a stage in one worker: stdout and stderr of its instances, one after the
/// other. It outlives them, so that a new instance may not print more than the old one.
#[derive(Clone)]
pub(super) struct GuestLog(Arc<Mutex<Lines>>);

struct Lines {
    stage: Arc<str>,
    /// The line that has not ended.
    line: Vec<u8>,
    /// Whether anything was printed in this call.
    printed: bool,
    /// The last line that said anything: of a panic, the reason.
    last: String,
    allowance: Allowance,
}

/// Bytes that may be logged: `limit` at once, and `limit` more with every second.
struct Allowance {
    limit: u64,
    left: u64,
    /// When `left` was last increased.
    counted: Instant,
    /// What exceeded that, since the last report.
    dropped: u64,
    complained: Option<Instant>,
}

impl GuestLog {
    pub(super) fn new(stage: Arc<str>, limit: u64) -> Self {
        GuestLog(Arc::new(Mutex::new(Lines {
            stage,
            line: Vec::new(),
            printed: false,
            last: String::new(),
            allowance: Allowance::new(limit, Instant::now()),
        })))
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a call: logs what has no newline yet, and returns the last line.
    pub(super) fn end_call(&self) -> String {
        let mut lines = self.lines();
        if !lines.printed {
            return String::new();
        }
        lines.printed = false;
        lines.end_line();
        lines.complain(Instant::now());
        std::mem::take(&mut lines.last)
    }
}

impl Lines {
    fn print(&mut self, bytes: &[u8]) {
        self.printed = true;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(LINE_LIMIT) {
                self.line.extend_from_slice(part);
                if part.ends_with(b"\n") || self.line.len() >= LINE_LIMIT {
                    self.end_line();
                }
            }
        }
    }

    fn end_line(&mut self) {
        let line = self.line.trim_ascii_end();
        if !line.is_empty() {
            // Rust ends the report of a panic with this hint, which says nothing here.
            if !line.starts_with(b"note: run with `RUST_BACKTRACE") {
                self.last = String::from_utf8_lossy(line).into_owned();
            }
            if self.allowance.take(self.line.len() as u64, Instant::now) {
                let line = String::from_utf8_lossy(line);
                tracing::info!(target: "sandbar::operator", stage = %self.stage, "{}", line.escape_debug());
            }
        }
        self.line.clear();
    }

    /// Reports how much was dropped, unless it did so a moment ago.
    fn complain(&mut self, now: Instant) {
        let Allowance { dropped, complained, .. } = &mut self.allowance;
        let recent = complained.is_some_and(|at| now.duration_since(at) < BETWEEN_COMPLAINTS);
        if *dropped > 0 && !recent {
            let (stage, dropped) = (&self.stage, std::mem::take(dropped));
            *complained = Some(now);
            tracing::warn!(target: "sandbar::operator", %stage, dropped_bytes = dropped, "operator output exceeds [limits] log, the rest is dropped");
        }
    }
}

impl Allowance {
    fn new(limit: u64, now: Instant) -> Self {
        Allowance { limit, left: limit, counted: now, dropped: 0, complained: None }
    }

    /// Takes so many bytes, if as many are left. Reads the clock only if
    /// they are not.
    fn take(&mut self, bytes: u64, now: impl FnOnce() -> Instant) -> bool {
        if self.left < bytes {
            let now = now();
            let seconds = now.duration_since(self.counted).as_secs_f64();
            let more = (seconds * self.limit as f64) as u64;
            if more > 0 {
                self.left = self.left.saturating_add(more).min(self.limit);
                self.counted = now;
            }
        }
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => {
                self.dropped = self.dropped.saturating_add(bytes);
                return false;
            }
        }
        true
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.allowance.complained = None;
        self.complain(Instant::now());
    }
}

impl IsTerminal for GuestLog {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestLog {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this one, and guests get 0.2.
        MemoryOutputPipe::new(0).async_stream()
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for GuestLog {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.lines().print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[async_trait]
impl Pollable for GuestLog {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_at_once_and_so_much_a_second() {
        let start = Instant::now();
        let at = |milliseconds| move || start + Duration::from_millis(milliseconds);
        let mut allowance = Allowance::new(1000, start);
        assert!(allowance.take(600, at(0)));
        assert!(!allowance.take(600, at(0)));
        assert!(allowance.take(400, at(0)));
        // Nothing is left, and 250 come back in a quarter of a second.
        assert!(!allowance.take(251, at(250)));
        assert!(allowance.take(250, at(250)));
        // No more than the limit is ever saved up.
        assert!(!allowance.take(1001, at(3_600_000)));
        assert!(allowance.take(1000, at(3_600_000)));
        assert!(!allowance.take(1, at(3_600_000)));
        assert_eq!(allowance.dropped, 600 + 251 + 1001 + 1);
    }

    #[test]
    fn what_was_printed_last_is_known_even_if_it_was_dropped() {
        let log = GuestLog::new("test".into(), 10);
        log.lines().print(b"a line that is longer than ten bytes\nthe reason, which is too");
        assert_eq!(log.end_call(), "the reason, which is too");
        assert_eq!(log.end_call(), "");
    }
}

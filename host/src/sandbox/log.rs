//! What a guest prints becomes log events: whole lines, so many bytes a call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes of one line; a longer one is split.
const LINE_LIMIT: usize = 4096;

/// The log of one instance: its stdout and stderr.
#[derive(Clone)]
pub(super) struct GuestLog(Arc<Mutex<Lines>>);

struct Lines {
    stage: Arc<str>,
    /// Bytes that each call may print.
    limit: u64,
    left: u64,
    dropped: u64,
    /// The line that has not ended.
    line: Vec<u8>,
    /// The last line that said anything: of a panic, the reason.
    last: String,
}

impl GuestLog {
    pub(super) fn new(stage: Arc<str>, limit: u64) -> Self {
        GuestLog(Arc::new(Mutex::new(Lines {
            stage,
            limit,
            left: limit,
            dropped: 0,
            line: Vec::new(),
            last: String::new(),
        })))
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a call: writes what has no newline yet, and returns the last line.
    /// The next call may print anew.
    pub(super) fn end_call(&self) -> String {
        let mut lines = self.lines();
        if lines.left == lines.limit {
            return String::new();
        }
        lines.end_line();
        if lines.dropped > 0 {
            let (stage, dropped) = (&lines.stage, lines.dropped);
            tracing::warn!(target: "sandbar::operator", %stage, dropped, "the operator printed more bytes in a call than its limit; the rest is dropped");
        }
        lines.left = lines.limit;
        lines.dropped = 0;
        std::mem::take(&mut lines.last)
    }
}

impl Lines {
    fn print(&mut self, bytes: &[u8]) {
        let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= taken as u64;
        self.dropped += (bytes.len() - taken) as u64;
        for piece in bytes[..taken].split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(LINE_LIMIT) {
                self.line.extend_from_slice(part);
                if part.ends_with(b"\n") || self.line.len() >= LINE_LIMIT {
                    self.end_line();
                }
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        let line = line.trim_end();
        if !line.is_empty() {
            tracing::info!(target: "sandbar::operator", stage = %self.stage, "{}", line.escape_debug());
            // Rust ends the report of a panic with this hint, which says nothing here.
            if !line.starts_with("note: run with `RUST_BACKTRACE") {
                self.last = line.to_owned();
            }
        }
        self.line.clear();
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

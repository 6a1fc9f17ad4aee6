//! The watch: a thread that reads what the process uses, the more often the nearer the next step
//! is, and does what that step asks for.

use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{fmt, io};

use sandbar_record::{MemoryGate, MemoryUse, Shortage, Shutdown};
use sandbar_telemetry::{occupied_bytes, release_freed};

use super::events::{MemoryChanged, RunEndsForMemory};

/// Bytes that may be taken in a second: several threads that fill new pages.
const FASTEST: u64 = 4 << 30;
/// The shortest and the longest time between two readings. One costs some 20 µs.
const PACE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));
/// The shortest time after which freed memory is given back again.
const RELEASE: Duration = Duration::from_millis(500);
/// How long computations have to stop, and memory to fall, once the limit is exceeded.
const GRACE: Duration = Duration::from_secs(1);
/// How long memory may be short though nothing is computed: nothing will change that any more.
const STUCK: Duration = Duration::from_secs(30);

/// Why the run was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory {
    /// What was used.
    pub usage: MemoryUse,
    /// Whether that was the limit, or only near it, for long and for nothing.
    pub exceeded: bool,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OutOfMemory { usage, exceeded } = self;
        if *exceeded {
            write!(f, "[runner] memory: {usage}, and they do not become less")?;
        } else {
            write!(f, "[runner] memory: {usage} for {STUCK:?}, though nothing is computed")?;
        }
        f.write_str(
            ": what was delivered is committed, the next run reads the rest; raise it, or lower \
             [limits] memory, workers or the models' size",
        )
    }
}

/// Reads what is used, without what was freed.
pub(super) fn read_anew() -> Option<u64> {
    release_freed();
    occupied_bytes()
}

/// A watch at work. Dropping it ends it.
pub(crate) struct MemoryWatch {
    stop: Shutdown,
    ended: Arc<OnceLock<OutOfMemory>>,
    thread: Option<JoinHandle<()>>,
}

impl MemoryWatch {
    /// Watches for `gate`, if that has a limit, and requests `shutdown` if nothing else helps.
    ///
    /// # Errors
    /// If the system provides no thread.
    pub(crate) fn start(gate: MemoryGate, shutdown: Shutdown) -> io::Result<Self> {
        let (stop, ended) = (Shutdown::default(), Arc::new(OnceLock::new()));
        let thread = gate.is_watched().then(|| {
            let mut watched = Watched {
                gate,
                shutdown,
                ended: ended.clone(),
                released: Instant::now(),
                over: None,
                idle: None,
            };
            let asked = stop.clone();
            let watch = move || {
                while !asked.requested() {
                    asked.wait(watched.look());
                }
            };
            std::thread::Builder::new().name("sandbar-memory".into()).spawn(watch)
        });
        Ok(MemoryWatch { stop, ended, thread: thread.transpose()? })
    }

    /// Why it has ended the run, if it has.
    pub(crate) fn ended(&self) -> Option<OutOfMemory> {
        self.ended.get().copied()
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.stop.request();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Watched {
    gate: MemoryGate,
    shutdown: Shutdown,
    ended: Arc<OnceLock<OutOfMemory>>,
    /// When freed memory was given back.
    released: Instant,
    /// Since when the limit is exceeded.
    over: Option<Instant>,
    /// Since when memory is short though nothing is computed.
    idle: Option<Instant>,
}

impl Watched {
    /// Looks once. Returns when to look again.
    fn look(&mut self) -> Duration {
        let Some(used) = self.read() else { return PACE.1 };
        let (before, now) = self.gate.measured(used);
        let usage = self.gate.usage();
        if before != now {
            MemoryChanged { before, now, usage }.emit();
        }
        if self.ended.get().is_none() {
            self.act(now, usage);
        }
        let room = now.room(used, usage.limit);
        Duration::from_secs_f64(room as f64 / FASTEST as f64).clamp(PACE.0, PACE.1)
    }

    /// What is used. What was freed counts until it is given back, which takes a while: only
    /// where it would make a difference.
    fn read(&mut self) -> Option<u64> {
        let used = occupied_bytes()?;
        let before = self.gate.shortage();
        let now = before.after(used, self.gate.usage().limit);
        let begins = now == Shortage::Over && before < now;
        if now == Shortage::None || !begins && self.released.elapsed() < RELEASE {
            return Some(used);
        }
        self.released = Instant::now();
        read_anew()
    }

    fn act(&mut self, now: Shortage, usage: MemoryUse) {
        let idles = now == Shortage::Short && self.gate.computing() == 0;
        self.idle = idles.then(|| self.idle.unwrap_or_else(Instant::now));
        match now {
            Shortage::None | Shortage::Tight => self.over = None,
            Shortage::Short => {
                self.over = None;
                self.gate.stop_latest();
                if self.idle.is_some_and(|since| since.elapsed() >= STUCK) {
                    self.end(OutOfMemory { usage, exceeded: false });
                }
            }
            Shortage::Over => {
                let since = *self.over.get_or_insert_with(Instant::now);
                self.gate.stop_all();
                if since.elapsed() >= GRACE {
                    self.end(OutOfMemory { usage, exceeded: true });
                }
            }
        }
    }

    fn end(&self, why: OutOfMemory) {
        RunEndsForMemory { usage: why.usage }.emit();
        let _ = self.ended.set(why);
        self.gate.end();
        self.shutdown.request();
    }
}

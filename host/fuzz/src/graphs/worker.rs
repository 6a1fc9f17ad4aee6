//! A process that loads graphs and components within limits, one after the other: to start one for
//! each takes ten times as long as to load a small one.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use sandbar::confine::{Bounds, Confinement, Ended};
use sandbar::inference::{Graph, GraphSource};
use sandbar::model::Kind;
use sandbar::sandbox::{Component, Sandbox};

use crate::models::folder;

/// The argument with which this program is such a process.
pub const WORKER: &str = "--graphs";
/// What it may take.
const BOUNDS: Bounds = Bounds { memory: 1 << 30, cpu: Duration::from_secs(3600), yields: false };
/// How long a file may take to load.
const PATIENCE: Duration = Duration::from_secs(5);
/// Files of a process: what tract keeps for each is never freed.
const FILES: u32 = 1000;

/// What it loads.
#[derive(Debug, Clone, Copy)]
pub enum What {
    /// A graph of a kind, and whether it must be one that is known to be computed right.
    Graph(Kind, bool),
    /// A component.
    Component,
}

impl What {
    fn number(self) -> u8 {
        match self {
            What::Component => 4,
            What::Graph(kind, verified) => {
                u8::from(kind == Kind::Tensorflow) | u8::from(verified) << 1
            }
        }
    }
}

/// Such a process.
pub struct Worker {
    process: Child,
    /// Where components are put for it.
    place: PathBuf,
    input: ChildStdin,
    /// What it answers, line by line; the end of its output ends it.
    answers: Receiver<String>,
    /// What it complains of.
    complaint: Receiver<String>,
    files: u32,
}

impl Worker {
    /// Starts one.
    ///
    /// # Errors
    /// If this program cannot be started.
    pub fn start() -> io::Result<Self> {
        let place = folder("worker").join("component.wasm");
        let mut process = Command::new(std::env::current_exe()?)
            .arg(WORKER)
            .arg(&place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let none = || io::Error::other("no pipes");
        let input = process.stdin.take().ok_or_else(none)?;
        let output = process.stdout.take().ok_or_else(none)?;
        let mut errors = process.stderr.take().ok_or_else(none)?;
        let (give, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if give.send(line).is_err() {
                    break;
                }
            }
        });
        let (give, complaint) = channel();
        std::thread::spawn(move || {
            let mut said = Vec::new();
            let _ = errors.read_to_end(&mut said);
            let _ = give.send(String::from_utf8_lossy(&said).into_owned());
        });
        Ok(Worker { process, place, input, answers, complaint, files: 0 })
    }

    /// Whether it should load more.
    pub fn is_fresh(&self) -> bool {
        self.files < FILES
    }

    /// Has it load a file; returns whether that can serve.
    ///
    /// # Errors
    /// How the process ended. It is gone then.
    pub fn ask(&mut self, what: What, file: &[u8]) -> Result<bool, Ended> {
        self.files += 1;
        let mut request = vec![what.number()];
        match what {
            What::Component => {
                std::fs::write(&self.place, file)?;
                request.extend([0; 4]);
            }
            What::Graph(..) => {
                request.extend((file.len() as u32).to_le_bytes());
                request.extend(file);
            }
        }
        // It may have ended; that shows when its answer is waited for.
        let _ = self.input.write_all(&request).and_then(|()| self.input.flush());
        match self.answers.recv_timeout(PATIENCE) {
            Ok(answer) => Ok(answer == "ready"),
            Err(RecvTimeoutError::Timeout) => Err(Ended::Deadline(PATIENCE)),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.process.wait()?;
                let complaint = self.complaint.recv().unwrap_or_default();
                Err(explain(status, complaint))
            }
        }
    }
}

fn explain(status: ExitStatus, complaint: String) -> Ended {
    match complaint.contains("memory allocation of") {
        true => Ended::Memory,
        false => Ended::Otherwise { status, complaint },
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Loads what standard input names until it ends; components are at `place`.
///
/// # Errors
/// If this process cannot be limited, or nobody listens.
#[allow(clippy::disallowed_methods, reason = "who started it reads its answers")]
pub fn serve(place: &Path) -> io::Result<()> {
    let readable = Vec::from_iter(place.parent().map(Path::to_owned));
    Confinement::enter(BOUNDS, &readable)?;
    // Panics of the engine are caught and are errors; that of one that is not ends the process.
    std::panic::set_hook(Box::new(|_| {}));
    let sandbox = Sandbox::new(None).map_err(io::Error::other)?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut head = [0; 5];
    while input.read_exact(&mut head).is_ok() {
        let [what, length @ ..] = head;
        let mut file = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut file)?;
        let load = || match what {
            4.. => Component::load(&sandbox, place).is_ok(),
            _ => graph(what, file),
        };
        let Ok(ready) = catch_unwind(AssertUnwindSafe(load)) else {
            return Err(io::Error::other("a panic escaped"));
        };
        output.write_all(if ready { b"ready\n" } else { b"refused\n" })?;
        output.flush()?;
    }
    Ok(())
}

/// Whether a graph can be loaded and computed.
fn graph(what: u8, file: Vec<u8>) -> bool {
    let kind = if what & 1 == 0 { Kind::Onnx } else { Kind::Tensorflow };
    let load = if what & 2 > 0 { Graph::load } else { Graph::load_unverified };
    let loaded = load("graph@1".to_owned(), GraphSource::Bytes(kind, file.into()));
    loaded.and_then(|graph| graph.try_out()).is_ok()
}

//! A process that loads graphs within limits, one after the other: to start one for each takes ten
//! times as long as to load a small graph.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use sandbar::confine::{Bounds, Confinement, Ended};
use sandbar::inference::{Graph, GraphSource};
use sandbar::model::Kind;

/// The argument with which this program is such a process.
pub const WORKER: &str = "--graphs";
/// What it may take.
const BOUNDS: Bounds = Bounds { memory: 1 << 30, cpu: Duration::from_secs(3600) };
/// How long a graph may take to load.
const PATIENCE: Duration = Duration::from_secs(5);
/// Graphs of a process: what tract keeps for each is never freed.
const GRAPHS: u32 = 1000;

/// Such a process.
pub struct Worker {
    process: Child,
    input: ChildStdin,
    /// What it answers, line by line; the end of its output ends it.
    answers: Receiver<String>,
    /// What it complains of.
    complaint: Receiver<String>,
    graphs: u32,
}

impl Worker {
    /// Starts one.
    ///
    /// # Errors
    /// If this program cannot be started.
    pub fn start() -> io::Result<Self> {
        let mut process = Command::new("/proc/self/exe")
            .arg(WORKER)
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
        Ok(Worker { process, input, answers, complaint, graphs: 0 })
    }

    /// Whether it should load more.
    pub fn is_fresh(&self) -> bool {
        self.graphs < GRAPHS
    }

    /// Has it load a graph; returns whether that can serve.
    ///
    /// # Errors
    /// How the process ended. It is gone then.
    pub fn ask(&mut self, kind: Kind, verified: bool, file: &[u8]) -> Result<bool, Ended> {
        self.graphs += 1;
        let kind = u8::from(kind == Kind::Tensorflow) | u8::from(verified) << 1;
        let mut request = vec![kind];
        request.extend((file.len() as u32).to_le_bytes());
        request.extend(file);
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

/// Loads graphs from standard input until it ends.
///
/// # Errors
/// If this process cannot be limited, or nobody listens.
pub fn serve() -> io::Result<()> {
    Confinement::enter(BOUNDS, &[])?;
    // Panics of the engine are caught and are errors; that of one that is not ends the process.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut head = [0; 5];
    while input.read_exact(&mut head).is_ok() {
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let mut file = vec![0; length as usize];
        input.read_exact(&mut file)?;
        let kind = if head[0] & 1 == 0 { Kind::Onnx } else { Kind::Tensorflow };
        let verified = head[0] & 2 > 0;
        let load = || {
            let source = GraphSource::Bytes(kind, file.into());
            let load = if verified { Graph::load } else { Graph::load_unverified };
            load("graph@1".to_owned(), source).and_then(|graph| graph.try_out())
        };
        let Ok(loaded) = catch_unwind(AssertUnwindSafe(load)) else {
            return Err(io::Error::other("a panic escaped"));
        };
        output.write_all(if loaded.is_ok() { b"ready\n" } else { b"refused\n" })?;
        output.flush()?;
    }
    Ok(())
}

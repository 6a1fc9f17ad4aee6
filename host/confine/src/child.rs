//! The parent's side: starts the program, sends it a request, and waits for its answer.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use sandbar_record::Shutdown;
use thiserror::Error;

/// How often it is looked whether the answer is still wanted.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of the child's standard error that are kept: the last.
const COMPLAINT: usize = 4 << 10;
/// How long is waited for what a process that has ended said last.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A program that does the work, with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// How long an answer is waited for, and how large it may be.
#[derive(Debug)]
pub struct Patience<'a> {
    /// Time from start to end.
    pub deadline: Duration,
    /// Bytes of an answer.
    pub answer: u64,
    /// The answer is wanted until this is requested.
    pub stop: &'a Shutdown,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum Ended {
    /// It cannot be started, or not be talked to.
    #[error("the process cannot be started: {0}")]
    Start(#[from] io::Error),
    /// The deadline has passed.
    #[error("no result within {0:?}")]
    Deadline(Duration),
    /// Nobody wants it any more.
    #[error("cancelled")]
    Stopped,
    /// It allocated more than it may.
    #[error("it takes more memory than it may")]
    Memory,
    /// It used more processor time than it may.
    #[error("it takes more processor time than it may")]
    Cpu,
    /// Its answer is larger than it may be.
    #[error("its answer is larger than {0} bytes")]
    Answer(u64),
    /// Somebody else killed it.
    #[error("it was killed by the system, as happens where memory is short, or by somebody")]
    Killed,
    /// It ended in another way: it crashed, or says itself that it failed.
    #[error("the process ended with {status}{}{complaint}", if complaint.is_empty() { "" } else { ": " })]
    Otherwise {
        /// How.
        status: ExitStatus,
        /// What it wrote to standard error last.
        complaint: String,
    },
}

/// A program gave no answer.
#[derive(Debug, Error)]
#[error("{how}")]
pub struct Failed {
    /// Why not.
    pub how: Ended,
    /// What it wrote to standard error last.
    pub said: String,
}

impl Child {
    /// This program itself, with arguments.
    ///
    /// # Errors
    /// If its file is not known.
    pub fn own(arguments: impl IntoIterator<Item = OsString>) -> io::Result<Self> {
        // Also when the file was replaced by another version meanwhile.
        let program = match cfg!(target_os = "linux") {
            true => PathBuf::from("/proc/self/exe"),
            false => std::env::current_exe()?,
        };
        Ok(Child { program, arguments: arguments.into_iter().collect() })
    }

    /// Starts the program in an empty environment, writes `request` to its standard input, and
    /// returns what it writes to its standard output.
    ///
    /// # Errors
    /// If it does not end with status 0 in time.
    pub fn ask(&self, request: Vec<u8>, patience: &Patience<'_>) -> Result<Vec<u8>, Failed> {
        let silent = |cause: io::Error| Failed { how: cause.into(), said: String::new() };
        let start = Instant::now();
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = Begun(child.map_err(silent)?);
        let pipes = (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take());
        let (Some(mut input), Some(output), Some(errors)) = pipes else {
            return Err(silent(io::Error::other("it has no pipes")));
        };
        // It may end before it has read everything; then its status says why.
        thread("request", move || drop(input.write_all(&request))).map_err(silent)?;
        let said = deliver("complaint", move || last(errors)).map_err(silent)?;
        let answer = receive(output, patience.answer).map_err(silent)?;
        let ended = wait(&answer, start, patience)
            .and_then(|answer| Ok((answer, finish(&mut child.0, start, patience)?)));
        drop(child);
        // What it may have started beside holds the pipe, and is not waited for.
        let said = said.recv_timeout(LAST_WORDS).unwrap_or_default();
        let answer = ended.and_then(|(answer, status)| match status.success() {
            true => Ok(answer),
            false => Err(explain(status, &said)),
        });
        answer.map_err(|how| Failed { how, said })
    }
}

/// A process that is ended and buried when it is dropped.
struct Begun(Process);

impl Drop for Begun {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for the answer of a program that was started at `start`.
fn wait(
    answer: &Receiver<io::Result<Vec<u8>>>,
    start: Instant,
    patience: &Patience<'_>,
) -> Result<Vec<u8>, Ended> {
    loop {
        match answer.recv_timeout(LOOK) {
            Ok(answer) => {
                let answer = answer?;
                let large = answer.len() as u64 > patience.answer;
                return if large { Err(Ended::Answer(patience.answer)) } else { Ok(answer) };
            }
            Err(RecvTimeoutError::Timeout) if patience.stop.requested() => {
                return Err(Ended::Stopped);
            }
            Err(RecvTimeoutError::Timeout) if start.elapsed() >= patience.deadline => {
                return Err(Ended::Deadline(patience.deadline));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("its answer cannot be read").into());
            }
        }
    }
}

/// How a program ends that has closed its output. It has no more time than an answer.
fn finish(
    child: &mut Process,
    start: Instant,
    patience: &Patience<'_>,
) -> Result<ExitStatus, Ended> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if patience.stop.requested() {
            return Err(Ended::Stopped);
        }
        if start.elapsed() >= patience.deadline {
            return Err(Ended::Deadline(patience.deadline));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Reads an answer to its end, or to one byte more than it may have.
fn receive(
    output: impl Read + Send + 'static,
    most: u64,
) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    deliver("answer", move || {
        let mut bytes = Vec::new();
        output.take(most.saturating_add(1)).read_to_end(&mut bytes).map(|_| bytes)
    })
}

/// What a program wrote last.
fn last(mut errors: impl Read) -> String {
    let mut kept = Vec::new();
    let mut piece = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut piece) {
        kept.extend_from_slice(&piece[..count]);
        let over = kept.len().saturating_sub(COMPLAINT);
        kept.drain(..over);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

fn explain(status: ExitStatus, said: &str) -> Ended {
    #[cfg(unix)]
    {
        use rustix::process::Signal;
        use std::os::unix::process::ExitStatusExt;
        match status.signal() {
            Some(signal) if signal == Signal::XCPU.as_raw() => return Ended::Cpu,
            Some(signal) if signal == Signal::KILL.as_raw() => return Ended::Killed,
            _ => {}
        }
    }
    // What Rust's runtime says before it aborts.
    if said.contains("memory allocation of") {
        return Ended::Memory;
    }
    Ended::Otherwise { status, complaint: said.to_owned() }
}

/// Has a thread deliver what work gives, to whoever still waits for it.
fn deliver<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Receiver<T>> {
    let (give, receiver) = channel();
    thread(name, move || drop(give.send(work())))?;
    Ok(receiver)
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(format!("sandbar-{name}")).spawn(work).map(drop)
}

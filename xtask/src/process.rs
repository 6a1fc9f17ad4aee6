//! Running other programs, and what happens to them on Ctrl-C.
//!
//! A verb that starts something which must be stopped (a broker) must not just
//! die of Ctrl-C or SIGTERM. With [`handle_interrupts`] the signal goes to the
//! programs that run at that moment, [`run`] returns an error, and the verb's
//! values are dropped on the way out as after any other error.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read};
use std::panic::resume_unwind;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Whether the user asked us to stop.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The process groups that [`run`] waits for, one of each thread that does.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// What programs of tests have written of their failures, behind their names.
static FAILURES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The most lines that are kept of one program's failures.
const FAILURE_LINES: usize = 150;

/// How long the last lines of a program that has ended may take: what it has left running may
/// hold its output open for ever.
const LAST_LINES: Duration = Duration::from_secs(5);

/// Turns SIGINT, SIGTERM and SIGHUP into an early, orderly end. The first one
/// asks the running programs to end, the second one kills them.
///
/// # Errors
/// When the system refuses the handler.
pub fn handle_interrupts() -> Result<()> {
    ctrlc::set_handler(|| {
        let again = INTERRUPTED.swap(true, Ordering::SeqCst);
        signal_running(if again { Signal::SIGKILL } else { Signal::SIGTERM });
    })
    .context("cannot install a handler for Ctrl-C")
}

/// Whether a signal has arrived since [`handle_interrupts`].
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

thread_local! {
    /// The name that stands before the output of what this thread runs.
    static NAME: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Takes a step beside others: each line that its programs write comes to our standard error
/// behind `name`.
pub fn named<T>(name: &'static str, step: impl FnOnce() -> T) -> T {
    let before = NAME.replace(Some(name));
    let outcome = step();
    NAME.set(before);
    outcome
}

/// Takes two steps at the same time, each under its name.
///
/// # Errors
/// The first step's, or else the second's; both have come to their end.
pub fn side_by_side<A, B: Send>(
    one: (&'static str, impl FnOnce() -> Result<A>),
    two: (&'static str, impl FnOnce() -> Result<B> + Send),
) -> Result<(A, B)> {
    std::thread::scope(|scope| {
        let second = scope.spawn(move || named(two.0, two.1));
        let first = named(one.0, one.1);
        let second = second.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((first?, second?))
    })
}

/// Runs a program to its end with our output, no input, and in a process group
/// of its own, so that a signal reaches what it started too.
///
/// # Errors
/// When it cannot be started, fails, or we were interrupted.
pub fn run(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;

    let name = NAME.get();
    if name.is_some() {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    if interrupted() {
        bail!("interrupted");
    }
    let line = describe(command);
    let mut child = command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let group = Pid::from_raw(child.id().cast_signed());
    lock(&RUNNING).push(group);
    // A signal may have come before the line above: then nobody got it yet.
    if interrupted() {
        signal_running(Signal::SIGTERM);
    }
    let (copying, copied) = channel();
    if let Some(name) = name {
        copy_lines(child.stdout.take(), name, copying.clone());
        copy_lines(child.stderr.take(), name, copying.clone());
    }
    drop(copying);
    let status = child.wait();
    lock(&RUNNING).retain(|it| *it != group);
    // Nothing is sent: this waits until both copies are at their end.
    let _ = copied.recv_timeout(LAST_LINES);

    let status = status.with_context(|| format!("cannot wait for `{line}`"))?;
    if interrupted() {
        bail!("interrupted");
    }
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// The same command, for what leaves the cores to others when they need them.
pub fn with_less_priority(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.arg("-n10").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    nice
}

/// Copies what a program writes until it ends; `copying` is dropped then.
fn copy_lines(stream: Option<impl Read + Send + 'static>, name: &'static str, copying: Sender<()>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        let mut failures = Failures::default();
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            eprintln!("{name:>12} | {line}");
            if failures.has(&line) {
                lock(&FAILURES).push(format!("{name:>12} | {line}"));
            }
        }
        drop(copying);
    });
}

/// Takes what programs under a name have written of their failures since the last call: hours of
/// output may lie between it and the end of a run, where it is looked for.
pub fn take_failures() -> Vec<String> {
    std::mem::take(&mut *lock(&FAILURES))
}

/// Finds the part of a test program's output that tells of failures.
#[derive(Default)]
struct Failures {
    inside: bool,
    kept: usize,
}

impl Failures {
    /// Whether the next line is of that part.
    fn has(&mut self, line: &str) -> bool {
        match line {
            "failures:" => self.inside = true,
            _ if line.starts_with("test result: ") => self.inside = false,
            _ => {}
        }
        // The fuzzers tell of a failure in one line.
        let tells = self.inside || line.contains("panicked at ");
        self.kept += usize::from(tells);
        tells && self.kept <= FAILURE_LINES
    }
}

/// Runs a program to its end and returns what it wrote to standard output;
/// its standard error is ours.
///
/// # Errors
/// When it cannot be started, fails, or writes anything but UTF-8.
pub fn output_of(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` did not write UTF-8"))
}

/// A heading over the output of the programs that follow.
pub fn heading(text: &str) {
    eprintln!("\n==> {text}");
}

fn signal_running(signal: Signal) {
    for group in lock(&RUNNING).iter() {
        // The only failure is that it is gone already.
        let _ = killpg(*group, signal);
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The command as typed in a shell, for messages: the program without its
/// folder, then the arguments.
fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_its_status() {
        let error = run(Command::new("sh").args(["-c", "exit 3"]))
            .map_err(|error| format!("{error:#}"))
            .err();
        let error = error.as_deref().unwrap_or_default();
        assert!(error.contains("sh -c exit 3"), "{error}");
        assert!(error.contains("exit status: 3"), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = output_of(&mut Command::new("/nowhere/no-such-program"))
            .map_err(|error| format!("{error:#}"))
            .err();
        let error = error.as_deref().unwrap_or_default();
        assert!(error.contains("no-such-program"), "{error}");
    }

    #[test]
    fn a_command_of_less_priority_is_the_same_command() -> Result<()> {
        let ours: i32 = output_of(&mut Command::new("nice"))?.trim().parse()?;
        let mut command = Command::new("sh");
        command.args(["-c", "nice; pwd; echo $A"]).env("A", "a").current_dir("/");
        // What runs this may be nice too; 19 is the least that there is.
        let expected = format!("{}\n/\na\n", (ours + 10).min(19));
        assert_eq!(output_of(&mut with_less_priority(&command))?, expected);
        Ok(())
    }

    #[test]
    fn a_program_with_a_name_ends_though_something_holds_its_output() -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", "echo a; sleep 60 & echo b >&2"]);
        named("name", || run(&mut command))
    }

    #[test]
    fn what_a_program_of_tests_says_of_failures_is_kept() {
        let output = "running 2 tests\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\n\
                      panicked at a.rs\n\nfailures:\n    a\n\ntest result: FAILED. 1 failed\n\
                      test b ... ok\ntarget: panicked at b.rs";
        let mut failures = Failures::default();
        let kept: Vec<&str> = output.lines().filter(|line| failures.has(line)).collect();
        assert_eq!(kept.first(), Some(&"failures:"));
        assert_eq!(kept.last(), Some(&"target: panicked at b.rs"));
        assert_eq!(kept.len(), 9, "{kept:?}");
        let mut failures = Failures { inside: true, kept: 0 };
        assert_eq!((0..1000).filter(|_| failures.has("line")).count(), FAILURE_LINES);
    }

    #[test]
    fn output_is_returned() -> Result<()> {
        assert_eq!(output_of(Command::new("echo").arg("hello"))?, "hello\n");
        Ok(())
    }
}

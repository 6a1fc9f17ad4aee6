//! A process, watched through /proc.

use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long the runner may take to deliver, commit and end.
const DRAIN: Duration = Duration::from_secs(40);

/// A process that is killed when it is dropped.
pub struct Process(Child);

impl Process {
    /// Starts it without input.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn spawn(command: &mut Command) -> Result<Process> {
        let program = command.get_program().to_owned();
        let child = command.stdin(Stdio::null()).spawn();
        Ok(Process(child.with_context(|| {
            format!("cannot start {}; run `cargo xtask bench`", program.display())
        })?))
    }

    /// Checks that it still runs.
    ///
    /// # Errors
    /// If it does not.
    pub fn alive(&mut self) -> Result<()> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the process ended ({status}) before all records arrived"),
        }
    }

    /// Its standard output up to the end, if piped.
    ///
    /// # Errors
    /// If it is not piped, or not UTF-8.
    pub fn output(&mut self) -> Result<String> {
        let pipe: Option<ChildStdout> = self.0.stdout.take();
        Ok(std::io::read_to_string(pipe.context("the output of the process is not piped")?)?)
    }

    /// A line of /proc/PID/status, in MB (10⁶ bytes).
    ///
    /// # Errors
    /// If there is no such line.
    pub fn memory(&self, line: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(':'));
        let number = line.and_then(|it| it.split_whitespace().next());
        Ok(number.context("no such line in /proc/PID/status")?.parse::<f64>()? * 1024.0 / 1e6)
    }

    /// Seconds of CPU so far, all threads, user and system.
    ///
    /// # Errors
    /// If it has ended.
    pub fn cpu(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The program's name, in parentheses, may contain spaces.
        let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat has no name")?;
        let ticks = |index: usize| -> Result<f64> {
            let field = fields.split_whitespace().nth(index);
            Ok(field.context("/proc/PID/stat is short")?.parse()?)
        };
        // utime and stime, in hundredths of a second on every Linux.
        Ok((ticks(11)? + ticks(12)?) / 100.0)
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// If it fails, or takes too long.
    pub fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGTERM)?;
        let start = Instant::now();
        while start.elapsed() < DRAIN {
            if let Some(status) = self.0.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("the runner ended with {status}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the runner does not stop in time")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Usually it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

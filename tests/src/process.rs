//! The command `sandbar` as a process of its own, with everything that it says.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::broker::PATIENCE;

/// A command that runs. Dropping it kills it.
pub struct Process {
    child: Child,
    said: tempfile::NamedTempFile,
}

impl Process {
    /// Starts a command; both of its outputs go to one file.
    pub fn start(command: &mut Command) -> Self {
        let said = tempfile::NamedTempFile::new().unwrap();
        let output = || File::options().append(true).open(said.path()).unwrap();
        let child = command.stdout(output()).stderr(output()).spawn().unwrap();
        Process { child, said }
    }

    /// Everything that it has said.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.said.path()).unwrap()).into_owned()
    }

    /// Waits until it has said something.
    ///
    /// # Panics
    /// Where it has not within [`PATIENCE`].
    pub fn await_said(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.said().contains(text) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended ({ended:?}): {}", self.said());
            assert!(Instant::now() < end, "'{text}' is not said: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a runner says where it can be asked, and returns that.
    ///
    /// # Panics
    /// Where it does not.
    pub fn admin_address(&mut self) -> String {
        let before = "serving metrics and health address=";
        self.await_said(before);
        let said = self.said();
        let (_, address) = said.split_once(before).unwrap();
        address.lines().next().unwrap().trim().to_owned()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// Where it has not within [`PATIENCE`].
    pub fn join(mut self) -> (ExitStatus, String) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, self.said());
            }
            assert!(Instant::now() < end, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to end as a platform does, and wants it to end well. Returns what it said.
    pub fn stop(self) -> String {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).unwrap();
        let (status, said) = self.join();
        assert!(status.success(), "{status}: {said}");
        said
    }

    /// Bytes of memory that it had at once at the most.
    pub fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(Path::new(&path)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kibibytes << 10
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

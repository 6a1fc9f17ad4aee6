//! What a cluster has on disk, which is also how a later `stop` finds it.
//!
//! ```text
//! target/kafka/run/NAME/
//!   owner              the xtask that started it
//!   bootstrap          its address, once it answers
//!   node-1/
//!     pid  server.properties  broker.log  data/  scratch/
//! ```

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::home::home;

/// How long a killed process may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// The folder of one cluster; it need not exist.
#[derive(Clone)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The folder of the cluster of that name (see [`parse_name`]).
    pub fn of(name: &str) -> Self {
        Self { path: all().join(name) }
    }

    /// Creates the folder for a cluster that this process is about to start.
    /// What a cluster of that name that has died left behind is deleted.
    ///
    /// # Errors
    /// When one of that name runs or is being started, or on an I/O error.
    pub fn create(name: &str) -> Result<Self> {
        let folder = Self::of(name);
        fs::create_dir_all(all()).with_context(|| format!("cannot create {}", all().display()))?;
        if folder.path.exists() {
            if folder.is_alive() || folder.has_owner() {
                bail!(
                    "a cluster named {name} is running or starting; `cargo xtask kafka stop \
                     --name {name}` stops it, another `--name` starts one beside it"
                );
            }
            folder.remove()?;
        }
        // Fails if another process has created it just now.
        fs::create_dir(&folder.path)
            .and_then(|()| fs::write(folder.path.join("owner"), std::process::id().to_string()))
            .with_context(|| format!("cannot create {}", folder.path.display()))?;
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The address of the cluster, if it ever answered.
    pub fn bootstrap(&self) -> Option<String> {
        fs::read_to_string(self.path.join("bootstrap")).ok()
    }

    /// Writes the address down, for [`RunFolder::bootstrap`].
    ///
    /// # Errors
    /// On an I/O error.
    pub fn set_bootstrap(&self, bootstrap: &str) -> Result<()> {
        let file = self.path.join("bootstrap");
        fs::write(&file, bootstrap).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Whether any of its nodes is a process.
    pub fn is_alive(&self) -> bool {
        !self.processes().is_empty()
    }

    /// Kills what runs of the cluster and deletes the folder; returns whether
    /// there was one.
    ///
    /// It kills, as an orderly end would only save data that is deleted next.
    ///
    /// # Errors
    /// When a process does not end, or on an I/O error.
    pub fn remove(&self) -> Result<bool> {
        let processes = self.processes();
        for &pid in &processes {
            // The only failure that matters is detected below: the process still exists.
            let _ = kill(pid, Signal::SIGKILL);
        }
        let start = Instant::now();
        while !processes.iter().all(|&pid| is_gone(pid)) {
            if start.elapsed() > GONE_WITHIN {
                bail!(
                    "cannot end the processes {processes:?} of the cluster in {}",
                    self.path.display()
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        match fs::remove_dir_all(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => {
                Err(error).with_context(|| format!("cannot delete {}", self.path.display()))
            }
        }
    }

    /// The xtask that started it, if that still runs: then the folder may be
    /// one whose first process is yet to come.
    fn has_owner(&self) -> bool {
        read_pid(&self.path.join("owner")).is_some_and(exists)
    }

    /// The processes of its nodes that run.
    fn processes(&self) -> Vec<Pid> {
        let Ok(entries) = fs::read_dir(&self.path) else {
            return Vec::new();
        };
        entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter_map(|node| {
                let pid = read_pid(&node.join("pid"))?;
                runs_for(pid, &node).then_some(pid)
            })
            .collect()
    }
}

/// Deletes what clusters left behind whose xtask was killed before it could:
/// folders with neither a process nor an owner. A cluster of `kafka start`
/// has processes and is left alone.
pub fn sweep() {
    let Ok(entries) = fs::read_dir(all()) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let folder = RunFolder { path: entry.path() };
        let has_begun = folder.path.join("owner").exists();
        if has_begun && !folder.has_owner() && !folder.is_alive() {
            // A failed clean-up is ignored; the next one tries again.
            let _ = folder.remove();
        }
    }
}

/// A cluster's name: it becomes the name of a folder.
///
/// # Errors
/// When it is empty or has anything but ASCII letters, digits and `-`.
pub fn parse_name(text: &str) -> Result<String, String> {
    let plain = text.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
    if text.is_empty() || !plain {
        return Err("a name has only letters, digits and hyphens".to_owned());
    }
    Ok(text.to_owned())
}

fn all() -> PathBuf {
    home().join("run")
}

fn read_pid(file: &Path) -> Option<Pid> {
    let pid = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    // 0 and below mean groups to `kill`: never those.
    (pid > 0).then(|| Pid::from_raw(pid))
}

fn exists(pid: Pid) -> bool {
    !matches!(kill(pid, None), Err(Errno::ESRCH))
}

/// Whether a killed process holds nothing any more, its port above all.
///
/// It has lost its arguments long before that, so [`runs_for`] does not tell.
/// That nobody has waited for it yet does not matter: in a container whose
/// first process is no init, nobody ever will. Its last thread closes the
/// files before the whole is a zombie.
fn is_gone(pid: Pid) -> bool {
    if !exists(pid) {
        return true;
    }
    let is_zombie = fs::read_to_string(format!("/proc/{pid}/status"))
        .is_ok_and(|status| status.lines().any(|line| line.starts_with("State:\tZ")));
    is_zombie && fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|tasks| tasks.count() == 1)
}

/// Whether a process is the one that serves a node. A number alone proves
/// nothing, as the system gives it to another process later; ours has the
/// node's folder in its arguments. One that has ended but was not waited for
/// has no arguments any more.
fn runs_for(pid: Pid, node: &Path) -> bool {
    if !exists(pid) {
        return false;
    }
    let arguments = match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(arguments) => arguments,
        Err(_) if Path::new("/proc/self").exists() => return false,
        // A system without /proc: macOS, for one.
        Err(_) => std::process::Command::new("ps")
            .args(["-ww", "-o", "args=", "-p", &pid.to_string()])
            .output()
            .map(|output| output.stdout)
            .unwrap_or_default(),
    };
    String::from_utf8_lossy(&arguments).contains(&*node.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folders_and_nothing_else() {
        assert!(parse_name("test-12").is_ok());
        for bad in ["", "..", "a/b", "a b"] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn another_process_with_the_same_number_is_not_ours() {
        let ourselves = Pid::this();
        assert!(exists(ourselves));
        assert!(!runs_for(ourselves, Path::new("/nowhere/run/x/node-1")));
    }

    #[test]
    fn removing_what_is_not_there_is_fine() -> Result<()> {
        assert!(!RunFolder::of("never-started").remove()?);
        Ok(())
    }
}

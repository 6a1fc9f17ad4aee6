//! A machine in trouble, for one process: `shim.c` between it and libc.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiled shim.
pub struct Shim(PathBuf);

impl Shim {
    /// Compiles it into `folder`, with the C compiler that librdkafka needed too.
    pub fn compile(folder: &Path) -> Self {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/shim.c");
        let library = folder.join("shim.so");
        let mut command = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        command.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"]);
        let status = command.arg("-o").arg(&library).arg(source).arg("-ldl").status().unwrap();
        assert!(status.success(), "{source} does not compile: {status}");
        Shim(library)
    }

    /// Has `command` go by a clock.
    pub fn clock(&self, command: &mut Command, clock: &Clock) {
        command.env("LD_PRELOAD", &self.0).env("SHIM_CLOCK", &clock.0);
    }

    /// Has `command` find the disk of `folder` full.
    pub fn full(&self, command: &mut Command, folder: &Path) {
        command.env("LD_PRELOAD", &self.0).env("SHIM_FULL", folder);
    }
}

/// A wall clock that can be set.
pub struct Clock(PathBuf);

impl Clock {
    /// One that is right, and whose offset is kept in `folder`.
    pub fn new(folder: &Path) -> Self {
        let clock = Clock(folder.join("clock"));
        fs::write(&clock.0, 0_i64.to_ne_bytes()).unwrap();
        clock
    }

    /// Sets it to what is right and so many seconds more, or fewer.
    pub fn set(&self, seconds: i64) {
        let file = fs::File::options().write(true).open(&self.0).unwrap();
        // At once: whoever looks sees the old one or the new one.
        file.write_all_at(&(seconds * 1000).to_ne_bytes(), 0).unwrap();
    }
}

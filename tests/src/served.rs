//! A runner in a process of its own, with what it says over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use sandbar::model::Sha256;

use crate::broker::{Broker, PATIENCE};
use crate::paths::sandbar;
use crate::process::Process;

/// A runner in a process of its own, with the folder of its manifest.
pub struct Served {
    /// Its process.
    pub process: Process,
    admin: String,
    _folder: tempfile::TempDir,
}

impl Served {
    /// Starts a runner of a manifest, and waits until it is asked over HTTP.
    pub fn start(broker: &Broker, manifest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, manifest).unwrap();
        let mut command = sandbar();
        command.arg("run").arg(&path).args(["--brokers", &broker.address()]);
        let mut process = Process::start(command.args(["--admin", "127.0.0.1:0"]));
        let admin = process.admin_address();
        Served { process, admin, _folder: folder }
    }

    /// The status and the body of what it answers to GET.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, body.to_owned())
    }

    /// The sum of a metric over its labels.
    pub fn metric(&self, name: &str) -> u64 {
        let (_, metrics) = self.get("/metrics");
        let lines = metrics.lines().filter(|line| line.starts_with(&format!("{name}{{")));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64).sum()
    }

    /// Waits until it is as it should be.
    ///
    /// # Panics
    /// Where it is not within [`PATIENCE`].
    pub fn await_metrics(&self, what: &str, due: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !due(self) {
            let metrics = || self.get("/metrics").1;
            assert!(Instant::now() < end, "{what}: {}\n{}", self.process.said(), metrics());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `sandbar ARGUMENTS` to it: whether that succeeded, and what it said.
    pub fn told(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = sandbar();
        let output = command.args(arguments).args(["--admin", &self.admin]).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }
}

/// Writes a folder with a model of so many bytes, which is only kept.
pub fn weights(folder: &Path, size: u64) {
    write_model(folder, "file", &vec![0; size as usize]);
}

/// Writes a folder with a model.
pub fn write_model(folder: &Path, kind: &str, bytes: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("model"), bytes).unwrap();
    let (digest, size) = (Sha256::of(bytes), bytes.len());
    let about = format!(
        "name = \"made\"\nversion = 1\nkind = \"{kind}\"\nfile = \"model\"\nsize = {size}\n\
         sha256 = \"{digest}\"\n\
         licence = \"Apache-2.0\"\ndescription = \"Made by a test.\"\n"
    );
    std::fs::write(folder.join("model.toml"), about).unwrap();
}

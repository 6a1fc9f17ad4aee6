//! A runner that is asked over HTTP by whoever writes bytes to its socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use tempfile::TempDir;

use crate::broker::Broker;
use crate::paths::{component, sandbar};
use crate::process::Process;

/// A runner on a broker in this process, with a pipeline that has no records.
pub struct Asked {
    /// Its process.
    pub process: Process,
    /// Where it is asked.
    pub address: String,
    /// The folder of its manifest.
    pub folder: TempDir,
    _broker: Broker,
}

impl Asked {
    /// Starts it with lines of `[admin]`, those with tables last, and what else `prepare` gives
    /// the command; files that the lines name are written before.
    pub fn start(
        admin: &str,
        files: &[(&str, &str)],
        prepare: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let (broker, folder) = (Broker::mock(), tempfile::tempdir().unwrap());
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let manifest = format!(
            "name = \"{source}\"\nsink = {{ topic = \"{sink}\" }}\n\
             dead-letter = {{ topic = \"{dead}\" }}\n[source]\ntopics = [\"{source}\"]\n\
             [[stages]]\nname = \"extract\"\ncomponent = \"{}\"\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n[admin]\n{admin}",
            component("mischief-extractor").display(),
            component("mischief-scorer").display(),
        );
        let path = folder.path().join("p.toml");
        std::fs::write(&path, manifest).unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let mut command = sandbar();
        command.arg("run").arg(&path).args(["--brokers", &broker.address()]);
        command.args(["--admin", "127.0.0.1:0"]);
        let mut process = Process::start(prepare(&mut command));
        let address = process.admin_address();
        Asked { process, address, folder, _broker: broker }
    }

    /// A connection to it.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// What it answers to these bytes, until it closes the connection.
    pub fn send(&self, bytes: &[u8]) -> String {
        send(&self.address, bytes)
    }

    /// The status of its answer to a request without a body, and the whole answer. `{here}` is
    /// its address.
    pub fn ask(&self, request: &str, headers: &str) -> (u16, String) {
        let headers = headers.replace("{here}", &self.address);
        let answer = self.send(format!("{request} HTTP/1.1\r\n{headers}\r\n").as_bytes());
        (status(&answer), answer)
    }
}

/// What a server answers to these bytes, until it closes the connection.
pub fn send(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // It may have said no before it has read all.
    let _ = stream.write_all(bytes);
    rest(&mut stream)
}

/// What is still said on a connection.
pub fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is reset has ended, too.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of an answer; 0 if there is none.
pub fn status(answer: &str) -> u16 {
    let line = answer.strip_prefix("HTTP/1.1 ").unwrap_or_default();
    line.get(..3).and_then(|status| status.parse().ok()).unwrap_or(0)
}

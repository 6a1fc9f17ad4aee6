//! A schema registry for tests: Apicurio Registry, with Confluent's API.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::home::home;
use super::installation::{Unavailable, find_java, resolve_with_maven};
use super::lifetime::Lifetime;
use super::node::tie;

/// The newest that runs on Java 17; 3.1 and later need 21.
const VERSION: &str = "3.0.9";

/// It takes five seconds on two idle cores; a busy CI machine may need many times that.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// The interval between probes meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Where Confluent's API is.
const API: &str = "/apis/ccompat/v7";

/// A registry that answers. Its content is in its memory; it ends with this value.
pub struct SchemaRegistry {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl SchemaRegistry {
    /// Gets the program with Maven, if it is not here yet.
    ///
    /// # Errors
    /// As [`Installation::resolve`](super::Installation::resolve).
    pub fn resolve() -> Result<PathBuf, Unavailable> {
        let folder = home().join(format!("apicurio-{VERSION}"));
        if jar(&folder).is_none() {
            resolve_with_maven(&format!("Apicurio Registry {VERSION}"), &folder, &|filling| {
                vec![
                    "dependency:unpack".to_owned(),
                    format!("-Dartifact=io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"),
                    format!("-DoutputDirectory={}", filling.display()),
                    // It remembers elsewhere what it has unpacked before.
                    "-Dmdep.overWriteReleases=true".to_owned(),
                ]
            })?;
        }
        jar(&folder).ok_or_else(|| {
            let message = format!("{} has no program; delete the folder", folder.display());
            Unavailable::Failed(anyhow::anyhow!(message))
        })
    }

    /// Starts one, and waits until it answers.
    ///
    /// # Errors
    /// If it ends before, or does not answer within two minutes.
    pub fn start(program: &Path) -> Result<Self> {
        let java = find_java().map_err(anyhow::Error::msg)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
        let port = listener.local_addr()?.port();
        drop(listener);
        let folder = home().join(format!("run/schema-registry-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let log = File::create(folder.join("log")).context("cannot write the registry's log")?;
        let mut command = Command::new(java);
        command
            .args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"])
            .arg(format!("-Djava.io.tmpdir={}", folder.display()))
            .arg("-Dquarkus.http.host=127.0.0.1")
            .arg(format!("-Dquarkus.http.port={port}"))
            .arg("-Dquarkus.management.enabled=false")
            .arg("-jar")
            .arg(program)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        tie(&mut command, Lifetime::Ours);
        let process = command.spawn().context("cannot start Java")?;
        let mut registry = SchemaRegistry { process, port, folder };
        let start = Instant::now();
        while !registry.answers() {
            if let Some(status) = registry.process.try_wait()? {
                bail!(
                    "the schema registry ended before it answered ({status}): {}",
                    registry.log()
                );
            }
            if start.elapsed() > READY_WITHIN {
                bail!("the schema registry does not answer: {}", registry.log());
            }
            std::thread::sleep(ASK_EVERY);
        }
        Ok(registry)
    }

    /// The URL of Confluent's API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{API}", self.port)
    }

    fn answers(&self) -> bool {
        let ask = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            let request = format!(
                "GET {API}/subjects HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes())?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer)?;
            Ok(answer.ends_with(b"200"))
        };
        ask().unwrap_or(false)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for SchemaRegistry {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill().and_then(|()| self.process.wait().map(|_| ()));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The program in an unpacked archive.
fn jar(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(format!("apicurio-registry-app-{VERSION}-runner.jar"));
    path.is_file().then_some(path)
}

//! One process of Apache Kafka: its settings, its data, its start.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::installation::Installation;
use super::lifetime::Lifetime;
use super::security::{SecurePorts, Security};

/// Any 16 bytes in base64url will do: data never outlives its cluster.
const CLUSTER_ID: &str = "c2FuZGJhci1rYWZrYS0wMQ";

/// The file of a node's settings, in its folder.
const SETTINGS: &str = "server.properties";

/// Java code is compiled once, by the compiler that is quick.
const QUICK_COMPILER: &str = "-XX:TieredStopAtLevel=1";

/// How one node differs from the others.
pub struct Role<'a> {
    /// Its number, from 1; the first one is the controller too.
    pub id: u16,
    /// Where it listens for clients.
    pub port: u16,
    /// Where the first node listens as controller.
    pub controller_port: u16,
    /// How many brokers the cluster has.
    pub brokers: u16,
    /// A second listener for clients.
    pub proxied: Option<Proxied>,
    /// More listeners, for authenticated clients.
    pub secured: Option<(&'a Security, SecurePorts)>,
}

/// A listener behind a proxy, which it advertises to clients.
#[derive(Clone, Copy)]
pub struct Proxied {
    /// Where the node listens.
    pub port: u16,
    /// Where the proxy does.
    pub advertised: u16,
}

/// A started node.
pub struct Node {
    installation: Installation,
    folder: PathBuf,
    port: u16,
    lifetime: Lifetime,
    process: Child,
}

impl Node {
    /// Writes the node's settings, formats its data folder and starts it,
    /// everything below `cluster`; does not wait for it to answer.
    ///
    /// # Errors
    /// When a file cannot be written, or Java or the format tool fails.
    pub fn start(
        installation: &Installation,
        cluster: &Path,
        role: &Role<'_>,
        lifetime: Lifetime,
    ) -> Result<Self> {
        let folder = cluster.join(format!("node-{}", role.id));
        let scratch = folder.join("scratch");
        fs::create_dir_all(&scratch)
            .with_context(|| format!("cannot create {}", scratch.display()))?;
        let settings = folder.join(SETTINGS);
        fs::write(&settings, properties(role, &folder.join("data")))
            .with_context(|| format!("cannot write {}", settings.display()))?;
        let users = role.secured.map(|(security, _)| security.arguments()).unwrap_or_default();
        format(installation, &folder, &settings, &users)?;
        let installation = installation.clone();
        let process = launch(&installation, &folder, lifetime)?;
        Ok(Self { installation, folder, port: role.port, lifetime, process })
    }

    /// Starts a node that has ended again, on its port and its data; does not wait for it
    /// to answer.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.process = launch(&self.installation, &self.folder, self.lifetime)?;
        Ok(())
    }

    /// Terminates it gracefully, and waits until it has ended.
    ///
    /// # Errors
    /// When the system knows no such process.
    pub fn stop(&mut self) -> Result<()> {
        let process = Pid::from_raw(self.process.id().cast_signed());
        kill(process, Signal::SIGTERM).context("cannot terminate a process")?;
        self.process.wait().context("cannot wait for a process")?;
        Ok(())
    }

    /// Where clients find it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its log: everything that the JVM wrote.
    pub fn log(&self) -> PathBuf {
        log_of(&self.folder)
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the system does not know the process.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process.try_wait().context("cannot get the status of a process")
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the process of a node whose folder is ready.
fn launch(installation: &Installation, folder: &Path, lifetime: Lifetime) -> Result<Child> {
    let log = log_of(folder);
    // What an earlier process of the node wrote stays.
    let output = File::options().create(true).append(true).open(&log);
    let output = output.with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = installation.java(&folder.join("scratch"));
    if lifetime == Lifetime::Ours {
        // It does not live for long: what the second compiler makes comes too late.
        command.arg(QUICK_COMPILER);
    }
    command
        .arg("kafka.Kafka")
        .arg(folder.join(SETTINGS))
        .stdout(output.try_clone().context("cannot share the log file")?)
        .stderr(output);
    tie(&mut command, lifetime);
    let mut process = command.spawn().context("cannot start Java")?;
    let file = folder.join("pid");
    if let Err(error) = fs::write(&file, process.id().to_string()) {
        // Without its pid file it could not be stopped later.
        let _ = process.kill().and_then(|()| process.wait());
        return Err(error).with_context(|| format!("cannot write {}", file.display()));
    }
    Ok(process)
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("broker.log")
}

/// Gives a new node's data folder the identity that the server asks for.
fn format(
    installation: &Installation,
    folder: &Path,
    settings: &Path,
    users: &[String],
) -> Result<()> {
    let output = installation
        .java(&folder.join("scratch"))
        // Half a second of work is not worth optimising.
        .arg(QUICK_COMPILER)
        .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
        .arg(settings)
        .args(users)
        .output()
        .context("cannot start Java")?;
    if output.status.success() {
        return Ok(());
    }
    let log = folder.join("format.log");
    fs::write(&log, [output.stdout, output.stderr].concat())
        .with_context(|| format!("cannot write {}", log.display()))?;
    bail!(
        "Apache Kafka's format tool failed ({}); its output is in {}",
        output.status,
        log.display()
    );
}

/// Decides what happens to the node when this process ends.
pub(super) fn tie(command: &mut std::process::Command, lifetime: Lifetime) {
    match lifetime {
        // A session of its own: neither Ctrl-C nor the end of the terminal
        // reaches it.
        Lifetime::Detached => {
            // SAFETY: the closure runs between fork and exec, where only
            // async-signal-safe functions may be called; setsid is one, and
            // neither it nor making the error allocates.
            unsafe {
                command.pre_exec(|| Ok(nix::unistd::setsid().map(|_| ())?));
            }
        }
        Lifetime::Ours => {
            // Ctrl-C is for us to handle: we stop the node when its clients
            // are gone.
            command.process_group(0);
            // And when we are killed and cannot, the kernel does.
            #[cfg(target_os = "linux")]
            // SAFETY: as above; prctl is a plain system call.
            unsafe {
                command.pre_exec(|| {
                    use nix::sys::{prctl, signal::Signal};
                    Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)
                });
            }
        }
    }
}

/// The settings of a node, as `server.properties`.
fn properties(role: &Role<'_>, data: &Path) -> String {
    let Role { id, port, controller_port, brokers, proxied, secured } = role;
    let is_controller = *id == 1;
    let roles = if is_controller { "broker,controller" } else { "broker" };
    let controller_listener = if is_controller {
        format!(",CONTROLLER://127.0.0.1:{controller_port}")
    } else {
        String::new()
    };
    let (second_listener, second_advertised) = match proxied {
        Some(Proxied { port, advertised }) => {
            (format!(",PROXIED://127.0.0.1:{port}"), format!(",PROXIED://127.0.0.1:{advertised}"))
        }
        None => Default::default(),
    };
    let secure_listeners = secured.map(|(_, ports)| ports.listeners()).unwrap_or_default();
    let security = secured.map(|(security, _)| security.settings()).unwrap_or_default();
    let replicas = (*brokers).min(3);
    // One replica may be unavailable, as is usual in production.
    let in_sync = if replicas == 3 { 2 } else { 1 };
    let data = escape(&data.to_string_lossy());
    format!(
        "\
process.roles={roles}
node.id={id}
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=CLIENTS://127.0.0.1:{port}{second_listener}{secure_listeners}{controller_listener}
advertised.listeners=CLIENTS://127.0.0.1:{port}{second_advertised}{secure_listeners}
listener.security.protocol.map=CLIENTS:PLAINTEXT,PROXIED:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
log.dirs={data}

# A topic that is misspelt must be an error, not a new topic.
auto.create.topics.enable=false
# Tests send records of 5 MB.
message.max.bytes=16777216
# A group that has just begun is complete: do not wait for more members.
group.initial.rebalance.delay.ms=0
# Tests watch members being given up.
group.min.session.timeout.ms=1000
# Producers that died within a transaction hold up readers until this looks.
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000

# Kafka's own topics: as small as they can be, made in no time.
offsets.topic.num.partitions=1
offsets.topic.replication.factor={replicas}
# For the topic of offsets, which has no setting of its own, and those of tests.
min.insync.replicas={in_sync}
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr=1

# Fits a heap of 512 MB; the default takes a quarter of it.
log.cleaner.dedupe.buffer.size=8388608
# Compaction begins when there is something to compact, not up to 15 s later.
log.cleaner.backoff.ms=500

{security}"
    )
}

/// A value in a properties file: backslashes would vanish there.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(id: u16, brokers: u16) -> String {
        let controller_port = 19_100;
        let role =
            Role { id, port: 19_000 + id, controller_port, brokers, proxied: None, secured: None };
        properties(&role, Path::new("/tmp/data"))
    }

    fn has(text: &str, line: &str) -> bool {
        text.lines().any(|it| it == line)
    }

    #[test]
    fn every_listener_is_on_the_loopback() {
        for id in 1..=2 {
            for line in settings(id, 2).lines() {
                for (_, address) in line.match_indices("://").map(|(at, _)| line.split_at(at)) {
                    assert!(address.starts_with("://127.0.0.1:"), "{line}");
                }
            }
        }
    }

    #[test]
    fn one_controller_and_brokers_that_know_it() {
        let first = settings(1, 2);
        assert!(has(&first, "process.roles=broker,controller"));
        assert!(has(&first, "listeners=CLIENTS://127.0.0.1:19001,CONTROLLER://127.0.0.1:19100"));
        let second = settings(2, 2);
        assert!(has(&second, "process.roles=broker"));
        assert!(has(&second, "listeners=CLIENTS://127.0.0.1:19002"));
        assert!(has(&second, "controller.quorum.voters=1@127.0.0.1:19100"));
    }

    #[test]
    fn who_comes_by_the_proxy_is_sent_back_to_it() {
        let proxied = Some(Proxied { port: 19_002, advertised: 19_003 });
        let role = Role {
            id: 1,
            port: 19_001,
            controller_port: 19_100,
            brokers: 1,
            proxied,
            secured: None,
        };
        let text = properties(&role, Path::new("/tmp/data"));
        let listeners = "CLIENTS://127.0.0.1:19001,PROXIED://127.0.0.1:19002";
        assert!(has(&text, &format!("listeners={listeners},CONTROLLER://127.0.0.1:19100")));
        let advertised = "CLIENTS://127.0.0.1:19001,PROXIED://127.0.0.1:19003";
        assert!(has(&text, &format!("advertised.listeners={advertised}")));
    }

    #[test]
    fn no_more_replicas_than_brokers() {
        assert!(has(&settings(1, 1), "offsets.topic.replication.factor=1"));
        assert!(has(&settings(1, 5), "transaction.state.log.replication.factor=3"));
    }
}

//! Nodes that form one cluster, from the first file to the last process.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::folder::{self, RunFolder};
use super::home::home;
use super::installation::Installation;
use super::lifetime::Lifetime;
use super::node::{Node, Proxied, Role};
use super::probe;
use super::security::{SecurePorts, Security};
use crate::process;

/// A cluster takes about three seconds per broker on two idle cores; a busy CI
/// machine may need many times that.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// The interval between probes meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How often other ports are tried when one of ours is taken.
const ATTEMPTS: u32 = 3;

/// Unusual options of a cluster.
#[derive(Clone, Default)]
pub struct Options {
    /// The port of a proxy, to which a second listener of the first broker sends its
    /// clients ([`Cluster::behind_proxy`]).
    pub proxy: Option<u16>,
    /// Listeners of the first broker that let only known clients in
    /// ([`Cluster::secured`]).
    pub security: Option<Security>,
}

/// A cluster that answers. Dropping it kills its processes and deletes its
/// folder.
pub struct Cluster {
    /// `None` once the cluster is detached.
    folder: Option<RunFolder>,
    nodes: Vec<Node>,
    bootstrap: String,
    proxied: Option<Proxied>,
    secure: Option<SecurePorts>,
}

impl Cluster {
    /// Starts a cluster as [`Cluster::start_with`] does, with the default options.
    ///
    /// # Errors
    /// As [`Cluster::start_with`].
    pub fn start(
        installation: &Installation,
        name: &str,
        brokers: u16,
        port: Option<u16>,
        lifetime: Lifetime,
    ) -> Result<Self> {
        Self::start_with(installation, name, brokers, port, lifetime, &Options::default())
    }

    /// Starts a cluster on the loopback interface and waits until every broker
    /// answers and knows all others. Ports are free ones, or from `port` on.
    ///
    /// # Errors
    /// When one of that name runs, a port is taken, a node ends before it
    /// answers or does not answer within two minutes; the logs stay then, and
    /// the error names them.
    pub fn start_with(
        installation: &Installation,
        name: &str,
        brokers: u16,
        port: Option<u16>,
        lifetime: Lifetime,
        options: &Options,
    ) -> Result<Self> {
        folder::sweep();
        let mut attempt = 1;
        loop {
            let ports = Ports::find(brokers, port, options)?;
            match Self::start_at(installation, name, &ports, lifetime, options) {
                // Between finding a free port and using it, it may be taken.
                Err(error)
                    if port.is_none()
                        && attempt < ATTEMPTS
                        && format!("{error:#}").contains(PORT_TAKEN) =>
                {
                    attempt += 1;
                    RunFolder::of(name).remove()?;
                }
                outcome => return outcome,
            }
        }
    }

    fn start_at(
        installation: &Installation,
        name: &str,
        ports: &Ports,
        lifetime: Lifetime,
        options: &Options,
    ) -> Result<Self> {
        let folder = RunFolder::create(name)?;
        let mut cluster = Self {
            folder: Some(folder.clone()),
            nodes: Vec::new(),
            bootstrap: String::new(),
            proxied: ports.proxied,
            secure: ports.secure,
        };
        let outcome = cluster
            .start_nodes(installation, &folder, ports, lifetime, options)
            .and_then(|()| cluster.wait())
            .and_then(|()| {
                cluster.bootstrap = cluster.addresses().join(",");
                folder.set_bootstrap(&cluster.bootstrap)
            });
        match outcome {
            Ok(()) => Ok(cluster),
            Err(error) => {
                if !process::interrupted() {
                    // Keep the logs, which the error names.
                    cluster.folder = None;
                }
                for node in &mut cluster.nodes {
                    node.kill();
                }
                Err(error)
            }
        }
    }

    /// Where clients begin: `IP:PORT`, with commas between several.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Where the first broker listens for what the proxy of [`Options::proxy`] lets through.
    pub fn behind_proxy(&self) -> Option<SocketAddr> {
        self.proxied.map(|proxied| (Ipv4Addr::LOCALHOST, proxied.port).into())
    }

    /// Where the first broker listens for those whom [`Options::security`] lets in.
    pub fn secured(&self) -> Option<SecurePorts> {
        self.secure
    }

    /// Terminates a broker gracefully, as a platform does; `index` counts from 0. It can be
    /// started again.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn stop_broker(&mut self, index: usize) -> Result<()> {
        self.nodes[index].stop()
    }

    /// Kills a broker. It can be started again.
    pub fn kill_broker(&mut self, index: usize) {
        self.nodes[index].kill();
    }

    /// Starts a broker again that has ended, on its port and its data, and waits until
    /// all brokers answer and know each other, and every replica is in sync again. With
    /// [`Lifetime::Ours`] it ends with the calling thread, as with [`Cluster::start`].
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn restart_broker(&mut self, index: usize) -> Result<()> {
        self.nodes[index].restart()?;
        self.wait()
    }

    /// Lets a cluster of [`Lifetime::Detached`] run on; returns its address.
    pub fn detach(mut self) -> String {
        self.folder = None;
        self.nodes.clear();
        std::mem::take(&mut self.bootstrap)
    }

    /// Copies the logs to a place where they outlive the cluster, and prints it: for
    /// tests that failed.
    pub fn keep_log(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            let kept = home().join(format!("failed-tests-node-{}.log", index + 1));
            match fs::copy(node.log(), &kept) {
                Ok(_) => eprintln!("the broker's log is kept in {}", kept.display()),
                Err(error) => eprintln!("cannot keep the broker's log: {error}"),
            }
        }
    }

    fn start_nodes(
        &mut self,
        installation: &Installation,
        folder: &RunFolder,
        ports: &Ports,
        lifetime: Lifetime,
        options: &Options,
    ) -> Result<()> {
        let brokers = u16::try_from(ports.brokers.len()).context("too many brokers")?;
        for (id, &port) in (1..).zip(&ports.brokers) {
            if process::interrupted() {
                bail!("interrupted");
            }
            let proxied = ports.proxied.filter(|_| id == 1);
            let secured = options.security.as_ref().zip(ports.secure).filter(|_| id == 1);
            let controller_port = ports.controller;
            let role = Role { id, port, controller_port, brokers, proxied, secured };
            let node = Node::start(installation, folder.path(), &role, lifetime)?;
            self.nodes.push(node);
        }
        Ok(())
    }

    /// Waits until every broker lists all of them, with all replicas in sync.
    fn wait(&mut self) -> Result<()> {
        let all = self.nodes.len();
        let start = Instant::now();
        for index in 0..all {
            loop {
                if process::interrupted() {
                    bail!("interrupted");
                }
                self.check_alive()?;
                let node = &self.nodes[index];
                let answer = probe::state(&node.address());
                if matches!(&answer, Ok(state) if state.brokers == all && state.lagging == 0) {
                    break;
                }
                if start.elapsed() > READY_WITHIN {
                    bail!(
                        "the broker at {} did not answer within {} s ({answer:?}); its log is {}",
                        node.address(),
                        READY_WITHIN.as_secs(),
                        node.log().display()
                    );
                }
                std::thread::sleep(ASK_EVERY);
            }
        }
        Ok(())
    }

    /// Fails when any node has ended, with its last output.
    fn check_alive(&mut self) -> Result<()> {
        for node in &mut self.nodes {
            let Some(status) = node.ended()? else {
                continue;
            };
            let log =
                String::from_utf8_lossy(&fs::read(node.log()).unwrap_or_default()).into_owned();
            let reason =
                if log.contains(PORT_TAKEN) { format!("{PORT_TAKEN}: ") } else { String::new() };
            bail!(
                "the broker at {} ended before it answered ({reason}{status}); its log is {}",
                node.address(),
                node.log().display()
            );
        }
        Ok(())
    }

    fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(Node::address).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(folder) = &self.folder else { return };
        for node in &mut self.nodes {
            node.kill();
        }
        if std::thread::panicking() {
            // A test fails; why may be what the brokers know.
            self.keep_log();
        }
        if let Err(error) = folder.remove() {
            eprintln!("{error:#}");
        }
    }
}

/// What the JVM says when a port is in use.
const PORT_TAKEN: &str = "Address already in use";

/// The ports of a cluster.
struct Ports {
    brokers: Vec<u16>,
    controller: u16,
    proxied: Option<Proxied>,
    secure: Option<SecurePorts>,
}

impl Ports {
    /// Free ports on the loopback interface; with `first`, the brokers have
    /// that one and those that follow. The first one has more, as `options` say.
    ///
    /// # Errors
    /// When one of them is taken, or none is free.
    fn find(brokers: u16, first: Option<u16>, options: &Options) -> Result<Self> {
        // All are held until all are found: the system would give one twice.
        let mut held = Vec::new();
        for index in 0..brokers {
            let port = match first {
                Some(first) => first.checked_add(index).context("the last port is 65535")?,
                None => 0,
            };
            held.push(hold(port)?);
        }
        let brokers = held.iter().map(port_of).collect::<Result<_>>()?;
        let (controller, behind) = (hold(0)?, hold(0)?);
        let port = port_of(&behind)?;
        let proxied = options.proxy.map(|advertised| Proxied { port, advertised });
        let secure = [hold(0)?, hold(0)?, hold(0)?];
        let ports = SecurePorts {
            sasl_plaintext: port_of(&secure[0])?,
            sasl_ssl: port_of(&secure[1])?,
            ssl: port_of(&secure[2])?,
        };
        let secure = options.security.is_some().then_some(ports);
        Ok(Self { brokers, controller: port_of(&controller)?, proxied, secure })
    }
}

fn hold(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| {
        format!("the port {port} on 127.0.0.1 is not free; leave out --port to use a free one")
    })
}

fn port_of(listener: &TcpListener) -> Result<u16> {
    Ok(listener.local_addr().context("a listener has no address")?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ() -> Result<()> {
        let ports = Ports::find(5, None, &Options::default())?;
        let mut all = ports.brokers.clone();
        all.push(ports.controller);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
        Ok(())
    }

    #[test]
    fn a_port_that_is_taken_is_named() -> Result<()> {
        let taken = hold(0)?;
        let port = port_of(&taken)?;
        let error = Ports::find(1, Some(port), &Options::default()).map(|_| ());
        let error = error.map_err(|error| error.to_string());
        assert!(matches!(&error, Err(text) if text.contains(&port.to_string())), "{error:?}");
        Ok(())
    }

    #[test]
    fn ports_end_at_65535() {
        assert!(Ports::find(3, Some(65_534), &Options::default()).is_err());
    }
}

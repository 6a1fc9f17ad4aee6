//! `cargo xtask kafka`: a local Apache Kafka for tests.
//!
//! The server is the published one, not an imitation: [`installation`] gets
//! its jars with Maven, [`node`] configures and starts one process of it,
//! [`cluster`] starts several as one cluster and stops them, [`archive`] lets them start sooner, [`probe`] checks
//! whether they answer, [`security`] configures listeners for authenticated clients,
//! [`schema_registry`] is a program of its own beside them,
//! [`folder`] records on disk what runs, all of it in [`home`]. `cargo xtask test` uses the same
//! parts, with a [`lifetime`] of its own: a cluster that ends when it does.
//!
//! Everything is below `target/kafka/`: git ignores it, `cargo clean` clears
//! it, and two checkouts do not meet. Maven's own repository in the user's home
//! keeps the downloads, so even then nothing is downloaded twice.

mod archive;
mod cluster;
mod folder;
mod home;
mod installation;
mod lifetime;
mod node;
mod probe;
mod schema_registry;
mod security;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

pub use cluster::{Cluster, Options};
pub use installation::{Installation, Unavailable};
pub use lifetime::Lifetime;
pub use schema_registry::SchemaRegistry;
pub use security::{SecurePorts, Security};

use folder::RunFolder;

/// What `cargo xtask kafka` takes.
#[derive(Args)]
pub struct KafkaArguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start a cluster, wait until it answers, and print its address.
    Start {
        /// How many brokers; the first one is the controller too.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=5))]
        brokers: u16,
        /// The version of Apache Kafka, 4.0.0 or newer; the default is the one
        /// that xtask/kafka/pom.xml names.
        #[arg(long)]
        version: Option<String>,
        /// The port of the first broker, the others follow; without it, free
        /// ones are found.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1024..))]
        port: Option<u16>,
        /// The cluster's name, so that several can run at the same time.
        #[arg(long, default_value = "default", value_parser = folder::parse_name)]
        name: String,
    },
    /// Stop a cluster and delete everything that it wrote.
    Stop {
        /// The cluster's name.
        #[arg(long, default_value = "default", value_parser = folder::parse_name)]
        name: String,
    },
    /// Print a cluster's address; fails when it does not run.
    Status {
        /// The cluster's name.
        #[arg(long, default_value = "default", value_parser = folder::parse_name)]
        name: String,
    },
}

/// Starts, stops or checks a cluster.
///
/// # Errors
/// When the verb cannot be carried out; for `status`, when nothing answers.
pub fn run(arguments: &KafkaArguments) -> Result<()> {
    match &arguments.verb {
        Verb::Start { brokers, version, port, name } => {
            start(name, *brokers, version.as_deref(), *port)
        }
        Verb::Stop { name } => stop(name),
        Verb::Status { name } => status(name),
    }
}

fn start(name: &str, brokers: u16, version: Option<&str>, port: Option<u16>) -> Result<()> {
    // Starting a running cluster is no error: a script may want to make sure.
    let folder = RunFolder::of(name);
    if let Some(bootstrap) = folder.bootstrap()
        && folder.is_alive()
    {
        eprintln!("a cluster named {name} is running already; `cargo xtask kafka stop` stops it");
        println!("{bootstrap}");
        return Ok(());
    }
    let installation = match Installation::resolve(version) {
        Ok(installation) => installation,
        Err(Unavailable::Failed(error)) => return Err(error),
        Err(Unavailable::Missing(what)) => bail!(
            "{what}; install Java 17 or newer and Maven (on Debian: apt-get install \
             default-jre-headless maven)"
        ),
    };
    let cluster = Cluster::start(&installation, name, brokers, port, Lifetime::Detached)?;
    eprintln!(
        "Apache Kafka {} is running; `cargo xtask kafka stop` stops it",
        installation.version()
    );
    // Alone on standard output, for $(cargo xtask kafka start).
    println!("{}", cluster.detach());
    Ok(())
}

fn stop(name: &str) -> Result<()> {
    if RunFolder::of(name).remove()? {
        eprintln!("stopped the cluster {name} and deleted its data");
    } else {
        eprintln!("no cluster named {name} is running");
    }
    Ok(())
}

fn status(name: &str) -> Result<()> {
    let folder = RunFolder::of(name);
    let Some(bootstrap) = folder.bootstrap().filter(|_| folder.is_alive()) else {
        bail!("no cluster named {name} is running; `cargo xtask kafka start` starts one");
    };
    for address in bootstrap.split(',') {
        if let Err(error) = probe::state(address) {
            bail!(
                "the broker at {address} does not answer ({error}); its log is below {}",
                folder.path().display()
            );
        }
    }
    println!("{bootstrap}");
    Ok(())
}

//! A candidate beside what serves, while records flow.

mod failing;
mod flights;
mod guide;
mod makers;
mod routed;
mod rules;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flight_records::{CLASSIC, Flights};
use sandbar::pipeline::Deployment;
use sandbar::pipeline::rollout::{
    End, Ended, Fraction, Mode, OnPass, RolloutReport, RolloutSpec, Rules, SplitKey,
};
use sandbar::pipeline::swap::{SwapError, SwapSpec};
use sandbar::telemetry::Snapshot;
use sandbar_tests::broker::PATIENCE;
use sandbar_tests::flights::{assert_golden, golden, pipeline, topics};
use sandbar_tests::process::Process;
use sandbar_tests::{Broker, Received, Runner, Sent, component, on_each_broker, project, sandbar};

/// The flights that each test sends.
const FLIGHTS: usize = 4000;

fn model(name: &str) -> SwapSpec {
    let folder = project().join("models").join(name);
    SwapSpec { models: BTreeMap::from([("flights".into(), folder.into())]), ..SwapSpec::default() }
}

fn stage(name: &str, component: PathBuf) -> SwapSpec {
    SwapSpec {
        components: BTreeMap::from([(name.into(), component.into())]),
        ..SwapSpec::default()
    }
}

fn share(share: f64) -> Option<Fraction> {
    Fraction::new(share)
}

fn canary(weight: f64) -> RolloutSpec {
    RolloutSpec { weight: share(weight), ..RolloutSpec::new(Mode::Canary) }
}

fn with_rules(mode: Mode, rules: Rules) -> RolloutSpec {
    RolloutSpec { rules, ..RolloutSpec::new(mode) }
}

/// The generator's first flights, each with its number as key.
fn flights() -> Vec<Sent> {
    Flights::new(1).take(FLIGHTS).enumerate().map(|(n, it)| Sent::keyed(n, it)).collect()
}

/// Waits until something is so.
fn await_that<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn await_end(deployment: &Deployment) -> Ended {
    await_that("the roll-out ends", || deployment.last_rollout())
}

/// Starts a runner of flights, and waits until it has answered two.
fn start(broker: &Broker, topics: &[String; 3], delivery: &str) -> Runner {
    let manifest = pipeline(topics, "flights-gbm", "");
    let runner = Runner::start(broker, &format!("delivery = \"{delivery}\"\n{manifest}"));
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    broker.receive(&topics[1], 2);
    runner
}

/// A pipeline that answers anything.
struct Echo {
    runner: Runner,
    source: String,
    sink: String,
    dead: String,
}

impl Echo {
    fn start(broker: &Broker) -> Self {
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let manifest = format!(
            r#"
            name = "{source}"
            [source]
            topics = ["{source}"]
            [[stages]]
            name = "extract"
            component = "{{component:echo-extractor}}"
            [[stages]]
            name = "score"
            component = "{{component:constant-scorer}}"
            [sink]
            topic = "{sink}"
            [dead-letter]
            topic = "{dead}"
            [limits]
            deadline = "1s"
            "#
        );
        let runner = Runner::start(broker, &manifest);
        broker.send(&source, &[Sent::keyed("first", "fine")]);
        broker.receive(&sink, 1);
        Echo { runner, source, sink, dead }
    }

    fn deployment(&self) -> &Arc<Deployment> {
        self.runner.deployment()
    }

    /// Lets a component run in the place of the extractor.
    fn beside(&self, name: &str, terms: &RolloutSpec) {
        self.deployment().start_rollout(&stage("extract", component(name)), terms).unwrap();
    }
}

//! One pipeline at work: its producer, the runner, and the screen.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Result, ensure};
use sandbar::manifest::Manifest;
use sandbar::pipeline::{Definition, Deployment};
use sandbar::record::Shutdown;
use sandbar::runner;
use sandbar::sandbox::Sandbox;
use sandbar::telemetry::Stats;

use crate::broker::{Access, Broker};
use crate::feed::{Feed, Records};
use crate::watch::{Remarks, Watch};

/// A pipeline and what it is shown with.
pub struct Show {
    access: Access,
    manifest: Manifest,
    deployment: Deployment,
    /// What its records are: `flights`.
    pub what: &'static str,
    pub records: Records,
    pub remarks: Remarks,
    pub limit: Option<u64>,
    pub least: u64,
    pub pause: Duration,
}

impl Show {
    /// Plans the pipeline at `path` and makes its topics.
    pub fn new(
        what: &'static str,
        path: &Path,
        broker: &Broker,
        sandbox: &Sandbox,
        records: Records,
    ) -> Result<Self> {
        let mut manifest = Manifest::load(path)?;
        broker.create_topics(&manifest)?;
        let access = broker.access();
        manifest.source.properties.extend(access.consumer_properties.clone());
        let stats = Arc::new(Stats::default());
        manifest.kafka.brokers = Some(access.address.clone());
        let definition = Definition::cached_as(manifest.clone(), sandbox);
        let deployment = Deployment::new(definition, sandbox, stats)?;
        println!("pipeline  {}", deployment.plan());
        let (limit, least, pause) = (None, 0, Duration::ZERO);
        let remarks: Remarks = Box::new(|_| None);
        Ok(Show { access, manifest, deployment, what, records, remarks, limit, least, pause })
    }

    /// Sends records and shows results until `stop`, and then until every record has a result.
    pub fn run(self, stop: &Shutdown) -> Result<()> {
        let Show { access, manifest, deployment, what, records, remarks, limit, least, pause } =
            self;
        // The producer and the screen stop first, the runner afterwards, so that all
        // records that were sent are shown.
        let stop_running = Shutdown::default();
        let stats = deployment.stats().clone();
        let answered = Arc::new(AtomicU64::new(0));
        let mut watch = Watch {
            what,
            brokers: access.address.clone(),
            properties: access.consumer_properties,
            topics: [manifest.sink.topic.clone(), manifest.dead_letter.topic.clone()],
            remarks,
            answered: answered.clone(),
        };
        // Before the first answer can come.
        let consumer = watch.consumer()?;
        let runner = {
            let (shutdown, failed) = (stop_running.clone(), stop.clone());
            std::thread::spawn(move || {
                let result = runner::run(&deployment, &shutdown);
                failed.request();
                result
            })
        };
        let feed = Feed {
            brokers: access.address,
            topic: manifest.source.topics[0].clone(),
            records,
            limit,
            least,
            pause,
            answered,
        };
        let feeder = {
            let shutdown = stop.clone();
            std::thread::spawn(move || feed.run(&shutdown))
        };
        let seen = watch.run(&consumer, feeder, stop, &stats);
        stop_running.request();
        runner.join().map_err(|_| anyhow::anyhow!("the runner panicked"))??;
        let seen = seen?;
        println!(
            "{} {what} fed; {} predictions and {} dead letters came back",
            seen.fed, seen.predictions, seen.dead_letters
        );
        let end = stats.snapshot();
        ensure!(
            seen.fed == seen.predictions + seen.dead_letters,
            "some records had no prediction or dead letter: {end:?}"
        );
        Ok(())
    }
}

//! `sandbar status`, `swap` and `rollback`: requests to a runner over HTTP.

use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use clap::Args;
use humantime_serde::re::humantime;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fleet;
use crate::admin::api::{
    Refused, RollbackRequest, Serving, ServingStatus as Told, SwapRequest, Swapped, Tried,
};
use sandbar_model::http::{Runtime, explain};
use sandbar_registry::ArtifactSource;

/// How long a runner may take to load and try new models or components.
const PATIENCE: Duration = Duration::from_secs(300);

/// The runner to ask.
#[derive(Debug, Args)]
pub(super) struct At {
    /// The runner's admin address, where it also serves metrics and health.
    #[arg(long, value_name = "IP:PORT", env = "SANDBAR_ADMIN", default_value = "127.0.0.1:9464")]
    admin: SocketAddr,
    /// The runner's token, if it has one.
    #[arg(long, value_name = "TOKEN", env = "SANDBAR_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Show what a runner serves and its state; in a fleet, the state of all its runners.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    at: At,
}

/// Replace models or components that a runner serves.
///
/// The runner loads the new ones beside those that serve, checks that they fit the other
/// stages, tries them on a recent batch, and switches between two batches. If anything
/// fails, the old ones go on serving. A swap lasts until the runner ends: to keep it, change
/// the manifest too.
#[derive(Debug, Args)]
pub(super) struct Swap {
    /// A model, by the pipeline's name for it: a folder, or NAME@VERSION or NAME@ALIAS in
    /// the manifest's registry.
    #[arg(long = "model", value_name = "NAME=MODEL", value_parser = pair)]
    models: Vec<(String, ArtifactSource)>,
    /// The component of a stage: a file, or a version in the registry.
    #[arg(long = "component", value_name = "STAGE=COMPONENT", value_parser = pair)]
    components: Vec<(String, ArtifactSource)>,
    /// The revision to change, as `sandbar status` shows it: if another one serves by now,
    /// nothing is changed.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    #[command(flatten)]
    at: At,
}

/// Undo the last swap: serve again what the runner served before it.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The revision to change: if another one serves by now, nothing is changed.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    #[command(flatten)]
    at: At,
}

impl Status {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        let told: Told = self.at.ask("status", None::<&()>)?;
        let fleet = fleet::of(&self.at)?;
        if self.at.json {
            let mut told = serde_json::to_value(&told)?;
            if let Some(fleet) = &fleet {
                told["fleet"] = serde_json::to_value(fleet)?;
            }
            println!("{told:#}");
            return Ok(());
        }
        let state = if told.ready { "ready" } else { "not ready" };
        println!("{} on sandbar {}, {state}", told.pipeline, told.version);
        show(&told.serving);
        println!(
            "{} records, {} outputs, {} failed; {} partitions, lag {} records",
            told.records, told.outputs, told.failed, told.partitions, told.lag
        );
        super::rollout::show(&told);
        if let Some(fleet) = &fleet {
            println!();
            fleet::show(fleet);
        }
        Ok(())
    }
}

impl Swap {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        ensure!(
            !self.models.is_empty() || !self.components.is_empty(),
            "nothing to swap: name a model (--model NAME=MODEL) or a component (--component STAGE=COMPONENT)"
        );
        let request = SwapRequest {
            models: self.models.into_iter().collect(),
            components: self.components.into_iter().collect(),
            revision: self.revision,
        };
        self.at.change("swap", &request)
    }
}

impl Rollback {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        self.at.change("rollback", &RollbackRequest { revision: self.revision })
    }
}

impl At {
    /// Requests a change, and prints what serves afterwards.
    pub(super) fn change(&self, what: &str, request: &impl Serialize) -> anyhow::Result<()> {
        self.told::<Swapped>(what, request, |swapped| {
            show(&swapped.serving);
            tried(swapped.samples, swapped.trial.as_ref());
            let milliseconds = |seconds: f64| seconds * 1e3;
            println!(
                "prepared in {:.0} ms, switched in {:.1} ms",
                milliseconds(swapped.prepared),
                milliseconds(swapped.switched)
            );
        })
    }

    /// Requests a change, and prints the response.
    pub(super) fn told<T: DeserializeOwned + Serialize>(
        &self,
        what: &str,
        request: &impl Serialize,
        show: impl FnOnce(&T),
    ) -> anyhow::Result<()> {
        let answer: T = self.ask(what, Some(request))?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        } else {
            show(&answer);
        }
        Ok(())
    }

    /// Requests `/v1/WHAT`, by POST if there is a body.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        request: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        let found = self.ask_for(what, request)?;
        found.with_context(|| format!("http://{}/v1/{what}: not found", self.admin))
    }

    /// The same for an optional resource: 404 on a GET is `None`.
    pub(super) fn ask_for<T: DeserializeOwned>(
        &self,
        what: &str,
        request: Option<&impl Serialize>,
    ) -> anyhow::Result<Option<T>> {
        let url = format!("http://{}/v1/{what}", self.admin);
        // No proxy: the runner is near.
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let mut asked = match request {
            Some(request) => {
                let body = serde_json::to_string(request)?;
                client.post(&url).header("content-type", "application/json").body(body)
            }
            None => client.get(&url),
        };
        if let Some(token) = &self.admin_token {
            asked = asked.bearer_auth(token);
        }
        let answer = Runtime::start()?.handle().block_on(async {
            let answer = asked.send().await?;
            Ok::<_, reqwest::Error>((answer.status(), answer.bytes().await?))
        });
        let (status, body) = match answer {
            Ok(answer) => answer,
            Err(error) => bail!(
                "no runner answers at {}: {}; give the admin address that the runner logs with --admin",
                self.admin,
                explain(&error)
            ),
        };
        if status == reqwest::StatusCode::NOT_FOUND && request.is_none() {
            return Ok(None);
        }
        if !status.is_success() {
            let refused = serde_json::from_slice(&body).map(|Refused { error }| error);
            bail!("{}", refused.unwrap_or_else(|_| format!("{url}: {status}")));
        }
        let told = serde_json::from_slice(&body);
        told.map(Some)
            .with_context(|| format!("{url}: unexpected response, is this a Sandbar runner?"))
    }
}

/// Prints the results of trying a change on recent records.
pub(super) fn tried(samples: usize, trial: Option<&Tried>) {
    tried_samples(samples);
    match trial {
        Some(trial) => println!(
            "tried on {} recent records: {} failed, {} failed before",
            trial.records, trial.failed, trial.failed_before
        ),
        None => println!("not tried: no records have been read yet"),
    }
}

/// Prints whether the model was validated with its sample rows, if it has any.
pub(super) fn tried_samples(samples: usize) {
    if samples > 0 {
        println!("tried on {samples} sample rows of the model: as expected");
    }
}

/// Seconds since the epoch, for a person.
pub(super) fn moment(seconds: u64) -> impl std::fmt::Display {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds))
}

pub(super) fn show(serving: &Serving) {
    println!("revision {} since {}", serving.revision, moment(serving.since));
    for (name, id) in &serving.models {
        println!("  model {name}: {id}");
    }
    for stage in &serving.components {
        println!("  stage {}: {}", stage.stage, stage.component.display());
    }
}

/// `NAME=SOURCE`. A path is made absolute: the runner works in another folder.
pub(super) fn pair(text: &str) -> Result<(String, ArtifactSource), String> {
    let (name, source) = text.split_once('=').ok_or("write NAME=PATH or NAME=NAME@VERSION")?;
    let source = match std::fs::canonicalize(source) {
        Ok(path) => ArtifactSource::Path(path),
        Err(error) => match source.parse() {
            Ok(reference) if source.contains('@') => ArtifactSource::Registry(reference),
            _ => {
                return Err(format!("{source}: {error}; or write NAME@VERSION for the registry's"));
            }
        },
    };
    Ok((name.to_owned(), source))
}

//! `sandbar status`, `swap` and `rollback`: asked of a runner over HTTP.

use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use clap::Args;
use humantime_serde::re::humantime;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fleet;
use crate::admin::api::{
    Refused, RollbackRequest, Serving, Status as Told, SwapRequest, Swapped, Tried,
};
use sandbar_model::http::{Runtime, explain};
use sandbar_registry::ArtifactSource;

/// How long a runner may take to load and try what is new.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where a runner is asked.
#[derive(Debug, Args)]
pub(super) struct At {
    /// Where the runner serves metrics, health and this.
    #[arg(long, value_name = "IP:PORT", env = "SANDBAR_ADMIN", default_value = "127.0.0.1:9464")]
    admin: SocketAddr,
    /// The runner's token, if it has one.
    #[arg(long, value_name = "TOKEN", env = "SANDBAR_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Say what a runner serves, and how it fares; of a fleet, how all of its runners do.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    at: At,
}

/// Put other models or components in the place of those that a runner serves.
///
/// The runner loads what is new beside what serves, fits it to the other stages, takes a
/// batch through it that came by a moment ago, and goes on with it between two batches. Where
/// anything is wrong, what served before goes on. It lasts until the runner ends: change
/// the manifest too.
#[derive(Debug, Args)]
pub(super) struct Swap {
    /// A model under the pipeline's name for it: a folder, or NAME@VERSION or NAME@ALIAS of
    /// the manifest's registry.
    #[arg(long = "model", value_name = "NAME=MODEL", value_parser = pair)]
    models: Vec<(String, ArtifactSource)>,
    /// The component of a stage: a file, or one of the registry.
    #[arg(long = "component", value_name = "STAGE=COMPONENT", value_parser = pair)]
    components: Vec<(String, ArtifactSource)>,
    /// The revision that is to be changed, as `sandbar status` says it: if somebody else
    /// has changed it meanwhile, nothing is done.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    #[command(flatten)]
    at: At,
}

/// Go back to what a runner served before the last swap.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The revision that is to be changed: if another serves, nothing is done.
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
            "{} records, {} outputs, {} failed; {} partitions, {} records behind",
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
    /// Asks for a change, and says what serves then.
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

    /// Asks for a change, and shows the answer.
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

    /// Asks for what is at `/v1/WHAT`, by POST where there is a request.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        request: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        let found = self.ask_for(what, request)?;
        found.with_context(|| format!("http://{}/v1/{what}: it is not there", self.admin))
    }

    /// The same of what need not be there: a GET that finds nothing is `None`.
    pub(super) fn ask_for<T: DeserializeOwned>(
        &self,
        what: &str,
        request: Option<&impl Serialize>,
    ) -> anyhow::Result<Option<T>> {
        let url = format!("http://{}/v1/{what}", self.admin);
        // Proxies are for what is far away.
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
                "no runner answers at {}: {}; --admin says where it serves, as its log does",
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
        told.map(Some).with_context(|| format!("{url}: not what a runner answers"))
    }
}

/// What came of what something new was tried on.
pub(super) fn tried(samples: usize, trial: Option<&Tried>) {
    tried_samples(samples);
    match trial {
        Some(trial) => println!(
            "tried on {} records that came by: {} failed, {} did before",
            trial.records, trial.failed, trial.failed_before
        ),
        None => println!("not tried: no records have come by yet"),
    }
}

/// That the model was tried on its own sample rows, where it has any.
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

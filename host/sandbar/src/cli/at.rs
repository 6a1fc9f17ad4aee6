//! The runner that a verb asks over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::shown::{show, tried};
use crate::admin::api::{Refused, Swapped};
use crate::output::{self, say};
use sandbar_model::http::{Runtime, explain};

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

impl At {
    /// Requests a change, and prints what serves afterwards.
    pub(super) fn change(&self, what: &str, request: &impl Serialize) -> anyhow::Result<()> {
        self.told::<Swapped>(what, request, |swapped| {
            show(&swapped.serving);
            tried(swapped.samples, swapped.trial.as_ref());
            let milliseconds = |seconds: f64| seconds * 1e3;
            say!(
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
            output::json(&answer)?;
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

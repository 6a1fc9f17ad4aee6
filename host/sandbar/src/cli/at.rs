//! The runner that a verb asks over HTTP.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::shown::{show, tried};
use crate::admin::api::{Refused, Swapped};
use crate::output::{self, say};
use sandbar_files::limits;
use sandbar_model::http::{Runtime, explain};

/// How long a runner may take to load and try new models or components.
const PATIENCE: Duration = Duration::from_secs(300);

/// The runner to ask.
#[derive(Debug, Args)]
pub(super) struct At {
    /// The runner's admin address, where it also serves metrics and health: IP:PORT, or a URL,
    /// with https where it has a certificate.
    #[arg(long, value_name = "ADDRESS", env = "SANDBAR_ADMIN", default_value = "127.0.0.1:9464")]
    admin: Address,
    /// The runner's token, if it has one.
    #[arg(long, value_name = "TOKEN", env = "SANDBAR_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
    /// Who signs the runner's certificate, in PEM, if the system does not know.
    #[arg(long, value_name = "FILE", env = "SANDBAR_ADMIN_CA")]
    admin_ca: Option<PathBuf>,
    /// This client's certificate, in PEM, if the runner wants one.
    #[arg(long, value_name = "FILE", env = "SANDBAR_ADMIN_CERT", requires = "admin_key")]
    admin_cert: Option<PathBuf>,
    /// Its private key, in PEM.
    #[arg(long, value_name = "FILE", env = "SANDBAR_ADMIN_KEY", requires = "admin_cert")]
    admin_key: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Where a runner serves.
#[derive(Debug, Clone)]
struct Address {
    /// As it was given.
    shown: String,
    /// As a URL without a path.
    base: String,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is not an address; write IP:PORT, as in 127.0.0.1:9464, or a URL, as \
                 in https://runner.example.com:9464"
            )
        };
        let (url, port) = match text.contains("://") {
            true => (Url::parse(text), true),
            false => (
                Url::parse(&format!("http://{text}")),
                text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()),
            ),
        };
        let url = url.map_err(|_| wrong())?;
        let plain = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain || !port || !matches!(url.scheme(), "http" | "https") {
            return Err(wrong());
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Address { shown: text.to_owned(), base })
    }
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
        found.with_context(|| format!("{}/v1/{what}: not found", self.admin.base))
    }

    /// The same for an optional resource: 404 on a GET is `None`.
    pub(super) fn ask_for<T: DeserializeOwned>(
        &self,
        what: &str,
        request: Option<&impl Serialize>,
    ) -> anyhow::Result<Option<T>> {
        let url = format!("{}/v1/{what}", self.admin.base);
        let client = self.client()?;
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
                self.admin.shown,
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

    fn client(&self) -> anyhow::Result<Client> {
        // No proxy: the runner is near. No redirect: a runner sends none, and the token is for it.
        let mut client = Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE);
        if let Some(file) = &self.admin_ca {
            let found = Certificate::from_pem_bundle(&read(file)?);
            let found = found.ok().filter(|found| !found.is_empty());
            let found = found.with_context(|| {
                format!("{}: no certificates; name a file of them in PEM", file.display())
            })?;
            client = client.tls_certs_merge(found);
        }
        if let (Some(certificate), Some(key)) = (&self.admin_cert, &self.admin_key) {
            let identity = Identity::from_pkcs8_pem(&read(certificate)?, &read(key)?);
            client = client.identity(identity.with_context(|| {
                format!(
                    "{} and {}: not a certificate and its key (PKCS #8) in PEM; name both",
                    certificate.display(),
                    key.display()
                )
            })?);
        }
        Ok(client.build()?)
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    sandbar_files::read(file, limits::SECRET)
        .with_context(|| format!("{} cannot be read", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_is_at_an_address_or_a_url() {
        let base = |text: &str| text.parse::<Address>().map(|address| address.base).ok();
        for (text, due) in [
            ("127.0.0.1:9464", "http://127.0.0.1:9464"),
            ("[::1]:9464", "http://[::1]:9464"),
            ("runner:9464", "http://runner:9464"),
            ("https://runner.example.com:9464", "https://runner.example.com:9464"),
            ("https://runner.example.com/", "https://runner.example.com"),
        ] {
            assert_eq!(base(text).as_deref(), Some(due), "{text}");
        }
        for text in [
            "",
            "127.0.0.1",
            "off",
            "ftp://a:1",
            "https://",
            "https://a/v1",
            "https://u:p@a",
            "http://a?b",
            "127.0.0.1:9464/v1",
            "127.0.0.1:99999",
        ] {
            assert_eq!(base(text), None, "{text}");
        }
    }
}

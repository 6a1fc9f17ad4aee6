//! The HTTP client, and the runtime that it needs: for external payloads on servers and object
//! stores, for registries of schemas, and for `sandbar models pull`. A pipeline without such
//! references and schemas has neither.

use std::time::Duration;

use reqwest::redirect::Policy;
use tokio::runtime::{Builder, Handle};
use url::Url;

/// The time to connect to a server, including name look-up and TLS.
const CONNECT: Duration = Duration::from_secs(10);
const AGENT: &str = concat!("sandbar/", env!("CARGO_PKG_VERSION"));

/// A client that follows no redirect: the caller decides which targets are allowed. Proxies
/// are those of the environment; nothing is decompressed.
///
/// # Errors
/// If the system's certificates cannot be loaded.
pub fn client() -> Result<reqwest::Client, String> {
    builder().build().map_err(|error| explain(&error))
}

/// What [`client`] makes one of.
pub fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().user_agent(AGENT).connect_timeout(CONNECT).redirect(Policy::none())
}

/// A runtime with a thread of its own, on which requests are under way while the
/// process does something else.
pub struct Runtime(Option<tokio::runtime::Runtime>);

impl Runtime {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system provides no more threads.
    pub fn start() -> std::io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("sandbar-fetch").enable_all();
        builder.build().map(|runtime| Runtime(Some(runtime)))
    }

    /// To start requests with.
    pub fn handle(&self) -> &Handle {
        match &self.0 {
            Some(runtime) => runtime.handle(),
            None => unreachable!("taken by drop alone"),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // A name look-up in progress would be waited for.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// An error with its causes; the URL is for the caller to name.
pub fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// A URL that may be shown: without what may be a secret.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // These only fail for URLs that have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let query = url.query().is_some();
    url.set_query(None);
    url.set_fragment(None);
    if query { format!("{url}?...") } else { url.to_string() }
}

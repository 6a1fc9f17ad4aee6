//! The object store of S3, and what all object stores are opened with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientOptions, RetryConfig};
use sandbar_model::http::explain;

use crate::signing::Signing;

/// Values of options by name.
type Options = BTreeMap<String, String>;

/// A few attempts, that end in time.
pub fn retry(timeout: Duration) -> RetryConfig {
    let mut retry =
        RetryConfig { max_retries: 2, retry_timeout: timeout, ..RetryConfig::default() };
    retry.backoff.max_backoff = timeout;
    retry
}

/// The store of a bucket. Credentials and region are those of the environment, in
/// `AWS_...`, and over them the options.
pub fn s3(
    bucket: &str,
    options: &Options,
    timeout: Duration,
    client: &reqwest::Client,
) -> Result<AmazonS3, String> {
    let mut builder = AmazonS3Builder::from_env();
    for (name, value) in options {
        match name.parse() {
            // Timeouts, proxies and the like are the runner's own.
            Ok(AmazonS3ConfigKey::Client(_) | AmazonS3ConfigKey::Bucket) | Err(_) => {
                return Err(format!(
                    "'{name}' is not an option of an S3 store; the options are 'region', 'endpoint', 'access_key_id', 'secret_access_key', 'token', 'skip_signature', 'virtual_hosted_style_request' and other names of the crate object_store"
                ));
            }
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    let store = builder
        .with_bucket_name(bucket)
        .with_crypto_provider(Arc::new(Signing))
        .with_http_connector(Connector(client.clone()))
        .with_retry(retry(timeout))
        .build();
    store.map_err(|error| explain(&error))
}

/// Hands the runner's client to `object_store`: it follows no redirects.
#[derive(Debug)]
pub struct Connector(pub reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

//! The object stores of Google and Azure; the one of S3 is shared with external payloads.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{ObjectStore, RetryConfig};

use crate::s3::Connector;
use crate::signing::Signing;
use sandbar_model::http::explain;

/// A bucket of Google Cloud Storage. Credentials are those of the environment
/// (`GOOGLE_...`), of the application's defaults or of the machine, overridden by the
/// options.
pub(super) fn google(
    bucket: &str,
    options: &BTreeMap<String, String>,
    retry: RetryConfig,
    client: &reqwest::Client,
) -> Result<Box<dyn ObjectStore>, String> {
    let mut builder = GoogleCloudStorageBuilder::from_env();
    for (name, value) in options {
        match name.parse() {
            // Timeouts, proxies and the like are set by the runner.
            Ok(GoogleConfigKey::Client(_) | GoogleConfigKey::Bucket) | Err(_) => {
                return Err(format!(
                    "unknown option '{name}' of Google Cloud Storage; known options are 'google_application_credentials', 'google_base_url', 'google_bearer_token', 'google_skip_signature' and other names of the crate object_store"
                ));
            }
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    let store = builder
        .with_bucket_name(bucket)
        .with_crypto_provider(Arc::new(Signing))
        .with_http_connector(Connector(client.clone()))
        .with_retry(retry)
        .build();
    store.map(|store| Box::new(store) as Box<dyn ObjectStore>).map_err(|error| explain(&error))
}

/// A container of Azure Blob Storage. The account and its credentials are those of the
/// environment (`AZURE_...`) or of the machine, overridden by the options.
pub(super) fn azure(
    container: &str,
    options: &BTreeMap<String, String>,
    retry: RetryConfig,
    client: &reqwest::Client,
) -> Result<Box<dyn ObjectStore>, String> {
    let mut builder = MicrosoftAzureBuilder::from_env();
    for (name, value) in options {
        match name.parse() {
            Ok(AzureConfigKey::Client(_) | AzureConfigKey::ContainerName) | Err(_) => {
                return Err(format!(
                    "unknown option '{name}' of Azure Blob Storage; known options are 'azure_storage_account_name', 'azure_storage_account_key', 'azure_storage_sas_token', 'azure_storage_endpoint' and other names of the crate object_store"
                ));
            }
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    let store = builder
        .with_container_name(container)
        .with_crypto_provider(Arc::new(Signing))
        .with_http_connector(Connector(client.clone()))
        .with_retry(retry)
        .build();
    store.map(|store| Box::new(store) as Box<dyn ObjectStore>).map_err(|error| explain(&error))
}

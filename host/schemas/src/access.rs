//! Where a registry is, and what it takes to be let in.

use std::fmt;
use std::time::Duration;

use reqwest::{Certificate, Client, RequestBuilder};
use sandbar_model::http::explain;
use url::Url;

/// How a registry is reached.
#[derive(Debug, Clone)]
pub struct Access {
    /// Its servers, which are tried in this order; at least one.
    pub urls: Vec<Url>,
    /// What the servers are shown.
    pub credentials: Credentials,
    /// Certificates in PEM of those whom the servers' certificates may be signed by, besides the
    /// system's.
    pub ca: Option<Vec<u8>>,
    /// Time for one schema with all that it refers to, all attempts together.
    pub timeout: Duration,
    /// The bytes of a schema at most, with all that it refers to.
    pub max_size: usize,
}

/// What a registry's servers are shown. It is not printed.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// A name and a password.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token.
    Bearer(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::None => "None",
            Credentials::Basic { .. } => "Basic",
            Credentials::Bearer(_) => "Bearer",
        })
    }
}

impl Access {
    /// A client that follows no redirect: the credentials would go with it.
    pub(crate) fn client(&self) -> Result<Client, String> {
        let mut client = sandbar_model::http::builder();
        if let Some(pem) = &self.ca {
            let certificates = Certificate::from_pem_bundle(pem)
                .map_err(|error| format!("the certificates of `ca`: {}", explain(&error)))?;
            for certificate in certificates {
                client = client.add_root_certificate(certificate);
            }
        }
        client.build().map_err(|error| explain(&error))
    }

    /// A request with the credentials.
    pub(crate) fn authorise(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credentials {
            Credentials::None => request,
            Credentials::Basic { user, password } => request.basic_auth(user, Some(password)),
            Credentials::Bearer(token) => request.bearer_auth(token),
        }
    }
}

//! References to servers and object stores: which of them a URL belongs to, and one
//! request to it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use url::Url;

use super::target::Refusal;
use sandbar_manifest::Prefix;
use sandbar_model::http::{explain, shown};
use sandbar_registry::s3;

/// Redirects of one reference that are followed.
const REDIRECTS: usize = 5;

/// The prefixes of a pipeline, and how to get what is below them.
pub(super) struct Stores {
    client: reqwest::Client,
    stores: Vec<Store>,
}

struct Store {
    prefix: Prefix,
    access: Access,
}

enum Access {
    /// Headers that go with every request.
    Http(HeaderMap),
    S3(Box<AmazonS3>),
    /// None, since a value is missing: which, and why.
    None(String),
}

/// Values of options by name, or why one is missing.
type Options = BTreeMap<String, String>;

/// Why a request failed.
pub(super) enum FetchError {
    /// It would fail again.
    Lasting(Refusal),
    /// It may be retried.
    Passing(String),
}

/// What is about to be read.
pub(super) struct Body {
    /// Its size in bytes, if known in advance.
    pub(super) size: Option<u64>,
    pieces: Pieces,
}

enum Pieces {
    Http(Box<reqwest::Response>),
    Store(BoxStream<'static, object_store::Result<Bytes>>),
}

impl Stores {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Stores { client: sandbar_model::http::client()?, stores: Vec::new() })
    }

    /// Adds a prefix with its options. Without those that are `missing` nothing is requested
    /// from it, but the names of the options are checked.
    pub(super) fn add(
        &mut self,
        prefix: Prefix,
        mut options: Options,
        missing: &Options,
        timeout: Duration,
    ) -> Result<(), String> {
        options.extend(missing.keys().map(|name| (name.clone(), "missing".to_owned())));
        let mut access = match prefix.scheme() {
            "s3" => Access::S3(Box::new(s3(prefix.host(), &options, timeout, &self.client)?)),
            _ => Access::Http(headers(&options)?),
        };
        if let Some((name, reason)) = missing.first_key_value() {
            access = Access::None(format!("[references.stores] {name}: {reason}"));
        }
        self.stores.push(Store { prefix, access });
        Ok(())
    }

    fn find(&self, url: &Url) -> Option<&Store> {
        // The longest has the options that are meant for it.
        let covering = self.stores.iter().filter(|store| store.prefix.covers(url));
        covering.max_by_key(|store| store.prefix.to_string().len())
    }

    /// Whether a URL is allowed.
    pub(super) fn allow(&self, url: &Url) -> bool {
        self.find(url).is_some()
    }

    /// Asks for what a URL names, once; the body is still to be read.
    pub(super) async fn request(&self, url: &Url) -> Result<Body, FetchError> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let store = self.find(&url).ok_or_else(|| FetchError::Lasting(not_allowed(&url)))?;
            let headers = match &store.access {
                Access::S3(store) => return object(store, &url).await,
                Access::Http(headers) => headers.clone(),
                Access::None(reason) => {
                    return Err(FetchError::Lasting(Refusal::unavailable(reason.clone())));
                }
            };
            let response = self.client.get(url.clone()).headers(headers).send().await;
            let response =
                response.map_err(|error| FetchError::Passing(explain(&error.without_url())))?;
            match redirect(&url, &response)? {
                // Its target must be allowed as well, and has its own headers.
                Some(next) => url = next,
                None => return answer(response),
            }
        }
        let message = format!("more than {REDIRECTS} redirects, the last to {}", shown(&url));
        Err(FetchError::Lasting(Refusal::invalid(message)))
    }
}

/// The refusal of a URL that no prefix covers.
pub(super) fn not_allowed(url: &Url) -> Refusal {
    Refusal::invalid(format!("{} is below no prefix of [references] allow", shown(url)))
}

fn redirect(url: &Url, response: &reqwest::Response) -> Result<Option<Url>, FetchError> {
    if !response.status().is_redirection() {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| url.join(location).ok());
    let next = next.filter(|next| matches!(next.scheme(), "http" | "https"));
    next.map(Some).ok_or_else(|| {
        let message =
            format!("the server answers {} without a location to redirect to", response.status());
        FetchError::Lasting(Refusal::invalid(message))
    })
}

fn answer(response: reqwest::Response) -> Result<Body, FetchError> {
    let status = response.status();
    let answers = format!("the server answers {status}");
    Err(match status {
        StatusCode::OK => {
            let size = response.content_length();
            return Ok(Body { size, pieces: Pieces::Http(Box::new(response)) });
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => FetchError::Lasting(Refusal::missing(answers)),
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            FetchError::Lasting(Refusal::unavailable(format!("{answers}; see [references.stores]")))
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => FetchError::Passing(answers),
        _ if status.is_server_error() => FetchError::Passing(answers),
        _ => FetchError::Lasting(Refusal::invalid(answers)),
    })
}

async fn object(store: &AmazonS3, url: &Url) -> Result<Body, FetchError> {
    let path = Path::from_url_path(url.path()).map_err(|error| {
        FetchError::Lasting(Refusal::invalid(format!("not an object key: {error}")))
    })?;
    match store.get(&path).await {
        Ok(found) => {
            Ok(Body { size: Some(found.meta.size), pieces: Pieces::Store(found.into_stream()) })
        }
        Err(object_store::Error::NotFound { .. }) => {
            Err(FetchError::Lasting(Refusal::missing("no such object".into())))
        }
        // The store has retried already, as far as that helps.
        Err(error) => Err(FetchError::Lasting(Refusal::unavailable(explain(&error)))),
    }
}

impl Body {
    /// The next piece; `None` at the end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, FetchError> {
        let broke_off = |error: &dyn std::error::Error| {
            FetchError::Passing(format!("the response ended early: {}", explain(error)))
        };
        match &mut self.pieces {
            Pieces::Http(response) => {
                response.chunk().await.map_err(|error| broke_off(&error.without_url()))
            }
            Pieces::Store(stream) => {
                stream.next().await.transpose().map_err(|error| broke_off(&error))
            }
        }
    }
}

/// Headers of requests to a server.
fn headers(options: &Options) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in options {
        let known: HeaderName =
            name.parse().map_err(|_| format!("'{name}' is not the name of a header"))?;
        let mut value: HeaderValue = value
            .parse()
            .map_err(|_| format!("the value of '{name}' is not a valid header value"))?;
        value.set_sensitive(true);
        headers.insert(known, value);
    }
    Ok(headers)
}

//! Requests to a registry. Its servers are tried in turn, and all of them again after a pause,
//! until the time is over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client as Http, Response, StatusCode};
use sandbar_model::http::{explain, shown};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::access::Access;
use crate::answers::{read, refusal};
use crate::schema::{Cause, SchemaError};

/// The pause after all servers have failed; it doubles with each time.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Bytes of an answer besides twice the schema's: quotation marks are escaped in it.
const ENVELOPE: usize = 64 << 10;
/// What needs no escaping in a part of a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The media type of the API.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// The media types of answers.
const ACCEPTED: &str = "application/vnd.schemaregistry.v1+json, application/json";

/// A registry.
pub(crate) struct Client {
    access: Access,
    http: Http,
    /// The server that answered last, which is asked first.
    first: AtomicUsize,
}

/// What is asked.
struct Question<'a> {
    /// The path, by its parts.
    path: &'a [&'a str],
    /// With a body it is a POST.
    body: Option<Vec<u8>>,
}

/// Why a server gave no answer.
enum Fault {
    /// Another server, or another attempt, may have one.
    Passing(String),
    /// Another server may have one, another attempt at this one does not help.
    Lasting(String),
    /// The registry has spoken.
    Final(SchemaError),
}

impl Client {
    pub(crate) fn new(access: &Access) -> Result<Self, String> {
        let http = access.client()?;
        Ok(Client { access: access.clone(), http, first: AtomicUsize::new(0) })
    }

    /// The bytes of a schema at most.
    pub(crate) fn max_size(&self) -> usize {
        self.access.max_size
    }

    /// What is at a path, given by its parts.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        deadline: Instant,
    ) -> Result<T, SchemaError> {
        self.send(&Question { path, body: None }, deadline).await
    }

    /// What is answered to a body that is sent to a path. It may be sent more than once.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &serde_json::Value,
        deadline: Instant,
    ) -> Result<T, SchemaError> {
        let body = Some(body.to_string().into_bytes());
        self.send(&Question { path, body }, deadline).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        question: &Question<'_>,
        deadline: Instant,
    ) -> Result<T, SchemaError> {
        let mut pause = PAUSE;
        loop {
            let mut hope = false;
            let mut reasons = Vec::new();
            let first = self.first.load(Ordering::Relaxed);
            for offset in 0..self.access.urls.len() {
                let index = (first + offset) % self.access.urls.len();
                let url = &self.access.urls[index];
                match self.ask(url, question, deadline).await {
                    Ok(answer) => {
                        self.first.store(index, Ordering::Relaxed);
                        return Ok(answer);
                    }
                    Err(Fault::Final(error)) => return Err(error),
                    Err(Fault::Passing(reason)) => {
                        hope = true;
                        reasons.push(format!("{}: {reason}", shown(url)));
                    }
                    Err(Fault::Lasting(reason)) => {
                        reasons.push(format!("{}: {reason}", shown(url)));
                    }
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !hope || left <= pause {
                return Err(SchemaError::new(Cause::Unavailable, reasons.join("; ")));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        url: &Url,
        question: &Question<'_>,
        deadline: Instant,
    ) -> Result<T, Fault> {
        let left = deadline.saturating_duration_since(Instant::now());
        let late = || Fault::Passing(format!("no answer within {} ms", left.as_millis()));
        timeout(left, self.ask_patiently(url, question)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn ask_patiently<T: DeserializeOwned>(
        &self,
        url: &Url,
        question: &Question<'_>,
    ) -> Result<T, Fault> {
        let url = below(url, question.path);
        let request = match &question.body {
            None => self.http.get(url),
            Some(body) => self.http.post(url).header(CONTENT_TYPE, MEDIA_TYPE).body(body.clone()),
        };
        let request = request.header(ACCEPT, ACCEPTED);
        let response = self.access.authorise(request).send().await;
        let mut response = response.map_err(|error| Fault::Passing(failed(error)))?;
        let status = response.status();
        let body = self.body(&mut response).await?;
        if status == StatusCode::OK {
            return read(&body).map_err(Fault::Passing);
        }
        let says = format!("the server answers {status}{}", refusal(&body));
        Err(match status {
            StatusCode::NOT_FOUND => Fault::Final(SchemaError::new(Cause::NotFound, says)),
            // What is sent does not suit the registry, whichever of its servers is asked.
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
                Fault::Final(SchemaError::new(Cause::Invalid, says))
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Fault::Passing(says),
            _ if status.is_server_error() => Fault::Passing(says),
            _ => Fault::Lasting(says),
        })
    }

    async fn body(&self, response: &mut Response) -> Result<Vec<u8>, Fault> {
        let most = self.max_size().saturating_mul(2).saturating_add(ENVELOPE);
        let mut body = Vec::new();
        while let Some(part) =
            response.chunk().await.map_err(|error| Fault::Passing(failed(error)))?
        {
            if body.len() + part.len() > most {
                let message = format!("the answer is larger than {most} bytes (`max-size`)");
                return Err(Fault::Final(SchemaError::new(Cause::TooLarge, message)));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }
}

/// An error of the client without the URL, which is named in front of it.
fn failed(error: reqwest::Error) -> String {
    explain(&error.without_url())
}

/// A URL with more parts in its path.
fn below(url: &Url, path: &[&str]) -> Url {
    let mut text = url.path().trim_end_matches('/').to_owned();
    for part in path {
        text.push('/');
        text.extend(utf8_percent_encode(part, PLAIN));
    }
    let mut url = url.clone();
    url.set_path(&text);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_part_of_the_path() -> Result<(), url::ParseError> {
        for base in ["http://host:8081", "http://host:8081/", "http://host:8081/apis/v7/"] {
            let url = below(&Url::parse(base)?, &["subjects", "a/../b c%2F?#é", "versions"]);
            let path = url.path().strip_prefix("/apis/v7").unwrap_or(url.path());
            assert_eq!(path, "/subjects/a%2F..%2Fb%20c%252F%3F%23%C3%A9/versions");
            assert_eq!((url.query(), url.fragment()), (None, None));
        }
        Ok(())
    }
}

//! What every request passes: may it be (`access`), is it small enough and there in time, is
//! there room for one more change; and what every answer has.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::access::{Access, Denied, is_change};
use super::audit::{Asked, Audit};
use super::handle::refused;
use super::peer::Peer;
use super::seats::Seat;

/// How many bytes the body of a request may have.
const BODY_SIZE: usize = 64 << 10;
/// How long it may take.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How many changes may be under way or wait for others at once. Fewer than connections, so
/// that the status can be read meanwhile.
const CHANGES: usize = 16;
/// Paths that take something back, and so have room of their own.
const BACK: [&str; 5] = [
    "/v1/cancel",
    "/v1/rollback",
    "/v1/rollout/abort",
    "/v1/fleet/rollback",
    "/v1/fleet/rollout/abort",
];

/// The body of a change, and room for it.
type Change = (Bytes, OwnedSemaphorePermit);

/// The way to a router.
pub(super) struct Gate {
    router: Router,
    /// `None`: everybody may read what the router has.
    access: Option<Access>,
    audit: Arc<Audit>,
    changes: Arc<Semaphore>,
    back: Arc<Semaphore>,
}

impl Gate {
    /// To a router, for those who may.
    pub(super) fn new(router: Router, access: Option<Access>) -> Self {
        let room = || Arc::new(Semaphore::new(CHANGES));
        let router = router.fallback(unknown).method_not_allowed_fallback(unfit);
        Gate { router, access, audit: Arc::default(), changes: room(), back: room() }
    }

    /// Answers a request.
    pub(super) async fn answer(
        &self,
        request: Request<Body>,
        peer: &Peer,
        seat: &Seat,
    ) -> Response {
        let mut response = self.handle(request, peer, seat).await;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    async fn handle(&self, request: Request<Body>, peer: &Peer, seat: &Seat) -> Response {
        let (head, body) = request.into_parts();
        let asked = Asked::of(&head, peer);
        match self.let_in(&head, body, peer).await {
            Ok((by, Some(change))) => self.change(head, change, (by, asked), seat).await,
            Ok((_, None)) => {
                let _busy = seat.busy();
                call(&self.router, head, Bytes::new()).await
            }
            Err(Denied { status, reason, by }) => {
                let mut response = refused(status, reason);
                if status == StatusCode::UNAUTHORIZED {
                    let scheme = HeaderValue::from_static("Bearer");
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
                }
                self.audit.tell(by.as_deref(), &asked, &response);
                response
            }
        }
    }

    /// Who asks, and the change if it is for one: its body, and room for it.
    async fn let_in(
        &self,
        head: &Parts,
        body: Body,
        peer: &Peer,
    ) -> Result<(Option<String>, Option<Change>), Denied> {
        let by = match &self.access {
            Some(access) => access.admit(head, peer)?.map(str::to_owned),
            None => None,
        };
        let denied = |(status, reason)| Denied { status, reason, by: by.clone() };
        if body.size_hint().lower() > BODY_SIZE as u64 {
            return Err(denied(too_large()));
        }
        if !is_change(&head.method) || self.access.is_none() {
            return Ok((by, None));
        }
        let body = read(body).await.map_err(denied)?;
        let room = if BACK.contains(&head.uri.path()) { &self.back } else { &self.changes };
        let room = room.clone().try_acquire_owned().map_err(|_| {
            let reason = "too many changes at once: wait for those under way, and send it again";
            denied((StatusCode::SERVICE_UNAVAILABLE, reason.to_owned()))
        })?;
        Ok((by, Some((body, room))))
    }

    /// Makes a change, to its end and into the log, even if the client goes away.
    async fn change(
        &self,
        head: Parts,
        (body, room): Change,
        (by, asked): (Option<String>, Asked),
        seat: &Seat,
    ) -> Response {
        let _busy = seat.busy();
        let (router, audit) = (self.router.clone(), self.audit.clone());
        let work = tokio::spawn(async move {
            let response = call(&router, head, body).await;
            audit.tell(by.as_deref(), &asked, &response);
            drop(room);
            response
        });
        work.await.unwrap_or_else(|error| {
            refused(StatusCode::INTERNAL_SERVER_ERROR, format!("the request failed: {error}"))
        })
    }
}

/// The body of a request, if it is small and comes in time.
async fn read(body: Body) -> Result<Bytes, (StatusCode, String)> {
    let Ok(read) = timeout(BODY_TIME, to_bytes(body, BODY_SIZE)).await else {
        let seconds = BODY_TIME.as_secs();
        let reason = format!("body: not there within {seconds} s; send it at once");
        return Err((StatusCode::REQUEST_TIMEOUT, reason));
    };
    read.map_err(|error| {
        if error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) {
            return too_large();
        }
        (StatusCode::BAD_REQUEST, format!("body: cannot be read: {error}"))
    })
}

fn too_large() -> (StatusCode, String) {
    let reason = format!("body: more than {} KiB; send less", BODY_SIZE >> 10);
    (StatusCode::PAYLOAD_TOO_LARGE, reason)
}

async fn call(router: &Router, head: Parts, body: Bytes) -> Response {
    let request = Request::from_parts(head, Body::from(body));
    match TowerToHyperService::new(router.clone()).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn unknown(method: Method, uri: Uri) -> Response {
    // Of the server as a whole (RFC 9110, 9.3.7).
    if method == Method::OPTIONS && uri.path() == "*" {
        return StatusCode::NO_CONTENT.into_response();
    }
    refused(StatusCode::NOT_FOUND, "no such path; /v1/openapi.json and the documents name all")
}

/// For a method that a path does not have; axum adds those that it has, as `allow`.
async fn unfit(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let reason = format!("{method}: not a method of this path; the header 'allow' names them");
    refused(StatusCode::METHOD_NOT_ALLOWED, reason)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::routing::{get, post};
    use tokio::sync::Notify;
    use tokio::task::yield_now;

    use super::super::seats::Seats;
    use super::*;

    /// A server whose changes wait until they are told to go on.
    struct Slow {
        gate: Arc<Gate>,
        go_on: Arc<Notify>,
        begun: Arc<AtomicUsize>,
        done: Arc<AtomicUsize>,
    }

    impl Slow {
        fn new() -> Self {
            let go_on = Arc::new(Notify::new());
            let (begun, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (wait, begin, end) = (go_on.clone(), begun.clone(), done.clone());
            let change = move || async move {
                begin.fetch_add(1, Ordering::Relaxed);
                wait.notified().await;
                end.fetch_add(1, Ordering::Relaxed);
                StatusCode::OK
            };
            let router = Router::new()
                .route("/v1/swap", post(change.clone()))
                .route("/v1/rollback", post(change))
                .route("/v1/status", get(|| async {}));
            let access = Access { local: true, ..Access::default() };
            Slow { gate: Arc::new(Gate::new(router, Some(access))), go_on, begun, done }
        }

        async fn ask(&self, method: &str, path: &str) -> StatusCode {
            let seat = Arc::new(Seats::default()).take().await.unwrap();
            let peer = Peer { address: "127.0.0.1:1".parse().unwrap(), tls: false };
            let request = Request::builder().method(method).uri(path);
            let request = request.header(header::HOST, "localhost").body(Body::empty()).unwrap();
            self.gate.answer(request, &peer, &seat).await.status()
        }
    }

    async fn until(number: &AtomicUsize, due: usize) {
        while number.load(Ordering::Relaxed) < due {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn changes_under_way_keep_nobody_from_reading_or_taking_back() {
        let slow = Arc::new(Slow::new());
        let begin = |path: &'static str| {
            let slow = slow.clone();
            tokio::spawn(async move { slow.ask("POST", path).await })
        };
        let mut changes: Vec<_> = (0..CHANGES).map(|_| begin("/v1/swap")).collect();
        until(&slow.begun, CHANGES).await;
        assert_eq!(slow.ask("POST", "/v1/swap").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(slow.ask("GET", "/v1/status").await, StatusCode::OK);
        changes.push(begin("/v1/rollback"));
        until(&slow.begun, CHANGES + 1).await;
        slow.go_on.notify_waiters();
        for change in changes {
            assert_eq!(change.await.unwrap(), StatusCode::OK);
        }
        let again = begin("/v1/swap");
        until(&slow.begun, CHANGES + 2).await;
        slow.go_on.notify_waiters();
        assert_eq!(again.await.unwrap(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_change_is_made_even_if_its_client_goes_away() {
        let slow = Arc::new(Slow::new());
        tokio::select! {
            biased;
            _ = slow.ask("POST", "/v1/swap") => panic!("it waits"),
            () = until(&slow.begun, 1) => {}
        }
        slow.go_on.notify_waiters();
        until(&slow.done, 1).await;
    }
}

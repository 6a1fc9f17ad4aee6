//! One connection: one request of bounded size and time, one answer, the end.
//!
//! HTTP/1 alone: HTTP/2 would bring floods of its own and serves nobody here. There is no
//! keep-alive: whatever follows a request is not read as another one, so that nothing can be
//! smuggled behind it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::gate::Gate;
use super::peer::Peer;
use super::seats::Seat;

/// How long a client may take for a request's header, from the connection on.
const HEAD: Duration = Duration::from_secs(10);
/// How long a header may be, the first line included.
const HEAD_SIZE: usize = 16 << 10;
/// How many lines it may have.
const HEAD_LINES: usize = 64;
/// How long, and how much, a client may go on sending that has its answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_SIZE: u64 = 256 << 10;

/// Serves what comes over `io`, until the client is done or gone, or too slow.
pub(super) async fn serve<I>(io: I, gate: Arc<Gate>, peer: Peer, seat: Seat)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let seat = Arc::new(seat);
    let handled = {
        let seat = seat.clone();
        async move {
            let io = converse(io, gate, peer, seat).await;
            let _ = timeout(LINGER, close(io)).await;
        }
    };
    tokio::select! {
        () = handled => {}
        () = seat.lost() => {}
    }
}

async fn converse<I>(io: I, gate: Arc<Gate>, peer: Peer, seat: Arc<Seat>) -> I
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (gate, seat, peer) = (gate.clone(), seat.clone(), peer.clone());
        Box::pin(async move {
            Ok::<_, Infallible>(gate.answer(request.map(Body::new), &peer, &seat).await)
        })
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_SIZE)
        .max_headers(HEAD_LINES)
        .keep_alive(false)
        // Who has asked, and says no more, still gets the answer.
        .half_close(true);
    let mut connection = builder.serve_connection(TokioIo::new(io), service);
    // What is wrong with a request, the client is told.
    if let Err(error) = poll_fn(|cx| connection.poll_without_shutdown(cx)).await {
        tracing::debug!(%error, "admin connection failed");
    }
    connection.into_parts().io.into_inner()
}

/// Closes in a way that the answer arrives: where bytes are unread, a closed socket resets the
/// connection, and the client may lose what it has not read yet.
async fn close<I: AsyncRead + AsyncWrite + Unpin>(mut io: I) {
    if io.shutdown().await.is_ok() {
        let _ = tokio::io::copy(&mut io.take(LINGER_SIZE), &mut tokio::io::sink()).await;
    }
}

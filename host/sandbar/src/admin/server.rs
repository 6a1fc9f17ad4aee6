//! A listener, and the thread that serves its connections.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use openssl::ssl::SslAcceptor;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::connection;
use super::gate::Gate;
use super::peer::Peer;
use super::seats::{Seat, Seats};
use super::tls::{self, Tls};

/// How long nothing is accepted after the system had no room for a connection.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What a client reads for which there is no room, where it comes without TLS.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n\
                      cache-control: no-store\r\ncontent-length: 0\r\n\r\n";

/// A server, which ends when this is dropped.
pub(super) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves at `address`; port 0 takes any that is free ([`Server::address`]). The thread is
    /// called `name`.
    pub(super) fn start(
        name: &str,
        address: SocketAddr,
        tls: Option<Tls>,
        gate: Gate,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let work = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::select! {
                never = accept(listener, tls, Arc::new(gate)) => match never {},
                // A stop was requested, or the sender is gone. Open requests are not waited for.
                _ = stopped => Ok::<(), io::Error>(()),
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Err(error) = runtime.block_on(work) {
                tracing::error!(%error, "admin server failed, metrics and health are no longer served");
            }
            // Changes under way go on by themselves; the process ends with the run.
            runtime.shutdown_background();
        })?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it serves.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// There is no value of this.
enum Never {}

async fn accept(listener: tokio::net::TcpListener, mut tls: Option<Tls>, gate: Arc<Gate>) -> Never {
    let seats = Arc::new(Seats::default());
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "admin connection failed");
                sleep(PAUSE).await;
                continue;
            }
        };
        let peer = Peer { address, tls: tls.is_some() };
        let Some(seat) = seats.take().await else {
            if tls.is_none() {
                let _ = stream.try_write(FULL);
            }
            continue;
        };
        match &mut tls {
            None => drop(tokio::spawn(connection::serve(stream, gate.clone(), peer, seat))),
            Some(tls) => {
                let (tls, gate) = (tls.current(), gate.clone());
                tokio::spawn(secured(stream, tls, gate, peer, seat));
            }
        }
    }
}

async fn secured(
    stream: TcpStream,
    acceptor: SslAcceptor,
    gate: Arc<Gate>,
    peer: Peer,
    seat: Seat,
) {
    let accepted = tokio::select! {
        accepted = timeout(HANDSHAKE, tls::accept(&acceptor, stream)) => accepted,
        () = seat.lost() => return,
    };
    match accepted {
        Ok(Ok(stream)) => connection::serve(stream, gate, peer, seat).await,
        Ok(Err(error)) => tracing::debug!(%error, "admin connection failed"),
        Err(_) => {}
    }
}

//! Who is at the other end of a connection.

use std::net::SocketAddr;

/// What is known of a client before it has said anything.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// Its address.
    pub(super) address: SocketAddr,
    /// Whether it came over TLS.
    pub(super) tls: bool,
}

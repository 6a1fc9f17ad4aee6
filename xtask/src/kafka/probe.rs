//! Asks a broker, in Kafka's own protocol, for the state of its cluster.
//!
//! A port that accepts connections is not yet a broker that serves: it may
//! wait for its controller. One that lists the whole cluster and its
//! controller is ready for clients. A restarted broker is ready only when its replicas
//! are in sync: before that, losing another one may leave a partition without a leader.
//! The request is `Metadata`, version 1, which every Apache Kafka from 0.10 to 4.x answers;
//! the layout is that of the protocol guide at <https://kafka.apache.org/protocol>.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Long enough for a busy machine, short enough to ask again.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Far above any answer about a handful of brokers and the topics of a test run.
const LARGEST_ANSWER: u32 = 4 * 1024 * 1024;

/// The state of a cluster according to a broker.
#[derive(Debug, PartialEq)]
pub struct State {
    /// How many brokers it knows to be alive.
    pub brokers: usize,
    /// Partitions with a replica that is missing or not in sync.
    pub lagging: usize,
}

/// Asks the broker at `address` (`IP:PORT`) for its cluster.
///
/// # Errors
/// When nothing answers within two seconds, the response is not a `Metadata`
/// response, or the cluster has no controller yet.
pub fn state(address: &str) -> io::Result<State> {
    let address: SocketAddr =
        address.parse().map_err(|_| invalid(&format!("`{address}` is not IP:PORT")))?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(&request())?;

    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = u32::from_be_bytes(size);
    if size > LARGEST_ANSWER {
        return Err(invalid("the response is too long for Kafka"));
    }
    let mut answer = vec![0; size as usize];
    stream.read_exact(&mut answer)?;
    state_in(&answer)
}

/// The correlation id; any number would do.
const CORRELATION: i32 = 0x5a4d;

/// A `Metadata` request of version 1 about all topics, with its length in front.
fn request() -> Vec<u8> {
    const METADATA: i16 = 3;
    let client = b"xtask";
    let mut body = Vec::new();
    body.extend(METADATA.to_be_bytes());
    body.extend(1_i16.to_be_bytes());
    body.extend(CORRELATION.to_be_bytes());
    body.extend((client.len() as u16).to_be_bytes());
    body.extend(client);
    // No array of topics: all of them (an empty one would be none).
    body.extend((-1_i32).to_be_bytes());
    let mut message = (body.len() as u32).to_be_bytes().to_vec();
    message.extend(body);
    message
}

/// Reads a `Metadata` response of version 1: correlation, array of (node, host, port, rack
/// or null), controller, array of topics.
fn state_in(answer: &[u8]) -> io::Result<State> {
    let mut rest = answer;
    if integer(&mut rest)? != CORRELATION {
        return Err(invalid("the response has another correlation id"));
    }
    let brokers = count(&mut rest)?;
    for _ in 0..brokers {
        integer(&mut rest)?;
        skip_string(&mut rest)?;
        integer(&mut rest)?;
        skip_string(&mut rest)?;
    }
    if integer(&mut rest)? < 0 {
        return Err(io::Error::new(
            io::ErrorKind::NotConnected,
            "the cluster has no controller yet",
        ));
    }
    let mut lagging = 0;
    for _ in 0..count(&mut rest)? {
        lagging += lagging_of_topic(&mut rest)?;
    }
    Ok(State { brokers, lagging })
}

/// How many partitions of a topic lack a replica: (error, name, whether internal, array of
/// (error, partition, leader, array of replicas, array of those in sync)).
fn lagging_of_topic(rest: &mut &[u8]) -> io::Result<usize> {
    skip(rest, 2)?;
    skip_string(rest)?;
    skip(rest, 1)?;
    let mut lagging = 0;
    for _ in 0..count(rest)? {
        skip(rest, 2)?;
        integer(rest)?;
        integer(rest)?;
        let replicas = count(rest)?;
        skip(rest, 4 * replicas)?;
        let in_sync = count(rest)?;
        skip(rest, 4 * in_sync)?;
        lagging += usize::from(in_sync < replicas);
    }
    Ok(lagging)
}

/// The length of an array.
fn count(rest: &mut &[u8]) -> io::Result<usize> {
    usize::try_from(integer(rest)?).map_err(|_| invalid("the response lacks an array"))
}

fn integer(rest: &mut &[u8]) -> io::Result<i32> {
    let mut bytes = [0; 4];
    rest.read_exact(&mut bytes)?;
    Ok(i32::from_be_bytes(bytes))
}

/// A string is its length in two bytes, then that many bytes; -1 is null.
fn skip_string(rest: &mut &[u8]) -> io::Result<()> {
    let mut bytes = [0; 2];
    rest.read_exact(&mut bytes)?;
    skip(rest, usize::try_from(i16::from_be_bytes(bytes)).unwrap_or(0))
}

fn skip(rest: &mut &[u8], length: usize) -> io::Result<()> {
    *rest = rest.get(length..).ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))?;
    Ok(())
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two brokers, the second one in a rack, controller 1, and topic "t" with two
    /// partitions on both, of which the second lacks one; written down from the protocol
    /// guide.
    const ANSWER: &[u8] = b"\x00\x00\x5a\x4d\
        \x00\x00\x00\x02\
        \x00\x00\x00\x01\x00\x09127.0.0.1\x00\x00\x23\x84\xff\xff\
        \x00\x00\x00\x02\x00\x09127.0.0.1\x00\x00\x23\x85\x00\x01r\
        \x00\x00\x00\x01\
        \x00\x00\x00\x01\
        \x00\x00\x00\x01t\x00\
        \x00\x00\x00\x02\
        \x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\
        \x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\
        \x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\
        \x00\x09\x00\x00\x00\x01\x00\x00\x00\x01\
        \x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\
        \x00\x00\x00\x01\x00\x00\x00\x01";

    /// Where the number of the controller is.
    const CONTROLLER: usize = 4 + 4 + 21 + 22;

    #[test]
    fn brokers_and_what_they_lack_are_counted() -> io::Result<()> {
        assert_eq!(state_in(ANSWER)?, State { brokers: 2, lagging: 1 });
        Ok(())
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        for length in 0..ANSWER.len() {
            assert!(state_in(&ANSWER[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn no_controller_is_not_ready() {
        let mut answer = ANSWER.to_vec();
        answer[CONTROLLER..CONTROLLER + 4].copy_from_slice(&(-1_i32).to_be_bytes());
        let kind = state_in(&answer).map_err(|error| error.kind());
        assert_eq!(kind, Err(io::ErrorKind::NotConnected));
    }

    #[test]
    fn the_request_is_what_the_protocol_guide_says() {
        assert_eq!(
            request(),
            b"\x00\x00\x00\x13\x00\x03\x00\x01\x00\x00\x5a\x4d\x00\x05xtask\xff\xff\xff\xff"
        );
    }
}

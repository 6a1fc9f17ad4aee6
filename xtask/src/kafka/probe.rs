//! Asks a broker, in Kafka's own protocol, which brokers its cluster has.
//!
//! A port that accepts connections is not yet a broker that serves: it may
//! wait for its controller. One that lists the whole cluster and its
//! controller is ready for clients. The request is `Metadata`, version 1, which every
//! Apache Kafka from 0.10 to 4.x answers; the layout is that of the protocol
//! guide at <https://kafka.apache.org/protocol>.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Long enough for a busy machine, short enough to ask again.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Far above any answer about a handful of brokers and no topics.
const LARGEST_ANSWER: u32 = 64 * 1024;

/// Asks the broker at `address` (`IP:PORT`) for its cluster; returns the
/// number of brokers that it knows to be alive.
///
/// # Errors
/// When nothing answers within two seconds, the answer is no `Metadata`
/// response, or the cluster has no controller yet.
pub fn brokers(address: &str) -> io::Result<usize> {
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
        return Err(invalid("the answer is too long to be Kafka's"));
    }
    let mut answer = vec![0; size as usize];
    stream.read_exact(&mut answer)?;
    brokers_in(&answer)
}

/// What we send to find our answer again; any number would do.
const CORRELATION: i32 = 0x5a4d;

/// A `Metadata` request of version 1 about no topic, with its length in front.
fn request() -> Vec<u8> {
    const METADATA: i16 = 3;
    let client = b"xtask";
    let mut body = Vec::new();
    body.extend(METADATA.to_be_bytes());
    body.extend(1_i16.to_be_bytes());
    body.extend(CORRELATION.to_be_bytes());
    body.extend((client.len() as u16).to_be_bytes());
    body.extend(client);
    // An empty array of topics: none (null would be all of them).
    body.extend(0_i32.to_be_bytes());
    let mut message = (body.len() as u32).to_be_bytes().to_vec();
    message.extend(body);
    message
}

/// The number of brokers in a `Metadata` response of version 1: correlation,
/// array of (node, host, port, rack or null), controller, topics.
fn brokers_in(answer: &[u8]) -> io::Result<usize> {
    let mut rest = answer;
    if integer(&mut rest)? != CORRELATION {
        return Err(invalid("the answer is to another question"));
    }
    let count = usize::try_from(integer(&mut rest)?)
        .map_err(|_| invalid("the answer has no list of brokers"))?;
    for _ in 0..count {
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
    Ok(count)
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
    let length = usize::try_from(i16::from_be_bytes(bytes)).unwrap_or(0);
    *rest = rest.get(length..).ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))?;
    Ok(())
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two brokers, the second one in a rack, controller 1, no topics, written
    /// down from the protocol guide.
    const ANSWER: &[u8] = b"\x00\x00\x5a\x4d\
        \x00\x00\x00\x02\
        \x00\x00\x00\x01\x00\x09127.0.0.1\x00\x00\x23\x84\xff\xff\
        \x00\x00\x00\x02\x00\x09127.0.0.1\x00\x00\x23\x85\x00\x01r\
        \x00\x00\x00\x01\
        \x00\x00\x00\x00";

    #[test]
    fn brokers_are_counted() -> io::Result<()> {
        assert_eq!(brokers_in(ANSWER)?, 2);
        Ok(())
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        let before_the_topics = ANSWER.len() - 4;
        for length in 0..before_the_topics {
            assert!(brokers_in(&ANSWER[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn no_controller_is_not_ready() {
        let mut answer = ANSWER.to_vec();
        let controller = answer.len() - 8;
        answer[controller..controller + 4].copy_from_slice(&(-1_i32).to_be_bytes());
        let kind = brokers_in(&answer).map_err(|error| error.kind());
        assert_eq!(kind, Err(io::ErrorKind::NotConnected));
    }

    #[test]
    fn the_request_is_what_the_protocol_guide_says() {
        assert_eq!(
            request(),
            b"\x00\x00\x00\x13\x00\x03\x00\x01\x00\x00\x5a\x4d\x00\x05xtask\x00\x00\x00\x00"
        );
    }
}

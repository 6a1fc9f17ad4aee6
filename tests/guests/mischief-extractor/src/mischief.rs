//! What a record's value makes the extractor do.

use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::bindings::sandbar::operator::artifacts;
use crate::bindings::sandbar::operator::types::FailureCode;

/// Does what the value asks for, and returns what the feature `text` shall be where
/// that is not the value itself.
///
/// | value | what happens |
/// |---|---|
/// | `trap` | a panic, which is a trap |
/// | `perhaps-trap` | the same, by chance, in one of 16 times |
/// | `abort` | `std::process::abort` |
/// | `exit` | `std::process::exit(0)` |
/// | `loop` | an endless loop |
/// | `sleep` | sleeps for an hour |
/// | `allocate` | takes memory without end |
/// | `recurse` | overflows the stack |
/// | `print` | prints a gigabyte in lines of 100 bytes |
/// | `print-line` | prints a gigabyte without a line end |
/// | `print WORDS` | prints the words |
/// | `read-file` | `text` is what `/etc/passwd` says, or `refused: ` and why not |
/// | `write-file` | `text` is `wrote` after writing `/tmp/mischief`, or `refused: ` and why not |
/// | `env` | `text` is `variables: ` and the environment, arguments and standard input |
/// | `connect ADDRESS` | `text` is `connected` over TCP, or `refused: ` and why not |
/// | `send ADDRESS` | `text` is `sent` over UDP, or `refused: ` and why not |
/// | `listen` | `text` is `listening`, or `refused: ` and why not |
/// | `resolve NAME` | `text` is the address of a host, or `refused: ` and why not |
/// | `clock` | `text` is the time, in milliseconds since the epoch |
/// | `wait` | `text` is `waited`, after looking at the monotonic clock for a millisecond |
/// | `random` | `text` is a random number |
/// | `hash` | `text` is a hash with std's seed of this instance |
/// | `model NAME` | `text` is a hash of the model's file, or `refused: ` and why not |
/// | `deface NAME` | overwrites the model's file, as far as the guest has it |
/// | `hoard` | keeps a megabyte for ever; `text` is how many it has |
/// | `hoard N` | the same with N megabytes |
/// | `unavailable N` | the first N times that this instance is asked: `unavailable` |
/// | `fail` | an ordinary failure, `malformed` |
/// | `fail REQUEST` | the same; its message is what the `text` of the request would be |
///
/// # Errors
/// For `fail` and `unavailable`.
pub fn commit(value: &[u8]) -> Result<Option<Vec<u8>>, (FailureCode, String)> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    if let Some(message) = text.strip_prefix("fail ").and_then(ask) {
        return Err((FailureCode::Malformed, message));
    }
    if let Some(times) = text.strip_prefix("unavailable ").and_then(|it| it.parse().ok())
        && asked() <= times
    {
        return Err((FailureCode::Unavailable, "not there yet".into()));
    }
    if let Some(answer) = ask(text) {
        return Ok(Some(answer.into_bytes()));
    }
    match value {
        b"trap" => trap(),
        b"perhaps-trap" if getrandom::u64().is_ok_and(|it| it.is_multiple_of(16)) => trap(),
        b"abort" => std::process::abort(),
        b"exit" => std::process::exit(0),
        b"loop" => spin(),
        b"sleep" => std::thread::sleep(Duration::from_secs(3600)),
        b"allocate" => allocate(),
        b"recurse" => drop(black_box(recurse(1))),
        b"print" => print(&[b"x".repeat(99), b"\n".to_vec()].concat()),
        b"print-line" => print(&b"x".repeat(100)),
        b"fail" => return Err((FailureCode::Malformed, "the record asked to fail".into())),
        _ => {}
    }
    Ok(None)
}

/// Traps, with a message on stderr.
pub fn trap() -> ! {
    panic!("the record asked for a trap")
}

/// Never returns.
pub fn spin() -> ! {
    loop {
        black_box(());
    }
}

fn allocate() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
        black_box(&hoard);
    }
}

#[expect(unconditional_recursion, reason = "the point of it")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 32]);
    recurse(depth + 1) + frame[depth as usize % 32]
}

/// A gigabyte of `piece` to stdout.
fn print(piece: &[u8]) {
    let block = piece.repeat(10_000);
    let mut stdout = std::io::stdout().lock();
    for _ in 0..(1 << 30) / block.len() {
        // A host that closes the stream is welcome to.
        if stdout.write_all(&block).is_err() {
            return;
        }
    }
}

/// What there is to find out, as text; `None` where the value asks for nothing.
fn ask(value: &str) -> Option<String> {
    let (verb, argument) = value.split_once(' ').unwrap_or((value, ""));
    Some(match verb {
        "read-file" => or_refused(std::fs::read_to_string("/etc/passwd")),
        "write-file" => or_refused(std::fs::write("/tmp/mischief", "x").map(|()| "wrote")),
        "env" => environment(),
        "connect" => or_refused(TcpStream::connect(argument).map(|_| "connected")),
        "send" => or_refused(send(argument).map(|_| "sent")),
        "listen" => or_refused(TcpListener::bind("127.0.0.1:0").map(|_| "listening")),
        "resolve" => or_refused((argument, 80).to_socket_addrs().map(|it| format!("{it:?}"))),
        "clock" => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            since.map_or("before 1970".into(), |it| it.as_millis().to_string())
        }
        "wait" => {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(1) {}
            "waited".into()
        }
        "random" => or_refused(getrandom::u64()),
        "hash" => RandomState::new().hash_one(argument).to_string(),
        "model" => or_refused(artifacts::load(argument).map(|bytes| hash(&bytes))),
        "deface" => or_refused(artifacts::load(argument).map(|mut bytes| {
            bytes.fill(0);
            hash(&black_box(bytes))
        })),
        "hoard" => hoard(argument.parse().unwrap_or(1)).to_string(),
        "print" if !argument.is_empty() => {
            println!("{argument}");
            argument.into()
        }
        _ => return None,
    })
}

fn or_refused<T: Display, E: Display>(result: Result<T, E>) -> String {
    match result {
        Ok(found) => found.to_string(),
        Err(error) => format!("refused: {error}"),
    }
}

/// The same for the same bytes, in every instance.
fn hash(bytes: &[u8]) -> u64 {
    use std::hash::Hasher;
    #[expect(deprecated, reason = "std has no other hasher without a seed")]
    let mut hasher = std::hash::SipHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn send(address: &str) -> std::io::Result<usize> {
    UdpSocket::bind("127.0.0.1:0")?.send_to(b"x", address)
}

fn environment() -> String {
    let variables: Vec<String> =
        std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    let arguments: Vec<String> = std::env::args().collect();
    let mut input = String::new();
    let _ = std::io::stdin().read_to_string(&mut input);
    format!("variables: {} {} {input}", variables.join(" "), arguments.join(" "))
}

/// How often this instance was asked for what is not available, this time included.
fn asked() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static ASKED: AtomicU64 = AtomicU64::new(0);
    ASKED.fetch_add(1, Ordering::Relaxed) + 1
}

/// Leaks a megabyte; how many are lost since the instance was made.
fn hoard(megabytes: usize) -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static LOST: AtomicUsize = AtomicUsize::new(0);
    std::mem::forget(black_box(vec![1_u8; megabytes << 20]));
    LOST.fetch_add(megabytes, Ordering::Relaxed) + megabytes
}

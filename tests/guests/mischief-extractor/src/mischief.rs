//! What a record's value makes the extractor do.

use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

/// Does what the value asks for, and returns what the feature `text` shall be where
/// that is not the value itself.
///
/// | value | what happens |
/// |---|---|
/// | `trap` | a panic, which is a trap |
/// | `abort` | `std::process::abort` |
/// | `exit` | `std::process::exit(0)` |
/// | `loop` | an endless loop |
/// | `sleep` | sleeps for an hour |
/// | `allocate` | takes memory without end |
/// | `recurse` | overflows the stack |
/// | `print` | prints a gigabyte in lines of 100 bytes |
/// | `print-line` | prints a gigabyte without a line end |
/// | `read-file` | `text` is what `/etc/passwd` says, or `refused: ` and why not |
/// | `env` | `text` is `variables: ` and the environment |
/// | `fail` | an ordinary failure, `malformed` |
///
/// # Errors
/// For `fail`.
pub fn commit(value: &[u8]) -> Result<Option<Vec<u8>>, String> {
    match value {
        b"trap" => trap(),
        b"abort" => std::process::abort(),
        b"exit" => std::process::exit(0),
        b"loop" => spin(),
        b"sleep" => std::thread::sleep(Duration::from_secs(3600)),
        b"allocate" => allocate(),
        b"recurse" => drop(black_box(recurse(1))),
        b"print" => print(&[b"x".repeat(99), b"\n".to_vec()].concat()),
        b"print-line" => print(&b"x".repeat(100)),
        b"read-file" => return Ok(Some(read_file())),
        b"env" => return Ok(Some(environment())),
        b"fail" => return Err("the record asked to fail".into()),
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

fn read_file() -> Vec<u8> {
    std::fs::read("/etc/passwd").unwrap_or_else(|error| format!("refused: {error}").into())
}

fn environment() -> Vec<u8> {
    let variables: Vec<String> =
        std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    format!("variables: {}", variables.join(" ")).into()
}

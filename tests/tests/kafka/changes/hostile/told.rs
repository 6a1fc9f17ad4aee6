//! What is told of changes: to nobody, to a terminal, and to the log.

use std::io::pipe;
use std::process::Stdio;

use sandbar_tests::asked::{send, status};
use sandbar_tests::{project, sandbar};

use super::Live;

/// Clears a screen, turns the direction of writing, and looks like an event of its own.
const HOSTILE: &str = "a\u{1b}[2J\u{9b}31m\u{202e}b\rc\n2026-01-01T00:00:00Z  INFO forged";

/// Nothing that a terminal would act on.
fn assert_harmless(said: &str) {
    let harmful = |c: char| (c.is_control() && c != '\n') || "\u{9b}\u{202e}".contains(c);
    assert!(!said.contains(harmful), "{said:?}");
}

impl Live {
    /// A verb whose reader is gone before it says anything.
    fn unread(&self, arguments: &[&str]) {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = sandbar();
        command.args(arguments).args(["--admin", &self.admin]);
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert_eq!(said, "", "{arguments:?}");
    }
}

/// A change is made though nobody reads of it, and there is nothing to complain of.
#[test]
fn a_reader_that_is_gone_is_no_error() {
    // Beside other tests what is honest may take longer than what harms is given.
    let live = Live::within("");
    let other = format!("flights={}", project().join("models/flights-dl").display());
    live.unread(&["swap", "--model", &other]);
    live.unread(&["rollback"]);
    live.unread(&["status"]);
    live.unread(&["status", "--json"]);
    let mut status = sandbar();
    let output = status.args(["status", "--admin", &live.admin]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("revision 3"), "{said}");
    live.process.stop();
}

/// Names and descriptions of what is swapped in are one line of the log, which nobody else writes.
#[test]
fn nothing_forges_the_log() {
    let live = Live::start();
    let mut told = Vec::new();
    for folder in [live.graph(&format!("of {HOSTILE}"), b"no graph"), live.place().join(HOSTILE)] {
        let place = format!("flights={}", folder.display());
        let mut swap = sandbar();
        let swap = swap.args(["swap", "--model", &place, "--admin", &live.admin]);
        let output = swap.output().unwrap();
        assert!(!output.status.success());
        told.extend([output.stdout, output.stderr].concat());
    }
    // Past the command, which looks at what it is given.
    for body in [
        serde_json::json!({ "models": { HOSTILE: HOSTILE } }),
        serde_json::json!({ "models": { "flights": HOSTILE } }),
        serde_json::json!({ HOSTILE: 1 }),
    ] {
        let body = body.to_string();
        let request = format!(
            "POST /v1/swap HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            live.admin,
            body.len(),
        );
        let answer = send(&live.admin, request.as_bytes());
        assert!(status(&answer) >= 400, "{answer}");
    }
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("\\u{1b}[2J"), "{told}");
    assert_harmless(&told);
    let said = live.process.stop();
    assert!(said.contains("\\u{1b}[2J"), "{said}");
    assert_harmless(&said);
    assert!(!said.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")), "{said}");
}

//! Requests to a runner's server, as bytes on a connection.

use std::sync::LazyLock;

use sandbar::admin::Names;
use sandbar::admin::access::{Access, Token};
use sandbar::admin::rehearsal::Rehearsal;
use sandbar::manifest::Role;

/// What one who may make changes knows.
const SECRET: &str = "open-sesame";
/// And what one knows who may read.
const READER: &str = "may-look";

struct Servers {
    /// On this machine alone, without tokens.
    local: Rehearsal,
    /// For others, with a token.
    open: Rehearsal,
}

static SERVERS: LazyLock<Servers> = LazyLock::new(|| {
    let local = Access { local: true, ..Access::default() };
    let names = Names { allowed: vec!["runner.example".to_owned()], short: true };
    let tokens =
        vec![Token::new("ada", Role::Change, SECRET), Token::new("prometheus", Role::Read, READER)];
    let open = Access { tokens, names, read_needs_token: true, local: false };
    Servers {
        local: Rehearsal::new(local).expect("a server"),
        open: Rehearsal::new(open).expect("a server"),
    }
});

/// Any bytes have one answer at most, which is HTTP; and nothing is changed for who may not.
///
/// # Panics
/// Where that is not so.
pub fn request(bytes: &[u8]) {
    let Servers { local, open } = &*SERVERS;
    for (server, tls) in [(local, false), (open, false), (open, true)] {
        let answer = server.answer(bytes, tls).expect("the connection stays");
        if answer.is_empty() {
            continue;
        }
        let answer = String::from_utf8_lossy(&answer);
        let (status, body) = only(&answer);
        assert_ne!(status, 500, "{answer}");
        // Probes need no token.
        if std::ptr::eq(server, open) && status == 200 && body != "nothing\n" {
            let knows =
                |secret: &str| bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(body.is_empty() || knows(SECRET) || knows(READER), "without a token: {answer}");
        }
    }
}

/// Status and body of an answer that is the only one on its connection.
fn only(answer: &str) -> (u16, &str) {
    let said = answer.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(answer);
    let (head, body) = said.split_once("\r\n\r\n").expect("an answer of HTTP");
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok());
    let length = lines.find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    // The answer to HEAD has a length and no body.
    assert!(body.is_empty() || Some(body.len()) == length, "more than an answer: {answer}");
    (status.expect("a status"), body)
}

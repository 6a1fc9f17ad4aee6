//! Who may read, and who may change what a runner serves. Decided from a request's header
//! alone, before its body is read.

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use openssl::memcmp;
use openssl::sha::sha256;
use sandbar_manifest::Role;

use super::hosts::{self, Names};
use super::peer::Peer;

/// Paths that tell whether a runner is well, and need no token: probes have none.
pub(super) const PROBES: [&str; 2] = ["/healthz", "/readyz"];
/// Who makes a change on this machine where no token is needed.
const LOCAL: &str = "local";

/// Who may do what.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The tokens. Where there are any, changes need one of the role `change`.
    pub tokens: Vec<Token>,
    /// Whether reading needs a token, too.
    pub read_needs_token: bool,
    /// Whether only clients on this machine reach the server. Without tokens, they may change
    /// what it serves; from other machines nobody may.
    pub local: bool,
    /// What the server may be called by clients without a token.
    pub names: Names,
}

/// A token; of the secret itself only the digest is kept.
#[derive(Debug, Clone)]
pub struct Token {
    name: String,
    role: Role,
    digest: [u8; 32],
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Denied {
    pub(super) status: StatusCode,
    pub(super) reason: String,
    /// The name of the token that it came with.
    pub(super) by: Option<String>,
}

impl Token {
    /// A token: what it is called in events, what its holder may do, and the secret.
    pub fn new(name: impl Into<String>, role: Role, secret: &str) -> Self {
        Token { name: name.into(), role, digest: sha256(secret.as_bytes()) }
    }
}

impl Access {
    /// Whether a request with this header may do what it asks for; if so, who it is, as far as
    /// that is known.
    pub(super) fn admit(&self, head: &Parts, peer: &Peer) -> Result<Option<&str>, Denied> {
        let token = self.token(&head.headers).map_err(|reason| denied(400, reason))?;
        self.decide(head, peer, token)
            .map_err(|error| Denied { by: token.map(|token| token.name.clone()), ..error })
    }

    fn decide<'a>(
        &self,
        head: &Parts,
        peer: &Peer,
        token: Option<&'a Token>,
    ) -> Result<Option<&'a str>, Denied> {
        let host = hosts::of(head).map_err(|reason| denied(400, reason))?;
        let foreign = hosts::is_foreign(&head.headers, &host, peer.tls);
        if foreign.map_err(|reason| denied(400, reason))? {
            return Err(denied(403, "header origin: pages of other servers may not ask this one"));
        }
        let by = match token {
            Some(token) => Some(self.holder(head, token)?),
            None => self.anybody(head, &host)?,
        };
        // Who has a token is no page; with TLS a browser has compared the name already.
        if token.is_none() && !peer.tls && !self.names.know(&host) {
            let reason = format!(
                "header host: '{host}' is no name of this runner; address it by IP address, or \
                 add the name to [admin] hosts"
            );
            return Err(denied(421, reason));
        }
        Ok(by)
    }

    /// Whether the holder of a token may do it.
    fn holder<'a>(&self, head: &Parts, token: &'a Token) -> Result<&'a str, Denied> {
        match (is_change(&head.method), token.role) {
            (true, Role::Read) => {
                let reason = format!(
                    "token '{}': its role is read; changes need a token of the role change",
                    token.name
                );
                Err(denied(403, reason))
            }
            _ => Ok(&token.name),
        }
    }

    /// Whether a client without a valid token may do it.
    fn anybody(&self, head: &Parts, host: &Authority) -> Result<Option<&'static str>, Denied> {
        let probe = PROBES.contains(&head.uri.path());
        match is_change(&head.method) {
            false if probe || !self.read_needs_token => Ok(None),
            false => Err(denied(
                401,
                "not authorized: send the token of one who may read ([admin] tokens)",
            )),
            true if !self.tokens.is_empty() => Err(denied(
                401,
                "not authorized: send the token of one who may make changes ([admin] token, tokens)",
            )),
            // What is for this machine alone must not be for all whom a proxy lets in.
            true if self.local && hosts::is_passed_on(&head.headers) => {
                Err(denied(403, "changes through a proxy need [admin] token"))
            }
            true if self.local && !hosts::is_plain(host) => {
                let reason = "header host: changes without [admin] token are for who addresses \
                              this runner by IP address or localhost";
                Err(denied(421, reason))
            }
            true if self.local => Ok(Some(LOCAL)),
            true => Err(denied(403, "changes from another machine need [admin] token")),
        }
    }

    /// The token that a request comes with. One that nobody has counts as none. All are
    /// compared, each in constant time, so that the time tells nothing of them.
    fn token(&self, headers: &HeaderMap) -> Result<Option<&Token>, String> {
        let Some(value) = hosts::only(headers, &header::AUTHORIZATION)? else { return Ok(None) };
        let Some((scheme, secret)) = value.split_once(' ') else { return Ok(None) };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(None);
        }
        let digest = sha256(secret.trim().as_bytes());
        let mut found = None;
        for token in &self.tokens {
            if memcmp::eq(&digest, &token.digest) {
                found = Some(token);
            }
        }
        Ok(found)
    }
}

/// Whether a method may change something; the others are safe (RFC 9110, 9.2.1).
pub(super) fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn denied(status: u16, reason: impl Into<String>) -> Denied {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    Denied { status, reason: reason.into(), by: None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;
    use axum::http::Request;

    /// The status of a request, or who it is.
    fn admit(
        access: &Access,
        tls: bool,
        (method, path): (&str, &str),
        pairs: &[(&str, &str)],
    ) -> Result<Option<String>, u16> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        let head = request.body(()).unwrap().into_parts().0;
        let peer = Peer { address: "127.0.0.1:1".parse().unwrap(), tls };
        let by = access.admit(&head, &peer).map_err(|denied| denied.status.as_u16())?;
        Ok(by.map(str::to_owned))
    }

    const SWAP: (&str, &str) = ("POST", "/v1/swap");
    const STATUS: (&str, &str) = ("GET", "/v1/status");
    const METRICS: (&str, &str) = ("HEAD", "/metrics");
    const HERE: (&str, &str) = ("host", "127.0.0.1:9464");
    const EVIL: (&str, &str) = ("host", "evil.example:9464");
    const PAGE: (&str, &str) = ("origin", "http://evil.example");
    const READER: (&str, &str) = ("authorization", "Bearer reader-0123");
    const WRITER: (&str, &str) = ("authorization", "bearer writer-4567");
    const NOBODY: (&str, &str) = ("authorization", "Bearer writer-4568");

    fn tokens() -> Vec<Token> {
        vec![
            Token::new("prometheus", Role::Read, "reader-0123"),
            Token::new("ada", Role::Change, "writer-4567"),
        ]
    }

    #[test]
    fn on_this_machine_no_token_is_needed() {
        let access = Access { local: true, ..Access::default() };
        let admit = |what, pairs: &[_]| admit(&access, false, what, pairs);
        assert_eq!(admit(SWAP, &[HERE]), Ok(Some("local".into())));
        assert_eq!(admit(STATUS, &[HERE]), Ok(None));
        assert_eq!(admit(SWAP, &[HERE, NOBODY]), Ok(Some("local".into())));
        for what in [SWAP, STATUS, METRICS, ("GET", "/healthz"), ("OPTIONS", "/v1/status")] {
            assert_eq!(admit(what, &[EVIL]), Err(421), "{what:?}");
            assert_eq!(admit(what, &[HERE, PAGE]), Err(403), "{what:?}");
            assert_eq!(admit(what, &[]), Err(400), "{what:?}");
            assert_eq!(admit(what, &[HERE, HERE]), Err(400), "{what:?}");
            assert_eq!(admit(what, &[HERE, READER, WRITER]), Err(400), "{what:?}");
        }
    }

    #[test]
    fn what_is_for_this_machine_is_not_for_others_behind_a_proxy() {
        let names = Names { allowed: vec!["runner.example".into()], short: false };
        let access = Access { local: true, names, ..Access::default() };
        let (named, via) = (("host", "runner.example"), ("x-forwarded-for", "192.0.2.1"));
        for tls in [false, true] {
            assert_eq!(admit(&access, tls, STATUS, &[named, via]), Ok(None));
            assert_eq!(admit(&access, tls, SWAP, &[named]), Err(421));
            assert_eq!(admit(&access, tls, SWAP, &[HERE, via]), Err(403));
        }
    }

    #[test]
    fn from_other_machines_nobody_changes_anything_without_a_token() {
        let access = Access::default();
        assert_eq!(admit(&access, false, SWAP, &[HERE]), Err(403));
        assert_eq!(admit(&access, false, STATUS, &[HERE]), Ok(None));
        assert_eq!(admit(&access, true, SWAP, &[EVIL]), Err(403));
        // With TLS, the name has been compared with the certificate.
        assert_eq!(admit(&access, true, STATUS, &[EVIL]), Ok(None));
    }

    #[test]
    fn a_token_does_what_its_role_may() {
        for local in [false, true] {
            let access = Access { tokens: tokens(), local, ..Access::default() };
            let admit = |what, pairs: &[_]| admit(&access, false, what, pairs);
            assert_eq!(admit(SWAP, &[HERE, WRITER]), Ok(Some("ada".into())));
            assert_eq!(admit(SWAP, &[EVIL, WRITER]), Ok(Some("ada".into())));
            assert_eq!(admit(SWAP, &[HERE, WRITER, PAGE]), Err(403));
            assert_eq!(admit(SWAP, &[HERE, READER]), Err(403));
            for pairs in [&[HERE][..], &[HERE, NOBODY], &[EVIL, NOBODY]] {
                assert_eq!(admit(SWAP, pairs), Err(401), "{pairs:?}");
            }
            for value in ["writer-4567", "Basic writer-4567", "Bearer", "Bearer ", "Bearer writer"]
            {
                assert_eq!(admit(SWAP, &[HERE, ("authorization", value)]), Err(401), "{value}");
            }
            assert_eq!(admit(STATUS, &[HERE]), Ok(None));
            assert_eq!(admit(STATUS, &[HERE, READER]), Ok(Some("prometheus".into())));
            assert_eq!(admit(STATUS, &[EVIL]), Err(421));
        }
    }

    #[test]
    fn reading_may_need_a_token() {
        let access = Access { tokens: tokens(), read_needs_token: true, ..Access::default() };
        let admit = |what, pairs: &[_]| admit(&access, false, what, pairs);
        for what in [STATUS, METRICS, ("GET", "/v1/openapi.json"), ("GET", "/nothing")] {
            assert_eq!(admit(what, &[HERE]), Err(401), "{what:?}");
            assert_eq!(admit(what, &[HERE, NOBODY]), Err(401), "{what:?}");
            for token in [READER, WRITER] {
                assert!(admit(what, &[HERE, token]).is_ok(), "{what:?}");
            }
        }
        for probe in PROBES {
            assert_eq!(admit(("GET", probe), &[HERE]), Ok(None));
            assert_eq!(admit(("POST", probe), &[HERE]), Err(401));
        }
    }

    #[test]
    fn a_secret_is_not_kept() {
        assert!(!format!("{:?}", tokens()).contains("reader-0123"));
    }
}

//! Who may change what a runner serves.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, header};

/// Who may change something.
#[derive(Debug, Clone)]
pub enum Access {
    /// Any client on this machine that uses an address of it.
    Local,
    /// Any client that knows the token.
    Token(String),
    /// Nobody: it is reachable from other machines, and there is no token.
    Nobody,
}

impl Access {
    /// Whether a request with these headers may change something.
    pub(super) fn allows(&self, headers: &HeaderMap) -> Result<(), (StatusCode, String)> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // A page in a browser cannot send this without a preflight request.
        if text(header::CONTENT_TYPE).is_none_or(|it| !it.starts_with("application/json")) {
            let reason = "send JSON, with the header content-type: application/json";
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, reason.into()));
        }
        match self {
            // A name could have been made to resolve to this machine (DNS rebinding).
            Access::Local if text(header::HOST).is_some_and(is_address) => Ok(()),
            Access::Local => {
                let reason = "no [admin] token: address this runner by IP address or localhost";
                Err((StatusCode::FORBIDDEN, reason.into()))
            }
            Access::Token(token) => {
                let given = text(header::AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
                if given.is_some_and(|given| same(given.as_bytes(), token.as_bytes())) {
                    Ok(())
                } else {
                    Err((
                        StatusCode::UNAUTHORIZED,
                        "not authorized: send the token of [admin] token".into(),
                    ))
                }
            }
            Access::Nobody => {
                let reason = "changes from another machine need [admin] token";
                Err((StatusCode::FORBIDDEN, reason.into()))
            }
        }
    }
}

/// Whether a `host` header names an address or this machine.
fn is_address(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok()
}

/// Compares in constant time.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(header::HeaderName, &'static str)| {
            (name.clone(), header::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    const JSON: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

    #[test]
    fn changes_are_for_those_who_may() {
        let allows = |access: &Access, pairs: &[_]| access.allows(&headers(pairs)).is_ok();
        for host in ["127.0.0.1:9464", "localhost:9464", "[::1]:9464", "localhost"] {
            assert!(allows(&Access::Local, &[JSON, (header::HOST, host)]), "{host}");
        }
        for host in ["evil.example:9464", "", "localhost.evil.example"] {
            assert!(!allows(&Access::Local, &[JSON, (header::HOST, host)]), "{host}");
        }
        assert!(!allows(&Access::Local, &[(header::HOST, "localhost")]));
        let token = Access::Token("secret".into());
        assert!(allows(&token, &[JSON, (header::AUTHORIZATION, "Bearer secret")]));
        assert!(!allows(&token, &[JSON, (header::AUTHORIZATION, "Bearer secre")]));
        assert!(!allows(&token, &[JSON, (header::AUTHORIZATION, "secret")]));
        assert!(!allows(&token, &[JSON, (header::HOST, "localhost")]));
        assert!(!allows(&Access::Nobody, &[JSON, (header::HOST, "localhost")]));
    }
}

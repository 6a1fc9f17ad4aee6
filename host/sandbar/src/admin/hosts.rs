//! Which server a request is meant for, and which page it comes from.
//!
//! A page in a browser may have its own name made to resolve to this machine (DNS rebinding),
//! and then reads whatever needs no credentials. It cannot choose the header `host`: that is
//! the page's name. Nor can it leave out `origin`, where it sends something.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, header};

/// The names of a server.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Those that are allowed besides addresses and `localhost`, in lower case.
    pub allowed: Vec<String>,
    /// Whether names without a dot are allowed, as services have in clusters: no page on the
    /// internet has such a name.
    pub short: bool,
}

impl Names {
    /// Whether a server may be addressed by this host.
    pub(super) fn know(&self, host: &Authority) -> bool {
        let name = name_of(host);
        is_here(&name) || (self.short && is_short(&name)) || self.allowed.contains(&name)
    }
}

/// Whether a host is an address or `localhost`, rather than a name that others may use too.
pub(super) fn is_plain(host: &Authority) -> bool {
    is_here(&name_of(host))
}

fn is_here(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok()
}

fn name_of(host: &Authority) -> String {
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// `runner` or `runner-2`: a letter first, since browsers read `1` and `0x7f000001` as addresses.
fn is_short(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// The only header of this name; an error if there are several.
pub(super) fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, String> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(format!("header {name}: sent more than once; send it once"));
    }
    let text = first.to_str();
    text.map(Some).map_err(|_| format!("header {name}: not visible ASCII; send plain text"))
}

/// The host that a request is meant for (RFC 9112, 3.2): one, and the same wherever it is said.
pub(super) fn of(head: &Parts) -> Result<Authority, String> {
    let said = only(&head.headers, &header::HOST)?;
    let said = said.ok_or("header host: missing; send the address or name of this runner")?;
    let host: Authority = said
        .parse()
        .ok()
        .filter(|host: &Authority| !host.as_str().contains('@') && !host.host().is_empty())
        .ok_or("header host: not a host; send the address or name of this runner")?;
    match head.uri.authority() {
        Some(target) if !target.as_str().eq_ignore_ascii_case(host.as_str()) => {
            Err("header host: differs from the request's target; send the same in both".into())
        }
        _ => Ok(host),
    }
}

/// Whether a proxy says that it has passed a request on.
pub(super) fn is_passed_on(headers: &HeaderMap) -> bool {
    ["forwarded", "via", "x-forwarded-for", "x-real-ip"].iter().any(|it| headers.contains_key(*it))
}

/// Whether a request comes from a page of another server: only browsers say where from.
pub(super) fn is_foreign(headers: &HeaderMap, host: &Authority, tls: bool) -> Result<bool, String> {
    let Some(origin) = only(headers, &header::ORIGIN)? else { return Ok(false) };
    let scheme = if tls { "https" } else { "http" };
    Ok(!origin.eq_ignore_ascii_case(&format!("{scheme}://{host}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;
    use axum::http::Request;

    fn head(target: &str, pairs: &[(HeaderName, &str)]) -> Parts {
        let mut request = Request::builder().uri(target);
        for (name, value) in pairs {
            request = request.header(name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn names_that_cannot_be_a_page_of_somebody_else_are_known() {
        let (local, open) =
            (Names::default(), Names { allowed: vec!["a.example".into()], short: true });
        let knows = |names: &Names, host: &str| names.know(&host.parse().unwrap());
        for host in ["127.0.0.1:9464", "10.1.2.3", "localhost:9464", "LOCALHOST", "[::1]:9464"] {
            assert!(knows(&local, host) && knows(&open, host), "{host}");
        }
        for host in ["runner:9464", "runner-2", "A.example:9464", "a.example."] {
            assert!(!knows(&local, host) && knows(&open, host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "0x7f1",
            "a.example.evil.example",
            "xa.example",
            "2130706433",
        ] {
            assert!(!knows(&local, host) && !knows(&open, host), "{host}");
        }
    }

    #[test]
    fn a_request_has_one_host() {
        let host = |name| (header::HOST, name);
        assert_eq!(of(&head("/metrics", &[host("a:1")])).unwrap(), "a:1");
        assert_eq!(of(&head("http://A:1/metrics", &[host("a:1")])).unwrap(), "a:1");
        for (target, pairs) in [
            ("/metrics", vec![]),
            ("/metrics", vec![host("")]),
            ("/metrics", vec![host("localhost"), host("localhost")]),
            ("/metrics", vec![host("evil.example@localhost")]),
            ("/metrics", vec![host("a b")]),
            ("http://evil.example/metrics", vec![host("localhost")]),
        ] {
            assert!(of(&head(target, &pairs)).is_err(), "{target} {pairs:?}");
        }
    }

    #[test]
    fn pages_of_others_are_foreign() {
        let host: Authority = "localhost:9464".parse().unwrap();
        let foreign = |origin, tls| {
            is_foreign(&head("/", &[(header::ORIGIN, origin)]).headers, &host, tls).unwrap()
        };
        assert!(!foreign("http://localhost:9464", false));
        assert!(!foreign("https://localhost:9464", true));
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://localhost",
            "https://localhost:9464",
            "http://localhost:9464.evil.example",
        ] {
            assert!(foreign(origin, false), "{origin}");
        }
        assert!(!is_foreign(&HeaderMap::new(), &host, false).unwrap());
        let twice = [(header::ORIGIN, "http://localhost:9464"), (header::ORIGIN, "null")];
        assert!(is_foreign(&head("/", &twice).headers, &host, false).is_err());
    }
}

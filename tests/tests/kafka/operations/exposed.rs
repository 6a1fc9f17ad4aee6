//! A runner's server among clients that mean no good: slow ones, greedy ones, many of them.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sandbar_tests::asked::{Asked, rest, send, status};

const HERE: &str = "host: {here}\r\n";
const SWAP: &str =
    "POST /v1/swap HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

/// Writes the bytes one by one, until the server has had enough. Returns its answer.
fn drip(mut stream: TcpStream, bytes: &[u8]) -> String {
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    rest(&mut stream)
}

#[test]
fn slow_clients_are_not_waited_for() {
    let runner = Asked::start("", &[], |command| command);
    let endless = "x".repeat(1000);
    let address = runner.address.as_str();
    let connect = || TcpStream::connect(address).unwrap();
    std::thread::scope(|scope| {
        let silent = scope.spawn(|| rest(&mut connect()));
        let head = scope.spawn(|| drip(connect(), format!("GET /{endless}").as_bytes()));
        let partial =
            scope.spawn(|| send(address, b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n"));
        let body =
            scope.spawn(|| send(address, format!("{SWAP}content-length: 9\r\n\r\n{{").as_bytes()));
        let chunks = scope.spawn(|| {
            let mut stream = connect();
            write!(stream, "{SWAP}transfer-encoding: chunked\r\n\r\n").unwrap();
            drip(stream, "1\r\n \r\n".repeat(200).as_bytes())
        });
        for cut in [silent, head, partial] {
            assert_eq!(cut.join().unwrap(), "", "closed without an answer");
        }
        for late in [body, chunks] {
            let answer = late.join().unwrap();
            assert_eq!(status(&answer), 408, "{answer}");
        }
    });
    assert_eq!(runner.ask("GET /healthz", HERE).0, 200);
}

#[test]
fn large_requests_are_refused() {
    let runner = Asked::start("", &[], |command| command);
    // Before any of it is there.
    for path in ["POST /v1/swap", "PUT /metrics", "GET /v1/status", "DELETE /nothing"] {
        let headers = format!("{HERE}content-type: application/json\r\ncontent-length: 65537\r\n");
        let (status, answer) = runner.ask(path, &headers);
        assert_eq!(status, 413, "{path}: {answer}");
    }
    // As soon as it is too much.
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let answer = runner
        .send(format!("{SWAP}transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(1000)).as_bytes());
    assert_eq!(status(&answer), 413, "{answer}");
    // As much as there may be.
    let body = format!("{}{{\"revision\": 7, \"models\": {{}}}}", " ".repeat((64 << 10) - 29));
    assert_eq!(body.len(), 64 << 10);
    let answer =
        runner.send(format!("{SWAP}content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    assert!(matches!(status(&answer), 409 | 422 | 503), "{answer}");

    let line = format!("x: {}\r\n", "y".repeat(17 << 10));
    assert_eq!(runner.ask("GET /metrics", &(HERE.to_owned() + &line)).0, 431);
    assert_eq!(runner.ask("GET /metrics", &(HERE.to_owned() + &"x: y\r\n".repeat(64))).0, 431);
    assert_eq!(runner.ask("GET /metrics", &(HERE.to_owned() + &"x: y\r\n".repeat(63))).0, 200);
    let target = format!("GET /{}", "x".repeat(17 << 10));
    assert!(matches!(runner.ask(&target, HERE).0, 414 | 431));
}

#[test]
fn many_connections_keep_nobody_out() {
    let runner = Asked::start("", &[], |command| command);
    let mut idle: Vec<TcpStream> = (0..100).map(|_| runner.connect()).collect();
    for stream in &mut idle {
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\n");
    }
    // While they are there: the oldest have made room.
    assert_eq!(runner.ask("GET /metrics", HERE).0, 200);
    assert_eq!(runner.ask("GET /v1/status", HERE).0, 200);
    for mut stream in idle {
        assert_eq!(rest(&mut stream), "");
    }
}

#[test]
fn a_flood_fails_no_probe() {
    let mut runner = Asked::start("health = \"127.0.0.1:0\"\n", &[], |command| command);
    runner.process.await_said("serving health address=");
    let said = runner.process.said();
    let (_, health) = said.split_once("serving health address=").unwrap();
    let health = health.lines().next().unwrap().trim();
    let address = runner.address.as_str();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut held = std::collections::VecDeque::new();
                while !over.load(Ordering::Relaxed) {
                    if let Ok(mut stream) = TcpStream::connect(address) {
                        let _ = stream.write_all(b"POST /v1/swap HTTP/1.1\r\nhost: localhost\r\n");
                        held.push_back(stream);
                    }
                    if held.len() > 50 {
                        held.pop_front();
                    }
                    // Many more than it lets in, but not all ports of this machine.
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
        for _ in 0..300 {
            let answer = send(health, b"GET /healthz HTTP/1.1\r\nhost: probe.example\r\n\r\n");
            assert!(answer.ends_with("healthy\n"), "{answer}");
        }
        over.store(true, Ordering::Relaxed);
    });
    let ask =
        |request: &str| status(&send(health, format!("{request}\r\nhost: x\r\n\r\n").as_bytes()));
    for path in ["/metrics", "/v1/status", "/v1/swap", "/"] {
        assert_eq!(ask(&format!("GET {path} HTTP/1.1")), 404, "{path}");
    }
    assert_eq!(ask("POST /healthz HTTP/1.1"), 405);
    assert_eq!(ask("POST /v1/swap HTTP/1.1"), 404);
    assert!(matches!(ask("GET /readyz HTTP/1.1"), 200 | 503));
    // Once it is over, the other is as before.
    let end = Instant::now() + Duration::from_secs(60);
    while runner.ask("GET /metrics", HERE).0 != 200 {
        assert!(Instant::now() < end, "nothing is served after a flood");
    }
}

/// Whatever stands behind a request is not read as another one.
#[test]
fn nothing_is_smuggled() {
    let runner = Asked::start("", &[], |command| command);
    let second = "GET /v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for (head, due) in [
        ("content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", &[400, 422, 503][..]),
        ("transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n", &[400, 422, 503]),
        ("content-length: 2\r\ncontent-length: 3\r\n\r\n{}", &[400]),
        ("content-length: 2, 3\r\n\r\n{}", &[400]),
        ("content-length: +2\r\n\r\n{}", &[400]),
        ("content-length: 0x2\r\n\r\n{}", &[400]),
        ("content-length : 2\r\n\r\n{}", &[400]),
        ("transfer-encoding: xchunked\r\n\r\n0\r\n\r\n", &[400]),
        ("transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", &[400]),
        ("transfer-encoding : chunked\r\n\r\n0\r\n\r\n", &[400]),
        ("transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n", &[400]),
        ("transfer-encoding: chunked\r\n\r\n2;x\n{}\r\n0\r\n\r\n", &[400]),
        ("x: y\r\n z: folded\r\ncontent-length: 2\r\n\r\n{}", &[400]),
        ("content-length: 2\r\n\r\n12", &[400]),
        ("\r\n", &[400]),
    ] {
        let answer = runner.send(format!("{SWAP}{head}{second}").as_bytes());
        assert!(due.contains(&status(&answer)), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
    }
    // Neither are HTTP/2, nor a change of protocols.
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert!(matches!(status(&runner.send(preface.as_bytes())), 0 | 400 | 505));
    let upgrade = format!(
        "{HERE}connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
    );
    assert_eq!(runner.ask("GET /healthz", &upgrade).0, 200);
    assert_eq!(runner.ask("GET /metrics", HERE).0, 200);
}

#[test]
fn methods_and_paths_are_as_http_has_them() {
    let runner = Asked::start("", &[], |command| command);
    for (request, due, allow) in [
        ("GET /metrics", 200, None),
        ("HEAD /metrics", 200, None),
        ("OPTIONS /metrics", 204, Some("GET,HEAD")),
        ("OPTIONS /v1/swap", 204, Some("POST")),
        ("OPTIONS *", 204, None),
        ("GET /v1/swap", 405, Some("POST")),
        ("DELETE /v1/status", 405, Some("GET,HEAD")),
        ("TRACE /metrics", 405, Some("GET,HEAD")),
        ("GET /", 404, None),
        ("POST /nothing", 404, None),
        ("GET /v1/status/", 404, None),
        ("GET //metrics", 404, None),
        ("GET /../metrics", 404, None),
        ("GET /%6detrics", 404, None),
    ] {
        let (status, answer) = runner.ask(request, HERE);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(status, due, "{request}: {answer}");
        assert_eq!(head.lines().find_map(|line| line.strip_prefix("allow: ")), allow, "{answer}");
        for header in
            ["x-content-type-options: nosniff", "cache-control: no-store", "connection: close"]
        {
            assert!(head.contains(header), "{header}: {answer}");
        }
        if request.starts_with("HEAD") || status == 204 {
            assert_eq!(body, "", "{request}");
        } else if status >= 400 {
            assert!(body.starts_with("{\"error\":\""), "{answer}");
        }
    }
    let json = |of: &str| {
        let headers = format!("{HERE}content-type: {of}\r\ncontent-length: 2\r\n\r\n{{}}");
        let request = format!("POST /v1/swap HTTP/1.1\r\n{headers}");
        let answer = runner.send(request.replace("{here}", "localhost").as_bytes());
        (status(&answer), answer)
    };
    for of in ["application/json", "application/json; charset=utf-8"] {
        let (status, answer) = json(of);
        assert_eq!(status, 422, "{of}: {answer}");
        assert!(answer.contains("nothing to swap"), "{of}: {answer}");
    }
    for of in ["application/jsonx", "text/plain"] {
        let (status, answer) = json(of);
        assert_eq!(status, 415, "{of}: {answer}");
    }
}

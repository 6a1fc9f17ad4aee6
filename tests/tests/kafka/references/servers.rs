//! References to files of a server.

use super::*;

/// `[references]` of a server's `/images/`.
fn server_images(server: &Server, rest: &str) -> String {
    format!("[references]\nallow = [\"{}\"]\n{rest}\n", server.url("/images"))
}

#[test]
fn a_server_is_asked_ahead_and_the_order_is_kept() {
    let fixture = Fixture::new();
    let server = Server::start(|request| {
        let number: u64 = request.target.rsplit('/').next().unwrap().parse().unwrap();
        let delay = Duration::from_millis(100 + number * 7 % 50);
        Answer { delay, ..Answer::body(number.to_string().repeat(20_000)) }
    });
    let values: Vec<String> =
        (10..50).map(|number| server.url(&format!("/images/{number}"))).collect();
    fixture.send(&values);
    let rest = server_images(&server, "") + "[runner]\nworkers = 1\nbatch-bytes = \"200 KiB\"\n";
    let start = Instant::now();
    let runner = Runner::start(&fixture.broker, &fixture.manifest(false, &rest));
    let received = fixture.sink(40);
    assert_eq!(runner.stop().unwrap().failed(), 0);
    eprintln!("{:?} for 40 requests of at least 100 ms", start.elapsed());
    for (record, number) in received.iter().zip(10..) {
        assert_eq!(record.text(), number.to_string().repeat(20_000));
    }
    // Each was asked for once: nothing that was fetched ahead is thrown away.
    assert_eq!(server.requests().len(), 40);
}

#[test]
fn a_server_has_every_way_to_fail() {
    let fixture = Fixture::new();
    let elsewhere = Server::start(|_| Answer::body("elsewhere"));
    let other = elsewhere.url("/images/a");
    let server = Server::start(move |request| match request.target.as_str() {
        "/images/busy" if request.before == 2 => Answer::body("after all"),
        "/images/busy" | "/images/broken" => Answer::status(500),
        "/images/slow" => Answer { delay: Duration::from_secs(5), ..Answer::body("late") },
        "/images/moved" => Answer::redirect("/images/target"),
        "/images/target" => Answer::body("moved"),
        "/images/away" => Answer::redirect(other.clone()),
        "/images/up" => Answer::redirect("../secret"),
        "/images/file" => Answer::redirect("file:///etc/passwd"),
        "/images/round" => Answer::redirect("/images/round"),
        "/images/large" => Answer::body(vec![0; 2 << 20]),
        "/images/endless" => Answer { unsized_body: true, ..Answer::body(vec![0; 2 << 20]) },
        "/images/cut" if request.before == 1 => Answer::body("whole"),
        "/images/cut" => Answer { cut: Some(2), ..Answer::body("whole") },
        "/images/cut-always" => Answer { cut: Some(2), ..Answer::body("whole") },
        "/images/forbidden" => Answer::status(403),
        "/images/query?a=1" => Answer::body("with a query"),
        "/images/teapot" => Answer::status(418),
        _ => Answer::status(404),
    });
    let good = ["busy", "moved", "cut", "query?a=1"];
    let values: Vec<String> =
        good.iter().map(|name| server.url(&format!("/images/{name}"))).collect();
    fixture.send(&values);
    let limits = "max-size = \"1 MiB\"\ntimeout = \"2s\"";
    let manifest = fixture.manifest(false, &server_images(&server, limits));
    let runner = Runner::start(&fixture.broker, &manifest);
    let received: Vec<String> = fixture.sink(good.len()).iter().map(Received::text).collect();
    runner.stop().unwrap();
    assert_eq!(received, ["after all", "moved", "whole", "with a query"]);

    let fixture = Fixture::new();
    let bad = [
        ("/images/nothing", "missing"),
        ("/images/broken", "unavailable"),
        ("/images/slow", "unavailable"),
        ("/images/away", "invalid"),
        ("/images/up", "invalid"),
        ("/images/file", "invalid"),
        ("/images/round", "invalid"),
        ("/images/large", "too-large"),
        ("/images/endless", "too-large"),
        ("/images/cut-always", "unavailable"),
        ("/images/forbidden", "unavailable"),
        ("/images/teapot", "invalid"),
        ("/secret", "invalid"),
        ("/images/../secret", "invalid"),
        ("/images/%2e%2e/secret", "invalid"),
        ("/images/..%2Fsecret", "invalid"),
        ("/images-of-others/a", "invalid"),
    ];
    let values: Vec<String> = bad.iter().map(|(path, _)| server.url(path)).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let letters = fixture.refused(&server_images(&server, limits), &values);
    for ((path, expected), value) in bad.iter().zip(&values) {
        assert_eq!(code(&letters, value), *expected, "{path}: {}", message(&letters, value));
    }
    let said = message(&letters, &server.url("/images/slow"));
    assert!(said.starts_with("not fetched within 2s"), "{said}");
    let said = message(&letters, &server.url("/images/broken"));
    assert!(
        said.starts_with("the server answers 500") && said.contains("(in 3 attempts)"),
        "{said}"
    );
    assert!(elsewhere.requests().is_empty(), "a redirect led to where nothing is allowed");
    assert!(server.requests().iter().all(|request| request.target != "/secret"));
}

#[test]
fn a_server_gets_the_headers_that_are_meant_for_it() {
    let fixture = Fixture::new();
    let server = Server::start(|request| {
        let key = request.headers.get("authorization").cloned().unwrap_or_default();
        match request.target.as_str() {
            "/images/moved" => Answer::redirect("/open/a"),
            _ => Answer::body(format!("key: {key}")),
        }
    });
    fixture.send(&[server.url("/images/a"), server.url("/open/a"), server.url("/images/moved")]);
    let (images, open) = (server.url("/images/"), server.url("/open/"));
    let references = format!(
        "[references]\nallow = [\"{images}\", \"{open}\"]\n\
         [references.stores.\"{images}\"]\nauthorization = \"Bearer hush\"\n"
    );
    let runner = Runner::start(&fixture.broker, &fixture.manifest(false, &references));
    let received: Vec<String> = fixture.sink(3).iter().map(Received::text).collect();
    runner.stop().unwrap();
    assert_eq!(received, ["key: Bearer hush", "key: ", "key: "]);
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let fixture = Fixture::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let prefix = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let value = format!("{prefix}a");
    let letters = fixture.refused(&format!("[references]\nallow = [\"{prefix}\"]\n"), &[&value]);
    assert_eq!(code(&letters, &value), "unavailable");
}

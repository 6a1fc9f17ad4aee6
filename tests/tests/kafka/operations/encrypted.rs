//! A runner's server behind TLS.

use std::process::Command;
use std::time::{Duration, Instant};

use sandbar_tests::asked::Asked;
use sandbar_tests::sandbar;
use sandbar_tests::secured::Authority;

const TLS: &str = "tls = { certificate = \"server.pem\", key = \"server.key\" }\n";

/// Whether `sandbar status` has an answer, and what it says.
fn status(url: &str, prepare: impl FnOnce(&mut Command) -> &mut Command) -> (bool, String) {
    let mut command = sandbar();
    let output = prepare(command.args(["status", "--admin", url])).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), said)
}

#[test]
fn a_certificate_is_shown_and_renewed() {
    let (first, second) = (Authority::new("First"), Authority::new("Second"));
    let (certificate, key) = first.sign("runner");
    let files = [
        ("server.pem", certificate.as_str()),
        ("server.key", &key),
        ("first.pem", &first.pem()),
        ("second.pem", &second.pem()),
    ];
    let mut runner = Asked::start(TLS, &files, |command| command);
    let folder = runner.folder.path().to_owned();
    let trusting = |ca: &str| {
        let url = format!("https://{}", runner.address);
        status(&url, |command| command.arg("--admin-ca").arg(folder.join(ca)))
    };
    let (done, said) = trusting("first.pem");
    assert!(done, "{said}");
    let (done, said) = trusting("second.pem");
    assert!(!done && said.contains("certificate verify failed"), "{said}");
    let (done, said) = status(&format!("https://{}", runner.address), |command| command);
    assert!(!done && said.contains("certificate verify failed"), "{said}");
    let (done, said) = trusting("server.key");
    assert!(!done && said.contains("server.key: no certificates"), "{said}");
    // Without TLS there is no answer.
    let (done, said) = status(&runner.address, |command| command);
    assert!(!done, "{said}");
    assert_eq!(
        runner.send(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").matches("HTTP/").count(),
        0
    );

    // A certificate without its key changes nothing.
    let (certificate, key) = second.sign("runner");
    std::fs::write(folder.join("server.pem"), &certificate).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !runner.process.said().contains("admin certificate not renewed, the old one stays") {
        let (done, said) = trusting("first.pem");
        assert!(done && Instant::now() < end, "{said}");
    }
    std::fs::write(folder.join("server.key"), &key).unwrap();
    while !trusting("second.pem").0 {
        assert!(Instant::now() < end, "{}", runner.process.said());
    }
    runner.process.await_said("admin certificate renewed");
    assert!(!trusting("first.pem").0);
}

#[test]
fn clients_may_need_certificates() {
    let (servers, clients, others) =
        (Authority::new("Servers"), Authority::new("Clients"), Authority::new("Others"));
    let (certificate, key) = servers.sign("runner");
    let (ada, ada_key) = clients.sign("ada");
    let (eve, eve_key) = others.sign("eve");
    let files = [
        ("server.pem", certificate.as_str()),
        ("server.key", &key),
        ("clients.pem", &clients.pem()),
        ("ca.pem", &servers.pem()),
        ("ada.pem", &ada),
        ("ada.key", &ada_key),
        ("eve.pem", &eve),
        ("eve.key", &eve_key),
    ];
    let tls = TLS.replace(" }", ", client-ca = \"clients.pem\" }");
    let runner = Asked::start(&tls, &files, |command| command);
    let folder = runner.folder.path();
    let ask = |name: Option<&str>| {
        status(&format!("https://{}", runner.address), |command| {
            command.arg("--admin-ca").arg(folder.join("ca.pem"));
            if let Some(name) = name {
                command.arg("--admin-cert").arg(folder.join(format!("{name}.pem")));
                command.arg("--admin-key").arg(folder.join(format!("{name}.key")));
            }
            command
        })
    };
    let (done, said) = ask(Some("ada"));
    assert!(done, "{said}");
    for name in [None, Some("eve")] {
        let (done, said) = ask(name);
        assert!(!done, "{name:?}: {said}");
    }
}

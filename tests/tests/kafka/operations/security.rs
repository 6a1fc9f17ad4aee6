//! Kafka behind TLS and SASL, and secrets: they come from where the manifest says, and are
//! shown nowhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use sandbar_tests::process::Process;
use sandbar_tests::secured::{OTHER_PASSWORD, PASSWORD, Secured};
use sandbar_tests::{Broker, Sent, component, sandbar};

/// A pipeline with its topics, and how it gets to its brokers.
struct Site {
    _folder: tempfile::TempDir,
    manifest: PathBuf,
    source: String,
    sink: String,
    dead: String,
    port: u16,
}

impl Site {
    /// `properties` are lines of `[kafka.properties]`.
    fn new(broker: &Broker, port: u16, delivery: &str, properties: &str) -> Self {
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let manifest = format!(
            "name = \"{source}\"\ndelivery = \"{delivery}\"\n\
             [kafka]\nbrokers = \"127.0.0.1:{port}\"\n\
             [kafka.properties]\n\"debug\" = \"security,broker,conf\"\n{properties}\n\
             [source]\ntopics = [\"{source}\"]\n\
             [sink]\ntopic = \"{sink}\"\n[dead-letter]\ntopic = \"{dead}\"\n\
             [[stages]]\nname = \"extract\"\ncomponent = \"{}\"\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n\
             [admin]\nlisten = \"off\"\n",
            component("mischief-extractor").display(),
            component("mischief-scorer").display(),
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, manifest).unwrap();
        std::fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        Site { _folder: folder, manifest: path, source, sink, dead, port }
    }

    fn command(&self, verbs: &[&str]) -> Command {
        let mut command = sandbar();
        command.args(verbs).arg(&self.manifest).env("SANDBAR_LOG", "debug");
        command.env("KAFKA_PASSWORD", PASSWORD);
        command
    }

    /// Runs it until three records are through, one of them as a dead letter.
    fn run(&self, broker: &Broker) -> String {
        broker.send(&self.source, &["one", "fail", "two"].map(Sent::value));
        let process = Process::start(&mut self.command(&["run"]));
        let outputs = broker.receive(&self.sink, 2);
        let letters = broker.receive(&self.dead, 1);
        let said = process.stop();
        assert_eq!((outputs.len(), letters.len()), (2, 1), "{said}");
        assert_hidden(&said);
        said
    }

    /// What it says when it ends by itself, with an error.
    fn fail(&self) -> String {
        let (status, said) = Process::start(&mut self.command(&["run"])).join();
        assert!(!status.success(), "{said}");
        assert_hidden(&said);
        let error = said.lines().last().unwrap().to_owned();
        assert!(error.contains(&format!("127.0.0.1:{}", self.port)), "{said}");
        error
    }
}

/// No secret stands in what was said.
fn assert_hidden(said: &str) {
    for secret in [PASSWORD, OTHER_PASSWORD, "PRIVATE KEY"] {
        assert!(!said.contains(secret), "'{secret}' stands in {said}");
    }
}

fn sasl(protocol: &str, mechanism: &str, password: &str) -> String {
    format!(
        "\"security.protocol\" = \"{protocol}\"\n\"sasl.mechanism\" = \"{mechanism}\"\n\
         \"sasl.username\" = \"sandbar\"\n\"sasl.password\" = {password}\n"
    )
}

fn authority(secured: &Secured, name: &str) -> String {
    format!("\"ssl.ca.location\" = \"{}\"\n", secured.file(name))
}

#[test]
fn plain_passwords_are_taken() {
    let Some(secured) = Secured::start() else { return };
    let broker = secured.broker();
    let literal = sasl("sasl_plaintext", "PLAIN", &format!("\"{PASSWORD}\""));
    Site::new(&broker, secured.ports.sasl_plaintext, "at-least-once", &literal).run(&broker);
}

#[test]
fn scram_over_tls_delivers_at_least_once() {
    let Some(secured) = Secured::start() else { return };
    let broker = secured.broker();
    for mechanism in ["SCRAM-SHA-256", "PLAIN"] {
        let properties = sasl("sasl_ssl", mechanism, "{ env = \"KAFKA_PASSWORD\" }")
            + &authority(secured, "ca.pem");
        let port = secured.ports.sasl_ssl;
        Site::new(&broker, port, "at-least-once", &properties).run(&broker);
    }
}

/// And its dead letters are listed and fed in again.
#[test]
fn scram_over_tls_delivers_exactly_once() {
    let Some(secured) = Secured::start() else { return };
    let broker = secured.broker();
    let properties = sasl("sasl_ssl", "SCRAM-SHA-512", "{ file = \"password\" }")
        + &authority(secured, "ca.pem");
    let site = Site::new(&broker, secured.ports.sasl_ssl, "exactly-once", &properties);
    site.run(&broker);
    assert_eq!(broker.committed(&site.source, &site.source, 0), Some(3));

    for (verb, due) in [("list", "1 extract malformed\n"), ("replay", "1 records were replayed\n")]
    {
        let output = site.command(&["dlq", verb]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.ends_with(due), "{said}{log}");
        assert_hidden(&said);
        assert_hidden(&log);
    }
    assert_eq!(broker.receive(&site.source, 4)[3].text(), "fail");
}

#[test]
fn certificates_of_clients_are_taken() {
    let Some(secured) = Secured::start() else { return };
    let broker = secured.broker();
    for delivery in ["at-least-once", "exactly-once"] {
        // The key's text stands in the property, not its path.
        let properties = format!(
            "\"security.protocol\" = \"ssl\"\n{}\
             \"ssl.certificate.location\" = \"{}\"\n\"ssl.key.pem\" = {{ file = \"{}\" }}\n",
            authority(secured, "ca.pem"),
            secured.file("client.pem"),
            secured.file("client.key"),
        );
        Site::new(&broker, secured.ports.ssl, delivery, &properties).run(&broker);
    }
}

#[test]
fn a_wrong_password_ends_the_run() {
    let Some(secured) = Secured::start() else { return };
    let broker = secured.broker();
    for (mechanism, delivery) in [("SCRAM-SHA-512", "at-least-once"), ("PLAIN", "exactly-once")] {
        let properties = sasl("sasl_ssl", mechanism, &format!("\"{OTHER_PASSWORD}\""))
            + &authority(secured, "ca.pem");
        let site = Site::new(&broker, secured.ports.sasl_ssl, delivery, &properties);
        let error = site.fail();
        assert!(error.contains("uthentication failed"), "{error}");
        assert!(error.contains("\"sasl.password\" under [kafka] properties"), "{error}");

        let output = site.command(&["dlq", "list"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("\"sasl.password\" under"), "{said}");
        assert_hidden(&said);
    }
}

/// The reading end alone may have a password of its own.
#[test]
fn a_wrong_password_of_the_source_ends_the_run() {
    let Some(secured) = Secured::start() else { return };
    let broker = secured.broker();
    let properties = sasl("sasl_ssl", "SCRAM-SHA-256", "{ env = \"KAFKA_PASSWORD\" }")
        + &authority(secured, "ca.pem");
    let site = Site::new(&broker, secured.ports.sasl_ssl, "at-least-once", &properties);
    let text = std::fs::read_to_string(&site.manifest).unwrap();
    let own = format!("[source]\nproperties = {{ \"sasl.password\" = \"{OTHER_PASSWORD}\" }}");
    std::fs::write(&site.manifest, text.replace("[source]", &own)).unwrap();
    let error = site.fail();
    assert!(error.contains("those of [source]"), "{error}");
}

#[test]
fn a_broker_that_is_not_trusted_ends_the_run() {
    let Some(secured) = Secured::start() else { return };
    let broker = secured.broker();
    let properties = sasl("sasl_ssl", "SCRAM-SHA-512", "{ env = \"KAFKA_PASSWORD\" }")
        + &authority(secured, "other-ca.pem");
    let site = Site::new(&broker, secured.ports.sasl_ssl, "at-least-once", &properties);
    let error = site.fail();
    assert!(error.contains("certificate verify failed"), "{error}");
    assert!(error.contains("\"ssl.ca.location\" under [kafka] properties"), "{error}");
}

#[test]
fn a_client_without_a_certificate_is_told_so() {
    let Some(secured) = Secured::start() else { return };
    let broker = secured.broker();
    let properties = format!("\"security.protocol\" = \"ssl\"\n{}", authority(secured, "ca.pem"));
    let site = Site::new(&broker, secured.ports.ssl, "at-least-once", &properties);
    let error = site.fail();
    assert!(error.contains("\"ssl.certificate.location\""), "{error}");
}

#[test]
fn a_user_who_may_not_is_told_so() {
    let Some(secured) = Secured::start() else { return };
    let broker = secured.broker();
    let properties = sasl("sasl_ssl", "SCRAM-SHA-512", &format!("\"{OTHER_PASSWORD}\""))
        .replace("= \"sandbar\"", "= \"stranger\"")
        + &authority(secured, "ca.pem");
    let site = Site::new(&broker, secured.ports.sasl_ssl, "at-least-once", &properties);
    let error = site.fail();
    assert!(error.contains(&format!("topic '{}' ([sink] topic)", site.sink)), "{error}");
    assert!(error.contains("authorization failed"), "{error}");
}

/// A pipeline that needs no broker to be checked.
fn pipeline(folder: &Path) -> PathBuf {
    let text = format!(
        "name = \"p\"\nsource = {{ topics = [\"a\"] }}\nsink = {{ topic = \"b\" }}\n\
         [kafka]\nbrokers = \"127.0.0.1:1\"\n\
         [kafka.properties]\n\"sasl.password\" = {{ env = \"SANDBAR_TESTS_NOWHERE\" }}\n\
         \"ssl.key.password\" = {{ file = \"nowhere\" }}\n\"sasl.oauthbearer.client.secret\" = \"{PASSWORD}\"\n\
         [[stages]]\nname = \"route\"\ncomponent = \"{}\"\n\
         [references]\nallow = [\"http://127.0.0.1:1/\"]\n\
         [references.stores.\"http://127.0.0.1:1/\"]\nauthorization = {{ env = \"SANDBAR_TESTS_NOWHERE\" }}\n\
         x-key = \"{OTHER_PASSWORD}\"\n",
        component("route-transformer").display(),
    );
    let path = folder.join("p.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Whoever checks a pipeline need not have its secrets; whoever runs it must.
#[test]
fn missing_secrets_are_named_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    let output = sandbar().arg("check").arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let output = sandbar().arg("run").arg(&path).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    let due = [
        "[kafka] properties.\"sasl.password\": the environment variable SANDBAR_TESTS_NOWHERE is not set; set it, or name the right one here",
        &format!(
            "[kafka] properties.\"ssl.key.password\": the file {}",
            folder.path().join("nowhere").display()
        ),
        "[references] stores.\"http://127.0.0.1:1/\".\"authorization\": the environment variable",
    ];
    for due in due {
        assert!(said.contains(&format!("{}: {due}", path.display())), "{due}: {said}");
    }

    // Lines need no Kafka; what refers to the store fails.
    let lines = folder.path().join("lines");
    std::fs::write(&lines, "http://127.0.0.1:1/x\n").unwrap();
    let output = sandbar().arg("run").arg(&path).arg("--file").arg(&lines).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("authorization: the environment variable SANDBAR_TESTS_NOWHERE"),
        "{said}"
    );
}

#[test]
fn a_manifest_is_printed_with_its_defaults_and_without_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    let output = sandbar().arg("check").arg("--print").arg(&path).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_hidden(&printed);
    for line in [
        "delivery = \"at-least-once\"",
        "group = \"p\"",
        "\"sasl.oauthbearer.client.secret\" = \"***\"",
        "\"sasl.password\" = { env = \"SANDBAR_TESTS_NOWHERE\" }",
        "\"ssl.key.password\" = { file = \"nowhere\" }",
        "authorization = { env = \"SANDBAR_TESTS_NOWHERE\" }",
        "x-key = \"***\"",
        "batch-records = 256",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
    }
    // What is printed is a manifest, and prints the same.
    std::fs::write(&path, &printed).unwrap();
    let output = sandbar().arg("check").arg("--print").arg(&path).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), printed);
}

//! Who may ask a runner for what, and what is written down of it.

use sandbar_tests::asked::{Asked, status};
use sandbar_tests::sandbar;

const PATHS: [&str; 7] = [
    "GET /metrics",
    "GET /healthz",
    "GET /readyz",
    "GET /v1/status",
    "GET /v1/fleet",
    "GET /v1/openapi.json",
    "POST /v1/swap",
];

#[test]
fn a_page_reads_nothing() {
    let runner = Asked::start("hosts = [\"Runner.example\"]\n", &[], |command| command);
    for path in PATHS {
        for host in ["evil.example", "127.0.0.1.evil.example:9464", "runner"] {
            let (status, answer) = runner.ask(path, &format!("host: {host}\r\n"));
            assert_eq!(status, 421, "{path} of {host}: {answer}");
        }
        for origin in ["http://evil.example", "null", "https://{here}"] {
            let (status, answer) =
                runner.ask(path, &format!("host: {{here}}\r\norigin: {origin}\r\n"));
            assert_eq!(status, 403, "{path} from {origin}: {answer}");
        }
        let (status, _) =
            runner.ask(path, "host: runner.example:9464\r\norigin: http://runner.example:9464\r\n");
        // Changes without a token are for who needs no name.
        assert_eq!([403, 421].contains(&status), path.starts_with("POST"), "{path}");
        assert_eq!(runner.ask(path, "").0, 400, "{path}");
        assert_eq!(runner.ask(path, "host: localhost\r\nhost: localhost\r\n").0, 400, "{path}");
    }
    // The target of the request counts as well.
    assert_eq!(runner.ask("GET http://evil.example/v1/status", "host: localhost\r\n").0, 400);
    assert_eq!(runner.ask("GET http://localhost/v1/status", "host: localhost\r\n").0, 200);
}

#[test]
fn tokens_must_be_there_and_differ() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("p.toml");
    let run = |admin: &str| {
        let text = format!(
            "name = \"p\"\nsource = {{ topics = [\"a\"] }}\nsink = {{ topic = \"b\" }}\n\
             dead-letter = {{ topic = \"c\" }}\n[[stages]]\nname = \"e\"\n\
             component = \"e.wasm\"\n[admin]\n{admin}"
        );
        std::fs::write(&manifest, text).unwrap();
        let mut command = sandbar();
        command.arg("run").arg(&manifest).args(["--brokers", "127.0.0.1:1"]);
        let output = command.env("ADA", "secret").env_remove("EVE").output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let token = |name: &str, variable: &str| {
        format!(
            "[[admin.tokens]]\nname = \"{name}\"\nrole = \"read\"\n\
             token = {{ env = \"{variable}\" }}\n"
        )
    };
    let said = run("read = \"token\"\n");
    assert!(said.contains("[admin] read: there is no token to read with"), "{said}");
    let said = run(&token("eve", "EVE"));
    assert!(
        said.contains("[[admin.tokens]] 'eve': the environment variable EVE is not set"),
        "{said}"
    );
    let said = run(&(token("ada", "ADA") + &token("bob", "ADA")));
    assert!(said.contains("[[admin.tokens]] 'bob': the same as that of 'ada'"), "{said}");
    let said = run(&format!("token = {{ env = \"ADA\" }}\n{}", token("ada", "ADA")));
    assert!(said.contains("[[admin.tokens]] 'ada': the same as [admin] token"), "{said}");
    let tls = "tls = { certificate = \"none.pem\", key = \"p.toml\" }\n";
    let said = run(tls);
    assert!(
        said.contains("[admin] tls certificate: ") && said.contains("none.pem cannot be read"),
        "{said}"
    );
    let said = run(&tls.replace("none.pem", "p.toml"));
    assert!(said.contains("p.toml: no certificates"), "{said}");
    let said = run(&tls.replace("none.pem", "."));
    assert!(said.contains("not a regular file"), "{said}");
}

#[test]
fn tokens_have_names_and_roles() {
    let admin = "read = \"token\"\n\
         [[admin.tokens]]\nname = \"prometheus\"\nrole = \"read\"\ntoken = { env = \"READER\" }\n\
         [[admin.tokens]]\nname = \"ada\"\nrole = \"change\"\ntoken = { file = \"ada\" }\n";
    let runner = Asked::start(admin, &[("ada", "ada-4567-secret\n")], |command| {
        command.env("READER", "reader-0123-secret").env("SANDBAR_ADMIN_TOKEN", "old-89-secret")
    });
    let bearer = |token: &str| format!("host: {{here}}\r\nauthorization: Bearer {token}\r\n");
    let [reader, ada, old, wrong] =
        ["reader-0123-secret", "ada-4567-secret", "old-89-secret", "ada-4567-secreT"].map(bearer);
    let swap = |headers: &str| {
        runner.ask("POST /v1/swap", &format!("{headers}content-type: application/json\r\ncontent-length: 20\r\n\r\n{{\"models\":{{\"a\":\"b\"}}}}"))
    };
    for path in ["GET /metrics", "GET /v1/status", "GET /v1/openapi.json", "HEAD /v1/status"] {
        for token in [&reader, &ada, &old] {
            assert_eq!(runner.ask(path, token).0, 200, "{path} with {token}");
        }
        for token in [&wrong, "host: {here}\r\n"] {
            let (status, answer) = runner.ask(path, token);
            assert_eq!(status, 401, "{path} with {token}");
            assert!(answer.contains("www-authenticate: Bearer\r\n"), "{answer}");
        }
    }
    assert_eq!(runner.ask("GET /healthz", "host: {here}\r\n").0, 200);
    assert_eq!([swap(&reader).0, swap(&wrong).0, swap("host: {here}\r\n").0], [403, 401, 401]);
    for status in [swap(&ada).0, swap(&old).0] {
        // There is no such model, or the pipeline does not run yet.
        assert!(matches!(status, 422 | 503), "{status}");
    }
    // Before its body is there.
    let head = format!("POST /v1/swap HTTP/1.1\r\n{wrong}content-length: 60000\r\n\r\n");
    assert_eq!(status(&runner.send(head.replace("{here}", "localhost").as_bytes())), 401);
    // Somebody who tries all of them does not fill the log.
    for _ in 0..300 {
        assert_eq!(swap(&wrong).0, 401);
    }

    let said = runner.process.stop();
    let refused: Vec<&str> =
        said.lines().filter(|line| line.contains("admin request refused")).collect();
    let has =
        |parts: &[&str]| refused.iter().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(
        has(&["by=\"prometheus\"", "request=POST /v1/swap", "status=403", "from=127.0.0.1:"]),
        "{said}"
    );
    assert!(has(&["by=\"ada\"", "status=", "error=", "unlogged=0"]), "{said}");
    assert!(has(&["by=\"token\""]), "{said}");
    assert!(has(&["status=401", "request=GET /metrics"]), "{said}");
    assert!(refused.len() < 200, "{} refusals are logged", refused.len());
    for secret in ["0123", "4567", "old-89"] {
        assert!(!said.contains(secret), "{said}");
    }
}

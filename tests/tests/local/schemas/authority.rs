//! Who may ask for what, and what the registry is shown.

use sandbar_tests::http::{Answer, Server};
use sandbar_tests::runner::{plan, read};

use super::stand_in::{Golden, failures, found, harness, manifest};

fn pipeline(schemas: &str, config: &str) -> String {
    let golden = Golden::read();
    manifest("avro", &golden.of_format("avro")[0].places, config, schemas)
}

#[test]
fn a_stage_that_is_not_granted_schemas_is_told() {
    let golden = Golden::read();
    let server = golden.serve();
    let manifest = pipeline(&format!("[schemas]\nurls = [\"{}\"]\n", server.url("")), "");
    let mut harness = harness(&manifest.replace("grants = [\"schemas\"]\n", ""));
    let written = harness.pipe([golden.of_format("avro")[0].input()]).unwrap();
    let [(code, message)] = failures(&written).try_into().unwrap();
    assert_eq!(code, "unsupported");
    assert!(message.contains("add \"schemas\" to its `grants`"), "{message}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_subject_is_asked_for_only_if_the_manifest_names_it() {
    let server = Golden::read().serve();
    let schemas = format!("[schemas]\nurls = [\"{}\"]\nsubjects = [\"a\"]\n", server.url(""));
    let reason = plan(&pipeline(&schemas, ", at_once = \"orders-value\""), "").err().unwrap();
    let reason = format!("{reason:#}");
    assert!(reason.contains("'orders-value'") && reason.contains("`subjects`"), "{reason}");
    assert!(server.requests().iter().all(|request| !request.target.contains("orders")));
}

#[test]
fn the_registry_is_shown_the_credentials_of_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "swordfish\n").unwrap();
    let secret = format!("{{ file = \"{}\" }}", secret.display());
    for (keys, expected) in [
        (format!("user = \"me\"\npassword = {secret}\n"), "Basic bWU6c3dvcmRmaXNo"),
        (format!("token = {secret}\n"), "Bearer swordfish"),
    ] {
        let golden = Golden::read();
        let answers = golden.answers();
        let server = Server::start(move |request| {
            match request.headers.get("authorization").map(String::as_str) {
                Some(shown) if shown == expected => found(&answers, request),
                _ => Answer::status(401),
            }
        });
        let schemas = format!("[schemas]\nurls = [\"{}/\"]\n{keys}", server.url(""));
        let manifest = pipeline(&schemas, "");
        let mut harness = harness(&manifest);
        let written = harness.pipe([golden.of_format("avro")[0].input()]).unwrap();
        assert_eq!(failures(&written), []);
        let printed = read(&manifest).unwrap().print();
        assert!(printed.contains("file = ") && !printed.contains("swordfish"), "{printed}");
    }
}

#[test]
fn what_is_wrong_in_the_section_is_told_with_its_place() {
    for (schemas, problem) in [
        ("", "[schemas]; add it"),
        ("[schemas]\n", "names no schemas"),
        ("[schemas]\nurls = [\"registry:8081\"]\n", "[schemas] urls[0]: not a URL of http"),
        ("[schemas]\nurls = [\"ftp://a\"]\n", "not a URL of http"),
        ("[schemas]\nurls = [\"http://u:p@a\"]\n", "must not have credentials"),
        ("[schemas]\nurls = [\"http://a?b\"]\n", "must not have a query"),
        ("[schemas]\nurls = [\"http://a\"]\nuser = \"u\"\n", "needs a `password`"),
        ("[schemas]\nurls = [\"http://a\"]\npassword = { env = \"X\" }\n", "needs a `user`"),
        ("[schemas]\nurls = [\"http://a\"]\ntoken = \"x\"\n", "secrets are not allowed"),
        (
            "[schemas]\nurls = [\"http://a\"]\nuser = \"u\"\npassword = { env = \"X\" }\ntoken = { env = \"Y\" }\n",
            "leave one of them out",
        ),
        ("[schemas]\nurls = [\"http://a\"]\ntimeout = \"0s\"\n", "greater than zero"),
        ("[schemas]\nurls = [\"http://a\"]\nmax-size = \"1 GiB\"\n", "too large"),
        ("[schemas]\nsubjects = [\"a\"]\nfiles = { a = \"a.avsc\" }\n", "add urls"),
        ("[schemas.files]\na = \"a.xsd\"\n", "files.a: a.xsd: expected a file that ends in .avsc"),
        ("[schemas]\nurl = \"http://a\"\n", "url"),
    ] {
        let error = read(&pipeline(schemas, "")).err().unwrap_or_else(|| panic!("{schemas}"));
        assert!(error.to_string().contains(problem), "{schemas}: {error}");
    }
    let missing = "[schemas]\nurls = [\"http://a\"]\ntoken = { env = \"SANDBAR_NO_SUCH\" }\n";
    let error = read(&pipeline(missing, "")).unwrap().secrets().unwrap_err().to_string();
    assert!(error.contains("[schemas] token: the environment variable SANDBAR_NO_SUCH"), "{error}");
}

//! References to an object store, and mistakes in a manifest's `[references]`.

use super::*;

#[test]
fn an_object_store_is_asked_with_a_signature() {
    let fixture = Fixture::new();
    let server = Server::start(|request| {
        let dated = |answer: Answer| Answer {
            headers: vec![
                ("last-modified", "Tue, 24 Nov 2026 05:00:00 GMT".into()),
                ("etag", "\"1\"".into()),
            ],
            ..answer
        };
        match request.target.as_str() {
            "/bucket/images/a%20b.jpg" => dated(Answer::body("an object")),
            "/bucket/images/busy" if request.before == 0 => Answer::status(503),
            "/bucket/images/busy" => dated(Answer::body("after all")),
            "/bucket/images/large" => dated(Answer::body(vec![0; 2 << 20])),
            "/bucket/images/away" => Answer::redirect("http://127.0.0.1:1/a"),
            "/bucket/images/forbidden" => Answer::status(403),
            _ => Answer::status(404),
        }
    });
    let references = format!(
        "[references]\nallow = [\"s3://bucket/images/\"]\nmax-size = \"1 MiB\"\n\
         [references.stores.\"s3://bucket/images/\"]\nendpoint = \"{}\"\nregion = \"eu-west-3\"\n\
         access_key_id = \"AKID\"\nsecret_access_key = \"hush\"\n",
        server.url("")
    );
    let good = ["s3://bucket/images/a b.jpg", "s3://bucket/images/busy"];
    fixture.send(&good);
    let runner = Runner::start(&fixture.broker, &fixture.manifest(false, &references));
    let received: Vec<String> = fixture.sink(2).iter().map(Received::text).collect();
    runner.stop().unwrap();
    assert_eq!(received, ["an object", "after all"]);
    let signed = &server.requests()[0].headers["authorization"];
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"), "{signed}");
    assert!(signed.contains("/eu-west-3/s3/aws4_request"), "{signed}");

    let fixture = Fixture::new();
    let bad = [
        ("s3://bucket/images/nothing", "missing"),
        ("s3://bucket/images/large", "too-large"),
        ("s3://bucket/images/away", "unavailable"),
        ("s3://bucket/images/forbidden", "unavailable"),
        ("s3://bucket/secret", "invalid"),
        ("s3://bucket/images/../secret", "invalid"),
        ("s3://other/images/a", "invalid"),
        ("s3://bucket/images//a", "invalid"),
    ];
    let letters = fixture.refused(&references, &bad.map(|(value, _)| value));
    for (value, expected) in bad {
        assert_eq!(code(&letters, value), expected, "{value}: {}", message(&letters, value));
        assert!(!message(&letters, value).contains("hush"));
    }
}

#[test]
fn check_finds_what_is_wrong_without_asking_anyone() {
    let fixture = Fixture::new();
    let complaint = |references: &str| match plan(&fixture.manifest(false, references), "") {
        Ok(_) => String::new(),
        Err(error) => format!("{error:#}"),
    };
    let said = complaint("[references]\nallow = [\"no/such\"]\n");
    assert!(
        said.contains("[references] allow 'no/such': ") && said.contains("No such file"),
        "{said}"
    );
    let said = complaint("[references]\nallow = [\"/etc/passwd\"]\n");
    assert!(said.contains("not a folder"), "{said}");
    let said = complaint(
        "[references]\nallow = [\"s3://b/\"]\n[references.stores.\"s3://b/\"]\nregoin = \"x\"\n",
    );
    assert!(
        said.contains("[references] stores.\"s3://b/\": 'regoin' is not an option of an S3 store"),
        "{said}"
    );
    let said = complaint(
        "[references]\nallow = [\"http://h/\"]\n[references.stores.\"http://h/\"]\n\"a b\" = \"x\"\n",
    );
    assert!(said.contains("'a b' is not the name of a header"), "{said}");
    assert_eq!(complaint("[references]\nallow = [\"s3://b/x\", \"https://h/\"]\n"), "");
}

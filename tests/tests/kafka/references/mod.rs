//! Records that name their data: files, servers and an object store, and everything
//! that must not be reached through them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use sandbar_tests::http::{Answer, Server};
use sandbar_tests::runner::plan;
use sandbar_tests::{Broker, Received, Runner, Sent};

/// A broker, three topics, and a folder `images` beside others.
struct Fixture {
    broker: Broker,
    topics: [String; 3],
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let broker = Broker::practice();
        let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("images")).unwrap();
        Fixture { broker, topics, folder }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A pipeline that passes on what a transformer gets, or what two stages predict.
    fn manifest(&self, predicts: bool, rest: &str) -> String {
        let [source, sink, dead] = &self.topics;
        let stages = if predicts {
            "[[stages]]\nname = \"extract\"\ncomponent = \"{component:mischief-extractor}\"\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{component:mischief-scorer}\"\n"
        } else {
            "[[stages]]\nname = \"route\"\ncomponent = \"{component:route-transformer}\"\n"
        };
        format!(
            "name = \"references\"\n[source]\ntopics = [\"{source}\"]\n{stages}\
             [dead-letter]\ntopic = \"{dead}\"\n{rest}\n[sink]\ntopic = \"{sink}\"\n"
        )
    }

    fn send(&self, values: &[impl AsRef<[u8]>]) {
        let records: Vec<Sent> =
            values.iter().map(|value| Sent::value(value.as_ref().to_vec())).collect();
        self.broker.send(&self.topics[0], &records);
    }

    fn sink(&self, count: usize) -> Vec<Received> {
        self.broker.receive(&self.topics[1], count)
    }

    fn dead(&self, count: usize) -> Vec<Received> {
        self.broker.receive(&self.topics[2], count)
    }

    /// `[references]` of the folder `images`, and more.
    fn images(&self, rest: &str) -> String {
        format!("[references]\nallow = [\"{}\"]\n{rest}\n", self.path("images"))
    }

    /// Sends values that all become dead letters, and returns these by their values.
    fn refused(&self, references: &str, values: &[&str]) -> BTreeMap<String, Received> {
        self.send(values);
        let runner = Runner::start(&self.broker, &self.manifest(false, references));
        let dead = self.dead(values.len());
        runner.stop().unwrap();
        assert_eq!(dead.len(), values.len());
        let order: Vec<String> = dead.iter().map(Received::text).collect();
        assert_eq!(order, values, "in the order of the records, with their own values");
        for letter in &dead {
            assert_eq!(letter.header("sandbar-stage"), "references");
        }
        dead.into_iter().map(|letter| (letter.text(), letter)).collect()
    }
}

fn code(letters: &BTreeMap<String, Received>, value: &str) -> String {
    letters[value].header("sandbar-code")
}

fn message(letters: &BTreeMap<String, Received>, value: &str) -> String {
    letters[value].header("sandbar-message")
}

#[test]
fn paths_become_what_is_in_the_files() {
    let fixture = Fixture::new();
    fs::create_dir(fixture.folder.path().join("images/deep")).unwrap();
    fixture.write("images/a.jpg", b"first\0\xff");
    fixture.write("images/deep/b c.jpg", "second");
    symlink("deep/b c.jpg", fixture.path("images/link")).unwrap();
    let absolute = fixture.path("images/a.jpg");
    let values = [
        "a.jpg".to_owned(),
        " deep/b c.jpg\n".to_owned(),
        "deep/../a.jpg".to_owned(),
        "link".to_owned(),
        absolute.clone(),
        format!("file://{}", fixture.path("images/deep/b%20c.jpg")),
    ];
    let mut sent: Vec<Sent> = values.iter().map(|value| Sent::value(value.as_bytes())).collect();
    sent[1].key = Some(b"key".to_vec());
    sent[1].headers = vec![("mine".into(), b"stays".to_vec())];
    sent[1].timestamp = Some(1_600_000_000_000);
    // A tombstone refers to nothing.
    sent.push(Sent { value: None, ..sent[1].clone() });
    fixture.broker.send(&fixture.topics[0], &sent);
    let runner = Runner::start(&fixture.broker, &fixture.manifest(false, &fixture.images("")));
    let received = fixture.sink(sent.len());
    assert_eq!(runner.stop().unwrap().failed(), 0);

    let first: &[u8] = b"first\0\xff";
    let expected = [first, b"second", first, b"second", first, b"second"];
    for (record, expected) in received.iter().zip(expected) {
        assert_eq!(record.value.as_deref(), Some(expected));
    }
    assert_eq!(received[1].key.as_deref(), Some(b"key".as_slice()));
    assert_eq!(received[1].header("mine"), "stays");
    assert_eq!(received[1].timestamp, Some(1_600_000_000_000));
    assert_eq!(
        (received[6].value.as_deref(), received[6].header("mine").as_str()),
        (None, "stays")
    );
}

#[test]
fn a_prediction_is_of_the_data_and_its_template_knows_the_reference() {
    let fixture = Fixture::new();
    fixture.write("images/small", "1234");
    fixture.write("images/large", "1234567890123");
    fixture.send(&["small", "large"]);
    let template = "template = \"{{ value }} => {{ label }}\"";
    let manifest = fixture.manifest(true, &fixture.images("")) + template;
    let runner = Runner::start(&fixture.broker, &manifest);
    let received: Vec<String> = fixture.sink(2).iter().map(Received::text).collect();
    runner.stop().unwrap();
    assert_eq!(received, ["small => short", "large => long"]);
}

#[test]
fn with_a_header_some_records_refer_and_the_others_carry() {
    let fixture = Fixture::new();
    fixture.write("images/a", "from the file");
    let header = |value: &str| vec![("image-ref".to_owned(), value.as_bytes().to_vec())];
    let sent = [
        Sent::value("carried"),
        Sent { headers: header("a"), ..Sent::value("a thumbnail") },
        Sent { headers: header("b"), ..Sent::value("left") },
        Sent { headers: [header("b"), header("a")].concat(), ..Sent::value("") },
        Sent { headers: header("a"), value: None, ..Sent::value("") },
    ];
    fixture.broker.send(&fixture.topics[0], &sent);
    let references = fixture.images("header = \"image-ref\"");
    let runner = Runner::start(&fixture.broker, &fixture.manifest(false, &references));
    let received: Vec<_> = fixture.sink(4).into_iter().map(|record| record.value).collect();
    let dead = fixture.dead(1);
    runner.stop().unwrap();
    let value = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(received, [value("carried"), value("from the file"), value("from the file"), None]);
    assert_eq!(
        (dead[0].text().as_str(), dead[0].header("sandbar-code").as_str()),
        ("left", "missing")
    );
}

#[test]
fn nothing_outside_of_the_folder_is_reached() {
    let fixture = Fixture::new();
    fixture.write("secret", "secret");
    fs::create_dir(fixture.folder.path().join("images-of-others")).unwrap();
    fixture.write("images-of-others/a", "secret");
    fixture.write("images/a", "allowed");
    symlink("../secret", fixture.path("images/out")).unwrap();
    symlink(fixture.path("secret"), fixture.path("images/absolute")).unwrap();
    symlink("..", fixture.path("images/up")).unwrap();
    symlink("loop", fixture.path("images/loop")).unwrap();
    fs::create_dir(fixture.folder.path().join("images/folder")).unwrap();
    let mkfifo = std::process::Command::new("mkfifo").arg(fixture.path("images/pipe")).status();
    assert!(mkfifo.unwrap().success());
    let huge = fs::File::create(fixture.path("images/huge")).unwrap();
    huge.set_len(40 << 20).unwrap();

    let absolute = [
        fixture.path("secret"),
        fixture.path("images/../secret"),
        fixture.path("images-of-others/a"),
    ];
    let url = format!("file://{}", fixture.path("images/%2e%2e/secret"));
    let encoded = format!("file://{}", fixture.path("images/..%2fsecret"));
    let invalid = [
        "../secret",
        "../images/../secret",
        "folder/../../secret",
        "out",
        "absolute",
        "up/secret",
        "loop",
        "/etc/passwd",
        "/dev/zero",
        &absolute[0],
        &absolute[1],
        &absolute[2],
        &url,
        &encoded,
        "file://host/etc/passwd",
        "folder",
        ".",
        "pipe",
        "",
        "  ",
        "a\0",
        "a\u{7}b",
        "https://host/a",
        "s3://bucket/a",
        "ftp://host/a",
        "://",
    ];
    let long = "x".repeat(10_000);
    let name = "x".repeat(300);
    let others = [
        ("missing", "missing"),
        ("a/b", "missing"),
        ("folder/missing", "missing"),
        (long.as_str(), "invalid"),
        (name.as_str(), "invalid"),
        ("huge", "too-large"),
    ];
    let values: Vec<&str> =
        invalid.into_iter().chain(others.iter().map(|(value, _)| *value)).collect();
    let letters = fixture.refused(&fixture.images(""), &values);
    let expected = invalid.iter().map(|value| (*value, "invalid")).chain(others);
    for (value, expected) in expected {
        assert_eq!(code(&letters, value), expected, "{value:?}: {}", message(&letters, value));
        assert!(!message(&letters, value).contains("sandbar\""), "{}", message(&letters, value));
    }
    assert_eq!(message(&letters, "out"), "the path leads out of the allowed folder: \"out\"");
    assert_eq!(
        message(&letters, "/etc/passwd"),
        "the path lies in none of the folders that [references] allow names: \"/etc/passwd\""
    );
    assert_eq!(
        message(&letters, "huge"),
        "41943040 bytes or more; [references] max-size is 33554432: \"huge\""
    );
    assert_eq!(message(&letters, "pipe"), "this is not a file: \"pipe\"");
}

/// A name that is a file in the folder at one moment and leads out of it at the next.
#[test]
fn no_race_leads_out_of_the_folder() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let fixture = Fixture::new();
    fixture.write("secret", "secret");
    fixture.write("images/good", "good");
    fs::create_dir(fixture.folder.path().join("images/inner")).unwrap();
    fixture.write("images/inner/secret", "good");
    symlink("../secret", fixture.path("images/out")).unwrap();
    symlink("good", fixture.path("images/in")).unwrap();
    symlink("..", fixture.path("images/up")).unwrap();
    symlink("inner", fixture.path("images/down")).unwrap();
    let end = std::sync::Arc::new(AtomicBool::new(false));
    let flipper = {
        let (end, path) = (end.clone(), |name: &str| fixture.path(&format!("images/{name}")));
        let pairs = [("out", "in", "file"), ("up", "down", "folder")]
            .map(|(bad, good, name)| (path(bad), path(good), path(name), path("new")));
        std::thread::spawn(move || {
            let mut turn = false;
            while !end.load(Ordering::Relaxed) {
                turn = !turn;
                for (bad, good, name, new) in &pairs {
                    let target = fs::read_link(if turn { bad } else { good }).unwrap();
                    symlink(target, new).unwrap();
                    fs::rename(new, name).unwrap();
                }
            }
        })
    };
    let values: Vec<&str> = ["file", "folder/secret"].into_iter().cycle().take(4000).collect();
    fixture.send(&values);
    let runner = Runner::start(&fixture.broker, &fixture.manifest(false, &fixture.images("")));
    runner.await_stats("all records", |stats| stats.outputs + stats.failed() == 4000);
    end.store(true, Ordering::Relaxed);
    flipper.join().unwrap();
    let stats = runner.stop().unwrap();
    eprintln!("{} read, {} refused", stats.outputs, stats.failed());
    assert!(stats.outputs > 0 && stats.failed() > 0, "{stats:?}");
    for record in fixture.sink(stats.outputs as usize) {
        assert_eq!(record.text(), "good");
    }
}

#[test]
fn bytes_that_are_no_text_are_no_reference() {
    let fixture = Fixture::new();
    fixture.send(&[b"\xff\xd8\xff\xe0"]);
    let runner = Runner::start(&fixture.broker, &fixture.manifest(false, &fixture.images("")));
    let dead = fixture.dead(1);
    runner.stop().unwrap();
    assert_eq!(dead[0].value.as_deref(), Some(b"\xff\xd8\xff\xe0".as_slice()));
    assert_eq!(dead[0].header("sandbar-message"), "a reference is UTF-8 text");
}

/// Far more data than a batch may have, a record that traps in the middle of it, and
/// some that refer to nothing: all in order.
#[test]
fn a_batch_goes_through_in_slices() {
    let fixture = Fixture::new();
    for number in 0..40 {
        fixture.write(&format!("images/{number:02}"), number.to_string().repeat(50_000));
    }
    fixture.write("images/13", "trap");
    fixture.write("images/14", "fail");
    let names: Vec<String> = (0..40)
        .map(|number| if number % 10 == 5 { "none".to_owned() } else { format!("{number:02}") })
        .collect();
    fixture.send(&names);
    let rest = fixture.images("")
        + "[runner]\nworkers = 1\nbatch-bytes = \"200 KiB\"\n[limits]\nmemory = \"16 MiB\"\n";
    let runner = Runner::start(&fixture.broker, &fixture.manifest(false, &rest));
    let received = fixture.sink(34);
    let dead = fixture.dead(6);
    let end = runner.stop().unwrap();

    let good: Vec<u32> =
        (0..40).filter(|number| number % 10 != 5 && ![13, 14].contains(number)).collect();
    assert_eq!(received.len(), good.len());
    for (record, number) in received.iter().zip(good) {
        assert_eq!(record.text(), number.to_string().repeat(50_000), "{number}");
    }
    let dead: Vec<(String, String)> = dead
        .iter()
        .map(|letter| (letter.header("sandbar-offset"), letter.header("sandbar-code")))
        .collect();
    let expected = [
        ("5", "missing"),
        ("13", "trap"),
        ("14", "invalid"),
        ("15", "missing"),
        ("25", "missing"),
        ("35", "missing"),
    ];
    assert_eq!(dead, expected.map(|(offset, code)| (offset.to_owned(), code.to_owned())));
    // Only the slice with the trap was run again.
    assert_eq!((end.isolated, end.records), (1, 40));
}

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
    assert!(said.contains("this is not a folder"), "{said}");
    let said = complaint(
        "[references]\nallow = [\"s3://b/\"]\n[references.stores.\"s3://b/\"]\nregoin = \"x\"\n",
    );
    assert!(
        said.contains("[references] stores.\"s3://b/\": 'regoin' is no option of an S3 store"),
        "{said}"
    );
    let said = complaint(
        "[references]\nallow = [\"http://h/\"]\n[references.stores.\"http://h/\"]\n\"a b\" = \"x\"\n",
    );
    assert!(said.contains("'a b' is not the name of a header"), "{said}");
    assert_eq!(complaint("[references]\nallow = [\"s3://b/x\", \"https://h/\"]\n"), "");
}

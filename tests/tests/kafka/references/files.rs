//! References to files of a folder, and to all that lies outside of it.

use super::*;

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
    assert_eq!(message(&letters, "pipe"), "not a regular file: \"pipe\"");
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
    assert_eq!(dead[0].header("sandbar-message"), "the reference is not UTF-8 text");
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

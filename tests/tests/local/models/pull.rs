//! Getting a model's files from a server.

use super::*;

fn url(server: &Server) -> String {
    format!("url = \"{}\"", server.url("/zoo/cat.bin"))
}

/// The rest of a body, where the request asks for that.
fn ranged(request: &Request, body: Vec<u8>) -> Answer {
    let range = request.headers.get("range").and_then(|range| range.strip_prefix("bytes="));
    let Some(start) = range.and_then(|range| range.strip_suffix('-')) else {
        return Answer::body(body);
    };
    let start: usize = start.parse().unwrap();
    let said = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
    Answer { status: 206, headers: vec![("content-range", said)], ..Answer::body(&body[start..]) }
}

#[test]
fn a_model_and_its_labels_are_pulled_and_then_there() {
    let server = Server::start(|request| match request.target.as_str() {
        "/zoo/cat.bin" => Answer::redirect("/mirror/1234"),
        "/mirror/1234" => Answer::body(weights()),
        "/zoo/synset.txt" => Answer::body(LABELS),
        _ => Answer::status(404),
    });
    let labels = format!(
        "{}\n[labels]\nfile = \"labels.txt\"\nskip-words = 1\nurl = \"{}\"\nsha256 = \"{}\"\n",
        url(&server),
        server.url("/zoo/synset.txt"),
        Sha256::of(LABELS.as_bytes())
    );
    let models = Models::cat(&labels);
    models.assert_pulled(&[]);
    assert_eq!(models.files(), ["cat.bin", "labels.txt"]);
    assert_eq!(models.says(&["verify"]), "cat: ok\n");
    let asked = server.requests().len();
    assert_eq!(models.says(&["pull", "cat"]), "cat@2: all files are present and verified\n");
    fs::remove_file(models.path("cat").join("labels.txt")).unwrap();
    assert!(
        models
            .complains(&["verify", "cat"])
            .contains("labels.txt is absent; download it with `sandbar models pull cat`")
    );
    models.assert_pulled(&[]);
    assert_eq!(server.requests().len(), asked + 1);
    models.assert_pulled(&["--force"]);
    assert_eq!(server.requests().len(), asked + 4);
}

/// A graph's samples and the pictures that their table names come with it.
#[test]
fn samples_and_their_pictures_are_pulled() {
    let digest = Sha256::of(b"a picture");
    let table = format!("picture,sha256,label\nseen/a.png,{digest},cat\nb.png,,cat\n");
    let served = table.clone();
    let server = Server::start(move |request| match request.target.as_str() {
        "/zoo/cat.bin" => Answer::body(weights()),
        "/zoo/v2/cat.csv" => Answer::body(served.clone()),
        "/zoo/v2/seen/a.png" => Answer::body("a picture"),
        "/zoo/v2/b.png" => Answer::body("another"),
        _ => Answer::status(404),
    });
    let section = |digest: Sha256| {
        let file = server.url("/zoo/v2/cat.csv");
        format!(
            "{}\n[samples]\nfile = \"samples.csv\"\nurl = \"{file}\"\nsha256 = \"{digest}\"\n",
            url(&server)
        )
    };
    let graph = |models: &Models| {
        let path = models.path("cat").join("model.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replacen("h2o-mojo", "onnx", 1)).unwrap();
    };
    let models = Models::cat(&section(Sha256::of(table.as_bytes())));
    graph(&models);
    models.assert_pulled(&[]);
    assert_eq!(models.files(), ["b.png", "cat.bin", "samples.csv", "seen"]);
    let seen = models.path("cat").join("seen/a.png");
    assert_eq!(fs::read(&seen).unwrap(), b"a picture");
    assert_eq!(models.says(&["pull", "cat"]), "cat@2: all files are present and verified\n");
    fs::remove_file(&seen).unwrap();
    let said = models.complains(&["verify", "cat"]);
    assert!(said.contains("seen/a.png is absent"), "{said}");
    let asked = server.requests().len();
    models.assert_pulled(&[]);
    assert_eq!(server.requests().len(), asked + 1);
    models.assert_pulled(&["--force"]);
    // From a folder they come under the paths that they have in the model's.
    let mirror = tempfile::tempdir().unwrap();
    fs::create_dir(mirror.path().join("seen")).unwrap();
    fs::write(mirror.path().join("seen/a.png"), "a picture").unwrap();
    fs::remove_file(&seen).unwrap();
    models.assert_pulled(&["--from", mirror.path().to_str().unwrap()]);

    // What is not the right one is not put in place.
    let models = Models::cat(&section(digest));
    graph(&models);
    let said = models.complains(&["pull", "cat"]);
    assert!(said.contains("cat.csv: expected sha256"), "{said}");
    assert_eq!(models.files(), ["cat.bin"]);
    // Without a URL the table is expected beside the description.
    let text = section(Sha256::of(table.as_bytes()));
    let text: String =
        text.lines().filter(|it| !it.contains("cat.csv")).map(|it| format!("{it}\n")).collect();
    let models = Models::cat(&text);
    graph(&models);
    let said = models.complains(&["pull", "cat"]);
    assert!(said.contains("samples.csv: MODELS/cat/model.toml has no 'url' for it"), "{said}");
}

#[test]
fn a_download_that_breaks_off_goes_on_from_there() {
    for size in [Some(weights().len()), None] {
        let server = Server::start(|request| {
            let answer = ranged(request, weights());
            if request.before == 0 { Answer { cut: Some(100_000), ..answer } } else { answer }
        });
        let models = Models::new();
        models.describe("cat", &url(&server), size);
        models.assert_pulled(&[]);
        let ranges: Vec<Option<String>> =
            server.requests().iter().map(|request| request.headers.get("range").cloned()).collect();
        assert_eq!(ranges, [None, Some("bytes=100000-".to_owned())]);
    }
}

#[test]
fn the_next_pull_goes_on_where_the_last_one_gave_up() {
    let server = Server::start(|request| ranged(request, weights()));
    let models = Models::cat(&url(&server));
    fs::write(models.path("cat").join("cat.bin.part"), &weights()[..5000]).unwrap();
    models.assert_pulled(&[]);
    assert_eq!(server.requests()[0].headers["range"], "bytes=5000-");
    // What is there is of another file: everything once more.
    let models = Models::cat(&url(&server));
    fs::write(models.path("cat").join("cat.bin.part"), vec![7; 5000]).unwrap();
    models.assert_pulled(&[]);
    let last = &server.requests()[2];
    assert!(!last.headers.contains_key("range"), "{last:?}");
    // All of it is there already, or more than that.
    for there in [weights(), [weights(), weights()].concat()] {
        fs::remove_file(models.path("cat").join("cat.bin")).unwrap();
        fs::write(models.path("cat").join("cat.bin.part"), there).unwrap();
        models.assert_pulled(&[]);
    }
}

#[test]
fn a_server_that_knows_no_ranges_sends_everything_again() {
    let server = Server::start(|request| {
        let cut = (request.before == 0).then_some(100_000);
        Answer { cut, ..Answer::body(weights()) }
    });
    Models::cat(&url(&server)).assert_pulled(&[]);
}

#[test]
fn a_connection_that_always_breaks_ends_with_what_there_is_kept() {
    let server = Server::start(|request| {
        let cut = if request.before == 0 { Some(1000) } else { Some(0) };
        Answer { cut, ..ranged(request, weights()) }
    });
    let models = Models::cat(&url(&server));
    let said = models.complains(&["pull", "cat"]);
    assert!(
        said.starts_with(&format!(
            "error: {}: connection lost after 1000 bytes",
            server.url("/zoo/cat.bin")
        )),
        "{said}"
    );
    assert!(said.contains("; pull again to resume the download"), "{said}");
    assert_eq!(models.files(), ["cat.bin.part"]);
}

#[test]
fn what_is_not_the_right_file_is_not_put_in_place() {
    let other = || weights().into_iter().rev().collect::<Vec<u8>>();
    let cases: [(Answer, &str); 5] = [
        (Answer::body(other()), "expected sha256 "),
        (Answer::body(&weights()[1..]), "expected 400000 bytes, the server has 399999"),
        (
            Answer { unsized_body: true, ..Answer::body(&weights()[1..]) },
            "expected size 400000, got 399999",
        ),
        (
            Answer { unsized_body: true, ..Answer::body([weights(), weights()].concat()) },
            "more than the expected 400000 bytes",
        ),
        (Answer::status(404), "the server answered 404"),
    ];
    for (answer, problem) in cases {
        let server = Server::start(move |_| answer.clone());
        let models = Models::cat(&url(&server));
        let said = models.complains(&["pull", "cat"]);
        assert!(said.contains(problem) && said.contains(&server.url("/zoo/cat.bin")), "{said}");
        assert_eq!(models.files(), Vec::<String>::new(), "{problem}");
    }
}

#[test]
fn a_redirect_leads_to_servers_alone() {
    for (to, problem) in [
        ("file:///etc/passwd", "redirected to file:///etc/passwd, which is not https"),
        ("/zoo/cat.bin", "more than 10 redirects"),
    ] {
        let server = Server::start(move |_| Answer::redirect(to));
        let models = Models::cat(&url(&server));
        let said = models.complains(&["pull", "cat"]);
        assert!(said.contains(problem), "{said}");
    }
}

#[test]
fn a_file_that_is_there_is_replaced_only_on_request() {
    let server = Server::start(|_| Answer::body(weights()));
    let models = Models::cat(&url(&server));
    fs::write(models.path("cat").join("cat.bin"), "mine").unwrap();
    let said = models.complains(&["pull", "cat"]);
    assert!(
        said.contains("the size of cat.bin is 4") && said.ends_with("--force replaces it\n"),
        "{said}"
    );
    assert!(server.requests().is_empty());
    models.assert_pulled(&["--force"]);
}

#[test]
fn a_mirror_has_the_same_names() {
    let server = Server::start(|request| match request.target.as_str() {
        "/mirror/cat.bin" => Answer::body(weights()),
        _ => Answer::status(404),
    });
    let nowhere = "url = \"https://host.invalid/zoo/cat.bin?download=1\"";
    Models::cat(nowhere).assert_pulled(&["--from", &server.url("/mirror")]);
    Models::cat("").assert_pulled(&["--from", &server.url("/mirror/")]);
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().to_str().unwrap();
    let models = Models::cat(nowhere);
    let said = models.complains(&["pull", "cat", "--from", from]);
    assert!(said.contains(&format!("{from}/cat.bin: No such file")), "{said}");
    fs::write(folder.path().join("cat.bin"), &weights()[1..]).unwrap();
    let said = models.complains(&["pull", "cat", "--from", from]);
    assert!(said.contains("expected size 400000, got 399999"), "{said}");
    assert_eq!(models.files(), Vec::<String>::new());
    fs::write(folder.path().join("cat.bin"), weights()).unwrap();
    models.assert_pulled(&["--from", from]);
    let said = Models::cat("").complains(&["pull", "cat"]);
    assert!(said.contains("cat.bin: MODELS/cat/model.toml has no 'url' for it"), "{said}");
}

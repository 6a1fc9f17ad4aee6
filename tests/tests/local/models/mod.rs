//! `sandbar models`: what there is, whether it is right, and getting it from a server
//! that does what servers do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Output;

use sandbar::models::{Sha1, Sha256};
use sandbar_tests::http::{Answer, Request, Server};
use sandbar_tests::sandbar;

const LABELS: &str = "n1 crane\nn2 tench\n";

/// A model's file: what comes first is unlike what comes last.
fn weights() -> Vec<u8> {
    (0..100_000_u32).flat_map(|number| number.to_le_bytes()).collect()
}

/// A folder of model folders.
struct Models(tempfile::TempDir);

impl Models {
    fn new() -> Self {
        Models(tempfile::tempdir().unwrap())
    }

    /// A model `cat` whose file is got as `origin` says.
    fn cat(origin: &str) -> Self {
        let models = Models::new();
        models.describe("cat", origin, Some(weights().len()));
        models
    }

    fn describe(&self, name: &str, origin: &str, size: Option<usize>) {
        fs::create_dir_all(self.path(name)).unwrap();
        let digest = Sha256::of(&weights());
        let size = size.map_or(String::new(), |size| format!("size = {size}\n"));
        let text = format!(
            "name = \"{name}\"\nversion = 2\nkind = \"h2o-mojo\"\nfile = \"cat.bin\"\nsha256 = \"{digest}\"\n\
             {size}licence = \"MIT\"\ndescription = \"Is it a cat?\"\n{origin}\n"
        );
        fs::write(self.path(name).join("model.toml"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = sandbar();
        command.arg("models").args(arguments).arg("--models").arg(self.0.path());
        command.output().unwrap()
    }

    /// What a command says that succeeds.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        self.shortened(&output.stdout)
    }

    /// What a command complains of that fails.
    fn complains(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
        let said = self.shortened(&[output.stdout, output.stderr].concat());
        for line in said.lines() {
            let line = line.trim_start_matches("error: ");
            let half = line.len().saturating_sub(2) / 2;
            let twice = line.get(..half).is_some_and(|first| line == format!("{first}: {first}"));
            assert!(!twice || line.is_empty(), "said twice: {line}");
        }
        said
    }

    fn shortened(&self, said: &[u8]) -> String {
        String::from_utf8_lossy(said).replace(self.0.path().to_str().unwrap(), "MODELS")
    }

    /// The files of `cat`, without its description.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("cat")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "model.toml").collect();
        names.sort();
        names
    }

    fn assert_pulled(&self, arguments: &[&str]) {
        let said = self.says(&[&["pull", "cat"], arguments].concat());
        assert_eq!(said, "cat@2: MODELS/cat/cat.bin is in place\n");
        assert_eq!(fs::read(self.path("cat").join("cat.bin")).unwrap(), weights());
        assert!(self.files().iter().all(|name| !name.ends_with(".part")), "{:?}", self.files());
    }
}

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
    assert_eq!(models.says(&["pull", "cat"]), "cat@2: everything is there and right\n");
    fs::remove_file(models.path("cat").join("labels.txt")).unwrap();
    assert!(
        models
            .complains(&["verify", "cat"])
            .contains("labels.txt is absent; get it by `sandbar models pull cat`")
    );
    models.assert_pulled(&[]);
    assert_eq!(server.requests().len(), asked + 1);
    models.assert_pulled(&["--force"]);
    assert_eq!(server.requests().len(), asked + 4);
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
            "error: {}: the connection broke after 1000 bytes",
            server.url("/zoo/cat.bin")
        )),
        "{said}"
    );
    assert!(said.contains("; pull again to go on from there"), "{said}");
    assert_eq!(models.files(), ["cat.bin.part"]);
}

#[test]
fn what_is_not_the_right_file_is_not_put_in_place() {
    let other = || weights().into_iter().rev().collect::<Vec<u8>>();
    let cases: [(Answer, &str); 5] = [
        (Answer::body(other()), "the sha256 is "),
        (Answer::body(&weights()[1..]), "the server has 399999 bytes, expected are 400000"),
        (
            Answer { unsized_body: true, ..Answer::body(&weights()[1..]) },
            "the size is 399999, expected is 400000",
        ),
        (
            Answer { unsized_body: true, ..Answer::body([weights(), weights()].concat()) },
            "more than the 400000 bytes that are expected",
        ),
        (Answer::status(404), "the server answers 404"),
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
        ("file:///etc/passwd", "redirects to file:///etc/passwd, which is not https"),
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
    assert!(said.contains("the size is 399999, expected is 400000"), "{said}");
    assert_eq!(models.files(), Vec::<String>::new());
    fs::write(folder.path().join("cat.bin"), weights()).unwrap();
    models.assert_pulled(&["--from", from]);
    let said = Models::cat("").complains(&["pull", "cat"]);
    assert!(
        said.contains("cat.bin: MODELS/cat/model.toml does not say where it can be had"),
        "{said}"
    );
}

/// A zip archive with the members deflated.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, content) in members {
        let file = archive.new_file(name).compression_method(rawzip::CompressionMethod::DEFLATE);
        let (mut entry, config) = file.start().unwrap();
        let encoder =
            flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
        let mut writer = config.wrap(encoder);
        writer.write_all(content).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// A model whose file and labels are in the archive of a server.
fn archived(archive: &[u8], more: &str) -> (Server, Models) {
    let (body, digest) = (archive.to_vec(), Sha1::of(archive));
    let server = Server::start(move |_| Answer::body(body.clone()));
    let origin = format!(
        "[labels]\nfile = \"labels.txt\"\n[archive]\nurl = \"{}\"\nmember = \"deep/weights\"\nlabels = \"words\"\nsha1 = \"{digest}\"\n{more}",
        server.url("/zoo/cat.zip")
    );
    let models = Models::cat(&origin);
    (server, models)
}

#[test]
fn an_archive_gives_its_members_and_goes() {
    let members = [
        ("../../evil", b"evil".as_slice()),
        ("words", LABELS.as_bytes()),
        ("deep/weights", &weights()),
    ];
    let (server, models) = archived(&zip(&members), "");
    models.assert_pulled(&[]);
    assert_eq!(models.files(), ["cat.bin", "labels.txt"]);
    assert_eq!(fs::read_to_string(models.path("cat").join("labels.txt")).unwrap(), LABELS);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(models.says(&["verify"]), "cat: ok (its labels have no digest)\n");
    fs::remove_file(models.path("cat").join("labels.txt")).unwrap();
    models.assert_pulled(&[]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cat.zip"), zip(&members)).unwrap();
    models.assert_pulled(&["--force", "--from", folder.path().to_str().unwrap()]);
}

#[test]
fn an_archive_that_is_not_as_described_leaves_nothing_behind() {
    let large = vec![0; 50_000_000];
    let bomb = zip(&[("deep/weights", &large)]);
    // It says that it holds what is expected, and inflates to more.
    let mut liar = bomb.clone();
    let (truth, lie) = (50_000_000_u32.to_le_bytes(), 400_000_u32.to_le_bytes());
    for at in 0..liar.len() - 4 {
        if liar[at..at + 4] == truth {
            liar[at..at + 4].copy_from_slice(&lie);
        }
    }
    let cases: [(&[u8], &str); 6] = [
        (&bomb, "'deep/weights' has 50000000 bytes, more than the 400000 that are accepted"),
        (&liar, "'deep/weights' of the archive: "),
        (
            &zip(&[("words", b"crane"), ("weights", &weights())]),
            "there is no 'deep/weights' in the archive; there is words, weights",
        ),
        (
            &zip(&[("deep/weights", &weights()[1..])]),
            "'deep/weights' of the archive: the size is 399999, expected is 400000",
        ),
        (b"this is not an archive", "not a zip archive"),
        (&bomb[..bomb.len() / 2], "not a zip archive"),
    ];
    for (archive, problem) in cases {
        let (server, models) = archived(archive, "");
        let said = models.complains(&["pull", "cat"]);
        assert!(said.contains(problem) && said.contains(&server.url("/zoo/cat.zip")), "{said}");
        assert_eq!(models.files(), Vec::<String>::new(), "{problem}");
    }
    let (_server, models) =
        archived(&zip(&[("deep/weights", &weights()), ("words", b"crane")]), "size = 7\n");
    assert!(models.complains(&["pull", "cat"]).contains("expected are 7"));
}

#[test]
fn list_show_and_verify_say_what_there_is() {
    let models = Models::new();
    models.describe("absent", "url = \"https://host.invalid/cat.bin\"", Some(weights().len()));
    models.describe("present", "[labels]\nfile = \"labels.txt\"\n[provenance]\nseed = 7\n", None);
    fs::write(models.path("present").join("cat.bin"), weights()).unwrap();
    fs::write(models.path("present").join("labels.txt"), "crane\ntench\n").unwrap();
    models.describe("wrong", "", Some(weights().len()));
    fs::write(models.path("wrong").join("cat.bin"), "otherwise").unwrap();
    fs::create_dir(models.path("no-model")).unwrap();

    assert_eq!(
        models.says(&["list"]),
        "MODEL      KIND           SIZE  FILES    LICENCE\n\
         absent@2   h2o-mojo  390.6 KiB  absent   MIT\n\
         present@2  h2o-mojo  390.6 KiB  present  MIT\n\
         wrong@2    h2o-mojo  390.6 KiB  wrong    MIT\n"
    );
    let digest = Sha256::of(&weights()).to_string();
    assert_eq!(
        models.says(&["show", "present"]),
        format!(
            "present@2\nIs it a cat?\n\
             kind           h2o-mojo\n\
             folder         MODELS/present\n\
             file           cat.bin\n\
             files          present\n\
             sha256         {digest}\n\
             licence        MIT\n\
             labels         2, in labels.txt\n\
             provenance     seed = 7\n"
        )
    );
    let json: serde_json::Value =
        serde_json::from_str(&models.says(&["show", "absent", "--json"])).unwrap();
    assert_eq!(
        (&json["state"], &json["name"], &json["sha256"]),
        (&"absent".into(), &"absent".into(), &digest.into())
    );
    assert_eq!(models.says(&["verify", "present"]), "present: ok (its labels have no digest)\n");
    let said = models.complains(&["verify"]);
    assert!(
        said.contains("absent: cat.bin is absent; get it by `sandbar models pull absent`\n"),
        "{said}"
    );
    assert!(
        said.contains(
            "wrong: MODELS/wrong/model.toml: the size of cat.bin is 9, but model.toml says 400000"
        ),
        "{said}"
    );
    assert!(said.ends_with("error: 2 of 3 models are not in order\n"), "{said}");
    let said = models.complains(&["show", "presnt"]);
    assert_eq!(said, "error: 'presnt' is not a model folder of MODELS; did you mean 'present'?\n");
    let path = models.path("present");
    assert_eq!(
        models.says(&["verify", path.to_str().unwrap()]),
        "MODELS/present: ok (its labels have no digest)\n"
    );
    fs::write(models.path("wrong").join("model.toml"), "nmae = 1\n").unwrap();
    let said = models.complains(&["list"]);
    assert!(said.contains("MODELS/wrong/model.toml:1: unknown key 'nmae'"), "{said}");
}

#[test]
fn the_catalogue_of_the_project_is_in_order() {
    let mut command = sandbar();
    let output = command
        .args(["models", "list", "--models"])
        .arg(sandbar_tests::project().join("models"))
        .output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for model in [
        "googlenet-12@1",
        "googlenet-9@1",
        "inception-v1-12@1",
        "squeezenet-1.1-7@1",
        "inception5h@1",
    ] {
        assert!(said.contains(model), "{said}");
    }
}

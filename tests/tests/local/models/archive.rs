//! Models that are members of an archive.

use super::*;

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
        (&bomb, "'deep/weights' has 50000000 bytes, more than the limit of 400000"),
        (&liar, "'deep/weights' of the archive: "),
        (
            &zip(&[("words", b"crane"), ("weights", &weights())]),
            "the archive has no file 'deep/weights'; it contains words, weights",
        ),
        (
            &zip(&[("deep/weights", &weights()[1..])]),
            "'deep/weights' of the archive: expected size 400000, got 399999",
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
    assert!(models.complains(&["pull", "cat"]).contains("expected 7 bytes"));
}

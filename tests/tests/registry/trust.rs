//! What is wrong in a registry is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sandbar::registry::draft::Draft;
use sandbar::registry::{Cause, Registry};
use serde_json::Value;

use super::fixture::{Fixture, MODEL, files, intent, notes, reference};

/// What is wrong in a registry is told, and nothing of it reaches the cache.
#[test]
fn what_a_registry_says_is_not_believed() {
    let fixture = Fixture::folder();
    fixture.add("a table");
    let key = "models/table/versions/1.json";
    let whole = std::fs::read(fixture.file(key)).unwrap();
    let complaint = || {
        let registry = fixture.registry();
        let version = registry.resolve(MODEL, &reference("table@1"));
        let error = version.and_then(|version| registry.fetch(&version, &fixture.cache()));
        let error = error.unwrap_err();
        assert_eq!(files(&fixture.cache()), BTreeSet::new(), "{error}");
        std::fs::write(fixture.file(key), &whole).unwrap();
        (error.cause, error.to_string())
    };
    let forged = |change: &dyn Fn(&mut Value), expected: &str| {
        fixture.forge(key, change);
        let (cause, said) = complaint();
        assert_eq!(cause, Cause::Corrupt, "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(said.starts_with(&format!("registry {}: ", fixture.location())), "{said}");
    };
    for path in ["../../escaped", "/etc/escaped", "a/../../escaped", "a\\b", "", "."] {
        forged(
            &|it| it["files"][0]["path"] = path.into(),
            "is not a plain path within the version",
        );
    }
    forged(&|it| it["files"][1]["path"] = "model.toml".into(), "duplicate file");
    forged(&|it| it["files"][0]["size"] = (1u64 << 40).into(), "at most");
    forged(&|it| it["files"] = Value::Array(Vec::new()), "0 files");
    forged(&|it| it["name"] = "other".into(), "the stored description is of other@1");
    forged(&|it| it["version"] = 7.into(), "the stored description is of table@7");
    forged(&|it| it["surprise"] = 7.into(), "unknown field `surprise`");
    forged(&|it| it["format"] = 2.into(), "use a newer one");
    forged(&|it| it["model"] = Value::Null, "details of one model");
    std::fs::write(fixture.file(key), "{\"format\": 1, ").unwrap();
    assert!(complaint().1.contains("is invalid"));
    std::fs::write(fixture.file(key), vec![b' '; 5 << 20]).unwrap();
    assert!(complaint().1.contains("is larger than"));

    // The files: of another content, longer, cut, gone.
    let digest = fixture.registry().version(MODEL, "table", 1).unwrap().files[2].sha256.to_string();
    let blob = fixture.file(&format!("blobs/sha256/{}/{}", &digest[..2], &digest[2..]));
    for (content, expected) in [
        ("A TABLE", "its file table.csv is corrupt: expected sha256"),
        ("a table and more", "is larger than the limit of 7 bytes"),
        ("a", "expected 7 bytes, got 1"),
    ] {
        std::fs::write(&blob, content).unwrap();
        let (cause, said) = complaint();
        assert!(cause == Cause::Corrupt && said.contains(expected), "{said}");
    }
    std::fs::remove_file(&blob).unwrap();
    let (cause, said) = complaint();
    assert_eq!(cause, Cause::Missing);
    assert!(said.contains("its file table.csv is missing; add the version again"), "{said}");
    // To add it again mends it.
    assert_eq!(fixture.add("a table"), 1);
    let registry = fixture.registry();
    let version = registry.version(MODEL, "table", 1).unwrap();
    let folder = registry.fetch(&version, &fixture.cache()).unwrap();
    // What was damaged in the cache is fetched again.
    std::fs::write(folder.join("table.csv"), "A TABLE").unwrap();
    registry.fetch(&version, &fixture.cache()).unwrap();
    assert_eq!(std::fs::read(folder.join("table.csv")).unwrap(), b"a table");

    let log = "models/table/aliases/production/00000001.json";
    registry.promote(MODEL, "table", 1, "production", &intent()).unwrap();
    fixture.forge(log, |it| it["back"] = 1.into());
    let error = registry.resolve(MODEL, &reference("table")).unwrap_err();
    assert!(error.to_string().contains("change 1 refers back to a later change"), "{error}");
}

#[test]
fn what_does_not_exist_is_told_with_what_does() {
    let fixture = Fixture::folder();
    let open = |location: &str| Registry::open(location, &BTreeMap::new(), Path::new(""));
    let complaint = |location: &str| match open(location) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    assert!(complaint(&fixture.location()).contains("the first `add` creates the folder"));
    assert!(complaint("ftp://host/a").contains("unsupported URL scheme 'ftp'"));
    assert!(
        complaint("s3://").contains("the URL names no bucket")
            || complaint("s3://").contains("URL")
    );
    assert!(complaint("s3://bucket/?key=hush").contains("no user, query or fragment"));
    fixture.add("a");
    let registry = fixture.registry();
    let complaint = |text: &str| registry.resolve(MODEL, &reference(text)).unwrap_err().to_string();
    assert!(complaint("table@2").contains("the newest is table@1"), "{}", complaint("table@2"));
    assert!(complaint("tabel@1").contains("did you mean 'table'?"), "{}", complaint("tabel@1"));
    let error = registry.promote(MODEL, "table", 5, "production", &intent()).unwrap_err();
    assert_eq!(error.cause, Cause::Missing);
    let error = registry.promote(MODEL, "table", 1, "3rd", &intent()).unwrap_err();
    assert!(error.to_string().contains("begins with a letter"), "{error}");
}

#[test]
fn a_link_out_of_the_folder_is_not_added() {
    let fixture = Fixture::folder();
    let folder = fixture.table("a");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("passwords")).unwrap();
    let error = Draft::model(&folder, None, notes()).unwrap_err();
    assert!(error.to_string().contains("points outside the model folder"), "{error}");
}

/// An object that is a pipe holds nothing up, one that is a device is not read without end, and
/// what others could have written to the cache is fetched again.
#[test]
fn objects_and_cached_files_are_regular_files_of_this_user() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let fixture = Fixture::folder();
    fixture.add("a table");
    let registry = fixture.registry();
    let version = registry.version(MODEL, "table", 1).unwrap();
    let digest = version.files[2].sha256.to_string();
    let blob = fixture.file(&format!("blobs/sha256/{}/{}", &digest[..2], &digest[2..]));
    let description = fixture.file("models/table/versions/1.json");
    let pipe = |path: &Path| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    for file in [&blob, &description] {
        let content = std::fs::read(file).unwrap();
        for (expected, put) in [
            ("a named pipe", &pipe as &dyn Fn(&Path)),
            ("a device", &|path: &Path| symlink("/dev/zero", path).unwrap()),
        ] {
            std::fs::remove_file(file).unwrap();
            put(file);
            let version = fixture.registry().resolve(MODEL, &reference("table@1"));
            let error = version.and_then(|it| fixture.registry().fetch(&it, &fixture.cache()));
            let error = error.unwrap_err();
            assert_eq!(error.cause, Cause::Corrupt, "{error}");
            assert!(error.to_string().contains(expected), "{error}");
            std::fs::remove_file(file).unwrap();
            std::fs::write(file, &content).unwrap();
        }
    }

    let folder = registry.fetch(&version, &fixture.cache()).unwrap();
    let table = folder.join("table.csv");
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    let spoil: [(&str, &dyn Fn()); 4] = [
        ("others could write the file", &|| mode(&table, 0o666)),
        ("others could write to the folder", &|| mode(&folder, 0o777)),
        ("a link", &|| {
            let elsewhere = fixture.cache().join("elsewhere");
            std::fs::rename(&table, &elsewhere).unwrap();
            symlink(elsewhere, &table).unwrap();
        }),
        ("a pipe", &|| {
            std::fs::remove_file(&table).unwrap();
            pipe(&table);
        }),
    ];
    for (what, spoil) in spoil {
        spoil();
        registry.fetch(&version, &fixture.cache()).unwrap();
        assert_eq!(std::fs::read(&table).unwrap(), b"a table", "{what}");
        let about = std::fs::symlink_metadata(&table).unwrap();
        assert!(about.is_file() && about.permissions().mode() & 0o022 == 0, "{what}");
        let about = std::fs::metadata(&folder).unwrap();
        assert_eq!(about.permissions().mode() & 0o022, 0, "{what}");
    }
}

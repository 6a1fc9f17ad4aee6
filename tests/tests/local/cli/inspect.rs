//! `sandbar inspect` as a person and as a program sees it.

use std::path::{Path, PathBuf};
use std::process::Output;

use sandbar::model::Sha256;
use sandbar_tests::{component, project, sandbar};
use serde_json::Value;

/// The components of the repository, with their worlds.
const COMPONENTS: [(&str, &str); 10] = [
    ("flight-features", "extractor"),
    ("image-features", "extractor"),
    ("echo-extractor", "extractor"),
    ("mischief-extractor", "extractor"),
    ("tabular-score", "scorer"),
    ("nn-score", "scorer"),
    ("constant-scorer", "scorer"),
    ("mischief-scorer", "scorer"),
    ("plain-nn-scorer", "scorer"),
    ("route-transformer", "transformer"),
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn inspect(arguments: &[&str], paths: &[&Path]) -> Output {
    sandbar().arg("inspect").args(arguments).args(paths).output().unwrap()
}

/// The JSON about each of the files, and whether the status was that of success.
fn json(paths: &[&Path]) -> (Vec<Value>, bool) {
    let output = inspect(&["--json"], paths);
    let list: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)));
    assert_eq!(list.len(), paths.len());
    (list, output.status.success())
}

/// What is said of bytes that cannot run: the JSON and the reason.
fn refused(wasm: &[u8]) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wasm");
    std::fs::write(&path, wasm).unwrap();
    let (list, success) = json(&[&path]);
    assert!(!success && list[0]["runnable"] == false && list[0]["stage"].is_null());
    let reason = list[0]["reason"].as_str().unwrap().to_owned();

    let output = inspect(&[], &[&path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains(&format!("runs      no: {reason}\n")));
    assert!(text(&output.stderr).contains("1 of 1 components cannot run here"));
    (list[0].clone(), reason)
}

/// A component in which a name is another of the same length: they are plain text.
fn renamed(name: &str, ours: &str, other: &str) -> Vec<u8> {
    let (ours, other) = (ours.as_bytes(), other.as_bytes());
    assert_eq!(ours.len(), other.len());
    let mut wasm = std::fs::read(component(name)).unwrap();
    let starts: Vec<usize> =
        (0..wasm.len() - ours.len()).filter(|start| wasm[*start..].starts_with(ours)).collect();
    assert!(!starts.is_empty());
    for start in starts {
        wasm[start..start + other.len()].copy_from_slice(other);
    }
    wasm
}

#[test]
fn every_component_of_the_repository_runs() {
    let paths: Vec<PathBuf> = COMPONENTS.iter().map(|(name, _)| component(name)).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let (list, success) = json(&paths);
    assert!(success);
    for ((name, world), about) in COMPONENTS.iter().zip(&list) {
        assert_eq!((&about["runnable"], &about["reason"]), (&true.into(), &Value::Null), "{name}");
        assert_eq!((&about["kind"], &about["world"]), (&"component".into(), &(*world).into()));
        assert_eq!(about["contract"], about["runner-contract"], "{name}");
        assert!(about["memory"]["initial"].as_u64().unwrap() >= 64 << 10, "{name}");
        for group in about["imports"].as_array().unwrap() {
            assert_ne!(group["behind"], "missing", "{name}: {group}");
        }
    }
}

/// The answer about one component, without what changes with every build of it.
fn masked(name: &str) -> (String, Value) {
    let path = component(name);
    let bytes = std::fs::read(&path).unwrap();
    let (mut list, _) = json(&[&path]);
    let mut about = list.remove(0);
    assert_eq!(about["size"], bytes.len());
    assert_eq!(about["sha256"], Sha256::of(&bytes).to_string());
    assert!(about["compiled"]["milliseconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(about["compiled"]["cached"], true);

    // The call before this one has filled the cache.
    let said = text(&inspect(&[], &[&path]).stdout);
    let said = said
        .replace(path.to_str().unwrap(), "FILE")
        .replace(&format!("{} bytes\n", bytes.len()), "SIZE bytes\n")
        .replace(about["sha256"].as_str().unwrap(), "SHA256")
        .replace(&format!("{} bytes at", about["memory"]["initial"]), "INITIAL bytes at");
    let mask = |line: &str| match line.split_once("loaded from the cache in ") {
        Some((before, _)) => format!("{before}loaded from the cache in TIME ms\n"),
        None => format!("{line}\n"),
    };
    let stage = about["stage"].as_str().unwrap().replace(path.to_str().unwrap(), "FILE");
    about["stage"] = stage.into();
    about["file"] = "FILE".into();
    about["size"] = "SIZE".into();
    about["sha256"] = "SHA256".into();
    about["memory"]["initial"] = "INITIAL".into();
    about["compiled"] = "COMPILED".into();
    (said.lines().map(mask).collect(), about)
}

/// `SANDBAR_BLESS=1` writes the golden answers anew.
#[test]
fn an_extractor_and_a_scorer_in_full() {
    let golden = project().join("tests/golden/inspect");
    for name in ["flight-features", "nn-score"] {
        let (said, about) = masked(name);
        if std::env::var_os("SANDBAR_BLESS").is_some() {
            std::fs::write(golden.join(format!("{name}.txt")), &said).unwrap();
            std::fs::write(golden.join(format!("{name}.json")), format!("{about:#}\n")).unwrap();
        }
        let wanted = |ending| std::fs::read_to_string(golden.join(format!("{name}.{ending}")));
        assert_eq!(said, wanted("txt").unwrap(), "{name}:\n{said}");
        let wanted: Value = serde_json::from_str(&wanted("json").unwrap()).unwrap();
        assert_eq!(about, wanted, "{name}:\n{about:#}");
    }
}

#[test]
fn what_it_says_for_the_manifest_can_be_pasted() {
    let paths = [component("echo-extractor"), component("constant-scorer")];
    let (list, _) = json(&[&paths[0], &paths[1]]);
    let stages: String = list.iter().map(|about| about["stage"].as_str().unwrap()).collect();
    let manifest = format!("name = \"p\"\nsource.topics = [\"a\"]\nsink.topic = \"b\"\n{stages}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, &manifest).unwrap();
    let output = sandbar().arg("check").arg(&path).output().unwrap();
    assert!(output.status.success(), "{manifest}\n{}", text(&output.stderr));

    // A graph that a component brings along is for the manifest to allow.
    let (list, _) = json(&[&component("plain-nn-scorer")]);
    let stage = list[0]["stage"].as_str().unwrap();
    assert!(stage.contains("models = []\n") && stage.contains("load-graphs = \"0 B\"\n"));
}

#[test]
fn what_is_no_component_is_told_apart() {
    let (about, reason) = refused(b"this is a text\n");
    assert_eq!((&about["kind"], &*reason), (&"other".into(), "not a WebAssembly component"));
    assert_eq!((&about["size"], &about["compiled"]), (&15.into(), &Value::Null));

    let (about, reason) = refused(b"\0asm\x01\0\0\0");
    assert_eq!(about["kind"], "core-module");
    assert!(reason.contains("build it for the target wasm32-wasip2"), "{reason}");

    let wasm = std::fs::read(component("flight-features")).unwrap();
    let (about, reason) = refused(&wasm[..wasm.len() / 2]);
    assert_eq!(about["kind"], "component");
    assert!(reason.starts_with("not a valid component: "), "{reason}");

    // One that exports nothing.
    let (about, reason) = refused(b"\0asm\x0d\0\x01\0");
    assert!(reason.starts_with("not an operator"), "{reason}");
    assert_eq!((&about["world"], &about["contract"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_file_that_is_not_there_does_not_keep_the_others_from_their_answer() {
    let (list, success) = json(&["nowhere.wasm".as_ref(), &component("echo-extractor")]);
    assert!(!success);
    assert!(list[0]["reason"].as_str().unwrap().starts_with("No such file"), "{}", list[0]);
    assert_eq!((&list[0]["kind"], &list[1]["runnable"]), (&Value::Null, &true.into()));
}

#[test]
fn another_version_of_the_contract_is_named() {
    let ours = "sandbar:operator/extraction@0.1.0";
    let other = "sandbar:operator/extraction@0.9.0";
    let (about, reason) = refused(&renamed("echo-extractor", ours, other));
    assert!(reason.starts_with("built for sandbar:operator@0.9.0"), "{reason}");
    assert_eq!((&about["world"], &about["contract"]), (&"extractor".into(), &"0.9.0".into()));
    assert_eq!((&about["exports"][0], &about["runner-contract"]), (&other.into(), &"0.1.0".into()));
}

#[test]
fn an_import_that_is_not_here_is_named_with_the_way_out() {
    for (ours, other, way_out) in [
        ("wasi:cli/environment@0.2.", "wasi:http/outhandler@0.2.", "no operator has a network"),
        ("wasi:cli/environment@0.2.", "acme:dbs/environment@0.2.", "compose the component"),
        ("wasi:cli/environment@0.2.", "wasi:cli/environment@0.3.", "this runner has WASI 0.2"),
    ] {
        let (about, reason) = refused(&renamed("echo-extractor", ours, other));
        assert!(reason.contains(other) && reason.contains(way_out), "{reason}");
        let groups = about["imports"].as_array().unwrap();
        let missing: Vec<&Value> =
            groups.iter().filter(|group| group["behind"] == "missing").collect();
        let [missing] = missing[..] else { panic!("{groups:?}") };
        assert!(missing["interfaces"][0].as_str().unwrap().starts_with(other), "{missing}");
        assert!(missing["about"].as_str().unwrap().contains(way_out), "{missing}");
        assert_eq!(about["world"], "extractor");
    }
}

//! Manifests from outside: each `golden/manifest/NAME.toml` is read and compared
//! with `NAME.json`, the manifest with its defaults, or `NAME.err`, the exact
//! error; and the reference of the manifest names every key.

use std::collections::BTreeSet;
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use sandbar::manifest::ArtifactSource;
use sandbar::manifest::{Manifest, ManifestError};
use serde_json::Value;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn parse(name: &str) -> Result<std::result::Result<Manifest, ManifestError>> {
    let text = fs::read_to_string(here("golden/manifest").join(name))?;
    Ok(Manifest::parse(&text, Path::new(name)))
}

#[test]
fn golden_pairs() -> Result {
    let mut wrong = Vec::new();
    let mut pairs = 0;
    for entry in fs::read_dir(here("golden/manifest"))? {
        let path = entry?.path();
        if path.extension() != Some(OsStr::new("toml")) {
            continue;
        }
        pairs += 1;
        let name = path.file_name().and_then(OsStr::to_str).ok_or("a file without a name")?;
        let (json, err) = (path.with_extension("json"), path.with_extension("err"));
        match parse(name)? {
            Ok(manifest) => {
                let expected: Value = match fs::read_to_string(&json) {
                    Ok(text) => serde_json::from_str(&text)?,
                    Err(_) => Value::Null,
                };
                let manifest = serde_json::to_value(&manifest)?;
                if manifest != expected {
                    wrong.push(format!("{name}: expected {expected:#}, but it is {manifest:#}"));
                }
            }
            Err(error) => {
                let expected = fs::read_to_string(&err).unwrap_or_default();
                if error.to_string() != expected.trim_end() {
                    wrong.push(format!("{name}: expected\n{expected}but it is\n{error}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(pairs > 20, "only {pairs} pairs were found");
    Ok(())
}

#[test]
fn secrets_are_not_printed() -> Result {
    let manifest = parse("full.toml")??;
    let properties = manifest.consumer_properties();
    assert_eq!(properties.get("sasl.password").map(String::as_str), Some("let me in"));
    for text in [format!("{manifest:?}"), serde_json::to_string(&manifest)?] {
        assert!(!text.contains("let me in") && !text.contains("BEGIN PRIVATE"), "{text}");
    }
    Ok(())
}

#[test]
fn a_printed_manifest_is_the_same_manifest() -> Result {
    for name in ["full.toml", "minimal.toml", "template.toml", "secrets.toml"] {
        let mut manifest = parse(name)??;
        let printed = manifest.print();
        assert!(!printed.contains("let me in") && !printed.contains("BEGIN PRIVATE"), "{printed}");
        // Cases are left out, and where they stood cannot be seen.
        manifest.tests.clear();
        let again = Manifest::parse(&printed, Path::new(name))?;
        assert_eq!(serde_json::to_value(&again)?, serde_json::to_value(&manifest)?, "{printed}");
    }
    Ok(())
}

#[test]
fn values_from_files_lose_the_end_of_their_line() -> Result {
    let folder = std::env::temp_dir().join(format!("sandbar-manifest-{}", std::process::id()));
    fs::create_dir_all(folder.join("secrets"))?;
    fs::write(folder.join("secrets/client.key"), "a\nb\r\n")?;
    let text = fs::read_to_string(here("golden/manifest/secrets.toml"))?;
    let manifest = Manifest::parse(&text, &folder.join("p.toml"))?;
    let properties = manifest.producer_properties();
    assert_eq!(properties.get("ssl.key.pem").map(String::as_str), Some("a\nb"));
    assert_eq!(properties.get("sasl.password"), None);
    let missing = manifest.secrets().expect_err("there is no password").to_string();
    let due = "p.toml: [kafka] properties.\"sasl.password\": the environment variable KAFKA_PASSWORD is not set; set it, or name the right one here";
    assert!(missing.lines().any(|line| line.ends_with(due)), "{missing}");
    assert!(missing.contains("/run/secrets/images cannot be read"), "{missing}");
    fs::remove_dir_all(folder)?;
    Ok(())
}

#[test]
fn properties_of_one_end_go_over_those_of_both() -> Result {
    let text = fs::read_to_string(here("golden/manifest/minimal.toml"))?
        + "properties = { \"client.rack\" = \"a\", \"linger.ms\" = 7 }\n[kafka]\nproperties = { \"client.rack\" = \"b\" }";
    let manifest = Manifest::parse(&text, Path::new("m.toml"))?;
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    };
    assert_eq!(manifest.producer_properties(), map(&[("client.rack", "a"), ("linger.ms", "7")]));
    assert_eq!(manifest.consumer_properties(), map(&[("client.rack", "b")]));
    Ok(())
}

#[test]
fn the_command_line_names_the_brokers_first() -> Result {
    let full = parse("full.toml")??;
    assert_eq!(full.brokers(Some("other:1"))?, "other:1");
    assert_eq!(full.brokers(None)?, "kafka-1:9093,kafka-2:9093");
    let minimal = parse("minimal.toml")??;
    assert_eq!(minimal.brokers(Some("other:1"))?, "other:1");
    let error = minimal.brokers(None).expect_err("nothing names the brokers");
    assert_eq!(
        error.to_string(),
        "minimal.toml: no brokers configured; give --brokers HOST:PORT, or set brokers = \"HOST:PORT\" under [kafka]"
    );
    Ok(())
}

#[test]
fn paths_are_relative_to_the_manifest() -> Result {
    let text = fs::read_to_string(here("golden/manifest/full.toml"))?;
    let manifest = Manifest::parse(&text, Path::new("pipelines/eu/flights.toml"))?;
    let definition = sandbar::pipeline::Definition::from(manifest.clone());
    let paths = [
        definition.component(&manifest.stages[0])?,
        definition.component(&manifest.stages[1])?,
        match &manifest.models["flights"] {
            ArtifactSource::Path(folder) => manifest.resolve(folder),
            source => return Err(source.to_string().into()),
        },
    ];
    let expected = [
        "pipelines/eu/../operators/flight_features.wasm",
        "/opt/operators/tabular_score.wasm",
        "pipelines/eu/../models/flights-gbm",
    ];
    assert_eq!(paths, expected.map(PathBuf::from));
    Ok(())
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Manifest::load(Path::new("no/such.toml")).expect_err("there is no such file");
    assert!(
        error.to_string().starts_with("no/such.toml: the manifest cannot be read: "),
        "{error}"
    );
}

#[test]
fn the_pipelines_of_this_project_are_valid() -> Result {
    let Ok(folder) = fs::read_dir(here("../pipelines")) else { return Ok(()) };
    for entry in folder {
        let path = entry?.path();
        // The cases of a pipeline lie beside it.
        let cases = path.to_string_lossy().ends_with(".tests.toml");
        if path.extension() == Some(OsStr::new("toml")) && !cases {
            Manifest::load(&path)?;
        }
    }
    Ok(())
}

/// The keys of a manifest, as `[section] key`, in its own words.
fn keys(manifest: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (section, value) in members(manifest) {
        match (section.as_str(), value) {
            // What is in there has names that the author chooses.
            ("models", _) => drop(keys.insert("[models] NAME".to_owned())),
            ("stages", stages) => {
                for (key, value) in members(&stages[0]) {
                    if key == "limits" {
                        let limits = members(&value);
                        keys.extend(limits.keys().map(|key| format!("[stages.limits] {key}")));
                    } else {
                        keys.insert(format!("[[stages]] {key}"));
                    }
                }
            }
            ("sink", sink) => {
                let sink = members(&sink);
                let routes = sink.get("routes").and_then(Value::as_array).into_iter().flatten();
                // Each of them leaves out what it inherits.
                let routes = routes.flat_map(&members);
                keys.extend(routes.map(|(key, _)| format!("[[sink.routes]] {key}")));
                let own = sink.keys().filter(|key| *key != "routes");
                keys.extend(own.map(|key| format!("[sink] {key}")));
            }
            (section, Value::Object(table)) => {
                keys.extend(table.keys().map(|key| format!("[{section}] {key}")));
            }
            (key, _) => drop(keys.insert(key.to_owned())),
        }
    }
    keys
}

/// The keys of the tables in the reference: the first cell of each row, under the
/// section that the heading names.
fn documented(reference: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut section = None;
    for line in reference.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.split('`').nth(1).map(|name| if name == "name" { "" } else { name });
        } else if let (Some(section), Some(row)) = (section, line.strip_prefix("| `")) {
            let key = row.split('`').next().unwrap_or_default();
            keys.insert(format!("{section} {key}").trim().to_owned());
        }
    }
    keys
}

#[test]
fn the_reference_has_every_key_and_no_other() -> Result {
    let reference = fs::read_to_string(here("../docs/reference/manifest.md"))?;
    let accepted = keys(&serde_json::to_value(parse("full.toml")??)?);
    assert_eq!(documented(&reference), accepted);
    Ok(())
}

#[test]
fn the_example_of_the_reference_is_valid() -> Result {
    let reference = fs::read_to_string(here("../docs/reference/manifest.md"))?;
    let examples: Vec<&str> = reference
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|example| example.contains("[source]"))
        .collect();
    assert!(!examples.is_empty(), "there is no example in the reference");
    for example in examples {
        Manifest::parse(example, Path::new("manifest.md"))?;
    }
    Ok(())
}

proptest::proptest! {
    /// A manifest that was cut, doubled or overwritten somewhere is read or refused,
    /// and what refuses it names the file.
    #[test]
    fn any_damage_is_read_or_refused(from in 0..2000_usize, length in 0..60_usize, put in ".{0,8}") {
        let whole = fs::read_to_string(here("golden/manifest/full.toml"))?;
        let from = whole.floor_char_boundary(from);
        let to = whole.floor_char_boundary(from + length);
        let text = format!("{}{put}{}", &whole[..from], &whole[to..]);
        if let Err(error) = Manifest::parse(&text, Path::new("damaged.toml")) {
            for line in error.to_string().lines() {
                proptest::prop_assert!(!line.trim().is_empty(), "{}", error);
            }
            proptest::prop_assert!(error.to_string().starts_with("damaged.toml:"), "{}", error);
        }
    }
}

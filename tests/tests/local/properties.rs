//! librdkafka's properties in a manifest: which are refused, and whose values are hidden.
//!
//! `golden/manifest/properties.tsv` has all that librdkafka documents, each with what it is: `data`;
//! `reserved`, Sandbar's own; `secret`; `reads`, the file of a certificate or a key; `native`, code
//! or more than data. A person decided on each; a property of a new librdkafka fails the first test.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;

use rdkafka::bindings;
use sandbar::manifest::{Manifest, Trust};

const CLASSES: &str = include_str!("../../golden/manifest/properties.tsv");
const VALUE: &str = "hunter2";

unsafe extern "C" {
    fn fopen(path: *const c_char, mode: *const c_char) -> *mut c_void;
    fn fclose(file: *mut c_void) -> c_int;
}

fn classes() -> BTreeMap<&'static str, &'static str> {
    CLASSES.lines().map(|line| line.split_once('\t').unwrap()).collect()
}

/// The names in librdkafka's own table, `CONFIGURATION.md`.
fn documented() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("properties");
    let name = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the names end with a zero byte, and the file is open until it is closed.
    unsafe {
        let file = fopen(name.as_ptr(), c"w".as_ptr());
        assert!(!file.is_null());
        bindings::rd_kafka_conf_properties_show(file.cast());
        assert_eq!(fclose(file), 0);
    }
    let table = std::fs::read_to_string(path).unwrap();
    let rows = table.lines().filter(|line| line.matches('|').count() >= 5);
    let names = rows.map(|row| row.split('|').next().unwrap().trim().to_owned());
    names.filter(|name| name != "Property" && !name.starts_with("---")).collect()
}

fn manifest(section: &str, property: &str) -> String {
    let (source, sink) = match section {
        "source" => (format!("{property:?} = \"{VALUE}\""), String::new()),
        "sink" => (String::new(), format!("{property:?} = \"{VALUE}\"")),
        _ => (String::new(), String::new()),
    };
    let kafka = match section {
        "kafka" => format!("[kafka.properties]\n{property:?} = \"{VALUE}\"\n"),
        _ => String::new(),
    };
    format!(
        "name = \"p\"\nsource = {{ topics = [\"a\"], properties = {{ {source} }} }}\n\
         sink = {{ topic = \"b\", properties = {{ {sink} }} }}\n\
         [[stages]]\nname = \"s\"\ncomponent = \"s.wasm\"\n{kafka}"
    )
}

#[test]
fn each_property_of_librdkafka_is_known() {
    let names = documented();
    assert!(names.len() > 150, "{names:?}");
    let known = classes();
    let new: Vec<&String> =
        names.iter().filter(|name| !known.contains_key(name.as_str())).collect();
    assert!(new.is_empty(), "decide what they may do, in tests/golden/manifest/: {new:?}");
    // A build without TLS or SASL lists them all the same.
    let gone: Vec<&&str> = known.keys().filter(|name| !names.contains(&name.to_string())).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn what_is_code_needs_to_be_trusted() {
    let hidden =
        ["test.mock.num.brokers", "ut_handle_ProduceResponse"].map(|name| (name, "native"));
    for (name, class) in classes().into_iter().chain(hidden) {
        for section in ["kafka", "source", "sink"] {
            let text = manifest(section, name);
            let path = Path::new("p.toml");
            let result = Manifest::parse(&text, path).map_err(|error| error.to_string());
            match class {
                "native" => {
                    let error = result.unwrap_err();
                    let place = format!("[{section}] properties.{name:?}");
                    assert!(error.contains("--allow-native"), "{error}");
                    assert!(error.contains(name) && !error.contains(VALUE), "{place}: {error}");
                    Manifest::parse_trusting(&text, path, Trust::Native).unwrap();
                }
                "reserved" => assert!(result.unwrap_err().contains("managed by Sandbar"), "{name}"),
                _ => drop(result.unwrap()),
            }
        }
    }
}

#[test]
fn secrets_are_hidden_wherever_a_manifest_is_shown() {
    for (name, class) in classes() {
        for section in ["kafka", "source", "sink"] {
            let text = manifest(section, name);
            let Ok(manifest) = Manifest::parse(&text, Path::new("p.toml")) else { continue };
            let json = serde_json::to_string(&manifest).unwrap();
            for shown in [manifest.print(), format!("{manifest:?}"), json] {
                assert_eq!(!shown.contains(VALUE), class == "secret", "{name}: {shown}");
            }
        }
    }
}

#[test]
fn stores_start_no_programs_and_send_no_files() {
    let options = [
        "azure_use_azure_cli",
        "USE_AZURE_CLI",
        "credential_type",
        "azure_federated_token_file",
        "aws_web_identity_token_file",
        "container_authorization_token_file",
    ];
    for option in options {
        let text = manifest("", "")
            + &format!("[registry]\nlocation = \"s3://b/p\"\noptions = {{ {option} = \"x\" }}\n")
            + "[references]\nallow = [\"s3://b/p/\"]\n"
            + &format!("stores = {{ \"s3://b/p/\" = {{ {option} = \"x\" }} }}\n");
        let error = Manifest::parse(&text, Path::new("p.toml")).unwrap_err().to_string();
        assert_eq!(error.matches("--allow-native").count(), 2, "{option}: {error}");
        Manifest::parse_trusting(&text, Path::new("p.toml"), Trust::Native).unwrap();
    }
}

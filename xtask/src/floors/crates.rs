//! The order of the runner's crates.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::cargo;
use crate::metadata::Package;

/// The crates of `host/` by their folders, the lowest first. Each may use those before it.
const ORDER: [&str; 15] = [
    "builtin",
    "files",
    "record",
    "config",
    "telemetry",
    "confine",
    "model",
    "schemas",
    "inference",
    "sandbox",
    "registry",
    "manifest",
    "kafka",
    "pipeline",
    "sandbar",
];

/// Who may use a crate from outside, by the beginning of its name.
const RESERVED: [(&str, &[&str]); 3] = [
    ("rdkafka", &["host/kafka", "host/sandbar", "tests", "demo", "bench"]),
    ("tract-", &["host/inference", "tests"]),
    ("wasmtime", &["host/sandbox"]),
];

/// What the order does not say: a pipeline knows nothing of Kafka.
const APART: [(&str, &str); 1] = [("pipeline", "kafka")];

/// The edges that break the order.
pub fn problems(packages: &[Package]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for package in packages {
        let uses = package.dependencies.iter().map(|dependency| dependency.name.as_str());
        // For the tests and for the build as well, each once.
        for used in uses.collect::<BTreeSet<_>>() {
            problems.extend(edge_problem(package, used));
            problems.extend(reserved_problem(package, used));
        }
        if floor_of(&package.name).is_some() {
            let file = cargo::root().join(&package.folder).join("src/lib.rs");
            let text = std::fs::read_to_string(&file).context(file.display().to_string())?;
            problems.extend(list_problem(package, &text));
        }
        if is_new(package) {
            problems.push(format!(
                "{} has no floor: give it its place in ORDER of xtask/src/floors/crates.rs",
                package.folder
            ));
        }
    }
    Ok(problems)
}

/// The name of a crate as a floor: `kafka` of `sandbar-kafka`.
fn short(package: &str) -> &str {
    package.strip_prefix("sandbar-").unwrap_or(package)
}

fn floor_of(package: &str) -> Option<usize> {
    ORDER.iter().position(|floor| *floor == short(package))
}

/// `host/fuzz` stands above all of them.
fn is_new(package: &Package) -> bool {
    let name = package.folder.strip_prefix("host/");
    name.is_some_and(|name| name != "fuzz" && !ORDER.contains(&name))
}

fn edge_problem(package: &Package, used: &str) -> Option<String> {
    let user = floor_of(&package.name)?;
    let name = &package.name;
    let remedy = "move what both need into a lower crate (docs/architecture.md)";
    if APART.contains(&(short(name), short(used))) {
        return Some(format!(
            "{name} uses {used}: {} knows nothing of {}; {remedy}",
            short(name),
            short(used)
        ));
    }
    match floor_of(used) {
        Some(floor) if floor >= user => Some(format!(
            "{name} uses {used}: {} stands below {}; {remedy}",
            short(name),
            short(used)
        )),
        Some(_) => None,
        // What is above all floors, the fuzz targets among it.
        None if used.starts_with("sandbar") || used == "xtask" => {
            Some(format!("{name} uses {used}: {} stands below it; {remedy}", short(name)))
        }
        None => None,
    }
}

fn reserved_problem(package: &Package, used: &str) -> Option<String> {
    let (reserved, users) = RESERVED.iter().find(|(reserved, _)| used.starts_with(reserved))?;
    (!users.contains(&package.folder.as_str())).then(|| {
        format!(
            "{} uses {used}: only {} may use {reserved}{}",
            package.name,
            users.join(", "),
            if reserved.ends_with('-') { "*" } else { "" }
        )
    })
}

/// Whether the list in the documentation of a crate is that of its `Cargo.toml`.
fn list_problem(package: &Package, text: &str) -> Option<String> {
    let listed = listed(text)?;
    let named = package.dependencies.iter().map(|dependency| dependency.name.as_str());
    let named: BTreeSet<String> =
        named.filter(|name| floor_of(name).is_some()).map(|name| short(name).to_owned()).collect();
    (listed != named).then(|| {
        let list = |names: &BTreeSet<String>| {
            names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        format!(
            "{}: src/lib.rs says that it may use [{}], Cargo.toml names [{}]",
            package.name,
            list(&listed),
            list(&named)
        )
    })
}

/// The crates of "may use `sandbar-record`, `-config` and `-model`"; none if that is not a list.
fn listed(text: &str) -> Option<BTreeSet<String>> {
    let comment = text.lines().map_while(|line| line.strip_prefix("//!"));
    let comment = comment.collect::<Vec<_>>().join(" ");
    let (_, list) = comment.rsplit_once("may use ")?;
    if list.trim_start().starts_with("no other crate") {
        return Some(BTreeSet::new());
    }
    // To the end of the sentence.
    let list = list.split_once(". ").map_or(list, |(list, _)| list);
    let names = list.split('`').skip(1).step_by(2);
    let names: BTreeSet<String> = names
        .map(|name| name.strip_prefix("sandbar-").or(name.strip_prefix('-')).unwrap_or(name))
        .map(str::to_owned)
        .collect();
    (!list.contains("every crate")).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(folder: &str, name: &str, uses: &[&str]) -> Package {
        let dependency = |name: &&str| Dependency {
            name: (*name).to_owned(),
            versions: String::new(),
            is_foreign: false,
        };
        Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            dependencies: uses.iter().map(dependency).collect(),
        }
    }

    #[test]
    fn an_edge_upwards_is_named() {
        let kafka = package("host/kafka", "sandbar-kafka", &[]);
        assert_eq!(
            edge_problem(&kafka, "sandbar-pipeline").as_deref(),
            Some(
                "sandbar-kafka uses sandbar-pipeline: kafka stands below pipeline; move what \
                 both need into a lower crate (docs/architecture.md)"
            )
        );
        assert_eq!(edge_problem(&kafka, "sandbar-manifest"), None);
        assert!(edge_problem(&kafka, "sandbar-tests").is_some());
        let pipeline = package("host/pipeline", "sandbar-pipeline", &[]);
        assert!(edge_problem(&pipeline, "sandbar-kafka").is_some());
    }

    #[test]
    fn some_crates_are_only_for_some() {
        let of = |folder: &str| package(folder, folder, &[]);
        assert!(reserved_problem(&of("host/pipeline"), "rdkafka").is_some());
        assert_eq!(
            reserved_problem(&of("host/sandbox"), "tract-onnx").as_deref(),
            Some("host/sandbox uses tract-onnx: only host/inference, tests may use tract-*")
        );
        assert_eq!(reserved_problem(&of("host/sandbox"), "wasmtime-wasi"), None);
    }

    #[test]
    fn the_list_in_the_documentation_is_compared() {
        let text = "//! What it may use is `y`.\n//!\n//! It may use `sandbar-record`, `-config` and\n//! `-model`, and \
                    nothing of Kafka. Or `x`.\n\nmod a;";
        let uses = ["sandbar-config", "sandbar-record", "sandbar-model", "serde"];
        assert_eq!(list_problem(&package("host/a", "a", &uses), text), None);
        assert!(list_problem(&package("host/a", "a", &uses[1..]), text).is_some());
        assert_eq!(listed("//! It may use every crate above it but `x`."), None);
        assert_eq!(listed("//! It may use no other crate of the runner."), Some(BTreeSet::new()));
    }

    #[test]
    fn a_new_crate_needs_a_floor() {
        assert!(is_new(&package("host/attic", "sandbar-attic", &[])));
        assert!(!is_new(&package("host/fuzz", "sandbar-fuzz", &[])));
        assert!(!is_new(&package("demo", "sandbar-demo", &[])));
    }
}

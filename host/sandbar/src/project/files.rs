//! The files embedded in the command, and which of them form a project.

use super::language::Language;
use sandbar_sandbox::component::World;

/// Every file by its path in Sandbar's own folder.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The template of a pipeline of two.
pub(super) const PAIR: &str = "templates/pair/pipeline.toml.jinja";

/// The text of one file; empty if there is none.
pub(super) fn text(name: &str) -> &'static str {
    FILES.iter().find(|(found, _)| *found == name).map_or("", |(_, text)| text)
}

/// The files of a project of this kind: path and text. With `vendored`
/// including the SDK, which a project with an SDK elsewhere does not need.
pub(super) fn of(
    language: Language,
    world: World,
    vendored: bool,
) -> impl Iterator<Item = (String, &'static str)> {
    let folder = language.folder();
    let mut places = vec![
        ("templates/common/all".to_owned(), String::new()),
        (format!("templates/common/{world}"), String::new()),
        (format!("templates/{folder}/all"), String::new()),
        (format!("templates/{folder}/{world}"), String::new()),
    ];
    let mut place = |from: &str, to: &str| places.push((from.to_owned(), to.to_owned()));
    if language == Language::Rust {
        place("rust-toolchain.toml", "rust-toolchain.toml");
        // The versions that Sandbar is tested with; cargo drops unused ones.
        place("operators/Cargo.lock", "Cargo.lock");
    }
    if vendored {
        place("wit", "wit");
        match language {
            Language::Rust => {
                place("operators/sdk", "vendor/sandbar-operator");
                place("LICENSE", "vendor/sandbar-operator/LICENSE");
            }
            Language::Python => place("operators/sdk-python", "vendor"),
            Language::JavaScript => place("operators/sdk-javascript", "vendor"),
        }
        if language != Language::Rust {
            place("LICENSE", "vendor/LICENSE");
        }
    }
    FILES.iter().filter_map(move |(name, text)| {
        places.iter().find_map(|(from, to)| {
            let rest = name.strip_prefix(from.as_str())?;
            let path = match rest.strip_prefix('/') {
                Some(rest) if to.is_empty() => rest.to_owned(),
                Some(rest) => format!("{to}/{rest}"),
                None if rest.is_empty() => to.clone(),
                None => return None,
            };
            Some((path, *text))
        })
    })
}

//! What stages say that they read. Which of them can read which is known once their components
//! are: that is the plan's.

use sandbar_config::{KeyPath, nearest};

use crate::manifest::Manifest;

/// The name of what comes in, where a stage says what it reads.
pub const SOURCE: &str = "source";

/// All that is wrong with it, each with its place.
pub(super) fn problems(manifest: &Manifest) -> Vec<(KeyPath, String)> {
    let names: Vec<&str> = manifest.stages.iter().map(|stage| stage.name.as_str()).collect();
    let mut problems = Vec::new();
    let readers = manifest.stages.iter().enumerate().map(|(number, stage)| {
        (KeyPath::of("stages").index(number), &names[..number], &stage.from)
    });
    let sink = (KeyPath::of("sink"), names.as_slice(), &manifest.sink.from);
    for (place, before, from) in readers.chain([sink]) {
        let own = names.get(before.len()).copied();
        for (index, name) in from.iter().enumerate() {
            if let Some(problem) = problem(name, &from[..index], before, own, &names) {
                problems.push((place.clone().key("from").index(index), problem));
            }
        }
    }
    for (number, stage) in manifest.stages.iter().enumerate() {
        for (given, column) in &stage.columns {
            if given.is_empty() || column.is_empty() {
                let place = KeyPath::of("stages").index(number).key("columns").key(given);
                let message = "must not be empty; write NEW = \"COLUMN\", as in \
                               risk = \"score.probabilities.YES\"";
                problems.push((place, message.to_owned()));
            }
        }
    }
    problems
}

/// What is wrong with one of the names that a stage, its `own` name, reads from; `listed` are those
/// that it names before.
fn problem(
    name: &str,
    listed: &[String],
    before: &[&str],
    own: Option<&str>,
    all: &[&str],
) -> Option<String> {
    if listed.iter().any(|other| other == name) {
        return Some(format!("'{name}' is listed twice; list it once"));
    }
    if name == SOURCE || before.contains(&name) {
        return None;
    }
    if own == Some(name) {
        return Some(format!(
            "'{name}' is the stage itself; name a stage before it, or '{SOURCE}'"
        ));
    }
    if all.contains(&name) {
        return Some(format!("'{name}' comes later; a stage reads what stages before it make"));
    }
    let known = nearest(name, before.iter().copied().chain([SOURCE]));
    Some(match known {
        Some(known) => format!("there is no stage '{name}'; did you mean '{known}'?"),
        None => {
            let known: Vec<&str> = [SOURCE].into_iter().chain(before.iter().copied()).collect();
            format!("there is no stage '{name}'; before it there are {}", known.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::manifest::Manifest;

    fn errors(stages: &str) -> String {
        let text = format!(
            "name = \"p\"\nsource = {{ topics = [\"t\"] }}\nsink = {{ topic = \"s\" }}\n{stages}"
        );
        match Manifest::parse(&text, Path::new("p.toml")) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_read_comes_before() {
        let stage = |name: &str, more: &str| {
            format!("[[stages]]\nname = \"{name}\"\ncomponent = \"x.wasm\"\n{more}\n")
        };
        let two = |more: &str| errors(&(stage("one", "") + &stage("two", more)));
        assert_eq!(two("from = \"one\""), "");
        assert_eq!(two("from = [\"one\", \"source\"]"), "");
        for (more, expected) in [
            ("from = \"two\"", "p.toml:11: [[stages]] 'two' from[0]: 'two' is the stage itself"),
            ("from = [\"one\", \"one\"]", "'one' is listed twice"),
            ("from = \"onee\"", "there is no stage 'onee'; did you mean 'one'?"),
            ("from = \"weather\"", "there is no stage 'weather'; before it there are source, one"),
            ("from = 1", "expected a name, or a list of names"),
            ("columns = { x = \"\" }", "must not be empty"),
        ] {
            let found = two(more);
            assert!(found.contains(expected), "{found}");
        }
        let later = errors(&(stage("one", "from = \"two\"") + &stage("two", "")));
        assert!(later.contains("'two' comes later"), "{later}");
    }
}

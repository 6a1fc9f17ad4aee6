//! Names of pipelines, stages, models and versions.

/// Characters of a name at most: as many as Kafka takes for a topic.
const NAME_LENGTH: usize = 249;

/// What is wrong with the name of a pipeline, a stage or a model.
pub fn name_problem(name: &str) -> Option<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() {
        return Some("must not be empty; give it a name".to_owned());
    }
    if name.len() > NAME_LENGTH {
        return Some(format!("a name can have at most {NAME_LENGTH} characters"));
    }
    (!name.chars().all(fine) || name == "." || name == "..").then(|| {
        format!("'{name}' is not a valid name; use letters, digits, '-', '_' and '.', as in 'flights-eu'")
    })
}

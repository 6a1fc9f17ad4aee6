//! Which columns a scorer is given, and under which names: those of an extractor under their own,
//! those of a prediction as its JSON has them, below the name of its stage.

use std::collections::BTreeMap;

use sandbar_config::nearest;
use sandbar_sandbox::{Field, FieldType, OutputSchema, check};

/// The columns of a scorer, and where each is.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    /// As the scorer is given them.
    pub(crate) fields: Vec<Field>,
    /// For each of these the step that makes it, and its index there.
    pub(crate) picks: Vec<(usize, usize)>,
}

impl Columns {
    /// All columns of these steps, in their order; `renamed` has other names for some, by these.
    ///
    /// # Errors
    /// If two have the same name, one that is renamed does not exist, or there are more than a
    /// scorer may be given.
    pub(crate) fn new(
        inputs: &[(usize, &[Field])],
        renamed: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let all = || {
            inputs.iter().flat_map(|(step, fields)| {
                fields.iter().enumerate().map(move |(at, field)| ((*step, at), field))
            })
        };
        for column in renamed.values() {
            if !all().any(|(_, field)| field.name == *column) {
                let known = nearest(column, all().map(|(_, field)| field.name.as_str()));
                let known = known.map(|known| format!("; did you mean '{known}'?"));
                let known = known.unwrap_or_default();
                return Err(format!(
                    "columns: nothing that it reads has a column '{column}'{known}"
                ));
            }
        }
        let mut columns = Columns { fields: Vec::new(), picks: Vec::new() };
        for (pick, field) in all() {
            let mut names: Vec<&String> =
                renamed.iter().filter(|(_, old)| **old == field.name).map(|(new, _)| new).collect();
            if names.is_empty() {
                names.push(&field.name);
            }
            for name in names {
                columns.fields.push(Field { name: name.clone(), ty: field.ty.clone() });
                columns.picks.push(pick);
            }
        }
        check::fields(&columns.fields).map_err(|what| {
            format!("the columns that it is given: {what}; 'columns' gives one another name")
        })?;
        Ok(columns)
    }
}

/// A prediction as columns: the label as text, and each number.
///
/// # Errors
/// If a class has no name: as a label it would be a missing value.
pub(crate) fn prediction_fields(stage: &str, output: &OutputSchema) -> Result<Vec<Field>, String> {
    let number = |part: &str, name: &String| Field {
        name: format!("{stage}.{part}.{name}"),
        ty: FieldType::Number,
    };
    match output {
        OutputSchema::Classes(classes) if classes.iter().any(String::is_empty) => Err(format!(
            "a class of '{stage}' has an empty name, which as a column's text is a missing value: \
             its predictions cannot be columns"
        )),
        OutputSchema::Classes(classes) => {
            let label = Field { name: format!("{stage}.label"), ty: FieldType::Text };
            let numbers = classes.iter().map(|class| number("probabilities", class));
            Ok([label].into_iter().chain(numbers).collect())
        }
        OutputSchema::Values(names) => {
            Ok(names.iter().map(|name| number("values", name)).collect())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use super::*;

    fn texts(fields: &[Field]) -> Vec<&str> {
        fields.iter().map(|field| field.name.as_str()).collect()
    }

    #[test]
    fn predictions_are_columns_by_the_names_of_their_json() {
        let classes = OutputSchema::Classes(vec!["NO".into(), "YES".into()]);
        let fields = prediction_fields("delay", &classes).unwrap();
        let names = ["delay.label", "delay.probabilities.NO", "delay.probabilities.YES"];
        assert_eq!(texts(&fields), names);
        assert_eq!((&fields[0].ty, &fields[1].ty), (&FieldType::Text, &FieldType::Number));
        let values = OutputSchema::Values(vec!["predict".into()]);
        assert_eq!(texts(&prediction_fields("fare", &values).unwrap()), ["fare.values.predict"]);
        let nameless = OutputSchema::Classes(vec!["NO".into(), String::new()]);
        assert!(prediction_fields("delay", &nameless).unwrap_err().contains("empty name"));
    }

    #[test]
    fn columns_are_renamed_and_told_apart() {
        let field = |name: &str| Field { name: name.into(), ty: FieldType::Number };
        let (one, two) = ([field("a"), field("b")], [field("c")]);
        let inputs: [(usize, &[Field]); 2] = [(0, &one), (3, &two)];
        let renamed = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(new, old)| ((*new).to_owned(), (*old).to_owned()));
            Columns::new(&inputs, &pairs.collect())
        };
        let plain = renamed(&[]).unwrap();
        assert_eq!(texts(&plain.fields), ["a", "b", "c"]);
        assert_eq!(plain.picks, [(0, 0), (0, 1), (3, 0)]);
        // Under two names: it is the same column.
        let given = renamed(&[("x", "c"), ("y", "c"), ("c", "a")]).unwrap();
        assert_eq!(texts(&given.fields), ["c", "b", "x", "y"]);
        assert_eq!(given.picks, [(0, 0), (0, 1), (3, 0), (3, 0)]);
        let absent = renamed(&[("x", "cc")]).unwrap_err();
        assert!(absent.contains("has a column 'cc'; did you mean 'c'?"), "{absent}");
        let twice = renamed(&[("b", "c")]).unwrap_err();
        assert!(twice.contains("the feature 'b' is declared twice; 'columns' gives"), "{twice}");
    }
}

//! What stands behind the trees: parameters of the training, and pandas' categories.

use serde_json::Value;

use crate::domain::Domain;
use crate::error::Error;
use crate::features::Feature;
use crate::header::END_OF_TREES;
use crate::limits::{self, Limits};
use crate::text::Lines;

/// What the line of pandas' categories begins with.
const PANDAS: &str = "pandas_categorical:";
/// The parameter that numbers the columns of categories.
const CATEGORICAL: &str = "[categorical_feature: ";
/// The part of the file, for messages.
const PART: &str = "end of the file";

/// Reads what stands behind the trees, and gives columns their pandas categories.
pub(crate) fn read(
    lines: &mut Lines<'_>,
    features: &mut [Feature],
    limits: &Limits,
) -> Result<(), Error> {
    if lines.next().is_none_or(|line| line.text != END_OF_TREES) {
        return Err(Error::damaged(PART, format!("there is no line '{END_OF_TREES}'")));
    }
    let mut section = None;
    // LightGBM writes them even where there is nothing to say.
    let mut has_parameters = false;
    let mut columns = None;
    let mut pandas = None;
    for line in lines {
        // Python writes this line as its system ends lines.
        let text = line.text.strip_suffix('\r').unwrap_or(line.text);
        if pandas.is_some() && !text.is_empty() {
            return Err(line.error(format!("stands behind {PANDAS}, which ends the file")));
        }
        match (section, text) {
            (None, "parameters:") => {
                section = Some("end of parameters");
                has_parameters = true;
            }
            (None, "parser:") => section = Some("end of parser"),
            (Some(end), _) if text == end => section = None,
            (Some(_), _) => {
                let parameter = text.strip_prefix(CATEGORICAL);
                columns = columns.or(parameter.and_then(|list| list.strip_suffix(']')));
            }
            (None, "") => {}
            (None, "feature_importances:" | "feature importances:") if !has_parameters => {}
            // How often a feature is tested.
            (None, _) if !has_parameters && text.contains('=') => {}
            (None, _) => {
                let json = text.strip_prefix(PANDAS).filter(|_| has_parameters);
                pandas = Some((line, json.ok_or_else(|| line.error("stands in no known place"))?));
            }
        }
    }
    let missing = if has_parameters { section } else { Some("parameters:") };
    if let Some(line) = missing {
        return Err(Error::damaged(PART, format!("there is no line '{line}'")));
    }
    let Some((line, json)) = pandas else { return Ok(()) };
    let lists: Option<Vec<Vec<Value>>> = serde_json::from_str(json)
        .map_err(|error| line.error(format!("{PANDAS} no lists of JSON: {error}")))?;
    let lists = lists.unwrap_or_default();
    let count = lists.iter().map(Vec::len).sum::<usize>() as u64;
    limits::check(|| "categories".into(), count, limits.categories, "categories")?;
    if lists.is_empty() {
        return Ok(());
    }
    let columns = columns.and_then(numbers).unwrap_or_default();
    if columns.len() != lists.len() {
        // Of a pandas column whose categories have an order, training makes numbers. Its list
        // is among the others, but no line says which column it is.
        return Err(Error::Unsupported {
            what: format!(
                "line {}: {PANDAS} {} lists for {} columns in the parameter categorical_feature, \
                 so that nothing says whose they are,",
                line.number,
                lists.len(),
                columns.len()
            ),
            supported: "one list for each such column (pandas categories without an order); or no \
                        such line, and categories handed over as their numbers"
                .into(),
        });
    }
    for (index, (column, list)) in columns.into_iter().zip(lists).enumerate() {
        let feature = features.get_mut(column).ok_or_else(|| {
            Error::contradiction(
                PART,
                "categorical_feature",
                format!("there is no column {column}"),
            )
        })?;
        feature.set_domain(Domain::new(&format!("list {index}"), list)?)?;
    }
    Ok(())
}

/// Numbers that ascend, with commas between them.
fn numbers(list: &str) -> Option<Vec<usize>> {
    let numbers: Option<Vec<usize>> = list.split(',').map(|number| number.parse().ok()).collect();
    numbers.filter(|numbers| numbers.is_sorted_by(|a, b| a < b))
}

//! A model of XGBoost through the operator, with what XGBoost said of held-out rows.

use std::path::{Path, PathBuf};

use sandbar_operator::testing::{Cell, Features, Stage};
use sandbar_operator::{Error, Field, Output};
use tabular_score::TabularScore;

/// The columns of categories, which the model knows by their names.
const TEXTS: [&str; 4] = ["state", "area_code", "international_plan", "voice_mail_plan"];
const LABELS: &str = r#"{ "labels": ["no", "yes"] }"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/churn-xgboost")
}

fn stage(description: &str) -> Result<Stage, Error> {
    let model = std::fs::read(folder().join("model.ubj"))?;
    Ok(Stage::new().model("churn", model).description("churn", description))
}

/// The rows of the model's samples: a cell for each column.
fn samples() -> Result<(Vec<String>, Vec<Vec<String>>), Error> {
    let text = std::fs::read_to_string(folder().join("samples.csv"))?;
    let mut rows = text.lines().map(|line| line.split(',').map(str::to_owned).collect());
    let header = rows.next().ok_or("no header")?;
    Ok((header, rows.collect()))
}

fn field(name: &str) -> Field {
    if TEXTS.contains(&name) { Field::text(name) } else { Field::number(name) }
}

fn cells(names: &[String], row: &[String]) -> Result<Vec<Cell>, Error> {
    let cells = names.iter().zip(row).map(|(name, text)| match TEXTS.contains(&name.as_str()) {
        true => Ok(Cell::text(text.as_str())),
        false => Ok(Cell::Number(text.parse()?)),
    });
    cells.collect()
}

#[test]
fn held_out_customers_are_scored_as_by_xgboost() -> Result<(), Error> {
    let (header, rows) = samples()?;
    let (names, answers) = header.split_at(header.len() - 2);
    assert_eq!(answers, ["label", "probabilities.yes"]);
    let fields: Vec<Field> = names.iter().map(|name| field(name)).collect();
    let mut scorer = stage(LABELS)?.scorer::<TabularScore>(&fields)?;
    assert_eq!(*scorer.output(), Output::Classes(vec!["no".into(), "yes".into()]));
    for row in &rows {
        let features = Features::new(fields.clone()).row(cells(names, row)?);
        let prediction = scorer.score(&features).remove(0)?;
        let expected: f64 = row[names.len() + 1].parse()?;
        assert_eq!(prediction.numbers()[1], expected, "{row:?}");
        assert_eq!(prediction.label(), Some(row[names.len()].as_str()), "{row:?}");
    }
    assert_eq!(rows.len(), 12);
    Ok(())
}

/// The number of a category in the model is not the number that a record may have: nobody may
/// hand over the one for the other.
#[test]
fn numbers_for_named_categories_are_refused() -> Result<(), Error> {
    let (header, _) = samples()?;
    let names = &header[..header.len() - 2];
    let fields: Vec<Field> = names.iter().map(|name| Field::number(name.as_str())).collect();
    let error = stage(LABELS)?.scorer::<TabularScore>(&fields).err().ok_or("it is taken")?;
    assert!(error.message().contains("feature 'state': expected a category"), "{error:?}");
    Ok(())
}

#[test]
fn a_column_that_is_not_there_is_refused_unless_it_may_be_missing() -> Result<(), Error> {
    let (header, rows) = samples()?;
    let names = &header[1..header.len() - 2];
    let fields: Vec<Field> = names.iter().map(|name| field(name)).collect();
    let error = stage(LABELS)?.scorer::<TabularScore>(&fields).err().ok_or("it is taken")?;
    assert!(error.message().contains("features state: no such columns"), "{error:?}");
    let mut scorer = stage(LABELS)?
        .config(r#"{ "missing_column": "missing" }"#)
        .scorer::<TabularScore>(&fields)?;
    let features = Features::new(fields).row(cells(names, &rows[0][1..])?);
    scorer.score(&features).remove(0)?;
    Ok(())
}

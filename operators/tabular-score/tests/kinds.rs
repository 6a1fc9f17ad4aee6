//! One model of each kind, from a table of text to predictions, against H2O's own scorer: the
//! names of values, rows that are rewritten for the model, columns that it makes by itself.

use std::path::Path;

use h2o_mojo::Model;
use sandbar_operator::testing::{Cell, Features, Stage};
use sandbar_operator::{Error, Field, Output};
use tabular_score::TabularScore;

const MODELS: [&str; 10] = [
    "ensemble-binomial",
    "kmeans",
    "isotonic",
    "ae-dropout",
    "pca",
    "uplift-kl",
    "coxph-interactions-mixed",
    "gam-gaussian",
    "rulefit-both-multinomial",
    "gbm-encoded-onehotexplicit",
];

fn read(name: &str, ending: &str) -> Result<Vec<u8>, Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../h2o-mojo/testdata");
    Ok(std::fs::read(folder.join(format!("{name}{ending}")))?)
}

/// Lines of cells, the header first.
fn table(name: &str, ending: &str) -> Result<Vec<Vec<String>>, Error> {
    let text = String::from_utf8(read(name, ending)?)?;
    Ok(text.lines().map(|line| line.split(',').map(String::from).collect()).collect())
}

#[test]
fn every_kind_of_model_scores_as_in_java() -> Result<(), Error> {
    for name in MODELS {
        let model = Model::read(&read(name, ".zip")?)?;
        let rows = table(name, ".rows.csv")?;
        // Categories as text and numbers as numbers; what no model knows is left out.
        let field = |column: &String| match model.features().iter().find(|it| it.name() == column) {
            Some(feature) if feature.domain().is_some() => Field::text(column),
            _ => Field::number(column),
        };
        let fields: Vec<Field> = rows[0].iter().map(field).collect();
        let is_known = |field: &Field| model.features().iter().any(|it| it.name() == field.name);
        let known: Vec<bool> = fields.iter().map(is_known).collect();
        assert_eq!(known.iter().filter(|it| **it).count(), model.features().len(), "{name}");
        let only = |items: Vec<Field>| items.into_iter().zip(&known).filter(|(_, it)| **it);
        let wanted: Vec<Field> = only(fields).map(|(field, _)| field).collect();

        let mut scorer = Stage::new()
            .config(r#"{ "unknown_category": "missing", "missing_column": "fail" }"#)
            .model("model", read(name, ".zip")?)
            .scorer::<TabularScore>(&wanted)?;
        let mut features = Features::new(wanted.clone());
        for row in &rows[1..] {
            let cells = row.iter().zip(&known).filter(|(_, known)| **known).map(|(cell, _)| cell);
            features = features.row(wanted.iter().zip(cells).map(|(field, cell)| {
                let categorical = Field::text(&field.name) == *field;
                match cell.as_str() {
                    "NA" if categorical => Cell::text(""),
                    "NA" => Cell::Number(f64::NAN),
                    text if categorical => Cell::text(text),
                    text => Cell::Number(text.parse().unwrap_or(f64::NAN)),
                }
            }));
        }

        let golden = table(name, ".golden.csv")?;
        if let Output::Values(names) = scorer.output()
            && golden[0] != ["value"]
        {
            assert_eq!(*names, golden[0], "{name}");
        }
        for (row, (answer, expected)) in
            scorer.score(&features).iter().zip(&golden[1..]).enumerate()
        {
            let first = &expected[0];
            if first == "error" || first == "NaN" {
                assert!(answer.is_err(), "{name}: row {row}: {answer:?}");
                continue;
            }
            let answer = answer.as_ref().map_err(|failure| format!("{name}: {failure}"))?;
            let numbers = match answer.label() {
                Some(label) => {
                    assert_eq!(label, first, "{name}: row {row}");
                    &expected[1..]
                }
                None => &expected[..],
            };
            let numbers: Vec<f64> =
                numbers.iter().map(|it| it.parse()).collect::<Result<_, _>>()?;
            assert_eq!(answer.numbers(), numbers, "{name}: row {row}");
        }
    }
    Ok(())
}

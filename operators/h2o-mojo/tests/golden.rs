//! Every model of `testdata` against the results of H2O's own scorer.

mod support;

use std::collections::BTreeMap;
use std::fs;

use h2o_mojo::{Algorithm, Category, Model, Predictions, Schema, Scorer};
use support::page::Compared;
use support::{Result, Table, compare, crate_folder, page, score, zoo, zoo_bytes};

/// What is not supported, and what the error says of it.
fn refusal(name: &str) -> Option<&'static str> {
    match name {
        "dl-enum-limited" => Some("categorical encoding 'null'"),
        "gbm-sharp" => Some("a column named '# sharp' is not supported"),
        "uplift-encoded-binary" => Some("categorical encoding 'Binary'"),
        "gam-is-cubic" => {
            Some("an additive model with I-splines or M-splines beside another curve")
        }
        name if name.starts_with("glrm") => {
            Some("algorithm 'glrm' (H2O's scorer begins each row with random numbers")
        }
        _ => None,
    }
}

/// Whatever is computed in double precision has H2O's very bits.
fn tolerance(name: &str, model: &Model) -> f64 {
    match (model.algorithm(), model.category()) {
        (Algorithm::DeepLearning, Category::Binomial | Category::Multinomial) => 1e-6,
        // Java's powers have another last bit in one of a thousand cases; only this link needs any.
        (Algorithm::Glm, Category::Regression) if name.ends_with("-power") => 1e-15,
        // So have Java's powers here, and logarithms of an even number of columns.
        (Algorithm::Gam, _) if name.contains("-tp") => 2e-15,
        _ => 0.0,
    }
}

fn table(name: &str) -> Result<Table> {
    Ok(Table::parse(&fs::read(crate_folder().join("testdata").join(name))?))
}

#[test]
fn every_model_scores_as_in_java() -> Result {
    let mut comparison = Comparison::default();
    for name in zoo()? {
        let model = match (Model::read(&zoo_bytes(&name)?), refusal(&name)) {
            (Err(error), Some(message)) => {
                let error = error.to_string();
                assert!(error.starts_with(message), "{name}: {error}");
                comparison.refuse(&name, &error);
                continue;
            }
            (Ok(_), Some(_)) => return Err(format!("{name} is not refused").into()),
            (model, None) => model.map_err(|error| format!("{name}: {error}"))?,
        };
        let input = table(&format!("{name}.rows.csv"))?;
        let rows = input.rows(&model);
        let golden = table(&format!("{name}.golden.csv"))?;
        let largest = compare(&name, &model, &score(&model, &rows, None)?, &golden)?;
        println!("{name}: {} rows, {largest:e}", golden.lines.len());
        if !model.outputs().is_empty() && model.category() != Category::Regression {
            assert_eq!(golden.header, model.outputs(), "{name}");
        }
        assert!(largest <= tolerance(&name, &model), "{name}: differs by {largest:e}");

        // A few rows at a time, with one scorer, end in the middle of blocks and lanes.
        let all = score(&model, &rows, None)?;
        let mut scorer = model.scorer();
        let mut pieces = Predictions::default();
        let mut values = vec![];
        for rows in rows.chunks(7 * model.features().len()) {
            scorer.score(rows, None, &mut pieces)?;
            values.extend_from_slice(pieces.values());
        }
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&values), bits(all.values()), "{name}: in pieces");
        comparison.add(kind(&model), golden.lines.len(), largest);
    }
    page::check("h2o-mojo", &comparison.table())
}

/// What a row of the table of compared models is of: an algorithm, and what sets models apart.
fn kind(model: &Model) -> String {
    let algorithm = model.algorithm();
    match model.category() {
        Category::AutoEncoder => format!("`{algorithm}`, auto-encoders"),
        Category::Regression => format!("`{algorithm}`, numbers"),
        _ if model.classes().is_empty() => format!("`{algorithm}`"),
        _ => format!("`{algorithm}`, classes"),
    }
}

/// What has been compared.
#[derive(Default)]
struct Comparison {
    kinds: BTreeMap<String, Compared>,
    refused: Vec<String>,
}

impl Comparison {
    fn add(&mut self, kind: String, rows: usize, difference: f64) {
        let has_labels = kind.ends_with("classes");
        let entry = self.kinds.entry(kind).or_default();
        entry.models += 1;
        entry.rows += rows;
        entry.has_labels = has_labels;
        entry.difference = entry.difference.max(difference);
    }

    fn refuse(&mut self, name: &str, error: &str) {
        let what = error.split(" is not supported").next().unwrap_or_default();
        // A bar would end the cell.
        self.refused.push(format!("`{name}`: {}", what.replace('|', "\\|")));
    }

    /// Labels are equal wherever there are any: the comparison fails otherwise.
    fn table(&self) -> String {
        let mut lines = vec![page::table("H2O", &self.kinds)];
        lines.push(String::new());
        lines.push("Refused, of the models in `testdata`:".into());
        lines.push(String::new());
        lines.extend(self.refused.iter().map(|what| format!("- {what}")));
        lines.join("\n")
    }
}

#[test]
fn offsets_count_as_in_java() -> Result {
    let mut scored = 0;
    for name in zoo()?.iter().filter(|name| name.ends_with("-offset")) {
        let model = Model::read(&zoo_bytes(name)?)?;
        let input = table(&format!("{name}.rows.csv"))?;
        let column = model.offset_column().and_then(|column| input.column(column));
        let column = column.ok_or("no offset column")?;
        let offsets = input.lines.iter().map(|line| str::from_utf8(&line[column]).unwrap_or(""));
        let offsets: Vec<f64> = offsets.map(str::parse).collect::<std::result::Result<_, _>>()?;
        let golden = table(&format!("{name}.offset.golden.csv"))?;
        let predictions = score(&model, &input.rows(&model), Some(&offsets))?;
        let largest = compare(name, &model, &predictions, &golden)?;
        assert_eq!(largest, 0.0, "{name}");
        scored += 1;
    }
    assert_eq!(scored, 8);
    Ok(())
}

/// Who makes rows by a schema makes those that the model takes.
#[test]
fn a_schema_has_the_columns_of_a_row() -> Result {
    for name in zoo()?.iter().filter(|name| refusal(name).is_none()) {
        let bytes = zoo_bytes(name)?;
        let (model, schema) = (Model::read(&bytes)?, Schema::read(&bytes)?);
        let features = model.features().iter();
        let features = features.map(|feature| (feature.name(), feature.domain().is_some()));
        let columns = schema.columns().iter();
        let columns = columns.map(|column| (column.name.as_str(), column.is_categorical));
        assert!(features.eq(columns), "{name}: {:?}", schema.columns());
        assert_eq!(schema.offset_column(), model.offset_column(), "{name}");
    }
    Ok(())
}

/// The default threshold of these models is the very probability of some of these rows.
#[test]
fn a_row_at_the_threshold_has_the_label_of_java() -> Result {
    let mut at_threshold = 0;
    let is_near = |name: &&String| name.starts_with("dl-threshold-") || *name == "drf-single-tree";
    for name in zoo()?.iter().filter(is_near) {
        let model = Model::read(&zoo_bytes(name)?)?;
        let threshold = model.default_threshold().ok_or("no threshold")?;
        let predictions = score(&model, &table(&format!("{name}.rows.csv"))?.rows(&model), None)?;
        for (values, label) in predictions.values().chunks_exact(2).zip(predictions.labels()) {
            if (values[1] - threshold).abs() < 1e-12 {
                at_threshold += 1;
                assert_eq!(*label, u32::from(values[1] >= threshold), "{name}");
            }
        }
    }
    assert!(at_threshold >= 8, "only {at_threshold} rows are at a threshold");
    Ok(())
}

#[test]
fn an_empty_text_is_the_category_of_that_name_if_there_is_one() -> Result {
    let few = |name: &str| -> Result<h2o_mojo::Feature> {
        let model = Model::read(&zoo_bytes(name)?)?;
        Ok(model.features().iter().find(|f| f.name() == "few").ok_or("no column")?.clone())
    };
    assert_eq!(few("gbm-empty-level")?.value(b""), Ok(0.0));
    assert_eq!(few("gbm-bernoulli")?.value(b""), Err(h2o_mojo::ValueError::UnknownCategory));
    Ok(())
}

#[test]
fn calibrated_probabilities_stand_beside_the_others() -> Result {
    for (name, calibrated) in
        [("gbm-platt", true), ("drf-isotonic", true), ("gbm-bernoulli", false)]
    {
        let model = Model::read(&zoo_bytes(name)?)?;
        assert_eq!(model.is_calibrated(), calibrated, "{name}");
        let rows = table(&format!("{name}.rows.csv"))?.rows(&model);
        let predictions = score(&model, &rows, None)?;
        let count = if calibrated { predictions.values().len() } else { 0 };
        assert_eq!(predictions.calibrated().len(), count, "{name}");
    }
    Ok(())
}

#[test]
fn an_unknown_category_is_an_error_or_missing_as_the_caller_likes() -> Result {
    let model = Model::read(&zoo_bytes("gbm-bernoulli")?)?;
    let many = model.features().iter().find(|f| f.name() == "many").ok_or("no column")?;
    assert_eq!(many.value(b"unseen"), Err(h2o_mojo::ValueError::UnknownCategory));
    let known = many.domain().and_then(|domain| domain.levels().first()).ok_or("no level")?;
    assert_eq!(many.value(known.as_bytes()), Ok(0.0));
    let number = model.features().iter().find(|f| f.domain().is_none()).ok_or("no number")?;
    assert_eq!(number.value(b"seven"), Err(h2o_mojo::ValueError::NotANumber));
    Ok(())
}

#[test]
fn lengths_that_do_not_fit_are_errors() -> Result {
    let model = Model::read(&zoo_bytes("gbm-bernoulli")?)?;
    let width = model.features().len();
    assert!(score(&model, &vec![0.0; width + 1], None).is_err());
    assert!(score(&model, &vec![0.0; width], Some(&[0.0, 0.0])).is_err());
    assert_eq!(score(&model, &[], None)?.len(), 0);
    Ok(())
}

#[test]
fn a_model_is_shared_by_threads_and_a_scorer_moves_to_one() {
    fn shared<T: Send + Sync + 'static>() {}
    fn moved<T: Send + 'static>() {}
    shared::<Model>();
    moved::<Scorer>();
}

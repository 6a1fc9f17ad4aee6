//! Every model of `testdata` against the results of LightGBM itself.

mod support;

use std::collections::BTreeMap;

use lightgbm_model::{Category, Feature, Model, Predictions, Schema, Scorer, ValueError};
use support::page::{self, Compared};
use support::{Golden, Result, difference, score, zoo, zoo_model, zoo_text};

/// What is not supported, and what the error says of it.
fn refusal(name: &str) -> Option<&'static str> {
    match name {
        "pandas-ordered" => Some("2 lists for 1 columns in the parameter categorical_feature"),
        _ => None,
    }
}

/// The logarithm of this objective is the platform's.
fn tolerance(name: &str) -> f64 {
    if name.ends_with("cross-entropy-lambda") { 1e-15 } else { 0.0 }
}

#[test]
fn every_model_scores_as_by_lightgbm() -> Result {
    let (mut scored, mut compared) = (0, 0);
    let mut kinds: BTreeMap<String, Compared> = BTreeMap::new();
    for name in zoo()? {
        let text = zoo_text(&name)?;
        let model = match (Model::read(text.as_bytes()), refusal(&name)) {
            (Err(error), Some(message)) => {
                assert!(error.to_string().contains(message), "{name}: {error}");
                continue;
            }
            (Ok(_), Some(_)) => return Err(format!("{name} is not refused").into()),
            (model, None) => model.map_err(|error| format!("{name}: {error}"))?,
        };
        let schema = Schema::read(text.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
        let columns = |features: &[Feature]| -> Vec<(String, bool, bool)> {
            let of =
                |it: &Feature| (it.name().to_owned(), it.is_categorical(), it.domain().is_some());
            features.iter().map(of).collect()
        };
        assert_eq!(columns(schema.features()), columns(model.features()), "{name}");
        let golden = Golden::read(&name)?;
        let rows = golden.rows(&model).map_err(|error| format!("{name}: {error}"))?;
        let mut scorer = model.scorer();
        let mut predictions = Predictions::default();
        scorer.score_raw(&rows, &mut predictions)?;
        assert_eq!(predictions.len(), golden.rows, "{name}");
        assert_eq!(difference(predictions.values(), &golden.raw), (0.0, 0), "{name}: raw scores");

        scorer.score(&rows, &mut predictions)?;
        let values: Vec<f64> = match model.category() {
            Category::Binomial => predictions.values().chunks_exact(2).map(|p| p[1]).collect(),
            _ => predictions.values().to_vec(),
        };
        let (largest, others) = difference(&values, &golden.values);
        println!("{name}: {} rows, {others} other bits, {largest:e}", golden.rows);
        assert!(largest <= tolerance(&name), "{name}: differs by {largest:e}");
        assert_eq!(predictions.labels(), golden.labels, "{name}");

        // A few rows at a time, with one scorer, end in the middle of blocks and lanes.
        let all = predictions.clone();
        let mut values = vec![];
        for rows in rows.chunks(7 * model.features().len()) {
            scorer.score(rows, &mut predictions)?;
            values.extend_from_slice(predictions.values());
        }
        assert_eq!(difference(&values, all.values()), (0.0, 0), "{name}: in pieces");
        scored += 1;
        compared += values.len();
        let kind = kinds.entry(format!("`{}`", model.objective())).or_default();
        kind.models += 1;
        kind.rows += golden.rows;
        kind.has_labels = !model.classes().is_empty();
        kind.difference = kind.difference.max(largest);
    }
    println!("{scored} models, {compared} values");
    assert!(scored > 100, "only {scored} models were scored");
    page::check("lightgbm-model", &page::table("LightGBM", &kinds))
}

#[test]
fn what_a_model_predicts_is_said() -> Result {
    for (name, objective, category, classes, outputs) in [
        ("regression", "regression", Category::Regression, 0, &["predict"][..]),
        ("binary-sigmoid", "binary", Category::Binomial, 2, &[]),
        ("multiclass", "multiclass", Category::Multinomial, 3, &[]),
        ("multiclassova", "multiclassova", Category::Multinomial, 4, &[]),
        ("cross-entropy", "cross_entropy", Category::Regression, 0, &["predict"]),
        ("lambdarank", "lambdarank", Category::Ranking, 0, &["predict"]),
        ("custom", "custom", Category::Raw, 0, &["raw_score"]),
        (
            "custom-classes",
            "custom",
            Category::Raw,
            0,
            &["raw_score_0", "raw_score_1", "raw_score_2"],
        ),
    ] {
        let model = zoo_model(name)?;
        assert_eq!(model.objective(), objective);
        assert_eq!(model.category(), category, "{name}");
        assert_eq!(model.classes().len(), classes, "{name}");
        assert_eq!(model.outputs(), outputs, "{name}");
        assert_eq!(model.version(), 4);
    }
    assert_eq!(zoo_model("v3-regression")?.version(), 3);
    assert_eq!(zoo_model("stopped-early")?.trees(), 16);
    assert_eq!(zoo_model("no-trees")?.trees(), 0);
    Ok(())
}

#[test]
fn names_are_those_that_lightgbm_has() -> Result {
    let names = |name: &str| -> Result<Vec<String>> {
        Ok(zoo_model(name)?.features().iter().map(|feature| feature.name().into()).collect())
    };
    assert_eq!(names("names")?, ["with_space", "größe", "a=b", "it's", "日本語", "Tree=0"]);
    let signs = ["a\tb", "back\\slash", "50%", "x|y;z", "end_of_trees", "#1"];
    assert_eq!(names("names-signs")?, signs);
    assert_eq!(names("names-html")?, ["<b>", "a&b", "(c)", "d/e", "f.g", "-1"]);
    Ok(())
}

#[test]
fn pandas_categories_have_their_names() -> Result {
    let model = zoo_model("pandas")?;
    let [number, text, whole, decimal, flag, _] = model.features() else {
        return Err("not six features".into());
    };
    assert!(number.domain().is_none() && !number.is_categorical());
    let domain = text.domain().ok_or("no categories")?;
    let levels = ["", "1", "a b", "blue", "green", "größe", "quote\"", "red", "tab"];
    assert_eq!(domain.levels(), levels);
    assert_eq!(text.value("größe".as_bytes()), Ok(5.0));
    assert_eq!(text.value(b"grey"), Err(ValueError::UnknownCategory));
    assert_eq!(whole.value(b"2000000000"), Ok(4.0));
    assert_eq!(whole.value(b"10.0"), Ok(2.0));
    assert_eq!(decimal.value(b"1e20"), Ok(4.0));
    assert_eq!(flag.value(b"True"), Ok(1.0));
    assert_eq!(number.value(b"0.25"), Ok(0.25));
    assert_eq!(number.value(b"red"), Err(ValueError::NotANumber));
    // Categories that are numbers themselves have no names.
    let numbers = zoo_model("categories")?;
    assert!(numbers.features()[2].is_categorical() && numbers.features()[2].domain().is_none());
    Ok(())
}

#[test]
fn a_row_of_another_width_is_refused() -> Result {
    let model = zoo_model("regression")?;
    let width = model.features().len();
    assert!(score(&model, &vec![0.0; width - 1]).is_err());
    assert!(score(&model, &vec![0.0; width + 1]).is_err());
    assert_eq!(score(&model, &[])?.len(), 0);
    Ok(())
}

#[test]
fn a_model_is_shared_by_threads_and_a_scorer_moves_to_one() {
    fn shared<T: Send + Sync + 'static>() {}
    fn moved<T: Send + 'static>() {}
    shared::<Model>();
    moved::<Scorer>();
}

//! Every model of `testdata` against the results of XGBoost's own predictor.

mod support;

use std::collections::BTreeMap;

use support::page::{self, Compared};
use support::{Golden, Result, bytes, models, ulps};
use xgboost_model::{Limits, Model, Predictions, Rounds, Schema, Scorer, ValueError};

/// What is not supported, and what the error says of it.
fn refusal(name: &str) -> Option<&'static str> {
    match name {
        _ if name.contains("-expectile.") => {
            Some("objective 'reg:expectileerror' is not supported")
        }
        _ if name.contains("-named-damaged.") => Some("a model of XGBoost before 3.4"),
        _ if name.contains("-vector-leaves.") => Some("learner.gradient_booster.model.trees[0]: "),
        _ => None,
    }
}

#[test]
fn every_model_scores_as_in_xgboost() -> Result {
    let (mut scored, mut rows_scored, mut largest) = (0, 0, 0);
    let mut kinds: BTreeMap<String, Compared> = BTreeMap::new();
    for file in models()? {
        let rounds = if file.contains("-all.") { Rounds::All } else { Rounds::Best };
        let read = Model::read_rounds(&bytes(&file)?, &Limits::default(), rounds);
        let model = match (read, refusal(&file)) {
            (Err(error), Some(message)) => {
                assert!(error.to_string().starts_with(message), "{file}: {error}");
                continue;
            }
            (Ok(_), Some(_)) => return Err(format!("{file} is not refused").into()),
            (model, None) => model.map_err(|error| format!("{file}: {error}"))?,
        };
        let schema = Schema::read(&bytes(&file)?).map_err(|error| format!("{file}: {error}"))?;
        assert_eq!(schema.features(), model.features(), "{file}");
        let name = file.rsplit_once('.').ok_or("no extension")?.0;
        let golden = Golden::read(name)?;
        let values = golden.values(&model).map_err(|error| format!("{file}: {error}"))?;
        let mut scorer = model.scorer();
        let margins = scorer.margins(&values)?;
        assert_eq!(margins.len(), golden.margins.len(), "{file}");
        for (index, (found, due)) in margins.iter().zip(&golden.margins).enumerate() {
            assert_eq!(found.to_bits(), due.to_bits(), "{file}: margin {index}: {found} for {due}");
        }
        let mut predictions = Predictions::default();
        scorer.score(&values, &mut predictions)?;
        let difference = compare(&file, &model, &predictions, &golden)?;
        largest = largest.max(difference);
        if difference > 0 {
            println!("{file}: differs by {difference} in the last bit");
        }
        if rounds == Rounds::All && golden.trees > 0 {
            assert_eq!(model.trees(), golden.trees, "{file}");
        }

        // A few rows at a time, with one scorer, end in the middle of blocks and lanes.
        let mut pieces = vec![];
        for rows in values.chunks(7 * model.features().len()) {
            scorer.score(rows, &mut predictions)?;
            pieces.extend_from_slice(predictions.values());
        }
        scorer.score(&values, &mut predictions)?;
        assert_eq!(pieces, predictions.values(), "{file}: in pieces");
        scored += 1;
        rows_scored += golden.rows.len();
        let has_labels = !model.classes().is_empty();
        let of = if has_labels { "classes" } else { "numbers" };
        let kind = kinds.entry(format!("`{}`, {of}", model.booster())).or_default();
        kind.models += 1;
        kind.rows += golden.rows.len();
        kind.has_labels = has_labels;
    }
    println!("{scored} models, {rows_scored} rows, at most {largest} in the last bit");
    assert!(scored > 80, "only {scored} models were scored");
    assert_eq!(largest, 0);
    page::check("xgboost-model", &page::table("XGBoost", &kinds))
}

/// The largest difference of predictions, in numbers of single precision between two.
fn compare(file: &str, model: &Model, predictions: &Predictions, golden: &Golden) -> Result<u32> {
    assert_eq!(predictions.len(), golden.rows.len(), "{file}");
    let mut largest = 0;
    let found = predictions.values().chunks_exact(predictions.width());
    for (row, (values, due)) in found.zip(golden.predictions.chunks_exact(golden.width)).enumerate()
    {
        let label = predictions.labels().get(row).copied();
        match (model.classes().len(), golden.width) {
            // The probability of the second class.
            (2, 1) => {
                assert_eq!(label, Some(u32::from(due[0] > 0.5)), "{file}: row {row}");
                assert_eq!(values[0] as f32, 1.0 - values[1] as f32, "{file}: row {row}");
                largest = largest.max(ulps(values[1] as f32, due[0]));
            }
            // The class alone.
            (3.., 1) => assert_eq!(label, Some(due[0] as u32), "{file}: row {row}"),
            (classes, width) => {
                assert!(classes == 0 || classes == width, "{file}");
                for (value, due) in values.iter().zip(due) {
                    largest = largest.max(ulps(*value as f32, *due));
                }
                if classes > 0 {
                    let best =
                        (0..width).fold(0, |best, it| if due[it] > due[best] { it } else { best });
                    assert_eq!(label, Some(best as u32), "{file}: row {row}");
                }
            }
        }
    }
    Ok(largest)
}

fn find(part: &str) -> Result<Model> {
    let name = models()?.into_iter().find(|name| name.contains(part));
    let name = name.ok_or_else(|| format!("no model {part}"))?;
    Ok(Model::read(&bytes(&name)?)?)
}

#[test]
fn json_and_ubjson_say_the_same() -> Result {
    for name in ["squarederror", "names"] {
        let golden = |end: &str| models().map(|it| it.into_iter().find(|it| it.contains(end)));
        let other = golden(&format!("-{name}-ubj.ubj"))?.ok_or("no ubj")?;
        let ubjson = Model::read(&bytes(&other)?)?;
        let json = find(&format!("-{name}"))?;
        assert_eq!(json.features(), ubjson.features());
    }
    let (json, ubjson) = (find("-squarederror-json.")?, find("-squarederror-ubj.")?);
    let rows: Vec<f64> = (0..500).map(|it| f64::from(it % 17) - 8.0).collect();
    assert_eq!(json.scorer().margins(&rows)?, ubjson.scorer().margins(&rows)?);
    Ok(())
}

#[test]
fn features_have_the_names_and_categories_of_the_training() -> Result {
    let names: Vec<String> =
        find("-names.")?.features().iter().map(|it| it.name().into()).collect();
    assert_eq!(names, ["a b", "c,d", "\"quoted\"", "# sharp", "größe \\ 温度\t\u{1}"]);
    assert_eq!(find("-squarederror.")?.features()[4].name(), "f4");

    let model = find("-named-texts.")?;
    let city = &model.features()[3];
    assert!(city.is_categorical());
    let categories = city.categories().ok_or("no categories")?;
    assert_eq!(categories[0], "Zürich");
    assert_eq!(city.value("a,b".as_bytes()), Ok(1.0));
    assert_eq!(city.value(b""), Ok(3.0));
    assert_eq!(city.value(b"Bern"), Err(ValueError::UnknownCategory));

    let model = find("-named-integers.")?;
    let code = &model.features()[3];
    assert_eq!(code.value(b"100000"), Ok(2.0));
    assert_eq!(code.value(b"-3.0"), Ok(1.0));
    assert_eq!(code.value(b"1"), Err(ValueError::UnknownCategory));

    let model = find("-categories-partition.")?;
    let code = &model.features()[0];
    assert!(code.is_categorical() && code.categories().is_none());
    assert_eq!(code.value(b"11"), Ok(11.0));
    assert_eq!(code.value(b"1.5"), Err(ValueError::UnknownCategory));
    assert_eq!(code.value(b"-1"), Err(ValueError::UnknownCategory));
    assert_eq!(model.features()[2].value(b"x"), Err(ValueError::NotANumber));
    Ok(())
}

#[test]
fn what_a_model_says_of_itself() -> Result {
    // From release 3.3 on, it is gbtree, too.
    let model = find("v1.7.6-dart.")?;
    assert_eq!((model.booster(), model.objective()), ("dart", "reg:squarederror"));
    assert_eq!(model.xgboost_version(), Some((1, 7)));
    let model = find("-dart-softprob.")?;
    assert_eq!(model.classes(), ["0", "1", "2", "3"]);
    assert!(model.outputs().is_empty());
    let model = find("-quantiles.")?;
    assert_eq!(model.outputs(), ["quantile_0.1", "quantile_0.5", "quantile_0.9"]);
    assert_eq!(find("-targets.")?.outputs(), ["output_0", "output_1", "output_2"]);
    assert_eq!(find("-poisson.")?.outputs(), ["predict"]);
    let model = find("-stopped-best.")?;
    let best = model.best_iteration().ok_or("no best round")?;
    assert_eq!(model.trees() as u64, best + 1);
    Ok(())
}

#[test]
fn lengths_that_do_not_fit_are_errors() -> Result {
    let model = find("-squarederror.")?;
    let width = model.features().len();
    let mut predictions = Predictions::default();
    assert!(model.scorer().score(&vec![0.0; width + 1], &mut predictions).is_err());
    model.scorer().score(&[], &mut predictions)?;
    assert!(predictions.is_empty());
    Ok(())
}

#[test]
fn a_model_is_shared_by_threads_and_a_scorer_moves_to_one() {
    fn shared<T: Send + Sync + 'static>() {}
    fn moved<T: Send + 'static>() {}
    shared::<Model>();
    moved::<Scorer>();
}

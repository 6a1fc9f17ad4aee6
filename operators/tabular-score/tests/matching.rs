//! How columns meet the model's features, and what happens to values that do not fit.

use sandbar_operator::testing::{Cell, Features, Prediction, Stage};
use sandbar_operator::{ElementType, Error, Failure, FailureCode, Field, Output};
use tabular_score::TabularScore;

const GBM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/flights-gbm/model.zip");

/// What Java says of `gbm-empty-level` for `a` = 10 and `few` empty, unseen and `red`.
const EMPTY_LEVEL: [f64; 3] = [0.4314658291566285, 0.45048283269976147, 0.5624444935228528];

/// What Java says about the classic flight of 1987: see `models/flights-gbm/model.toml`.
const CLASSIC_YES: f64 = 0.5969799275716748;

fn stage(config: &str) -> Result<Stage, Error> {
    Ok(Stage::new().config(config).model("flights", std::fs::read(GBM)?))
}

fn refusal(stage: &Stage, fields: &[Field]) -> String {
    match stage.scorer::<TabularScore>(fields) {
        Ok(_) => panic!("it should have been refused"),
        Err(error) => error.message().to_owned(),
    }
}

/// The classic flight, one cell for each of the model's features.
fn classic() -> Vec<(Field, Cell)> {
    let number = |name, value| (Field::number(name), Cell::Number(value));
    let text = |name, value| (Field::text(name), Cell::text(value));
    vec![
        number("Year", 1987.0),
        number("Month", 10.0),
        number("DayofMonth", 14.0),
        number("DayOfWeek", 3.0),
        number("CRSDepTime", 730.0),
        text("UniqueCarrier", "PS"),
        text("Origin", "SAN"),
        text("Dest", "SFO"),
    ]
}

fn fields(cells: &[(Field, Cell)]) -> Vec<Field> {
    cells.iter().map(|(field, _)| field.clone()).collect()
}

fn score_one(
    config: &str,
    cells: Vec<(Field, Cell)>,
) -> Result<Result<Prediction, Failure>, Error> {
    let mut scorer = stage(config)?.scorer::<TabularScore>(&fields(&cells))?;
    let features = Features::new(fields(&cells)).row(cells.into_iter().map(|(_, cell)| cell));
    Ok(scorer.score(&features).remove(0))
}

fn yes(config: &str, cells: Vec<(Field, Cell)>) -> Result<f64, Error> {
    Ok(score_one(config, cells)??.numbers()[1])
}

/// The classic flight with another cell for one feature.
fn with(field: Field, cell: Cell) -> Vec<(Field, Cell)> {
    let mut cells = classic();
    let slot = cells.iter_mut().find(|(it, _)| it.name == field.name);
    *slot.expect("the model has this feature") = (field, cell);
    cells
}

/// The classic flight without the column of one feature.
fn without(name: &str) -> Vec<(Field, Cell)> {
    classic().into_iter().filter(|(field, _)| field.name != name).collect()
}

#[test]
fn columns_are_matched_by_name_in_any_order() -> Result<(), Error> {
    let mut cells = classic();
    cells.reverse();
    cells.insert(3, (Field::text("TailNum"), Cell::text("N1")));
    cells.push((Field::tensor("image", ElementType::U8, [1]), Cell::Tensor(vec![1])));
    assert!((yes("{}", cells)? - CLASSIC_YES).abs() < 1e-6);
    Ok(())
}

#[test]
fn text_feeds_a_numeric_feature_as_in_java() -> Result<(), Error> {
    for text in ["1987", " 1987.0 ", "1.987e3", "1987d"] {
        let found = yes("{}", with(Field::text("Year"), Cell::text(text)))?;
        assert!((found - CLASSIC_YES).abs() < 1e-6, "{text}: {found}");
    }
    Ok(())
}

#[test]
fn unknown_category_and_invalid_number_fail_by_default() -> Result<(), Error> {
    let cases = [
        (with(Field::text("Origin"), Cell::text("Atlantis")), FailureCode::Invalid, "Atlantis"),
        (with(Field::text("Origin"), Cell::text("XQX")), FailureCode::Invalid, "XQX"),
        // Java compares without trimming here.
        (with(Field::text("Origin"), Cell::text("SAN ")), FailureCode::Invalid, "'SAN '"),
        (with(Field::text("Year"), Cell::text("soon")), FailureCode::Malformed, "soon"),
    ];
    for (cells, code, text) in cases {
        let failure = score_one("{}", cells)?.expect_err("it cannot be scored");
        assert_eq!(failure.code, code);
        assert!(failure.message.contains(text), "{failure}");
    }
    Ok(())
}

#[test]
fn the_first_feature_that_fails_is_named_and_other_rows_are_scored() -> Result<(), Error> {
    let mut cells = classic();
    cells[0].0 = Field::text("Year");
    let row = |year: &str, origin: &str| {
        let mut row: Vec<Cell> = cells.iter().map(|(_, cell)| cell.clone()).collect();
        row[0] = Cell::text(year);
        row[6] = Cell::text(origin);
        row
    };
    let features = Features::new(fields(&cells))
        .row(row("1987", "SAN"))
        .row(row("never", "XQX"))
        .row(row("1987", "XQX"))
        .row(row("1987", "SAN"))
        .row(row("never", "SAN"));
    let mut scorer = stage("{}")?.scorer::<TabularScore>(features.fields())?;
    // Twice: what the first batch leaves behind must not touch the second.
    for _ in 0..2 {
        let found: Vec<String> = scorer
            .score(&features)
            .into_iter()
            .map(|it| match it {
                Ok(prediction) => {
                    assert!((prediction.numbers()[1] - CLASSIC_YES).abs() < 1e-6);
                    "scored".into()
                }
                Err(failure) => failure.message.into_owned(),
            })
            .collect();
        let year = "feature 'Year': 'never' is not a number";
        let origin = "feature 'Origin': unknown category 'XQX'";
        assert_eq!(found, ["scored", year, origin, "scored", year]);
    }
    Ok(())
}

#[test]
fn what_counts_as_missing_is_scored_as_missing() -> Result<(), Error> {
    let config = r#"{ "unknown_category": "missing", "invalid_number": "missing" }"#;
    let origin = yes("{}", with(Field::text("Origin"), Cell::Missing))?;
    assert_eq!(yes(config, with(Field::text("Origin"), Cell::text("XQX")))?, origin);
    assert_eq!(yes("{}", without("Origin"))?, origin);
    assert!((origin - CLASSIC_YES).abs() > 1e-6, "the origin should matter to this flight");

    let year = yes("{}", with(Field::number("Year"), Cell::Missing))?;
    assert_eq!(yes(config, with(Field::text("Year"), Cell::text("soon")))?, year);
    assert_eq!(yes("{}", with(Field::text("Year"), Cell::Missing))?, year);
    assert_eq!(yes("{}", without("Year"))?, year);
    assert!((year - CLASSIC_YES).abs() > 1e-6, "the year should matter to this flight");
    Ok(())
}

/// A small model of the reader's tests: its bytes, the fields of its features, and rows of
/// text that it was tried with.
fn small(name: &str) -> Result<(Vec<u8>, Vec<Field>), Error> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../h2o-mojo/testdata");
    let numbers = ["a", "b", "c"].map(Field::number);
    let texts = ["few", "many", "flag"].map(Field::text);
    let bytes = std::fs::read(format!("{folder}/{name}.zip"))?;
    Ok((bytes, numbers.into_iter().chain(texts).collect()))
}

/// The third row of `h2o-mojo/testdata/*.rows.csv`.
fn small_row() -> Vec<Cell> {
    let numbers = [1e30, -1e30, -5.0].map(Cell::Number);
    let texts = ["two words", "m15", "1"].map(Cell::text);
    numbers.into_iter().chain(texts).collect()
}

#[test]
fn an_offset_that_is_not_there_is_refused_unless_it_is_zero() -> Result<(), Error> {
    // Numbers that an offset of 1 is not lost beside.
    let plain_row = || small_row().into_iter().skip(3);
    let plain_row = || [9.5, 0.25, 12.0].map(Cell::Number).into_iter().chain(plain_row());
    for name in ["gbm-bernoulli-offset", "gbm-gaussian-offset", "glm-binomial-offset", "dl-offset"]
    {
        let (model, fields) = small(name)?;
        let message = refusal(&Stage::new().model("small", model.clone()), &fields);
        let expected = "model 'small': offset column 'offset': no such column from the extractor";
        assert!(message.starts_with(expected), "{name}: {message}");
        assert!(message.contains(r#"missing_offset = "zero""#), "{name}: {message}");

        let zero = Stage::new().config(r#"{ "missing_offset": "zero" }"#).model("small", model);
        let mut without = zero.scorer::<TabularScore>(&fields)?;
        let without = without.score(&Features::new(fields.clone()).row(plain_row())).remove(0)?;
        let with: Vec<Field> = fields.iter().cloned().chain([Field::number("offset")]).collect();
        let row = |offset: Cell| plain_row().chain([offset]);
        let features = Features::new(with.clone())
            .row(row(Cell::Number(0.0)))
            .row(row(Cell::Missing))
            .row(row(Cell::Number(1.0)));
        let answers = zero.scorer::<TabularScore>(&with)?.score(&features);
        let numbers: Vec<Vec<f64>> = answers
            .into_iter()
            .map(|answer| answer.map(|it| it.numbers().to_vec()))
            .collect::<Result<_, _>>()?;
        assert_eq!(numbers[0], without.numbers(), "{name}");
        assert_eq!(numbers[1], without.numbers(), "{name}");
        // H2O's scorer of deep learning leaves offsets out.
        assert_eq!(numbers[2] == without.numbers(), name.starts_with("dl"), "{name}");
    }
    Ok(())
}

#[test]
fn a_row_without_its_offset_fails_and_no_other() -> Result<(), Error> {
    let (model, mut fields) = small("gbm-bernoulli-offset")?;
    fields.push(Field::number("offset"));
    let features = [Cell::Number(0.25), Cell::Missing, Cell::Number(0.25)]
        .into_iter()
        .fold(Features::new(fields.clone()), |features, offset| {
            features.row(small_row().into_iter().chain([offset]))
        });
    let mut scorer = Stage::new().model("small", model).scorer::<TabularScore>(&fields)?;
    let answers = scorer.score(&features);
    let failure = answers[1].as_ref().expect_err("it has no offset");
    assert_eq!(failure.code, FailureCode::Missing);
    assert_eq!(failure.message, "offset column 'offset': no value");
    assert!(answers[0].is_ok() && answers[2].is_ok());
    Ok(())
}

/// `h2o-mojo/testdata/NAME.golden.csv` has Java's answers.
#[test]
fn calibrated_probabilities_stand_beside_the_others() -> Result<(), Error> {
    for name in ["gbm-platt", "gbm-isotonic", "drf-platt", "drf-isotonic"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../h2o-mojo/testdata");
        let golden = std::fs::read_to_string(format!("{folder}/{name}.golden.csv"))?;
        let expected = golden.lines().nth(3).ok_or("a third row")?;
        let (model, fields) = small(name)?;
        let mut scorer = Stage::new().model("small", model).scorer::<TabularScore>(&fields)?;
        let names = ["early", "late", "cal_early", "cal_late"].map(String::from);
        assert_eq!(*scorer.output(), Output::Classes(names.into()), "{name}");
        let answer = scorer.score(&Features::new(fields).row(small_row())).remove(0)?;
        let numbers: Vec<String> = answer.numbers().iter().map(f64::to_string).collect();
        let found = format!("{},{}", answer.label().unwrap_or_default(), numbers.join(","));
        let parsed = |text: &str| -> Vec<Result<f64, String>> {
            text.split(',').map(|item| item.parse().map_err(|_| item.to_owned())).collect()
        };
        assert_eq!(parsed(&found), parsed(expected), "{name}");
    }
    Ok(())
}

/// `h2o-mojo/testdata/NAME.golden.csv` has Java's names and answers.
#[test]
fn an_isolation_forest_gives_named_values() -> Result<(), Error> {
    for name in ["isolation", "isolation-flag"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../h2o-mojo/testdata");
        let golden = std::fs::read_to_string(format!("{folder}/{name}.golden.csv"))?;
        let mut lines = golden.lines();
        let names = lines.next().ok_or("no header")?.split(',').map(String::from).collect();
        let expected = lines.nth(2).ok_or("a third row")?.split(',').map(str::parse);
        let expected: Vec<f64> = expected.collect::<Result<_, _>>()?;
        let (model, fields) = small(name)?;
        let mut scorer = Stage::new().model("small", model).scorer::<TabularScore>(&fields)?;
        assert_eq!(*scorer.output(), Output::Values(names), "{name}");
        let answer = scorer.score(&Features::new(fields).row(small_row())).remove(0)?;
        assert_eq!(answer.label(), None, "{name}");
        assert_eq!(answer.numbers(), expected, "{name}");
    }
    Ok(())
}

#[test]
fn empty_text_is_missing_unless_the_model_has_a_category_of_that_name() -> Result<(), Error> {
    let (model, _) = small("gbm-empty-level")?;
    let fields = vec![Field::number("a"), Field::text("few")];
    let stage = Stage::new().config(r#"{ "unknown_category": "missing" }"#).model("small", model);
    let row = |few: &str| [Cell::Number(10.0), Cell::text(few)];
    let features = Features::new(fields.clone()).row(row("")).row(row("unseen")).row(row("red"));
    let answers = stage.scorer::<TabularScore>(&fields)?.score(&features);
    let late: Vec<f64> = answers
        .into_iter()
        .map(|answer| answer.map(|it| it.numbers()[1]))
        .collect::<Result<_, _>>()?;
    // What Java says of these rows, `unseen` taken for missing.
    assert_eq!(late, EMPTY_LEVEL);
    Ok(())
}

#[test]
fn batches_of_any_size_give_the_same() -> Result<(), Error> {
    let cells = classic();
    let mut scorer = stage("{}")?.scorer::<TabularScore>(&fields(&cells))?;
    for rows in [3, 0, 256, 1] {
        let row = || cells.iter().map(|(_, cell)| cell.clone());
        let features =
            (0..rows).fold(Features::new(fields(&cells)), |features, _| features.row(row()));
        let answers = scorer.score(&features);
        assert_eq!(answers.len(), rows);
        for answer in answers {
            assert!((answer?.numbers()[1] - CLASSIC_YES).abs() < 1e-6);
        }
    }
    Ok(())
}

#[test]
fn columns_that_can_never_fit_are_refused() -> Result<(), Error> {
    let number = with(Field::number("Origin"), Cell::Number(1.0));
    let tensor = with(Field::tensor("Year", ElementType::Fp32, [1]), Cell::Tensor(vec![0; 4]));
    let strict = r#"{ "missing_column": "fail" }"#;
    let cases = [
        ("{}", fields(&number), "feature 'Origin': expected a category, got a number"),
        ("{}", fields(&tensor), "feature 'Year': expected a number or text, got a tensor"),
        ("{}", vec![Field::number("x")], "none of the model's features"),
        (strict, fields(&without("Dest")), "features Dest: no such columns"),
    ];
    for (config, fields, expected) in cases {
        let message = refusal(&stage(config)?, &fields);
        assert!(message.contains(expected), "{message}");
        assert!(message.starts_with("model 'flights': "), "{message}");
    }
    Ok(())
}

#[test]
fn a_configuration_or_model_that_is_wrong_says_so() -> Result<(), Error> {
    let all = fields(&classic());
    let cases = [
        (Stage::new(), "the stage has no model"),
        (stage(r#"{ "unknown_categories": "fail" }"#)?, "unknown field `unknown_categories`"),
        (stage(r#"{ "unknown_category": "skip" }"#)?, "key 'unknown_category': unknown variant"),
        (Stage::new().model("flights", "PK? no"), "model 'flights': "),
        (Stage::new().model("flights", &std::fs::read(GBM)?[..40_000]), "model 'flights': "),
    ];
    for (stage, expected) in cases {
        let message = refusal(&stage, &all);
        assert!(message.contains(expected), "{message}");
    }
    Ok(())
}

#[test]
fn the_model_is_the_first_that_is_granted() -> Result<(), Error> {
    let mojo = std::fs::read(GBM)?;
    let first = Stage::new().model("flights", mojo.clone()).model("other", "not a model");
    first.scorer::<TabularScore>(&fields(&classic()))?;
    let second = Stage::new().model("other", "not a model").model("flights", mojo);
    assert!(refusal(&second, &fields(&classic())).contains("model 'other': "));
    Ok(())
}

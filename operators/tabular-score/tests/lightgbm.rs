//! Models of LightGBM through the operator, with what LightGBM said of them: the reader's own
//! golden results (`lightgbm-model/testdata`).

use std::path::Path;

use sandbar_operator::testing::{Cell, Features, Stage};
use sandbar_operator::{Error, Field, Output};
use tabular_score::TabularScore;

/// A file of the reader's, which gzip has packed with a header of ten bytes and an end of eight.
fn unpack(name: &str) -> Result<String, Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lightgbm-model/testdata");
    let bytes = std::fs::read(folder.join(name))?;
    let packed = &bytes[10..bytes.len() - 8];
    let bytes = miniz_oxide::inflate::decompress_to_vec(packed)
        .map_err(|error| format!("{name}: {error:?}"))?;
    Ok(String::from_utf8(bytes)?)
}

/// What LightGBM said of one row.
struct Golden {
    cells: Vec<Cell>,
    value: f64,
    label: Option<usize>,
}

/// A text is written as `t:` and JSON.
fn cell(text: &str) -> Result<Cell, Error> {
    let Some(json) = text.strip_prefix("t:") else { return Ok(Cell::Number(text.parse()?)) };
    let value: serde_json::Value = serde_json::from_str(json)?;
    Ok(Cell::text(value.as_str().map_or_else(|| json.to_owned(), str::to_owned)))
}

fn golden(name: &str, columns: usize) -> Result<Vec<Golden>, Error> {
    let table = unpack(&format!("{name}.golden.tsv.gz"))?;
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let place = |name| header.iter().position(|it| *it == name);
    let (value, label) = (place("value").unwrap_or_default(), place("label"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            Ok(Golden {
                cells: cells[..columns].iter().map(|text| cell(text)).collect::<Result<_, _>>()?,
                value: cells[value].parse()?,
                label: label.map(|label| cells[label].parse()).transpose()?,
            })
        })
        .collect()
}

fn stage(name: &str, description: &str) -> Result<Stage, Error> {
    Ok(Stage::new()
        .model("model", unpack(&format!("{name}.txt.gz"))?)
        .description("model", description))
}

#[test]
fn pandas_categories_are_texts_and_labels_name_the_classes() -> Result<(), Error> {
    let rows = golden("pandas-binary", 2)?;
    let fields = [Field::text("text"), Field::number("number")];
    let description = r#"{ "labels": ["stays", "leaves"] }"#;
    let mut scorer = stage("pandas-binary", description)?.scorer::<TabularScore>(&fields)?;
    assert_eq!(*scorer.output(), Output::Classes(vec!["stays".into(), "leaves".into()]));
    let mut compared = 0;
    for row in rows {
        // A missing text is an empty one, which this model has a category for.
        let [Cell::Text(_), _] = row.cells.as_slice() else { continue };
        let features = Features::new(fields.to_vec()).row(row.cells);
        let prediction = scorer.score(&features).remove(0)?;
        assert_eq!(prediction.numbers()[1], row.value);
        let names = ["stays", "leaves"];
        assert_eq!(prediction.label(), row.label.map(|label| names[label]));
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
    Ok(())
}

/// The columns of a model that was trained with an array get their names from the folder.
#[test]
fn columns_without_names_are_named_by_the_folder() -> Result<(), Error> {
    let header = unpack("binary-sigmoid.txt.gz")?;
    let count = header.lines().find_map(|line| line.strip_prefix("max_feature_idx="));
    let count = count.unwrap_or_default().parse::<usize>()? + 1;
    let own: Vec<String> = (0..count).map(|index| format!("Column_{index}")).collect();
    let header = header.lines().find(|line| line.starts_with("feature_names="));
    assert_eq!(header, Some(format!("feature_names={}", own.join(" ")).as_str()));

    let names: Vec<String> = (0..count).map(|index| format!("my column {index}")).collect();
    let description = serde_json::json!({ "preprocessing": { "columns": names } }).to_string();
    let fields: Vec<Field> = names.iter().map(|name| Field::number(name.as_str())).collect();
    let mut scorer = stage("binary-sigmoid", &description)?.scorer::<TabularScore>(&fields)?;
    for row in golden("binary-sigmoid", count)? {
        let features = Features::new(fields.clone()).row(row.cells);
        assert_eq!(scorer.score(&features).remove(0)?.numbers()[1], row.value);
    }
    // Without them they are LightGBM's, and a column that is not there is refused.
    let refused = stage("binary-sigmoid", "{}")?.scorer::<TabularScore>(&fields);
    let error = refused.err().ok_or("it is taken")?;
    assert!(error.message().contains("expected Column_0, "), "{error:?}");
    let few = r#"{ "preprocessing": { "columns": ["a"] } }"#;
    let error = stage("binary-sigmoid", few)?.scorer::<TabularScore>(&fields).err();
    let error = error.ok_or("it is taken")?;
    assert!(error.message().contains("1 names for the model's"), "{error:?}");
    Ok(())
}

#[test]
fn what_the_maker_refuses_is_refused() -> Result<(), Error> {
    let fields = [Field::text("text")];
    let error = stage("pandas-binary", "{}")?.scorer::<TabularScore>(&fields).err();
    let error = error.ok_or("it is taken")?;
    assert!(error.message().contains("features number: no such columns"), "{error:?}");
    let fields = [Field::text("text"), Field::number("number")];
    let labels = r#"{ "labels": ["one"] }"#;
    let error = stage("pandas-binary", labels)?.scorer::<TabularScore>(&fields).err();
    let error = error.ok_or("it is taken")?;
    assert!(error.message().contains("[labels]: 1 names for the model's 2 classes"), "{error:?}");
    let mut scorer = stage("pandas-binary", "{}")?.scorer::<TabularScore>(&fields)?;
    let features = Features::new(fields.to_vec()).row([Cell::text("purple"), Cell::Number(1.0)]);
    let failure = scorer.score(&features).remove(0).err().ok_or("it is scored")?;
    assert_eq!(failure.message, "feature 'text': unknown category 'purple'");
    Ok(())
}

#[test]
fn what_no_maker_wrote_is_refused() -> Result<(), Error> {
    let stage = Stage::new().model("model", "forest\n").description("model", "{}");
    let error = stage.scorer::<TabularScore>(&[Field::number("a")]).err().ok_or("it is taken")?;
    assert_eq!(
        error.message(),
        "model 'model': not a model of a known maker: expected a MOJO of H2O, a text model of \
         LightGBM, a model of XGBoost in JSON or UBJSON"
    );
    Ok(())
}

//! Bytes that are no model, models that are wrong, rows that are strange: an error or an
//! answer, never a panic, endless work or unbounded memory.

mod support;

use lightgbm_model::{Error, Limits, Model, Predictions};
use proptest::prelude::*;
use proptest::sample::Index;
use support::{Result, zoo, zoo_text};

/// Small models of every kind.
const MODELS: [&str; 12] = [
    "binary",
    "multiclass",
    "rf-regression",
    "categories",
    "categories-sparse",
    "linear-missing",
    "linear-categories",
    "one-leaf-absent-class",
    "missing-zero-binary",
    "monotone",
    "pandas",
    "v3-categories-missing",
];

/// Small enough that a test which reaches them is quick.
const LIMITS: Limits = Limits { bytes: 1 << 20, columns: 1000, categories: 1000, nodes: 10_000 };

/// Reads what may be a model and, if it is one, scores rows of all kinds with it.
fn attempt(bytes: &[u8]) -> std::result::Result<(), Error> {
    let model = Model::read_within(bytes, &LIMITS)?;
    let kinds = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        1e-36,
        -0.5,
        -1.0,
        1.0,
        31.0,
        32.0,
        1e9,
        1e300,
        -1e300,
        f64::from(i32::MAX),
        f64::from(i32::MIN),
    ];
    let features = model.features().len();
    let rows: Vec<f64> =
        kinds.iter().flat_map(|kind| std::iter::repeat_n(*kind, features)).collect();
    let mut predictions = Predictions::default();
    model.scorer().score(&rows, &mut predictions)?;
    assert_eq!(predictions.len(), kinds.len());
    assert_eq!(predictions.width(), model.classes().len() + model.outputs().len());
    if !model.classes().is_empty() {
        assert_eq!(predictions.labels().len(), predictions.len());
        assert!(predictions.labels().iter().all(|label| (*label as usize) < predictions.width()));
    }
    Ok(())
}

fn text(model: &str) -> String {
    zoo_text(model).expect("a model of testdata")
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8)>> {
    // Bytes that mean something come up more often.
    let byte = prop_oneof![any::<u8>(), prop::sample::select(&b"\n =-.0129e:[]"[..]),];
    prop::collection::vec((any::<Index>(), byte), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(attempt(&bytes).is_err());
    }

    #[test]
    fn a_model_that_is_cut_off(model in prop::sample::select(&MODELS[..]), place in any::<Index>()) {
        let text = text(model);
        // Behind this line pandas' categories may follow, or not.
        let end = text.find("end of parameters").expect("parameters");
        let end = place.index(end);
        prop_assert!(attempt(&text.as_bytes()[..end]).is_err(), "{model} up to {end}");
    }

    #[test]
    fn a_model_with_other_bytes(model in prop::sample::select(&MODELS[..]), changes in changes()) {
        let mut bytes = text(model).into_bytes();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let _ = attempt(&bytes);
    }

    #[test]
    fn a_model_without_some_bytes(model in prop::sample::select(&MODELS[..]), place in any::<Index>(), length in 1_usize..50) {
        let text = text(model);
        let trees = text.find("end of trees").expect("trees");
        let begin = text.find("Tree=0").expect("a tree");
        let place = begin + place.index(trees - begin);
        let end = (place + length).min(trees);
        let mut bytes = text.into_bytes();
        bytes.drain(place..end);
        // The sizes of trees say so.
        prop_assert!(attempt(&bytes).is_err());
    }

    #[test]
    fn a_value_that_is_another(
        model in prop::sample::select(&MODELS[..]),
        line in any::<Index>(),
        value in prop_oneof![
            "[0-9]{1,20}", "-[0-9]{1,12}", "[0-9 -]{0,60}", "nan", "inf", "1e309", "\\PC{0,12}",
        ],
    ) {
        let text = without_sizes(&text(model));
        let mut lines: Vec<&str> = text.split('\n').collect();
        let line = line.index(lines.len());
        let changed = format!("{}={value}", lines[line].split('=').next().unwrap_or_default());
        lines[line] = &changed;
        let _ = attempt(lines.join("\n").as_bytes());
    }

    #[test]
    fn a_number_of_a_tree_that_is_another(
        model in prop::sample::select(&MODELS[..]),
        line in any::<Index>(),
        place in any::<Index>(),
        value in prop_oneof!["-?[0-9]{1,11}", "nan", "-inf", "inf", "-?[0-9].[0-9]"],
    ) {
        let text = without_sizes(&text(model));
        let mut lines: Vec<String> = text.split('\n').map(String::from).collect();
        let end = lines.iter().position(|line| line == "end of trees").expect("trees");
        let line = line.index(end);
        if let Some((key, numbers)) = lines[line].clone().split_once('=') {
            let mut numbers: Vec<&str> = numbers.split(' ').collect();
            let place = place.index(numbers.len());
            numbers[place] = &value;
            lines[line] = format!("{key}={}", numbers.join(" "));
        }
        let _ = attempt(lines.join("\n").as_bytes());
    }
}

/// A model without the sizes of its trees, so that a changed tree is looked at.
fn without_sizes(text: &str) -> String {
    text.split('\n').filter(|line| !line.starts_with("tree_sizes=")).collect::<Vec<_>>().join("\n")
}

/// The error of a model in which the first `from` is `to`, without the sizes of its trees.
fn changed(model: &str, from: &str, to: &str) -> Result<String> {
    let text = without_sizes(&zoo_text(model)?);
    assert!(text.contains(from), "{from:?} is not in {model}");
    let text = text.replacen(from, to, 1);
    let error = Model::read_within(text.as_bytes(), &LIMITS).err();
    Ok(error.ok_or_else(|| format!("{model} with {to:?} was read"))?.to_string())
}

/// The error of a model in which the value of the first line with `key` is another.
fn with(model: &str, key: &str, value: &str) -> Result<String> {
    let text = zoo_text(model)?;
    let line = text.split('\n').find(|line| line.starts_with(&format!("{key}=")));
    changed(model, line.ok_or("no such line")?, &format!("{key}={value}"))
}

#[test]
fn errors_say_what_is_wrong_and_where() -> Result {
    let read = |text: &str| Model::read(text.as_bytes()).err().map(|error| error.to_string());
    for (text, expected) in [
        ("", "not a LightGBM text model: it is empty"),
        (
            "{\"name\":\"tree\"}",
            "not a LightGBM text model: it may be the JSON of dump_model: use save_model",
        ),
        ("treee\n", "not a LightGBM text model: its first line is \"treee\", not 'tree'"),
        ("tree\nversion=v3\n", "header: num_class is missing"),
        ("tree\nversion\n", "line 2: expected 'key=value', got \"version\""),
    ] {
        assert_eq!(read(text).as_deref(), Some(expected));
    }
    let crlf = zoo_text("binary")?.replace('\n', "\r\n");
    assert!(read(&crlf).is_some_and(|error| error.contains("CR LF")));
    let error = Model::read(b"tree\nversion=\xff").err().ok_or("it was read")?.to_string();
    assert_eq!(error, "not a LightGBM text model: it is no UTF-8 from byte 13 on");

    for (model, key, value, expected) in [
        ("binary", "version", "v2", "version \"v2\" of the text format is not supported"),
        (
            "binary",
            "num_class",
            "2",
            "num_tree_per_iteration: 1 does not fit num_class, which is 2",
        ),
        ("binary", "objective", "binary sigmoid:-1", "unknown parameter \"sigmoid:-1\""),
        ("binary", "objective", "binary", "'sigmoid:' is missing"),
        ("binary", "objective", "survival", "objective \"survival\" is not supported"),
        ("multiclass", "objective", "multiclass num_class:4", "does not fit num_class 3"),
        (
            "binary",
            "max_feature_idx",
            "6",
            "feature_names: expected 7 as max_feature_idx says, got 6",
        ),
        (
            "binary",
            "max_feature_idx",
            "4",
            "feature_names: expected 5 as max_feature_idx says, got more",
        ),
        ("binary", "max_feature_idx", "-1", "max_feature_idx: invalid number: \"-1\""),
        (
            "binary",
            "max_feature_idx",
            "2147483647",
            "columns: 2147483648 exceeds the limit of 1000",
        ),
        ("binary", "feature_names", "a b c d b e", "feature_names: \"b\" stands there twice"),
        (
            "binary",
            "feature_infos",
            "none none none [1 none none",
            "feature_infos: \"[1\" of column \"Column_3\"",
        ),
        (
            "monotone",
            "monotone_constraints",
            "1 2",
            "monotone_constraints: expected 6 numbers, got 2",
        ),
        (
            "binary",
            "num_leaves",
            "2147483648",
            "tree 0: nodes so far: 4294967295 exceeds the limit",
        ),
        ("binary", "num_leaves", "4294967296", "num_leaves: invalid number"),
        ("binary", "num_leaves", "0", "tree 0: num_leaves: is 0"),
        ("binary", "num_leaves", "9", "leaf_value: expected 9 numbers, got 8"),
        ("binary", "num_cat", "1", "tree 0: cat_boundaries is missing"),
        ("categories", "num_cat", "0", "cat_boundaries: stands in a tree whose num_cat is 0"),
        ("categories", "num_cat", "2147483647", "cat_boundaries: expected 2147483648 numbers"),
        ("categories", "cat_boundaries", "1 2 3", "cat_boundaries: "),
        (
            "binary",
            "threshold",
            "nan 0 0 0 0 0 0",
            "tree 0: node 0: threshold: NaN is no threshold",
        ),
        (
            "binary",
            "threshold",
            "-inf 0 0 0 0 0 0",
            "tree 0: node 0: threshold: -inf is no threshold",
        ),
        ("binary", "decision_type", "12 2 2 2 2 2 2", "decision_type: 12 is of no known kind"),
        ("binary", "decision_type", "1 2 2 2 2 2 2", "threshold: there is no set"),
        ("binary", "decision_type", "-1 2 2 2 2 2 2", "decision_type: invalid number"),
        (
            "binary",
            "split_feature",
            "6 0 0 0 0 0 0",
            "split_feature: 6 is out of range for 6 columns",
        ),
        ("binary", "left_child", "7 -1 -2 -3 -4 -5 -6", "left_child: 7 is out of range"),
        ("binary", "left_child", "-9 -1 -2 -3 -4 -5 -6", "left_child: -9 is out of range"),
        ("binary", "left_child", "0 -1 -2 -3 -4 -5 -6", "node 0 ends two branches, or goes round"),
        ("binary", "left_child", "9223372036854775808 1 1 1 1 1 1", "left_child: invalid number"),
        ("binary", "leaf_value", "inf 0 0 0 0 0 0 0", "leaf_value: inf is no number to add"),
        ("binary", "leaf_value", "nan 0 0 0 0 0 0 0", "leaf_value: NaN is no number to add"),
        ("binary", "is_linear", "1", "tree 0: leaf_const is missing"),
        ("binary", "is_linear", "2", "is_linear: is neither 0 nor 1"),
        ("linear-missing", "is_linear", "0", "leaf_const: stands in a tree whose is_linear is 0"),
        (
            "linear-missing",
            "num_features",
            "1 0 0 2147483647",
            "leaf_features: expected 2147483648 numbers",
        ),
        ("binary", "Tree", "1", "tree 0: expected 'Tree=0' before it"),
    ] {
        let error = with(model, key, value)?;
        assert!(error.contains(expected), "{model}: {key}={value}: {error}");
    }
    for (model, from, to, expected) in [
        (
            "binary",
            "decision_type=",
            "decision_typo=",
            "the key \"decision_typo\" is not supported",
        ),
        ("binary", "split_feature=", "threshold=", "threshold stands twice in tree 0"),
        ("binary", "label_index=", "num_class=", "num_class stands twice in header"),
        ("binary", "num_cat=0\n", "", "tree 0: num_cat is missing"),
        ("binary", "end of trees", "end of tree", "expected 'key=value', got \"end of tree\""),
        ("binary", "end of parameters", "end", "there is no line 'end of parameters'"),
        ("binary", "parameters:", "parameter:", "stands in no known place"),
        ("binary", "pandas_categorical:", "pandas_category:", "stands in no known place"),
        ("rf-regression", "average_output", "average_output=1", "takes no value"),
        ("multiclass", "Tree=17", "end of trees\nTree=17", "3 does not divide 17 trees"),
        ("pandas", "[[\"\", \"1\",", "[[\"1\", \"1\",", "\"1\" has the text of category 0"),
        ("pandas", "\"tab\"]", "\"tab\"", "pandas_categorical: no lists of JSON"),
        (
            "pandas",
            "\"red\", \"tab\"",
            "\"red\"",
            "8 categories do not fit feature_infos of column \"text\"",
        ),
        (
            "pandas",
            "[categorical_feature: 1,2,3,4]",
            "[categorical_feature: 0,2,3,4]",
            "feature_infos of column \"number\"",
        ),
        (
            "pandas",
            "[categorical_feature: 1,2,3,4]",
            "[categorical_feature: 1,2,3,9]",
            "there is no column 9",
        ),
        (
            "pandas",
            "[categorical_feature: 1,2,3,4]",
            "[categorical_feature: 2,1,3,4]",
            "4 lists for 0 columns",
        ),
        (
            "pandas",
            "pandas_categorical:",
            "pandas_categorical:[]\npandas_categorical:",
            "which ends the file",
        ),
    ] {
        let error = changed(model, from, to)?;
        assert!(error.contains(expected), "{model}: {to:?}: {error}");
    }
    Ok(())
}

#[test]
fn trees_are_as_many_and_as_long_as_the_header_says() -> Result {
    let text = zoo_text("binary")?;
    let sizes = text.split('\n').find(|line| line.starts_with("tree_sizes=")).ok_or("no sizes")?;
    let read = |text: &str| match Model::read(text.as_bytes()) {
        Ok(_) => "it was read".into(),
        Err(error) => error.to_string(),
    };
    let error = read(&text.replacen(sizes, &format!("{sizes} 800"), 1));
    assert!(error.contains("trees: 6 trees, where tree_sizes says 7"), "{error}");
    let fewer = sizes.rsplit_once(' ').ok_or("one tree")?.0;
    let error = read(&text.replacen(sizes, fewer, 1));
    assert!(error.contains("tree 5: is not in tree_sizes"), "{error}");
    let error = read(&text.replacen("leaf_value=", "leaf_value= ", 1));
    assert!(error.contains("tree 0: ") && error.contains("where tree_sizes says"), "{error}");
    let last = text.find("Tree=5").ok_or("no last tree")?;
    let end = text.find("end of trees").ok_or("no end")?;
    let error = read(&format!("{}{}", &text[..last], &text[end..]));
    assert!(error.contains("5 trees, where tree_sizes says 6"), "{error}");
    Ok(())
}

#[test]
fn a_file_within_the_limits_is_read_and_one_beyond_is_not() -> Result {
    let text = zoo_text("pandas")?;
    let (limits, bytes) = (Limits::default(), text.as_bytes());
    let read = |limits: Limits| Model::read_within(bytes, &limits).err().map(|e| e.to_string());
    assert_eq!(read(limits), None);
    for (limits, expected) in [
        (Limits { bytes: 1000, ..limits }, "raise Limits::bytes"),
        (
            Limits { columns: 5, ..limits },
            "columns: 6 exceeds the limit of 5: raise Limits::columns",
        ),
        (Limits { categories: 20, ..limits }, "categories: 21 exceeds the limit of 20"),
        (Limits { nodes: 80, ..limits }, "tree 5: nodes so far: 90 exceeds the limit of 80"),
    ] {
        assert!(read(limits).is_some_and(|error| error.contains(expected)), "{expected}");
    }
    Ok(())
}

#[test]
fn every_model_takes_strange_rows() -> Result {
    for name in zoo()?.iter().filter(|name| *name != "pandas-ordered") {
        attempt(zoo_text(name)?.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

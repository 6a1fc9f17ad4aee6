//! Bytes that are no model, or contradict themselves: an error that says where, and no panic.

mod support;

use support::{Result, bytes, models};
use xgboost_model::{Limits, Model, Predictions};

/// A model of one tree, whose root tests feature 1.
const PLAIN: &str = r#"{"learner":{"attributes":{},"feature_names":["a","b"],
"feature_types":["float","float"],"gradient_booster":{"model":{"gbtree_model_param":
{"num_parallel_tree":"1","num_trees":"1"},"iteration_indptr":[0,1],"tree_info":[0],"trees":[
{"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],
"default_left":[1,0,0],"id":0,"left_children":[1,-1,-1],"right_children":[2,-1,-1],
"split_conditions":[0.5,-1.25,2.5E0],"split_indices":[1,0,0],"split_type":[0,0,0],
"tree_param":{"num_nodes":"3","size_leaf_vector":"1"}}]},"name":"gbtree"},
"learner_model_param":{"base_score":"[1E0]","num_class":"0","num_feature":"2","num_target":"1"},
"objective":{"name":"reg:squarederror"}},"version":[3,2,0]}"#;

/// The error of the plain model with something replaced.
fn error_of(old: &str, new: &str) -> Result<String> {
    assert!(PLAIN.contains(old), "{old}");
    refused(PLAIN.replace(old, new).as_bytes())
}

/// The error of bytes that are no model.
fn refused(bytes: &[u8]) -> Result<String> {
    match Model::read(bytes) {
        Ok(_) => Err(format!("{} is accepted", String::from_utf8_lossy(bytes)).into()),
        Err(error) => Ok(error.to_string()),
    }
}

#[test]
fn the_plain_model_is_one() -> Result {
    let model = Model::read(PLAIN.as_bytes())?;
    let mut scorer = model.scorer();
    let rows = [0.0, 0.5, 0.0, 0.49, 0.0, f64::NAN];
    assert_eq!(scorer.margins(&rows)?, [3.5, -0.25, -0.25]);
    Ok(())
}

#[test]
fn what_contradicts_itself_is_named() -> Result {
    const TREE: &str = "learner.gradient_booster.model.trees[0]";
    let tree = |reason: &str| format!("{TREE}: {reason}");
    for (old, new, expected) in [
        ("[1,-1,-1]", "[0,-1,-1]", tree("node 0: the right child is not the node behind")),
        (
            "[1,-1,-1],\"right_children\":[2,",
            "[7,-1,-1],\"right_children\":[8,",
            tree("a child is node 7 of 3"),
        ),
        (
            "[1,-1,-1],\"right_children\":[2,-1,-1]",
            "[1,0,-1],\"right_children\":[2,1,-1]",
            tree("node 0 is reached twice"),
        ),
        ("[1,-1,-1]", "[-7,-1,-1]", tree("node 0: a child is negative")),
        (
            "[1,-1,-1]",
            "[2147483648,-1,-1]",
            format!("{TREE}.left_children[0]: expected an integer"),
        ),
        ("[0.5,", "[NaN,", tree("node 0: the threshold is not a number")),
        ("[0.5,", "[\"x\",", format!("{TREE}.split_conditions[0]: expected a number")),
        ("[1,0,0],\"split_type\"", "[2,0,0],\"split_type\"", tree("a node tests feature 2 of 2")),
        (
            "[1,0,0],\"split_type\"",
            "[1,0],\"split_type\"",
            tree("the lists of its nodes are empty or"),
        ),
        ("\"split_type\":[0,", "\"split_type\":[1,", tree("node 0: tests categories and has none")),
        (
            "\"categories_nodes\":[]",
            "\"categories_nodes\":[0]",
            tree("the lists of its categories"),
        ),
        ("\"id\":0", "\"id\":1", tree("the tree's id is not its place")),
        (
            "\"default_left\":[1,",
            "\"default_left\":[3,",
            format!("{TREE}.default_left[0]: expected true or false"),
        ),
        (
            "\"size_leaf_vector\":\"1\"",
            "\"size_leaf_vector\":\"3\"",
            tree("leaves of several values (multi_output_tree) is not supported"),
        ),
        ("\"tree_info\":[0]", "\"tree_info\":[1]", tree("tree_info says output 1 of 1")),
        (
            "\"tree_info\":[0]",
            "\"tree_info\":[]",
            "learner.gradient_booster.model.tree_info: expected 1 items".into(),
        ),
        (
            "\"tree_info\":[0]",
            "\"tree_info\":[0],\"tree_info\":[0]",
            "learner.gradient_booster.model.tree_info: the key stands there twice".into(),
        ),
        (
            "[\"a\",\"b\"]",
            "[\"a\",\"a\"]",
            "learner.feature_names: two features are named 'a'".into(),
        ),
        ("[\"a\",\"b\"]", "[\"a\"]", "learner.feature_names: expected 2 items".into()),
        (
            "\"float\",\"float\"",
            "\"float\",\"text\"",
            "feature type 'text' is not supported".into(),
        ),
        (
            "[1E0]",
            "[1E0,2E0]",
            "learner.learner_model_param.base_score: expected 1 or 1 numbers, got 2".into(),
        ),
        ("[1E0]", "nan", "learner.learner_model_param.base_score: is not one that".into()),
        ("[1E0]", "", "learner.learner_model_param.base_score: expected numbers".into()),
        (
            "\"num_feature\":\"2\"",
            "\"num_feature\":\"0\"",
            "learner.learner_model_param.num_feature: the model has no features".into(),
        ),
        (
            "\"num_feature\":\"2\"",
            "\"num_feature\":\"-2\"",
            "learner.learner_model_param.num_feature: expected a number".into(),
        ),
        (
            "\"num_feature\":\"2\"",
            "\"num_feature\":\"2147483648\"",
            "features: 2147483648 exceeds the limit of 65535".into(),
        ),
        (
            "\"num_class\":\"0\"",
            "\"num_class\":\"2147483648\"",
            "outputs: 2147483648 exceeds the limit of 10000".into(),
        ),
        (
            "reg:squarederror",
            "multi:softprob",
            "learner.learner_model_param.num_class: expected several classes".into(),
        ),
        ("reg:squarederror", "reg:mine", "objective 'reg:mine' is not supported".into()),
        ("\"name\":\"gbtree\"", "\"name\":\"forest\"", "booster 'forest' is not supported".into()),
        (
            "\"name\":\"gbtree\"",
            "\"name\":\"dart\"",
            "learner.gradient_booster.weight_drop: expected 1 items".into(),
        ),
        (
            "\"name\":\"gbtree\"",
            "\"name\":\"gblinear\"",
            "learner.gradient_booster.model.weights: expected".into(),
        ),
        (
            "[3,2,0]",
            "[4,0,0]",
            "a model of XGBoost 4.0 is not supported; supported: 1.0 to 3.4".into(),
        ),
        ("[3,2,0]", "[]", "a model without the version of XGBoost is not supported".into()),
        (
            "\"attributes\":{}",
            "\"attributes\":{\"best_iteration\":\"1\"}",
            "learner.attributes.best_iteration: the model has not so many rounds".into(),
        ),
        (
            "\"attributes\":{}",
            "\"attributes\":{\"best_iteration\":\"18446744073709551615\"}",
            "learner.attributes.best_iteration: the model has not".into(),
        ),
        (
            "\"attributes\":{}",
            "\"attributes\":{\"best_iteration\":\"x\"}",
            "learner.attributes.best_iteration: expected the number".into(),
        ),
        (
            "\"learner\":{",
            "\"other\":{",
            "not an XGBoost model: the object has no 'learner'".into(),
        ),
        ("\"version\":[3,2,0]}", "\"version\":[3,2,0]}}", "byte ".into()),
        ("\"a\",\"b\"", "\"a\" \"b\"", "byte ".into()),
        ("\"a\",\"b\"", "\"a\",\"\\ud800\"", "byte ".into()),
    ] {
        let error = error_of(old, new)?;
        assert!(error.starts_with(&expected), "{new} for {old}: {error}");
    }
    Ok(())
}

#[test]
fn categories_are_checked() -> Result {
    let with = |nodes: &str, begins: &str, counts: &str, categories: &str| {
        let model = PLAIN
            .replace("\"split_type\":[0,", "\"split_type\":[1,")
            .replace("\"categories_nodes\":[]", &format!("\"categories_nodes\":[{nodes}]"))
            .replace("\"categories_segments\":[]", &format!("\"categories_segments\":[{begins}]"))
            .replace("\"categories_sizes\":[]", &format!("\"categories_sizes\":[{counts}]"))
            .replace("\"categories\":[]", &format!("\"categories\":[{categories}]"));
        Model::read(model.as_bytes()).map_err(|error| error.to_string())
    };
    let mut scorer = with("0", "1", "2", "9,3,70")?.scorer();
    let codes = [3.0, 70.0, 9.0, 4.0, 71.0, -1.0, -0.5, 3.7, 1e9, f64::INFINITY, f64::NAN];
    let rows: Vec<f64> = codes.iter().flat_map(|code| [0.0, *code]).collect();
    let right = 3.5;
    let left = -0.25;
    let expected = [right, right, left, left, left, left, left, right, left, left, left];
    assert_eq!(scorer.margins(&rows)?, expected);
    for (nodes, begins, counts, categories) in [
        ("0", "0", "2", "1"),
        ("0", "18446744073709551615", "1", "1"),
        ("0", "9223372036854775807", "9223372036854775807", "1"),
        ("0", "0", "0", "1"),
        ("1", "0", "1", "1"),
        ("0", "0", "1", "16777216"),
        ("0", "0", "1", "-1"),
    ] {
        assert!(with(nodes, begins, counts, categories).is_err(), "{nodes} {begins} {counts}");
    }
    Ok(())
}

#[test]
fn sets_of_categories_take_no_more_than_the_limit() -> Result {
    let limits = Limits { set_bytes: 1 << 20, ..Limits::default() };
    let model = PLAIN
        .replace("\"split_type\":[0,", "\"split_type\":[1,")
        .replace("\"categories_nodes\":[]", "\"categories_nodes\":[0]")
        .replace("\"categories_segments\":[]", "\"categories_segments\":[0]")
        .replace("\"categories_sizes\":[]", "\"categories_sizes\":[2]")
        .replace("\"categories\":[]", "\"categories\":[0,16777215]");
    Model::read(model.as_bytes())?;
    let error = Model::read_within(model.as_bytes(), &limits).err().ok_or("accepted")?;
    assert!(error.to_string().contains("raise Limits::set_bytes"), "{error}");
    Ok(())
}

#[test]
fn what_is_no_model_at_all_is_said() -> Result {
    for (bytes, expected) in [
        (&b""[..], "not an XGBoost model: the file is empty"),
        (b"binf\0\0\0", "not an XGBoost model: this is the old binary format"),
        (b"PK\x03\x04", "not an XGBoost model: expected a JSON or UBJSON object"),
        (b"[1,2]", "not an XGBoost model: expected"),
        (b"{}", "not an XGBoost model: the object has no 'learner'"),
        (b"{\"learner\"", "byte 10: expected a colon"),
        (b"{L\0\0\0\0\0\0\0\x07learner{", "byte "),
        (b"{L\0\0\0\0\0\0\0\x01a[$l#L\0\0\0\0\x80\0\0\0", "byte 24: a list has more items than"),
        (
            b"{L\0\0\0\0\0\0\0\x01a[$T#L\x7f\xff\xff\xff\xff\xff\xff\xff",
            "byte 24: a list cannot have",
        ),
        (
            b"{L\0\0\0\0\0\0\0\x01a[#L\x7f\xff\xff\xff\xff\xff\xff\xff",
            "byte 22: a list has more items",
        ),
        (b"{L\xff\xff\xff\xff\xff\xff\xff\xff", "byte 2: a size is negative"),
    ] {
        let error = refused(bytes)?;
        assert!(error.starts_with(expected), "{bytes:?}: {error}");
    }
    let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
    let error = refused(deep.as_bytes())?;
    assert!(error.contains("too deep"), "{error}");
    let deep = [b"{i\x01a".to_vec(), b"[".repeat(1_000_000)].concat();
    let error = refused(&deep)?;
    assert!(error.contains("too deep"), "{error}");
    Ok(())
}

#[test]
fn limits_hold() -> Result {
    let all = Limits::default();
    for (limits, name) in [
        (Limits { bytes: 100, ..all }, "bytes"),
        (Limits { features: 1, ..all }, "features"),
        (Limits { trees: 0, ..all }, "trees"),
        (Limits { nodes: 2, ..all }, "nodes"),
        (Limits { outputs: 0, ..all }, "outputs"),
    ] {
        let error = Model::read_within(PLAIN.as_bytes(), &limits).err().ok_or(name)?;
        assert!(error.to_string().contains(&format!("raise Limits::{name} ")), "{error}");
    }
    Ok(())
}

/// Models with a part missing, and with bytes changed, are read and scored without a panic.
#[test]
fn damaged_models_do_no_harm() -> Result {
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    let chosen = [
        "v3.4.1-names",
        "v3.4.1-categories-many",
        "v1.7.6-dart.",
        "v3.4.1-named-ascii",
        "v2.1.4-gblinear-softprob",
    ];
    for name in models()?.iter().filter(|name| chosen.iter().any(|it| name.starts_with(it))) {
        let whole = bytes(name)?;
        for _ in 0..25 {
            let cut = draw(whole.len());
            assert!(Model::read(&whole[..cut]).is_err(), "{name}: cut at {cut}");
            let mut changed = whole.clone();
            for _ in 0..1 + draw(4) {
                let at = draw(whole.len());
                changed[at] = match draw(3) {
                    0 => draw(256) as u8,
                    1 => changed[at] ^ (1 << draw(8)),
                    _ => whole[draw(whole.len())],
                };
            }
            let Ok(model) = Model::read(&changed) else { continue };
            let mut predictions = Predictions::default();
            let rows = vec![1.0; model.features().len() * 3];
            model.scorer().score(&rows, &mut predictions)?;
            assert_eq!(predictions.len(), 3);
        }
    }
    Ok(())
}

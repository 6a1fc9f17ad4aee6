//! Bytes that are no model, models that are wrong, rows that are strange: an error or an
//! answer, never a panic, endless work or unbounded memory.

mod support;

use h2o_mojo::{Error, Limits, Model, Predictions};
use proptest::prelude::*;
use proptest::sample::Index;
use support::zip::{Entries, Packed, pack, pack_as, unpack};
use support::{Result, zoo_bytes};

/// Small models of every kind of tree and layer.
const MODELS: [&str; 37] = [
    "gbm-bernoulli",
    "gbm-deep",
    "gbm-multinomial",
    "v3.10.0.10-gbm-gaussian",
    "v3.22.1.6-gbm-bernoulli",
    "drf-multinomial",
    "drf-binomial-double-trees",
    "v3.10.0.10-drf-binomial",
    "isolation-flag",
    "dl-rectifier-binomial",
    "dl-maxout-multinomial",
    "dl-tanh-regression",
    "gbm-isotonic",
    "glm-plain-binomial",
    "glm-multinomial",
    "glm-ordinal-skip",
    "glm-tweedie-power",
    "ensemble-gbm-binomial",
    "ensemble-logit-multinomial",
    "ensemble-unused",
    "kmeans",
    "isotonic",
    "eif-extended",
    "ae-dropout",
    "pca-only-categories",
    "uplift-kl",
    "coxph-strata",
    "coxph-interactions-mixed",
    "gam-binomial",
    "gam-multinomial",
    "gam-is",
    "gam-ms",
    "gam-tp-cubic",
    "rulefit-rules-regression",
    "gbm-encoded-enumlimited",
    "drf-encoded-binary",
    "dl-encoded-eigen",
];

/// Small enough that a test which reaches them is quick.
const LIMITS: Limits = Limits {
    entries: 1000,
    inflated_bytes: 4 << 20,
    columns: 1000,
    categories: 10_000,
    nodes: 100_000,
    weights: 1_000_000,
};

/// Reads what may be a model and, if it is one, scores rows of all kinds with it.
fn attempt(bytes: &[u8]) -> std::result::Result<(), Error> {
    let model = Model::read_within(bytes, &LIMITS)?;
    let kinds = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        -1.0,
        -2.0,
        1.0,
        31.0,
        32.0,
        1e9,
        -1e9,
        1e300,
        -1e300,
        f64::MIN_POSITIVE,
        0.5,
        f64::from(i32::MAX),
        f64::from(i32::MIN),
    ];
    let features = model.features().len();
    let mut rows: Vec<f64> =
        kinds.iter().flat_map(|kind| std::iter::repeat_n(*kind, features)).collect();
    rows.extend(
        (0..features * 20).map(|index| kinds[(index * 7 + index / features) % kinds.len()]),
    );

    let mut predictions = Predictions::default();
    model.scorer().score(&rows, None, &mut predictions)?;
    assert_eq!(predictions.len(), rows.len() / features);
    assert_eq!(predictions.width(), model.classes().len() + model.outputs().len());
    if !model.classes().is_empty() {
        assert_eq!(predictions.labels().len(), predictions.len());
        assert!(predictions.labels().iter().all(|label| (*label as usize) < predictions.width()));
        for row in predictions.values().chunks_exact(predictions.width()) {
            let missing = row.iter().filter(|value| value.is_nan()).count();
            assert!(missing == 0 || missing == row.len(), "{row:?}");
        }
    }
    Ok(())
}

/// Replaces some bytes of `bytes`.
fn mutate(bytes: &mut [u8], changes: &[(Index, u8)]) {
    for (place, value) in changes {
        if !bytes.is_empty() {
            bytes[place.index(bytes.len())] = *value;
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8)>> {
    // Bytes that mean something in a tree or in text come up more often.
    let byte = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(b'0'), Just(b'9'), Just(b',')];
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
        let bytes = zoo_bytes(model).expect("a model of testdata");
        let end = place.index(bytes.len());
        prop_assert!(attempt(&bytes[..end]).is_err(), "{model} up to {end}");
    }

    #[test]
    fn a_model_with_other_bytes(model in prop::sample::select(&MODELS[..]), changes in changes()) {
        let mut bytes = zoo_bytes(model).expect("a model of testdata");
        mutate(&mut bytes, &changes);
        let _ = attempt(&bytes);
    }

    #[test]
    fn an_entry_with_other_bytes(
        model in prop::sample::select(&MODELS[..]),
        entry in any::<Index>(),
        changes in changes(),
    ) {
        let mut entries = unpack(&zoo_bytes(model).expect("a model of testdata")).expect("a zip");
        let names: Vec<String> = entries.keys().cloned().collect();
        let bytes = entries.get_mut(entry.get(&names)).expect("its own name");
        mutate(bytes, &changes);
        let _ = attempt(&pack(&entries));
    }

    #[test]
    fn a_tree_of_any_bytes(
        model in prop::sample::select(&MODELS[..9]),
        tree in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut entries = unpack(&zoo_bytes(model).expect("a model of testdata")).expect("a zip");
        entries.insert("trees/t00_000.bin".into(), tree);
        let _ = attempt(&pack(&entries));
    }

    #[test]
    fn a_slanted_tree_of_any_bytes(tree in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut entries = unpack(&zoo_bytes("eif").expect("a model of testdata")).expect("a zip");
        let columns = 6_u32.to_le_bytes();
        entries.insert("trees/t00.bin".into(), [&columns[..], &tree].concat());
        let _ = attempt(&pack(&entries));
    }

    #[test]
    fn a_line_of_model_ini_with_another_value(
        model in prop::sample::select(&MODELS[..]),
        line in any::<Index>(),
        value in prop_oneof![
            "[0-9]{1,20}", "-[0-9]{1,5}", "\\[\\]", "\\[[0-9, ]{0,40}\\]", "null", "NaN", "\\PC{0,12}",
            Just("[1e308, 1e308]".to_string()), Just("[NaN]".to_string()), Just("1e308".to_string()),
        ],
    ) {
        let mut entries = unpack(&zoo_bytes(model).expect("a model of testdata")).expect("a zip");
        let text = String::from_utf8(entries["model.ini"].clone()).expect("text");
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        let line = line.index(lines.len());
        let separator = if lines[line].contains('=') { " = " } else { ": " };
        let key = lines[line].split(separator).next().unwrap_or_default().to_string();
        lines[line] = format!("{key}{separator}{value}");
        entries.insert("model.ini".into(), lines.join("\n").into_bytes());
        let _ = attempt(&pack(&entries));
    }
}

/// A model's entries after `change`, read.
fn changed(model: &str, change: impl FnOnce(&mut Entries)) -> Result<String> {
    let mut entries = unpack(&zoo_bytes(model)?)?;
    change(&mut entries);
    let error = Model::read_within(&pack(&entries), &LIMITS).err().ok_or("it was read")?;
    Ok(error.to_string())
}

fn replace(entries: &mut Entries, from: &str, to: &str) {
    let text = String::from_utf8_lossy(&entries["model.ini"]);
    assert!(text.contains(from), "{from}: {text}");
    let text = text.replacen(from, to, 1).into_bytes();
    entries.insert("model.ini".into(), text);
}

#[test]
fn errors_say_what_is_wrong_and_where() -> Result {
    let model = "gbm-bernoulli";
    let error = Model::read(b"no zip").err().ok_or("it was read")?.to_string();
    assert!(error.starts_with("not an H2O MOJO: not a zip archive"), "{error}");
    let error = Model::read(&pack(&Entries::new())).err().ok_or("it was read")?.to_string();
    assert_eq!(error, "not an H2O MOJO: model.ini is missing");

    let error = changed(model, |entries| {
        entries.insert("trees/t00_003.bin".into(), vec![0xff; 3]);
    })?;
    assert_eq!(error, "trees/t00_003.bin: node at byte 0: truncated");

    let error = changed(model, |entries| {
        // A test of column 0 whose left branch claims 200 bytes.
        let tree = vec![0, 0, 0, 2, 0, 0, 0, 0, 200, 0, 0];
        entries.insert("trees/t00_003.bin".into(), tree);
    })?;
    assert_eq!(error, "trees/t00_003.bin: node at byte 0: branch is outside the tree");

    let error = changed(model, |entries| {
        // Two leaves, the right one said to begin within the left one.
        let mut tree = vec![0x40, 0, 0, 2, 0, 0, 0, 0, 2];
        tree.extend([0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
        entries.insert("trees/t00_003.bin".into(), tree);
    })?;
    assert_eq!(error, "trees/t00_003.bin: node at byte 9: branches overlap or leave a gap");

    let error = changed(model, |entries| replace(entries, "n_classes = 2", "n_classes = two"))?;
    assert!(error.starts_with("model.ini: line "), "{error}");
    assert!(error.ends_with("n_classes: invalid number: \"two\""), "{error}");

    let error = changed(model, |entries| replace(entries, "init_f = ", "init_g = "))?;
    assert_eq!(error, "model.ini: init_f is missing");

    let error = changed(model, |entries| replace(entries, "= 1.40", "= 1.50"))?;
    assert_eq!(error, "MOJO version 1.50 is not supported; supported: gbm 1.00 to 1.40");

    let error = changed(model, |entries| {
        entries.retain(|name, _| name != "domains/d000.txt");
    })?;
    assert_eq!(error, "domains/d000.txt: missing from the archive");

    let error = changed("dl-tanh-regression", |entries| {
        replace(entries, "bias_layer1 = [", "bias_layer1 = [0.5, ");
    })?;
    assert_eq!(error, "model.ini: bias_layer1: its length does not fit neural_network_sizes");
    Ok(())
}

#[test]
fn archives_cannot_take_more_than_the_limits() -> Result {
    let zeros = vec![0_u8; 8 << 20];
    let packed = miniz_oxide::deflate::compress_to_vec(&zeros, 1);
    let bomb = |size: usize| {
        let entry = Packed {
            name: "model.ini",
            method: 8,
            packed: packed.clone(),
            size: size as u32,
            crc: rawzip::crc32(&zeros[..size]),
        };
        Model::read_within(&pack_as(&[entry]), &LIMITS)
    };
    // One that says how large it is, and one that says that it is small.
    let error = bomb(zeros.len()).err().ok_or("it was read")?.to_string();
    assert!(error.contains("Limits::inflated_bytes"), "{error}");
    let error = bomb(1000).err().ok_or("it was read")?.to_string();
    assert!(error.starts_with("model.ini: cannot be inflated"), "{error}");

    let many: Entries = (0..2000).map(|index| (format!("{index}"), vec![])).collect();
    let error = Model::read_within(&pack(&many), &LIMITS).err().ok_or("it was read")?;
    assert!(error.to_string().contains("Limits::entries"), "{error}");

    let error = changed("gbm-bernoulli", |entries| {
        replace(entries, "n_trees = ", "n_trees = 1000000");
    })?;
    assert!(error.contains("Limits::entries"), "{error}");
    let error = changed("gbm-bernoulli", |entries| replace(entries, ": 5 d000", ": 50000 d000"))?;
    assert!(error.contains("Limits::categories"), "{error}");
    Ok(())
}

/// A tree of so many tests for missing values, each the right branch of the one before.
fn chain(tests: usize) -> Vec<u8> {
    let leaf = 1.0_f32.to_le_bytes();
    let test = [&[0x30, 0, 0, 1][..], &leaf].concat();
    [test.repeat(tests), vec![0, 0xff, 0xff], leaf.to_vec()].concat()
}

#[test]
fn nodes_are_counted_while_a_tree_is_read() -> Result {
    let expected = "trees/t00_000.bin: nodes so far: 100001 exceeds the limit of 100000";
    let error = changed("gbm-bernoulli", |entries| {
        entries.insert("trees/t00_000.bin".into(), chain(60_000));
    })?;
    assert!(error.starts_with(expected), "{error}");

    // A large one that is packed is counted before it is unpacked: its checksum is not asked.
    let tree = chain(200_000);
    let entries = unpack(&zoo_bytes("gbm-bernoulli")?)?;
    let packed: Vec<Packed<'_>> = entries
        .iter()
        .map(|(name, bytes)| {
            let bytes = if name == "trees/t00_000.bin" { &tree } else { bytes };
            let packed = miniz_oxide::deflate::compress_to_vec(bytes, 6);
            Packed { name, method: 8, packed, size: bytes.len() as u32, crc: 0 }
        })
        .map(|entry| Packed {
            crc: if entry.name.starts_with("trees/") {
                1
            } else {
                rawzip::crc32(&entries[entry.name])
            },
            ..entry
        })
        .collect();
    let error = Model::read_within(&pack_as(&packed), &LIMITS).err().ok_or("it was read")?;
    assert!(error.to_string().starts_with(expected), "{error}");

    // And one within the limit is read.
    let mut entries = entries;
    entries.insert("trees/t00_000.bin".into(), chain(40_000));
    attempt(&pack(&entries))?;
    Ok(())
}

#[test]
fn trees_are_as_many_as_the_model_says() -> Result {
    let error = changed("gbm-bernoulli", |entries| {
        entries.remove("trees/t00_001.bin");
    })?;
    assert_eq!(error, "trees/t00_001.bin: missing from the archive");
    let error = changed("gbm-bernoulli", |entries| replace(entries, "n_trees = 4", "n_trees = 5"))?;
    assert_eq!(error, "trees/t00_004.bin: missing from the archive");
    let error = changed("gbm-bernoulli", |entries| replace(entries, "n_trees = 4", "n_trees = 3"))?;
    assert_eq!(error, "model.ini: n_trees: trees/t00_003.bin is beyond 3 rounds of 1");
    let error = changed("gbm-bernoulli", |entries| {
        let tree = entries["trees/t00_000.bin"].clone();
        entries.insert("trees/t01_000.bin".into(), tree);
    })?;
    assert_eq!(error, "model.ini: n_trees: trees/t01_000.bin is beyond 4 rounds of 1");
    // A class without a row in training has no trees, but one with rows has.
    let error = changed("gbm-absent-class", |entries| {
        entries.remove("trees/t02_001.bin");
    })?;
    assert_eq!(error, "trees/t02_001.bin: missing from the archive");
    // A forest whose trees do not fit its classes, or that has none.
    let drf = |from: &str, to: &str| changed("drf-binomial", |entries| replace(entries, from, to));
    let error = drf("double_trees = false", "double_trees = true")?;
    assert_eq!(error, "model.ini: n_trees_per_class: expected 2, got 1");
    let error = drf("binomial_double_trees = ", "other = ")?;
    assert_eq!(error, "model.ini: binomial_double_trees is missing");
    let error = drf("n_trees_per_class = 1", "n_trees_per_class = 2")?;
    assert_eq!(error, "model.ini: n_trees_per_class: expected 1, got 2");
    let error = drf("n_trees = 3", "n_trees = 0")?;
    assert_eq!(error, "model.ini: n_trees: a random forest without trees predicts nothing");
    let isolation =
        |from: &str, to: &str| changed("isolation", |entries| replace(entries, from, to));
    let error = isolation("n_trees = 5", "n_trees = 0")?;
    assert_eq!(error, "model.ini: n_trees: an isolation forest without trees predicts nothing");
    let error = isolation("n_classes = 1", "n_classes = 2")?;
    assert_eq!(error, "model.ini: n_classes: expected 1 without classes, got 2");
    let error = isolation("min_path_length = ", "min_path_length = -")?;
    assert_eq!(error, "model.ini: min_path_length: a path's length is out of range");
    let error = isolation("= AnomalyDetection", "= Regression")?;
    assert_eq!(error, "model.ini: category: Regression does not fit the algorithm isolationforest");
    let error = changed("drf-absent-class", |entries| {
        entries.remove("trees/t02_001.bin");
    })?;
    assert_eq!(error, "trees/t02_001.bin: missing from the archive");
    let error = changed("dl-tanh-regression", |entries| {
        replace(entries, "bias_layer2 = ", "weight_layer3 = [1.0]\nbias_layer2 = ");
    })?;
    assert_eq!(error, "model.ini: weight_layer3: neural_network_sizes has no such layer");
    Ok(())
}

#[test]
fn names_that_h2o_itself_shifts_are_refused() -> Result {
    for name in ["#b", "# b", "[info]", "[columns]", "[domains]"] {
        let error = changed("gbm-bernoulli", |entries| {
            replace(entries, "\nb\n", &format!("\n{name}\n"));
        })?;
        assert!(error.starts_with(&format!("a column named '{name}' is not supported")), "{error}");
    }
    for name in ["", "b\rd", "b\nd"] {
        let error = changed("gbm-bernoulli", |entries| {
            replace(entries, "\nb\n", &format!("\n{name}\n"));
        })?;
        assert!(error.contains("a name that is empty or holds a line break"), "{error}");
    }
    let error = changed("gbm-bernoulli", |entries| replace(entries, "\nb\n", "\n a\n"))?;
    assert!(error.starts_with("a model with two columns named 'a'"), "{error}");
    Ok(())
}

#[test]
fn an_encoding_that_is_not_said_is_refused() -> Result {
    let key = "_genmodel_encoding = AUTO";
    for (model, line) in [
        ("dl-rectifier-binomial", "_genmodel_encoding = null\n_n_orig_names = 6"),
        ("dl-rectifier-binomial", "_genmodel_encoding = null"),
        ("gbm-bernoulli", "_genmodel_encoding = null"),
        ("drf-binomial", "_genmodel_encoding = null"),
        ("gbm-bernoulli", "_n_orig_names = 6"),
        ("v3.22.1.6-gbm-bernoulli", "_n_orig_names = 6"),
    ] {
        let error = changed(model, |entries| {
            let anchor = if model.starts_with('v') { "n_trees = " } else { key };
            let keep = if model.starts_with('v') { "\nn_trees = " } else { "" };
            replace(entries, anchor, &format!("{line}{keep}"));
        })?;
        assert!(error.starts_with("categorical encoding 'null'"), "{model}: {error}");
    }
    Ok(())
}

#[test]
fn a_calibration_that_is_wrong_is_refused() -> Result {
    let error = changed("gbm-platt", |entries| replace(entries, "= platt", "= beta"))?;
    assert_eq!(error, "calibration 'beta' is not supported; supported: platt, isotonic");
    let error = changed("gbm-platt", |entries| replace(entries, "calib_glm_beta = [", "x = ["))?;
    assert_eq!(error, "model.ini: calib_glm_beta: expected two numbers");
    let error = changed("gbm-isotonic", |entries| {
        entries.insert("calib/thresholds_y".into(), vec![0, 0, 0, 9]);
    })?;
    assert_eq!(error, "calib/thresholds_y: expected a count and as many doubles");
    let error =
        changed("gbm-isotonic", |entries| replace(entries, "calib_max_x = 0", "calib_max_x = 7"))?;
    assert!(error.starts_with("model.ini: calib_min_x: "), "{error}");
    Ok(())
}

#[test]
fn a_linear_model_that_does_not_fit_is_refused() -> Result {
    let glm =
        |from: &str, to: &str| changed("glm-plain-binomial", |entries| replace(entries, from, to));
    // As many coefficients as there are levels, numbers and an intercept: neither less nor more.
    let error = glm("beta = [", "beta = [0.5, ")?;
    assert_eq!(error, "model.ini: beta: expected 78 items, got 79");
    let error = glm("beta = [", "beta = [, ")?;
    assert_eq!(error, "model.ini: beta: expected 78 items, got 79");
    let error = glm("use_all_factor_levels = false", "use_all_factor_levels = true")?;
    assert!(error.starts_with("model.ini: cat_offsets: it does not fit the 70 cat"), "{error}");
    let error = glm("cat_offsets = [0, 69,", "cat_offsets = [0, 68,")?;
    assert!(error.starts_with("model.ini: cat_offsets: it does not fit the 70 cat"), "{error}");
    let error = glm("cat_offsets = [0, ", "cat_offsets = [")?;
    assert_eq!(error, "model.ini: cat_offsets: expected 4 items, got 3");
    let error = glm("cat_modes = [", "cat_modes = [-")?;
    assert!(error.starts_with("model.ini: cat_modes: column 0 has no category -"), "{error}");
    let error = glm("num_means = [", "num_means = [1.0, ")?;
    assert_eq!(error, "model.ini: num_means: expected 3 items, got 4");
    let error = glm("cats = 3", "cats = 2")?;
    assert_eq!(error, "model.ini: nums: 3 and 2 cats do not add up to 6 features");
    let error = glm("nums = 3", "nums = 18446744073709551615")?;
    assert!(error.starts_with("model.ini: nums: 184"), "{error}");
    let error = glm("mean_imputation = ", "mean = ")?;
    assert_eq!(error, "model.ini: mean_imputation is missing");
    Ok(())
}

#[test]
fn a_linear_model_that_is_not_certain_is_refused() -> Result {
    let glm =
        |model: &str, from: &str, to: &str| changed(model, |entries| replace(entries, from, to));
    let binomial = "glm-plain-binomial";
    let error = glm(binomial, "= 1.00", "= 1.10")?;
    assert_eq!(error, "MOJO version 1.10 is not supported; supported: glm 1.00");
    let error = glm(binomial, "family = binomial", "family = hyperbolic")?;
    assert!(error.starts_with("family 'hyperbolic' is not supported; supported: gau"), "{error}");
    let error = glm(binomial, "link = logit", "link = probit")?;
    assert_eq!(error, "link 'probit' of family 'binomial' is not supported; supported: logit");
    let error = glm("glm-ordinal", "link = ologit", "link = oprobit")?;
    assert_eq!(error, "link 'oprobit' of family 'ordinal' is not supported; supported: ologit");
    let error = glm("glm-poisson-log", "link = log", "link = inverse")?;
    assert!(error.starts_with("link 'inverse' of family 'poisson' is not supported"), "{error}");
    let error = glm(
        "glm-ordinal",
        "family = ordinal\nlink = ologit",
        "family = multinomial\nlink = multinomial",
    )?;
    assert_eq!(error, "model.ini: family: multinomial does not fit Ordinal of 3 classes");
    let error = glm("glm-multinomial", "family = ", "offset_column = c\nfamily = ")?;
    assert!(error.starts_with("an offset column of family 'multinomial' is not s"), "{error}");
    let error = glm("glm-tweedie-power", "link_power = -0.7", "link_power = NaN")?;
    assert_eq!(error, "model.ini: tweedie_link_power: NaN is out of range");
    for key in ["num_interactions = 1", "calib_method = platt", "remove_offset_effects = true"] {
        let error = glm(binomial, "link = logit", &format!("link = logit\n{key}"))?;
        assert!(error.starts_with("a linear model with '"), "{error}");
    }
    Ok(())
}

//! Models whose parts do not fit one another, or are more than there may be, are refused by the
//! name of what is wrong: what is inside of ensembles, and each algorithm's own dimensions.

mod support;

use h2o_mojo::{Limits, Model};
use support::zip::{Entries, pack, unpack};
use support::{Result, zoo_bytes};

/// A model with another text in one of its entries, read; answers what is wrong.
fn changed(model: &str, change: impl FnOnce(&mut Entries)) -> Result<String> {
    let mut entries = unpack(&zoo_bytes(model)?)?;
    change(&mut entries);
    let error = Model::read_within(&pack(&entries), &Limits::default());
    Ok(error.err().ok_or(format!("{model} was read"))?.to_string())
}

/// The same with one text of `model.ini` replaced.
fn ini(model: &str, from: &str, to: &str) -> Result<String> {
    changed(model, |entries| replace(entries, "model.ini", from, to))
}

fn replace(entries: &mut Entries, entry: &str, from: &str, to: &str) {
    let text = String::from_utf8_lossy(&entries[entry]);
    assert!(text.contains(from), "{from}: {text}");
    let text = text.replacen(from, to, 1).into_bytes();
    entries.insert(entry.into(), text);
}

/// Asserts how an error begins.
fn begins(error: Result<String>, expected: &str) -> Result {
    let error = error?;
    assert!(error.starts_with(expected), "{error}\nexpected: {expected}");
    Ok(())
}

const ENSEMBLE: &str = "ensemble-deeplearning-binomial";

#[test]
fn ensembles_are_not_inside_of_themselves_or_of_others() -> Result {
    let entries = unpack(&zoo_bytes(ENSEMBLE)?)?;
    let text = String::from_utf8_lossy(&entries["model.ini"]).into_owned();
    let dir = text.lines().find(|line| line.starts_with("submodel_dir_1")).ok_or("no submodel")?;
    // The folder of the archive itself.
    let error = ini(ENSEMBLE, dir, "submodel_dir_1 =");
    begins(error, ": a model inside of a model that is inside of another is not supported")?;
    // A whole ensemble in a folder.
    let error = changed(ENSEMBLE, |inside| {
        for (name, bytes) in &entries {
            inside.insert(format!("models/deep/{name}"), bytes.clone());
        }
        replace(inside, "model.ini", dir, "submodel_dir_1 = models/deep/");
    });
    begins(error, "models/deep/: a model inside of a model that is inside of another is not")?;
    // Rules in an ensemble have a model of their own.
    let rules = unpack(&zoo_bytes("rulefit-rules-binomial")?)?;
    let error = changed(ENSEMBLE, |inside| {
        for (name, bytes) in &rules {
            inside.insert(format!("models/deep/{name}"), bytes.clone());
        }
        replace(inside, "model.ini", dir, "submodel_dir_1 = models/deep/");
    });
    begins(error, "models/deep/: rules inside of a model that is inside of another is not")?;
    Ok(())
}

#[test]
fn an_ensemble_fits_its_models() -> Result {
    let many = "submodel_count = 2147483648";
    begins(ini(ENSEMBLE, "submodel_count = 4", many), "submodels: 2147483648 exceeds the limit")?;
    let more = ini(ENSEMBLE, "submodel_count = 4", "submodel_count = 5");
    begins(more, "model.ini: submodel_key_4 is missing")?;
    let fewer = ini(ENSEMBLE, "submodel_count = 4", "submodel_count = 3");
    begins(fewer, "model.ini: submodel_count: no model 'few_2'")?;
    let many = "base_models_num = 2147483648";
    let error = ini(ENSEMBLE, "base_models_num = 3", many);
    begins(error, "model.ini: base_models_num: 2147483648 times 1 are not the metalearner's 3")?;
    let error = ini(ENSEMBLE, "base_models_num = 3", "base_models_num = 18446744073709551615");
    begins(error, "model.ini: base_models_num: 18446744073709551615 times 1")?;
    let error = ini(ENSEMBLE, "base_model0 = gbm_0", "base_model0 = few_2");
    begins(error, "model.ini: base_model0: the metalearner's columns there are not those of")?;
    let error = ini(ENSEMBLE, "metalearner = ", "metalearner = x");
    begins(error, "model.ini: submodel_count: no model 'xmeta")?;
    let error = ini(ENSEMBLE, "metalearner_transform = NONE", "metalearner_transform = Probit");
    begins(error, "metalearner_transform 'Probit' is not supported; supported: NONE, Logit")?;
    let error = ini(ENSEMBLE, "base_models_num", "offset_column = c\nbase_models_num");
    begins(error, "an ensemble with an offset column")?;
    let error = ini(ENSEMBLE, "models/GBM/few_2/", "models/GBM/gbm_0/");
    begins(error, "model.ini: submodel_dir_3: 'models/GBM/gbm_0/' is another model's")?;
    // A base model with other categories, and one with a column that the ensemble does not have.
    let inside = "models/GBM/few_2/";
    let error = changed(ENSEMBLE, |entries| {
        let domain = format!("{inside}domains/d000.txt");
        replace(entries, &domain, "green", "verde");
    });
    begins(error, "base model 'few_2' with other categories of 'few' is not supported")?;
    let error = changed(ENSEMBLE, |entries| {
        replace(entries, &format!("{inside}model.ini"), "\nc\n", "\nd\n");
    });
    begins(error, "base model 'few_2' with a column 'd' is not supported")?;
    // One that predicts something else.
    let other = unpack(&zoo_bytes("ensemble-deeplearning-regression")?)?;
    let error = changed(ENSEMBLE, |entries| {
        for (name, bytes) in other.iter().filter(|(name, _)| name.starts_with(inside)) {
            entries.insert(name.clone(), bytes.clone());
        }
    });
    begins(error, "model.ini: base_model2: it does not predict what the ensemble does")?;
    // What is wrong inside says where.
    let error = changed(ENSEMBLE, |entries| {
        entries.remove(&format!("{inside}trees/t00_001.bin"));
    });
    begins(error, "models/GBM/few_2/: trees/t00_001.bin: missing from the archive")?;
    Ok(())
}

#[test]
fn clusters_and_components_fit_their_columns() -> Result {
    let error = ini("kmeans", "center_num = 3", "center_num = 2147483648");
    begins(error, "centres: numbers: 12884901888 exceeds the limit")?;
    begins(ini("kmeans", "center_num = 3", "center_num = 0"), "model.ini: center_num: a model")?;
    begins(ini("kmeans", "center_num = 3", "center_num = 4"), "model.ini: center_3 is missing")?;
    let error = ini("kmeans", "center_1 = [", "center_1 = [1.0, ");
    begins(error, "model.ini: center_1: expected 6 items, one per column, got 7")?;
    let error =
        ini("kmeans", "standardize_modes = [-1, -1, -1, 4", "standardize_modes = [-1, -1, 4, -1");
    begins(error, "model.ini: standardize_modes: 4 does not fit column 'c'")?;
    begins(ini("kmeans", "standardize = ", "x = "), "model.ini: standardize is missing")?;

    begins(ini("pca", "k = 3", "k = 2147483648"), "eigenvectors: numbers: 165356240896 exceeds")?;
    begins(ini("pca", "k = 3", "k = 4"), "eigenvectors_raw: expected 308 doubles, got 1848 bytes")?;
    begins(ini("pca", "k = 3", "k = 0"), "model.ini: eigenvector_size: it does not fit k")?;
    let error = ini("pca", "permutation = [4,", "permutation = [3,");
    begins(error, "model.ini: permutation: expected each column once")?;
    let error = ini("pca", "catOffsets = [0, 69", "catOffsets = [0, 68");
    begins(error, "model.ini: catOffsets: it does not fit column 'many'")?;
    begins(ini("pca", "ncats = 3", "ncats = 2"), "model.ini: ncats: 2 and 3 nnums are not 6")?;

    let error = changed("isotonic", |entries| {
        entries.insert("calib/thresholds_x".into(), vec![0x7f, 0xff, 0xff, 0xff]);
    });
    begins(error, "calib/thresholds_x: expected a count and as many doubles")?;
    Ok(())
}

#[test]
fn slanted_trees_are_whole() -> Result {
    let error = ini("eif", "ntrees = 5", "ntrees = 2147483648");
    begins(error, "trees: 2147483648 exceeds the limit")?;
    begins(ini("eif", "ntrees = 5", "ntrees = 4"), "model.ini: ntrees: trees/t04.bin is beyond 4")?;
    begins(ini("eif", "ntrees = 5", "ntrees = 6"), "trees/t05.bin: missing from the archive")?;
    let error = ini("eif", "sample_size = 32", "sample_size = 1");
    begins(error, "model.ini: sample_size: a forest without trees, or of single rows")?;
    let tree = |bytes: Vec<u8>| {
        changed("eif", |entries| {
            entries.insert("trees/t00.bin".into(), bytes);
        })
    };
    let columns = |count: u32| count.to_le_bytes().to_vec();
    begins(tree(columns(7)), "trees/t00.bin: node at byte 0: it has not as many columns")?;
    begins(tree(columns(6)), "trees/t00.bin: node at byte 4: expected the root first")?;
    let node = |number: u32| [&number.to_le_bytes()[..], b"N", &[1; 96]].concat();
    let leaf = |number: u32| [&number.to_le_bytes()[..], b"L", &[1, 0, 0, 0]].concat();
    let error = tree([columns(6), node(0), leaf(1)].concat());
    begins(error, "trees/t00.bin: node at byte 4: a child of it is missing behind it")?;
    let error = tree([columns(6), node(0), leaf(1), leaf(1)].concat());
    begins(error, "trees/t00.bin: node at byte 114: another node has its number")?;
    let error = tree([columns(6), leaf(0), node(0)[..50].to_vec()].concat());
    begins(error, "trees/t00.bin: node at byte 13: it ends early")?;
    let error = tree([columns(6), vec![0, 0, 0, 0, b'X']].concat());
    begins(error, "trees/t00.bin: node at byte 4: expected N or L")?;
    Ok(())
}

#[test]
fn hazards_and_curves_fit_their_columns() -> Result {
    let strata = "coxph-two-strata";
    let error = ini(strata, "strata_count = 10", "strata_count = 2147483648");
    begins(error, "strata: 2147483648 exceeds the limit")?;
    let error = ini(strata, "strata_count = 10", "strata_count = 9");
    begins(error, "model.ini: x_mean_cat_size1: 10 times 0 does not fit 9 strata")?;
    let error = ini(strata, "strata_1 = [1.0, 1.0]", "strata_1 = [0.0, 0.0]");
    begins(error, "model.ini: strata_1: another stratum has the same levels")?;
    let error = ini(strata, "x_mean_num_size2 = 1", "x_mean_num_size2 = 2147483648");
    begins(error, "model.ini: x_mean_num_size1: 10 times 2147483648 does not fit")?;
    let error = ini("coxph-categories", "cats = 2", "cats = 9");
    begins(error, "model.ini: cats: 9 and ")?;
    let mixed = "coxph-interactions-mixed";
    let error = ini(mixed, "interaction_targets = [3, 1]", "interaction_targets = [3, 99]");
    begins(error, "model.ini: interaction_targets: 99: no such column")?;
    let error = ini(mixed, "interactions_1 = [4, 0]", "interactions_1 = [4]");
    begins(error, "model.ini: interaction_targets: it has not as many columns")?;
    let error = ini(mixed, "strata_count = 0", "strata_count = 1\nstrata_0 = [1.0]");
    begins(error, "coxph with strata and with interactions")?;

    let gam = "gam-binomial";
    let error = ini(gam, "num_knots_sorted = [5, 4]", "num_knots_sorted = [0, 4]");
    begins(error, "model.ini: num_knots_sorted: 0 are too few")?;
    let error =
        ini(gam, "num_knots_sorted = [5, 4]", "num_knots_sorted = [18446744073709551615, 4]");
    begins(error, "knots: it has not as many numbers as num_knots_sorted wants")?;
    let error = ini(gam, "num_knots_sorted = [5, 4]", "num_knots_sorted = [2, 7]");
    begins(error, "model.ini: num_knots_sorted: 2 are too few")?;
    let error = ini(gam, "beta_center = [", "beta_center = [1.0, ");
    begins(error, "model.ini: beta_center: expected 16, got 17")?;
    let error = changed(gam, |entries| {
        entries.insert("knots".into(), vec![0; 72]);
    });
    begins(error, "knots: expected numbers that rise")?;
    let error = changed(gam, |entries| {
        entries.insert("knots".into(), vec![0; 16]);
    });
    begins(error, "knots: it has not as many numbers as num_knots_sorted wants")?;
    let error = ini(gam, "mean_imputation = true", "mean_imputation = false");
    begins(error, "an additive model that skips missing values")?;
    let error = ini("gam-ms", "orders_sorted = [3]", "orders_sorted = [99]");
    begins(error, "model.ini: spline_orders_sorted: expected one, to 12")?;
    let error = ini("gam-is", "orders_sorted = [3]", "orders_sorted = [4]");
    begins(error, "model.ini: num_knots_sorted: it does not fit the columns")?;
    let error = ini("gam-tp", "standardize = false", "standardize = true");
    begins(error, "an additive model with standardised thin plates")?;
    let error = ini("gam-tp", "_m = [2]", "_m = [2147483647]");
    begins(error, "model.ini: _m: expected [2], and as many of _M")?;
    let error = ini("gam-tp", "_M = [2]", "_M = [2147483648]");
    begins(error, "model.ini: _M: it does not fit the knots and columns")?;
    let error = ini("gam-tp", "_d = [1]", "_d = [2147483648]");
    begins(error, "a thin plate over more than three columns is not supported")?;
    Ok(())
}

#[test]
fn rules_and_uplifts_fit() -> Result {
    let rules = "rulefit-rules-binomial";
    let error = ini(rules, "depth = 2", "depth = 2147483648");
    begins(error, "trees of rules: 17179869184 exceeds the limit")?;
    begins(ini(rules, "ntrees = 4", "ntrees = 5"), "model.ini: num_rules_M0T4 is missing")?;
    let error = ini(rules, "num_rules_M0T0 = ", "num_rules_M0T0 = 99999999");
    begins(error, "conditions of rules: ")?;
    let error = ini(rules, "model_type = 2", "model_type = 3");
    begins(error, "model.ini: model_type: 3 is none of 0, 1 and 2")?;
    let error = ini(rules, "model_type = 2", "model_type = 1");
    begins(error, "model.ini: linear_names_len: expected ")?;
    let error = ini(rules, "submodel_count = 1", "submodel_count = 2147483648");
    begins(error, "model.ini: submodel_count: expected one, '")?;
    let error = ini(rules, "feature_index_0_0_0_0 = ", "feature_index_0_0_0_0 = 77");
    begins(error, "model.ini: feature_index_0_0_0_0: there are 6 columns")?;
    let uplift = "uplift-kl";
    let error = ini(uplift, "n_trees_per_class = 2", "n_trees_per_class = 1");
    begins(error, "model.ini: n_trees_per_class: expected 2, got 1")?;
    let error = ini(uplift, "n_trees = 3", "n_trees = 2147483648");
    begins(error, "trees: 4294967296 exceeds the limit")?;
    let error = ini("ae-dropout", "cat_offsets = [0, 6]", "cat_offsets = [0, 5]");
    begins(error, "model.ini: neural_network_sizes: the first size is not the number of inputs")?;
    Ok(())
}

#[test]
fn an_encoding_fits_its_columns() -> Result {
    let binary = "gbm-encoded-binary";
    let error = ini(binary, "_n_orig_names = 7", "_n_orig_names = 2147483648");
    begins(error, "_orig_names: 2147483648 exceeds the limit")?;
    let error = ini(binary, "_n_orig_names = 7", "_n_orig_names = 6");
    begins(error, "model.ini: _n_orig_domain_values: expected 6")?;
    let error = ini(binary, "_m_orig_domain_values_4 = 70", "_m_orig_domain_values_4 = 2147483648");
    begins(error, "categories: 2147483653 exceeds the limit")?;
    let error = ini(binary, "_m_orig_domain_values_4 = 70", "_m_orig_domain_values_4 = 7");
    begins(error, "_orig_domain_values_4: expected 7 lines, got 8")?;
    let error = ini(binary, "\nmany:3\n", "\nmany:9\n");
    begins(error, "encoding 'Binary' of column 'many', whose columns do not fit")?;
    let error = changed(binary, |entries| replace(entries, "_orig_names", "b\n", "a\n"));
    begins(error, "encoding '_orig_names' of column 'a', whose columns do not fit")?;
    let error = changed("gbm-encoded-onehotexplicit", |entries| {
        replace(entries, "_orig_domain_values_3", "green", "verde");
    });
    begins(error, "encoding 'OneHotExplicit' of column 'few'")?;
    let error = ini(
        "gbm-encoded-eigen",
        "_orig_projection_array = [",
        "_orig_projection_array = [1.0]\nx = [",
    );
    begins(error, "encoding '_orig_projection_array' of column 'few'")?;
    let error = changed("gbm-encoded-enumlimited", |entries| {
        replace(entries, "_orig_domain_values_4", "m05", "other");
    });
    begins(error, "encoding 'EnumLimited' of column 'many'")?;
    Ok(())
}

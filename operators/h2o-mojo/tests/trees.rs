//! Random trees of every format against the leaves that H2O's own scorer comes to in them.
//!
//! `trees/Trees.java` made `trees/golden.csv`; it says how.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use h2o_mojo::Model;
use support::{Result, score, zip};

const GOLDEN: &str = include_str!("trees/golden.csv");

/// The rows that a tree is scored with, and the leaves that they come to.
#[derive(Default)]
struct Tree {
    rows: Vec<f64>,
    leaves: Vec<f64>,
}

#[test]
fn leaves_are_those_of_java() -> Result {
    // By version and tree: the rows and what they come to.
    let mut trees = BTreeMap::<(&str, &str), Tree>::new();
    for line in GOLDEN.lines() {
        let items: Vec<&str> = line.split(',').collect();
        let [version, tree, row @ .., leaf] = &items[..] else { return Err("a short line".into()) };
        let Tree { rows, leaves } = trees.entry((version, tree)).or_default();
        for value in row {
            rows.push(value.parse()?);
        }
        leaves.push(leaf.parse()?);
    }
    let versions: BTreeSet<&str> = trees.keys().map(|(version, _)| *version).collect();
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), ["1.00", "1.10", "1.20"]);
    for ((version, tree), Tree { rows, leaves }) in trees {
        let model = Model::read(&mojo(version, tree)?)?;
        let found = score(&model, &rows, None)?;
        assert_eq!(found.values(), leaves, "version {version}, tree {tree}");
    }
    Ok(())
}

/// A regression of one tree, whose prediction is the leaf.
fn mojo(version: &str, tree: &str) -> Result<Vec<u8>> {
    let levels = |count: usize| (0..count).map(|n| format!("{n}\n")).collect::<String>();
    let bytes = (0..tree.len()).step_by(2).map(|at| u8::from_str_radix(&tree[at..at + 2], 16));
    let info = format!(
        "[info]\nalgorithm = Gradient Boosting Machine\ncategory = Regression\nsupervised = true\n\
         mojo_version = {version}\nn_features = 4\nn_classes = 1\nn_columns = 5\n\
         balance_classes = false\ndistribution = gaussian\ninit_f = 0.0\nn_trees = 1\n\n\
         [columns]\na\nb\nfew\nmany\ny\n\n[domains]\n2: 5 d000.txt\n3: 70 d001.txt\n"
    );
    Ok(zip::pack(&zip::Entries::from([
        ("model.ini".into(), info.into_bytes()),
        ("domains/d000.txt".into(), levels(5).into_bytes()),
        ("domains/d001.txt".into(), levels(70).into_bytes()),
        ("trees/t00_000.bin".into(), bytes.collect::<std::result::Result<_, _>>()?),
    ])))
}

//! The engine against the reference, in short: a few small cases of each operator that
//! `cargo xtask differential --write` found right. And forms that the gate refuses.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod cases;

use std::collections::BTreeSet;

use sandbar_inference::gate::{self, Outcome, Table};
use sandbar_inference::{Graph, GraphSource};
use sandbar_model::Kind;

const ONNX: &[u8] = include_bytes!("cases.bin");
const TENSORFLOW: &[u8] = include_bytes!("tensorflow.bin.gz");

#[test]
fn all_operators_of_onnx_are_right() {
    all_operators_are_right(Kind::Onnx, ONNX);
}

#[test]
fn all_operators_of_tensorflow_and_its_exporters_graphs_are_right() {
    all_operators_are_right(Kind::Tensorflow, TENSORFLOW);
}

/// Whole graphs pass the gate, or are refused if the case has no answers.
fn all_operators_are_right(kind: Kind, cases: &[u8]) {
    let mut operators = BTreeSet::new();
    for case in cases::read(cases).unwrap() {
        let form = case.form().unwrap();
        let (outcome, reason) = case.run(form.is_none());
        let refused = form.is_none() && case.outputs.is_empty();
        let expected = if refused { Outcome::Refused } else { Outcome::Right };
        assert_eq!(outcome, expected, "{}: {reason}", case.name);
        operators.extend(form.map(|form| form.operator));
    }
    let compared: BTreeSet<String> =
        Table::shipped(kind).operators().map(|(operator, _)| operator.to_owned()).collect();
    let missing: Vec<_> = compared.difference(&operators).collect();
    assert!(missing.is_empty(), "operators of the table without a case: {missing:?}");
}

#[test]
fn the_pages_for_readers_are_those_of_the_tables() {
    for (kind, page) in [
        (Kind::Onnx, include_str!("../../../../docs/reference/graph-operators.md")),
        (Kind::Tensorflow, include_str!("../../../../docs/reference/tensorflow-operators.md")),
    ] {
        let due = gate::page(kind, Table::shipped(kind));
        assert!(
            page == due,
            "the page of {kind} is an older one: cargo xtask differential --write"
        );
    }
}

#[test]
fn what_was_not_compared_is_refused() {
    let case = cases::read(ONNX).unwrap().into_iter().next().unwrap();
    let source = GraphSource::Bytes(Kind::Onnx, case.model.clone());
    assert!(Graph::load("m@1".into(), source).is_ok(), "{}", case.name);
    let form = case.form().unwrap().unwrap();
    // A version of the operator that does not exist yet, and an operator of chance.
    let mut newer = form.clone();
    newer.features.insert(("version".into(), "99".into()));
    let doubt = gate::Doubt::Feature("version".into(), "99".into());
    assert_eq!(Table::shipped(Kind::Onnx).doubt(&newer), Some(doubt));
    let mut other = form.clone();
    other.operator = "Bernoulli".into();
    assert_eq!(Table::shipped(Kind::Onnx).doubt(&other), Some(gate::Doubt::Operator));
}

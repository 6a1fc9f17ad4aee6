//! The engine against the reference, in short: a few small cases of each operator that
//! `cargo xtask differential --write` found right. And forms that the gate refuses.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod cases;

use std::collections::BTreeSet;

use sandbar_inference::gate::{self, Outcome, Table};
use sandbar_inference::{Graph, GraphSource};
use sandbar_model::Kind;

const CASES: &[u8] = include_bytes!("cases.bin");

#[test]
fn all_operators_of_the_table_are_right() {
    let mut operators = BTreeSet::new();
    for case in cases::read(CASES).unwrap() {
        let (outcome, reason) = case.run();
        assert_eq!(outcome, Outcome::Right, "{}: {reason}", case.name);
        let forms = gate::forms(&case.model).unwrap();
        let form = forms.iter().find(|form| form.node == case.node).unwrap();
        operators.insert(form.operator.clone());
    }
    let compared: BTreeSet<String> =
        Table::shipped().operators().map(|(operator, _)| operator.to_owned()).collect();
    let missing: Vec<_> = compared.difference(&operators).collect();
    assert!(missing.is_empty(), "operators of the table without a case: {missing:?}");
}

#[test]
fn the_page_for_readers_is_that_of_the_table() {
    let page = include_str!("../../../../docs/reference/graph-operators.md");
    let due = gate::page(Table::shipped());
    assert!(page == due, "docs/reference/graph-operators.md: cargo xtask differential --write");
}

#[test]
fn what_was_not_compared_is_refused() {
    let case = cases::read(CASES).unwrap().into_iter().next().unwrap();
    let source = GraphSource::Bytes(Kind::Onnx, case.model.clone());
    assert!(Graph::load("m@1".into(), source).is_ok(), "{}", case.name);
    let forms = gate::forms(&case.model).unwrap();
    let form = forms.iter().find(|form| form.node == case.node).unwrap();
    // A version of the operator that does not exist yet, and an operator of chance.
    let mut newer = form.clone();
    newer.features.insert(("version".into(), "99".into()));
    let doubt = gate::Doubt::Feature("version".into(), "99".into());
    assert_eq!(Table::shipped().doubt(&newer), Some(doubt));
    let mut other = form.clone();
    other.operator = "Bernoulli".into();
    assert_eq!(Table::shipped().doubt(&other), Some(gate::Doubt::Operator));
}

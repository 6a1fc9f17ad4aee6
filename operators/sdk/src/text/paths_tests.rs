//! Values found deep in JSON.

use std::ops::Range;

use super::{Overlap, Paths, Take, Written, elements};
use crate::text::Fault;

/// Values as they are shown below.
struct Shown<'t>(&'t str, Vec<Option<String>>);

impl<'a> Take<'a> for Shown<'_> {
    type Error = Fault;

    fn value(&mut self, path: usize, value: Written<'a>, range: Range<usize>) -> Result<(), Fault> {
        self.1[path] = Some(match value {
            Written::Text(_) => format!("'{}'", &self.0[range]),
            Written::Escaped(inside) => format!("'{}'", Written::unescape(inside)?),
            _ => self.0[range].to_owned(),
        });
        Ok(())
    }
}

fn read(paths: &[&[&str]], text: &str) -> Result<Vec<Option<String>>, Fault> {
    let mut reader = Paths::new(paths.iter().map(|path| path.iter())).expect("no overlap");
    let mut shown = Shown(text, vec![None; paths.len()]);
    reader.read(text.as_bytes(), &mut shown)?;
    Ok(shown.1)
}

fn values(expected: &[Option<&str>]) -> Result<Vec<Option<String>>, Fault> {
    Ok(expected.iter().map(|value| value.map(str::to_owned)).collect())
}

#[test]
fn values_are_found_at_any_depth() {
    let text = r#" {"a": {"b": [1, {"c": "x"}, [2]], "d": null}, "e.f": true, "g": "\u0041"} "#;
    let paths: &[&[&str]] =
        &[&["a", "b", "0"], &["a", "b", "1", "c"], &["a", "d"], &["e.f"], &["g"], &["h"]];
    let expected = [Some("1"), Some("'x'"), Some(""), Some("true"), Some("'A'"), None];
    let found = read(paths, text).expect("an object");
    assert_eq!(found[..2], values(&expected[..2]).expect("values")[..]);
    assert_eq!(found[3..], values(&expected[3..]).expect("values")[..]);
    assert_eq!(found[2].as_deref(), Some("null"));
}

#[test]
fn what_is_in_null_is_null_and_in_a_number_is_a_fault() {
    let paths: &[&[&str]] = &[&["a", "b"], &["a", "c", "d"]];
    assert_eq!(read(paths, r#"{"a": null}"#), values(&[Some(""), Some("")]));
    assert_eq!(read(paths, r#"{"a": {"c": {}}}"#), values(&[None, None]));
    assert!(matches!(read(paths, r#"{"a": 7}"#), Err(Fault::Inside { .. })));
}

#[test]
fn a_wanted_key_comes_once() {
    let paths: &[&[&str]] = &[&["a", "b"]];
    for text in [r#"{"a": {"b": 1, "b": 1}}"#, r#"{"a": {}, "\u0061": {}}"#] {
        assert!(matches!(read(paths, text), Err(Fault::DuplicateKey(_))), "{text}");
    }
    assert_eq!(read(paths, r#"{"a": {"b": 1, "c": 1, "c": 2}}"#), values(&[Some("1")]));
}

#[test]
fn paths_do_not_lead_through_values() {
    let new = |paths: &[&[&str]]| Paths::new(paths.iter().map(|path| path.iter())).err();
    assert_eq!(new(&[&["a"], &["a", "b"]]), Some(Overlap { path: 1, other: 0 }));
    assert_eq!(new(&[&["a", "b"], &["a"]]), Some(Overlap { path: 1, other: 0 }));
    assert_eq!(new(&[&["a"], &["a"]]), Some(Overlap { path: 1, other: 0 }));
    assert_eq!(new(&[&["a", "b"], &["a", "c"]]), None);
}

#[test]
fn elements_are_those_of_an_array() {
    let mut found = Vec::new();
    let take = |value: Written<'_>| {
        found.push(format!("{value:?}"));
        Ok::<_, Fault>(())
    };
    elements(b"[1, [2, 3], null]", &mut Vec::new(), take).expect("an array");
    assert_eq!(found.len(), 3);
    assert!(found[2].contains("Null"));
}

#[test]
fn ten_thousand_levels_cost_no_stack() {
    let deep = |levels: usize| {
        format!("{{\"x\": {}{}, \"a\": 1}}", "[".repeat(levels), "]".repeat(levels))
    };
    assert_eq!(read(&[&["a"]], &deep(10_000)), values(&[Some("1")]));
    assert_eq!(
        read(&[&["x", "0", "0", "0", "a"], &["a"]], &deep(10_000)),
        values(&[None, Some("1")])
    );
}

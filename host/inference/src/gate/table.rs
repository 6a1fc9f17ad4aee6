//! What the differential suite found, by operator: `compared.txt`, `compared-tensorflow.txt`.
//!
//! An operator stands at the start of a line; below it, for each feature, the values with which
//! it computes what the reference does, and combinations with which it does not:
//!
//! ```text
//! AveragePool
//!   auto_pad: "NOTSET" "VALID"
//!   X: fp32
//!   wrong: auto_pad="NOTSET" ceil_mode=1 # 4, averagepool_2d_ceil/given
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use super::forms::Form;
use sandbar_model::Kind;

/// What was compared of all operators.
#[derive(Debug, Clone, Default)]
pub struct Table(BTreeMap<String, Compared>);

/// What was compared of one operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// The values of each feature that were right in at least one case.
    pub right: BTreeMap<String, BTreeSet<String>>,
    /// Features that were wrong together, and of which cases.
    pub wrong: Vec<(BTreeSet<(String, String)>, String)>,
}

/// Why a node is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// No case of the operator was right, or there was none.
    Operator,
    /// A feature has a value that no case with a right result had.
    Feature(String, String),
    /// These features together gave other results than the reference.
    Wrong(BTreeSet<(String, String)>),
}

impl Table {
    /// The table that the program brings for graphs of a kind.
    pub fn shipped(kind: Kind) -> &'static Table {
        static ONNX: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("compared.txt")));
        static TENSORFLOW: LazyLock<Table> =
            LazyLock::new(|| Table::read(include_str!("compared-tensorflow.txt")));
        if kind == Kind::Tensorflow { &TENSORFLOW } else { &ONNX }
    }

    /// Reads a table. Lines that are none of its form say nothing.
    pub fn read(text: &str) -> Table {
        let mut table = Table::default();
        let mut current: Option<&mut Compared> = None;
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let Some(rest) = line.strip_prefix("  ") else {
                current = Some(table.0.entry(line.trim().to_owned()).or_default());
                continue;
            };
            let (Some(current), Some((key, values))) = (current.as_mut(), rest.split_once(": "))
            else {
                continue;
            };
            if key == "wrong" {
                let (features, cases) = values.split_once(" # ").unwrap_or((values, ""));
                let features = features.split_whitespace().filter_map(|feature| {
                    feature.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))
                });
                current.wrong.push((features.collect(), cases.to_owned()));
            } else {
                let values = values.split_whitespace().map(ToOwned::to_owned).collect();
                current.right.insert(key.to_owned(), values);
            }
        }
        table
    }

    /// Puts down what was compared of an operator.
    pub fn insert(&mut self, operator: String, compared: Compared) {
        self.0.insert(operator, compared);
    }

    /// The operators of which something is right.
    pub fn operators(&self) -> impl Iterator<Item = (&str, &Compared)> {
        self.0.iter().map(|(operator, compared)| (operator.as_str(), compared))
    }

    /// Why a node of this form is not taken, if it is not.
    pub fn doubt(&self, form: &Form) -> Option<Doubt> {
        let Some(compared) = self.0.get(&form.operator) else { return Some(Doubt::Operator) };
        let met = |features: &BTreeSet<(String, String)>| features.is_subset(&form.features);
        if let Some((features, _)) = compared.wrong.iter().find(|(features, _)| met(features)) {
            return Some(Doubt::Wrong(features.clone()));
        }
        let right = |(key, value): &&(String, String)| {
            compared.right.get(key).is_some_and(|values| values.contains(value))
        };
        let (key, value) = form.features.iter().find(|feature| !right(feature))?;
        Some(Doubt::Feature(key.clone(), value.clone()))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (operator, compared) in &self.0 {
            writeln!(f, "{operator}")?;
            for (key, values) in &compared.right {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                writeln!(f, "  {key}: {}", values.join(" "))?;
            }
            for (features, cases) in &compared.wrong {
                let each: Vec<String> =
                    features.iter().map(|(key, value)| format!("{key}={value}")).collect();
                writeln!(f, "  wrong: {} # {cases}", each.join(" "))?;
            }
        }
        Ok(())
    }
}

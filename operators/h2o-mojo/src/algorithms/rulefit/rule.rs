//! A tree's leaves as rules: conditions that a row meets or not.

use crate::algorithms::engine::Source;
use crate::columns::Feature;
use crate::error::Error;
use crate::info::Info;
use crate::limits;

/// The rules of a tree, for one class where there are many.
#[derive(Debug)]
pub(super) struct Tree {
    /// Its number, where it is for one class of many.
    class: Option<usize>,
    rules: Vec<Rule>,
}

/// A leaf.
#[derive(Debug, Clone)]
struct Rule {
    name: String,
    conditions: Vec<Condition>,
    /// Which category of the linear model's column it is.
    number: f64,
}

/// What a row must meet.
#[derive(Debug, Clone)]
struct Condition {
    column: usize,
    /// Whether a missing value meets it.
    missing: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Less(f64),
    NotLess(f64),
    /// One of these categories, ascending.
    Among(Vec<i32>),
    /// A number that is to be among categories, which H2O answers with no.
    Never,
}

/// Reads all trees: by depth, then by tree, then by class where there are many.
pub(super) fn read(source: &Source<'_, '_>) -> Result<Vec<Tree>, Error> {
    let Source { info, classes, limits, .. } = *source;
    let (depth, count): (u64, u64) = (info.number("depth")?, info.number("ntrees")?);
    let total = depth.saturating_mul(count).saturating_mul(classes.count().max(1) as u64);
    limits::check(|| "trees of rules".into(), total, limits.entries, "entries")?;
    let mut nodes = 0_u64;
    let mut trees = vec![];
    for depth in 0..depth {
        for tree in 0..count {
            let rules = rules(source, depth, tree, &mut nodes)?;
            match &classes.names[..] {
                names @ [_, _, _, ..] => {
                    for (class, name) in names.iter().enumerate() {
                        // H2O tells by the ends of names.
                        if names.iter().any(|other| other != name && other.ends_with(name)) {
                            return Err(Error::Unsupported {
                                what: format!("rules for a class '{name}' that another ends with"),
                                supported: "classes none of which is the end of another".into(),
                            });
                        }
                        let mine = rules.iter().filter(|rule| rule.name.ends_with(name.as_str()));
                        let mine: Vec<Rule> = mine.cloned().collect();
                        if mine.is_empty() {
                            let key = format!("num_rules_M{depth}T{tree}");
                            return Err(Error::contradiction(
                                &key,
                                format!("no rules for '{name}'"),
                            ));
                        }
                        trees.push(Tree { class: Some(class), rules: mine });
                    }
                }
                _ => trees.push(Tree { class: None, rules }),
            }
        }
    }
    Ok(trees)
}

fn rules(
    source: &Source<'_, '_>,
    depth: u64,
    tree: u64,
    nodes: &mut u64,
) -> Result<Vec<Rule>, Error> {
    let Source { info, limits, .. } = *source;
    let mut check = |more: u64| {
        *nodes = nodes.saturating_add(more);
        limits::check(|| "conditions of rules".into(), *nodes, limits.nodes, "nodes")
    };
    let count: u64 = info.number(&format!("num_rules_M{depth}T{tree}"))?;
    check(count)?;
    let mut rules = vec![];
    for rule in 0..count {
        let rule = format!("{depth}_{tree}_{rule}");
        let conditions: u64 = info.number(&format!("num_conditions_rule_id_{rule}"))?;
        check(conditions)?;
        let conditions = (0..conditions)
            .map(|condition| Condition::read(source, &format!("{condition}_{rule}")));
        rules.push(Rule {
            conditions: conditions.collect::<Result<_, _>>()?,
            name: info.required(&format!("var_name_rule_id_{rule}"))?.into(),
            number: f64::NAN,
        });
    }
    Ok(rules)
}

impl Condition {
    fn read(source: &Source<'_, '_>, id: &str) -> Result<Self, Error> {
        let Source { info, features, .. } = *source;
        let key = format!("feature_index_{id}");
        let column: usize = info.number(&key)?;
        if column >= features.len() {
            return Err(Error::contradiction(
                &key,
                format!("there are {} columns", features.len()),
            ));
        }
        let missing = format!("nas_included_{id}");
        info.required(&missing)?;
        let test = match info.number::<i32>(&format!("type_{id}"))? {
            0 => Test::Among(categories(info, id)?),
            _ => {
                let threshold = info.number(&format!("num_treshold{id}"))?;
                match info.number::<i32>(&format!("operator_{id}"))? {
                    0 => Test::Less(threshold),
                    1 => Test::NotLess(threshold),
                    _ => Test::Never,
                }
            }
        };
        Ok(Self { column, missing: info.flag(&missing)?, test })
    }

    fn is_met(&self, row: &[f64]) -> bool {
        let value = row[self.column];
        if value.is_nan() {
            return self.missing;
        }
        match &self.test {
            Test::Less(threshold) => value < *threshold,
            Test::NotLess(threshold) => value >= *threshold,
            Test::Among(categories) => {
                let level = value as i32;
                f64::from(level) == value && categories.binary_search(&level).is_ok()
            }
            Test::Never => false,
        }
    }
}

fn categories(info: &Info<'_>, id: &str) -> Result<Vec<i32>, Error> {
    let count: u64 = info.number(&format!("cat_treshold_length_{id}"))?;
    let mut categories = vec![];
    // Each is a line of `model.ini`, so that there are not many more than lines.
    for number in 0..count {
        categories.push(info.number(&format!("cat_treshold_length_{number}_{id}"))?);
    }
    categories.sort_unstable();
    Ok(categories)
}

impl Tree {
    /// The tree with its rules numbered as categories of `column`.
    pub(super) fn numbered(mut self, column: &Feature, classes: &[String]) -> Result<Self, Error> {
        let wrong = |reason: String| Error::contradiction("linear_names_len", reason);
        let Some(domain) = column.domain() else {
            return Err(wrong(format!("'{}' has no categories", column.name())));
        };
        for rule in &mut self.rules {
            // M0T1N9_class is of the column M0T1, or of M0T1C2 where that is the class's number.
            let tree = rule.name.find('N').map(|end| &rule.name[..end]);
            let expected = match (tree, self.class) {
                (Some(tree), Some(class)) if classes.len() > 2 => format!("{tree}C{class}"),
                (Some(tree), _) => tree.into(),
                (None, _) => return Err(wrong(format!("rule '{}' has no tree", rule.name))),
            };
            if expected != column.name() {
                return Err(wrong(format!("rule '{}' is not of '{}'", rule.name, column.name())));
            }
            // One that the linear model does not know is as if none were met.
            let number = domain.levels().iter().position(|level| *level == rule.name);
            rule.number = number.map_or(f64::NAN, |number| number as f64);
        }
        Ok(self)
    }

    /// The number of the last rule that a row meets; NaN where it meets none.
    pub(super) fn met(&self, row: &[f64]) -> f64 {
        let meets = |rule: &&Rule| rule.conditions.iter().all(|condition| condition.is_met(row));
        self.rules.iter().rev().find(meets).map_or(f64::NAN, |rule| rule.number)
    }
}

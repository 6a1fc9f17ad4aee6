//! Names and types: what the tree of an expression means, and whether it means anything.
//!
//! `calls`: functions and operators; `nodes`: what they become; `messages`: what is wrong, in words.

mod calls;
mod messages;
mod nodes;

use crate::evaluate::{Node, NodeKind};
use crate::functions::Style;
use crate::functions::{appended, contained, element, equal, ordered, unequal};
use crate::parse::{Kind, Tree};
use crate::problem::Problem;
use crate::scope::{Scope, Type};
use crate::value::{Items, Value};
use calls::{Wrong, function, overload};
use messages::{unknown, unlike};
use nodes::{node, promoted, two};

/// The node of the tree, the type of its value, and the variables that are named.
pub(crate) fn check(
    source: &str,
    scope: &Scope,
    tree: &Tree,
) -> Result<(Node, Type, Vec<usize>), Problem> {
    let mut checker = Checker { source, scope, uses: Vec::new() };
    let (node, is) = checker.value(tree)?;
    if let Type::Map { .. } = is {
        return Err(checker.problem(tree.at, "this is a map; name one of its values by ['...']"));
    }
    checker.uses.sort_unstable();
    checker.uses.dedup();
    Ok((node, is, checker.uses))
}

struct Checker<'a> {
    source: &'a str,
    scope: &'a Scope,
    uses: Vec<usize>,
}

/// Arguments of a function at most.
const ARGUMENTS: usize = 16;
/// What CEL has for lists and is not offered.
const LOOPS: &[&str] = &["all", "exists", "exists_one", "existsOne", "map", "filter"];

/// Which value of a map is meant.
enum Key<'a> {
    /// `map.name`
    Name(&'a str),
    /// `map[key]`
    Value(&'a Tree),
}

impl Checker<'_> {
    fn problem(&self, at: usize, message: impl Into<String>) -> Problem {
        Problem::at(self.source, at, message)
    }

    /// A part of the expression that has a value.
    fn value(&mut self, tree: &Tree) -> Result<(Node, Type), Problem> {
        match self.part(tree)? {
            (node, Some(is)) => Ok((node, is)),
            (_, None) => Err(self.problem(
                tree.at,
                "null can only be compared by '==' or '!=', or be a side of '? :'",
            )),
        }
    }

    /// The same, or null, which has no type.
    fn part(&mut self, tree: &Tree) -> Result<(Node, Option<Type>), Problem> {
        let at = tree.at;
        let constant =
            |value: Value<'static>, is| Ok((node(at, NodeKind::Constant(value)), Some(is)));
        let (kind, is) = match &tree.kind {
            Kind::Null => return Ok((node(at, NodeKind::Null), None)),
            Kind::Bool(value) => return constant((*value).into(), Type::Bool),
            Kind::Int(value) => return constant((*value).into(), Type::Int),
            Kind::Number(value) => return constant((*value).into(), Type::Number),
            Kind::Text(text) => return constant(text.clone().into(), Type::Text),
            Kind::List(items) => self.list(at, items)?,
            Kind::Name(name) => self.name(at, name)?,
            Kind::Select(operand, field) => {
                // As in CEL, a variable may have dots in its name.
                let qualified = tree.qualified().and_then(|name| self.scope.find(&name));
                match qualified.map(|(variable, is)| (variable, is.clone())) {
                    Some((variable, is)) => self.variable(variable, &is),
                    None => self.entry(at, operand, Key::Name(field))?,
                }
            }
            Kind::Index(operand, key) => self.index(at, operand, key)?,
            Kind::Sign(sign, sides) => self.sign(at, sign, sides)?,
            Kind::Choice(parts) => return self.choice(at, parts),
            Kind::Call(target, name, arguments) => {
                self.call(at, target.as_deref(), name, arguments)?
            }
        };
        Ok((node(at, kind), Some(is)))
    }

    fn variable(&mut self, variable: usize, is: &Type) -> (NodeKind, Type) {
        self.uses.push(variable);
        (NodeKind::Variable(variable, is.clone()), is.clone())
    }

    fn name(&mut self, at: usize, name: &str) -> Result<(NodeKind, Type), Problem> {
        match self.scope.find(name) {
            Some((variable, is)) => {
                let is = is.clone();
                Ok(self.variable(variable, &is))
            }
            None => {
                let known = self.scope.variables.iter().map(|(name, _)| name.as_str());
                Err(self.problem(at, unknown("variable", name, known)))
            }
        }
    }

    fn list(&mut self, at: usize, items: &[Tree]) -> Result<(NodeKind, Type), Problem> {
        let mut checked = Vec::with_capacity(items.len());
        for item in items {
            checked.push((item.at, self.value(item)?));
        }
        let Some((_, (_, first))) = checked.first() else {
            return Err(self.problem(at, "the list is empty; leave the comparison out"));
        };
        let is_number = checked.iter().any(|(_, (_, is))| *is == Type::Number);
        let of = if is_number { Type::Number } else { first.clone() };
        let mut nodes = Vec::with_capacity(checked.len());
        for (at, (item, is)) in checked {
            if let Type::Map { .. } | Type::List(_) = is {
                return Err(self.problem(at, format!("a list of {is} is not offered")));
            }
            if is != of && !(is == Type::Int && of == Type::Number) {
                let message =
                    format!("a list has values of one type; this is {is}, others are {of}");
                return Err(self.problem(at, message));
            }
            nodes.push(promoted(item, &is, &of));
        }
        let constants = nodes.iter().map(|node| match &node.kind {
            NodeKind::Constant(value) => Some(value.clone()),
            _ => None,
        });
        let kind = match constants.collect::<Option<Vec<_>>>() {
            Some(values) => NodeKind::Constant(Value::List(Items::Owned(values))),
            None => NodeKind::List(nodes),
        };
        Ok((kind, Type::List(Box::new(of))))
    }

    fn index(
        &mut self,
        at: usize,
        operand: &Tree,
        key: &Tree,
    ) -> Result<(NodeKind, Type), Problem> {
        if let Kind::Name(name) = &operand.kind
            && let Some((_, Type::Map { .. })) = self.scope.find(name)
        {
            return self.entry(at, operand, Key::Value(key));
        }
        let (list, is) = self.value(operand)?;
        let (place, place_is) = self.value(key)?;
        match (is, place_is) {
            (Type::List(of), Type::Int) => {
                Ok((NodeKind::Two(element, Box::new([list, place])), *of))
            }
            (is, place) => Err(self.problem(
                at,
                format!(
                    "[] takes a list and an int, or a map and a text; this is {is} and {place}"
                ),
            )),
        }
    }

    /// `map.key` and `map['key']`
    fn entry(&mut self, at: usize, map: &Tree, key: Key<'_>) -> Result<(NodeKind, Type), Problem> {
        let (map_node, is) = self.value(map)?;
        let (NodeKind::Variable(variable, _), Type::Map { of, keys }) = (map_node.kind, &is) else {
            return Err(self.problem(at, format!("this is {is}, it has no fields")));
        };
        let key_node = match key {
            Key::Name(name) => node(at, NodeKind::Constant(name.to_owned().into())),
            Key::Value(key) => match self.value(key)? {
                (key, Type::Text) => key,
                (_, other) => {
                    let message = format!("the key of a map is a text, this is {other}");
                    return Err(self.problem(key.at, message));
                }
            },
        };
        let of = (**of).clone();
        if let (NodeKind::Constant(Value::Text(name)), Some(keys)) = (&key_node.kind, keys) {
            let Some(field) = keys.iter().position(|key| key == name.as_ref()) else {
                let known = keys.iter().map(String::as_str);
                return Err(self.problem(at, unknown("name", name, known)));
            };
            return Ok((NodeKind::Field(variable, field, of.clone()), of));
        }
        Ok((NodeKind::Entry(variable, Box::new(key_node), of.clone()), of))
    }

    fn sign(
        &mut self,
        at: usize,
        sign: &'static str,
        sides: &[Tree],
    ) -> Result<(NodeKind, Type), Problem> {
        match (sign, sides) {
            ("&&" | "||", sides) => {
                let mut nodes = Vec::with_capacity(sides.len());
                for side in sides {
                    let (node, is) = self.value(side)?;
                    if is != Type::Bool {
                        let message = format!(
                            "'{sign}' combines conditions, this is {is}; compare it with something"
                        );
                        return Err(self.problem(side.at, message));
                    }
                    nodes.push(node);
                }
                Ok((NodeKind::Decide(sign == "||", nodes), Type::Bool))
            }
            ("==" | "!=", [a, b]) => self.equality(at, sign, a, b),
            ("in", [element, list]) => self.membership(at, element, list),
            ("<" | ">" | "<=" | ">=", [a, b]) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                let has_order = match (&a.1, &b.1) {
                    (Type::Int | Type::Number, Type::Int | Type::Number) => true,
                    (Type::Text | Type::Bool | Type::Timestamp, other) => a.1 == *other,
                    _ => false,
                };
                match ordered(sign).filter(|_| has_order) {
                    Some(run) => Ok((two(run, a, b), Type::Bool)),
                    None => Err(self.problem(at, unlike(sign, &a.1, &b.1))),
                }
            }
            ("+", [a, b]) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                if let (Type::List(x), Type::List(y)) = (&a.1, &b.1)
                    && x == y
                {
                    let is = a.1.clone();
                    return Ok((NodeKind::Two(appended, Box::new([a.0, b.0])), is));
                }
                self.made(overload(at, sign, Style::Sign, vec![a, b]))
            }
            (sign, sides) => {
                let sides = self.values(sides)?;
                self.made(overload(at, sign, Style::Sign, sides))
            }
        }
    }

    fn values(&mut self, trees: &[Tree]) -> Result<Vec<(Node, Type)>, Problem> {
        trees.iter().map(|tree| self.value(tree)).collect()
    }

    fn equality(
        &mut self,
        at: usize,
        sign: &str,
        a: &Tree,
        b: &Tree,
    ) -> Result<(NodeKind, Type), Problem> {
        let is_null = |tree: &Tree| matches!(tree.kind, Kind::Null);
        let value = match (is_null(a), is_null(b)) {
            (true, true) => return Err(self.problem(at, "compares null with null")),
            (true, false) => Some(b),
            (false, true) => Some(a),
            (false, false) => None,
        };
        if let Some(value) = value {
            let (value, is) = self.part(value)?;
            if let Some(Type::Map { .. }) | None = is {
                return Err(self.problem(at, "this cannot be null"));
            }
            return Ok((NodeKind::Present(Box::new(value), sign == "!="), Type::Bool));
        }
        let (a, b) = (self.value(a)?, self.value(b)?);
        if !comparable(&a.1, &b.1) {
            return Err(self.problem(at, unlike(sign, &a.1, &b.1)));
        }
        Ok((two(if sign == "==" { equal } else { unequal }, a, b), Type::Bool))
    }

    fn membership(
        &mut self,
        at: usize,
        item: &Tree,
        list: &Tree,
    ) -> Result<(NodeKind, Type), Problem> {
        if let Kind::Name(name) = &list.kind
            && let Some((_, Type::Map { .. })) = self.scope.find(name)
        {
            let (entry, _) = self.entry(at, list, Key::Value(item))?;
            return Ok((NodeKind::Present(Box::new(node(at, entry)), true), Type::Bool));
        }
        let (item, list) = (self.value(item)?, self.value(list)?);
        match &list.1 {
            Type::List(of) if comparable(&item.1, of) => {
                Ok((NodeKind::Two(contained, Box::new([item.0, list.0])), Type::Bool))
            }
            _ => Err(self.problem(at, unlike("in", &item.1, &list.1))),
        }
    }

    fn choice(&mut self, at: usize, parts: &[Tree; 3]) -> Result<(Node, Option<Type>), Problem> {
        let [condition, first, second] = parts;
        let (condition_node, is) = self.value(condition)?;
        if is != Type::Bool {
            let message = format!("'?' stands behind a condition, this is {is}");
            return Err(self.problem(condition.at, message));
        }
        let (first, second) = (self.part(first)?, self.part(second)?);
        let is = match (&first.1, &second.1) {
            (None, None) => return Err(self.problem(at, "both sides are null")),
            (Some(is), None) | (None, Some(is)) => is.clone(),
            (Some(a), Some(b)) if a == b => a.clone(),
            (Some(Type::Int), Some(Type::Number)) | (Some(Type::Number), Some(Type::Int)) => {
                Type::Number
            }
            (Some(a), Some(b)) => {
                let message = format!("both sides have one type, these are {a} and {b}");
                return Err(self.problem(at, message));
            }
        };
        if let Type::Map { .. } = is {
            return Err(self.problem(at, "a map is no value; name one of its values"));
        }
        let side = |(node, side): (Node, Option<Type>)| match side {
            Some(side) => promoted(node, &side, &is),
            None => node,
        };
        let parts = Box::new([condition_node, side(first), side(second)]);
        Ok((node(at, NodeKind::Choice(parts)), Some(is)))
    }

    fn call(
        &mut self,
        at: usize,
        target: Option<&Tree>,
        name: &str,
        arguments: &[Tree],
    ) -> Result<(NodeKind, Type), Problem> {
        if arguments.len() > ARGUMENTS {
            let message = format!("'{name}' has more than {ARGUMENTS} arguments");
            return Err(self.problem(at, message));
        }
        // `math` is no variable, unless one is declared.
        if let Some(Tree { kind: Kind::Name(space), .. }) = target
            && space == "math"
            && self.scope.find(space).is_none()
        {
            let values = self.values(arguments)?;
            return self.made(function(at, &format!("math.{name}"), Style::Global, values));
        }
        if target.is_some() && LOOPS.contains(&name) {
            let message = format!(
                "'{name}' loops over a list, which is not offered; use 'in', size(...) or [...]"
            );
            return Err(self.problem(at, message));
        }
        match (target, name, arguments) {
            (None, "has", [value]) => self.has(value),
            (Some(target), _, _) => {
                let mut values = vec![self.value(target)?];
                values.extend(self.values(arguments)?);
                self.made(function(at, name, Style::Method, values))
            }
            (None, _, _) => {
                let values = self.values(arguments)?;
                self.made(function(at, name, Style::Global, values))
            }
        }
    }

    /// `has(headers.trace)`, `has(limit)`
    fn has(&mut self, value: &Tree) -> Result<(NodeKind, Type), Problem> {
        let (found, is) = self.value(value)?;
        let can_be_missing = matches!(
            found.kind,
            NodeKind::Variable(..) | NodeKind::Field(..) | NodeKind::Entry(..)
        );
        match (can_be_missing, is) {
            (true, Type::Map { .. }) => Err(self.problem(value.at, "a map is always there")),
            (true, _) => Ok((NodeKind::Present(Box::new(found), true), Type::Bool)),
            (false, _) => Err(self.problem(value.at, "has() takes a variable or a value of a map")),
        }
    }

    /// With the place of what is wrong.
    fn made<T>(&self, result: Result<T, Wrong>) -> Result<T, Problem> {
        result.map_err(|(at, message)| self.problem(at, message))
    }
}

fn comparable(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Int | Type::Number, Type::Int | Type::Number) => true,
        (Type::Map { .. }, _) => false,
        _ => a == b,
    }
}

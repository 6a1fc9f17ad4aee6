//! Nodes, and whole numbers that become numbers.

use crate::evaluate::{Node, NodeKind, Two};
use crate::functions::to_number;
use crate::scope::Type;
use crate::value::Value;

/// A node at a byte of the expression.
pub(super) fn node(at: usize, kind: NodeKind) -> Node {
    // An expression is a few thousand bytes long.
    Node { at: at as u32, kind }
}

/// Two sides that are compared. A constant becomes a number once, not for every record.
pub(super) fn two(run: Two, a: (Node, Type), b: (Node, Type)) -> NodeKind {
    let is_constant = |node: &Node| matches!(node.kind, NodeKind::Constant(_));
    let first = if is_constant(&a.0) { promoted(a.0, &a.1, &b.1) } else { a.0 };
    let second = if is_constant(&b.0) { promoted(b.0, &b.1, &a.1) } else { b.0 };
    NodeKind::Two(run, Box::new([first, second]))
}

/// A value where one of type `wanted` is taken.
pub(super) fn promoted(value: Node, is: &Type, wanted: &Type) -> Node {
    if (is, wanted) != (&Type::Int, &Type::Number) {
        return value;
    }
    match value.kind {
        NodeKind::Constant(Value::Int(number)) => {
            Node { kind: NodeKind::Constant(Value::Number(number as f64)), ..value }
        }
        _ => {
            let at = value.at;
            Node { at, kind: NodeKind::One(to_number, Box::new(value)) }
        }
    }
}

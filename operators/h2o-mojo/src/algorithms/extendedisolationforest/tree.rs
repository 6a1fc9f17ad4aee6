//! A tree of an extended isolation forest.
//!
//! Its bytes, little-endian: how many columns a row has; then node after node its number, its
//! kind, and of an inner node (`N`) the plane's normal vector and a point on it, of a leaf (`L`)
//! how many rows of training came to it. The children of node n are 2n + 1 and 2n + 2
//! (`ExtendedIsolationForestMojoModel.scoreTree0` of h2o-genmodel).

use std::collections::HashMap;

use crate::error::Error;

/// A tree.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Of the inner nodes, a point on the plane and then the normal vector.
    planes: Vec<f64>,
    features: usize,
}

#[derive(Debug, Clone, Copy)]
enum Node {
    /// Where its plane begins, and its children.
    Plane { plane: usize, left: usize, right: usize },
    /// The length of the path to it, with what a larger tree would add.
    Leaf(f64),
}

/// A node as it is read, with its children's numbers still to be found.
struct Read {
    number: u64,
    offset: usize,
    /// Where its plane begins, or how many rows of training came to the leaf.
    kind: Result<usize, u32>,
}

impl Tree {
    /// Reads a tree of rows of `features` columns. `count` is told of each node, and fails where
    /// there are too many.
    pub(super) fn decode(
        bytes: &[u8],
        features: usize,
        entry: &str,
        count: &mut impl FnMut() -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let fault = |offset, reason| Error::Tree { entry: entry.into(), offset, reason };
        let mut rest = bytes;
        let columns = u32::from_le_bytes(take(&mut rest).ok_or(fault(0, "it ends early"))?);
        if columns as usize != features {
            return Err(fault(0, "it has not as many columns as the model"));
        }
        let mut read: Vec<Read> = vec![];
        let mut planes = vec![];
        // H2O pads a tree with zeros to the size of its buffer.
        while rest.iter().any(|byte| *byte != 0) {
            let offset = bytes.len() - rest.len();
            let early = || fault(offset, "it ends early");
            let number = u64::from(u32::from_le_bytes(take(&mut rest).ok_or_else(early)?));
            let [kind] = take(&mut rest).ok_or_else(early)?;
            let kind = match kind {
                b'N' => {
                    let plane = planes.len();
                    let size = features.checked_mul(16).ok_or_else(early)?;
                    let (numbers, after) = rest.split_at_checked(size).ok_or_else(early)?;
                    let (numbers, _) = numbers.as_chunks::<8>();
                    let (normal, point) = numbers.split_at(features);
                    let numbers = point.iter().chain(normal);
                    planes.extend(numbers.map(|number| f64::from_le_bytes(*number)));
                    rest = after;
                    Ok(plane)
                }
                b'L' => Err(u32::from_le_bytes(take(&mut rest).ok_or_else(early)?)),
                _ => return Err(fault(offset, "expected N or L")),
            };
            count()?;
            read.push(Read { number, offset, kind });
        }
        let mut places = HashMap::new();
        for (place, node) in read.iter().enumerate() {
            if places.insert(node.number, place).is_some() {
                return Err(fault(node.offset, "another node has its number"));
            }
        }
        if read.first().is_none_or(|root| root.number != 0) {
            return Err(fault(4, "expected the root first"));
        }
        let node = |(place, node): (usize, &Read)| {
            // H2O looks for a child behind its parent only.
            let child = |number: u64| {
                let missing = || fault(node.offset, "a child of it is missing behind it");
                places.get(&number).copied().filter(|child| *child > place).ok_or_else(missing)
            };
            Ok(match node.kind {
                Ok(plane) => Node::Plane {
                    plane,
                    left: child(2 * node.number + 1)?,
                    right: child(2 * node.number + 2)?,
                },
                Err(rows) => {
                    // Below the root (1) there are one more (2 and 3), and so on.
                    let height = (node.number + 1).ilog2();
                    Node::Leaf(f64::from(height) + mean_path(i64::from(rows as i32)))
                }
            })
        };
        let nodes = read.iter().enumerate().map(node).collect::<Result<_, _>>()?;
        Ok(Self { nodes, planes, features })
    }

    /// The length of a row's path.
    pub(super) fn path(&self, row: &[f64]) -> f64 {
        let mut place = 0;
        loop {
            match self.nodes[place] {
                // A child comes behind its parent, so this ends.
                Node::Plane { plane, left, right } => {
                    let plane = &self.planes[plane..][..2 * self.features];
                    let (point, normal) = plane.split_at(self.features);
                    let mut side = 0.0;
                    for ((value, point), normal) in row.iter().zip(point).zip(normal) {
                        side += (value - point) * normal;
                    }
                    place = if side <= 0.0 { left } else { right };
                }
                Node::Leaf(length) => return length,
            }
        }
    }
}

/// The mean path of an unsuccessful search in a tree of so many rows.
pub(super) fn mean_path(rows: i64) -> f64 {
    /// Euler's constant, as far as H2O has it.
    const EULER: f64 = 0.577_215_664_9;
    match rows {
        ..2 => 0.0,
        2 => 1.0,
        _ => {
            let rows = rows as f64;
            2.0 * ((rows - 1.0).ln() + EULER) - (2.0 * (rows - 1.0)) / rows
        }
    }
}

/// The next bytes.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}

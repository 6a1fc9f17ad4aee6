//! Values deep in JSON objects, found in one pass.
//!
//! The wanted paths are a tree, which the text is held against token by token: what no path
//! leads to is skipped as in [`Objects`](super::json::Objects), and nothing is built of a
//! record. Depth is bounded by the paths, not by the text.

use std::collections::BTreeMap;
use std::ops::Range;

use super::fault::{Fault, shown};
use super::json::{invalid, unescaped};
use super::scan::{Raw, Scanner, Text};
use super::written::written;
pub use super::written::{Written, elements};

/// The longest path, in steps.
pub const MAX_DEPTH: usize = 32;

/// Reads values at paths of objects, one object after the other.
///
/// A step of a path is the key of an object, or, where the text has an array, the place in it
/// as a decimal number.
#[derive(Debug)]
pub struct Paths {
    /// The first is the object itself.
    nodes: Vec<Node>,
    /// Which keys and elements the current object had so far, by the number of the child.
    seen: Vec<bool>,
    /// The brackets that are open in what is skipped.
    open: Vec<u8>,
}

/// An object or array that has something wanted in it.
#[derive(Debug)]
struct Node {
    children: Vec<Child>,
    /// The children by their names, where there are too many to look at each.
    by_name: Vec<usize>,
    /// Those whose names are places in an array, by place.
    by_place: Vec<(usize, usize)>,
    /// A bit for each name by its length and its ends: most keys that are not wanted have none.
    bits: u64,
    /// Where its children are in [`Paths::seen`].
    first: usize,
}

#[derive(Debug)]
struct Child {
    name: Box<[u8]>,
    target: Target,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    /// The path of this index ends here.
    Value(usize),
    /// The node of this index.
    Node(usize),
}

/// Where values go that are found. Implementations do well to be `#[inline]`.
pub trait Take<'a> {
    /// What taking a value may end with.
    type Error: From<Fault>;

    /// The value at the path of this index, and where in the text it stands: of a string what
    /// is between its quotes.
    ///
    /// # Errors
    /// Ends the reading.
    fn value(
        &mut self,
        path: usize,
        value: Written<'a>,
        range: Range<usize>,
    ) -> Result<(), Self::Error>;

    /// A key that no path has, as it is written. Elements of arrays have none.
    ///
    /// # Errors
    /// Ends the reading.
    fn unknown(&mut self, key: &'a [u8]) -> Result<(), Self::Error> {
        let _ = key;
        Ok(())
    }
}

/// Paths of which one leads through the end of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The index of one path.
    pub path: usize,
    /// The index of the other.
    pub other: usize,
}

impl Paths {
    /// For the values at these paths.
    ///
    /// # Errors
    /// If two paths are the same, or one leads through the value of another. Paths are not
    /// empty, and have at most [`MAX_DEPTH`] steps; others are never found.
    pub fn new<P, S>(paths: P) -> Result<Paths, Overlap>
    where
        P: IntoIterator<Item = S>,
        S: IntoIterator,
        S::Item: AsRef<str>,
    {
        let mut tree = Tree::default();
        for (index, path) in paths.into_iter().enumerate() {
            let steps: Vec<S::Item> = path.into_iter().collect();
            if (1..=MAX_DEPTH).contains(&steps.len()) {
                tree.add(index, &steps)?;
            }
        }
        let mut paths = Paths { nodes: Vec::new(), seen: Vec::new(), open: Vec::new() };
        paths.flatten(&tree);
        Ok(paths)
    }

    /// Lays a tree out; returns the index of its root.
    fn flatten(&mut self, tree: &Tree) -> usize {
        let first = self.seen.len();
        self.seen.resize(first + tree.children.len(), false);
        let index = self.nodes.len();
        let node = Node {
            children: Vec::new(),
            by_name: Vec::new(),
            by_place: Vec::new(),
            bits: 0,
            first,
        };
        self.nodes.push(node);
        let mut branches: Vec<(&String, &Branch)> = tree.children.iter().collect();
        branches.sort_by_key(|(_, branch)| branch.index());
        for (name, branch) in branches {
            let target = match branch {
                Branch::Value(path) => Target::Value(*path),
                Branch::Tree(_, tree) => Target::Node(self.flatten(tree)),
            };
            let place = name.parse().ok().filter(|place: &usize| place.to_string() == *name);
            let node = &mut self.nodes[index];
            node.bits |= bit(name.as_bytes());
            node.by_place.extend(place.map(|place| (place, node.children.len())));
            node.children.push(Child { name: name.as_bytes().into(), target });
        }
        let Node { children, by_name, by_place, .. } = &mut self.nodes[index];
        by_place.sort_unstable();
        if children.len() > FEW {
            by_name.extend(0..children.len());
            by_name.sort_unstable_by_key(|child| order(&children[*child].name));
        }
        index
    }

    /// Reads one object. `take` gets each wanted value that is there.
    ///
    /// # Errors
    /// What `take` says, [`Fault::DuplicateKey`] where a key that a path has comes again,
    /// [`Fault::Inside`] where a path leads through a value that is neither an object nor an
    /// array nor `null`, and [`Fault::Json`] where the text is not one object.
    #[inline]
    pub fn read<'a, T: Take<'a>>(&mut self, text: &'a [u8], take: &mut T) -> Result<(), T::Error> {
        let Paths { nodes, seen, open } = self;
        seen.fill(false);
        let mut reading = Reading { text, nodes, seen, open, take };
        let mut scanner = Scanner::new(text);
        let read = match scanner.byte(b'{') {
            Some(()) => reading.object(scanner, 0),
            None => Err(Stop::Grammar),
        };
        match read.map(|mut scanner| scanner.finish()) {
            Ok(Some(())) => Ok(()),
            Err(Stop::Said(error)) => Err(error),
            Ok(None) | Err(Stop::Grammar) => Err(invalid(text).into()),
        }
    }
}

/// Why reading ends.
enum Stop<E> {
    /// It is not JSON.
    Grammar,
    Said(E),
}

struct Reading<'r, 'a, T> {
    text: &'a [u8],
    nodes: &'r [Node],
    seen: &'r mut [bool],
    open: &'r mut Vec<u8>,
    take: &'r mut T,
}

impl<'a, T: Take<'a>> Reading<'_, 'a, T> {
    /// The rest of an object whose opening brace is passed. The scanner comes and goes by
    /// value: its place is in a register meanwhile.
    #[inline]
    fn object(
        &mut self,
        mut scanner: Scanner<'a>,
        node: usize,
    ) -> Result<Scanner<'a>, Stop<T::Error>> {
        let nodes = self.nodes;
        let node = &nodes[node];
        // The child after the one that was found last: in records written by one program,
        // mostly the next.
        let mut next = 0;
        let mut is_more = scanner.is_any(b'}').ok_or(Stop::Grammar)?;
        while is_more {
            let key = scanner.key().ok_or(Stop::Grammar)?;
            match node.find(key, next) {
                Some(child) => {
                    next = child + 1;
                    scanner = self.child(scanner, node, child)?;
                }
                None => {
                    self.take.unknown(key.inside).map_err(Stop::Said)?;
                    scanner.value(self.open).ok_or(Stop::Grammar)?;
                }
            }
            is_more = scanner.is_another(b'}').ok_or(Stop::Grammar)?;
        }
        Ok(scanner)
    }

    /// The rest of an array whose opening bracket is passed.
    fn array(
        &mut self,
        mut scanner: Scanner<'a>,
        node: usize,
    ) -> Result<Scanner<'a>, Stop<T::Error>> {
        let nodes = self.nodes;
        let node = &nodes[node];
        let mut is_more = scanner.is_any(b']').ok_or(Stop::Grammar)?;
        let mut wanted = node.by_place.iter().peekable();
        let mut place = 0;
        while is_more {
            match wanted.next_if(|(wanted, _)| *wanted == place) {
                Some((_, child)) => scanner = self.element(scanner, node, *child)?,
                None => {
                    scanner.value(self.open).ok_or(Stop::Grammar)?;
                }
            }
            place += 1;
            is_more = scanner.is_another(b']').ok_or(Stop::Grammar)?;
        }
        Ok(scanner)
    }

    /// What stands at a wanted place of an array.
    #[inline(never)]
    fn element(
        &mut self,
        scanner: Scanner<'a>,
        node: &Node,
        child: usize,
    ) -> Result<Scanner<'a>, Stop<T::Error>> {
        self.child(scanner, node, child)
    }

    /// What stands behind a wanted key, or at a wanted place.
    #[inline(always)]
    fn child(
        &mut self,
        mut scanner: Scanner<'a>,
        node: &Node,
        child: usize,
    ) -> Result<Scanner<'a>, Stop<T::Error>> {
        let Child { target, name, .. } = &node.children[child];
        if std::mem::replace(&mut self.seen[node.first + child], true) {
            return Err(Stop::Said(Fault::DuplicateKey(shown(name)).into()));
        }
        match *target {
            Target::Value(path) => {
                scanner.peek();
                let start = scanner.position();
                let raw = scanner.value(self.open).ok_or(Stop::Grammar)?;
                let (value, range) = written(&raw, self.text, start..scanner.position());
                self.take.value(path, value, range).map_err(Stop::Said)?;
                Ok(scanner)
            }
            Target::Node(inner) => self.inner(scanner, name, inner),
        }
    }

    /// What stands where a path goes on.
    #[inline(never)]
    fn inner(
        &mut self,
        mut scanner: Scanner<'a>,
        name: &[u8],
        node: usize,
    ) -> Result<Scanner<'a>, Stop<T::Error>> {
        match scanner.peek() {
            Some(b'{') => {
                scanner.pass();
                self.object(scanner, node)
            }
            Some(b'[') => {
                scanner.pass();
                self.array(scanner, node)
            }
            _ => {
                let raw = scanner.value(self.open).ok_or(Stop::Grammar)?;
                self.no_way(name, node, &raw, scanner.position())?;
                Ok(scanner)
            }
        }
    }

    /// A value that leads nowhere: of `null` all that would be in it is `null`.
    #[cold]
    fn no_way(
        &mut self,
        name: &[u8],
        node: usize,
        raw: &Raw<'a>,
        at: usize,
    ) -> Result<(), Stop<T::Error>> {
        let found = match raw {
            Raw::Null => return self.all_null(node, at),
            Raw::Bool(_) => "a boolean",
            Raw::Number(_) => "a number",
            _ => "a string",
        };
        Err(Stop::Said(Fault::Inside { key: shown(name), found }.into()))
    }

    fn all_null(&mut self, node: usize, at: usize) -> Result<(), Stop<T::Error>> {
        for child in &self.nodes[node].children {
            match child.target {
                Target::Node(inner) => self.all_null(inner, at)?,
                Target::Value(path) => {
                    self.take.value(path, Written::Null, at..at).map_err(Stop::Said)?;
                }
            }
        }
        Ok(())
    }
}

impl Node {
    /// Which of the children a key is.
    #[inline]
    fn find(&self, key: Text<'_>, next: usize) -> Option<usize> {
        if key.escaped {
            // A key that is no text is none that is wanted.
            return self.search(unescaped(key).ok()?.as_bytes());
        }
        match self.children.get(next) {
            Some(child) if *child.name == *key.inside => Some(next),
            _ if self.bits & bit(key.inside) == 0 => None,
            _ => self.search(key.inside),
        }
    }

    #[inline(never)]
    fn search(&self, key: &[u8]) -> Option<usize> {
        if self.by_name.is_empty() {
            return self.children.iter().position(|child| *child.name == *key);
        }
        let name = |child: &usize| order(&self.children[*child].name);
        let found = self.by_name.binary_search_by(|child| name(child).cmp(&order(key)));
        found.ok().map(|at| self.by_name[at])
    }
}

/// How many names are looked at one by one.
const FEW: usize = 16;

/// What names are sorted by: lengths are quick to compare.
fn order(name: &[u8]) -> (usize, &[u8]) {
    (name.len(), name)
}

/// One of 64 bits, by the length and the ends of a name.
#[inline]
fn bit(name: &[u8]) -> u64 {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return 1 };
    let mixed = name.len() + 7 * usize::from(*first) + 29 * usize::from(*last);
    1 << (mixed % 64)
}

/// Paths before they are laid out.
#[derive(Default)]
struct Tree {
    children: BTreeMap<String, Branch>,
}

enum Branch {
    Value(usize),
    /// With the index of the first path that leads here.
    Tree(usize, Tree),
}

impl Branch {
    fn index(&self) -> usize {
        match self {
            Branch::Value(path) | Branch::Tree(path, _) => *path,
        }
    }
}

impl Tree {
    fn add(&mut self, path: usize, steps: &[impl AsRef<str>]) -> Result<(), Overlap> {
        let Some((step, rest)) = steps.split_first() else { return Ok(()) };
        let name = step.as_ref().to_owned();
        match (self.children.get_mut(&name), rest) {
            (None, []) => {
                self.children.insert(name, Branch::Value(path));
                Ok(())
            }
            (None, _) => {
                let mut tree = Tree::default();
                tree.add(path, rest)?;
                self.children.insert(name, Branch::Tree(path, tree));
                Ok(())
            }
            (Some(Branch::Tree(_, tree)), [_, ..]) => tree.add(path, rest),
            (Some(other), _) => Err(Overlap { path, other: other.index() }),
        }
    }
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;

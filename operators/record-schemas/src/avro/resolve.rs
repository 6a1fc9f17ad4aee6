//! Plans: how a value of the writer's schema becomes one of the reader's.

use std::collections::HashMap;

use super::defaults;
use super::names::last;
use super::node::{Fixed, Node, Whole, Width, kind};
use super::schema::{Field, Logical, Named, Schema, Type};
use crate::place::{Array, Tree, index};

/// Makes the nodes of a plan.
pub(crate) struct Compiler<'a> {
    pub(crate) writer: &'a Schema,
    pub(crate) reader: Option<&'a Schema>,
    pub(crate) nodes: Vec<Node>,
    /// The nodes that skip types of the writer.
    pub(crate) skips: HashMap<usize, usize>,
    /// Whether values of a type of the writer have any bytes.
    pub(crate) sizes: HashMap<usize, bool>,
    /// The places that the schema has.
    pub(crate) reached: Vec<bool>,
    /// The places, and those of items while they are read.
    pub(crate) extra: usize,
}

impl Compiler<'_> {
    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub(crate) fn reach(&mut self, places: &[usize]) {
        for place in places {
            if let Some(reached) = self.reached.get_mut(*place) {
                *reached = true;
            }
        }
    }

    /// The node for values of a type of the writer, of which the reader has another, or none.
    pub(crate) fn compile(
        &mut self,
        writer: usize,
        reader: Option<usize>,
        tree: &Tree,
    ) -> Result<usize, String> {
        if tree.is_empty() {
            return Ok(self.skip(writer));
        }
        if let Type::Union(branches) = self.writer.get(writer) {
            let mut nodes = Vec::with_capacity(branches.len());
            for branch in branches {
                nodes.push(match self.compile(*branch, reader, tree) {
                    Ok(node) => node,
                    // Another branch may be readable, and the record may have that.
                    Err(problem) => self.push(Node::Unresolved(problem)),
                });
            }
            return Ok(self.push(Node::Union(nodes)));
        }
        let reader = match reader {
            Some(reader) => Some(self.branch(writer, reader)?),
            None => None,
        };
        self.value(writer, reader, tree)
    }

    /// The type of the reader's union for a type of the writer, if it is a union.
    fn branch(&self, writer: usize, reader: usize) -> Result<usize, String> {
        let Some(schema) = self.reader else { return Ok(reader) };
        let Type::Union(branches) = schema.get(reader) else { return Ok(reader) };
        let ty = self.writer.get(writer);
        // The same type, then one that it can become, each the first.
        let find = |test: &dyn Fn(&Type) -> bool| {
            branches.iter().copied().find(|branch| test(schema.get(*branch)))
        };
        find(&|other| same(ty, other, true))
            .or_else(|| find(&|other| same(ty, other, false)))
            .or_else(|| find(&|other| promotes(ty, other)))
            .ok_or_else(|| format!("the reader's union has no branch for {}", kind(ty)))
    }

    fn value(
        &mut self,
        writer: usize,
        reader: Option<usize>,
        tree: &Tree,
    ) -> Result<usize, String> {
        let ours = self.writer.get(writer);
        let theirs = reader.and_then(|reader| Some(self.reader?.get(reader)));
        if let Some(theirs) = theirs
            && !same(ours, theirs, false)
            && !promotes(ours, theirs)
        {
            return Err(format!(
                "the record has {}, and the reader's schema {}",
                kind(ours),
                kind(theirs)
            ));
        }
        let mut here = tree.here.clone();
        if !matches!(ours, Type::Array(_)) {
            // What is no array is told from one by its value.
            here.extend(tree.arrays.iter().map(|array| array.place));
        }
        self.reach(&here);
        let width = match theirs {
            Some(Type::Float) => Width::Float,
            Some(Type::Double) => Width::Double,
            _ => Width::Whole,
        };
        let node = match ours {
            // No value: of all that could be below, neither.
            Type::Null => {
                let all = tree.all();
                self.reach(&all);
                Node::Null(all)
            }
            Type::Boolean => Node::Boolean(here),
            Type::Int => Node::Int(here, width),
            Type::Long => Node::Long(here, width),
            Type::Float => Node::Float(here),
            Type::Double => Node::Double(here),
            Type::String => match theirs {
                Some(Type::Bytes(Logical::Decimal(scale))) => Node::Decimal(here, *scale),
                Some(Type::Bytes(_)) => Node::Bytes(here),
                _ => Node::Text(here),
            },
            Type::Bytes(logical) => match (logical, theirs) {
                (_, Some(Type::String)) => Node::Text(here),
                (Logical::Decimal(scale), _) => Node::Decimal(here, *scale),
                _ => Node::Bytes(here),
            },
            Type::Fixed(_, size, logical) => Node::Fixed(here, *size, fixed(*logical)),
            Type::Enum(_, symbols, _) => {
                let symbols = symbols.iter().map(|symbol| match theirs {
                    Some(Type::Enum(_, known, default)) => match known.contains(symbol) {
                        true => Some(symbol.clone()),
                        false => default.clone(),
                    },
                    _ => Some(symbol.clone()),
                });
                Node::Enum(here, symbols.collect())
            }
            Type::Record(_, fields) => {
                let theirs = match theirs {
                    Some(Type::Record(_, fields)) => Some(fields.as_slice()),
                    _ => None,
                };
                let record = self.record(fields, theirs, tree)?;
                return Ok(self.marked(here, "a record", record));
            }
            Type::Array(items) => {
                let theirs = match theirs {
                    Some(Type::Array(items)) => Some(*items),
                    _ => None,
                };
                let array = self.array(*items, theirs, tree)?;
                return Ok(self.marked(here, "an array", array));
            }
            Type::Map(values) => {
                let theirs = match theirs {
                    Some(Type::Map(values)) => Some(*values),
                    _ => None,
                };
                let skip = self.skip(*values);
                let mut wanted = Vec::new();
                for (key, tree) in &tree.below {
                    wanted.push((key.clone(), self.compile(*values, theirs, tree)?));
                }
                let map = self.push(Node::Map { skip, values: wanted });
                return Ok(self.marked(here, "a map", map));
            }
            Type::Union(_) | Type::Open => return Err("a type without definition".to_owned()),
        };
        Ok(self.push(node))
    }

    /// A node that says what something is, if that is asked, in front of its parts.
    fn marked(&mut self, here: Vec<usize>, what: &'static str, parts: usize) -> usize {
        if here.is_empty() { parts } else { self.push(Node::Marked(here, what, parts)) }
    }

    fn record(
        &mut self,
        ours: &[Field],
        theirs: Option<&[Field]>,
        tree: &Tree,
    ) -> Result<usize, String> {
        let mut nodes = Vec::with_capacity(ours.len());
        // The reader's fields that the writer has too.
        let mut shared = Vec::new();
        for field in ours {
            let about = |problem| format!("field '{}': {problem}", field.name);
            let nothing = Tree::default();
            let node = match theirs {
                None => {
                    let tree = tree.step(&field.name).unwrap_or(&nothing);
                    self.compile(field.ty, None, tree).map_err(about)?
                }
                Some(theirs) => {
                    let other = theirs.iter().position(|other| other.name == field.name);
                    let other = other.or_else(|| {
                        // An alias is an older name, if the writer has no field of the new one.
                        let free = |other: &Field| ours.iter().all(|it| it.name != other.name);
                        theirs
                            .iter()
                            .position(|other| other.aliases.contains(&field.name) && free(other))
                    });
                    match other.map(|position| (position, &theirs[position])) {
                        Some((position, other)) if !shared.contains(&position) => {
                            shared.push(position);
                            let tree = tree.step(&other.name).unwrap_or(&nothing);
                            self.compile(field.ty, Some(other.ty), tree).map_err(about)?
                        }
                        _ => self.skip(field.ty),
                    }
                }
            };
            // What has no bytes needs no step, unless it says something.
            if self.has_bytes(field.ty) || self.says(node) {
                nodes.push(node);
            }
        }
        let mut constants = Vec::new();
        for (position, field) in theirs.unwrap_or_default().iter().enumerate() {
            let Some(tree) = tree.step(&field.name).filter(|tree| !tree.is_empty()) else {
                continue;
            };
            if shared.contains(&position) {
                continue;
            }
            let Some((default, schema)) = field.default.as_ref().zip(self.reader) else {
                return Err(format!(
                    "the writer's schema has no field '{}', and the reader's no default for it",
                    field.name
                ));
            };
            defaults::find(schema, field.ty, default, tree, &mut constants)
                .map_err(|problem| format!("the default of field '{}': {problem}", field.name))?;
        }
        let given: Vec<usize> = constants.iter().map(|(place, _)| *place).collect();
        self.reach(&given);
        Ok(self.push(Node::Record(nodes, constants)))
    }

    fn array(&mut self, items: usize, theirs: Option<usize>, tree: &Tree) -> Result<usize, String> {
        let skip = self.skip(items);
        let mut wanted = Vec::new();
        for (step, tree) in &tree.below {
            if let Some(index) = index(step) {
                wanted.push((index, self.compile(items, theirs, tree)?));
            }
        }
        let mut whole = Vec::new();
        for Array { place, sizes, inner } in &tree.arrays {
            let Some((size, rest)) = sizes.split_first() else { continue };
            let item = rest.is_empty().then(|| {
                self.extra += 1;
                self.extra - 1
            });
            let below = match item {
                Some(item) => Tree { here: vec![item], ..Tree::default() },
                None => {
                    let array = Array { place: *place, sizes: rest.to_vec(), inner: true };
                    Tree { arrays: vec![array], ..Tree::default() }
                }
            };
            let node = self.compile(items, theirs, &below)?;
            whole.push(Whole { place: *place, outer: !inner, item, node, size: *size });
        }
        let places: Vec<usize> = whole.iter().map(|whole| whole.place).collect();
        self.reach(&places);
        let empty = !self.has_bytes(items);
        Ok(self.push(Node::Array { skip, empty, items: wanted, whole }))
    }

    /// Whether a node puts something at a place without reading bytes.
    fn says(&self, node: usize) -> bool {
        match &self.nodes[node] {
            Node::Null(places) | Node::Fixed(places, ..) => !places.is_empty(),
            Node::Record(nodes, constants) => {
                !constants.is_empty() || nodes.iter().any(|node| self.says(*node))
            }
            Node::Marked(..) | Node::Unresolved(_) => true,
            _ => false,
        }
    }

    /// The node that skips values of a type.
    fn skip(&mut self, ty: usize) -> usize {
        if let Some(node) = self.skips.get(&ty) {
            return *node;
        }
        // Its own parts may name it.
        let place = self.push(Node::Record(Vec::new(), Vec::new()));
        self.skips.insert(ty, place);
        let node = match self.writer.get(ty).clone() {
            Type::Null | Type::Open => return place,
            Type::Boolean => Node::Boolean(Vec::new()),
            Type::Int => Node::Int(Vec::new(), Width::Whole),
            Type::Long => Node::Long(Vec::new(), Width::Whole),
            Type::Float => Node::Float(Vec::new()),
            Type::Double => Node::Double(Vec::new()),
            Type::Bytes(_) | Type::String => Node::Bytes(Vec::new()),
            Type::Fixed(_, size, _) => Node::Fixed(Vec::new(), size, Fixed::Bytes),
            Type::Enum(_, symbols, _) => {
                Node::Enum(Vec::new(), vec![Some(String::new()); symbols.len()])
            }
            Type::Record(_, fields) => {
                let mut nodes = Vec::with_capacity(fields.len());
                for field in fields {
                    if self.has_bytes(field.ty) {
                        nodes.push(self.skip(field.ty));
                    }
                }
                Node::Record(nodes, Vec::new())
            }
            Type::Array(items) => {
                let (skip, empty) = (self.skip(items), !self.has_bytes(items));
                Node::Array { skip, empty, items: Vec::new(), whole: Vec::new() }
            }
            Type::Map(values) => Node::Map { skip: self.skip(values), values: Vec::new() },
            Type::Union(branches) => {
                let nodes = branches.iter().map(|branch| self.skip(*branch)).collect();
                Node::Union(nodes)
            }
        };
        self.nodes[place] = node;
        place
    }

    /// Whether values of a type have at least a byte; the others have none.
    fn has_bytes(&mut self, ty: usize) -> bool {
        if let Some(known) = self.sizes.get(&ty) {
            return *known;
        }
        // A record that has itself as a field, and not as one branch of a union, has no values.
        self.sizes.insert(ty, true);
        let has = match self.writer.get(ty) {
            Type::Null | Type::Open => false,
            Type::Fixed(_, size, _) => *size > 0,
            Type::Record(_, fields) => {
                let types: Vec<usize> = fields.iter().map(|field| field.ty).collect();
                types.into_iter().any(|ty| self.has_bytes(ty))
            }
            _ => true,
        };
        self.sizes.insert(ty, has);
        has
    }
}

fn fixed(logical: Logical) -> Fixed {
    match logical {
        Logical::Nothing => Fixed::Bytes,
        Logical::Decimal(scale) => Fixed::Decimal(scale),
        Logical::Uuid => Fixed::Uuid,
        Logical::Duration => Fixed::Duration,
    }
}

/// Whether two types are the same, as far as they need to be; of named types by name.
fn same(ours: &Type, theirs: &Type, by_name: bool) -> bool {
    let named = |ours: &Named, theirs: &Named| {
        ours.name == theirs.name
            || theirs.aliases.contains(&ours.name)
            || (!by_name && last(&ours.name) == last(&theirs.name))
    };
    match (ours, theirs) {
        (Type::Fixed(ours, size, _), Type::Fixed(theirs, other, _)) => {
            size == other && named(ours, theirs)
        }
        (Type::Enum(ours, ..), Type::Enum(theirs, ..))
        | (Type::Record(ours, _), Type::Record(theirs, _)) => named(ours, theirs),
        (Type::Null, Type::Null)
        | (Type::Boolean, Type::Boolean)
        | (Type::Int, Type::Int)
        | (Type::Long, Type::Long)
        | (Type::Float, Type::Float)
        | (Type::Double, Type::Double)
        | (Type::Bytes(_), Type::Bytes(_))
        | (Type::String, Type::String)
        | (Type::Array(_), Type::Array(_))
        | (Type::Map(_), Type::Map(_)) => true,
        _ => false,
    }
}

/// Whether values of one type can become those of another.
fn promotes(ours: &Type, theirs: &Type) -> bool {
    matches!(
        (ours, theirs),
        (Type::Int, Type::Long | Type::Float | Type::Double)
            | (Type::Long, Type::Float | Type::Double)
            | (Type::Float, Type::Double)
            | (Type::String, Type::Bytes(_))
            | (Type::Bytes(_), Type::String)
    )
}

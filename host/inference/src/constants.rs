//! What a graph makes of its constants before it computes anything. An operation whose inputs are
//! all constant is evaluated when the graph is read and optimised, and a few bytes of a file may
//! name a tensor of any size: so the shapes are looked at first.
//!
//! - [`Allowance`]: what a graph may make in all, by the size of its file.
//! - [`analyse`]: types and shapes of a graph as it was read, node by node, each looked at before
//!   tract evaluates it.
//! - [`watched`]: the same for tract's optimiser, which makes constants of its own.
//!
//! What an operation needs while it is evaluated, beside its result, is not seen here; a process
//! in which a graph is prepared has a limit for that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tract_onnx::ops::logic::If;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::optim::{Optimizer, OptimizerSession, TypedPass};
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::scan::InferenceScan;

/// What any graph may make.
const BASE: u64 = 64 << 20;
/// How many times the size of its file a graph may make besides. Weights of 8 bits become numbers
/// of 32, and are then brought into another order: both count.
const TIMES: u64 = 8;
/// What makes its result of the shape of its input, whether that is constant or not.
const BY_SHAPE: [&str; 2] = ["ConstantLike", "EyeLike"];

/// Bytes of constants that a graph may make when it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    file: u64,
}

/// A graph makes more of its constants than it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TooLarge {
    /// The node.
    what: String,
    /// Bytes that it makes, and all until then.
    made: u64,
    total: u64,
    allowance: u64,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooLarge { what, made, total, allowance } = self;
        write!(
            f,
            "{what} makes a constant of {made} bytes when the graph is loaded, which are {total} \
             with those before it; a graph of this size may make {allowance} (64 MiB, and 8 times \
             its file): make it smaller, store it in the file, or let it follow from an input"
        )
    }
}

impl std::error::Error for TooLarge {}

impl Allowance {
    /// That of a graph with a file of so many bytes.
    pub(super) fn of_file(bytes: usize) -> Self {
        Allowance { file: bytes as u64 }
    }

    fn bytes(self) -> u64 {
        BASE.saturating_add(self.file.saturating_mul(TIMES))
    }

    /// Adds what a node makes to `total`.
    pub(super) fn take(
        self,
        total: &mut u64,
        made: u64,
        what: impl FnOnce() -> String,
    ) -> TractResult<()> {
        *total = total.saturating_add(made);
        if *total <= self.bytes() {
            return Ok(());
        }
        let (total, allowance) = (*total, self.bytes());
        Err(TooLarge { what: what(), made, total, allowance }.into())
    }
}

/// Finds types and shapes of all nodes, and the values of what is constant and small. Returns the
/// bytes of what is made of constants, then or later.
///
/// # Errors
/// If they do not follow from each other, or constants are made of more bytes than are allowed.
pub(super) fn analyse(model: &mut InferenceModel, allowance: Allowance) -> TractResult<u64> {
    let mut made = Made { bytes: vec![0; model.nodes().len()], total: 0, allowance };
    let mut waiting: BTreeSet<usize> = (0..model.nodes().len()).collect();
    // As tract's own analysis, which does not look before it evaluates.
    while let Some(id) = waiting.pop_first() {
        let inferred = made.infer(model, id);
        let about = || format!("Failed analyse for node {}", model.node(id));
        let (inputs, outputs) = inferred.with_context(about)?;
        let node = model.node(id);
        let places = node
            .inputs
            .iter()
            .copied()
            .chain((0..node.outputs.len()).map(|slot| (id, slot).into()));
        let mut changed = Vec::new();
        for (edge, fact) in places.zip(inputs.iter().chain(&outputs)) {
            let old = model.outlet_fact(edge)?;
            let fact = fact.unify(old).with_context(about)?;
            if fact != *old {
                changed.push((edge, fact));
            }
        }
        for (edge, fact) in changed {
            let output = &model.node(edge.node).outputs[edge.slot];
            let others = output.successors.iter().filter(|it| it.node != edge.node);
            waiting.extend(others.map(|it| it.node).chain((edge.node != id).then_some(edge.node)));
            model.set_outlet_fact(edge, fact)?;
        }
    }
    // What is too large for the analysis is evaluated later.
    let mut constant = vec![false; model.nodes().len()];
    for id in model.eval_order()? {
        let node = model.node(id);
        let of_constants =
            !node.inputs.is_empty() && node.inputs.iter().all(|input| constant[input.node]);
        let known = node.outputs.iter().all(|output| output.fact.value.is_concrete());
        constant[id] = !InferenceModel::is_source(&node.op) && (of_constants || known);
        if constant[id] && !node.op_is::<Const>() {
            let (inputs, outputs) = model.node_facts(id)?;
            made.add(node, &inputs, &outputs)?;
        }
    }
    Ok(made.total)
}

type Facts = TVec<InferenceFact>;

/// What the nodes of a graph make.
struct Made {
    bytes: Vec<u64>,
    total: u64,
    allowance: Allowance,
}

impl Made {
    /// What follows of a node's inputs and outputs, with the values of what is constant and small.
    fn infer(&mut self, model: &mut InferenceModel, id: usize) -> TractResult<(Facts, Facts)> {
        let (inputs, outputs) = model.node_facts(id)?;
        let own = |facts: TVec<&InferenceFact>| facts.into_iter().cloned().collect::<Facts>();
        let (inputs, outputs) = (own(inputs), own(outputs));
        let node = model.node(id);
        if BY_SHAPE.contains(&node.op.name().as_ref()) {
            // Of eight bytes for an element at the most.
            let shape = inputs.first().map(|input| input.shape.clone()).unwrap_or_default();
            let made = InferenceFact::dt_shape(f64::datum_type(), shape);
            self.add(node, &[], &[&made])?;
        }
        for mut body in bodies(node, &inputs)? {
            match analyse(&mut body, self.allowance) {
                Ok(bytes) => self.count(node, bytes, || "in one of its graphs".into())?,
                Err(error) if error.root_cause().is::<TooLarge>() => return Err(error),
                // It is said when the node itself is analysed.
                Err(_) => {}
            }
        }
        let op = &mut model.node_mut(id).op;
        // What is wrong is said by `infer`, which does this again, and evaluates.
        let found = op.infer_facts(inputs.iter().collect(), outputs.iter().collect(), tvec![]);
        match found {
            Ok((found, made, _))
                if !found.is_empty() && found.iter().all(|it| it.value.is_concrete()) =>
            {
                let (inputs, made): (Vec<_>, Vec<_>) =
                    (found.iter().collect(), made.iter().collect());
                self.add(model.node(id), &inputs, &made)?;
            }
            Err(error) if error.root_cause().is::<TooLarge>() => return Err(error),
            _ => {}
        }
        let op = &mut model.node_mut(id).op;
        let (inputs, outputs, _) =
            op.infer(inputs.iter().collect(), outputs.iter().collect(), tvec![])?;
        Ok((inputs, outputs))
    }

    /// Counts tensors that a node makes of its inputs.
    fn add(
        &mut self,
        node: &InferenceNode,
        inputs: &[&InferenceFact],
        made: &[&InferenceFact],
    ) -> TractResult<()> {
        let most = inputs.iter().map(|fact| elements(fact, 1)).fold(1, u64::max);
        let size = |fact: &&InferenceFact| {
            let element = fact.datum_type.concretize().map_or(size_of::<f64>(), |it| it.size_of());
            elements(fact, most).saturating_mul(element as u64)
        };
        let bytes = made.iter().map(size).fold(0, u64::saturating_add);
        self.count(node, bytes, || {
            let shape = |fact: &&InferenceFact| format!("{:?}", fact.shape);
            made.iter().map(shape).collect::<Vec<_>>().join(" and ")
        })
    }

    /// Counts what a node makes, unless as much of it is counted.
    fn count(
        &mut self,
        node: &InferenceNode,
        bytes: u64,
        shape: impl FnOnce() -> String,
    ) -> TractResult<()> {
        let more = bytes.saturating_sub(self.bytes[node.id]);
        self.bytes[node.id] += more;
        let what = || described(&node.name, &node.op.name(), &shape());
        self.allowance.take(&mut self.total, more, what)
    }
}

/// The graphs inside of a node, with what is known of their inputs.
fn bodies(node: &InferenceNode, inputs: &[InferenceFact]) -> TractResult<Vec<InferenceModel>> {
    if let Some(scan) = node.op_as::<InferenceScan>() {
        return Ok(vec![scan.body.clone()]);
    }
    let Some(branches) = node.op_as::<If>() else { return Ok(Vec::new()) };
    let mut bodies = vec![branches.then_body.clone(), branches.else_body.clone()];
    let mut names = BTreeSet::new();
    for body in &bodies {
        names.extend(input_names(body)?);
    }
    // The condition is in front of what either of the two takes from outside, by name.
    let facts: BTreeMap<_, _> = names.into_iter().zip(inputs.iter().skip(1)).collect();
    for body in &mut bodies {
        for (index, name) in input_names(body)?.into_iter().enumerate() {
            if let Some(fact) = facts.get(&name) {
                body.set_input_fact(index, (*fact).clone())?;
            }
        }
    }
    Ok(bodies)
}

fn input_names(model: &InferenceModel) -> TractResult<Vec<String>> {
    Ok(model.input_outlets()?.iter().map(|it| model.node(it.node).name.clone()).collect())
}

/// The elements of a tensor. `most` stands for a size that is not known before the tensor is there:
/// how many elements of an input are selected, by `NonZero` and `Compress`.
fn elements(fact: &InferenceFact, most: u64) -> u64 {
    let size = |size: &DimFact| {
        let size = size.concretize().and_then(|size| size.to_usize().ok());
        size.map_or(most, |size| size as u64)
    };
    let open = if fact.shape.is_open() { most } else { 1 };
    fact.shape.dims().map(size).fold(open, u64::saturating_mul)
}

/// A node, for errors.
pub(super) fn described(name: &str, operation: &str, shape: &str) -> String {
    format!("node '{name}', operation {operation}, of shape {shape},")
}

/// tract's optimiser for a graph, with a look before each time that it evaluates what is constant.
pub(super) fn watched(
    mut optimiser: Optimizer,
    model: &TypedModel,
    allowance: Allowance,
) -> Optimizer {
    optimiser.add_pass(0, Box::new(Watch { allowance, stored: stored(model) }));
    optimiser
}

/// Looks at what the next pass evaluates: all that follows from constants alone. It changes
/// nothing.
#[derive(Debug, Clone)]
struct Watch {
    allowance: Allowance,
    /// Bytes of the constants that the graph had at first.
    stored: u64,
}

impl TypedPass for Watch {
    fn reset(&mut self) -> TractResult<()> {
        Ok(())
    }

    fn next(
        &mut self,
        _: &mut OptimizerSession<'_>,
        model: &TypedModel,
    ) -> TractResult<Option<TypedModelPatch>> {
        let mut total = stored(model).saturating_sub(self.stored);
        let mut constant = vec![false; model.nodes().len()];
        for id in model.eval_order()? {
            let node = model.node(id);
            let of_constants =
                !node.inputs.is_empty() && node.inputs.iter().all(|input| constant[input.node]);
            constant[id] = of_constants || node.op_is::<Const>();
            let made = if of_constants { typed_sizes(node) } else { 0 };
            self.allowance.take(&mut total, made, || {
                let shape = |output: &Outlet<TypedFact>| format!("{:?}", output.fact.shape);
                let shapes: Vec<_> = node.outputs.iter().map(shape).collect();
                described(&node.name, &node.op.name(), &shapes.join(" and "))
            })?;
        }
        Ok(None)
    }
}

/// The bytes of the constants of a graph.
fn stored(model: &TypedModel) -> u64 {
    let constants = model.nodes().iter().filter(|node| node.op_is::<Const>());
    constants.map(typed_sizes).fold(0, u64::saturating_add)
}

fn typed_sizes(node: &TypedNode) -> u64 {
    let size = |output: &Outlet<TypedFact>| {
        output.fact.mem_size().to_usize().map_or(0, |bytes| bytes as u64)
    };
    node.outputs.iter().map(size).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    #[test]
    fn what_is_allowed_grows_with_the_file() {
        let mut total = 0;
        let allowance = Allowance::of_file(1 << 20);
        assert!(allowance.take(&mut total, 72 << 20, || "a".into()).is_ok());
        let error = allowance.take(&mut total, 1, || "node 'b'".into()).unwrap_err();
        let error = error.root_cause().downcast_ref::<TooLarge>().unwrap().to_string();
        assert!(error.starts_with("node 'b' makes a constant of 1 bytes when"), "{error}");
        assert!(Allowance::of_file(usize::MAX).take(&mut total, u64::MAX, || "c".into()).is_ok());
    }
}

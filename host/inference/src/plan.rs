//! A graph optimised for inputs of given shapes, and the state in which one thread runs it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tract_onnx::tract_core;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::optim::Optimizer;
use tract_onnx::tract_hir::internal::*;

use super::constants::{self, Allowance, TooLarge};
use super::error::{Error, ErrorCode};
use super::half;
use super::needs::{self, Needs};
use super::tensor::datum_type;
use sandbar_model::TensorSpec;
use sandbar_record::{Running, shorten};

/// Plans that are kept of a graph, and states of a thread; the one that was used longest
/// ago makes room. Each plan has weights of its own, in the order that its kernels want.
pub(super) const PLANS: usize = 4;
/// Bytes of one tensor on the way through a graph.
pub(super) const TENSOR_LIMIT: usize = 1 << 30;

/// Bytes that a node of a graph takes beside its tensors: its operation, facts, names, its place
/// in the plan. This and `COPIES` are fitted to one graph, that of `models/digits`: 505 kB where
/// its file and one copy of its constants are less than half of that.
const NODE: usize = 4 << 10;
/// How often a constant counts: a kernel has it in an order of its own, beside the tensor.
const COPIES: usize = 2;

/// A graph optimised for inputs of given shapes.
#[derive(Debug)]
pub(super) struct OptimisedGraph {
    /// The number of the graph.
    pub(super) graph: u64,
    pub(super) shapes: Vec<Vec<usize>>,
    /// What its computation needs.
    pub(super) needs: Needs,
    runnable: Arc<TypedRunnableModel>,
}

impl OptimisedGraph {
    /// Optimises the graph of a number for inputs of these shapes.
    ///
    /// # Errors
    /// If types or shapes do not follow from each other, or a tensor is too large, or what is
    /// made of constants.
    pub(super) fn new(
        graph: u64,
        model: InferenceModel,
        inputs: &[TensorSpec],
        shapes: Vec<Vec<usize>>,
        allowance: Allowance,
    ) -> Result<Self, Error> {
        let runnable = guarded(|| optimise(model, inputs, &shapes, allowance))?;
        let needs = guarded(|| Needs::of(runnable.model(), runnable.order_without_consts()))?;
        Ok(OptimisedGraph { graph, shapes, needs, runnable })
    }

    #[cfg(test)]
    pub(super) fn of(model: TypedModel) -> Self {
        let runnable = guarded(|| model.into_runnable()).expect("a model that runs");
        OptimisedGraph { graph: 0, shapes: Vec::new(), needs: Needs::default(), runnable }
    }

    /// Bytes that it holds: its constants, as its kernels want them, and its nodes.
    pub(super) fn held(&self) -> usize {
        self.runnable.model().nodes().iter().fold(0usize, |held, node| {
            let constant = node.op_as::<Const>().map_or(0, |constant| {
                let fact = node.outputs.first().map(|output| output.fact.mem_size());
                let packed = fact.and_then(|size| size.to_usize().ok()).unwrap_or(0);
                let tensor = constant.val();
                packed.max(tensor.len().saturating_mul(tensor.datum_type().size_of()))
            });
            held.saturating_add(NODE).saturating_add(constant.saturating_mul(COPIES))
        })
    }

    /// The optimised graph.
    pub(super) fn model(&self) -> &TypedModel {
        self.runnable.model()
    }
}

fn optimise(
    mut model: InferenceModel,
    inputs: &[TensorSpec],
    shapes: &[Vec<usize>],
    allowance: Allowance,
) -> TractResult<Arc<TypedRunnableModel>> {
    for (index, (input, shape)) in inputs.iter().zip(shapes).enumerate() {
        let ty = datum_type(input.ty).context("elements of type bf16 are not supported")?;
        let found = model.input_fact(index)?.datum_type.concretize();
        if let Some(found) = found.filter(|found| *found != ty) {
            bail!("input '{}' is of {found:?}, the model declares {ty:?}", input.name);
        }
        model.set_input_fact(index, ty.fact(shape).into())?;
    }
    constants::analyse(&mut model, allowance)?;
    let model = model.into_typed()?;
    for node in model.nodes() {
        for output in &node.outputs {
            let size = output.fact.shape.volume().to_usize().ok();
            let bytes = size.map(|size| size.checked_mul(output.fact.datum_type.size_of()));
            ensure!(
                bytes.is_none_or(|bytes| bytes.is_some_and(|bytes| bytes <= TENSOR_LIMIT)),
                "node '{}' makes a tensor of more than {TENSOR_LIMIT} bytes",
                node.name
            );
        }
    }
    let mut model = half::widened(model)?;
    let mut passes = Optimizer::declutter();
    // It splits a convolution behind a concatenation into one for each part, which
    // doubles the number of matrix products in networks of inception blocks.
    passes.passes.retain(|pass| !format!("{pass:?}").starts_with("ConcatThenEinsum"));
    constants::watched(passes, &model, allowance).optimize(&mut model)?;
    let lowering = constants::watched(Optimizer::codegen(), &model, allowance);
    model.optimize_with_session(&mut lowering.session())?;
    model.into_runnable()
}

/// What one thread needs to compute: a state for each of the plans that it used last,
/// the latest first.
#[derive(Default)]
pub struct States {
    kept: Vec<(Arc<OptimisedGraph>, TypedSimpleState)>,
    /// What is computed at the moment, as it was admitted.
    pub(super) admitted: Arc<Running>,
}

impl States {
    /// Puts the state for a graph and shapes first, if there is one. No lock is taken.
    pub(super) fn find(&mut self, graph: u64, shapes: &[Vec<usize>]) -> bool {
        let place =
            self.kept.iter().position(|(plan, _)| plan.graph == graph && plan.shapes == shapes);
        if let Some(place) = place {
            self.kept[..=place].rotate_right(1);
        }
        place.is_some()
    }

    /// Drops the states of a graph that is not used any more.
    pub(super) fn forget(&mut self, graph: u64) {
        self.kept.retain(|(plan, _)| plan.graph != graph);
    }

    /// Puts a new state for a plan first.
    pub(super) fn open(&mut self, plan: Arc<OptimisedGraph>) -> Result<(), Error> {
        let state = guarded(|| plan.runnable.spawn())?;
        self.kept.insert(0, (plan, state));
        self.kept.truncate(PLANS);
        Ok(())
    }

    /// What the first needs.
    pub(super) fn needs(&self) -> u64 {
        self.kept.first().map_or(0, |(plan, _)| plan.needs.known)
    }

    /// Runs the first, for which `most` bytes of tensors are allowed; between two operations it checks whether it should stop, and says in
    /// `current` which node is next. A state is not used again after an error, which leaves it in
    /// the middle of its work.
    pub(super) fn run(
        &mut self,
        inputs: TVec<TValue>,
        stop: &AtomicBool,
        current: &Cell<Option<usize>>,
        most: u64,
    ) -> Result<TVec<TValue>, Error> {
        let Some((plan, state)) = self.kept.first_mut() else {
            return Err(Error::new(ErrorCode::RuntimeError, "there is no plan to run"));
        };
        let Needs { known, open } = &plan.needs;
        let too_large = Cell::new(false);
        let mut made = *known;
        let result = guarded(|| {
            state.run_plan_with_eval(inputs, |context, op_state, node, inputs| {
                ensure!(!stop.load(Ordering::Relaxed), "stopped at its deadline");
                current.set(Some(node.id));
                if open.binary_search(&node.id).is_err() {
                    return tract_core::plan::eval(context, op_state, node, inputs);
                }
                let fits = |more: u64| {
                    let fits = more <= TENSOR_LIMIT as u64 && made.saturating_add(more) <= most;
                    too_large.set(!fits);
                    ensure!(
                        fits,
                        "it makes {more} bytes of tensors more; {most} are allowed in all"
                    );
                    Ok(())
                };
                needs::expected(node, &inputs).map_or(Ok(()), fits)?;
                let outputs = tract_core::plan::eval(context, op_state, node, inputs)?;
                let sizes = outputs.iter().map(|it| it.len() * it.datum_type().size_of());
                let more = sizes.fold(0_usize, usize::saturating_add) as u64;
                fits(more)?;
                made = made.saturating_add(more);
                Ok(outputs)
            })
        });
        result.map_err(|error| {
            self.kept.remove(0);
            let code = if too_large.get() { ErrorCode::TooLarge } else { error.code };
            Error { code, ..error }
        })
    }
}

/// Runs tract. It is written to give errors, but its authors did not have every hostile
/// file in mind: a panic becomes one too.
pub(super) fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, Error> {
    let error = |message: String| Error::new(ErrorCode::RuntimeError, shorten(message));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|cause| match cause.root_cause().downcast_ref::<TooLarge>() {
            Some(too_large) => Error::new(ErrorCode::TooLarge, shorten(too_large.to_string())),
            None => error(format!("{cause:#}")),
        }),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err(error(format!("the inference engine panicked: {said}")))
        }
    }
}

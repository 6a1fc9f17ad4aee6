//! A model that the host runs: its inputs and outputs, and a plan for each set of
//! shapes that it was asked for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tract_onnx::tract_core;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::unimpl::UnimplementedOp;

use super::tensor::Tensor;
use super::{Error, ErrorCode, formats};
use crate::failure::shorten;
use crate::models::{Dimension, ElementType, Kind, Model, TensorSpec};
use crate::observe::events::GraphOptimised;
use crate::observe::resident_bytes;

/// Sets of shapes for which a graph keeps a plan; the one that was used longest ago
/// makes room. Each has weights of its own, in the order that its kernels want.
const PLANS: usize = 4;
/// Bytes of one tensor on the way through a graph.
const TENSOR_LIMIT: usize = 1 << 30;

/// Where the bytes of a graph are. They are read again for each set of shapes, so that
/// they need not be kept beside the plans.
#[derive(Debug, Clone)]
pub enum Source {
    /// In a model folder.
    Folder(Box<Model>),
    /// A guest brought them.
    Bytes(Kind, Arc<[u8]>),
}

/// A graph, ready to compute. Shared by all that use it.
#[derive(Debug)]
pub struct Graph {
    /// What the model is called in errors and events: its `name@version`.
    id: String,
    /// Tells it from every other graph of this process.
    number: u64,
    source: Source,
    inputs: Vec<TensorSpec>,
    /// The names of the outputs, in order.
    names: Vec<String>,
    outputs: Vec<TensorSpec>,
    plans: Mutex<Vec<Arc<Plan>>>,
}

/// A graph optimised for inputs of given shapes.
#[derive(Debug)]
struct Plan {
    graph: u64,
    shapes: Vec<Vec<usize>>,
    runnable: Arc<TypedRunnableModel>,
}

/// What one thread needs to compute: a state for each of the plans that it used last,
/// the latest first.
#[derive(Default)]
pub struct States(Vec<(Arc<Plan>, TypedSimpleState)>);

impl States {
    /// Puts the state for a graph and shapes first, if there is one. No lock is taken.
    fn find(&mut self, graph: u64, shapes: &[Vec<usize>]) -> bool {
        let place =
            self.0.iter().position(|(plan, _)| plan.graph == graph && plan.shapes == shapes);
        if let Some(place) = place {
            self.0[..=place].rotate_right(1);
        }
        place.is_some()
    }

    /// Puts a new state for a plan first.
    fn open(&mut self, plan: Arc<Plan>) -> Result<(), Error> {
        let state = guarded(|| plan.runnable.spawn())?;
        self.0.insert(0, (plan, state));
        self.0.truncate(PLANS);
        Ok(())
    }

    /// Runs the first. A state is not used again after an error, which leaves it in the
    /// middle of its work.
    fn run(&mut self, inputs: TVec<TValue>, stop: &AtomicBool) -> Result<TVec<TValue>, Error> {
        let Some((_, state)) = self.0.first_mut() else {
            return Err(Error::new(ErrorCode::RuntimeError, "there is no plan to run"));
        };
        let result = guarded(|| {
            state.run_plan_with_eval(inputs, |context, op_state, node, inputs| {
                ensure!(!stop.load(Ordering::Relaxed), "stopped at its deadline");
                tract_core::plan::eval(context, op_state, node, inputs)
            })
        });
        result.inspect_err(|_| drop(self.0.remove(0)))
    }
}

impl Graph {
    /// Reads a graph. If its inputs leave nothing but the batch to the caller, it is
    /// optimised for a batch of 1, and what is wrong with it shows now.
    ///
    /// # Errors
    /// Where the bytes are no graph of their kind, it has an operation that is not
    /// supported, or its inputs and outputs are not those that its model declares.
    pub fn load(id: String, source: Source) -> Result<Arc<Self>, Error> {
        let graph = Self::open(id.clone(), source).map_err(|error| error.context(&id))?;
        Ok(Arc::new(graph))
    }

    fn open(id: String, source: Source) -> Result<Self, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (inputs, outputs) = match &source {
            Source::Folder(model) => (model.inputs.clone(), model.outputs.clone()),
            Source::Bytes(..) => (Vec::new(), Vec::new()),
        };
        let (names, plans) = (Vec::new(), Mutex::default());
        let mut graph = Graph { id, number, source, inputs, names, outputs, plans };
        let model = graph.read()?;
        if graph.inputs.is_empty() {
            graph.inputs = guarded(|| inputs_of(&model))?;
        }
        graph.names = guarded(|| output_names(&model))?;
        if let Some(shapes) = graph.usual_shapes() {
            let plan = graph.optimise(model, shapes)?;
            if graph.outputs.is_empty() {
                graph.outputs = guarded(|| graph.outputs_of(&plan))?;
            }
            graph.plans = Mutex::new(vec![Arc::new(plan)]);
        }
        Ok(graph)
    }

    /// The model's `name@version`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The inputs, in order: as the model declares them, or else as the file does.
    pub fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    /// The outputs, in order. None where neither the model nor the file tells their
    /// shape before there is an input.
    pub fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    /// How many numbers the first output has for each row of a batch, if that is known.
    pub fn classes(&self) -> Option<usize> {
        let size = |dimension: &Dimension| match dimension {
            Dimension::Fixed(size) => Some(*size as usize),
            Dimension::Symbol(_) => None,
        };
        let (_, row) = self.outputs.first()?.shape.split_first()?;
        row.iter().map(size).product()
    }

    /// Computes the outputs for inputs by name, or by index as a decimal number.
    /// Between two operations of the graph it looks whether it is to stop.
    ///
    /// # Errors
    /// `invalid-argument` where the inputs do not fit, `timeout` where it was stopped,
    /// `runtime-error` where the computation fails.
    pub fn compute(
        &self,
        inputs: &[(String, Tensor)],
        states: &mut States,
        stop: &AtomicBool,
    ) -> Result<Vec<(String, Tensor)>, Error> {
        let outputs = self.run(inputs, states, stop);
        if stop.load(Ordering::Relaxed) && outputs.is_err() {
            return Err(Error::new(ErrorCode::Timeout, "stopped at its deadline"));
        }
        outputs
    }

    fn run(
        &self,
        inputs: &[(String, Tensor)],
        states: &mut States,
        stop: &AtomicBool,
    ) -> Result<Vec<(String, Tensor)>, Error> {
        let inputs = self.arrange(inputs)?;
        let shapes: Vec<Vec<usize>> = inputs.iter().map(|it| it.shape().to_vec()).collect();
        if !states.find(self.number, &shapes) {
            states.open(self.plan(shapes)?)?;
        }
        let outputs = states.run(inputs, stop)?;
        let named = self.names.iter().cloned().zip(&outputs);
        named.map(|(name, tensor)| Ok((name, Tensor::from_tract(tensor)?))).collect()
    }

    /// Brings the inputs into the graph's order.
    fn arrange(&self, inputs: &[(String, Tensor)]) -> Result<TVec<TValue>, Error> {
        let invalid = |message: String| Error::new(ErrorCode::InvalidArgument, message);
        let names = || {
            let names: Vec<&str> = self.inputs.iter().map(|input| input.name.as_str()).collect();
            names.join(", ")
        };
        let mut arranged = vec![None; self.inputs.len()];
        for (name, tensor) in inputs {
            let by_name = self.inputs.iter().position(|input| input.name == *name);
            let index = by_name.or_else(|| name.parse().ok()).filter(|it| *it < arranged.len());
            let Some(index) = index else {
                return Err(invalid(format!("no input is called '{name}': there are {}", names())));
            };
            let input = &self.inputs[index];
            let about = |error: Error| error.context(format_args!("input '{}'", input.name));
            if arranged[index].is_some() {
                return Err(about(invalid("given twice".into())));
            }
            check(input, tensor).map_err(about)?;
            arranged[index] = Some(tensor.to_tract().map_err(about)?.into_tvalue());
        }
        if let Some(index) = arranged.iter().position(Option::is_none) {
            let name = &self.inputs[index].name;
            return Err(invalid(format!("input '{name}' is not given: there are {}", names())));
        }
        Ok(arranged.into_iter().flatten().collect())
    }

    /// The plan for inputs of these shapes, made now if there is none. Others who need
    /// one of this graph wait meanwhile.
    fn plan(&self, shapes: Vec<Vec<usize>>) -> Result<Arc<Plan>, Error> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        match plans.iter().position(|plan| plan.shapes == shapes) {
            Some(place) => plans[..=place].rotate_right(1),
            None => {
                plans.insert(0, Arc::new(self.optimise(self.read()?, shapes)?));
                plans.truncate(PLANS);
            }
        }
        Ok(plans[0].clone())
    }

    /// The shapes of a batch of 1, unless more than the batch is left to the caller.
    fn usual_shapes(&self) -> Option<Vec<Vec<usize>>> {
        let size = |(axis, dimension): (usize, &Dimension)| match dimension {
            Dimension::Fixed(size) => Some(*size as usize),
            Dimension::Symbol(_) => (axis == 0).then_some(1),
        };
        self.inputs.iter().map(|input| input.shape.iter().enumerate().map(size).collect()).collect()
    }

    /// Reads the file, and makes the declared inputs and outputs those of the graph.
    fn read(&self) -> Result<InferenceModel, Error> {
        let (kind, bytes) = match &self.source {
            Source::Bytes(kind, bytes) => (*kind, bytes.clone()),
            Source::Folder(model) => {
                let bytes = model.read();
                let error = |error: crate::models::ModelError| {
                    Error::new(ErrorCode::NotFound, error.to_string())
                };
                (model.kind, bytes.map_err(error)?)
            }
        };
        let mut model = guarded(|| formats::read(kind, &bytes)).map_err(|error| Error {
            code: ErrorCode::InvalidEncoding,
            message: format!("not a readable graph of kind {kind}: {}", error.message),
        })?;
        supported(&model)?;
        guarded(|| self.select(&mut model))?;
        Ok(model)
    }

    fn select(&self, model: &mut InferenceModel) -> TractResult<()> {
        if !self.inputs.is_empty() {
            let outlets = model.input_outlets()?.to_vec();
            let names: Vec<&str> =
                outlets.iter().map(|outlet| model.node(outlet.node).name.as_str()).collect();
            ensure!(
                names.len() == self.inputs.len(),
                "the graph has {} inputs ({}), the model declares {}",
                names.len(),
                names.join(", "),
                self.inputs.len()
            );
            let place = |input: &TensorSpec| {
                let place = names.iter().position(|name| *name == input.name);
                place.map(|place| outlets[place]).with_context(|| {
                    format!(
                        "the graph has no input '{}': there are {}",
                        input.name,
                        names.join(", ")
                    )
                })
            };
            let ordered = self.inputs.iter().map(place).collect::<TractResult<Vec<_>>>()?;
            model.set_input_outlets(&ordered)?;
        }
        if !self.outputs.is_empty() {
            model.select_outputs_by_name(self.outputs.iter().map(|output| &output.name))?;
        }
        Ok(())
    }

    fn optimise(&self, model: InferenceModel, shapes: Vec<Vec<usize>>) -> Result<Plan, Error> {
        let (start, before) = (Instant::now(), resident_bytes());
        let runnable = guarded(|| plan(model, &self.inputs, &shapes))?;
        GraphOptimised { graph: self, shapes: &shapes, took: start.elapsed(), before }.emit();
        Ok(Plan { graph: self.number, shapes, runnable })
    }

    fn outputs_of(&self, plan: &Plan) -> TractResult<Vec<TensorSpec>> {
        let model = plan.runnable.model();
        let batched = self.inputs.iter().find_map(|input| match input.shape.first() {
            Some(Dimension::Symbol(name)) => Some(name),
            _ => None,
        });
        let outlets = model.output_outlets()?.iter().zip(&self.names);
        let spec = |(outlet, name): (&OutletId, &String)| {
            let fact = model.outlet_fact(*outlet)?;
            let mut shape: Vec<Dimension> = fact.shape.iter().map(dimension).collect();
            if let (Some(name), Some(first @ Dimension::Fixed(1))) = (batched, shape.first_mut()) {
                *first = Dimension::Symbol(name.clone());
            }
            let ty = ElementType::of(fact.datum_type).unwrap_or_default();
            Ok(TensorSpec { name: name.clone(), ty, shape })
        };
        outlets.map(spec).collect()
    }
}

/// Runs tract. It is written to give errors, but its authors did not have every hostile
/// file in mind: a panic becomes one too.
fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, Error> {
    let error = |message: String| Error::new(ErrorCode::RuntimeError, shorten(message));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|cause| error(format!("{cause:#}"))),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err(error(format!("the inference engine gave up: {said}")))
        }
    }
}

/// Names what the graph needs and tract lacks.
fn supported(model: &InferenceModel) -> Result<(), Error> {
    let lacks = |node: &&Node<InferenceFact, Box<dyn InferenceOp>>| {
        node.op_as::<UnimplementedOp>().is_some()
    };
    let Some(node) = model.nodes().iter().find(lacks) else { return Ok(()) };
    let op = node.op.name();
    let op = op.strip_prefix("Unimplemented(").and_then(|op| op.strip_suffix(')')).unwrap_or(&op);
    let message = format!("operation {op} (node '{}') is not supported", node.name);
    Err(Error::new(ErrorCode::UnsupportedOperation, message))
}

/// The inputs as the file declares them.
fn inputs_of(model: &InferenceModel) -> TractResult<Vec<TensorSpec>> {
    let spec = |outlet: &OutletId| {
        let fact = model.outlet_fact(*outlet)?;
        let name = model.node(outlet.node).name.clone();
        let ty = fact.datum_type.concretize().and_then(ElementType::of).with_context(|| {
            format!("input '{name}' is of no type that wasi:nn has ({:?})", fact.datum_type)
        })?;
        ensure!(
            !fact.shape.is_open(),
            "input '{name}' is of unknown rank: declare it in [[inputs]]"
        );
        let dimension =
            |known: &DimFact| known.concretize().map_or_else(unknown, |it| dimension(&it));
        Ok(TensorSpec { name, ty, shape: fact.shape.dims().map(dimension).collect() })
    };
    model.input_outlets()?.iter().map(spec).collect()
}

fn unknown() -> Dimension {
    Dimension::Symbol("?".to_owned())
}

fn dimension(dimension: &TDim) -> Dimension {
    match dimension.to_i64() {
        Ok(size) => u32::try_from(size).map_or_else(|_| unknown(), Dimension::Fixed),
        Err(_) => Dimension::Symbol(dimension.to_string()),
    }
}

fn output_names(model: &InferenceModel) -> TractResult<Vec<String>> {
    let name = |outlet: &OutletId| match model.outlet_label(*outlet) {
        Some(label) => label.to_owned(),
        None => model.node(outlet.node).name.clone(),
    };
    Ok(model.output_outlets()?.iter().map(name).collect())
}

/// Whether a tensor is what an input takes.
fn check(input: &TensorSpec, tensor: &Tensor) -> Result<(), Error> {
    let fits = |(due, size): (&Dimension, &u32)| match due {
        Dimension::Fixed(due) => due == size,
        Dimension::Symbol(_) => *size > 0,
    };
    let shape = input.shape.len() == tensor.dimensions.len()
        && input.shape.iter().zip(&tensor.dimensions).all(fits);
    if shape && input.ty == tensor.ty {
        return Ok(());
    }
    let due: Vec<String> = input.shape.iter().map(Dimension::to_string).collect();
    let message = format!(
        "{:?} of {:?}, where {:?} of [{}] is due",
        tensor.dimensions,
        tensor.ty,
        input.ty,
        due.join(", ")
    );
    Err(Error::new(ErrorCode::InvalidArgument, message))
}

/// Optimises a graph for inputs of given shapes.
fn plan(
    mut model: InferenceModel,
    inputs: &[TensorSpec],
    shapes: &[Vec<usize>],
) -> TractResult<Arc<TypedRunnableModel>> {
    for (index, (input, shape)) in inputs.iter().zip(shapes).enumerate() {
        let ty = input.ty.datum_type().context("elements of type bf16 are not supported")?;
        let found = model.input_fact(index)?.datum_type.concretize();
        if let Some(found) = found.filter(|found| *found != ty) {
            bail!("input '{}' is of {found:?}, the model declares {ty:?}", input.name);
        }
        model.set_input_fact(index, ty.fact(shape).into())?;
    }
    let mut model = model.into_typed()?;
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
    let mut passes = tract_core::optim::Optimizer::declutter();
    // It splits a convolution behind a concatenation into one for each part, which
    // doubles the number of matrix products in networks of inception blocks.
    passes.passes.retain(|pass| !format!("{pass:?}").starts_with("ConcatThenEinsum"));
    passes.optimize(&mut model)?;
    model.optimize()?;
    model.into_runnable()
}

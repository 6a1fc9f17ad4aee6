//! A model that the host runs: its inputs and outputs, and a plan for each set of
//! shapes that it was asked for.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tract_onnx::tract_hir::internal::*;

use super::constants::Allowance;
use super::error::{Error, ErrorCode};
use super::needs::allowance;
use super::plan::{OptimisedGraph, PLANS, States, guarded};
use super::repairs::Wanted;
use super::stub_graph::StubGraph;
use super::tensor::Tensor;
use super::{formats, gate, ports, trial};
use crate::events::{GraphOptimised, GraphUnverified};
use sandbar_model::{Dimension, Kind, Model, ModelError, TensorSpec};
use sandbar_telemetry::resident_bytes;

/// A file's kind and bytes.
type File = (Kind, Arc<[u8]>);

/// Where the bytes of a graph are. They are read again for each set of shapes, so that
/// they need not be kept beside the plans.
#[derive(Debug, Clone)]
pub enum GraphSource {
    /// In a model folder.
    Folder(Box<Model>),
    /// A guest brought them.
    Bytes(Kind, Arc<[u8]>),
    /// Nowhere: nothing is computed.
    Fixed(StubGraph),
}

/// A graph, ready to compute. Shared by all that use it.
#[derive(Debug)]
pub struct Graph {
    /// What the model is called in errors and events: its `name@version`.
    id: String,
    /// Tells it from every other graph of this process.
    number: u64,
    source: GraphSource,
    inputs: Vec<TensorSpec>,
    /// The names of the outputs, in order.
    names: Vec<String>,
    outputs: Vec<TensorSpec>,
    /// Bytes that a batch of 1 needs for its tensors, and those of its inputs; `None`: what the
    /// inputs leave to the caller is more than the batch.
    base: Option<(u64, u64)>,
    /// The one that was used last is first.
    plans: Mutex<Vec<Arc<OptimisedGraph>>>,
}

impl Graph {
    /// Reads a graph. If its inputs leave nothing but the batch to the caller, it is
    /// optimised for a batch of 1, so that errors show now.
    ///
    /// # Errors
    /// If the bytes are not a graph of their kind, it has an operation that is not supported or
    /// that the [gate](crate::gate) refuses, or its inputs and outputs are not those that its model
    /// declares.
    pub fn load(id: String, source: GraphSource) -> Result<Arc<Self>, Error> {
        let verified = match &source {
            GraphSource::Folder(model) => !model.unverified,
            GraphSource::Bytes(..) | GraphSource::Fixed(_) => true,
        };
        let graph = Self::open(id.clone(), source, verified).map_err(|error| error.context(&id))?;
        Ok(Arc::new(graph))
    }

    /// Reads a graph whatever the [gate](crate::gate) says: for the suite that fills its table.
    ///
    /// # Errors
    /// As of [`Graph::load`].
    pub fn load_unverified(id: String, source: GraphSource) -> Result<Arc<Self>, Error> {
        let graph = Self::open(id.clone(), source, false).map_err(|error| error.context(&id))?;
        Ok(Arc::new(graph))
    }

    /// Loads a graph of no meaning, so that what all graphs share is there: tables of operators, and
    /// which kernels this processor has.
    ///
    /// # Errors
    /// If nothing can be computed here.
    pub fn warm_up() -> Result<(), Error> {
        let bytes = Arc::from(formats::SMALLEST);
        Self::load("a graph of one operation".into(), GraphSource::Bytes(Kind::Onnx, bytes))?
            .try_out()
    }

    /// With `verified`, it is refused if the gate has a doubt; else the doubts are logged.
    fn open(id: String, source: GraphSource, verified: bool) -> Result<Self, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (inputs, outputs) = match &source {
            GraphSource::Folder(model) => (model.inputs.clone(), model.outputs.clone()),
            GraphSource::Bytes(..) => (Vec::new(), Vec::new()),
            GraphSource::Fixed(answer) => {
                let outputs = answer.outputs.iter().map(|(spec, _)| spec.clone());
                (answer.inputs.clone(), outputs.collect())
            }
        };
        let (names, plans, base) = (Vec::new(), Mutex::default(), None);
        let mut graph = Graph { id, number, source, inputs, names, outputs, base, plans };
        let Some((kind, bytes)) = graph.bytes()? else { return Ok(graph) };
        let (model, allowance) = graph.read(kind, &bytes)?;
        graph.examine(kind, &bytes, verified)?;
        drop(bytes);
        if graph.inputs.is_empty() {
            graph.inputs = guarded(|| ports::inputs(&model))?;
        }
        graph.names = guarded(|| ports::output_names(&model))?;
        if let Some(shapes) = graph.usual_shapes() {
            let plan = graph.optimise(model, allowance, shapes)?;
            let outputs = guarded(|| ports::outputs(plan.model(), &graph.names, &graph.inputs))?;
            ports::declared(&graph.outputs, &outputs)?;
            graph.outputs = outputs;
            let sizes = graph.inputs.iter().zip(&plan.shapes);
            let sizes = sizes.map(|(input, shape)| {
                shape
                    .iter()
                    .fold(input.ty.size() as u64, |size, it| size.saturating_mul(*it as u64))
            });
            graph.base = Some((plan.needs.known, sizes.fold(0, u64::saturating_add)));
            graph.plans = Mutex::new(vec![Arc::new(plan)]);
        }
        Ok(graph)
    }

    /// Computes the graph for inputs of its own making, a batch of 1, if its inputs leave nothing
    /// but the batch to the caller.
    ///
    /// # Errors
    /// If an operation fails, and not merely because of what these inputs are.
    pub fn try_out(&self) -> Result<(), Error> {
        let plan = self.plans.lock().unwrap_or_else(PoisonError::into_inner).first().cloned();
        let tried = plan.map_or(Ok(()), |plan| trial::run(&self.id, &plan));
        tried.map_err(|error| error.context(&self.id))
    }

    /// The model's `name@version`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Bytes that it holds: those of its file, if a guest brought them, and of its plans.
    pub fn held(&self) -> usize {
        let file = match &self.source {
            GraphSource::Bytes(_, bytes) => bytes.len(),
            GraphSource::Folder(_) | GraphSource::Fixed(_) => 0,
        };
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.iter().fold(file, |held, plan| held.saturating_add(plan.held()))
    }

    /// Its number among the graphs of this process.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The inputs, in order: as the model declares them, or else as the file does.
    pub fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    /// The outputs, in order. None if neither the model nor the file tells their
    /// shape before there is an input.
    pub fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    /// How many numbers each output has for each row of a batch, where that is known.
    pub fn classes(&self) -> Vec<Option<usize>> {
        self.outputs.iter().map(ports::numbers).collect()
    }

    /// Computes the outputs for inputs by name, or by index as a decimal number.
    /// Between two operations of the graph it checks whether it should stop.
    ///
    /// # Errors
    /// `invalid-argument` if the inputs do not fit, `timeout` if it was stopped,
    /// `runtime-error` if the computation fails.
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

    /// As [`Graph::compute`], with a plan of its own that is not kept: for shapes that are not
    /// computed again.
    ///
    /// # Errors
    /// As [`Graph::compute`].
    pub(crate) fn compute_once(
        &self,
        inputs: &[(String, Tensor)],
        stop: &AtomicBool,
    ) -> Result<Vec<(String, Tensor)>, Error> {
        let arranged = self.arrange(inputs)?;
        let shapes = arranged.iter().map(|it| it.shape().to_vec()).collect();
        let mut states = States::default();
        if let Some((kind, bytes)) = self.bytes()? {
            let (model, allowance) = self.read(kind, &bytes)?;
            states.open(Arc::new(self.optimise(model, allowance, shapes)?))?;
        }
        self.run(inputs, &mut states, stop)
    }

    fn run(
        &self,
        inputs: &[(String, Tensor)],
        states: &mut States,
        stop: &AtomicBool,
    ) -> Result<Vec<(String, Tensor)>, Error> {
        if let GraphSource::Fixed(answer) = &self.source {
            if !self.inputs.is_empty() {
                self.arrange(inputs)?;
            }
            let rows = inputs.first().and_then(|(_, tensor)| tensor.dimensions.first());
            return answer.give(rows.copied().unwrap_or(1));
        }
        let inputs = self.arrange(inputs)?;
        let shapes: Vec<Vec<usize>> = inputs.iter().map(|it| it.shape().to_vec()).collect();
        if !states.find(self.number, &shapes) {
            states.open(self.plan(shapes)?)?;
        }
        let given = inputs.iter().map(|it| (it.len() * it.datum_type().size_of()) as u64).sum();
        let most = self.base.map_or(u64::MAX, |(needs, base)| allowance(needs, base, given));
        let needs = states.needs();
        if needs > most {
            return Err(too_large(needs, most));
        }
        states.admitted.take(needs).map_err(|usage| {
            let message = format!("the computation needs {} MiB: {usage}", needs >> 20);
            Error::new(ErrorCode::TooLarge, message)
        })?;
        let outputs = states.run(inputs, stop, &Cell::default(), most)?;
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
                return Err(invalid(format!("unknown input '{name}': the inputs are {}", names())));
            };
            let input = &self.inputs[index];
            let about = |error: Error| error.context(format_args!("input '{}'", input.name));
            if arranged[index].is_some() {
                return Err(about(invalid("given twice".into())));
            }
            ports::check(input, tensor).map_err(about)?;
            arranged[index] = Some(tensor.to_tract().map_err(about)?.into_tvalue());
        }
        if let Some(index) = arranged.iter().position(Option::is_none) {
            let name = &self.inputs[index].name;
            return Err(invalid(format!("input '{name}' is missing: the inputs are {}", names())));
        }
        Ok(arranged.into_iter().flatten().collect())
    }

    /// The plan for inputs of these shapes, created now if there is none. Others that need
    /// one of this graph wait meanwhile.
    fn plan(&self, shapes: Vec<Vec<usize>>) -> Result<Arc<OptimisedGraph>, Error> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        match plans.iter().position(|plan| plan.shapes == shapes) {
            Some(place) => plans[..=place].rotate_right(1),
            None => {
                let none = || Error::new(ErrorCode::RuntimeError, "no graph to optimise");
                let (kind, bytes) = self.bytes()?.ok_or_else(none)?;
                let (model, allowance) = self.read(kind, &bytes)?;
                plans.insert(0, Arc::new(self.optimise(model, allowance, shapes)?));
                plans.truncate(PLANS);
            }
        }
        Ok(plans[0].clone())
    }

    fn optimise(
        &self,
        model: InferenceModel,
        allowance: Allowance,
        shapes: Vec<Vec<usize>>,
    ) -> Result<OptimisedGraph, Error> {
        let (start, before) = (Instant::now(), resident_bytes());
        let plan = OptimisedGraph::new(self.number, model, &self.inputs, shapes, allowance)?;
        let took = start.elapsed();
        GraphOptimised { model: &self.id, shapes: &plan.shapes, took, before }.emit();
        Ok(plan)
    }

    /// The shapes of a batch of 1, unless more than the batch is left to the caller.
    fn usual_shapes(&self) -> Option<Vec<Vec<usize>>> {
        let shape = |input: &TensorSpec| {
            let batch = ports::batch(input);
            let size = |(axis, dimension): (usize, &Dimension)| match dimension {
                Dimension::Fixed(size) => Some(*size as usize),
                Dimension::Symbol(_) => (Some(axis) == batch).then_some(1),
            };
            input.shape.iter().enumerate().map(size).collect()
        };
        self.inputs.iter().map(shape).collect()
    }

    /// Looks the nodes up that are computed in what was compared with the reference.
    fn examine(&self, kind: Kind, bytes: &[u8], verified: bool) -> Result<(), Error> {
        let doubts = gate::examine(kind, bytes, &self.wanted())?;
        match doubts.error().filter(|_| verified) {
            Some(error) => return Err(error),
            None if doubts.is_empty() => {}
            None => GraphUnverified { model: &self.id, doubts: &doubts.list() }.emit(),
        }
        Ok(())
    }

    /// The kind and the bytes of the file. `None` if there is none, as nothing is computed.
    fn bytes(&self) -> Result<Option<File>, Error> {
        Ok(match &self.source {
            GraphSource::Fixed(_) => None,
            GraphSource::Bytes(kind, bytes) => Some((*kind, bytes.clone())),
            GraphSource::Folder(model) => {
                let absent = |error: ModelError| Error::new(ErrorCode::NotFound, error.to_string());
                Some((model.kind, model.read().map_err(absent)?))
            }
        })
    }

    /// What of the graph is asked for.
    fn wanted(&self) -> Wanted {
        let names = |specs: &[TensorSpec]| specs.iter().map(|spec| spec.name.clone()).collect();
        Wanted { inputs: names(&self.inputs), outputs: names(&self.outputs) }
    }

    /// Reads the bytes of the file, and makes the declared inputs and outputs those of the graph.
    fn read(&self, kind: Kind, bytes: &[u8]) -> Result<(InferenceModel, Allowance), Error> {
        let allowance = Allowance::of_file(bytes.len());
        let read = guarded(|| formats::read(kind, bytes, &self.wanted(), allowance));
        let mut model = read.map_err(|error| match error.code {
            ErrorCode::TooLarge => error,
            _ => Error {
                code: ErrorCode::InvalidEncoding,
                message: format!("not a readable graph of kind {kind}: {}", error.message),
            },
        })?;
        ports::supported(&model)?;
        guarded(|| ports::select(&mut model, &self.inputs, &self.outputs))?;
        Ok((model, allowance))
    }
}

fn too_large(needs: u64, most: u64) -> Error {
    let message = format!(
        "the computation needs {} MiB for its tensors; {} MiB are allowed, by what a batch of 1 \
         needs: make the batch smaller, or export the model for its size",
        needs >> 20,
        most >> 20
    );
    Error::new(ErrorCode::TooLarge, message)
}

//! `wasi:nn@0.2.0-rc-2024-10-28` for guests.
//!
//! What the host keeps for a guest counts as its memory until the guest drops it: tensors, errors,
//! contexts, graphs that it brought. They could be created without limit.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Resource};

use crate::bindings::nn::{errors, graph, inference, tensor};
use crate::brought::Takes;
use crate::brought::child::NAME;
use crate::capabilities::capability::Capability;
use crate::check::DIMENSIONS;
use crate::nn_resources::{Charge, Context, Handle};
use crate::offer::{ImportSupport, Offer};
use crate::state::State;
use sandbar_inference::{Error, ErrorCode, Graph, GraphSource, Tensor};
use sandbar_model::{ElementType, Kind};

/// Graphs that the host computes.
pub(crate) const CAPABILITY: Capability = Capability {
    offer: Offer {
        name: "inference",
        behind: ImportSupport::Granted,
        about: "graphs by name: those of the stage's `models` that are onnx or tensorflow; graphs \
                of its own only within the stage's `load-graphs`",
        interfaces: &[
            "wasi:nn/tensor@0.2.0-rc-2024-10-28",
            "wasi:nn/graph@0.2.0-rc-2024-10-28",
            "wasi:nn/inference@0.2.0-rc-2024-10-28",
            "wasi:nn/errors@0.2.0-rc-2024-10-28",
        ],
    },
    link: |linker| {
        tensor::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        graph::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        inference::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        errors::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        Ok(())
    },
};

/// The result of an operation: outside, an error that ends the guest; inside, one that it receives.
type Answer<T> = wasmtime::Result<Result<T, Resource<Error>>>;

impl State {
    fn answer<T>(&mut self, result: Result<T, Error>) -> Answer<T> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(error) => {
                tracing::debug!(code = error.code.as_str(), %error, "inference failed, the operator receives the error");
                self.hold(error.message.capacity())?;
                Ok(Err(self.resources.push(error)?))
            }
        }
    }

    fn push_tensor(&mut self, tensor: Tensor) -> wasmtime::Result<Resource<Tensor>> {
        self.hold(held(&tensor))?;
        Ok(self.resources.push(tensor)?)
    }

    fn take_tensor(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<Tensor> {
        let tensor = self.resources.delete(tensor)?;
        self.memory.let_go(held(&tensor));
        Ok(tensor)
    }

    /// Charges a resource to the guest; exceeding its limit ends the call.
    fn hold(&mut self, bytes: usize) -> wasmtime::Result<()> {
        if self.memory.hold(bytes) { Ok(()) } else { Err(exceeded()) }
    }

    fn push_graph(
        &mut self,
        graph: Arc<Graph>,
        brought: Option<Charge>,
    ) -> Answer<Resource<Handle>> {
        self.hold(0)?;
        let handle = Handle { graph, brought: brought.map(Arc::new) };
        self.charge_graph(&handle)?;
        Ok(Ok(self.resources.push(handle)?))
    }

    /// What a graph takes that the guest brings, as a process of its own finds it; `None` if there
    /// is none for it.
    fn try_apart(&mut self, kind: Kind, bytes: &[u8]) -> Result<Option<Takes>, Error> {
        if !self.nn.loads_apart() {
            return Ok(None);
        }
        let (brought, memory) = (self.brought.clone(), self.memory.limit() as u64);
        self.nn.wait(|patience| brought.takes(kind, bytes, memory, patience))
    }

    /// Charges what a graph that the guest brought has come to hold: with each further shape that
    /// it computes, a plan more.
    fn charge_graph(&mut self, handle: &Handle) -> wasmtime::Result<()> {
        let Some(brought) = &handle.brought else { return Ok(()) };
        let (due, charged) = (brought.due(&handle.graph), brought.charged());
        if due > charged && !self.memory.charge(due - charged) {
            return Err(exceeded());
        }
        self.memory.release(charged.saturating_sub(due));
        brought.set(due);
        Ok(())
    }

    /// Releases one of the resources that keep a graph; with the last, the graph.
    fn drop_graph(&mut self, handle: Handle) {
        self.memory.let_go(0);
        if let Some(charged) = handle.brought.and_then(Arc::into_inner) {
            self.memory.release(charged.charged());
            self.nn.forget(&handle.graph);
        }
    }
}

fn exceeded() -> wasmtime::Error {
    wasmtime::Error::msg("the operator exceeded its memory limit with what the host keeps for it")
}

/// The bytes that a tensor holds.
fn held(tensor: &Tensor) -> usize {
    tensor.data.capacity() + size_of::<u32>() * tensor.dimensions.capacity()
}

impl tensor::Host for State {}

impl tensor::HostTensor for State {
    fn new(
        &mut self,
        dimensions: Vec<u32>,
        ty: tensor::TensorType,
        data: Vec<u8>,
    ) -> wasmtime::Result<Resource<Tensor>> {
        if dimensions.len() > DIMENSIONS {
            return Err(wasmtime::Error::msg(format!(
                "a tensor of {} dimensions; at most {DIMENSIONS} are accepted",
                dimensions.len()
            )));
        }
        self.push_tensor(Tensor { dimensions, ty: element(ty), data })
    }

    fn dimensions(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<Vec<u32>> {
        Ok(self.resources.get(&tensor)?.dimensions.clone())
    }

    fn ty(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<tensor::TensorType> {
        Ok(tensor_type(self.resources.get(&tensor)?.ty))
    }

    fn data(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<Vec<u8>> {
        Ok(self.resources.get(&tensor)?.data.clone())
    }

    fn drop(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<()> {
        self.take_tensor(tensor).map(drop)
    }
}

impl graph::Host for State {
    fn load(
        &mut self,
        parts: Vec<Vec<u8>>,
        encoding: graph::GraphEncoding,
        target: graph::ExecutionTarget,
    ) -> Answer<Resource<Handle>> {
        let (kind, bytes) = match accept(parts, encoding, target, self.nn.load_limit()) {
            Ok(accepted) => accepted,
            Err(error) => return self.answer(Err(error)),
        };
        let takes = match self.try_apart(kind, &bytes) {
            Ok(takes) => takes,
            Err(error) => return self.answer(Err(error)),
        };
        // While it is loaded it takes more than when it is.
        let peak = takes.map_or(0, |takes| usize::try_from(takes.peak).unwrap_or(usize::MAX));
        if !self.memory.charge(peak) {
            return Err(exceeded());
        }
        let file = bytes.len();
        let source = GraphSource::Bytes(kind, bytes.into());
        let loaded = self.nn.run(move |_, _| Graph::load(NAME.into(), source));
        self.memory.release(peak);
        match loaded {
            Ok(graph) => {
                let kept = takes.map(|takes| usize::try_from(takes.kept).unwrap_or(usize::MAX));
                let charge = Charge::new(&graph, file, kept);
                self.push_graph(graph, Some(charge))
            }
            Err(error) => self.answer(Err(error)),
        }
    }

    fn load_by_name(&mut self, name: String) -> Answer<Resource<Handle>> {
        match self.grants.graph(&name) {
            Ok(graph) => self.push_graph(graph, None),
            Err(error) => self.answer(Err(error)),
        }
    }
}

impl graph::HostGraph for State {
    fn init_execution_context(&mut self, graph: Resource<Handle>) -> Answer<Resource<Context>> {
        let handle = self.resources.get(&graph)?.clone();
        self.hold(0)?;
        Ok(Ok(self.resources.push(Context(handle))?))
    }

    fn drop(&mut self, graph: Resource<Handle>) -> wasmtime::Result<()> {
        let handle = self.resources.delete(graph)?;
        self.drop_graph(handle);
        Ok(())
    }
}

impl inference::Host for State {}

impl inference::HostGraphExecutionContext for State {
    fn compute(
        &mut self,
        context: Resource<Context>,
        inputs: Vec<(String, Resource<Tensor>)>,
    ) -> Answer<Vec<(String, Resource<Tensor>)>> {
        let handle = self.resources.get(&context)?.0.clone();
        let graph = handle.graph.clone();
        let take = |(name, tensor)| Ok((name, self.take_tensor(tensor)?));
        let inputs = inputs.into_iter().map(take).collect::<wasmtime::Result<Vec<_>>>()?;
        let id = graph.id().to_owned();
        let outputs = self.nn.run(move |states, stop| graph.compute(&inputs, states, stop));
        self.charge_graph(&handle)?;
        match outputs {
            Ok(outputs) => {
                let push = |(name, tensor)| Ok((name, self.push_tensor(tensor)?));
                outputs.into_iter().map(push).collect::<wasmtime::Result<Vec<_>>>().map(Ok)
            }
            Err(error) => self.answer(Err(error.context(format_args!("model '{id}'")))),
        }
    }

    fn drop(&mut self, context: Resource<Context>) -> wasmtime::Result<()> {
        let Context(handle) = self.resources.delete(context)?;
        self.drop_graph(handle);
        Ok(())
    }
}

impl errors::Host for State {}

impl errors::HostError for State {
    fn code(&mut self, error: Resource<Error>) -> wasmtime::Result<errors::ErrorCode> {
        Ok(error_code(self.resources.get(&error)?.code))
    }

    fn data(&mut self, error: Resource<Error>) -> wasmtime::Result<String> {
        Ok(self.resources.get(&error)?.message.clone())
    }

    fn drop(&mut self, error: Resource<Error>) -> wasmtime::Result<()> {
        let error = self.resources.delete(error)?;
        self.memory.let_go(error.message.capacity());
        Ok(())
    }
}

/// Whether a guest's own graph can be loaded, and its kind.
fn accept(
    mut parts: Vec<Vec<u8>>,
    encoding: graph::GraphEncoding,
    target: graph::ExecutionTarget,
    limit: u64,
) -> Result<(Kind, Vec<u8>), Error> {
    use graph::GraphEncoding::{Onnx, Tensorflow};
    let error = |code, message: String| Err(Error::new(code, message));
    if limit == 0 {
        let message = "this stage may not bring graphs; set load-graphs in the manifest, or name \
                       a model and use load-by-name";
        return error(ErrorCode::Security, message.to_owned());
    }
    let length: u64 = parts.iter().map(|part| part.len() as u64).sum();
    if length > limit {
        let message = format!("{length} bytes; the stage's load-graphs allows {limit}");
        return error(ErrorCode::TooLarge, message);
    }
    if target != graph::ExecutionTarget::Cpu {
        let message = format!("target {target:?} is not supported; use the target cpu");
        return error(ErrorCode::UnsupportedOperation, message);
    }
    let kind = match encoding {
        Onnx => Kind::Onnx,
        Tensorflow => Kind::Tensorflow,
        other => {
            let message =
                format!("graph encoding {other:?} is not supported; use onnx or tensorflow");
            return error(ErrorCode::InvalidEncoding, message);
        }
    };
    match parts.len() {
        1 => Ok((kind, parts.swap_remove(0))),
        count => {
            let message = format!("expected 1 part for a graph of kind {kind}, got {count}");
            error(ErrorCode::InvalidArgument, message)
        }
    }
}

fn element(ty: tensor::TensorType) -> ElementType {
    match ty {
        tensor::TensorType::Fp16 => ElementType::Fp16,
        tensor::TensorType::Fp32 => ElementType::Fp32,
        tensor::TensorType::Fp64 => ElementType::Fp64,
        tensor::TensorType::Bf16 => ElementType::Bf16,
        tensor::TensorType::U8 => ElementType::U8,
        tensor::TensorType::I32 => ElementType::I32,
        tensor::TensorType::I64 => ElementType::I64,
    }
}

fn tensor_type(element: ElementType) -> tensor::TensorType {
    match element {
        ElementType::Fp16 => tensor::TensorType::Fp16,
        ElementType::Fp32 => tensor::TensorType::Fp32,
        ElementType::Fp64 => tensor::TensorType::Fp64,
        ElementType::Bf16 => tensor::TensorType::Bf16,
        ElementType::U8 => tensor::TensorType::U8,
        ElementType::I32 => tensor::TensorType::I32,
        ElementType::I64 => tensor::TensorType::I64,
    }
}

fn error_code(code: ErrorCode) -> errors::ErrorCode {
    match code {
        ErrorCode::InvalidArgument => errors::ErrorCode::InvalidArgument,
        ErrorCode::InvalidEncoding => errors::ErrorCode::InvalidEncoding,
        ErrorCode::Timeout => errors::ErrorCode::Timeout,
        ErrorCode::RuntimeError => errors::ErrorCode::RuntimeError,
        ErrorCode::UnsupportedOperation => errors::ErrorCode::UnsupportedOperation,
        ErrorCode::TooLarge => errors::ErrorCode::TooLarge,
        ErrorCode::NotFound => errors::ErrorCode::NotFound,
        ErrorCode::Security => errors::ErrorCode::Security,
        ErrorCode::Unknown => errors::ErrorCode::Unknown,
    }
}

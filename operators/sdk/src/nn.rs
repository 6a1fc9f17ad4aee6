//! Models that the host runs, for scorers: `wasi:nn` in the types of this crate.
//!
//! A graph is one of the stage's models, of a kind that the host knows how to run
//! (docs/reference/models.md). In a native test its place is taken by a function:
//! `testing::Stage::graph`.
//!
//! ```no_run
//! # fn example(setup: &sandbar_operator::Setup, image: &[u8]) -> Result<(), sandbar_operator::Error> {
//! use sandbar_operator::ElementType;
//! use sandbar_operator::nn::Input;
//!
//! let graph = setup.load_graph("googlenet")?;
//! let dimensions = [1, 3, 224, 224];
//! let input = Input { name: "data", dimensions: &dimensions, element: ElementType::Fp32, data: image };
//! let outputs = graph.compute(&[input])?;
//! let probabilities: Vec<f64> = outputs[0].numbers().unwrap_or_default();
//! # Ok(())
//! # }
//! ```

use std::fmt;

use crate::field::ElementType;

/// What goes into a computation: a view of the operator's own memory.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The input's name in the graph, or its index as a decimal number.
    pub name: &'a str,
    /// The size of each dimension, the batch first.
    pub dimensions: &'a [u32],
    /// The type of the elements.
    pub element: ElementType,
    /// The elements in row-major order, little-endian.
    pub data: &'a [u8],
}

/// What comes out of a computation.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The output's name in the graph.
    pub name: String,
    /// The size of each dimension.
    pub dimensions: Vec<u32>,
    /// The type of the elements.
    pub element: ElementType,
    /// The elements in row-major order, little-endian.
    pub data: Vec<u8>,
}

impl Output {
    /// The elements as numbers; `None` for the 16-bit types, which are not unpacked here.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        fn each<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            data.as_chunks().0.iter().map(|bytes| number(*bytes)).collect()
        }
        Some(match self.element {
            ElementType::Fp32 => each(&self.data, |bytes| f32::from_le_bytes(bytes).into()),
            ElementType::Fp64 => each(&self.data, f64::from_le_bytes),
            ElementType::U8 => each(&self.data, |[byte]| byte.into()),
            ElementType::I32 => each(&self.data, |bytes| i32::from_le_bytes(bytes).into()),
            ElementType::I64 => each(&self.data, |bytes| i64::from_le_bytes(bytes) as f64),
            ElementType::Fp16 | ElementType::Bf16 => return None,
        })
    }
}

/// Why a computation gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputeError {
    /// Whether its time was up: with another input it might not have been.
    pub timeout: bool,
    /// What is wrong; names the model.
    pub message: String,
}

impl fmt::Display for ComputeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ComputeError {}

pub use imp::Graph;

#[cfg(target_arch = "wasm32")]
mod imp {
    use super::{ComputeError, Input, Output};
    use crate::bindings::nn::errors::{Error, ErrorCode};
    use crate::bindings::nn::graph;
    use crate::bindings::nn::inference::GraphExecutionContext;
    use crate::bindings::nn::tensor::{Tensor, TensorType};
    use crate::field::ElementType;

    /// A model that the host runs.
    pub struct Graph {
        context: GraphExecutionContext,
    }

    impl Graph {
        pub(crate) fn load(name: &str) -> Result<Graph, ComputeError> {
            let graph = graph::load_by_name(name).map_err(error)?;
            Ok(Graph { context: graph.init_execution_context().map_err(error)? })
        }

        /// Computes all outputs, in the graph's order.
        ///
        /// # Errors
        /// Where the inputs are not those of the graph, or the host cannot compute.
        pub fn compute(&self, inputs: &[Input<'_>]) -> Result<Vec<Output>, ComputeError> {
            let tensors = inputs.iter().map(|input| {
                let tensor = Tensor::new(input.dimensions, tensor_type(input.element), input.data);
                (input.name.to_owned(), tensor)
            });
            let outputs = self.context.compute(tensors.collect()).map_err(error)?;
            let output = |(name, tensor): (String, Tensor)| Output {
                name,
                dimensions: tensor.dimensions(),
                element: element(tensor.ty()),
                data: tensor.data(),
            };
            Ok(outputs.into_iter().map(output).collect())
        }
    }

    fn error(error: Error) -> ComputeError {
        ComputeError { timeout: error.code() == ErrorCode::Timeout, message: error.data() }
    }

    fn tensor_type(element: ElementType) -> TensorType {
        match element {
            ElementType::Fp16 => TensorType::Fp16,
            ElementType::Fp32 => TensorType::Fp32,
            ElementType::Fp64 => TensorType::Fp64,
            ElementType::Bf16 => TensorType::Bf16,
            ElementType::U8 => TensorType::U8,
            ElementType::I32 => TensorType::I32,
            ElementType::I64 => TensorType::I64,
        }
    }

    fn element(ty: TensorType) -> ElementType {
        match ty {
            TensorType::Fp16 => ElementType::Fp16,
            TensorType::Fp32 => ElementType::Fp32,
            TensorType::Fp64 => ElementType::Fp64,
            TensorType::Bf16 => ElementType::Bf16,
            TensorType::U8 => ElementType::U8,
            TensorType::I32 => ElementType::I32,
            TensorType::I64 => ElementType::I64,
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod imp {
    use std::fmt;
    use std::sync::Arc;

    use super::{ComputeError, Input, Output};

    type Compute = dyn Fn(&[Input<'_>]) -> Result<Vec<Output>, ComputeError> + Send + Sync;

    /// A model that the host runs; here a function of the test.
    #[derive(Clone)]
    pub struct Graph {
        compute: Arc<Compute>,
    }

    impl Graph {
        pub(crate) fn new(
            compute: impl Fn(&[Input<'_>]) -> Result<Vec<Output>, ComputeError> + Send + Sync + 'static,
        ) -> Graph {
            Graph { compute: Arc::new(compute) }
        }

        /// Computes all outputs, in the graph's order.
        ///
        /// # Errors
        /// Where the inputs are not those of the graph, or the host cannot compute.
        pub fn compute(&self, inputs: &[Input<'_>]) -> Result<Vec<Output>, ComputeError> {
            (self.compute)(inputs)
        }
    }

    impl fmt::Debug for Graph {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Graph")
        }
    }
}

//! The scorer.

use sandbar_operator::nn::{ComputeError, Graph, Input};
use sandbar_operator::{
    Column, Error, Failure, Field, Output, Predictions, Scorer, Setup, Table, Tensor,
};

use crate::config::{Config, Description};
use crate::fit::{self, Fitted};

/// What a row is whose best class is too improbable.
const UNKNOWN: &str = "unknown";

/// A graph, matched with the extractor's tensors.
pub struct NnScore {
    graph: Graph,
    inputs: Vec<Fitted>,
    /// Position of the output with the classes.
    output: usize,
    classes: Vec<String>,
    softmax: bool,
    unknown_below: Option<f64>,
    stack: usize,
}

impl Scorer for NnScore {
    type Config = Config;

    fn configure(config: Config, setup: &Setup, features: &[Field]) -> Result<Self, Error> {
        let name = setup
            .main_model()
            .ok_or("the stage has no model: name a graph in the stage's `models`")?;
        if config.stack == 0 {
            return Err("key 'stack': must be greater than zero".into());
        }
        if config.unknown_below.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
            return Err("key 'unknown_below': must be between 0 and 1".into());
        }
        let description: Description = setup.describe_model(name)?;
        let graph = setup.load_graph(name)?;
        let about = |error: Error| error.context(format_args!("model '{name}'"));
        let inputs = fit::inputs(&config, &description, features).map_err(about)?;
        let output = fit::output(&config, &description).map_err(about)?;
        let mut classes = fit::classes(&description, output).map_err(about)?;
        if config.unknown_below.is_some() {
            if classes.iter().any(|class| class == UNKNOWN) {
                return Err(about("a label is 'unknown' already: omit 'unknown_below'".into()));
            }
            classes.push(UNKNOWN.into());
        }
        Ok(NnScore {
            graph,
            inputs,
            output,
            classes,
            softmax: config.softmax.unwrap_or(description.postprocessing.softmax),
            unknown_below: config.unknown_below,
            stack: config.stack,
        })
    }

    fn output(&self) -> Output {
        Output::Classes(self.classes.clone())
    }

    fn score(&mut self, table: &Table<'_>, predictions: &mut Predictions) {
        let tensors = self.inputs.iter().map_while(|input| match table.column(input.column) {
            Some(Column::Tensor(tensor)) => Some(tensor),
            _ => None,
        });
        let tensors: Vec<Tensor<'_>> = tensors.collect();
        let mut row = 0;
        while row < table.rows() {
            let rows = if table.rows() - row >= self.stack { self.stack } else { 1 };
            self.rows(&tensors, row, rows, predictions);
            row += rows;
        }
    }
}

impl NnScore {
    /// Computes some rows together, or each by itself where that fails.
    fn rows(
        &mut self,
        tensors: &[Tensor<'_>],
        first: usize,
        rows: usize,
        predictions: &mut Predictions,
    ) {
        match self.compute(tensors, first, rows) {
            Ok(numbers) => {
                let width = numbers.len() / rows;
                for numbers in numbers.chunks_exact(width) {
                    predictions.class_with(|out| self.predict(numbers, out));
                }
            }
            Err(_) if rows > 1 => {
                for row in first..first + rows {
                    self.rows(tensors, row, 1, predictions);
                }
            }
            Err(failure) => predictions.fail(failure),
        }
    }

    /// The numbers of the classes for some rows, end to end.
    fn compute(
        &mut self,
        tensors: &[Tensor<'_>],
        first: usize,
        rows: usize,
    ) -> Result<Vec<f64>, Failure> {
        for input in &mut self.inputs {
            input.dimensions[input.batch] = rows as u32;
        }
        let given = self.inputs.iter().zip(tensors).map(|(input, tensor)| {
            let bytes = tensor.shape().row_bytes();
            Input {
                name: &input.name,
                dimensions: &input.dimensions,
                element: input.element,
                data: &tensor.data()[first * bytes..][..rows * bytes],
            }
        });
        let outputs = self.graph.compute(&given.collect::<Vec<_>>()).map_err(failure)?;
        let Some(output) = outputs.get(self.output) else {
            return Err(Failure::internal(format!("the graph has no output {}", self.output)));
        };
        let Some(numbers) = output.numbers() else {
            return Err(Failure::internal(
                "the graph's output has 16-bit numbers, which are not supported",
            ));
        };
        let expected = rows * (self.classes.len() - usize::from(self.unknown_below.is_some()));
        if numbers.len() != expected {
            return Err(Failure::internal(format!(
                "expected {expected} numbers from the graph for {rows} rows, got {}",
                numbers.len()
            )));
        }
        Ok(numbers)
    }

    /// The class of one row, and the probabilities.
    fn predict(&self, numbers: &[f64], out: &mut [f64]) -> Result<usize, Failure> {
        let out = &mut out[..numbers.len()];
        out.copy_from_slice(numbers);
        if self.softmax {
            softmax(out);
        }
        if out.iter().any(|number| !number.is_finite()) {
            return Err(Failure::invalid("the model's result for this row is not a number"));
        }
        let mut best = 0;
        for (class, number) in out.iter().enumerate() {
            if *number > out[best] {
                best = class;
            }
        }
        match self.unknown_below {
            Some(least) if out[best] < least => Ok(self.classes.len() - 1),
            _ => Ok(best),
        }
    }
}

#[cold]
fn failure(error: ComputeError) -> Failure {
    if error.timeout {
        Failure::unavailable(error.message)
    } else {
        Failure::internal(error.message)
    }
}

/// Logits to probabilities.
fn softmax(numbers: &mut [f64]) {
    let largest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for number in numbers.iter_mut() {
        *number = (*number - largest).exp();
        sum += *number;
    }
    numbers.iter_mut().for_each(|number| *number /= sum);
}

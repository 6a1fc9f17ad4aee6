//! Tensors that come with a graph for its validation: computed as those of a batch are, and
//! compared with what the original tool answered.
//!
//! Where each input leaves one dimension to the caller, that is the batch, and its rows are
//! computed one by one, as operators do; the first two together as well, since a graph may
//! take one row as meant and mix up two. Where more is left to the caller (a length, say), or an
//! output is not by row, all is computed at once, as it is in the file.

mod near;

use std::sync::Arc;
use std::time::Duration;

use sandbar_model::samples::{Array, ROWS};
use sandbar_model::{Dimension, TensorSpec};

use crate::error::Error;
use crate::graph::Graph;
use crate::session::{NnLimits, Session};
use crate::tensor::Tensor;
use crate::thread::LateThreads;
use near::{near, usual};

/// Time for one computation: that of two rows is optimised first.
const PATIENCE: Duration = Duration::from_secs(60);
/// What samples do not say of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorError {
    /// Index of the row, where it is about one.
    pub row: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

/// Has a graph compute the inputs among the arrays, and compares its outputs with the others.
/// Returns how many rows there are.
///
/// # Errors
/// If the arrays are not those of the graph, or an output is not the expected one.
pub fn reproduce(
    graph: &Arc<Graph>,
    arrays: &[Array],
    tolerance: Option<f64>,
    threads: Arc<LateThreads>,
) -> Result<usize, TensorError> {
    let batch = Batch::of(graph, arrays, false)?;
    if batch.expected.is_empty() {
        let names = names(graph.outputs());
        return Err(whole(format!(
            "no expected output, so nothing would be compared: add one of {names}, as the original tool computes it"
        )));
    }
    let mut session = session(graph, threads);
    let rows = batch.compute(graph, &mut session, |rows, outputs| {
        batch
            .compare(rows.clone(), outputs, tolerance)
            .map_err(|reason| TensorError { row: batch.cut.map(|_| rows.start), reason })
    })?;
    if batch.is_open && batch.cut.is_some_and(|rows| rows > 1) {
        batch.together(graph, &mut session, tolerance)?;
    }
    Ok(rows)
}

/// What a graph computes for the inputs among the arrays: an array of each output.
///
/// # Errors
/// If the arrays are not those of the graph, or cannot be computed.
pub fn answers(
    graph: &Arc<Graph>,
    arrays: &[Array],
    threads: Arc<LateThreads>,
) -> Result<Vec<Array>, TensorError> {
    let inputs: Vec<Array> =
        arrays.iter().filter(|it| spec(graph.inputs(), &it.name).is_some()).cloned().collect();
    let batch = Batch::of(graph, &inputs, true)?;
    let mut parts: Vec<(String, Vec<Array>)> = Vec::new();
    batch.compute(graph, &mut session(graph, threads), |_, outputs| {
        for (index, (name, tensor)) in outputs.iter().enumerate() {
            if parts.len() == index {
                parts.push((name.clone(), Vec::new()));
            }
            let shape = tensor.dimensions.iter().map(|size| *size as usize).collect();
            let data = tensor.data.clone();
            parts[index].1.push(Array::of_tensor(name.clone(), tensor.ty, shape, data));
        }
        Ok(())
    })?;
    let join = |(name, parts): (String, Vec<Array>)| {
        let axis = spec(graph.outputs(), &name).and_then(|it| batch.output_axis(it));
        Array::join(&parts, axis.unwrap_or(0))
            .ok_or_else(|| whole(format!("output '{name}': the rows are not of one shape")))
    };
    parts.into_iter().map(join).collect()
}

fn session(graph: &Graph, threads: Arc<LateThreads>) -> Session {
    Session::new(graph.id().into(), threads, NnLimits { deadline: PATIENCE, load: 0, apart: false })
}

fn whole(reason: String) -> TensorError {
    TensorError { row: None, reason }
}

/// The arrays of a file, by what they are to a graph.
struct Batch<'a> {
    inputs: Vec<Given<'a>>,
    expected: Vec<(&'a Array, Option<usize>)>,
    /// How many rows are computed one by one. `None`: all at once.
    cut: Option<usize>,
    /// Whether the batch is left to the caller, who may choose another.
    is_open: bool,
}

struct Given<'a> {
    spec: &'a TensorSpec,
    /// Its elements are of the type that the graph takes.
    array: Array,
    /// The dimension of the batch, if it has one.
    axis: Option<usize>,
}

impl<'a> Batch<'a> {
    /// Rows are computed one by one if the expected outputs are by row; or else, if `all` are
    /// asked for, all of the graph.
    fn of(graph: &'a Graph, arrays: &'a [Array], all: bool) -> Result<Self, TensorError> {
        let (specs, outputs) = (graph.inputs(), graph.outputs());
        let is_open = specs.iter().any(|it| open(it).next().is_some());
        let mut inputs = Vec::new();
        for spec in specs {
            let Some(array) = arrays.iter().find(|array| array.name == spec.name) else {
                return Err(whole(format!(
                    "array '{}': missing, the graph takes {}; write all with numpy.savez(FILE, {}=array, ...)",
                    spec.name,
                    names(specs),
                    spec.name
                )));
            };
            let axis = match is_open {
                true => only(open(spec)),
                false => (spec.shape.first() == Some(&Dimension::Fixed(1))).then_some(0),
            };
            let about = |reason: String| whole(format!("array '{}': {reason}", spec.name));
            fits(spec, array, axis).map_err(about)?;
            let data = array.tensor(spec.ty).map_err(about)?;
            let array = Array::of_bytes(spec.ty.size(), array.shape.clone(), data);
            inputs.push(Given { spec, array, axis });
        }
        let mut expected = Vec::new();
        for array in arrays {
            match spec(outputs, &array.name) {
                Some(output) => expected.push((array, Some(output))),
                None if spec(specs, &array.name).is_some() => {}
                // Outputs of a graph that does not tell its shapes are known when it computes.
                None if outputs.is_empty() => expected.push((array, None)),
                None => {
                    return Err(whole(format!(
                        "array '{}': neither an input of the graph ({}) nor an output ({}); name it as the graph does",
                        array.name,
                        names(specs),
                        names(outputs)
                    )));
                }
            }
        }
        let mut batch = Batch { inputs, expected: Vec::new(), cut: None, is_open };
        let axes = expected.iter().map(|(_, output)| batch.output_axis((*output)?));
        let axes: Vec<Option<usize>> = axes.collect();
        let asked: Vec<Option<usize>> = match all {
            true if outputs.is_empty() => vec![None],
            true => outputs.iter().map(|output| batch.output_axis(output)).collect(),
            false => axes.clone(),
        };
        batch.cut = batch.rows(specs, &asked, &expected)?;
        batch.expected = expected.into_iter().map(|(array, _)| array).zip(axes).collect();
        Ok(batch)
    }

    /// How many rows there are, if they can be computed one by one.
    fn rows(
        &self,
        specs: &[TensorSpec],
        axes: &[Option<usize>],
        expected: &[(&Array, Option<&TensorSpec>)],
    ) -> Result<Option<usize>, TensorError> {
        let several = specs.iter().any(|it| open(it).count() > 1);
        let mut rows: Option<(usize, &str)> = None;
        let sizes = self.inputs.iter().filter_map(|it| Some((it.array.shape[it.axis?], it.spec)));
        for (size, spec) in sizes {
            match rows {
                Some((known, other)) if known != size => {
                    let name = &spec.name;
                    return Err(whole(format!(
                        "array '{name}': {size} rows, but '{other}' has {known}; give each input as many"
                    )));
                }
                _ => rows = Some((size, &spec.name)),
            }
        }
        let Some((rows, name)) = rows else { return Ok(None) };
        if rows == 0 || rows > ROWS {
            return Err(whole(format!("array '{name}': {rows} rows; give 1 to {ROWS}")));
        }
        // What every output is by row can be told only where the graph tells its shapes.
        if several || axes.contains(&None) {
            if !self.is_open && rows > 1 {
                return Err(whole(format!(
                    "array '{name}': {rows} rows, but the graph takes 1 at a time, and an expected output is not by row; give one row"
                )));
            }
            return Ok(None);
        }
        for ((array, _), axis) in expected.iter().zip(axes) {
            let found = axis.and_then(|axis| array.shape.get(axis));
            if found != Some(&rows) {
                return Err(whole(format!(
                    "array '{}': of {:?}, expected {rows} rows in dimension {} as those of '{name}'; bring the answers for all rows",
                    array.name,
                    array.shape,
                    axis.unwrap_or(0)
                )));
            }
        }
        Ok(Some(rows))
    }

    /// The dimension of the batch in an output.
    fn output_axis(&self, output: &TensorSpec) -> Option<usize> {
        match self.is_open {
            true => open(output).next(),
            false => (output.shape.first() == Some(&Dimension::Fixed(1))).then_some(0),
        }
    }

    /// Computes each row, or all at once, and gives the outputs to `take`. Returns how many rows
    /// there are.
    fn compute(
        &self,
        graph: &Arc<Graph>,
        session: &mut Session,
        mut take: impl FnMut(std::ops::Range<usize>, &[(String, Tensor)]) -> Result<(), TensorError>,
    ) -> Result<usize, TensorError> {
        let rows = self.cut.unwrap_or(1);
        for row in 0..rows {
            let inputs = match self.cut {
                Some(_) => self.tensors(row, 1),
                None => self.tensors(0, usize::MAX),
            };
            let graph = graph.clone();
            session.begin_call(1);
            let outputs = session.run(move |states, stop| graph.compute(&inputs, states, stop));
            let error = |error: Error| TensorError {
                row: self.cut.map(|_| row),
                reason: format!("cannot be computed: {error}"),
            };
            take(row..row + 1, &outputs.map_err(error)?)?;
        }
        let all = self.inputs.iter().find_map(|it| Some(it.array.shape[it.axis?]));
        Ok(self.cut.or(all).unwrap_or(1))
    }

    /// Computes the first two rows together, with a plan that is not kept.
    fn together(
        &self,
        graph: &Arc<Graph>,
        session: &mut Session,
        tolerance: Option<f64>,
    ) -> Result<(), TensorError> {
        let (inputs, apart) = (self.tensors(0, 2), graph.clone());
        session.begin_call(1);
        let outputs = session.run(move |_, stop| apart.compute_once(&inputs, stop));
        let outputs = outputs.map_err(|error| format!("cannot be computed: {error}"));
        let same = outputs.and_then(|outputs| self.compare(0..2, &outputs, tolerance));
        same.map_err(|reason| {
            whole(format!(
                "rows 1 and 2, each as expected alone, computed together: {reason}; if the graph takes one row at a time, declare its [[inputs]] in model.toml with 1 instead of the batch"
            ))
        })
    }

    /// The inputs of some rows, as a guest would give them.
    fn tensors(&self, start: usize, count: usize) -> Vec<(String, Tensor)> {
        let tensor = |Given { spec, array, axis }: &Given<'_>| {
            let part = match axis {
                Some(axis) if count != usize::MAX => array.slice(*axis, start, count),
                _ => array.clone(),
            };
            // The shape was compared with the graph's, or is small.
            let dimensions =
                part.shape.iter().map(|it| u32::try_from(*it).unwrap_or(u32::MAX)).collect();
            (spec.name.clone(), Tensor { dimensions, ty: spec.ty, data: part.data })
        };
        self.inputs.iter().map(tensor).collect()
    }

    /// Compares the outputs of some rows with the expected ones.
    fn compare(
        &self,
        rows: std::ops::Range<usize>,
        outputs: &[(String, Tensor)],
        tolerance: Option<f64>,
    ) -> Result<(), String> {
        for (array, axis) in &self.expected {
            let Some((name, tensor)) = outputs.iter().find(|(name, _)| *name == array.name) else {
                let names = outputs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
                return Err(format!(
                    "array '{}': neither an input nor an output of the graph, which are {}",
                    array.name,
                    names.join(", ")
                ));
            };
            let part = match (self.cut, axis) {
                (Some(_), Some(axis)) => array.slice(*axis, rows.start, rows.len()),
                _ => (*array).clone(),
            };
            let same = part.shape.iter().map(|it| *it as u64);
            if !same.eq(tensor.dimensions.iter().map(|it| u64::from(*it))) {
                return Err(format!(
                    "output '{name}' is of {:?}, expected {:?}",
                    tensor.dimensions, part.shape
                ));
            }
            let tolerance = tolerance.unwrap_or_else(|| usual(tensor.ty));
            near(&part, tensor, tolerance).map_err(|it| format!("output '{name}' {it}"))?;
        }
        Ok(())
    }
}

fn spec<'a>(specs: &'a [TensorSpec], name: &str) -> Option<&'a TensorSpec> {
    specs.iter().find(|spec| spec.name == name)
}

fn names(specs: &[TensorSpec]) -> String {
    let names: Vec<String> = specs.iter().map(|spec| format!("'{}'", spec.name)).collect();
    if names.is_empty() { "none known".to_owned() } else { names.join(", ") }
}

/// The dimensions that are left to the caller.
fn open(spec: &TensorSpec) -> impl Iterator<Item = usize> {
    let open = |axis: &usize| matches!(spec.shape[*axis], Dimension::Symbol(_));
    (0..spec.shape.len()).filter(open)
}

/// The only one, if there is just one.
fn only(mut axes: impl Iterator<Item = usize>) -> Option<usize> {
    axes.next().filter(|_| axes.next().is_none())
}

/// Whether an array is of the shape that an input takes, any number of rows on `batch`.
fn fits(spec: &TensorSpec, array: &Array, batch: Option<usize>) -> Result<(), String> {
    let same = |(axis, (expected, size)): (usize, (&Dimension, &usize))| match expected {
        _ if Some(axis) == batch => true,
        Dimension::Fixed(expected) => *expected as usize == *size,
        Dimension::Symbol(_) => *size > 0,
    };
    let rank = spec.shape.len() == array.shape.len();
    if rank && spec.shape.iter().zip(&array.shape).enumerate().all(same) {
        return Ok(());
    }
    let dimensions: Vec<String> = spec.shape.iter().map(ToString::to_string).collect();
    let remedy = match array.shape.len() + 1 == spec.shape.len() {
        true => "; save array[None] if it is one row",
        false => "",
    };
    Err(format!(
        "{} of {:?}, the graph takes {} of [{}]{remedy}",
        array.ty,
        array.shape,
        spec.ty,
        dimensions.join(", ")
    ))
}

//! Tensors that come with a graph for its validation: computed as those of a batch are, and
//! compared with what the original tool answered.
//!
//! Where each input leaves one dimension to the caller, that is the batch, and its rows are
//! computed one by one, as operators do; the first two together as well, since a graph may
//! take one row as meant and mix up two. Where more is left to the caller (a length, say), or an
//! output is not by row, all is computed at once, as it is in the file.

use std::sync::Arc;
use std::time::Duration;

use sandbar_model::samples::{Array, Numbers, ROWS, place};
use sandbar_model::{Dimension, ElementType, TensorSpec};

use super::error::Error;
use super::graph::Graph;
use super::session::{NnLimits, Session};
use super::tensor::Tensor;
use super::thread::LateThreads;

/// Time for one computation: that of two rows is optimised first.
const PATIENCE: Duration = Duration::from_secs(60);
/// How far numbers may be from the expected ones: ONNX's own tests of backends have 1e-3
/// (`rtol`); half precision has 11 bits.
const TOLERANCE: f64 = 1e-3;
const HALF_TOLERANCE: f64 = 1e-2;

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
    Session::new(graph.id().into(), threads, NnLimits { deadline: PATIENCE, load: 0 })
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

/// The default tolerance for outputs of a type. Integers are what they are.
fn usual(ty: ElementType) -> f64 {
    match ty {
        ElementType::Fp32 | ElementType::Fp64 => TOLERANCE,
        ElementType::Fp16 | ElementType::Bf16 => HALF_TOLERANCE,
        ElementType::U8 | ElementType::I32 | ElementType::I64 => 0.0,
    }
}

/// What numbers of a type are rounded by on their way, relative to the largest: a sum of large
/// ones that is near 0 is no more exact than they are.
fn rounding(ty: ElementType) -> f64 {
    match ty {
        ElementType::Fp32 => 2e-6,
        ElementType::Fp16 => 1e-3,
        ElementType::Bf16 => 8e-3,
        ElementType::Fp64 => 4e-15,
        ElementType::U8 | ElementType::I32 | ElementType::I64 => 0.0,
    }
}

/// Compares numbers with the expected ones: none may be further away than `tolerance`, relative to
/// the expected one where that is beyond 1, and to the largest where all are below. So an output
/// of small numbers is not near by being small.
fn near(expected: &Array, computed: &Tensor, tolerance: f64) -> Result<(), String> {
    let (whole, found) = (expected.numbers(), Numbers::of(computed.ty, &computed.data));
    let (due, is) = (whole.floats(), found.floats());
    let finite = due.iter().filter(|it| it.is_finite());
    let largest = finite.fold(0.0_f64, |most, it| most.max(it.abs()));
    let rounding = if tolerance == 0.0 { 0.0 } else { rounding(computed.ty) * largest };
    let beyond = |index: usize| {
        let allowed = tolerance * due[index].abs().max(largest.min(1.0)) + rounding;
        let distance = match (&whole, &found) {
            // Beyond 2^53 two integers may be one float.
            (Numbers::Whole(due), Numbers::Whole(is)) => due[index].abs_diff(is[index]) as f64,
            _ if due[index] == is[index] => return f64::NEG_INFINITY,
            _ if due[index].is_nan() && is[index].is_nan() => return f64::NEG_INFINITY,
            _ if due[index].is_finite() && is[index].is_finite() => (due[index] - is[index]).abs(),
            _ => return f64::INFINITY,
        };
        distance - allowed
    };
    let worst = (0..due.len().min(is.len())).map(|index| (index, beyond(index)));
    match worst.max_by(|(_, a), (_, b)| a.total_cmp(b)) {
        Some((index, beyond)) if beyond > 0.0 => {
            let at = place(&expected.shape, index);
            let (is, due) = (shown(&found, index), shown(&whole, index));
            Err(format!("is {is} at {at}, expected {due} (tolerance {tolerance})"))
        }
        _ => Ok(()),
    }
}

fn shown(numbers: &Numbers, index: usize) -> String {
    match numbers {
        Numbers::Whole(numbers) => numbers[index].to_string(),
        // The digits of a float: more than the tolerance, and few enough to be read.
        Numbers::Real(numbers) => format!("{}", numbers[index] as f32),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
    use super::*;

    fn floats(numbers: &[f32]) -> (Array, Tensor) {
        let data: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        let (shape, dimensions) = (vec![numbers.len()], vec![numbers.len() as u32]);
        let tensor = Tensor { dimensions, ty: ElementType::Fp32, data: data.clone() };
        (Array::of_tensor("y".into(), ElementType::Fp32, shape, data), tensor)
    }

    fn same(due: &[f32], is: &[f32], tolerance: f64) -> bool {
        near(&floats(due).0, &floats(is).1, tolerance).is_ok()
    }

    #[test]
    fn numbers_are_near_at_their_own_scale() {
        assert!(same(&[1000.0, 0.0], &[1000.9, 0.0005], 1e-3));
        assert!(!same(&[1000.0, 0.0], &[1001.5, 0.0], 1e-3));
        // A probability beside an index.
        assert!(!same(&[900.0, 0.9], &[900.0, 0.95], 1e-3));
        // Small numbers are compared with each other.
        assert!(!same(&[1e-6, 2e-6], &[1e-6, 3e-6], 1e-3));
        assert!(same(&[1e-6, 1e-12], &[1e-6, 2e-12], 1e-3));
        assert!(!same(&[0.0, 0.0], &[0.0, 1e-9], 1e-3));
        // What is left of the difference of large ones.
        assert!(same(&[1e6, 0.0], &[1e6, 0.5], 1e-3));
        assert!(same(&[f32::NAN, f32::INFINITY], &[f32::NAN, f32::INFINITY], 0.0));
        for (due, is) in [
            (f32::NAN, 1.0),
            (1.0, f32::NAN),
            (f32::INFINITY, f32::MAX),
            (1.0, f32::INFINITY),
            (f32::INFINITY, f32::NEG_INFINITY),
        ] {
            assert!(!same(&[due, 1.0], &[is, 1.0], 0.999), "{due} {is}");
        }
        assert!(!same(&[1.0], &[1.0 + f32::EPSILON], 0.0));
        assert!(same(&[], &[], 0.0));
        let error = near(&floats(&[0.5, 0.25]).0, &floats(&[0.5, 0.75]).1, 1e-3).unwrap_err();
        assert_eq!(error, "is 0.75 at [1], expected 0.25 (tolerance 0.001)");
    }

    #[test]
    fn integers_are_what_they_are() {
        let longs = |numbers: [i64; 2]| {
            let data: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
            let tensor = Tensor { dimensions: vec![2], ty: ElementType::I64, data: data.clone() };
            (Array::of_tensor("y".into(), ElementType::I64, vec![2], data), tensor)
        };
        let large = 1_i64 << 53;
        assert!(near(&longs([large, 1]).0, &longs([large, 1]).1, 0.0).is_ok());
        assert!(near(&longs([large, 1]).0, &longs([large + 1, 1]).1, 0.0).is_err());
        assert!(near(&longs([100, 1]).0, &longs([101, 1]).1, 0.02).is_ok());
    }
}

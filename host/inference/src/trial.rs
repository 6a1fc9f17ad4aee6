//! The trial run of a graph when it is loaded: an operation may fail, or panic, only when it is
//! computed. A graph that cannot be computed is refused before it serves.
//!
//! The inputs are all 0, then all 1, then of chance, each in the graph's own shapes with a batch
//! of 1. What such numbers mean to a graph is not known: integers may be places in a table that
//! has no such place, or a divisor. So an operation that takes integers which follow from the
//! inputs may fail for one of these, as long as it does not for all.

use std::cell::Cell;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tract_onnx::tract_hir::internal::*;

use super::error::{Error, ErrorCode};
use super::plan::{OptimisedGraph, States};
use super::thread::{InferenceThread, LateThreads};
use sandbar_record::shorten;

/// How long all of it may take. A graph that takes longer is not refused: it may be a slow machine.
const PATIENCE: Duration = Duration::from_secs(10);

static LATE: LazyLock<Arc<LateThreads>> = LazyLock::new(Arc::default);

/// What the elements of all inputs are.
#[derive(Debug, Clone, Copy)]
enum Numbers {
    Zeros,
    Ones,
    Chance,
}

/// Computes the graph for inputs of its own making.
///
/// # Errors
/// If an operation fails, and not merely because of what its inputs are.
pub(super) fn run(id: &str, plan: &Arc<OptimisedGraph>) -> Result<(), Error> {
    let Ok(mut thread) = InferenceThread::start(id.into(), LATE.clone()) else { return Ok(()) };
    let plan = plan.clone();
    let result = thread.run(PATIENCE, &Arc::default(), move |states, stop| {
        let mut doubtful = Vec::new();
        let all = [Numbers::Zeros, Numbers::Ones, Numbers::Chance];
        for numbers in all {
            match once(&plan, states, numbers, stop) {
                Ok(()) => {}
                Err(failure) if failure.by_values => doubtful.push(failure.error),
                Err(failure) => return Err(failure.error),
            }
        }
        // An operation that fails for each of them is not one that a number is wrong for.
        let always = doubtful.len() == all.len();
        doubtful.into_iter().next().filter(|_| always).map_or(Ok(()), Err)
    });
    result.or_else(|error| if error.code == ErrorCode::Timeout { Ok(()) } else { Err(error) })
}

/// Why a run failed.
struct Failure {
    error: Error,
    /// Whether the operation takes integers that follow from the inputs.
    by_values: bool,
}

fn once(
    plan: &Arc<OptimisedGraph>,
    states: &mut States,
    numbers: Numbers,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let plain = |error: Error| Failure { error, by_values: false };
    let model = plan.model();
    let inputs = inputs(model, numbers)
        .map_err(|cause| plain(Error::new(ErrorCode::RuntimeError, shorten(cause.to_string()))))?;
    states.open(plan.clone()).map_err(plain)?;
    let current = Cell::new(None);
    states.run(inputs, stop, &current, u64::MAX).map(drop).map_err(|error| {
        let Some(node) = current.get().and_then(|node| model.nodes.get(node)) else {
            return plain(error);
        };
        let what = match numbers {
            Numbers::Zeros => "zeros",
            Numbers::Ones => "ones",
            Numbers::Chance => "numbers of chance",
        };
        // tract says `Evaluating NODE: REASON`, a panic only the reason.
        let named = error.message.strip_prefix("Evaluating ").and_then(|it| it.split_once(": "));
        let reason = named.map_or(error.message.as_str(), |(_, reason)| reason);
        let message = format!(
            "the graph fails when it is tried with {what}: node '{}', operation {}: {reason}; \
             export the model without it",
            node.name,
            node.op.name(),
        );
        Failure { error: Error { message, ..error }, by_values: takes_integers(model, node) }
    })
}

fn inputs(model: &TypedModel, numbers: Numbers) -> TractResult<TVec<TValue>> {
    let input = |outlet: &OutletId| {
        let fact = model.outlet_fact(*outlet)?;
        let shape = fact.shape.as_concrete().context("an input of no certain shape")?;
        Ok(tensor(fact.datum_type, shape, numbers)?.into_tvalue())
    };
    model.input_outlets()?.iter().map(input).collect()
}

/// Whether an operation takes integers that are not stored in the file. Those of 8 bits are
/// quantised numbers or pictures.
fn takes_integers(model: &TypedModel, node: &TypedNode) -> bool {
    node.inputs.iter().any(|input| {
        model.outlet_fact(*input).is_ok_and(|fact| {
            let ty = fact.datum_type;
            let wide = ty.is_integer() && ty.size_of() > 1 || ty.is_tdim();
            wide && fact.konst.is_none()
        })
    })
}

/// Integers of chance are small, and none is below 0.
fn tensor(ty: DatumType, shape: &[usize], numbers: Numbers) -> TractResult<Tensor> {
    let count = shape.iter().product();
    let whole = ty.is_integer() || ty.is_tdim() || ty == bool::datum_type();
    let mut state = 0_u64;
    let mut chance = || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / 16_777_216.0
    };
    let elements: Vec<f32> = match numbers {
        Numbers::Zeros => vec![0.0; count],
        Numbers::Ones => vec![1.0; count],
        Numbers::Chance if whole => (0..count).map(|_| (chance() * 4.0).floor()).collect(),
        Numbers::Chance => (0..count).map(|_| chance() * 2.0 - 1.0).collect(),
    };
    Ok(tensor1(&elements).into_shape(shape)?.cast_to_dt(ty)?.into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;
    use tract_onnx::tract_core::ops::array::Gather;
    use tract_onnx::tract_core::ops::math::{div, square};

    fn plan(
        build: impl FnOnce(&mut TypedModel, OutletId) -> TVec<OutletId>,
        ty: DatumType,
    ) -> Result<(), Error> {
        let mut model = TypedModel::default();
        let input = model.add_source("x", ty.fact([2])).unwrap();
        let outputs = build(&mut model, input);
        model.select_output_outlets(&outputs).unwrap();
        run("m@1", &Arc::new(OptimisedGraph::of(model)))
    }

    #[test]
    fn an_operation_that_always_fails_is_found() {
        let squares =
            |model: &mut TypedModel, x: OutletId| model.wire_node("s", square(), &[x]).unwrap();
        assert_eq!(plan(squares, f32::datum_type()), Ok(()));
        let error = plan(squares, i64::datum_type()).unwrap_err();
        let expected = "the graph fails when it is tried with zeros: node 's', operation Square: ";
        assert!(error.message.starts_with(expected), "{error}");
    }

    #[test]
    fn what_only_some_integers_fail_for_is_taken() {
        let table = |model: &mut TypedModel, x: OutletId| {
            let table = model.add_const("t", tensor1(&[1_f32])).unwrap();
            model.wire_node("g", Gather::new(0), &[table, x]).unwrap()
        };
        assert_eq!(plan(table, i64::datum_type()), Ok(()));
        let divided =
            |model: &mut TypedModel, x: OutletId| model.wire_node("d", div(), &[x, x]).unwrap();
        assert_eq!(plan(divided, i64::datum_type()), Ok(()));
    }
}

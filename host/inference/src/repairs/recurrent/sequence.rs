//! The whole of a node: all steps of all directions, of all sequences of a batch.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_ndarray::{self, ArrayView2, ArrayViewMut2};

use super::activation::Activation;
use super::cell::Cell;
use super::kind::Kind;

/// The operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sequence {
    pub(super) kind: Kind,
    /// Whether each direction is from the end to the beginning.
    pub(super) directions: Vec<bool>,
    /// Those of the first direction, then those of the second.
    pub(super) functions: Vec<Activation>,
    pub(super) clip: Option<f32>,
    /// Whether the batch is the first axis, of all but the weights (`layout`).
    pub(super) batch_first: bool,
    /// Where bias, lengths, first output, first cell and peepholes are among the inputs.
    pub(super) inputs: [Option<usize>; 5],
    /// Where all outputs, the last output and the last cell are among the outputs.
    pub(super) outputs: [Option<usize>; 3],
}

// No number of it is ever NaN in a graph that is of use; one that is equals no other.
impl Eq for Sequence {}

/// The sizes of a node.
#[derive(Clone, Copy)]
struct Sizes {
    steps: usize,
    batch: usize,
    input: usize,
    hidden: usize,
}

/// `a` of `[rows, depth]` times `b` of `[columns, depth]`, transposed.
fn product(a: &[f32], b: &[f32], rows: usize, depth: usize, out: &mut [f32]) -> TractResult<()> {
    let columns = b.len() / depth.max(1);
    let a = ArrayView2::from_shape((rows, depth), a)?;
    let b = ArrayView2::from_shape((columns, depth), b)?;
    let mut out = ArrayViewMut2::from_shape((rows, columns), out)?;
    tract_ndarray::linalg::general_mat_mul(1.0, &a, &b.t(), 0.0, &mut out);
    Ok(())
}

/// The part of one direction of several, of what they have one after the other.
fn part(of: &[f32], direction: usize, directions: usize) -> &[f32] {
    let length = of.len() / directions;
    &of[direction * length..(direction + 1) * length]
}

/// The inputs of a node.
struct Given {
    x: Vec<f32>,
    w: Vec<f32>,
    r: Vec<f32>,
    bias: Option<Vec<f32>>,
    /// How many steps each sequence has.
    lengths: Vec<usize>,
    h: Option<Vec<f32>>,
    c: Option<Vec<f32>>,
    peepholes: Option<Vec<f32>>,
}

/// The outputs of a node: of all steps, of the last one, and its cell.
struct Made {
    all: Vec<f32>,
    h: Vec<f32>,
    c: Vec<f32>,
}

/// The state of one direction, of all sequences: `[batch, hidden]` each.
struct State {
    h: Vec<f32>,
    c: Vec<f32>,
}

impl Sequence {
    /// The place of `[row, direction, batch]` or `[direction, batch]` in units of the hidden size.
    fn place(&self, sizes: Sizes, step: Option<usize>, direction: usize, batch: usize) -> usize {
        let directions = self.directions.len();
        match (step, self.batch_first) {
            (Some(step), false) => (step * directions + direction) * sizes.batch + batch,
            (Some(step), true) => (batch * sizes.steps + step) * directions + direction,
            (None, false) => direction * sizes.batch + batch,
            (None, true) => batch * directions + direction,
        }
    }

    /// A state of `[directions, batch, hidden]`, of one direction; zeros where none is given.
    fn first(&self, sizes: Sizes, given: Option<&[f32]>, direction: usize) -> Vec<f32> {
        let hidden = sizes.hidden;
        let Some(given) = given else { return vec![0.0; sizes.batch * hidden] };
        let of = |batch| &given[self.place(sizes, None, direction, batch) * hidden..][..hidden];
        (0..sizes.batch).flat_map(of).copied().collect()
    }

    /// One step of all sequences; those that `runs` says are over stay as they are.
    fn step(
        &self,
        cell: &Cell<'_>,
        r: &[f32],
        x: &[&[f32]],
        runs: &[bool],
        state: &mut State,
    ) -> TractResult<()> {
        let (batch, hidden, gates) = (runs.len(), cell.hidden, self.kind.gates());
        let mut products = vec![0.0; batch * gates * hidden];
        product(&state.h, r, batch, hidden, &mut products)?;
        let mut update = vec![0.0; batch * hidden];
        let mut reset = update.clone();
        let mut late = Vec::new();
        if let Kind::Gru { reset_last } = self.kind {
            for (place, x) in x.iter().enumerate() {
                let products = &products[place * gates * hidden..][..gates * hidden];
                let (from, to) = (place * hidden, (place + 1) * hidden);
                cell.gru_gates(x, products, &mut update[from..to], &mut reset[from..to]);
            }
            if !reset_last {
                let rest: Vec<f32> =
                    state.h.iter().zip(&reset).map(|(h, reset)| h * reset).collect();
                late = vec![0.0; batch * hidden];
                product(&rest, &r[2 * hidden * hidden..], batch, hidden, &mut late)?;
            }
        }
        for place in (0..batch).filter(|place| runs[*place]) {
            let of = place * hidden..(place + 1) * hidden;
            let products = &products[place * gates * hidden..][..gates * hidden];
            let h = &mut state.h[of.clone()];
            match self.kind {
                Kind::Rnn => cell.rnn(x[place], products, h),
                Kind::Lstm { coupled } => {
                    cell.lstm(coupled, x[place], products, h, &mut state.c[of]);
                }
                Kind::Gru { reset_last: true } => {
                    let (update, reset) = (&update[of.clone()], &reset[of]);
                    cell.gru_hidden(x[place], &products[2 * hidden..], update, Some(reset), h);
                }
                Kind::Gru { reset_last: false } => {
                    cell.gru_hidden(x[place], &late[of.clone()], &update[of], None, h);
                }
            }
        }
        Ok(())
    }

    /// How many steps each sequence has.
    fn lengths(&self, sizes: Sizes, given: Option<&TValue>) -> TractResult<Vec<usize>> {
        let Some(given) = given else { return Ok(vec![sizes.steps; sizes.batch]) };
        let given = given.cast_to::<i64>()?;
        let plain = given.try_as_plain_ram()?;
        let lengths = plain.as_slice::<i64>()?.iter();
        let lengths =
            lengths.map(|length| usize::try_from(*length).ok().filter(|it| *it <= sizes.steps));
        let lengths: Option<Vec<usize>> = lengths.collect();
        lengths
            .filter(|it| it.len() == sizes.batch)
            .context("sequence_lens that do not fit the input")
    }

    fn sizes(&self, x: &[usize], r: &[usize]) -> TractResult<Sizes> {
        ensure!(x.len() == 3 && r.len() == 3, "a recurrent layer of ranks that do not fit");
        let (steps, batch) = if self.batch_first { (x[1], x[0]) } else { (x[0], x[1]) };
        Ok(Sizes { steps, batch, input: x[2], hidden: r[2] })
    }

    fn given(&self, sizes: Sizes, inputs: &[TValue]) -> TractResult<Given> {
        let floats = |place: usize| -> TractResult<Vec<f32>> {
            let tensor = inputs[place].cast_to::<f32>()?;
            Ok(tensor.try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
        };
        let maybe = |place: Option<usize>| place.map(floats).transpose();
        let [bias, lengths, h, c, peepholes] = self.inputs;
        Ok(Given {
            x: floats(0)?,
            w: floats(1)?,
            r: floats(2)?,
            bias: maybe(bias)?,
            lengths: self.lengths(sizes, lengths.map(|place| &inputs[place]))?,
            h: maybe(h)?,
            c: maybe(c)?,
            peepholes: maybe(peepholes)?,
        })
    }

    /// All steps of one direction.
    fn direction(
        &self,
        sizes: Sizes,
        given: &Given,
        direction: usize,
        made: &mut Made,
    ) -> TractResult<()> {
        let Sizes { steps, batch, input, hidden } = sizes;
        let (directions, width) = (self.directions.len(), self.kind.gates() * hidden);
        let functions = self.functions.len() / directions;
        let mine = |of: &'_ Option<Vec<f32>>| -> Option<Vec<f32>> {
            of.as_ref().map(|of| part(of, direction, directions).to_vec())
        };
        let (bias, peepholes) = (mine(&given.bias), mine(&given.peepholes));
        let cell = Cell {
            hidden,
            functions: &self.functions[direction * functions..][..functions],
            clip: self.clip,
            bias: bias.as_deref(),
            peepholes: peepholes.as_deref(),
        };
        let (w, r) = (part(&given.w, direction, directions), part(&given.r, direction, directions));
        // What the inputs give each gate does not wait for the step before.
        let mut products = vec![0.0; steps * batch * width];
        product(&given.x, w, steps * batch, input, &mut products)?;
        let mut state = State {
            h: self.first(sizes, given.h.as_deref(), direction),
            c: self.first(sizes, given.c.as_deref(), direction),
        };
        for step in 0..given.lengths.iter().copied().max().unwrap_or(0) {
            let runs: Vec<bool> = given.lengths.iter().map(|length| step < *length).collect();
            let at = |place: usize| match self.directions[direction] {
                true => given.lengths[place].saturating_sub(step + 1),
                false => step,
            };
            let row = |place: usize| {
                let row = match self.batch_first {
                    true => place * steps + at(place),
                    false => at(place) * batch + place,
                };
                &products[row * width..][..width]
            };
            let rows: Vec<&[f32]> = (0..batch).map(row).collect();
            self.step(&cell, r, &rows, &runs, &mut state)?;
            for place in (0..batch).filter(|place| runs[*place]) {
                let to = self.place(sizes, Some(at(place)), direction, place) * hidden;
                made.all[to..to + hidden].copy_from_slice(&state.h[place * hidden..][..hidden]);
            }
        }
        // What a sequence without any step leaves is zero, whatever it began with.
        for place in (0..batch).filter(|place| given.lengths[*place] > 0) {
            let to = self.place(sizes, None, direction, place) * hidden;
            made.h[to..to + hidden].copy_from_slice(&state.h[place * hidden..][..hidden]);
            made.c[to..to + hidden].copy_from_slice(&state.c[place * hidden..][..hidden]);
        }
        Ok(())
    }
}

impl Op for Sequence {
    fn name(&self) -> StaticName {
        "SandbarRecurrent".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Sequence {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let sizes = self.sizes(inputs[0].shape(), inputs[2].shape())?;
        let given = self.given(sizes, &inputs)?;
        let last = self.directions.len() * sizes.batch * sizes.hidden;
        let mut made =
            Made { all: vec![0.0; sizes.steps * last], h: vec![0.0; last], c: vec![0.0; last] };
        for direction in 0..self.directions.len() {
            self.direction(sizes, &given, direction, &mut made)?;
        }
        let facts: TVec<TypedFact> =
            inputs.iter().map(|input| input.datum_type().fact(input.shape())).collect();
        let facts = self.output_facts(&facts.iter().collect::<TVec<_>>())?;
        let made = [made.all, made.h, made.c];
        let mut outputs = tvec!();
        let wanted = self.outputs.iter().zip(&made).filter(|(place, _)| place.is_some());
        for ((_, made), fact) in wanted.zip(facts) {
            let shape = fact.shape.as_concrete().context("a shape that is not known")?;
            let tensor = tensor1(made).into_shape(shape)?;
            let tensor = tensor.cast_to_dt(fact.datum_type)?.into_owned();
            outputs.push(tensor.into_tvalue());
        }
        Ok(outputs)
    }
}

impl TypedOp for Sequence {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let ty = inputs[0].datum_type;
        ensure!(
            [f32::datum_type(), f16::datum_type()].contains(&ty),
            "a recurrent layer of {ty:?}: export the graph with 32-bit floats"
        );
        let (x, hidden) = (&inputs[0].shape, inputs[2].shape[2].clone());
        let directions = self.directions.len().to_dim();
        let (all, last) = if self.batch_first {
            let (batch, steps) = (x[0].clone(), x[1].clone());
            (
                tvec!(batch.clone(), steps, directions.clone(), hidden.clone()),
                tvec!(batch, directions, hidden),
            )
        } else {
            let (steps, batch) = (x[0].clone(), x[1].clone());
            (
                tvec!(steps, directions.clone(), batch.clone(), hidden.clone()),
                tvec!(directions, batch, hidden),
            )
        };
        let shapes = [all, last.clone(), last];
        let wanted = self.outputs.iter().zip(shapes).filter(|(place, _)| place.is_some());
        Ok(wanted.map(|(_, shape)| ty.fact(shape)).collect())
    }
}

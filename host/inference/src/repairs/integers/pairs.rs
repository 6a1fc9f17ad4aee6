//! Sums and products of two codes.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

/// How many pairs of codes there are.
const ALL: usize = 1 << 16;

/// What is done to two codes, in steps of the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pairs {
    /// Of the first, of the second, and of the result.
    scales: [f32; 3],
    zeros: [f32; 3],
    product: bool,
}

impl Pairs {
    pub(super) fn from_onnx(node: &NodeProto) -> TractResult<Self> {
        let scales: TVec<f32> = node.get_attr_tvec("scales")?;
        let [first, second, result] = *scales else { bail!("a pair with {} scales", scales.len()) };
        let zero = |name: &str| Ok::<_, TractError>(node.get_attr::<i32>(name)? as f32);
        Ok(Pairs {
            scales: [first, second, result],
            zeros: [zero("first")?, zero("second")?, zero("zero")?],
            product: node.get_attr("product")?,
        })
    }

    /// As ONNX Runtime computes on processors that have AVX2: what is rounded, and in which order,
    /// is part of the answer.
    fn code(&self, x: u8, y: u8) -> u8 {
        let ([a, b, to], [from_a, from_b, zero]) = (self.scales, self.zeros);
        let (x, y) = (f32::from(x), f32::from(y));
        let steps = if self.product {
            (x - from_a) * (y - from_b) * (a * b / to) + zero
        } else {
            let (a, b) = (a / to, b / to);
            x.mul_add(a, y.mul_add(b, zero - a.mul_add(from_a, b * from_b)))
        };
        steps.round_ties_even() as u8
    }

    /// The same with the second one first.
    fn turned(&self) -> Self {
        let ([a, b, to], [from_a, from_b, zero]) = (self.scales, self.zeros);
        Pairs { scales: [b, a, to], zeros: [from_b, from_a, zero], product: self.product }
    }

    pub(super) fn codes(&self, a: &Tensor, b: &Tensor, shape: &[usize]) -> TractResult<Vec<u8>> {
        // The last axis that is not of size 1 in both. Where there is one number of the first for a
        // row of the second, it is added first.
        let size = |tensor: &Tensor, axis: usize| {
            let before = shape.len() - tensor.rank();
            if axis < before { 1 } else { tensor.shape()[axis - before] }
        };
        let row = (0..shape.len()).rev().find(|axis| shape[*axis] != 1);
        if row.is_some_and(|axis| size(a, axis) == 1) {
            return self.turned().in_order(b, a, shape);
        }
        self.in_order(a, b, shape)
    }

    fn in_order(&self, a: &Tensor, b: &Tensor, shape: &[usize]) -> TractResult<Vec<u8>> {
        let (same, fits) = (a.shape() == b.shape(), "shapes that do not fit");
        let (x, y) = (a.to_plain_array_view::<u8>()?, b.to_plain_array_view::<u8>()?);
        let (x, y) = (x.broadcast(shape).context(fits)?, y.broadcast(shape).context(fits)?);
        if shape.iter().product::<usize>() < ALL {
            return Ok(x.iter().zip(&y).map(|(x, y)| self.code(*x, *y)).collect());
        }
        let all = (0..=255_u8).flat_map(|x| (0..=255_u8).map(move |y| (x, y)));
        let table: Vec<u8> = all.map(|(x, y)| self.code(x, y)).collect();
        let code = |(x, y): (&u8, &u8)| table[usize::from(*x) << 8 | usize::from(*y)];
        if same {
            let (a, b) = (a.try_as_plain_ram()?, b.try_as_plain_ram()?);
            return Ok(a.as_slice::<u8>()?.iter().zip(b.as_slice::<u8>()?).map(code).collect());
        }
        Ok(x.iter().zip(&y).map(code).collect())
    }
}

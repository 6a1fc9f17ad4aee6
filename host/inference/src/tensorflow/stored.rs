//! Tensors in a file. TensorFlow leaves out what repeats: numbers that are missing at the end are
//! the last one, or 0 where there is none (`tensor.proto`).

use std::sync::Arc;

use tract_onnx::tract_hir::internal::*;
use tract_tensorflow::tfpb::tensorflow::attr_value::Value;
use tract_tensorflow::tfpb::tensorflow::{DataType, NodeDef, TensorProto};

use crate::plan::TENSOR_LIMIT;

/// The value of a `Const`.
pub(super) fn value(node: &NodeDef) -> TractResult<Arc<Tensor>> {
    Ok(Arc::new(tensor(proto(node)?)?))
}

/// The bytes of the value of a `Const`, which may be many more than its file has.
pub(super) fn bytes(node: &NodeDef) -> TractResult<u64> {
    let (shape, ty) = form(proto(node)?)?;
    Ok(shape.iter().fold(ty.size_of() as u64, |bytes, size| bytes.saturating_mul(*size as u64)))
}

fn proto(node: &NodeDef) -> TractResult<&TensorProto> {
    let value = node.attr.get("value").and_then(|value| value.value.as_ref());
    let Some(Value::Tensor(proto)) = value else { bail!("a Const without a value") };
    Ok(proto)
}

fn form(proto: &TensorProto) -> TractResult<(Vec<usize>, DatumType)> {
    let dims = proto.tensor_shape.iter().flat_map(|shape| &shape.dim);
    let shape = dims.map(|dim| Ok(usize::try_from(dim.size)?)).collect::<TractResult<_>>()?;
    Ok((shape, DataType::try_from(proto.dtype)?.try_into()?))
}

fn tensor(proto: &TensorProto) -> TractResult<Tensor> {
    let (shape, ty) = form(proto)?;
    let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
    let bytes = count.and_then(|count| count.checked_mul(ty.size_of()));
    ensure!(
        bytes.is_some_and(|bytes| bytes <= TENSOR_LIMIT),
        "a constant of more than {TENSOR_LIMIT} bytes"
    );
    let numbers = Numbers { proto, shape: &shape, count: count.unwrap_or_default() };
    let ints = || proto.int_val.iter().copied();
    match ty {
        DatumType::F32 => numbers.tensor(proto.float_val.iter().copied(), f32::from_le_bytes),
        DatumType::F64 => numbers.tensor(proto.double_val.iter().copied(), f64::from_le_bytes),
        DatumType::F16 => {
            let halves = proto.half_val.iter().map(|bits| f16::from_bits(*bits as u16));
            numbers.tensor(halves, f16::from_le_bytes)
        }
        DatumType::I64 => numbers.tensor(proto.int64_val.iter().copied(), i64::from_le_bytes),
        DatumType::I32 => numbers.tensor(ints(), i32::from_le_bytes),
        DatumType::I16 => numbers.tensor(ints().map(|int| int as i16), i16::from_le_bytes),
        DatumType::I8 => numbers.tensor(ints().map(|int| int as i8), i8::from_le_bytes),
        DatumType::U8 => numbers.tensor(ints().map(|int| int as u8), u8::from_le_bytes),
        DatumType::U16 => numbers.tensor(ints().map(|int| int as u16), u16::from_le_bytes),
        DatumType::U32 => numbers.tensor(proto.uint32_val.iter().copied(), u32::from_le_bytes),
        DatumType::U64 => numbers.tensor(proto.uint64_val.iter().copied(), u64::from_le_bytes),
        DatumType::Bool => {
            numbers.tensor(proto.bool_val.iter().copied(), |[byte]: [u8; 1]| byte != 0)
        }
        other => bail!("a constant of type {other:?}"),
    }
}

struct Numbers<'a> {
    proto: &'a TensorProto,
    shape: &'a [usize],
    count: usize,
}

impl Numbers<'_> {
    fn tensor<T: Datum + Default + Copy, const N: usize>(
        &self,
        listed: impl Iterator<Item = T>,
        from_bytes: fn([u8; N]) -> T,
    ) -> TractResult<Tensor> {
        let content = self.proto.tensor_content.as_slice();
        let mut numbers: Vec<T> = match content.as_chunks::<N>() {
            ([], []) => listed.collect(),
            (numbers, []) => {
                ensure!(numbers.len() == self.count, "a constant of a wrong length");
                numbers.iter().map(|bytes| from_bytes(*bytes)).collect()
            }
            _ => bail!("a constant of a wrong length"),
        };
        ensure!(numbers.len() <= self.count, "a constant with more numbers than its shape holds");
        let last = numbers.last().copied().unwrap_or_default();
        numbers.resize(self.count, last);
        Tensor::from_shape(self.shape, &numbers)
    }
}

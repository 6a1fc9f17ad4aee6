//! A tensor between guest and tract.

use tract_onnx::prelude::{DatumType, Tensor as TractTensor};

use super::error::{Error, ErrorCode};
use sandbar_model::ElementType;

/// Dimensions of a tensor at most.
const RANK_LIMIT: usize = 16;

/// A tensor as a guest made it, or as it gets it: shape, type, and the elements in
/// row-major order, little-endian. Whether they fit each other is asked when it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The size of each dimension.
    pub dimensions: Vec<u32>,
    /// The type of the elements.
    pub ty: ElementType,
    /// The elements.
    pub data: Vec<u8>,
}

/// tract's type of this name, where it has one.
pub(super) fn datum_type(ty: ElementType) -> Option<DatumType> {
    Some(match ty {
        ElementType::Fp16 => DatumType::F16,
        ElementType::Fp32 => DatumType::F32,
        ElementType::Fp64 => DatumType::F64,
        ElementType::Bf16 => return None,
        ElementType::U8 => DatumType::U8,
        ElementType::I32 => DatumType::I32,
        ElementType::I64 => DatumType::I64,
    })
}

/// The type that `wasi:nn` has for one of tract's: the next wider one for integers that it lacks.
/// tract has a type of its own (`TDim`) for what may be a size, which ONNX's `int64` often is.
pub(super) fn element_type(ty: DatumType) -> Option<ElementType> {
    Some(match ty {
        DatumType::I8 | DatumType::I16 | DatumType::U16 => ElementType::I32,
        DatumType::U32 | DatumType::TDim => ElementType::I64,
        DatumType::F16 => ElementType::Fp16,
        DatumType::F32 => ElementType::Fp32,
        DatumType::F64 => ElementType::Fp64,
        DatumType::U8 => ElementType::U8,
        DatumType::I32 => ElementType::I32,
        DatumType::I64 => ElementType::I64,
        _ => return None,
    })
}

impl Tensor {
    /// The tensor as tract takes it: one copy, since tract wants it aligned.
    ///
    /// # Errors
    /// `invalid-argument` where the data are not as many as the dimensions say,
    /// `unsupported-operation` for a type that tract does not have.
    pub(super) fn to_tract(&self) -> Result<TractTensor, Error> {
        let invalid = |message: String| Error::new(ErrorCode::InvalidArgument, message);
        let ty = datum_type(self.ty).ok_or_else(|| {
            let message = "elements of type bf16 are not supported; use fp32";
            Error::new(ErrorCode::UnsupportedOperation, message)
        })?;
        if self.dimensions.len() > RANK_LIMIT {
            let rank = self.dimensions.len();
            return Err(invalid(format!("{rank} dimensions; at most {RANK_LIMIT} are accepted")));
        }
        let shape: Vec<usize> = self.dimensions.iter().map(|size| *size as usize).collect();
        let expected = shape
            .iter()
            .try_fold(self.ty.size(), |bytes: usize, size| bytes.checked_mul(*size))
            .filter(|expected| *expected == self.data.len());
        if expected.is_none() {
            let Tensor { dimensions, data, .. } = self;
            return Err(invalid(format!(
                "{} bytes of data do not match the dimensions {dimensions:?}",
                data.len()
            )));
        }
        let mut tensor = TractTensor::zero_dt(ty, &shape)
            .map_err(|cause| Error::new(ErrorCode::RuntimeError, cause.to_string()))?;
        tensor.as_bytes_mut().copy_from_slice(&self.data);
        Ok(tensor)
    }

    /// A tensor of tract's as a guest takes it.
    ///
    /// # Errors
    /// `unsupported-operation` for a type that `wasi:nn` does not have.
    pub(super) fn from_tract(tensor: &TractTensor) -> Result<Self, Error> {
        let unsupported = || {
            let message = format!(
                "elements of type {:?} are not supported by wasi:nn: let the graph cast them to \
                 int64 or float, or declare only the other [[outputs]] in model.toml",
                tensor.datum_type()
            );
            Error::new(ErrorCode::UnsupportedOperation, message)
        };
        let ty = element_type(tensor.datum_type()).ok_or_else(unsupported)?;
        let wide = datum_type(ty).ok_or_else(unsupported)?;
        let tensor = tensor
            .cast_to_dt(wide)
            .map_err(|cause| Error::new(ErrorCode::RuntimeError, cause.to_string()))?;
        let size = |size: &usize| {
            u32::try_from(*size).map_err(|_| {
                Error::new(ErrorCode::TooLarge, format!("dimension {size} is too large"))
            })
        };
        let dimensions = tensor.shape().iter().map(size).collect::<Result<_, _>>()?;
        Ok(Tensor { dimensions, ty, data: tensor.as_bytes().to_vec() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
    use super::*;

    #[test]
    fn a_tensor_goes_there_and_back() {
        for (ty, size) in [
            (ElementType::Fp16, 2),
            (ElementType::Fp32, 4),
            (ElementType::Fp64, 8),
            (ElementType::U8, 1),
            (ElementType::I32, 4),
            (ElementType::I64, 8),
        ] {
            let data: Vec<u8> = (0..6 * size as u8).collect();
            let tensor = Tensor { dimensions: vec![2, 3], ty, data };
            let back = tensor.to_tract().and_then(|tensor| Tensor::from_tract(&tensor));
            assert_eq!(back, Ok(tensor));
        }
    }

    #[test]
    fn integers_that_wasi_nn_lacks_are_given_as_wider_ones() {
        use tract_onnx::prelude::tensor1;
        use tract_onnx::tract_hir::internal::TDim;
        let given = |tensor| {
            let tensor = Tensor::from_tract(&tensor).unwrap();
            (tensor.ty, tensor.data)
        };
        let i32s: Vec<u8> = [-3_i32, 100].iter().flat_map(|it| it.to_le_bytes()).collect();
        assert_eq!(given(tensor1(&[-3_i8, 100])), (ElementType::I32, i32s.clone()));
        assert_eq!(given(tensor1(&[-3_i16, 100])), (ElementType::I32, i32s));
        let i64s: Vec<u8> = [7_i64, 9].iter().flat_map(|it| it.to_le_bytes()).collect();
        assert_eq!(given(tensor1(&[TDim::from(7), TDim::from(9)])), (ElementType::I64, i64s));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let error = |dimensions: &[u32], ty, bytes| {
            let tensor = Tensor { dimensions: dimensions.to_vec(), ty, data: vec![0; bytes] };
            tensor.to_tract().err().map(|error| error.code)
        };
        let invalid = Some(ErrorCode::InvalidArgument);
        assert_eq!(error(&[2, 3], ElementType::Fp32, 23), invalid);
        assert_eq!(error(&[u32::MAX; 3], ElementType::Fp32, 24), invalid);
        assert_eq!(error(&[1; 17], ElementType::U8, 1), invalid);
        assert_eq!(error(&[0, 5], ElementType::U8, 0), None);
        let unsupported = Some(ErrorCode::UnsupportedOperation);
        assert_eq!(error(&[1], ElementType::Bf16, 2), unsupported);
    }
}

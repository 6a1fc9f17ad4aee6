//! A stub graph that gives the same output for any input: for tests.

use super::error::{Error, ErrorCode};
use super::plan::TENSOR_LIMIT;
use super::tensor::Tensor;
use sandbar_model::{Dimension, TensorSpec};

/// The outputs of a stub graph.
#[derive(Debug, Clone)]
pub struct StubGraph {
    /// Its inputs. Empty: any.
    pub inputs: Vec<TensorSpec>,
    /// Its outputs, and the elements of each for a row of the batch.
    pub outputs: Vec<(TensorSpec, Vec<f64>)>,
    /// The error, if it should fail.
    pub failure: Option<String>,
}

impl StubGraph {
    /// The outputs for a batch of so many rows.
    ///
    /// # Errors
    /// `runtime-error` if it should fail, or if an output would be too large.
    pub(super) fn give(&self, rows: u32) -> Result<Vec<(String, Tensor)>, Error> {
        if let Some(message) = &self.failure {
            return Err(Error::new(ErrorCode::RuntimeError, message.clone()));
        }
        let output = |(spec, row): &(TensorSpec, Vec<f64>)| {
            let size = |(axis, dimension): (usize, &Dimension)| match dimension {
                Dimension::Symbol(_) if axis == 0 => Ok(rows),
                Dimension::Fixed(size) => Ok(*size),
                Dimension::Symbol(_) => Err(spec),
            };
            let dimensions = spec.shape.iter().enumerate().map(size).collect::<Result<_, _>>();
            let dimensions = dimensions.map_err(|spec| {
                let message = format!("output '{}' has a size that is not fixed", spec.name);
                Error::new(ErrorCode::RuntimeError, message)
            })?;
            let mut data = Vec::new();
            row.iter().for_each(|element| spec.ty.encode(*element, &mut data));
            let times = if spec.is_by_row() { rows as usize } else { 1 };
            // The number of rows comes from the guest, and may be wrong.
            if data.len().saturating_mul(times) > TENSOR_LIMIT {
                let message = format!("{rows} rows make output '{}' too large", spec.name);
                return Err(Error::new(ErrorCode::TooLarge, message));
            }
            data = data.repeat(times);
            Ok((spec.name.clone(), Tensor { dimensions, ty: spec.ty, data }))
        };
        self.outputs.iter().map(output).collect()
    }
}

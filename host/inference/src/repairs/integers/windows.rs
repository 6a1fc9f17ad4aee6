//! Means of windows, as `AveragePool` has them: padded by numbers, without dilation.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

/// Sizes for each axis behind the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Windows {
    kernel: Vec<usize>,
    strides: Vec<usize>,
    before: Vec<usize>,
    behind: Vec<usize>,
    /// Whether what is padded counts.
    padded: bool,
}

impl Windows {
    pub(super) fn from_onnx(node: &NodeProto) -> TractResult<Self> {
        let kernel = node.get_attr_tvec::<usize>("kernel_shape")?.to_vec();
        let rank = kernel.len();
        let sizes = |name: &str, count: usize, default: usize| -> TractResult<Vec<usize>> {
            let sizes = node.get_attr_opt_tvec::<usize>(name)?;
            let sizes = sizes.map_or_else(|| vec![default; count], |sizes| sizes.to_vec());
            ensure!(sizes.len() == count, "AveragePool with {} of {name}", sizes.len());
            Ok(sizes)
        };
        let (strides, pads) = (sizes("strides", rank, 1)?, sizes("pads", 2 * rank, 0)?);
        let padded = node.get_attr_opt("count_include_pad")?.unwrap_or(false);
        let most = kernel.iter().try_fold(1_usize, |most, size| most.checked_mul(*size));
        ensure!(
            most.is_some_and(|most| (1..=1 << 24).contains(&most)) && !strides.contains(&0),
            "AveragePool with a kernel of {kernel:?} and strides of {strides:?}"
        );
        let (before, behind) = (pads[..rank].to_vec(), pads[rank..].to_vec());
        let mut wide = before.iter().chain(&behind).zip(kernel.iter().cycle());
        ensure!(wide.all(|(pad, kernel)| pad < kernel), "AveragePool padded by its kernel");
        Ok(Windows { kernel, strides, before, behind, padded })
    }

    pub(super) fn shape<D: DimLike>(&self, input: &[D]) -> TractResult<TVec<D>> {
        ensure!(input.len() == self.kernel.len() + 2, "AveragePool of {input:?}");
        let size = |(axis, size): (usize, &D)| {
            let Some(axis) = axis.checked_sub(2) else { return TractResult::Ok(size.clone()) };
            let (more, kernel) = (self.before[axis] + self.behind[axis], self.kernel[axis]);
            let fits = size.to_usize().ok().is_none_or(|size| size + more >= kernel);
            ensure!(fits, "AveragePool of {input:?} with a kernel of {kernel}");
            Ok((size.clone() + more - kernel) / self.strides[axis] + 1)
        };
        input.iter().enumerate().map(size).collect()
    }

    /// The codes of the means of windows of codes. ONNX Runtime adds up floats here, in this order.
    pub(super) fn means(
        &self,
        x: &[u8],
        input: &[usize],
        output: &[usize],
        [from, to]: [f32; 2],
        zero_from: i32,
        zero: i32,
    ) -> Vec<u8> {
        let numbers: Vec<f32> = (0..256).map(|code| from * (code - zero_from) as f32).collect();
        let (image, count) = (input[2..].iter().product(), self.kernel.iter().product());
        let mut codes = Vec::with_capacity(output.iter().product());
        for image in x.chunks(usize::max(image, 1)) {
            for place in tract_ndarray::indices(&output[2..]) {
                let (mut sum, mut inside) = (0.0_f32, 0_usize);
                for step in tract_ndarray::indices(&*self.kernel) {
                    let at = (0..self.kernel.len()).try_fold(0, |at, axis| {
                        let size = input[axis + 2];
                        let place = place[axis] * self.strides[axis] + step[axis];
                        let place = place.checked_sub(self.before[axis])?;
                        (place < size).then_some(at * size + place)
                    });
                    if let Some(at) = at {
                        sum += numbers[usize::from(image[at])];
                        inside += 1;
                    }
                }
                let mean = sum / if self.padded { count } else { inside } as f32;
                let code = (mean / to + zero as f32).round_ties_even() as i32;
                codes.push(code.clamp(0, 255) as u8);
            }
        }
        codes
    }
}

//! Convolution and pools.

use tract_onnx::tract_core::ops::cnn::{PaddingSpec, PoolSpec};
use tract_onnx::tract_core::ops::nn::DataFormat;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::cnn::{Conv, HirMaxPool, HirSumPool};

use super::node::Attributes;
use super::sizes::{self, first, in_single};
use crate::repairs::Wire;

type Outlets = TractResult<TVec<OutletId>>;

/// How a window goes over an image.
struct Window {
    format: DataFormat,
    /// The axis of the rows; columns follow.
    rows: usize,
    strides: TVec<usize>,
    dilations: TVec<usize>,
    padding: PaddingSpec,
}

impl Window {
    fn of(node: &Attributes) -> TractResult<Self> {
        let (format, rows) = match node.text("data_format", "NHWC")? {
            "NHWC" => (DataFormat::NHWC, 1),
            "NCHW" => (DataFormat::NCHW, 2),
            other => bail!("data_format {other} is not supported"),
        };
        let padding = match node.text("padding", "")? {
            "SAME" => PaddingSpec::SameUpper,
            "VALID" => PaddingSpec::Valid,
            "EXPLICIT" => {
                let all = node.ints("explicit_paddings")?;
                ensure!(all.len() == 8, "explicit_paddings has {} numbers, not 8", all.len());
                let all = all.iter().map(|it| Ok(usize::try_from(*it)?));
                let all = all.collect::<TractResult<Vec<_>>>()?;
                let edges = 2 * rows..2 * rows + 4;
                let only_there = (0..8).filter(|it| !edges.contains(it)).all(|it| all[it] == 0);
                ensure!(only_there, "padding of the batch or of channels");
                let at = |place: usize| all[2 * rows + place];
                PaddingSpec::Explicit(tvec!(at(0), at(2)), tvec!(at(1), at(3)))
            }
            other => bail!("padding '{other}' is not supported"),
        };
        let strides = sides(node, "strides", rows)?;
        let dilations = sides(node, "dilations", rows)?;
        Ok(Window { format, rows, strides, dilations, padding })
    }

    fn pool(&self, node: &Attributes) -> TractResult<PoolSpec> {
        let kernel = sides(node, "ksize", self.rows)?;
        let strides = Some(self.strides.clone());
        Ok(PoolSpec::new(self.format, kernel, self.padding.clone(), None, strides, 0, 0))
    }

    fn conv(&self) -> Conv {
        let conv = Conv::default().padding(self.padding.clone());
        let conv = conv.strides(self.strides.clone()).dilations(self.dilations.clone());
        Conv { data_format: self.format, ..conv }
    }
}

/// The two numbers of an attribute that are for rows and columns; the others are 1.
fn sides(node: &Attributes, name: &str, rows: usize) -> TractResult<TVec<usize>> {
    let all = node.ints(name)?;
    if all.is_empty() {
        return Ok(tvec!(1, 1));
    }
    ensure!(all.len() == 4, "{name} has {} numbers, not 4", all.len());
    let sides = rows..rows + 2;
    let others = (0..4).filter(|it| !sides.contains(it)).all(|it| all[it] == 1);
    ensure!(others, "{name} {all:?} goes over the batch or over channels");
    let size = |it: &i64| usize::try_from(*it).ok().filter(|it| *it > 0);
    all[sides].iter().map(|it| size(it).with_context(|| format!("{name} {all:?}"))).collect()
}

/// A convolution. Where the filter has fewer channels than the image it is one of groups.
pub(super) fn conv(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let window = Window::of(node)?;
    let [x, filter] = inputs[..] else { bail!("{} inputs, not two", inputs.len()) };
    let (shape, sizes) = (image(wire, x)?, image(wire, filter)?);
    let channels = if window.rows == 1 { shape[3] } else { shape[1] };
    ensure!(
        sizes[2] > 0 && channels % sizes[2] == 0,
        "{channels} channels, the filter has {}",
        sizes[2]
    );
    let groups = channels / sizes[2];
    in_single(wire, &[x, filter], |wire, inputs| {
        let conv = window.conv();
        if groups == 1 {
            return only(wire.expansion(&conv.hwio(), inputs)?);
        }
        ensure!(sizes[3] % groups == 0, "{} filters for {groups} groups", sizes[3]);
        let filter = sizes::transpose(wire, inputs[1], &[3, 2, 0, 1])?;
        only(wire.expansion(&conv.group(groups), &[inputs[0], filter])?)
    })
}

pub(super) fn depthwise(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let window = Window::of(node)?;
    let [x, filter] = inputs[..] else { bail!("{} inputs, not two", inputs.len()) };
    let groups = image(wire, filter)?[2];
    in_single(wire, &[x, filter], |wire, inputs| {
        only(wire.expansion(&window.conv().hwio().group(groups), inputs)?)
    })
}

pub(super) fn avg_pool(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let pool = HirSumPool::new(Window::of(node)?.pool(node)?, false, true);
    in_single(wire, &[first(inputs)?], |wire, inputs| only(wire.expansion(&pool, inputs)?))
}

pub(super) fn max_pool(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let pool = HirMaxPool::new(Window::of(node)?.pool(node)?, None);
    wire.expansion(&pool, &[first(inputs)?])
}

fn only(outlets: TVec<OutletId>) -> TractResult<OutletId> {
    first(&outlets)
}

fn image(wire: &Wire<'_>, x: OutletId) -> TractResult<[usize; 4]> {
    match sizes::shape(wire, x)?[..] {
        [a, b, c, d] => Ok([a, b, c, d]),
        _ => bail!("a tensor that is not of rank 4"),
    }
}

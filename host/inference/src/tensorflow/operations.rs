//! Which function wires which operation.

use super::node::Wiring;
use super::{arrays, elementwise, integers, norms, products, quantise, reduce, slices, windows};

/// The function of an operation, if it is known.
pub(super) fn find(op: &str) -> Option<Wiring> {
    let known: Wiring = match op {
        "Identity" | "IdentityN" | "Snapshot" | "StopGradient" | "PreventGradient" => {
            elementwise::same
        }
        "Abs" | "Acos" | "Acosh" | "Asin" | "Asinh" | "Atan" | "Atanh" | "Ceil" | "Cos"
        | "Cosh" | "Erf" | "Exp" | "Floor" | "Inv" | "Log" | "LogicalNot" | "Neg"
        | "Reciprocal" | "Rint" | "Round" | "Rsqrt" | "Sign" | "Sin" | "Sinh" | "Sqrt" | "Tan"
        | "Tanh" => elementwise::unary,
        "Elu" => elementwise::elu,
        "Erfc" => elementwise::erfc,
        "LeakyRelu" => elementwise::leaky_relu,
        "Relu" => elementwise::relu,
        "Relu6" => elementwise::relu6,
        "Selu" => elementwise::selu,
        "Sigmoid" => elementwise::sigmoid,
        "Softplus" => elementwise::softplus,
        "Softsign" => elementwise::softsign,
        "Square" => elementwise::square,
        "Cast" => elementwise::cast,
        "Add" | "AddV2" | "Equal" | "Greater" | "GreaterEqual" | "Less" | "LessEqual"
        | "LogicalAnd" | "LogicalOr" | "Maximum" | "Minimum" | "Mul" | "NotEqual" | "Pow"
        | "RealDiv" | "Sub" => elementwise::binary,
        "AddN" => elementwise::add_n,
        "BiasAdd" | "BiasAddV1" => elementwise::bias_add,
        "SquaredDifference" => elementwise::squared_difference,
        "Select" => elementwise::select,
        "SelectV2" => elementwise::select_v2,
        "ClipByValue" => elementwise::clip,
        "Div" | "FloorDiv" | "FloorMod" | "Mod" | "TruncateDiv" | "TruncateMod" => integers::divide,
        "Concat" => arrays::concat,
        "ConcatV2" => arrays::concat_v2,
        "DepthToSpace" => arrays::depth_to_space,
        "ExpandDims" => arrays::expand_dims,
        "Fill" => arrays::fill,
        "Gather" | "GatherV2" => arrays::gather,
        "GatherNd" => arrays::gather_nd,
        "OnesLike" => arrays::ones_like,
        "Pack" => arrays::pack,
        "Range" => arrays::range,
        "Rank" => arrays::rank,
        "Reshape" => arrays::reshape,
        "Shape" => arrays::shape,
        "Size" => arrays::size,
        "SpaceToDepth" => arrays::space_to_depth,
        "Squeeze" => arrays::squeeze,
        "Tile" => arrays::tile,
        "Transpose" => arrays::transpose,
        "ZerosLike" => arrays::zeros_like,
        "BatchToSpaceND" => slices::batch_to_space,
        "MirrorPad" => slices::mirror_pad,
        "Pad" | "PadV2" => slices::pad,
        "ReverseV2" => slices::reverse,
        "Slice" => slices::slice,
        "SpaceToBatchND" => slices::space_to_batch,
        "Split" => slices::split,
        "SplitV" => slices::split_v,
        "StridedSlice" => slices::strided_slice,
        "Unpack" => slices::unpack,
        "All" | "Any" | "Max" | "Mean" | "Min" | "Prod" | "Sum" => reduce::reduce,
        "ArgMax" | "ArgMin" => reduce::arg,
        "AvgPool" => windows::avg_pool,
        "Conv2D" => windows::conv,
        "DepthwiseConv2dNative" => windows::depthwise,
        "MaxPool" => windows::max_pool,
        "FusedBatchNorm" | "FusedBatchNormV2" | "FusedBatchNormV3" => norms::batch_norm,
        "LogSoftmax" | "Softmax" => norms::softmax,
        "BatchMatMul" | "BatchMatMulV2" | "MatMul" => products::mat_mul,
        "Einsum" => products::einsum,
        "FakeQuantWithMinMaxVars" => quantise::fake,
        _ => return None,
    };
    Some(known)
}

//! ONNX as exporters write it, and as ONNX Runtime computes it, where tract's loader does
//! something else.
//!
//! - `graph`: what is done to a file before tract reads it: only what is wanted stays, nodes
//!   get names of their own, and a few operations are written as others.
//! - One file for each operation, or family, that tract lacks or computes wrongly: `celu`,
//!   `conv_transpose`, `features`, `gemm`, `global_lp_pool`, `one_hot`, `pad`, `quantise`,
//!   `recurrent`, `resize`, `scaler`, `tree_classifier`. Each says what was wrong. They are written
//!   on tract's own interfaces, as it might have them.
//! - `integers`: quantised graphs, which are computed on integers.
//! - `tracts`: tract's own operations, where ours are built on them; `wire`: a few typed
//!   operations after one another; `uses`: the names that nodes use.

mod celu;
mod conv_transpose;
mod features;
mod gemm;
mod global_lp_pool;
mod graph;
mod integers;
mod one_hot;
mod pad;
mod quantise;
mod recurrent;
mod resize;
mod scaler;
mod tracts;
mod tree_classifier;
mod uses;
mod wire;

use tract_onnx::Onnx;

pub(super) use graph::{Wanted, opset, prepare, reduce};
pub(super) use integers::whole;
use tracts::TRACTS;
pub(super) use wire::Wire;

/// Puts our operations in the place of tract's.
pub(super) fn register(onnx: &mut Onnx) {
    for op in [
        "ConvTranspose",
        "GRU",
        "Gemm",
        "LSTM",
        "OneHot",
        "Pad",
        "RNN",
        "Resize",
        "TreeEnsembleClassifier",
    ] {
        if let Some(builder) = onnx.op_register.0.get(op).copied() {
            onnx.op_register.0.insert(format!("{TRACTS}{op}"), builder);
        }
    }
    integers::register(onnx);
    let register = &mut onnx.op_register;
    register.insert("ArrayFeatureExtractor", features::from_onnx);
    register.insert("Celu", celu::from_onnx);
    register.insert("ConvTranspose", conv_transpose::from_onnx);
    register.insert("DequantizeLinear", quantise::dequantise);
    register.insert("Gemm", gemm::from_onnx);
    register.insert("GlobalLpPool", global_lp_pool::from_onnx);
    register.insert("OneHot", one_hot::from_onnx);
    register.insert("Pad", pad::from_onnx);
    register.insert("QuantizeLinear", quantise::quantise);
    register.insert("Resize", resize::resize);
    register.insert("Scaler", scaler::from_onnx);
    register.insert("TreeEnsembleClassifier", tree_classifier::from_onnx);
    register.insert("Upsample", resize::upsample);
    for op in ["GRU", "LSTM", "RNN"] {
        register.insert(op, recurrent::from_onnx);
    }
}

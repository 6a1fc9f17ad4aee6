//! Quantised graphs (`QuantizeLinear`, `DequantizeLinear`), on integers as ONNX Runtime computes
//! them.
//!
//! A file says `DequantizeLinear`, `Conv`, `QuantizeLinear`. Computed so, in floats, a sum that is
//! rounded in another order falls on the other side of a step now and then; each layer passes that
//! on, and probabilities end up some hundredths away. ONNX Runtime makes one operation of the three,
//! which adds up integers and multiplies once. That has one right answer, and here it is computed:
//! the same codes, bit for bit.
//!
//! It does so for codes of 8 bits without a sign (`uint8`); with a sign (`int8`), what it computes
//! depends on the processor and on what stands beside a node. Those stay as the file has them, and
//! the gate looks at what follows from them.
//!
//! Products are of whole numbers in floats: every sum below 2^24 is exact whatever its order, and
//! tract multiplies floats fastest. Larger ones are of 64 bits. What is added up is known when the
//! graph is loaded.
//!
//! - `view`: what is codes in a graph, and what they count.
//! - `products`: `Conv`, `Gemm`, `MatMul`; `codes`: other operations, from codes to codes.
//! - `instead`: what stands for nodes; `ops`: the operations that stand for them; `arithmetic`, `pairs` and
//!   `windows`: what they compute.

mod arithmetic;
mod codes;
mod instead;
mod ops;
mod pairs;
mod products;
mod view;
mod windows;

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, NodeProto};

use instead::Instead;
pub(super) use ops::register;
use view::View;

/// Puts operations on integers in the place of nodes; what they leave unused stays.
pub(super) fn rewrite(graph: &mut GraphProto, opset: i64) {
    let view = View::new(graph, opset);
    let found: Vec<Instead> = found(&view).collect();
    let gone: HashSet<usize> = found.iter().flat_map(|instead| instead.of.clone()).collect();
    let mut made: HashMap<usize, Vec<NodeProto>> = HashMap::new();
    let mut taken = HashSet::new();
    for mut instead in found {
        // Operations that take the same codes share what is made of them.
        instead.nodes.retain(|node| node.output.iter().all(|output| taken.insert(output.clone())));
        made.insert(instead.of[0], instead.nodes);
        graph.initializer.extend(instead.stored);
    }
    let nodes = std::mem::take(&mut graph.node);
    for (index, node) in nodes.into_iter().enumerate() {
        graph.node.extend(made.remove(&index).unwrap_or_default());
        if !gone.contains(&index) {
            graph.node.push(node);
        }
    }
}

/// The numbers of the nodes that are computed on integers.
pub(crate) fn whole(graph: &GraphProto, opset: i64) -> HashSet<usize> {
    let view = View::new(graph, opset);
    found(&view).flat_map(|instead| instead.of).collect()
}

fn found<'a>(view: &'a View<'a>) -> impl Iterator<Item = Instead> + 'a {
    let nodes = view.graph.node.iter().enumerate();
    nodes.filter_map(|(index, node)| {
        products::of(view, index, node).or_else(|| codes::of(view, index, node))
    })
}

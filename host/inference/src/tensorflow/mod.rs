//! Frozen graphs of TensorFlow, computed as TensorFlow computes them.
//!
//! tract's own loader for them is old: of Conv2D it leaves out dilations, of BiasAdd the layout,
//! it takes Slice's sizes for ends and the softmax of the wrong axis, and lacks much of what
//! exporters write today. Here are loaders for each operation on tract's typed operations, which
//! are sound. Since shapes are known when a graph is optimised, all that follows from them is
//! constant.
//!
//! - `graph`: what is needed of a file, in order ([`Graph`]); `branches`, conditions that are
//!   constant; `places`, how nodes are named; `stored`, its tensors.
//! - `node`: a node as an operation of tract's; `load`, the whole as a model of tract's.
//! - `operations`: which function wires which operation. The functions: `elementwise`, `integers`
//!   (division), `arrays`, `slices`, `reduce`, `windows` (convolution, pools), `norms`,
//!   `products`, `quantise`; `sizes`: shapes, axes and constants that they read.

mod arrays;
mod branches;
mod elementwise;
mod graph;
mod integers;
mod load;
mod node;
mod norms;
mod operations;
mod places;
mod products;
mod quantise;
mod reduce;
mod sizes;
mod slices;
mod stored;
mod windows;

pub(super) use graph::Graph;
pub(super) use load::load;
pub(super) use places::place;

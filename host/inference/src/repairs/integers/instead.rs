//! What stands for nodes of a file.

use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto, attribute_proto::AttributeType};

/// What stands for some nodes of a graph.
#[derive(Debug)]
pub(super) struct Instead {
    /// The numbers of the nodes that it stands for; the last one's output is given.
    pub(super) of: Vec<usize>,
    pub(super) nodes: Vec<NodeProto>,
    pub(super) stored: Vec<TensorProto>,
}

/// A node of our own, with the name of its output.
pub(super) fn node(
    op: &str,
    inputs: &[&str],
    output: &str,
    attribute: Vec<AttributeProto>,
) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.into()],
        attribute,
        ..Default::default()
    }
}

pub(super) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i, ..Default::default() }
}

pub(super) fn numbers(name: &str, floats: Vec<f32>) -> AttributeProto {
    let r#type = AttributeType::Floats as i32;
    AttributeProto { name: name.into(), r#type, floats, ..Default::default() }
}

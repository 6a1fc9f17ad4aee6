//! Small ONNX graphs, written down operation by operation.

use prost::Message;
use tract_onnx::pb::type_proto::Value;
pub use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto, tensor_proto::DataType};
use tract_onnx::pb::{
    GraphProto, ModelProto, OperatorSetIdProto, TensorShapeProto, TypeProto, ValueInfoProto,
    attribute_proto, tensor_proto, tensor_shape_proto, type_proto,
};

/// An element type, as ONNX numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ty {
    /// 16-bit floats.
    F16,
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
    /// Bytes.
    U8,
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// Truth values.
    Bool,
}

impl Ty {
    fn number(self) -> i32 {
        let ty = match self {
            Ty::F16 => DataType::Float16,
            Ty::F32 => DataType::Float,
            Ty::F64 => DataType::Double,
            Ty::U8 => DataType::Uint8,
            Ty::I32 => DataType::Int32,
            Ty::I64 => DataType::Int64,
            Ty::Bool => DataType::Bool,
        };
        ty as i32
    }
}

/// An input or output: its name, type and shape.
pub fn value(name: &str, ty: Ty, shape: &[i64]) -> ValueInfoProto {
    let dim = |size: &i64| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(*size)),
        ..Default::default()
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: ty.number(), shape: Some(shape) };
    let r#type = TypeProto { value: Some(Value::TensorType(tensor)), ..Default::default() };
    ValueInfoProto { name: name.into(), r#type: Some(r#type), ..Default::default() }
}

/// An operation: its type, inputs, and output, which is its name too.
pub fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: output.into(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

/// An attribute that is a whole number.
pub fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: attribute_proto::AttributeType::Int as i32,
        i: value,
        ..Default::default()
    }
}

/// An attribute that is a graph.
pub fn subgraph(name: &str, nodes: Vec<NodeProto>, output: &str) -> AttributeProto {
    let output = ValueInfoProto { name: output.into(), ..Default::default() };
    AttributeProto {
        name: name.into(),
        r#type: attribute_proto::AttributeType::Graph as i32,
        g: Some(GraphProto {
            name: name.into(),
            node: nodes,
            output: vec![output],
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Integers that are stored in a file; none of `dims` is a number alone.
pub fn integers(name: &str, dims: &[i64], values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        data_type: Ty::I64.number(),
        dims: dims.to_vec(),
        int64_data: values.to_vec(),
        ..Default::default()
    }
}

/// Numbers that are stored in a file.
pub fn numbers(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        data_type: Ty::F32.number(),
        dims: dims.to_vec(),
        float_data: values.to_vec(),
        ..Default::default()
    }
}

/// A graph that makes `c` of what is stored, and adds its largest number to `x`, one number.
pub fn made(mut nodes: Vec<NodeProto>, stored: Vec<TensorProto>) -> Vec<u8> {
    let mut largest = node("ReduceMax", &["c"], "largest");
    largest.attribute.push(integer("keepdims", 0));
    nodes.extend([largest, node("Add", &["x", "largest"], "y")]);
    model(GraphProto {
        name: "test".into(),
        node: nodes,
        input: vec![value("x", Ty::F32, &[1, 1])],
        output: vec![value("y", Ty::F32, &[1, 1])],
        initializer: stored,
        ..Default::default()
    })
}

/// The file of a graph.
pub fn model(graph: GraphProto) -> Vec<u8> {
    let opset = OperatorSetIdProto { domain: String::new(), version: 13 };
    ModelProto {
        ir_version: 7,
        opset_import: vec![opset],
        graph: Some(graph),
        ..Default::default()
    }
    .encode_to_vec()
}

fn simple(nodes: Vec<NodeProto>, input: ValueInfoProto, output: ValueInfoProto) -> Vec<u8> {
    let name = "test".into();
    model(GraphProto {
        name,
        node: nodes,
        input: vec![input],
        output: vec![output],
        ..Default::default()
    })
}

/// `x` of [2, 3] as 32-bit floats.
pub fn to_f32(from: Ty) -> Vec<u8> {
    let mut cast = node("Cast", &["x"], "y");
    cast.attribute.push(integer("to", Ty::F32.number().into()));
    simple(vec![cast], value("x", from, &[2, 3]), value("y", Ty::F32, &[2, 3]))
}

/// Whether the numbers of `x`, of [2, 3], are more than themselves.
pub fn to_bool() -> Vec<u8> {
    let greater = node("Greater", &["x", "x"], "y");
    simple(vec![greater], value("x", Ty::F32, &[2, 3]), value("y", Ty::Bool, &[2, 3]))
}

/// The products of all pairs of rows of `x`, of [N, 1].
pub fn pairs() -> Vec<u8> {
    let mut turned = node("Transpose", &["x"], "turned");
    turned.attribute.push(AttributeProto {
        name: "perm".into(),
        r#type: attribute_proto::AttributeType::Ints as i32,
        ints: vec![1, 0],
        ..Default::default()
    });
    let output = ValueInfoProto { name: "y".into(), ..Default::default() };
    simple(vec![turned, node("MatMul", &["x", "turned"], "y")], batch("x"), output)
}

/// Each number of `x`, of [N, 1], so many times in a row.
pub fn spread(times: i64) -> Vec<u8> {
    let ones = TensorProto {
        name: "ones".into(),
        data_type: Ty::F32.number(),
        dims: vec![1, times],
        float_data: vec![1.0; times as usize],
        ..Default::default()
    };
    model(GraphProto {
        name: "test".into(),
        node: vec![node("MatMul", &["x", "ones"], "y")],
        input: vec![batch("x")],
        output: vec![ValueInfoProto { name: "y".into(), ..Default::default() }],
        initializer: vec![ones],
        ..Default::default()
    })
}

/// An input of [N, 1].
fn batch(name: &str) -> ValueInfoProto {
    let mut batch = value(name, Ty::F32, &[1, 1]);
    if let Some(TypeProto { value: Some(Value::TensorType(tensor)), .. }) = &mut batch.r#type
        && let Some(shape) = &mut tensor.shape
    {
        let rows = tensor_shape_proto::dimension::Value::DimParam("N".into());
        shape.dim[0].value = Some(rows);
    }
    batch
}

/// The products of the rows of `x`, of so many numbers each, with this matrix.
pub fn weighs(rows: i64, columns: i64, weights: &[f32]) -> Vec<u8> {
    let mut input = batch("x");
    if let Some(TypeProto { value: Some(Value::TensorType(tensor)), .. }) = &mut input.r#type
        && let Some(shape) = &mut tensor.shape
    {
        let size = tensor_shape_proto::dimension::Value::DimValue(rows);
        shape.dim[1].value = Some(size);
    }
    model(GraphProto {
        name: "test".into(),
        node: vec![node("MatMul", &["x", "w"], "y")],
        input: vec![input],
        output: vec![ValueInfoProto { name: "y".into(), ..Default::default() }],
        initializer: vec![numbers("w", &[rows, columns], weights)],
        ..Default::default()
    })
}

/// The numbers from 0 up to `x`, a whole number.
pub fn counts() -> Vec<u8> {
    let scalar = |name: &str, number: i64| TensorProto {
        name: name.into(),
        data_type: Ty::I64.number(),
        int64_data: vec![number],
        ..Default::default()
    };
    model(GraphProto {
        name: "test".into(),
        node: vec![node("Range", &["zero", "x", "one"], "y")],
        input: vec![value("x", Ty::I64, &[])],
        output: vec![ValueInfoProto { name: "y".into(), ..Default::default() }],
        initializer: vec![scalar("zero", 0), scalar("one", 1)],
        ..Default::default()
    })
}

/// So many products of a square matrix `x` with itself, one after the other.
pub fn products(count: usize, size: i64) -> Vec<u8> {
    let mut last = "x".to_owned();
    let mut nodes = Vec::new();
    for step in 0..count {
        let next = format!("product-{step}");
        nodes.push(node("MatMul", &["x", &last], &next));
        last = next;
    }
    let shape = [size, size];
    simple(nodes, value("x", Ty::F32, &shape), value(&last, Ty::F32, &shape))
}

/// Whole numbers, of [2, 3], shifted to the left: of 32 bits with a sign, the engine does it
/// otherwise than ONNX Runtime where the second number is below 0 or large.
pub fn shifts() -> Vec<u8> {
    let mut shift = node("BitShift", &["x", "x"], "y");
    shift.attribute.push(AttributeProto {
        name: "direction".into(),
        r#type: attribute_proto::AttributeType::String as i32,
        s: b"LEFT".to_vec(),
        ..Default::default()
    });
    simple(vec![shift], value("x", Ty::I32, &[2, 3]), value("y", Ty::I32, &[2, 3]))
}

/// The mean red, green and blue of a picture of 4 by 2 pixels, of bytes and channels last, as
/// networks take them that scale their pixels themselves.
pub fn mean_colour() -> Vec<u8> {
    let mut cast = node("Cast", &["pixels"], "floats");
    cast.attribute.push(integer("to", Ty::F32.number().into()));
    let mut mean = node("ReduceMean", &["floats"], "colour");
    mean.attribute.push(integer("keepdims", 0));
    mean.attribute.push(AttributeProto {
        name: "axes".into(),
        r#type: attribute_proto::AttributeType::Ints as i32,
        ints: vec![1, 2],
        ..Default::default()
    });
    let input = value("pixels", Ty::U8, &[1, 2, 4, 3]);
    simple(vec![cast, mean], input, value("colour", Ty::F32, &[1, 3]))
}

/// A graph with an operation that nobody has.
pub fn unknown_operation() -> Vec<u8> {
    let unknown = node("Levitate", &["x"], "y");
    simple(vec![unknown], value("x", Ty::F32, &[1, 2]), value("y", Ty::F32, &[1, 2]))
}

/// A graph with three inputs, as large as a digit, which it adds.
pub fn three_inputs() -> Vec<u8> {
    let nodes = vec![node("Add", &["a", "b"], "ab"), node("Add", &["ab", "c"], "abc")];
    model(GraphProto {
        name: "test".into(),
        node: nodes,
        input: ["a", "b", "c"].map(|name| value(name, Ty::F32, &[1, 1, 8, 8])).to_vec(),
        output: vec![value("abc", Ty::F32, &[1, 1, 8, 8])],
        ..Default::default()
    })
}

/// A graph that adds a constant which claims dimensions and brings hardly any data, or
/// names a file that holds them.
pub fn constant(dims: &[i64], data: &[u8], file: Option<&str>) -> Vec<u8> {
    let mut tensor = TensorProto {
        name: "c".into(),
        data_type: Ty::F32.number(),
        dims: dims.to_vec(),
        raw_data: data.to_vec(),
        ..Default::default()
    };
    if let Some(file) = file {
        let entry = |key: &str, value: &str| tract_onnx::pb::StringStringEntryProto {
            key: key.into(),
            value: value.into(),
        };
        tensor.data_location = Some(tensor_proto::DataLocation::External as i32);
        tensor.external_data = vec![entry("location", file), entry("length", "8")];
    }
    model(GraphProto {
        name: "test".into(),
        node: vec![node("Add", &["x", "c"], "y")],
        input: vec![value("x", Ty::F32, &[1, 2])],
        output: vec![value("y", Ty::F32, &[1, 2])],
        initializer: vec![tensor],
        ..Default::default()
    })
}

/// A graph that expands its input, of one number, to these dimensions.
pub fn expands(dims: &[i64]) -> Vec<u8> {
    let shape = integers("shape", &[dims.len() as i64], dims);
    model(GraphProto {
        name: "test".into(),
        node: vec![node("Expand", &["x", "shape"], "y")],
        input: vec![value("x", Ty::F32, &[1, 1])],
        output: vec![value("y", Ty::F32, dims)],
        initializer: vec![shape],
        ..Default::default()
    })
}

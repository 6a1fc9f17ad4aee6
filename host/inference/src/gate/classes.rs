//! Values of attributes, and of inputs that are like attributes, as classes: a kernel of 3 and
//! one of 5 go the same way through an engine, a negative axis and a positive one may not.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, TensorProto};

/// Integers that are names of things, not quantities.
const EXACT: [&str; 9] =
    ["to", "dtype", "output_dtype", "fmod", "keepdims", "p", "stash_type", "layout", "onesided"];

/// The name of an element's type: as `wasi:nn` has it, and by the same pattern for others.
pub(super) fn type_name(ty: i32) -> &'static str {
    match DataType::try_from(ty).ok() {
        Some(DataType::Float) => "fp32",
        Some(DataType::Float16) => "fp16",
        Some(DataType::Double) => "fp64",
        Some(DataType::Bfloat16) => "bf16",
        Some(DataType::Uint8) => "u8",
        Some(DataType::Int8) => "i8",
        Some(DataType::Uint16) => "u16",
        Some(DataType::Int16) => "i16",
        Some(DataType::Uint32) => "u32",
        Some(DataType::Int32) => "i32",
        Some(DataType::Uint64) => "u64",
        Some(DataType::Int64) => "i64",
        Some(DataType::Bool) => "bool",
        Some(DataType::String) => "string",
        _ => "?",
    }
}

/// Whether a value of a feature is the name of an element's type.
pub(super) fn is_type(value: &str) -> bool {
    (1..=16).any(|ty| type_name(ty) == value && value != "?")
}

/// The functions of a recurrent layer: which stands where matters, in each direction for itself.
pub(super) fn of_functions(op: &str, names: &[Vec<u8>]) -> Vec<String> {
    let count = match op {
        "LSTM" => 3,
        "GRU" => 2,
        _ => 1,
    };
    let direction =
        |names: &[Vec<u8>]| names.iter().map(|it| text(it)).collect::<Vec<_>>().join(",");
    names.chunks(count).map(direction).collect()
}

fn text(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}

/// The classes of an attribute's value.
pub(super) fn of_attribute(attribute: &AttributeProto) -> Vec<String> {
    let name = attribute.name.as_str();
    match AttributeType::try_from(attribute.r#type).ok() {
        Some(AttributeType::Int) => of_int(name, attribute.i),
        Some(AttributeType::Float) => vec![of_float(attribute.f).to_owned()],
        Some(AttributeType::Ints) => of_ints(name, &attribute.ints),
        Some(AttributeType::String) => vec![text(&attribute.s).replace(' ', "_")],
        Some(AttributeType::Strings) => {
            let mut each: Vec<String> = attribute.strings.iter().map(|it| text(it)).collect();
            match name {
                // Which kinds of splits there are.
                "nodes_modes" => {
                    each.sort();
                    each.dedup();
                    each
                }
                "classlabels_strings" => vec![count(each.len()).to_owned()],
                _ => vec!["strings".to_owned()],
            }
        }
        // One for all classes, or one for each.
        Some(AttributeType::Floats) if matches!(name, "intercepts" | "base_values") => {
            vec![count(attribute.floats.len()).to_owned()]
        }
        // Votes that are all above 0 are shares of the whole, others are sums.
        Some(AttributeType::Floats) if name == "class_weights" => {
            let shares = attribute.floats.iter().all(|vote| *vote >= 0.0);
            vec![if shares { "positive" } else { "mixed" }.to_owned()]
        }
        Some(AttributeType::Floats) => vec!["numbers".to_owned()],
        Some(AttributeType::Tensor) => {
            let ty = attribute.t.as_ref().map_or("?", |tensor| type_name(tensor.data_type));
            vec![format!("tensor-{ty}")]
        }
        Some(AttributeType::Graph) => vec!["graph".to_owned()],
        _ => vec!["other".to_owned()],
    }
}

/// The classes of a default, as the table of versions has it.
pub(super) fn of_default(name: &str, default: &str) -> Vec<String> {
    if default.starts_with('"') {
        vec![default.to_owned()]
    } else if let Ok(int) = default.parse() {
        of_int(name, int)
    } else {
        vec![default.parse().map_or("other", of_float).to_owned()]
    }
}

fn count(things: usize) -> &'static str {
    match things {
        0 => "none",
        1 => "one",
        2 => "two",
        _ => "many",
    }
}

fn of_int(name: &str, int: i64) -> Vec<String> {
    if EXACT.contains(&name) {
        return vec![int.to_string()];
    }
    let axis = name.ends_with("axis") || matches!(name, "start" | "end" | "batch_dims" | "k");
    vec![match int {
        ..0 => "negative".to_owned(),
        0 => "0".to_owned(),
        _ if axis => "positive".to_owned(),
        1 => "1".to_owned(),
        _ => "many".to_owned(),
    }]
}

/// The class of a number.
pub(super) fn of_float(float: f32) -> &'static str {
    match float {
        0.0 => "0",
        1.0 => "1",
        _ if float < 0.0 => "negative",
        _ => "positive",
    }
}

/// The number that a stored tensor of one 32-bit float is.
pub(super) fn float(tensor: &TensorProto) -> Option<f32> {
    if tensor.data_type != DataType::Float as i32 || tensor.dims.iter().product::<i64>() != 1 {
        return None;
    }
    let raw = || tensor.raw_data.first_chunk::<4>().map(|bytes| f32::from_le_bytes(*bytes));
    tensor.float_data.first().copied().or_else(raw)
}

/// The classes of a list of integers: it is in several at once.
pub(super) fn of_ints(name: &str, ints: &[i64]) -> Vec<String> {
    if ints.is_empty() {
        return vec!["none".to_owned()];
    }
    let mut classes = Vec::new();
    let mut add = |class: &str| classes.push(class.to_owned());
    match name {
        "classlabels_ints" | "classlabels_int64s" => return vec![count(ints.len()).to_owned()],
        // Trees may vote for one class, of two, or for each.
        "class_ids" => {
            let same = ints.iter().all(|int| *int == ints[0]);
            return if same { of_int(name, ints[0]) } else { vec!["several".to_owned()] };
        }
        "nodes_missing_value_tracks_true" => {
            let any = ints.iter().any(|int| *int != 0);
            return vec![if any { "some" } else { "none" }.to_owned()];
        }
        "kernel_shape" => return vec![format!("{}d", ints.len())],
        "perm" => {
            let same = ints.iter().enumerate().all(|(place, axis)| place as i64 == *axis);
            return vec![if same { "same" } else { "other" }.to_owned()];
        }
        "strides" | "dilations" => {
            add(if ints.iter().all(|int| *int == 1) { "ones" } else { "more" });
            if ints.iter().any(|int| *int != ints[0]) {
                add("uneven");
            }
            return classes;
        }
        "pads" => {
            let half = ints.len() / 2;
            if ints.iter().all(|int| *int == 0) {
                add("none");
            } else {
                add(if ints[..half] == ints[half..] { "even" } else { "uneven" });
            }
            if ints.iter().any(|int| *int < 0) {
                add("negative");
            }
            return classes;
        }
        _ => {}
    }
    if name == "training_mode" {
        return ints.iter().map(ToString::to_string).collect();
    }
    add(if ints.len() == 1 { "one" } else { "several" });
    if ints.iter().any(|int| *int < 0) {
        add("negative");
    }
    // A 0 is a place of its own in shapes and splits; among axes it is one like others.
    if matches!(name, "shape" | "split" | "repeats") && ints.contains(&0) {
        add("0");
    }
    if name == "steps" && ints.iter().any(|int| *int > 1) {
        add("more");
    }
    classes
}

/// The integers of a stored tensor, if it is one of integers or booleans that is not large.
pub(super) fn ints(tensor: &TensorProto) -> Option<Vec<i64>> {
    let count: i64 = tensor.dims.iter().product();
    if !(0..=64).contains(&count) {
        return None;
    }
    let raw = &tensor.raw_data;
    let ints: Vec<i64> = match DataType::try_from(tensor.data_type).ok()? {
        DataType::Int64 if raw.is_empty() => tensor.int64_data.clone(),
        DataType::Int64 => {
            let each = raw.as_chunks::<8>().0.iter();
            each.map(|bytes| i64::from_le_bytes(*bytes)).collect()
        }
        DataType::Int32 | DataType::Bool if raw.is_empty() => {
            tensor.int32_data.iter().map(|int| i64::from(*int)).collect()
        }
        DataType::Int32 => {
            let each = raw.as_chunks::<4>().0.iter();
            each.map(|bytes| i64::from(i32::from_le_bytes(*bytes))).collect()
        }
        DataType::Bool => raw.iter().map(|byte| i64::from(*byte)).collect(),
        _ => return None,
    };
    (ints.len() as i64 == count).then_some(ints)
}

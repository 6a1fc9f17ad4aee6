#!/usr/bin/env python3
"""What ONNX Runtime answers for small graphs as exporters write them: golden results of sandbar-inference.

Needs `pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0`; reads models/digits and nothing else:

    python models/golden-exports.py

Writes tests/golden/exports.jsonl, one case a line: its name, the graph (`model`, in base64), what its
folder declares (`inputs`, `outputs`: names and shapes; none where the file's own are taken), the
tensors that are given and those that ONNX Runtime gives back (CPU, one thread, optimisations off).
A tensor is its type, its shape and its numbers in order. Cases without answers must be refused, with
`refused` in the reason.
"""

import base64
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16

FILE = Path(__file__).resolve().parent.parent / "tests" / "golden" / "exports.jsonl"
TYPES = {"float32": "fp32", "float16": "fp16", "float64": "fp64", "uint8": "u8", "int32": "i32", "int64": "i64"}
# What wasi:nn lacks is given as the next wider type.
WIDER = {"int8": "int32", "int16": "int32", "uint16": "int32", "uint32": "int64"}
F, I64, U8, F16, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8, TensorProto.FLOAT16, TensorProto.STRING

rng = np.random.default_rng(13)
lines = []


def floats(*shape):
    return (rng.standard_normal(shape) * 1.5).astype(np.float32)


def value(name, ty, shape):
    return helper.make_tensor_value_info(name, ty, shape)


def model(nodes, inputs, outputs, constants=(), opset=17, ml=None, **more):
    constants = [numpy_helper.from_array(array, name) for name, array in dict(constants).items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants, **more)
    imports = [helper.make_opsetid("", opset)]
    if ml:
        imports.append(helper.make_opsetid("ai.onnx.ml", ml))
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def shortest(number):
    """The fewest digits that are the same number in its type."""
    return int(number) if np.issubdtype(type(number), np.integer) else float(str(number))


def tensor(array):
    array = array.astype(WIDER.get(str(array.dtype), array.dtype))
    return {"type": TYPES[str(array.dtype)], "shape": list(array.shape), "numbers": [shortest(number) for number in array.reshape(-1)]}


def case(name, proto, given, inputs=None, outputs=None, refused=None, tolerance=1e-5, judge=None):
    """One line. `outputs` are the names and shapes that the model's folder declares; `judge` is the graph that ONNX
    Runtime runs, where it is another."""
    line = {"name": name, "model": base64.b64encode(proto.SerializeToString()).decode(), "tolerance": tolerance}
    if inputs:
        line["inputs"] = inputs
    if outputs:
        line["outputs"] = outputs
    line["given"] = {key: tensor(array) for key, array in given.items()}
    if refused:
        line["refused"] = refused
    else:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession((judge or proto).SerializeToString(), options, providers=["CPUExecutionProvider"])
        names = list(outputs or [output.name for output in session.get_outputs() if output.type != "tensor(string)"])
        known = {output.name for output in session.get_outputs()}
        answers = session.run([name for name in names if name in known], given)
        line["answers"] = {name: tensor(np.asarray(answer)) for name, answer in zip(names, answers)}
    lines.append(json.dumps(line, separators=(",", ":")))


def one(name, op, x, opset=17, constants=(), more=(), judge=None, ty=F, out=F, domain="", ml=None, refused=None, tolerance=1e-5, **attributes):
    """A graph of one operation on `x`."""
    node = helper.make_node(op, ["x", *dict(constants), *more], ["y"], domain=domain, **attributes)
    proto = model([node], [value("x", ty, x.shape)], [value("y", out, None)], constants, opset, ml)
    case(name, proto, {"x": x}, refused=refused, tolerance=tolerance, judge=judge)


def activations():
    x = floats(2, 3, 4)
    for alpha in (0.3, 1.0, 2.5):
        one(f"celu {alpha}", "Celu", x, alpha=alpha)
    for p in (1, 2, 3):
        one(f"global-lp-pool {p}", "GlobalLpPool", floats(2, 3, 4, 5), p=p)
    one("global-lp-pool of one axis", "GlobalLpPool", floats(2, 3, 7))


def convolutions():
    x, w, b = floats(1, 4, 5, 6), floats(4, 3, 3, 3), floats(3)
    for pad in ("NOTSET", "SAME_UPPER", "SAME_LOWER"):
        for shape in ([10, 12], [9, 11], [11, 13]):
            one(f"conv-transpose {pad} {shape}", "ConvTranspose", x, constants={"w": w}, strides=[2, 2], output_shape=shape, auto_pad=pad)
        if pad != "NOTSET":
            one(f"conv-transpose {pad}", "ConvTranspose", x, constants={"w": w, "b": b}, strides=[2, 3], auto_pad=pad)
    one("conv-transpose of groups", "ConvTranspose", x, constants={"w": floats(4, 3, 3, 2), "b": floats(6)}, group=2, strides=[2, 1], dilations=[1, 2], output_shape=[9, 7])
    one("conv-transpose of one axis", "ConvTranspose", floats(2, 3, 6), constants={"w": floats(3, 2, 4)}, strides=[3], output_shape=[17], output_padding=[1])
    one("conv-transpose of more than there is", "ConvTranspose", x, constants={"w": w}, strides=[2, 2], output_shape=[12, 14], refused="output_padding")


def pads():
    x = floats(2, 5, 6)
    for pads in ([0, -1, 0, 0, -2, 0], [0, -1, 2, 0, 1, -3], [0, 1, 0, 0, 2, 1]):
        one(f"pad {pads}", "Pad", x, constants={"pads": np.array(pads, np.int64), "c": np.array(0.5, np.float32)})
    one("pad of an axis", "Pad", x, opset=18, constants={"pads": np.array([-2, 1], np.int64), "c": np.array(0.5, np.float32), "axes": np.array([-1], np.int64)})
    one("pad of all there is", "Pad", x, constants={"pads": np.array([0, -4, 0, 0, -4, 0], np.int64)}, refused="Pad takes away")


def upsamples():
    x = floats(1, 2, 3, 4)
    scales = np.array([1, 1, 2, 3], np.float32)
    for mode in ("nearest", "linear"):
        one(f"upsample 9 {mode}", "Upsample", x, opset=9, constants={"s": scales}, mode=mode)
        one(f"upsample 7 {mode}", "Upsample", x, opset=7, scales=scales.tolist(), mode=mode)
        one(f"resize 10 {mode}", "Resize", x, opset=10, constants={"s": scales}, mode=mode)
    one("upsample by a half", "Upsample", x, opset=9, constants={"s": np.array([1, 1, 1.5, 2.5], np.float32)}, mode="nearest")
    one("resize 10 to less", "Resize", x, opset=10, constants={"s": np.array([1, 1, 0.6, 0.5], np.float32)}, mode="nearest")


def recurrent():
    steps, batch, size, hidden = 6, 2, 3, 4
    x = floats(steps, batch, size)
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}

    def layer(name, op, direction="forward", extra=(), outputs=("y", "h", "c"), refused=None, **attributes):
        count = 2 if direction == "bidirectional" else 1
        g = gates[op]
        constants = {"w": floats(count, g * hidden, size) / 2, "r": floats(count, g * hidden, hidden) / 2, "b": floats(count, 2 * g * hidden) / 2}
        names = ["x", "w", "r", "b", "", "", "", ""]
        extras = {"lengths": (4, np.array([4, 6], np.int32)), "none": (4, np.array([0, 6], np.int32)), "h0": (5, floats(count, batch, hidden)), "c0": (6, floats(count, batch, hidden)), "p": (7, floats(count, 3 * hidden))}
        for key in extra:
            place, array = extras[key]
            names[place] = key
            constants[key] = array
        while not names[-1]:
            names.pop()
        if op != "LSTM":
            outputs = tuple(outputs)[:2]
        node = helper.make_node(op, names, list(outputs), hidden_size=hidden, direction=direction, **attributes)
        values = [value(it, F, None) for it in outputs if it]
        case(f"{op} {name}", model([node], [value("x", F, x.shape)], values, constants), {"x": x}, refused=refused)

    for op in gates:
        for direction in ("forward", "reverse", "bidirectional"):
            layer(direction, op, direction)
            layer(f"{direction}, a clip", op, direction, clip=0.4)
            layer(f"{direction}, lengths and a first state", op, direction, extra=("lengths", "h0", "c0") if op == "LSTM" else ("lengths", "h0"))
    layer("of its last output", "LSTM", "bidirectional", outputs=("", "h"))
    layer("of all outputs", "GRU", "reverse", outputs=("y",))
    layer("peepholes", "LSTM", "bidirectional", extra=("p",))
    layer("peepholes and a clip", "LSTM", "reverse", extra=("p",), clip=0.3)
    layer("functions", "LSTM", "bidirectional", activations=["HardSigmoid", "LeakyRelu", "Softsign", "Sigmoid", "Elu", "Relu"], activation_alpha=[0.3, 0.1, 0.7], activation_beta=[0.4])
    layer("coupled gates", "LSTM", "forward", input_forget=1)
    layer("functions", "GRU", "reverse", activations=["HardSigmoid", "ScaledTanh"], activation_alpha=[0.3, 0.8], activation_beta=[0.4, 0.6])
    layer("functions", "RNN", "bidirectional", activations=["Relu", "Affine"], activation_alpha=[0.5], activation_beta=[0.1])
    layer("functions", "RNN", "forward", activations=["ThresholdedRelu"], activation_alpha=[0.2])
    layer("of no steps", "LSTM", "reverse", extra=("none", "h0", "c0"))
    batchwise()
    layer("the reset gate last", "GRU", "bidirectional", linear_before_reset=1)
    layer("the reset gate last, a clip", "GRU", "reverse", linear_before_reset=1, clip=0.4)


def batchwise():
    """`layout = 1`, which ONNX Runtime lacks: it judges the same between transpositions."""
    x, w, r, b = floats(2, 6, 3), floats(2, 16, 3) / 2, floats(2, 16, 4) / 2, floats(2, 32) / 2
    first = floats(2, 2, 4)
    constants = {"w": w, "r": r, "b": b}
    inputs, outputs = [value("x", F, x.shape)], [value(name, F, None) for name in ("y", "h", "c")]
    same = {"hidden_size": 4, "direction": "bidirectional"}
    layer = helper.make_node("LSTM", ["x", "w", "r", "b", "", "h0"], ["y", "h", "c"], layout=1, **same)
    turn = lambda source, to, *perm: helper.make_node("Transpose", [source], [to], perm=perm)
    judge = [
        turn("x", "xt", 1, 0, 2),
        helper.make_node("LSTM", ["xt", "w", "r", "b", "", "h0"], ["yt", "ht", "ct"], **same),
        turn("yt", "y", 2, 0, 1, 3),
        turn("ht", "h", 1, 0, 2),
        turn("ct", "c", 1, 0, 2),
    ]
    proto = model([layer], inputs, outputs, {**constants, "h0": first.transpose(1, 0, 2)})
    case("LSTM with the batch first", proto, {"x": x}, judge=model(judge, inputs, outputs, {**constants, "h0": first}))


def quantised():
    x = floats(2, 3, 5)

    def qdq(name, op, zero, scale=0.025, after=0.03, refused=None, **attributes):
        """Quantise and dequantise before and after an operation, as quantize_static does."""
        q = lambda step, source: [helper.make_node("QuantizeLinear", [source, f"s{step}", f"z{step}"], [f"q{step}"]), helper.make_node("DequantizeLinear", [f"q{step}", f"s{step}", f"z{step}"], [f"d{step}"])]
        nodes = [*q(0, "x"), helper.make_node(op, ["d0"], ["o"], **attributes), *q(1, "o")]
        constants = {"s0": np.array(scale, np.float32), "z0": zero, "s1": np.array(after, np.float32), "z1": zero}
        case(f"qdq {name}", model(nodes, [value("x", F, x.shape)], [value("d1", F, None)], constants, 13), {"x": x})

    for zero in (np.array(120, np.uint8), np.array(-5, np.int8)):
        for axis in (1, -1):
            qdq(f"softmax {zero.dtype} {axis}", "Softmax", zero, axis=axis)
        qdq(f"log-softmax {zero.dtype}", "LogSoftmax", zero, axis=1)
        qdq(f"relu {zero.dtype}", "Relu", zero)
        qdq(f"sigmoid {zero.dtype}", "Sigmoid", zero)
        qdq(f"sum {zero.dtype}", "ReduceSum", zero)

    # The scale is not a number whose reciprocal is exact.
    x2 = (np.arange(-150, 150).reshape(2, 3, 50) * 0.1 - 0.05).astype(np.float32)
    one("quantise u8", "QuantizeLinear", x2, constants={"s": np.array(0.1, np.float32), "z": np.array(7, np.uint8)}, out=U8, opset=13)
    one("quantise i8", "QuantizeLinear", x2, constants={"s": np.array(0.1, np.float32), "z": np.array(-7, np.int8)}, out=TensorProto.INT8, opset=13)
    one("quantise without a zero point", "QuantizeLinear", x2, constants={"s": np.array(0.1, np.float32)}, out=U8, opset=13)
    one("quantise u16", "QuantizeLinear", x2, constants={"s": np.array(0.001, np.float32), "z": np.array(700, np.uint16)}, out=TensorProto.UINT16, opset=21)
    for axis in (0, 1, 2, -2):
        size = x.shape[axis]
        scales = np.abs(floats(size)) / 30 + 0.01
        one(f"quantise axis {axis}", "QuantizeLinear", x, constants={"s": scales, "z": rng.integers(-20, 20, size).astype(np.int8)}, out=TensorProto.INT8, opset=13, axis=axis)
        whole = rng.integers(-128, 127, x.shape).astype(np.int8)
        nodes = [helper.make_node("DequantizeLinear", ["w", "s", "z"], ["d"], axis=axis), helper.make_node("Add", ["x", "d"], ["y"])]
        constants = {"w": whole, "s": scales, "z": rng.integers(-20, 20, size).astype(np.int8)}
        case(f"dequantise axis {axis}", model(nodes, [value("x", F, x.shape)], [value("y", F, None)], constants, 13), {"x": x})
    nodes = [helper.make_node("DequantizeLinear", ["w", "s", "z"], ["d"], axis=2, block_size=2), helper.make_node("Add", ["x", "d"], ["y"])]
    constants = {"w": rng.integers(-128, 127, x.shape).astype(np.int8), "s": np.abs(floats(2, 3, 3)) / 30, "z": rng.integers(-9, 9, (2, 3, 3)).astype(np.int8)}
    case("dequantise blocks", model(nodes, [value("x", F, x.shape)], [value("y", F, None)], constants, 21), {"x": x})
    bias = helper.make_node("DequantizeLinear", ["w", "s"], ["d"])
    nodes = [bias, helper.make_node("Add", ["x", "d"], ["y"])]
    case("dequantise i32", model(nodes, [value("x", F, x.shape)], [value("y", F, None)], {"w": rng.integers(-9000, 9000, (5,)).astype(np.int32), "s": np.array(0.0003, np.float32)}, 13), {"x": x})
    # A scale that is computed.
    nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"])]
    case("dynamic", model(nodes, [value("x", F, x.shape)], [value("y", F, None)], opset=13), {"x": x})
    # As quantize_dynamic writes a dense layer.
    w = rng.integers(-127, 127, (5, 4)).astype(np.int8)
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("MatMulInteger", ["q", "w", "z", "wz"], ["i"]),
        helper.make_node("Cast", ["i"], ["f"], to=F),
        helper.make_node("Mul", ["s", "ws"], ["m"]),
        helper.make_node("Mul", ["f", "m"], ["y"]),
    ]
    constants = {"w": w, "wz": np.array(3, np.int8), "ws": np.array(0.01, np.float32)}
    case("dynamic dense", model(nodes, [value("x", F, (3, 5))], [value("y", F, None)], constants, 13), {"x": floats(3, 5)})


def scalers():
    node = {"domain": "ai.onnx.ml", "ml": 1}
    x = floats(3, 5)
    one("scaler", "Scaler", x, offset=[1.0, 2, 3, 4, 5], scale=[0.5, 0.5, 2, 2, 1], **node)
    one("scaler of one number", "Scaler", x, offset=[1.5], scale=[0.25], **node)
    one("scaler of integers", "Scaler", rng.integers(-9, 9, (2, 3)), ty=I64, offset=[1.5, 0, -1], scale=[0.25, 2, 3], **node)


def exporters():
    x = floats(1, 3)
    relu, softmax = helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Softmax", ["h"], ["p"], axis=1)
    batch = [value("x", F, ["N", 3])]
    p = value("p", F, ["N", 3])
    info = [value("h", F, ["N", 3])]
    plain = model([relu, softmax], batch, [p])
    case("value-info", model([relu, softmax], batch, [p], value_info=info), {"x": x})
    case("value-info of another batch", model([relu, softmax], batch, [p], value_info=[value("h", F, [8, 3])]), {"x": x}, judge=plain)
    named = [helper.make_node("Relu", ["x"], ["h"], name="p"), helper.make_node("Softmax", ["h"], ["p"], name="q", axis=1)]
    case("a node named as another's value", model(named, batch, [p]), {"x": x})
    case("the same, declared", model(named, batch, [p]), {"x": x}, outputs={"p": ["N", 3]})
    named = [helper.make_node("Relu", ["x"], ["h"], name="x"), helper.make_node("Softmax", ["h"], ["p"], name="x", axis=1)]
    case("nodes named as the input", model(named, batch, [p]), {"x": x}, judge=plain)
    named = [helper.make_node("Relu", ["x"], ["h"], name="n"), helper.make_node("Softmax", ["h"], ["p"], name="n", axis=1)]
    case("nodes of one name", model(named, batch, [p]), {"x": x}, judge=plain)
    labels = [softmax, relu, helper.make_node("ArgMax", ["x"], ["a"], axis=1, keepdims=0)]
    cast = [*labels, helper.make_node("Cast", ["a"], ["c"], to=I64)]
    order = [cast[1], cast[0], *cast[2:]]
    c = value("c", I64, ["N"])
    case("labels that are cast", model(order, batch, [p, c]), {"x": x})
    case("labels before the probabilities", model(order, batch, [c, p]), {"x": x})
    small = [*order[:3], helper.make_node("Cast", ["a"], ["c"], to=TensorProto.INT8)]
    case("labels of 8 bits", model(small, batch, [value("c", TensorProto.INT8, ["N"]), p]), {"x": x})
    # What no output needs may be of a kind that nobody has.
    unknown = helper.make_node("Levitate", ["x"], ["l"], domain="com.example")
    spare = model([relu, softmax, unknown], batch, [p, value("l", F, ["N", 3])])
    case("one of two outputs", spare, {"x": x}, outputs={"p": ["N", 3]}, judge=plain)
    # The batch under another name, or on another axis.
    case("another name of the batch", model([relu, softmax], [value("x", F, ["unk__7", 3])], [value("p", F, ["batch_size", 3])]), {"x": x})
    x = floats(4, 1, 3)
    turn = [helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), helper.make_node("Flatten", ["t"], ["f"], axis=1), helper.make_node("Softmax", ["f"], ["p"], axis=1)]
    case("a batch on the second axis", model(turn, [value("x", F, [4, "batch", 3])], [value("p", F, ["batch", 12])]), {"x": x})


def classifiers():
    """As scikit-learn's converters write a classifier: labels as text, and a map of each row."""
    x = floats(1, 4)
    linear = helper.make_node("LinearClassifier", ["x"], ["label", "probabilities"], domain="ai.onnx.ml", classlabels_strings=["a", "b", "c"], coefficients=floats(12).tolist(), intercepts=floats(3).tolist(), post_transform="SOFTMAX")
    maps = helper.make_node("ZipMap", ["probabilities"], ["output_probability"], domain="ai.onnx.ml", classlabels_strings=["a", "b", "c"])
    label = value("label", STRING, ["N"])
    plain = value("probabilities", F, ["N", 3])
    judge = model([linear], [value("x", F, ["N", 4])], [label, plain], ml=1)
    case("labels of text", judge, {"x": x})
    sequence = onnx.helper.make_value_info("output_probability", helper.make_sequence_type_proto(helper.make_map_type_proto(STRING, helper.make_tensor_type_proto(F, []))))
    mapped = model([linear, maps], [value("x", F, ["N", 4])], [label, sequence], ml=1)
    case("what a map is made of", mapped, {"x": x}, outputs={"probabilities": ["N", 3]}, judge=judge)
    renamed = helper.make_node("LinearClassifier", ["x"], ["label", "output_probability"], domain="ai.onnx.ml")
    renamed.attribute.extend(linear.attribute)
    case("a map of each row", mapped, {"x": x}, judge=model([renamed], [value("x", F, ["N", 4])], [label, value("output_probability", F, ["N", 3])], ml=1))


def trees():
    """A classifier of two classes as converters write it: one tree, of one class. Its label is not given."""
    node = helper.make_node(
        "TreeEnsembleClassifier", ["x"], ["l", "p"], domain="ai.onnx.ml", classlabels_int64s=[0, 1], post_transform="LOGISTIC",
        class_ids=[0, 0], class_nodeids=[1, 2], class_treeids=[0, 0], class_weights=[-0.8, 1.2],
        nodes_nodeids=[0, 1, 2], nodes_treeids=[0, 0, 0], nodes_featureids=[0, 0, 0], nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"], nodes_values=[0.0, 0.0, 0.0],
        nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0], nodes_missing_value_tracks_true=[0, 0, 0], nodes_hitrates=[1.0, 1.0, 1.0],
    )
    cast = helper.make_node("Cast", ["l"], ["label"], to=I64)
    x, p = [value("x", F, ["N", 2])], value("p", F, ["N", 2])
    proto = model([node, cast], x, [value("label", I64, ["N"]), p], ml=1)
    judge = model([node], x, [p], ml=1)
    for number in (-1, 1):
        case(f"a tree of two classes, {number}", proto, {"x": np.array([[number, 0]], np.float32)}, judge=judge)
    case("the label of two classes", proto, {"x": floats(1, 2)}, outputs={"label": ["N"]}, refused="declare its probabilities")


def halves():
    """Half precision within, single precision at the edges: what keep_io_types makes."""
    x = floats(1, 3, 8, 8)
    half = lambda *shape: (floats(*shape) / 3).astype(np.float16)
    nodes = [
        helper.make_node("Cast", ["x"], ["xh"], to=F16),
        helper.make_node("Conv", ["xh", "w", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "bs", "bb", "bm", "bv"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("LRN", ["r"], ["lrn"], size=3, alpha=0.1),
        helper.make_node("MaxPool", ["lrn"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Concat", ["m", "m"], ["k"], axis=1),
        helper.make_node("AveragePool", ["k"], ["a"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["a"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "d", "e"], ["l"], transB=1),
        helper.make_node("Softmax", ["l"], ["s"], axis=1),
        helper.make_node("Cast", ["s"], ["p"], to=F),
    ]
    constants = {"w": half(4, 3, 3, 3), "b": half(4), "bs": half(4), "bb": half(4), "bm": half(4), "bv": np.abs(half(4)) + np.float16(0.5), "d": half(5, 8), "e": half(5)}
    case("half precision", model(nodes, [value("x", F, ["N", 3, 8, 8])], [value("p", F, ["N", 5])], constants, 13, value_info=[value("r", F16, ["N", 4, 8, 8])]), {"x": x}, tolerance=2e-3)


def networks():
    """A whole network, models/digits, as ONNX Runtime's own tools quantise it and halve its precision."""
    folder = FILE.parent.parent.parent / "models" / "digits"
    rows = np.loadtxt(folder / "held-out.csv", delimiter=",", skiprows=1, dtype=np.float32)
    # As its model.toml says.
    pictures = ((rows[:, 2:] - 128) / 128).reshape(-1, 1, 8, 8)
    x = pictures[:12]

    class Some(CalibrationDataReader):
        def __init__(self):
            self.rest = iter([{"image": pictures[at : at + 50]} for at in range(50, 350, 50)])

        def get_next(self):
            return next(self.rest, None)

    with tempfile.TemporaryDirectory() as work:
        file = str(Path(work) / "quantised.onnx")
        original = str(folder / "model.onnx")
        for name, options, refused in [
            ("QDQ of u8", {}, None),
            ("QDQ of i8", {"activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8}, "activation_type=QuantType.QUInt8"),
            ("QDQ by channels", {"per_channel": True, "weight_type": QuantType.QInt8}, None),
            ("QOperator", {"quant_format": QuantFormat.QOperator}, "quantise the graph in the form QDQ"),
        ]:
            options = {"quant_format": QuantFormat.QDQ, "activation_type": QuantType.QUInt8, "weight_type": QuantType.QUInt8} | options
            quantize_static(original, file, Some(), **options)
            case(f"digits, {name}", onnx.load(file), {"image": x}, refused=refused, tolerance=0.01)
        quantize_dynamic(original, file, weight_type=QuantType.QUInt8)
        case("digits, dynamic", onnx.load(file), {"image": x}, tolerance=0.01)
        half = convert_float_to_float16(onnx.load(original), keep_io_types=True)
        case("digits, half precision", half, {"image": x}, tolerance=0.01)


for family in (activations, convolutions, pads, upsamples, recurrent, quantised, scalers, exporters, classifiers, trees, halves, networks):
    family()
FILE.write_text("\n".join(lines) + "\n")
print(len(lines), "cases,", FILE.stat().st_size, "bytes")

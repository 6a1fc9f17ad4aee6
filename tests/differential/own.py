"""Models for what the node tests have no form of: attributes of older opsets, the ordinary
forms of exporters, shapes that are computed, quantised operators. ONNX Runtime judges."""

import itertools

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from cases import Skip, build, emit, judge, kinds_of

RANDOM = np.random.RandomState(7)


def f(*shape):
    return RANDOM.uniform(-2, 2, shape).astype(np.float32)


def i(*numbers):
    return np.array(numbers, np.int64)


def one(writer, name, op, arrays, opsets, stored=None, outputs=1, domain="", **attributes):
    """One operator at each of the opsets. `stored`: how many of the first inputs are given; the
    others are in the file. Default: it is tried with the first given, and with all given."""
    names = [f"i{n}" if a is not None else "" for n, a in enumerate(arrays)]
    node = helper.make_node(op, names, [f"o{n}" for n in range(outputs)], domain=domain, **attributes)
    present = {n: a for n, a in zip(names, arrays) if n}
    versions = {"": [0], "ai.onnx.ml": [1, 3]}.get(domain, [1])
    for opset, version in itertools.product(opsets, versions):
        imports = [("", opset)] + ([(domain, version)] if domain else [])
        for given in [stored] if stored is not None else [1, len(present)]:
            consts = tuple(list(present)[given:])
            label = f"{opset}-{version}" if version else opset
            emit(writer, f"own-{name}/given-{given}/{label}", node, present, consts, imports)
            if opset >= 7 and any(present[c].dtype == np.int64 for c in consts):
                emit(writer, f"own-{name}/given-{given}/{label}/folded", node, present, consts, imports, folded=True)


def quantised(writer, name, node, arrays, consts, opsets):
    """The operator between quantised tensors: DequantizeLinear before each float input,
    QuantizeLinear behind its first output where that is float too."""
    try:
        kinds = kinds_of(judge_of(node, arrays, consts, opsets))
        first = next(iter(kinds.values()))
        if first not in ("float32", "int64", "float64", "float16"):
            return
        model, feeds, _ = build(node, arrays, consts, opsets, {})
    except Skip:
        return
    graph = model.graph
    nodes, scale, zero = [], numpy_helper.from_array(np.float32(0.05), "q_scale"), numpy_helper.from_array(np.uint8(128), "q_zero")
    # Another scale behind it: what is halfway between two numbers goes either way.
    graph.initializer.extend([scale, zero, numpy_helper.from_array(np.float32(0.0493), "q_out_scale")])
    subject = next(n for n in graph.node if n.name == "subject")
    for value in list(graph.input):
        if value.type.tensor_type.elem_type != TensorProto.FLOAT:
            continue
        source = value.name
        value.type.tensor_type.elem_type = TensorProto.UINT8
        feeds[source] = np.clip(np.round(feeds[source] / 0.05) + 128, 0, 255).astype(np.uint8)
        nodes.append(helper.make_node("DequantizeLinear", [source, "q_scale", "q_zero"], [source + "_f"]))
        for at, used in enumerate(subject.input):
            if used == source:
                subject.input[at] = source + "_f"
    output = subject.output[0]
    rest = list(graph.node)
    del graph.node[:]
    del graph.output[:]
    if first == "float32":
        behind = [helper.make_node("QuantizeLinear", [output, "q_out_scale", "q_zero"], [output + "_q"])]
        graph.output.append(helper.make_tensor_value_info(output + "_q", TensorProto.UINT8, None))
    else:
        behind = []
        graph.output.append(helper.make_tensor_value_info(output, helper.np_dtype_to_tensor_dtype(np.dtype(first)), None))
    graph.node.extend(nodes + rest + behind)
    try:
        results = judge(model, feeds)
        writer.write(name, "onnxruntime", model, feeds, results)
    except Skip:
        pass


def judge_of(node, arrays, consts, opsets):
    import onnx
    model, feeds, _ = build(node, arrays, consts, opsets, {})
    model.graph.output.extend(onnx.ValueInfoProto(name=o) for o in node.output if o)
    return judge(model, feeds)


def shaped(writer, name, op, data, sizes, opset, position=1, others=(), at=0, outputs=("o",), **attributes):
    """An integer input that follows from the shape of another tensor: `sizes` is that shape. It
    stands at `position`, or `at` where there are no data; `None` among the others is no input."""
    arrays = {"d": np.zeros(sizes, np.float32)} | ({"x": data} if data is not None else {})
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT if a.dtype == np.float32 else TensorProto.INT64, a.shape) for n, a in arrays.items()]
    names = (["x"] if data is not None else []) + [f"c{n}" if other is not None else "" for n, other in enumerate(others)]
    names.insert(position if data is not None else at, "s")
    nodes = [helper.make_node("Shape", ["d"], ["s"], name="shape"), helper.make_node(op, names, outputs, name="subject", **attributes)]
    stored = [numpy_helper.from_array(a, f"c{n}") for n, a in enumerate(others) if a is not None]
    # Integers leave as floats, as they do in a graph that computes with a shape.
    nodes.append(helper.make_node("Cast", ["o"], ["o_f"], to=TensorProto.FLOAT))
    graph = helper.make_graph(nodes, "differential", inputs, [helper.make_tensor_value_info("o_f", TensorProto.FLOAT, None)], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    try:
        writer.write(f"own-shape-{name}/{opset}", "onnxruntime", model, arrays, judge(model, arrays))
    except Skip as reason:
        print("skipped", name, reason)


def measured(writer, op, kind, opset):
    """`Shape` and `Size` themselves: integers leave as floats."""
    x = f(2, 3).astype(helper.tensor_dtype_to_np_dtype(kind))
    nodes = [helper.make_node(op, ["x"], ["s"], name="subject"), helper.make_node("Cast", ["s"], ["o"], to=TensorProto.FLOAT)]
    graph = helper.make_graph(nodes, "differential", [helper.make_tensor_value_info("x", kind, [2, 3])], [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)])
    finish(writer, f"own-{op}-{kind}/{opset}", graph, {"x": x}, opset)


def ranged(w, opset):
    """`Range` as position embeddings have it: to the size of an axis."""
    nodes = [helper.make_node("Shape", ["d"], ["sizes"]), helper.make_node("Gather", ["sizes", "one"], ["s"], axis=0),
             helper.make_node("Range", ["from", "s", "by"], ["o"], name="subject"), helper.make_node("Cast", ["o"], ["o_f"], to=TensorProto.FLOAT)]
    stored = [numpy_helper.from_array(np.int64(number), name) for name, number in (("one", 1), ("from", 0), ("by", 1))]
    graph = helper.make_graph(nodes, "differential", [helper.make_tensor_value_info("d", TensorProto.FLOAT, [2, 5])], [helper.make_tensor_value_info("o_f", TensorProto.FLOAT, None)], stored)
    finish(w, f"own-shape-range/{opset}", graph, {"d": f(2, 5)}, opset)


def exported(w):
    """What exporters write, and the node tests have in other types only."""
    for kind in (np.float32, np.int64, np.int32):
        for axis in (1, -1):
            one(w, f"cumsum-{np.dtype(kind).name}-{axis}", "CumSum", [f(2, 3).astype(kind), np.int64(axis)], [11, 14], 1)
            one(w, f"cumsum-{np.dtype(kind).name}-{axis}-i32", "CumSum", [f(2, 3).astype(kind), np.int32(axis)], [11, 14], 1)
    for upper in (0, 1):
        for kind in (np.float32, np.float16, np.int64, np.bool_):
            one(w, f"trilu-{upper}-{np.dtype(kind).name}", "Trilu", [f(2, 4, 4).astype(kind)], [14, 20], upper=upper)
            for k in (1, -1, 0):
                one(w, f"trilu-{upper}-{np.dtype(kind).name}-{k}", "Trilu", [f(2, 4, 4).astype(kind), np.int64(k)], [14, 20], 1, upper=upper)
    for kind in (np.float32, np.float16):
        for equation, shapes_of in (("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), ("bchw,bdhw->bcd", [(1, 2, 3, 3), (1, 2, 3, 3)]), ("ij,jk", [(3, 4), (4, 5)]), ("bhid,bhjd->bhij", [(1, 2, 3, 4), (1, 2, 5, 4)]), ("ij->ji", [(3, 4)]), ("bij->bi", [(2, 3, 4)]), ("i,j->ij", [(3,), (4,)]), ("...ij,...jk->...ik", [(2, 3, 4), (2, 4, 5)])):
            one(w, f"einsum-{equation}-{np.dtype(kind).name}", "Einsum", [f(*shape).astype(kind) for shape in shapes_of], [12, 13], equation=equation)
    for transposed, alpha in itertools.product((0, 1), (-2.0, -1.0)):
        one(w, f"gemm-{transposed}{alpha}", "Gemm", [f(3, 4), f(*((5, 4) if transposed else (4, 5))), f(5)], [7, 9, 11, 13, 21], 1, transB=transposed, alpha=alpha)
    for kind in ("float16", "float32", "float64", "int32", "int64", "uint8", "bool"):
        for to in ("float16", "float32", "float64", "int32", "int64", "uint8", "bool"):
            target = helper.np_dtype_to_tensor_dtype(np.dtype(to))
            one(w, f"cast-stored-{kind}-{to}", "Cast", [(np.abs(f(2, 3)) * 2).astype(kind)], [7, 9, 13, 19, 21], 0, to=target)
        value = numpy_helper.from_array((f(1)).astype(kind))
        one(w, f"constantofshape-stored-{kind}", "ConstantOfShape", [i(2, 3)], [9, 20, 21], 0, value=value)
        one(w, f"constantofshape-stored-scalar-{kind}", "ConstantOfShape", [i()], [9, 20, 21], 0, value=value)
    for rank, dilation, ceil in itertools.product((1, 2, 3), (1, 2), (0, 1)):
        for pads in (0, 1):
            attributes = dict(kernel_shape=[3] * rank, dilations=[dilation] * rank, strides=[2] * rank, ceil_mode=ceil, pads=[pads] * 2 * rank)
            one(w, f"maxpool-dilated-{rank}-{dilation}-{ceil}-{pads}", "MaxPool", [f(*(1, 2) + (9, 8, 9)[:rank])], [10, 11, 12], **attributes)
    gates = {"LSTM": (4, ["Sigmoid", "Tanh", "Tanh"]), "GRU": (3, ["Sigmoid", "Tanh"]), "RNN": (1, ["Tanh"])}
    for op, (count, usual_ones) in gates.items():
        named = [usual_ones] + {"RNN": [["Relu"], ["Sigmoid"]], "GRU": [["HardSigmoid", "Tanh"], ["Sigmoid", "Relu"]], "LSTM": [["HardSigmoid", "Tanh", "Tanh"], ["Sigmoid", "Relu", "Relu"]]}[op]
        for direction, activations in itertools.product(("forward", "reverse", "bidirectional"), named):
            d = 2 if direction == "bidirectional" else 1
            arrays = [f(5, 2, 3), f(d, count * 4, 3), f(d, count * 4, 4), f(d, 8 * count)]
            for more in [{}] if op != "GRU" else [{"linear_before_reset": 0}, {"linear_before_reset": 1}]:
                for outputs in (1, 2, 3)[: 3 if op == "LSTM" else 2]:
                    for starts in ([], [None, f(d, 2, 4)] + ([f(d, 2, 4)] if op == "LSTM" else [])):
                        name = f"{op}-{direction}-{'-'.join(activations)}-{len(more) and more['linear_before_reset']}-{outputs}-{len(starts)}"
                        one(w, name, op, arrays + starts, [7, 14], 1, outputs=outputs, hidden_size=4, direction=direction, activations=activations * d, **more)
    dropouts(w)
    repaired(w)
    quantisations(w)


def dropouts(w):
    for kind in (np.float16, np.float32, np.float64):
        for ratio in (0.0, 0.3):
            for outputs in (1, 2):
                one(w, f"dropout-{np.dtype(kind).name}-{ratio}-{outputs}", "Dropout", [f(2, 3).astype(kind), np.float32(ratio), np.bool_(False)], [12, 13], 1, outputs=outputs)


def repaired(w):
    """Forms of what was repaired that no other case has."""
    two, less = np.array([1, 1, 2, 2], np.float32), np.array([1, 1, 0.6, 0.5], np.float32)
    for mode in ("nearest", "linear"):
        one(w, f"upsample7-{mode}", "Upsample", [f(1, 2, 3, 3)], [7], scales=two.tolist(), mode=mode)
        one(w, f"upsample9-{mode}", "Upsample", [f(1, 2, 3, 3), two], [9], 1, mode=mode)
        one(w, f"resize10-{mode}", "Resize", [f(1, 2, 3, 3), two], [10], 1, mode=mode)
        one(w, f"resize10-{mode}-less", "Resize", [f(1, 2, 5, 6), less], [10], 1, mode=mode)
    for pads, axes in itertools.product(((1, 2), (1, 1), (-1, 2), (0, 0)), (i(2), i(-1))):
        for mode in ("constant", "reflect", "edge"):
            one(w, f"pad-axis-{pads[0]}-{pads[1]}-{axes[0]}-{mode}", "Pad", [f(1, 2, 4, 4), i(*pads), None if mode != "constant" else np.float32(0.5), axes], [18, 19, 21], 1, mode=mode)
    for rank, size in ((1, 10), (3, 10)):
        kernel = (3, 3, 3)[:rank]
        one(w, f"convt-shape-{rank}", "ConvTranspose", [f(1, 3, *(5, 5, 5)[:rank]), f(3, 2, *kernel)], [7, 11, 21], 1, strides=[2] * rank, output_shape=[size] * rank)
    one(w, "quantize-no-zero", "QuantizeLinear", [f(2, 3), np.float32(0.05)], [10, 13, 19, 21], 1)
    one(w, "dequantize-no-zero", "DequantizeLinear", [(f(2, 3) * 60 + 127).astype(np.uint8), np.float32(0.05)], [10, 13, 19, 21], 1)
    for kind, to in itertools.product(("float32", "float16", "int64", "int32", "uint8"), (TensorProto.INT8, TensorProto.INT16, TensorProto.UINT16, TensorProto.UINT32)):
        one(w, f"cast-{kind}-{to}", "Cast", [(np.abs(f(2, 3)) * 9).astype(kind)], [9, 13, 19, 21], 1, to=to)
    for kind in (np.float16, np.float32):
        arrays = [f(2, 3, 4, 4), f(3), f(3), f(3), np.abs(f(3)) + np.float32(0.5)]
        one(w, f"batchnorm-{np.dtype(kind).name}", "BatchNormalization", [a.astype(kind) for a in arrays], [7, 9, 14, 15], 1)
    lengths = np.array([3, 5], np.int32)
    functions = {
        "LSTM": [dict(activations=["HardSigmoid", "LeakyRelu", "Softsign"], activation_alpha=[0.3, 0.1], activation_beta=[0.4]), dict(activations=["Sigmoid", "Elu", "Relu"], activation_alpha=[0.7]), dict(input_forget=1)],
        "GRU": [dict(activations=["HardSigmoid", "ScaledTanh"], activation_alpha=[0.3, 0.8], activation_beta=[0.4, 0.6])],
        "RNN": [dict(activations=["Affine"], activation_alpha=[0.5], activation_beta=[0.1]), dict(activations=["ThresholdedRelu"], activation_alpha=[0.2]), dict(activations=["Softplus"])]}
    for op, count in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        for direction in ("forward", "reverse", "bidirectional"):
            d = 2 if direction == "bidirectional" else 1
            arrays = [f(5, 2, 3), f(d, count * 4, 3), f(d, count * 4, 4), f(d, 8 * count)]
            states = [f(d, 2, 4)] + ([f(d, 2, 4)] if op == "LSTM" else [])
            outputs = 3 if op == "LSTM" else 2
            for name, more in (("lengths", [lengths]), ("lengths-states", [lengths] + states), ("peepholes", [None] + states + [f(d, 12)])):
                if name != "peepholes" or op == "LSTM":
                    one(w, f"{op}-{direction}-{name}", op, arrays + more, [7, 14], 1, outputs=outputs, hidden_size=4, direction=direction)
            for number, attributes in enumerate(functions[op]):
                attributes = {k: v * d if isinstance(v, list) else v for k, v in attributes.items()}
                one(w, f"{op}-{direction}-functions-{number}", op, arrays, [7, 14], 1, outputs=outputs, hidden_size=4, direction=direction, **attributes)
    # Other functions in each direction.
    mixed = {
        "LSTM": dict(activations=["HardSigmoid", "LeakyRelu", "Softsign", "Sigmoid", "Elu", "Relu"], activation_alpha=[0.3, 0.1, 0.7], activation_beta=[0.4]),
        "GRU": dict(activations=["Sigmoid", "Tanh", "HardSigmoid", "Relu"], activation_alpha=[0.3], activation_beta=[0.4]),
        "RNN": dict(activations=["Relu", "Affine"], activation_alpha=[0.5], activation_beta=[0.1])}
    for op, count in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        arrays = [f(5, 2, 3), f(2, count * 4, 3), f(2, count * 4, 4), f(2, 8 * count)]
        one(w, f"{op}-mixed", op, arrays, [7, 14], 1, outputs=3 if op == "LSTM" else 2, hidden_size=4, direction="bidirectional", **mixed[op])


def quantisations(w):
    """Scales by channel, and whole networks of integers, as ONNX Runtime's quantisers write them."""
    for axis, size in ((0, 2), (1, 3), (-1, 4), (2, 4)):
        scale, x = np.abs(f(size)) * np.float32(0.1) + np.float32(0.01), f(2, 3, 4)
        for kind in (np.uint8, np.int8):
            zero = np.full(size, 3 if kind == np.int8 else 120).astype(kind)
            whole = (f(2, 3, 4) * 30 + (60 if kind == np.uint8 else 0)).astype(kind)
            one(w, f"quantize-{axis}-{np.dtype(kind).name}", "QuantizeLinear", [x, scale, zero], [13, 19, 21], axis=axis)
            for given in (0, 1):
                one(w, f"dequantize-{axis}-{np.dtype(kind).name}", "DequantizeLinear", [whole, scale, zero], [13, 19, 21], given, axis=axis)
        one(w, f"dequantize-{axis}-int32", "DequantizeLinear", [(f(2, 3, 4) * 90).astype(np.int32), scale, np.zeros(size, np.int32)], [13, 19, 21], 0, axis=axis)
        one(w, f"dequantize-{axis}-int32-none", "DequantizeLinear", [(f(2, 3, 4) * 90).astype(np.int32), scale], [13, 19, 21], 0, axis=axis)
    scalar = np.float32(0.05)
    for kind, zero in ((np.uint8, 128), (np.int8, 0), (np.int8, 5)):
        for given in (0, 1):
            one(w, f"dequantize-one-{np.dtype(kind).name}-{zero}", "DequantizeLinear", [(f(2, 3) * 30 + zero % 127).astype(kind), scalar, kind(zero)], [10, 13, 19, 21], given)
            one(w, f"quantize-one-{np.dtype(kind).name}-{zero}", "QuantizeLinear", [f(2, 3), scalar, kind(zero)], [10, 13, 19, 21], given)
    one(w, "dequantize-one-int32", "DequantizeLinear", [(f(3) * 99).astype(np.int32), scalar, np.int32(0)], [10, 13, 19, 21], 0)
    u8 = lambda *shape: (f(*shape) * 60 + 127).astype(np.uint8)
    i8 = lambda *shape: (f(*shape) * 60).astype(np.int8)
    for weights, zero in ((u8, np.uint8(121)), (i8, np.int8(0)), (i8, np.int8(4))):
        kind = np.dtype(zero.dtype).name
        for name, x, k, attributes in [("plain", (1, 3, 6, 6), (4, 3, 3, 3), {}), ("usual", (1, 3, 6, 6), (4, 3, 3, 3), {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2], "dilations": [1, 1], "group": 1}), ("even", (1, 3, 6, 6), (4, 3, 1, 1), {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0, 0, 0, 0]}), ("group", (1, 4, 6, 6), (4, 1, 3, 3), {"group": 4, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}), ("valid", (1, 3, 6, 6), (4, 3, 3, 3), {"kernel_shape": [3, 3], "auto_pad": "VALID"})]:
            for zeros in ([np.uint8(119), zero], [np.uint8(119)]):
                one(w, f"convinteger-{kind}-{zero}-{name}-{len(zeros)}", "ConvInteger", [u8(*x), weights(*k), *zeros], [10, 17], **attributes)
                dynamic(w, f"convinteger-{kind}-{zero}-{name}-{len(zeros)}", "ConvInteger", f(*x), weights(*k), zeros[1:], attributes)
        for a, b in (((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5))):
            for zeros in ([np.uint8(119), zero], [np.uint8(119)], []):
                one(w, f"matmulinteger-{kind}-{zero}-{len(a)}{len(b)}-{len(zeros)}", "MatMulInteger", [u8(*a), weights(*b), *zeros], [10, 17])
                dynamic(w, f"matmulinteger-{kind}-{zero}-{len(a)}{len(b)}-{len(zeros)}", "MatMulInteger", f(*a), weights(*b), zeros[1:], {})


def dynamic(w, name, op, x, weights, zeros, attributes):
    """Behind `DynamicQuantizeLinear`, as `quantize_dynamic` writes it."""
    names = ["q", "weights", "q_zero"] + ["w_zero"] * len(zeros)
    nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "q_scale", "q_zero"], name="quantise"),
             helper.make_node(op, names, ["o"], name="subject", **attributes), helper.make_node("Cast", ["o"], ["o_f"], to=TensorProto.FLOAT)]
    stored = [numpy_helper.from_array(a, n) for n, a in zip(["weights", "w_zero"], [weights, *zeros])]
    graph = helper.make_graph(nodes, "differential", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)], [helper.make_tensor_value_info("o_f", TensorProto.FLOAT, None)], stored)
    for opset in (11, 13, 17):
        finish(w, f"own-dynamic-{name}/{opset}", graph, {"x": x}, opset)


def write(writer):
    old(writer)
    usual(writer)
    shapes(writer)
    exported(writer)
    classical(writer)
    graphs(writer)


def old(w):
    """Attributes that later became inputs."""
    x = f(2, 3, 4)
    for op in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceLogSum"]:
        a = np.abs(x) + np.float32(0.1)
        for name, axes in [("all", None), ("one", [1]), ("last", [-1]), ("two", [1, 2]), ("negatives", [-1, -2])]:
            for keep in (0, 1):
                given = {} if axes is None else {"axes": axes}
                one(w, f"{op}-{name}-{keep}", op, [a], [7, 11, 13] if op != "ReduceSum" else [7, 11], keepdims=keep, **given)
                if axes is not None:
                    one(w, f"{op}-{name}-{keep}-in", op, [a, i(*axes)], [13, 18, 21], 1, keepdims=keep)
    for name, axes in [("one", [1]), ("negative", [-3]), ("two", [1, 3])]:
        data = f(2, 1, 3, 1)
        one(w, f"squeeze-{name}", "Squeeze", [data], [7, 11], axes=axes)
        one(w, f"squeeze-{name}-in", "Squeeze", [data, i(*axes)], [13, 21], 1)
        one(w, f"unsqueeze-{name}", "Unsqueeze", [f(2, 3)], [7, 11], axes=axes)
        one(w, f"unsqueeze-{name}-in", "Unsqueeze", [f(2, 3), i(*axes)], [13, 21], 1)
    one(w, "squeeze-all", "Squeeze", [f(2, 1, 3, 1)], [7, 11, 13])
    one(w, "split", "Split", [f(4, 6)], [7, 11, 13], outputs=2, axis=1)
    one(w, "split-0", "Split", [f(4, 6)], [7, 11, 13], outputs=2)
    one(w, "split-n", "Split", [f(4, 6)], [18], outputs=2, axis=1, num_outputs=2)
    one(w, "split-at", "Split", [f(4, 6)], [7, 11], outputs=2, axis=-1, split=[2, 4])
    one(w, "split-in", "Split", [f(4, 6), i(2, 4)], [13, 18], 1, outputs=2, axis=-1)
    one(w, "slice", "Slice", [f(5, 6)], [7], starts=[1], ends=[-1], axes=[1])
    one(w, "slice-plain", "Slice", [f(5, 6)], [7], starts=[1, 0], ends=[4, 3])
    one(w, "slice-far", "Slice", [f(5, 6)], [7, 9], starts=[-3], ends=[9223372036854775807], axes=[0])
    for name, s, e, a, t in [("one", [1], [4], [1], [1]), ("far", [1], [2**63 - 1], [-1], [1]), ("two", [0, 1], [3, -1], [0, 1], [1, 2]), ("back", [-1], [-2**63], [1], [-1])]:
        one(w, f"slice-{name}", "Slice", [f(5, 6), i(*s), i(*e), i(*a), i(*t)], [10, 11, 13, 21], 1)
        if t == [1]:
            one(w, f"slice-{name}-axes", "Slice", [f(5, 6), i(*s), i(*e), i(*a)], [10, 11, 13], 1)
    one(w, "clip", "Clip", [f(3, 4)], [7], min=-1.0, max=1.0)
    one(w, "clip6", "Clip", [f(3, 4) * 5], [7, 10], min=0.0, max=6.0)
    one(w, "clip-in", "Clip", [f(3, 4) * 5, np.float32(0), np.float32(6)], [11, 13, 21], 1)
    for mode in ("constant", "reflect", "edge"):
        one(w, f"pad-{mode}", "Pad", [f(1, 2, 4, 4)], [7], mode=mode, pads=[0, 0, 1, 2, 0, 0, 1, 2])
        for k, pads in [("even", (0, 0, 1, 2, 0, 0, 1, 2)), ("uneven", (0, 0, 1, 0, 0, 0, 2, 1)), ("none", (0,) * 8), ("negative", (0, 0, -1, 0, 0, 0, -1, 1))]:
            one(w, f"pad-{mode}-{k}", "Pad", [f(1, 2, 4, 4), i(*pads)], [11, 13, 18, 21], 1, mode=mode)
            one(w, f"pad-{mode}-{k}-value", "Pad", [f(1, 2, 4, 4), i(*pads), np.float32(1.5)], [11, 13, 18], 1, mode=mode)
    one(w, "dropout", "Dropout", [f(2, 3)], [7, 10], ratio=0.3)
    one(w, "dropout-in", "Dropout", [f(2, 3), np.float32(0.3), np.bool_(False)], [12, 13], 1)
    one(w, "topk", "TopK", [f(3, 6)], [7], outputs=2, k=2)
    one(w, "topk-in", "TopK", [f(3, 6), i(2)], [10, 11, 21], 1, outputs=2)
    one(w, "upsample7", "Upsample", [f(1, 2, 3, 3)], [7], scales=[1.0, 1.0, 2.0, 2.0])
    one(w, "upsample9", "Upsample", [f(1, 2, 3, 3), np.array([1, 1, 2, 2], np.float32)], [9], 1)
    for axis in (-1, 0, 1, 2):
        for op in ("Softmax", "LogSoftmax", "Hardmax"):
            one(w, f"{op}-{axis}", op, [f(2, 3, 4)], [7, 11, 13, 21], axis=axis)


def usual(w):
    """Forms that exporters write."""
    convs = [
        ("plain", (1, 3, 6, 6), (4, 3, 3, 3), {}),
        ("pads", (2, 3, 6, 6), (4, 3, 3, 3), {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}),
        ("strides", (1, 3, 7, 7), (4, 3, 3, 3), {"pads": [1, 1, 1, 1], "strides": [2, 2], "kernel_shape": [3, 3], "dilations": [1, 1]}),
        ("uneven", (1, 3, 7, 8), (4, 3, 3, 2), {"pads": [1, 0, 0, 1], "strides": [2, 1]}),
        ("dilated", (1, 2, 8, 8), (3, 2, 3, 3), {"dilations": [2, 2]}),
        ("dilated-uneven", (1, 2, 8, 8), (3, 2, 3, 3), {"dilations": [2, 1]}),
        ("group", (1, 4, 6, 6), (6, 2, 3, 3), {"group": 2}),
        ("depthwise", (1, 4, 6, 6), (4, 1, 3, 3), {"group": 4, "pads": [1, 1, 1, 1]}),
        ("same-upper", (1, 2, 7, 7), (3, 2, 4, 4), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        ("same-lower", (1, 2, 7, 7), (3, 2, 4, 4), {"auto_pad": "SAME_LOWER", "strides": [2, 2]}),
        ("valid", (1, 2, 7, 7), (3, 2, 3, 3), {"auto_pad": "VALID"}),
        ("1d", (1, 3, 9), (4, 3, 3), {"kernel_shape": [3], "pads": [1, 1]}),
        ("1d-dilated", (1, 3, 9), (4, 3, 3), {"kernel_shape": [3], "dilations": [2], "strides": [1]}),
        ("3d", (1, 2, 4, 4, 4), (3, 2, 2, 2, 2), {"kernel_shape": [2, 2, 2]}),
    ]
    for name, x, k, attributes in convs:
        for bias in (False, True):
            for kind in (np.float32, np.float64, np.float16):
                arrays = [f(*x).astype(kind), f(*k).astype(kind)] + ([f(k[0]).astype(kind)] if bias else [])
                label = f"{name}-{bias}-{np.dtype(kind).name}"
                one(w, f"conv-{label}", "Conv", arrays, [7, 11, 21], 1, **attributes)
                swapped = [f(x[0], k[0], *x[2:]).astype(kind)] + arrays[1:2] + ([f(k[1] * attributes.get("group", 1)).astype(kind)] if bias else [])
                one(w, f"convtranspose-{label}", "ConvTranspose", swapped, [7, 11], 1, **attributes)
    x = f(1, 3, 5, 5)
    one(w, "convt-padding", "ConvTranspose", [x, f(3, 2, 3, 3)], [7, 11, 21], 1, strides=[2, 2], output_padding=[1, 1], pads=[1, 1, 1, 1])
    for rank in (1, 3):
        given = (1, 3, 5, 4, 3)[: rank + 2]
        one(w, f"convt-padding-{rank}", "ConvTranspose", [f(*given), f(*(3, 2, 3, 3, 3)[: rank + 2]), f(2)], [7, 11, 21], 1, strides=[2] * rank, output_padding=[1] * rank, pads=[1] * 2 * rank)
        one(w, f"convt-padding-{rank}-none", "ConvTranspose", [f(*given), f(*(3, 2, 4, 4, 4)[: rank + 2]), f(2)], [7, 11, 21], 1, strides=[2] * rank, output_padding=[0] * rank, pads=[1] * 2 * rank)
    for kernel, stride, size, extra in [(3, 2, 10, {}), (3, 2, 11, {}), (3, 2, 9, {}), (2, 2, 10, {}), (4, 2, 10, {}), (3, 3, 15, {}), (3, 2, 10, {"auto_pad": "SAME_UPPER"}), (3, 2, 10, {"auto_pad": "SAME_LOWER"}), (3, 2, 11, {"output_padding": [1, 1]})]:
        label = f"{kernel}-{stride}-{size}-{'-'.join(map(str, extra.values())).replace(' ', '')}"
        one(w, f"convt-shape-{label}", "ConvTranspose", [x, f(3, 2, kernel, kernel)], [7, 11, 21], 1, strides=[stride] * 2, output_shape=[size] * 2, **extra)
    pools = [("plain", {}), ("stride", {"strides": [2, 2]}), ("pads", {"strides": [2, 2], "pads": [1, 1, 1, 1]}), ("uneven", {"strides": [2, 1], "pads": [0, 0, 1, 1]}),
             ("ceil", {"strides": [2, 2], "ceil_mode": 1}), ("ceil-pads", {"strides": [2, 2], "ceil_mode": 1, "pads": [1, 1, 1, 1]}), ("upper", {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
             ("lower", {"strides": [2, 2], "auto_pad": "SAME_LOWER"}), ("valid", {"auto_pad": "VALID"})]
    for op in ("MaxPool", "AveragePool"):
        for name, attributes in pools:
            for rank in (1, 2, 3):
                kept = {k: (v[:rank] if k == "strides" else v[:rank] + v[-rank:]) if isinstance(v, list) and rank < 3 else v for k, v in attributes.items()}
                if rank == 3:
                    kept = {k: ([v[0]] * (3 if k == "strides" else 6)) if isinstance(v, list) else v for k, v in kept.items()}
                shape = (2, 2) + (7, 6, 5)[:rank]
                for kind in (np.float32, np.float16, np.float64) if rank == 2 else (np.float32,):
                    one(w, f"{op}-{name}-{rank}-{np.dtype(kind).name}", op, [f(*shape).astype(kind)], [7, 10, 11, 12, 19, 21], kernel_shape=[3] * rank, **kept)
                    if op == "AveragePool":
                        one(w, f"{op}-{name}-{rank}-{np.dtype(kind).name}-in", op, [f(*shape).astype(kind)], [7, 10, 11, 19], kernel_shape=[3] * rank, count_include_pad=1, **kept)
    for op in ("LSTM", "GRU", "RNN"):
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
        for direction in ("forward", "reverse", "bidirectional"):
            d = 2 if direction == "bidirectional" else 1
            for extra in range(3):
                arrays = [f(5, 2, 3), f(d, gates * 4, 3), f(d, gates * 4, 4)]
                if extra:
                    arrays += [f(d, 8 * gates)]
                if extra == 2:
                    arrays += [None, f(d, 2, 4)] + ([f(d, 2, 4)] if op == "LSTM" else [])
                for more in [{}] if op != "GRU" else [{}, {"linear_before_reset": 1}]:
                    for outputs in (1, 2, 3)[: 3 if op == "LSTM" else 2]:
                        one(w, f"{op}-{direction}-{extra}-{len(more)}-{outputs}", op, arrays, [7, 14], 1, outputs=outputs, hidden_size=4, direction=direction, **more)
            one(w, f"{op}-{direction}-clip", op, [f(5, 2, 3), f(d, gates * 4, 3), f(d, gates * 4, 4)], [7, 14], 1, hidden_size=4, direction=direction, clip=0.2)
    for name, a, b in [("2d", (3, 4), (4, 5)), ("batch", (2, 3, 4), (2, 4, 5)), ("broadcast", (2, 3, 4), (4, 5)), ("heads", (2, 2, 3, 4), (2, 2, 4, 3)), ("vector", (3, 4), (4,)), ("left", (4,), (4, 3))]:
        one(w, f"matmul-{name}", "MatMul", [f(*a), f(*b)], [7, 9, 13, 21])
    for ta, tb in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        for alpha, beta in ((1.0, 1.0), (0.5, 2.0)):
            arrays = [f(*((4, 3) if ta else (3, 4))), f(*((5, 4) if tb else (4, 5))), f(5)]
            one(w, f"gemm-{ta}{tb}{alpha}", "Gemm", arrays, [7, 9, 11, 13, 21], transA=ta, transB=tb, alpha=alpha, beta=beta)
            one(w, f"gemm-{ta}{tb}{alpha}-none", "Gemm", arrays[:2], [11, 13], transA=ta, transB=tb, alpha=alpha)
    for axis in (0, 1, -1):
        for many in (2, 3):
            one(w, f"concat-{axis}-{many}", "Concat", [f(2, 3)] * 1 + [f(2, 3) for _ in range(many - 1)], [7, 11, 13], axis=axis)
        for kind in (np.float32, np.float16, np.int64, np.int32):
            one(w, f"gather-{axis}-{np.dtype(kind).name}", "Gather", [f(4, 3).astype(kind), i(0, 2)], [7, 11, 13], axis=axis)
            one(w, f"gather-{axis}-{np.dtype(kind).name}-scalar", "Gather", [f(4, 3).astype(kind), np.int64(1)], [7, 11, 13], axis=axis)
    embedding = helper.make_node("Gather", ["table", "ids"], ["o"])
    for kind in (np.float32, np.float16):
        for ids in (np.array([[1, 2]], np.int64), np.array([[1, 2]], np.int32)):
            for opset in (7, 11, 13):
                emit(w, f"own-embedding-{np.dtype(kind).name}-{ids.dtype}/{opset}", embedding, {"table": f(5, 3).astype(kind), "ids": ids}, ("table",), [("", opset)])
    for op in ("Add", "Sub", "Mul", "Div", "Pow", "Equal", "Greater", "Less", "And", "Or"):
        for kind in ("float32", "float16", "float64", "int64", "int32") if op not in ("And", "Or") else ("bool",):
            a, b = (np.abs(f(2, 3)) + 1).astype(kind), (np.abs(f(3)) + 1).astype(kind)
            one(w, f"{op}-{kind}", op, [a, b], [7, 9, 11, 12, 13, 14, 15, 19])
            node = helper.make_node(op, ["a", "b"], ["o"])
            for opset in (7, 11, 13, 14, 15, 19):
                emit(w, f"own-{op}-{kind}-left/{opset}", node, {"a": a, "b": b}, ("a",), [("", opset)])
    for name, shape in [("plain", (2, 6)), ("rest", (2, -1)), ("keep", (0, -1)), ("flat", (-1,)), ("zeros", (0, 0, 2, 2))]:
        one(w, f"reshape-{name}", "Reshape", [f(2, 3, 4), i(*shape)] if name == "zeros" else [f(2, 2, 3), i(*shape)], [7, 13, 14, 19, 21], 1)
    one(w, "reshape-keep3", "Reshape", [f(2, 3, 4), i(0, 0, -1)], [7, 13, 14], 1)
    for kind in ("float16", "float32", "float64", "int32", "int64", "uint8", "bool"):
        for to in ("float16", "float32", "float64", "int32", "int64", "uint8", "bool"):
            target = helper.np_dtype_to_tensor_dtype(np.dtype(to))
            one(w, f"cast-{kind}-{to}", "Cast", [(np.abs(f(2, 3)) * 2).astype(kind)], [7, 9, 13, 19, 21], to=target)
        value = numpy_helper.from_array((f(1)).astype(kind))
        one(w, f"constantofshape-{kind}", "ConstantOfShape", [i(2, 3)], [9, 20, 21], value=value)
        one(w, f"constant-{kind}", "Constant", [], [7, 9, 11, 12, 13, 19], value=numpy_helper.from_array(f(2, 3).astype(kind)))
    one(w, "constant-int", "Constant", [], [12, 13, 19], value_int=3)
    one(w, "constant-ints", "Constant", [], [12, 13, 19], value_ints=[3, 4])
    one(w, "constant-float", "Constant", [], [12, 13, 19], value_float=3.5)
    one(w, "constant-floats", "Constant", [], [12, 13, 19], value_floats=[3.5, 1.0])
    one(w, "lrn", "LRN", [f(1, 8, 3, 3)], [7, 13], size=5, alpha=0.0001, beta=0.75, bias=1.0)
    one(w, "lrn-2", "LRN", [f(1, 8, 3, 3)], [7, 13], size=4, alpha=0.01, beta=0.5, bias=2.0)
    bn = [f(3), f(3), f(3), np.abs(f(3)) + 1]
    for shape in ((2, 3), (2, 3, 5), (2, 3, 4, 4), (2, 3, 2, 2, 2)):
        one(w, f"bn-{len(shape)}", "BatchNormalization", [f(*shape)] + bn, [7, 9, 14, 15, 21], 1, epsilon=0.001, momentum=0.9)
    for op in ("Relu", "Sigmoid", "Tanh", "Elu", "Selu", "LeakyRelu", "HardSigmoid", "Softplus", "Softsign", "Celu", "ThresholdedRelu"):
        one(w, f"{op}", op, [f(2, 3, 4)], [7, 9, 11, 12, 13, 14, 16])
    for alpha in (0.3, 1.0, 2.0):
        for op in ("Elu", "Selu", "LeakyRelu", "HardSigmoid", "Celu", "ThresholdedRelu"):
            one(w, f"{op}-{alpha}", op, [f(2, 3, 4)], [7, 12, 16], alpha=alpha)
    for p in (1, 2, 3):
        one(w, f"globallp-{p}", "GlobalLpPool", [f(2, 3, 4, 4)], [7, 21], p=p)
    one(w, "prelu", "PRelu", [f(2, 3, 4, 4), f(3, 1, 1)], [7, 9, 16])
    one(w, "instancenorm", "InstanceNormalization", [f(2, 3, 4, 4), f(3), f(3)], [7, 21], 1)
    for axis in (-1, 1):
        shape = (4,) if axis == -1 else (3, 4)
        one(w, f"layernorm-{axis}", "LayerNormalization", [f(2, 3, 4), f(*shape), f(*shape)], [17, 21], 1, axis=axis, epsilon=1e-5)
        one(w, f"layernorm-{axis}-none", "LayerNormalization", [f(2, 3, 4), f(*shape)], [17], 1, axis=axis)
    for op in ("ArgMax", "ArgMin"):
        for axis in (0, 1, -1):
            for keep in (0, 1):
                one(w, f"{op}-{axis}-{keep}", op, [f(3, 4)], [7, 11, 12, 13], axis=axis, keepdims=keep)
    for mode, more in [("nearest", {"nearest_mode": "floor"}), ("nearest", {}), ("linear", {})]:
        for transform in ("asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"):
            arrays = [f(1, 2, 4, 4), np.zeros(0, np.float32), np.array([1, 1, 2, 2], np.float32)]
            one(w, f"resize-{mode}-{len(more)}-{transform}", "Resize", arrays, [11, 13, 18, 19], 1, mode=mode, coordinate_transformation_mode=transform, **more)
            one(w, f"resize-{mode}-{len(more)}-{transform}-no", "Resize", [arrays[0], None, arrays[2]], [13, 18, 19], 1, mode=mode, coordinate_transformation_mode=transform, **more)
            one(w, f"resize-{mode}-{len(more)}-{transform}-sizes", "Resize", [arrays[0], None, None, i(1, 2, 8, 8)], [13, 18, 19], 1, mode=mode, coordinate_transformation_mode=transform, **more)
    x, s, z = f(2, 3) * 3, np.float32(0.05), np.uint8(120)
    for opset in (10, 13, 19, 21):
        for zero in (z, np.int8(5), np.int8(0)):
            one(w, f"quantize-{zero.dtype}-{zero}", "QuantizeLinear", [x, s, zero], [opset], 1)
            one(w, f"dequantize-{zero.dtype}-{zero}", "DequantizeLinear", [np.array([[3, 100, 7]]).astype(zero.dtype), s, zero], [opset], 1)
            scales, zeros = np.array([0.1, 0.2, 0.3], np.float32), np.array([zero] * 3)
            one(w, f"dequantize-axis-{zero.dtype}-{zero}", "DequantizeLinear", [np.array([[3, 100, 7]]).astype(zero.dtype), scales, zeros], [opset], 1, axis=1)
            one(w, f"dequantize-weights-{zero.dtype}-{zero}", "DequantizeLinear", [np.array([[3, 100, 7]]).astype(zero.dtype), scales, zeros], [opset], 0, axis=1)
            one(w, f"dequantize-weight-{zero.dtype}-{zero}", "DequantizeLinear", [np.array([[3, 100, 7]]).astype(zero.dtype), s, zero], [opset], 0)
        one(w, "dequantize-bias", "DequantizeLinear", [np.array([3, -100, 7], np.int32), s, np.int32(0)], [opset], 0)
    for name, op, arrays, attributes in [("argmax", "ArgMax", [f(3, 4)], {"axis": 1}), ("cast", "Cast", [f(3, 4)], {"to": TensorProto.DOUBLE}), ("cast-same", "Cast", [f(3, 4)], {"to": TensorProto.FLOAT}), ("topk", "TopK", [f(3, 6), i(2)], {})]:
        names = [f"i{n}" for n in range(len(arrays))]
        node = helper.make_node(op, names, ["o0", "o1"] if op == "TopK" else ["o0"], **attributes)
        quantised(w, f"own-qdq-{name}", node, dict(zip(names, arrays)), tuple(names[1:]), [("", 13)])
    for op in ("FastGelu", "QuickGelu", "BiasGelu"):
        arrays = [f(2, 3)] + ([f(3)] if op == "BiasGelu" else [])
        one(w, f"ms-{op}", op, arrays, [13, 17], domain="com.microsoft")


def shapes(w):
    """Arithmetic on shapes, as exporters of dynamic models write it."""
    for opset in (7, 9, 11, 13, 14, 15, 19, 21):
        x = f(2, 3, 4)
        shaped(w, "reshape", "Reshape", x, (4, 6), opset)
        shaped(w, "expand", "Expand", f(1, 3), (2, 3), opset)
        shaped(w, "tile", "Tile", f(2, 3), (2, 1), opset)
        shaped(w, "constantofshape", "ConstantOfShape", None, (2, 3), opset)
        shaped(w, "gather", "Gather", None, (4, 6), opset, others=[i(1)])
        shaped(w, "gather-scalar", "Gather", None, (4, 6), opset, others=[np.int64(0)], axis=0)
        for op in ("Add", "Mul", "Sub", "Div", "Max", "Min", "Equal", "Less", "Greater"):
            shaped(w, op, op, None, (4, 6), opset, others=[i(2)])
            shaped(w, f"{op}-right", op, None, (4, 6), opset, others=[i(25)], at=1)
        shaped(w, "where", "Where", None, (4, 6), opset, others=[np.array([True, False]), i(7)], at=1)
        shaped(w, "where-right", "Where", None, (4, 6), opset, others=[np.array([True, False]), i(7)], at=2)
        shaped(w, "slice-starts", "Slice", f(4, 6), (1,), opset, others=[i(3), i(1)])
        shaped(w, "slice-ends", "Slice", f(4, 6), (2,), opset, 2, others=[i(0), i(1)])
        shaped(w, "slice-ends-steps", "Slice", f(4, 6), (4,), opset, 2, others=[i(0), i(-1), i(1)])
        for name, sizes in (("", (1, 2, 6, 6)), ("-smaller", (1, 2, 2, 2))):
            for mode, place in itertools.product(("nearest", "linear"), ("half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel")):
                for nearest in ("floor", "round_prefer_floor") if mode == "nearest" else (None,):
                    more = {"nearest_mode": nearest} if nearest else {}
                    shaped(w, f"resize-{mode}-{place}-{nearest}{name}", "Resize", f(1, 2, 3, 3), sizes, opset, 3, others=[np.zeros(0, np.float32), np.zeros(0, np.float32)], mode=mode, coordinate_transformation_mode=place, **more)
                    shaped(w, f"resize-{mode}-{place}-{nearest}{name}-none", "Resize", f(1, 2, 3, 3), sizes, opset, 3, others=[None, None], mode=mode, coordinate_transformation_mode=place, **more)
        for axis in (0, 1, -1):
            shaped(w, f"gather-indices-{axis}", "Gather", f(4, 5), (3, 2), opset, axis=axis)
        shaped(w, "topk", "TopK", f(3, 6), (2,), opset, outputs=("o", "at"), axis=-1)
        shaped(w, "shape", "Shape", None, (4, 6), opset)
        shaped(w, "neg", "Neg", None, (4, 6), opset)
        shaped(w, "constantofshape-1", "ConstantOfShape", None, (2, 3), opset, value=numpy_helper.from_array(np.array([1], np.int64)))
        shaped(w, "constantofshape-f", "ConstantOfShape", None, (2, 3), opset, value=numpy_helper.from_array(np.array([1], np.float32)))
        ranged(w, opset)
        shaped(w, "concat", "Concat", None, (4, 6), opset, others=[i(-1)], axis=0)
        shaped(w, "slice", "Slice", None, (4, 6, 2), opset, others=[i(0), i(2), i(0)])
        shaped(w, "slice-steps", "Slice", None, (4, 6, 2), opset, others=[i(1), i(2**63 - 1), i(0), i(1)])
        if opset >= 13:
            shaped(w, "unsqueeze", "Unsqueeze", None, (4, 6), opset, others=[i(0)])
            shaped(w, "squeeze", "Squeeze", None, (4,), opset, others=[i(0)])
            shaped(w, "reducesum", "ReduceSum", None, (4, 6), opset, others=[i(0)])
        else:
            shaped(w, "unsqueeze", "Unsqueeze", None, (4, 6), opset, axes=[0])
            shaped(w, "squeeze", "Squeeze", None, (4,), opset, axes=[0])
        shaped(w, "reduceprod", "ReduceProd", None, (4, 6), opset)
        for to in (TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32):
            shaped(w, f"cast-{to}", "Cast", None, (4, 6), opset, to=to)
        shaped(w, "reshape-shape", "Reshape", None, (4, 6), opset, others=[i(1, 2)])
        shaped(w, "identity", "Identity", None, (4, 6), opset)
        for op in ("Shape", "Size"):
            for kind in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32, TensorProto.UINT8):
                measured(w, op, kind, opset)


def classical(w):
    """The operators of ai.onnx.ml that tract has, as scikit-learn's exporter and others write them."""
    ml = {"domain": "ai.onnx.ml"}
    x = f(5, 3)
    for targets in (1, 2):
        one(w, f"linear-{targets}", "LinearRegressor", [x], [11, 17], **ml, coefficients=list(map(float, f(3 * targets))), intercepts=list(map(float, f(targets))), targets=targets)
        one(w, f"linear-{targets}-none", "LinearRegressor", [x], [11, 17], **ml, coefficients=list(map(float, f(3 * targets))), targets=targets)
    for post in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"):
        for classes, rows, multi in itertools.product((2, 3), (1, 2, 3), (0, 1)):
            if rows not in (classes, 1) or rows < classes == 3:
                continue
            for labels in ({"classlabels_ints": list(range(classes))}, {"classlabels_strings": list("abc"[:classes])}):
                attributes = dict(coefficients=list(map(float, f(3 * rows))), intercepts=list(map(float, f(rows))), multi_class=multi, post_transform=post, **labels)
                name = f"classifier-{post}-{classes}-{rows}-{multi}"
                if "classlabels_ints" in labels:
                    one(w, name, "LinearClassifier", [x], [11, 17], outputs=2, **ml, **attributes)
                scores_only(w, f"{name}-{next(iter(labels))}", "LinearClassifier", x, attributes)
        for classes in (2, 3):
            trees(w, x, post, classes)
    for norm in ("MAX", "L1", "L2"):
        one(w, f"normalizer-{norm}", "Normalizer", [x], [11, 17], **ml, norm=norm)
    for kind, (name, places) in itertools.product((np.float32, np.int64, np.int32, np.float64), (("two", i(0, 2)), ("one", i(1)), ("rows", i(0, 2).reshape(1, 2)), ("row", i(1).reshape(1, 1)), ("all", i(2, 1, 0)))):
        one(w, f"features-{name}-{np.dtype(kind).name}", "ArrayFeatureExtractor", [(x * 9).astype(kind), places], [11, 17], **ml)
        one(w, f"features-{name}-{np.dtype(kind).name}-3d", "ArrayFeatureExtractor", [f(2, 3, 4).astype(kind), places], [11, 17], **ml)
    for count in (1, 3):
        for kind in (np.float32, np.int64, np.float64):
            one(w, f"scaler-{count}-{np.dtype(kind).name}", "Scaler", [x.astype(kind)], [11, 17], **ml, offset=list(map(float, f(count))), scale=list(map(float, f(count))))


def scores_only(w, name, op, x, attributes):
    """A classifier whose label nobody uses."""
    node = helper.make_node(op, ["x"], ["label", "scores"], name="subject", domain="ai.onnx.ml", **attributes)
    for opset, version in itertools.product((11, 17), (1, 3)):
        scores = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)]
        graph = helper.make_graph([node], "differential", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)], scores)
        finish(w, f"own-{name}-scores/{opset}-{version}", graph, {"x": x}, opset, [helper.make_opsetid("ai.onnx.ml", version)])


def trees(w, x, post, classes):
    """Two trees of a split each. Leaves vote for all classes, or for one, as where there are two;
    numbers that are missing go either way."""
    lost = x.copy()
    lost[1, 0] = lost[2, 2] = np.nan
    for mode in ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE"):
        for votes, base, tracks, text, shares in itertools.product(("all", 0, 1), (0, 1, classes), (0, 1), (False, True), (False, True)):
            voted = range(classes) if votes == "all" else [votes]
            if (classes > 2 and votes != "all") or (base == 1 and votes == "all") or (base > 1 and votes != "all"):
                continue
            leaves = [(t, n, c) for t in (0, 1) for n in (1, 2) for c in voted]
            # Sums on either side of 0 and of a half.
            weights = [(0.05 if shares else 0.9) + (0.06 if shares else -0.37) * (k * 5 % 7) for k in range(len(leaves))]
            labels = {"classlabels_strings": list("abc"[:classes])} if text else {"classlabels_int64s": list(range(classes))}
            attributes = dict(
                nodes_treeids=[0, 0, 0, 1, 1, 1], nodes_nodeids=[0, 1, 2] * 2, nodes_featureids=[0, 0, 0, 2, 0, 0], nodes_modes=[mode, "LEAF", "LEAF"] * 2,
                nodes_values=[0.1, 0.0, 0.0, -0.3, 0.0, 0.0], nodes_truenodeids=[1, 0, 0] * 2, nodes_falsenodeids=[2, 0, 0] * 2, nodes_missing_value_tracks_true=[tracks, 0, 0] * 2,
                class_treeids=[t for t, _, _ in leaves], class_nodeids=[n for _, n, _ in leaves], class_ids=[c for _, _, c in leaves], class_weights=weights,
                post_transform=post, **labels)
            if not text:
                attributes["nodes_hitrates"] = [1.0] * 6
            if base:
                attributes["base_values"] = [0.15 - 0.1 * k for k in range(base)]
            name = f"tree-{post}-{classes}-{mode}-{votes}-{base}-{tracks}-{shares}"
            for data, what in ((x, ""), (lost, "-missing")):
                if not text:
                    one(w, name + what, "TreeEnsembleClassifier", [data], [17], outputs=2, domain="ai.onnx.ml", **attributes)
                scores_only(w, f"{name}-{text}{what}", "TreeEnsembleClassifier", data, attributes)


def graphs(w):
    """Operators with graphs in them."""
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    branch = lambda op: helper.make_graph([helper.make_node(op, ["x", "x"], ["b"], name=op)], op, [], [value("b")])
    for opset in (11, 13, 16, 19, 21):
        for stored in (False, True):
            node = helper.make_node("If", ["c"], ["y"], name="subject", then_branch=branch("Add"), else_branch=branch("Mul"))
            cast = helper.make_node("Cast", ["c_in"], ["c"], to=TensorProto.BOOL)
            x = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])]
            inputs = x if stored else x + [helper.make_tensor_value_info("c_in", TensorProto.UINT8, [])]
            constants = [numpy_helper.from_array(np.array(True), "c")] if stored else []
            graph = helper.make_graph([node] if stored else [cast, node], "differential", inputs, [value("y")], constants)
            feeds = {"x": f(2, 3)} | ({} if stored else {"c_in": np.array(0, np.uint8)})
            finish(w, f"own-if-{stored}/{opset}", graph, feeds, opset)
        body = helper.make_graph(
            [helper.make_node("Add", ["s", "e"], ["t"], name="add"), helper.make_node("Identity", ["t"], ["u"], name="same")], "body",
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, [3]) for n in "se"], [helper.make_tensor_value_info(n, TensorProto.FLOAT, [3]) for n in "tu"])
        node = helper.make_node("Scan", ["s0", "xs"], ["last", "all"], name="subject", body=body, num_scan_inputs=1)
        graph = helper.make_graph([node], "differential", [helper.make_tensor_value_info("s0", TensorProto.FLOAT, [3]), helper.make_tensor_value_info("xs", TensorProto.FLOAT, [4, 3])], [value("last"), value("all")])
        for stored in ({"s0": f(3)}, {"xs": f(4, 3)}):
            given = [it for it in graph.input if it.name not in stored]
            of_file = helper.make_graph([node], "differential", given, list(graph.output), [numpy_helper.from_array(a, n) for n, a in stored.items()])
            finish(w, f"own-scan-{next(iter(stored))}/{opset}", of_file, {it.name: f(*(3,) if it.name == "s0" else (4, 3)) for it in given}, opset)
        finish(w, f"own-scan/{opset}", graph, {"s0": f(3), "xs": f(4, 3)}, opset)


def finish(w, name, graph, feeds, opset, more=()):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), *more], ir_version=8)
    try:
        w.write(name, "onnxruntime", model, feeds, judge(model, feeds))
    except Skip as reason:
        print("skipped", name, reason)

#!/usr/bin/env python3
"""What ONNX Runtime answers for small quantised graphs: golden results of sandbar-inference.

Needs `pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0`, and a processor with AVX2 and VNNI
(without the latter ONNX Runtime itself overflows in sums of uint8 by int8):

    python models/golden-quantised.py

Writes tests/golden/quantised.jsonl, in the form of exports.jsonl (golden-exports.py), but as ONNX
Runtime computes by default, with its optimisations: quantised operations are on integers then, and
the codes are compared bit for bit.
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

FILE = Path(__file__).resolve().parent.parent / "tests" / "golden" / "quantised.jsonl"
TYPES = {"float32": "fp32", "uint8": "u8"}

rng = np.random.default_rng(48)
lines = []


class Net:
    """A graph of quantised operations."""

    def __init__(self, opset=17):
        self.nodes, self.stored, self.inputs, self.opset, self.count = [], [], {}, opset, 0
        self.steps, self.scales = {}, {}

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def store(self, array):
        name = self.name("k")
        self.stored.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, **more):
        name = self.name("v")
        self.nodes.append(helper.make_node(op, inputs, [name], **more))
        return name

    def step(self, zero=None):
        scale = np.float32(rng.uniform(0.005, 0.05))
        return self.store(scale), self.store(np.uint8(rng.integers(1, 255) if zero is None else zero))

    def codes(self, *shape, zero=None):
        """An input of codes."""
        name = self.name("x")
        self.inputs[name], self.steps[name] = shape, self.step(zero)
        return name

    def floats(self, codes):
        return self.node("DequantizeLinear", [codes, *self.steps[codes]])

    def quantised(self, value, zero=None, scale=None):
        step = self.step(zero)
        if scale is not None:
            step = self.store(np.float32(scale)), step[1]
        name = self.node("QuantizeLinear", [value, *step])
        self.steps[name] = step
        return name

    def weights(self, *shape, axis=None, ty=np.int8, most=127):
        whole = rng.integers(-most, most + 1, shape) + (128 if ty == np.uint8 else 0)
        size = () if axis is None else (shape[axis],)
        zeros = rng.integers(100, 150, size) if ty == np.uint8 else np.zeros(size)
        scales = rng.uniform(0.001, 0.01, size).astype(np.float32)
        more = {} if axis is None else {"axis": axis}
        inputs = [self.store(whole.astype(ty)), self.store(scales), self.store(zeros.astype(ty))]
        name = self.node("DequantizeLinear", inputs, **more)
        self.scales[name] = scales
        return name

    def product(self, op, codes, weights, bias=None, most=20000, **more):
        """Of codes and weights; the bias counts what the products do."""
        inputs = [self.floats(codes), weights]
        if bias:
            scale = next(numpy_helper.to_array(it) for it in self.stored if it.name == self.steps[codes][0])
            scales = (scale * self.scales[weights]).astype(np.float32)
            whole = rng.integers(-most, most, bias).astype(np.int32)
            axis = {"axis": 0} if scales.shape else {}
            stored = [self.store(whole), self.store(scales), self.store(np.zeros(scales.shape, np.int32))]
            inputs.append(self.node("DequantizeLinear", stored, **axis))
        return self.node(op, inputs, **more)

    def case(self, name, *outputs, low=0):
        value = helper.make_tensor_value_info
        inputs = [value(name, TensorProto.UINT8, shape) for name, shape in self.inputs.items()]
        graph = helper.make_graph(self.nodes, "g", inputs, [value(it, TensorProto.UINT8, None) for it in outputs], self.stored)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        given = {name: rng.integers(low, 256, shape).astype(np.uint8) for name, shape in self.inputs.items()}
        case(name, model.SerializeToString(), given)


def tensor(array):
    shortest = (lambda it: int(it)) if array.dtype == np.uint8 else (lambda it: float(str(it)))
    return {"type": TYPES[str(array.dtype)], "shape": array.shape, "numbers": [shortest(it) for it in array.ravel()]}


def case(name, model, given, refused=None, tolerance=0, inputs=None, outputs=None):
    line = {"name": name, "model": base64.b64encode(model).decode(), "tolerance": tolerance}
    if inputs:
        line |= {"inputs": inputs, "outputs": outputs}
    line["given"] = {name: tensor(array) for name, array in given.items()}
    if refused:
        line["refused"] = refused
    else:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        answers = zip((it.name for it in session.get_outputs()), session.run(None, given))
        line["answers"] = {name: tensor(array) for name, array in answers}
        for output, answer in line["answers"].items():
            kinds = len(set(answer["numbers"]))
            assert kinds > 2, (name, output, kinds)
    lines.append(json.dumps(line, separators=(",", ":")) + "\n")


def convolutions():
    for name, shape, kernel, more, weights, bias, zero, limit in [
        ("one by one", (1, 8, 6, 6), (6, 8, 1, 1), {}, {}, True, None, None),
        ("padded, of a step each", (1, 5, 9, 8), (7, 5, 3, 3), {"pads": [1, 1, 1, 1]}, {"axis": 0}, True, None, None),
        ("strides and dilations", (1, 4, 13, 12), (6, 4, 3, 3), {"strides": [2, 1], "dilations": [1, 2], "pads": [0, 1, 2, 1]}, {}, False, None, None),
        ("a channel each", (1, 8, 9, 9), (8, 1, 3, 3), {"group": 8, "pads": [1, 1, 1, 1]}, {"axis": 0}, True, None, None),
        ("groups", (1, 6, 7, 7), (4, 3, 3, 3), {"group": 2}, {}, True, None, None),
        ("weights without a sign", (1, 4, 7, 7), (5, 4, 3, 3), {}, {"ty": np.uint8}, True, None, None),
        ("weights of a zero each", (1, 4, 7, 7), (5, 4, 3, 3), {}, {"ty": np.uint8, "axis": 0}, True, None, None),
        ("one axis", (1, 4, 30), (5, 4, 5), {"pads": [2, 2]}, {}, True, None, None),
        ("Relu", (1, 4, 7, 7), (5, 4, 3, 3), {}, {}, True, 0, "Relu"),
        ("Clip", (1, 4, 7, 7), (5, 4, 3, 3), {}, {}, True, 0, "Clip"),
        ("same padding", (1, 4, 8, 9), (5, 4, 3, 2), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, {}, True, None, None),
    ]:
        net = Net()
        x = net.codes(*shape)
        y = net.product("Conv", x, net.weights(*kernel, **weights), kernel[0] if bias else None, **more)
        if limit == "Relu":
            y = net.node("Relu", [y])
        if limit == "Clip":
            y = net.node("Clip", [y, net.store(np.float32(0)), net.store(np.float32(1000))])
        y = net.quantised(y, zero)
        # The codes go on to a second one, whose zero point is another.
        z = net.product("Conv", y, net.weights(3, kernel[0], *[1] * (len(shape) - 2)), 3)
        net.case(f"Conv, {name}", y, net.quantised(z))
    net = Net()
    x = net.codes(1, 4096, 1, 1, zero=3)
    y = net.product("Conv", x, net.weights(8, 4096, 1, 1), 8, 9_000_000)
    net.case("Conv, sums above 2^24", net.quantised(y, scale=2.0), low=100)


def products():
    for turned, axis in [(0, None), (1, 0), (0, 1)]:
        net = Net()
        x = net.codes(3, 40)
        w = net.weights(*((11, 40) if turned else (40, 11)), **({} if axis is None else {"axis": axis}))
        y = net.product("Gemm", x, w, 11, transB=turned, beta=1.0)
        net.case(f"Gemm, transB {turned}, axis {axis}", net.quantised(y))
    for axis in (None, 1):
        net = Net()
        x = net.codes(2, 3, 40)
        w = net.weights(40, 11, **({} if axis is None else {"axis": axis}))
        net.case(f"MatMul, axis {axis}", net.quantised(net.node("MatMul", [net.floats(x), w])))
    net = Net()
    a, b = net.codes(2, 3, 5, 40), net.codes(2, 3, 40, 7)
    net.case("MatMul of two that are computed", net.quantised(net.node("MatMul", [net.floats(a), net.floats(b)]), scale=0.05))


def pairs():
    for op in ("Add", "Mul"):
        for a, b in [((2, 3, 16, 16), (2, 3, 16, 16)), ((2, 3, 9, 9), (3, 1, 1)), ((2, 3, 1, 1), (2, 3, 9, 9)),
                     ((4, 30), (30,)), ((4, 30), (1,)), ((1, 3, 1, 1), (1, 3, 1, 1))]:
            net = Net()
            x, y = net.codes(*a), net.codes(*b)
            net.case(f"{op}, {a} and {b}", net.quantised(net.node(op, [net.floats(x), net.floats(y)]), scale=0.04 if op == "Add" else 0.2))
        net = Net()
        x = net.codes(5, 40)
        y = net.store(rng.integers(0, 256, 40).astype(np.uint8))
        net.steps[y] = net.step()
        net.case(f"{op} of what is stored", net.quantised(net.node(op, [net.floats(x), net.floats(y)]), scale=0.05))


def others():
    for shape in [(1, 9, 7, 7), (2, 5, 13, 13), (1, 4, 2, 3), (1, 6, 50)]:
        net = Net()
        x = net.codes(*shape, zero=127)
        net.case(f"GlobalAveragePool, {shape}", net.quantised(net.node("GlobalAveragePool", [net.floats(x)]), scale=0.01, zero=100))
    for opset, shape, more in [(13, (3, 50), {}), (13, (2, 7, 30), {"axis": 1}), (12, (2, 7, 30), {"axis": 1}), (12, (3, 50), {})]:
        net = Net(opset)
        x = net.codes(*shape)
        net.case(f"Softmax, opset {opset}, {shape}, {more}", net.quantised(net.node("Softmax", [net.floats(x)], **more), zero=0, scale=1 / 1024))
    for shape, more in [((1, 3, 9, 9), {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
                        ((2, 3, 9, 8), {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 0, 0, 2], "count_include_pad": 1}),
                        ((1, 5, 7, 7), {"kernel_shape": [7, 7]}), ((1, 4, 30), {"kernel_shape": [4], "strides": [3]})]:
        net = Net()
        x = net.codes(*shape, zero=127)
        net.case(f"AveragePool, {shape}, {more}", net.quantised(net.node("AveragePool", [net.floats(x)], **more), scale=0.02, zero=100))
    net = Net()
    a, b = net.codes(1, 3, 9, 9), net.codes(1, 4, 9, 9)
    both = net.quantised(net.node("Concat", [net.floats(a), net.floats(b)], axis=1))
    most = net.node("MaxPool", [net.floats(both)], kernel_shape=[3, 3], strides=[2, 2])
    most = net.node("QuantizeLinear", [most, *net.steps[both]])
    net.case("Concat, MaxPool", both, most)


class Reader(CalibrationDataReader):
    def __init__(self, given):
        self.all = iter(given)

    def get_next(self):
        return next(self.all, None)


def networks():
    """As onnxruntime.quantization writes them."""

    def floats(*shape, size=1.0):
        return (rng.standard_normal(shape) * size).astype(np.float32)

    def network(norm=False, deep=0):
        constants = {"w1": floats(8, 3, 3, 3, size=0.3), "b1": floats(8, size=0.1), "w2": floats(8, 8, 3, 3, size=0.2),
                     "b2": floats(8, size=0.1), "w3": floats(10, 8, size=1.0), "b3": floats(10)}
        node = helper.make_node
        nodes = [node("Conv", ["x", "w1", "b1"], ["c1"], name="conv1", pads=[1, 1, 1, 1]), node("Relu", ["c1"], ["r1"])]
        if norm:
            nodes.append(node("LRN", ["r1"], ["n1"], name="norm", size=5))
        nodes += [node("Conv", ["n1" if norm else "r1", "w2", "b2"], ["c2"], name="conv2", pads=[1, 1, 1, 1]),
                  *(node("Conv", [f"c{k + 1}" if k == 1 else f"d{k - 1}", "w2", "b2"], [f"d{k}"], name=f"more{k}", pads=[1, 1, 1, 1])
                    for k in range(1, deep + 1)),
                  node("Add", [f"d{deep}" if deep else "c2", "r1"], ["s2"], name="sum"), node("Relu", ["s2"], ["r2"]),
                  node("GlobalAveragePool", ["r2"], ["g"]), node("Flatten", ["g"], ["f"]),
                  node("Gemm", ["f", "w3", "b3"], ["l"], transB=1), node("Softmax", ["l"], ["y"])]
        value = helper.make_tensor_value_info
        graph = helper.make_graph(nodes, "g", [value("x", 1, [1, 3, 12, 12])], [value("y", 1, [1, 10])],
                                  [numpy_helper.from_array(array, name) for name, array in constants.items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

    given = [{"x": floats(1, 3, 12, 12)} for _ in range(8)]
    unsigned, signed = {"activation_type": QuantType.QUInt8}, {}
    dynamic = None
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/a.onnx", f"{folder}/b.onnx"
        for name, norm, deep, more, refused in [
            ("quantize_static, uint8", False, 0, unsigned, None),
            ("quantize_static, uint8, a step for each channel", False, 0, unsigned | {"per_channel": True}, None),
            ("quantize_dynamic", False, 0, dynamic, None),
            ("quantize_static, int8", False, 4, signed, "activation_type=QuantType.QUInt8"),
            ("quantize_static, LRN", True, 4, unsigned, "operator LRN of node 'norm'"),
            ("quantize_dynamic, LRN", True, 4, dynamic, "operator LRN of node 'norm'"),
        ]:
            onnx.save(network(norm, deep), source)
            if more is None:
                quantize_dynamic(source, target, weight_type=QuantType.QUInt8)
            else:
                quantize_static(source, target, Reader(given), quant_format=QuantFormat.QDQ, **more)
            case(name, Path(target).read_bytes(), given[0], refused, tolerance=1e-7 if more else 1e-6)


convolutions()
products()
pairs()
others()
networks()
FILE.write_text("".join(lines))
print(len(lines), "cases,", FILE.stat().st_size, "bytes")

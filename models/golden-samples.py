#!/usr/bin/env python3
"""Samples of graphs as a user writes them, with the answers of ONNX Runtime and TensorFlow.

Needs `pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 pillow==13.0.0`, and in a Python of its own
`tensorflow-cpu==2.21.0`; reads models/digits and nothing else:

    python models/golden-samples.py             # all but TensorFlow's
    python models/golden-samples.py tensorflow  # TensorFlow's

Writes tests/golden/samples/: small graphs (.onnx, .pb), and samples of them and of models/digits, as `numpy.savez`
writes them (.npz), or a table of pictures (digits.csv) that Pillow decodes. `hostile-*.npz` are no samples.
"""

import csv
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "tests" / "golden" / "samples"
DIGITS = HERE / "digits"
# What the description of models/digits says.
MEAN, SCALE = np.float32(128), np.float32(0.0078125)

rng = np.random.default_rng(28)


def session(file):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def answers(file, given):
    run = session(file)
    names = [output.name for output in run.get_outputs()]
    return dict(zip(names, run.run(names, given)))


def write_graph(name, nodes, inputs, outputs, constants=()):
    import onnx
    from onnx import helper, numpy_helper

    constants = [numpy_helper.from_array(array, key) for key, array in dict(constants).items()]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, name, [value(*it) for it in inputs], [value(*it) for it in outputs], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    file = model.SerializeToString(deterministic=True)
    (FOLDER / f"{name}.onnx").write_bytes(file)
    return file


def digits():
    from PIL import Image

    files = sorted((DIGITS / "samples").iterdir())[::7]
    pictures = np.stack([np.asarray(Image.open(file).convert("L")) for file in files])
    image = ((pictures.astype(np.float32) - MEAN) * SCALE)[:, None]
    file = (DIGITS / "model.onnx").read_bytes()
    # As they are served: one picture at a time.
    rows = np.concatenate([answers(file, {"image": row[None]})["probabilities"] for row in image])
    np.savez(FOLDER / "digits.npz", image=image, probabilities=rows)
    # numpy's own types, orders and compression; the numbers are the same.
    other = np.asfortranarray(image.astype(">f8"))
    np.savez_compressed(FOLDER / "digits-other.npz", image=other, probabilities=rows.astype(np.float64))
    np.savez(FOLDER / "digits-inputs.npz", image=image)
    with (FOLDER / "digits.csv").open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["picture", "label", *(f"probabilities.{digit}" for digit in range(10))])
        for path, row in zip(files, rows):
            writer.writerow([f"samples/{path.name}", row.argmax(), *(f"{it:.9g}" for it in row)])


def small_graphs():
    from onnx import TensorProto as T
    from onnx import helper

    node = helper.make_node
    # Several inputs and outputs of several types, their batch under one name.
    nodes = [
        node("Cast", ["b"], ["bf"], to=T.FLOAT),
        node("Unsqueeze", ["bf", "one"], ["column"]),
        node("Add", ["a", "column"], ["sum"]),
        node("Cast", ["sum"], ["half"], to=T.FLOAT16),
        node("ArgMax", ["sum"], ["best"], axis=1, keepdims=0),
        node("Log", ["a"], ["log"]),
    ]
    inputs = [("a", T.FLOAT, ["N", 3]), ("b", T.INT64, ["N"])]
    outputs = [("sum", T.FLOAT, ["N", 3]), ("half", T.FLOAT16, ["N", 3]), ("best", T.INT64, ["N"]), ("log", T.FLOAT, ["N", 3])]
    file = write_graph("types", nodes, inputs, outputs, {"one": np.array([1])})
    # The logarithms of 0 and of what is below are infinite and not a number.
    a = np.array([[0.5, 0, -1], [1.25, 3, 2], [7, 8, 1e-20], [0.1, 0.2, 0.3]], np.float32)
    given = {"a": a, "b": np.array([1, -2, 1000, 3])}
    np.savez(FOLDER / "types.npz", **given, **answers(file, given))

    # The batch is the second dimension.
    nodes = [node("MatMul", ["w", "x"], ["y"])]
    w = rng.standard_normal((2, 4)).astype(np.float32)
    file = write_graph("second", nodes, [("x", T.FLOAT, [4, "N"])], [("y", T.FLOAT, [2, "N"])], {"w": w})
    given = {"x": rng.standard_normal((4, 3)).astype(np.float32)}
    np.savez(FOLDER / "second.npz", **given, **answers(file, given))

    # A length is left to the caller too.
    nodes = [node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=0)]
    file = write_graph("length", nodes, [("x", T.FLOAT, ["N", "T", 2])], [("y", T.FLOAT, ["N", 2])])
    given = {"x": rng.standard_normal((3, 5, 2)).astype(np.float32)}
    np.savez(FOLDER / "length.npz", **given, **answers(file, given))

    # One row at a time.
    nodes = [node("Softmax", ["x"], ["y"], axis=1)]
    file = write_graph("one", nodes, [("x", T.FLOAT, [1, 4])], [("y", T.FLOAT, [1, 4])])
    x = rng.standard_normal((3, 4)).astype(np.float32)
    y = np.concatenate([answers(file, {"x": row[None]})["y"] for row in x])
    np.savez(FOLDER / "one.npz", x=x, y=y)

    # Rows that depend on each other: what a batch gives, no row gives alone, and the other way round.
    nodes = [node("ReduceMax", ["x"], ["most"], axes=[0], keepdims=1), node("Sub", ["x", "most"], ["y"])]
    file = write_graph("mixed", nodes, [("x", T.FLOAT, ["N", 2])], [("y", T.FLOAT, ["N", 2])])
    x = np.array([[1, 2], [3, -4]], np.float32)
    np.savez(FOLDER / "mixed-together.npz", x=x, **answers(file, {"x": x}))
    y = np.concatenate([answers(file, {"x": row[None]})["y"] for row in x])
    np.savez(FOLDER / "mixed-alone.npz", x=x, y=y)


def hostile():
    def archive(name, **members):
        with zipfile.ZipFile(FOLDER / f"hostile-{name}.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
            for key, content in members.items():
                out.writestr(f"{key}.npy", content)

    def npy(array, pickle=False):
        out = io.BytesIO()
        np.lib.format.write_array(out, array, allow_pickle=pickle)
        return out.getvalue()

    archive("objects", image=npy(np.array([{"a": 1}, None], object), True))
    archive("texts", image=npy(np.array(["tench"])))
    archive("complex", image=npy(np.array([1j], np.complex64)))
    archive("records", image=npy(np.zeros(2, [("x", "<f4"), ("y", "<i2")])))
    archive("dates", image=npy(np.array(["2026-11-30"], "M8[D]")))
    # A few kilobytes that are 80 MB, and a header that promises what is not there.
    archive("bomb", image=npy(np.zeros(10 * 2**20)))
    whole = npy(np.zeros((1, 1, 8, 8), np.float32))
    archive("short", image=whole[:-4])
    archive("promise", image=whole.replace(b"(1, 1, 8, 8)", b"(99999999,8)"))


def tensorflow():
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
        weights = tf.constant(rng.standard_normal((4, 3)).astype(np.float32))
        tf.nn.softmax(tf.matmul(x, weights), name="y")
        (FOLDER / "frozen.pb").write_bytes(graph.as_graph_def().SerializeToString(deterministic=True))
        given = rng.standard_normal((3, 4)).astype(np.float32)
        with tf.compat.v1.Session(graph=graph) as run:
            np.savez(FOLDER / "frozen.npz", x=given, y=run.run("y:0", {"x:0": given}))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    if sys.argv[1:] == ["tensorflow"]:
        tensorflow()
    else:
        digits()
        small_graphs()
        hostile()

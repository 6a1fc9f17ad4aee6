#!/usr/bin/env python3
"""Trains the small image model and exports it as an ONNX graph beside this script.

Needs Python 3.11 and `pip install numpy==2.4.6 pillow==13.0.0 scipy==1.17.1 scikit-learn==1.9.1
onnx==1.23.2 onnxruntime==1.32.0 tensorflow-cpu==2.21.0`. No data is fetched: scikit-learn bundles its
digits.

    python models/train-digits.py

Writes digits/: model.onnx, model.toml, labels.txt and what tests compare with:

  held-out.csv   every held-out picture: its index in the data set, the digit, 64 grey values 0..255
                 row after row, as an 8x8 PNG of it holds them: level 0..16 * 255 / 16, rounded
  golden.csv     for the same pictures the ten probabilities by ONNX Runtime (one picture at a time,
                 graph optimisations off, 9 significant digits)
  samples/       the first five held-out pictures of each digit as grey PNGs, INDEX-DIGIT.png

It ends with an error where ONNX Runtime and TensorFlow disagree or fewer than 98 % of the held-out
pictures are recognised. Training is seeded and on one thread: a second run on the same kind of
processor gives the same bytes. Takes about a minute.
"""

import argparse
import csv
import datetime
import hashlib
import os
from pathlib import Path

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import onnx
import onnxruntime
import sklearn
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from scipy.ndimage import affine_transform
from sklearn.datasets import load_digits

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "digits"
HELD_OUT = 5  # one picture in five, by position, is kept for the metrics
SEED = 1998
EPOCHS = 60
BATCH = 32
SAMPLES = 5  # of each digit
ACCURACY = 0.98  # or the training is refused
# What the network gets: (grey 0..255 - MEAN) * SCALE. Both are exact in binary.
MEAN, SCALE = 128, 0.0078125

STEM = 16  # channels of the first convolution
# Channels of a block's branches: the 1x1; the 1x1 before the 3x3, and that; the 1x1 before the 5x5,
# and that; the 1x1 behind the pooling.
BLOCKS = {"inception_a": (12, (12, 24), (6, 12), 12), "inception_b": (24, (16, 32), (8, 16), 16)}


def read_digits() -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures of 8x8 with values 0..255, as a PNG holds them, and what they show."""
    data = load_digits()
    levels = data.images.astype(np.int64)  # 0..16
    return ((levels * 255 + 8) // 16).astype(np.uint8), data.target


def prepared(pictures: np.ndarray) -> np.ndarray:
    return (pictures.astype(np.float32) - np.float32(MEAN)) * np.float32(SCALE)


class Keras:
    """The layers of the network for training. Tensors are NHWC."""

    def conv(self, name, x, channels, size):
        layer = tf.keras.layers.Conv2D(
            channels,
            size,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=name,
        )
        return layer(x)

    def pool(self, name, x):
        return tf.keras.layers.MaxPooling2D(3, strides=1, padding="same", name=name)(x)

    def halve(self, name, x):
        return tf.keras.layers.MaxPooling2D(2, name=name)(x)

    def concat(self, name, parts):
        return tf.keras.layers.Concatenate(name=name)(parts)

    def classify(self, x):
        x = tf.keras.layers.AveragePooling2D(2, name="average")(x)
        x = tf.keras.layers.Flatten(name="flat")(x)
        x = tf.keras.layers.Dropout(0.4, seed=SEED)(x)
        return tf.keras.layers.Dense(10, activation="softmax", name="probabilities")(x)


class Onnx:
    """The same layers as nodes of an ONNX graph, with the trained weights. Tensors are NCHW."""

    def __init__(self, model):
        self.model, self.nodes, self.weights = model, [], []

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def weight(self, name, values):
        values = np.ascontiguousarray(values, np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def conv(self, name, x, channels, size):
        kernel, bias = self.model.get_layer(name).get_weights()
        kernel = self.weight(f"{name}/kernel", kernel.transpose(3, 2, 0, 1))
        bias = self.weight(f"{name}/bias", bias)
        inputs, pads = [x, kernel, bias], [size // 2] * 4
        self.node("Conv", inputs, f"{name}/conv", kernel_shape=[size, size], pads=pads)
        return self.node("Relu", [f"{name}/conv"], name)

    def pool(self, name, x):
        return self.node("MaxPool", [x], name, kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)

    def halve(self, name, x):
        return self.node("MaxPool", [x], name, kernel_shape=[2, 2], strides=[2, 2])

    def concat(self, name, parts):
        return self.node("Concat", parts, name, axis=1)

    def classify(self, x):
        kernel, bias = self.model.get_layer("probabilities").get_weights()
        kernel = kernel.reshape(2, 2, -1, 10).transpose(2, 0, 1, 3).reshape(-1, 10)
        weights = [self.weight("scores/kernel", kernel), self.weight("scores/bias", bias)]
        self.node("AveragePool", [x], "average", kernel_shape=[2, 2], strides=[2, 2])
        self.node("Flatten", ["average"], "flat", axis=1)
        self.node("Gemm", ["flat", *weights], "scores")
        return self.node("Softmax", ["scores"], "probabilities", axis=1)


def network(build, x):
    """The network, built of the layers of either class: 8x8, halved to 4x4 between the blocks."""
    x = build.conv("stem", x, STEM, 3)
    for name, (one, three, five, pooled) in BLOCKS.items():
        if name != "inception_a":
            x = build.halve(f"{name}_half", x)
        parts = [
            build.conv(f"{name}_1x1", x, one, 1),
            build.conv(
                f"{name}_3x3", build.conv(f"{name}_3x3_reduce", x, three[0], 1), three[1], 3
            ),
            build.conv(f"{name}_5x5", build.conv(f"{name}_5x5_reduce", x, five[0], 1), five[1], 5),
            build.conv(f"{name}_pool_1x1", build.pool(f"{name}_pool", x), pooled, 1),
        ]
        x = build.concat(name, parts)
    return build.classify(x)


def moved(pictures: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    """Each picture turned, sheared, scaled and shifted a little about its centre, on black."""
    result = []
    for picture in pictures.astype(np.float32):
        turn, shear = np.radians(dice.uniform(-12, 12)), dice.uniform(-0.12, 0.12)
        cosine, sine = np.cos(turn), np.sin(turn)
        matrix = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, 0], [shear, 1]])
        matrix *= dice.uniform(0.9, 1.1, 2)
        offset = 3.5 - matrix @ (3.5 + dice.uniform(-0.7, 0.7, 2))
        result.append(affine_transform(picture, matrix, offset, order=1))
    return np.array(result)


def train(pictures: np.ndarray, digits: np.ndarray):
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    inputs = tf.keras.Input((8, 8, 1))
    model = tf.keras.Model(inputs, network(Keras(), inputs))
    steps = EPOCHS * -(-len(pictures) // BATCH)
    rate = tf.keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(
        tf.keras.optimizers.AdamW(rate, weight_decay=1e-3), "sparse_categorical_crossentropy"
    )
    dice = np.random.default_rng(SEED)
    for _ in range(EPOCHS):
        order = dice.permutation(len(pictures))
        inputs = prepared(moved(pictures[order], dice))[..., np.newaxis]
        for at in range(0, len(order), BATCH):
            model.train_on_batch(inputs[at : at + BATCH], digits[order[at : at + BATCH]])
    return model


def export(model) -> bytes:
    build = Onnx(model)
    network(build, "image")
    graph = helper.make_graph(
        build.nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 10])],
        build.weights,
    )
    opset = [helper.make_opsetid("", 13)]
    file = helper.make_model(
        graph, opset_imports=opset, ir_version=7, producer_name="train-digits.py"
    )
    onnx.checker.check_model(file, full_check=True)
    return file.SerializeToString(deterministic=True)


def answers(file: bytes, pictures: np.ndarray) -> np.ndarray:
    """What ONNX Runtime says, picture by picture, running the graph as it is written."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    inputs = prepared(pictures)[:, np.newaxis, np.newaxis]
    return np.array([session.run(None, {"image": tensor})[0][0] for tensor in inputs])


def write_csv(name: str, columns: list[str], rows) -> None:
    with (FOLDER / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["index", "digit", *columns])
        writer.writerows(rows)


def write_samples(indices: np.ndarray, digits: np.ndarray, pictures: np.ndarray) -> None:
    folder = FOLDER / "samples"
    folder.mkdir(exist_ok=True)
    for digit in range(10):
        for at in np.flatnonzero(digits == digit)[:SAMPLES]:
            Image.fromarray(pictures[at]).save(folder / f"{indices[at]:04}-{digit}.png")


def write_toml(file: bytes, provenance: dict) -> None:
    lines = [
        'name = "digits"',
        "version = 1",
        'kind = "onnx"',
        'file = "model.onnx"',
        f'sha256 = "{hashlib.sha256(file).hexdigest()}"',
        f"size = {len(file)}",
        'licence = "Apache-2.0"',
        'description = "Which handwritten digit is it? A convolutional network of two inception blocks."',
        "",
        "[[inputs]]",
        'name = "image"',
        'type = "fp32"',
        'shape = ["N", 1, 8, 8]',
        "",
        "[[outputs]]",
        'name = "probabilities"',
        'type = "fp32"',
        'shape = ["N", 10]',
        "",
        "[labels]",
        'file = "labels.txt"',
        "",
        "[preprocessing] # light digits on black",
        "width = 8",
        "height = 8",
        'mode = "squash"',
        'filter = "bilinear"',
        'channels = "grey"',
        'layout = "nchw"',
        f"mean = {MEAN}",
        f"scale = {SCALE}",
        "background = [0, 0, 0]",
        "",
        "[provenance]",
    ]
    for key, value in provenance.items():
        lines.append(f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}")
    (FOLDER / "model.toml").write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the model of digits.")
    parser.add_argument(
        "--validate",
        action="store_true",
        help="train on four fifths of the training pictures, show the share of the rest that is "
        "recognised, write nothing: for choosing the network without a look at the held-out ones",
    )
    options = parser.parse_args()

    pictures, digits = read_digits()
    indices = np.arange(len(digits))
    held_out = indices[HELD_OUT - 1 :: HELD_OUT]
    training = np.setdiff1d(indices, held_out)
    if options.validate:
        held_out = training[HELD_OUT - 1 :: HELD_OUT]
        training = np.setdiff1d(training, held_out)

    model = train(pictures[training], digits[training])
    shown, truth = pictures[held_out], digits[held_out]
    file = export(model)
    rows = answers(file, shown)
    difference = abs(rows - model(prepared(shown)[..., np.newaxis]).numpy()).max()
    right = rows.argmax(axis=1) == truth
    loss = -np.log(rows[np.arange(len(truth)), truth].astype(np.float64)).mean()
    print(f"{right.sum()} of {len(truth)} recognised, {right.mean():.4f}, log loss {loss:.4f}")
    print(f"{len(file)} bytes; ONNX Runtime and TensorFlow differ by {difference:.1e}")
    if options.validate:
        return
    if difference > 1e-5 or right.mean() < ACCURACY:
        raise SystemExit("not written: see the figures above")

    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "model.onnx").write_bytes(file)
    (FOLDER / "labels.txt").write_text("".join(f"{digit}\n" for digit in range(10)))
    columns = list(zip(held_out, truth))
    write_csv(
        "golden.csv",
        [f"p{digit}" for digit in range(10)],
        ([*head, *(f"{p:.9g}" for p in row)] for head, row in zip(columns, rows)),
    )
    write_csv(
        "held-out.csv",
        [f"x{at}" for at in range(64)],
        ([*head, *picture.reshape(-1)] for head, picture in zip(columns, shown)),
    )
    write_samples(held_out, truth, shown)
    write_toml(
        file,
        {
            "trained_on": "scikit-learn's digits, the test set of UCI's optical recognition of "
            "handwritten digits (E. Alpaydin, C. Kaynak, 1998)",
            "script": "models/train-digits.py",
            "date": datetime.date.today().isoformat(),
            "tensorflow": tf.__version__,
            "scikit_learn": sklearn.__version__,
            "onnxruntime": onnxruntime.__version__,
            "seed": SEED,
            "epochs": EPOCHS,
            "parameters": model.count_params(),
            "training_rows": len(training),
            "held_out_rows": len(held_out),
            "held_out_recognised": int(right.sum()),
            "held_out_accuracy": round(float(right.mean()), 4),
            "held_out_logloss": round(float(loss), 4),
        },
    )


if __name__ == "__main__":
    main()

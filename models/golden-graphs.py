#!/usr/bin/env python3
"""What the original tools answer for three graphs: the golden results of the tests of wasi:nn.

Needs `pip install numpy==2.4.6 pillow==13.0.0 onnxruntime==1.32.0 tensorflow-cpu==2.21.0` and the
folder of test data (docs/test-data.md) with models/ and images/:

    python models/golden-graphs.py --data DIR

Writes tests/golden/graphs/: googlenet.f32.gz and squeezenet.f32.gz by ONNX Runtime (CPU, one
thread, graph optimisations off), inception-tf.f32.gz by TensorFlow (the same, oneDNN off). Each
holds 24 rows of 1000 probabilities, little-endian f32: first the 20 random tensors in order, then
the pictures of images/ in the order of their file names. Each row is a run with a batch of 1.

Random tensor k (0 to 19) has one number for each channel and block of B x B pixels, where
B = [1, 4, 16, 32][k % 4]: fine noise alone would look alike to a network. Blocks begin at the upper
left; those at the right and lower edge may be cut. The numbers come in the order channel, block row,
block column, from SplitMix64 with the state k at the start, all in f32 and each step rounded:

    state = state + 0x9E3779B97F4A7C15          (u64, wrapping)
    z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9; z = (z ^ (z >> 27)) * 0x94D049BB133111EB
    number = ((z ^ (z >> 31)) >> 40) as f32 / 16777216.0 * 255.0 - 117.0

    element(channel, y, x) = number(channel, y / B, x / B)

which is placed as the graph wants it, [1,3,H,W] or [1,H,W,3]. H and W are 224, of SqueezeNet 227. The
first numbers of tensor 0 have the bits 42d87d0e c0debb50 c2dc84cf, of tensor 1 41dbc918 42925942.

A picture is decoded by Pillow, convert("RGB"), resized to H x W with BILINEAR regardless of its
shape; then blue, green, red minus 104, 117, 123. convert("RGB") drops alpha, and devil.png has some
(black behind a quarter of it). image-features composes alpha on white instead, so
devil-on-white.f32.gz has that picture once more, composed on white before the resizing: three rows,
of googlenet, squeezenet, inception-tf.
"""

import argparse
import gzip
import os
from pathlib import Path

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import onnxruntime
import tensorflow as tf
from PIL import Image

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "graphs"
TENSORS = 20
BLOCKS = [1, 4, 16, 32]
MEAN = np.array([104, 117, 123], np.float32)  # blue, green, red
EXPECTED = {"new_airplane.jpg": "airliner", "trained_airplane_2.jpg": "airliner"}


def numbers(seed: int, count: int) -> np.ndarray:
    """The generator of the docstring; SplitMix64's state is an arithmetic sequence."""
    with np.errstate(over="ignore"):
        steps = np.arange(1, count + 1, dtype=np.uint64)
        state = np.uint64(seed) + steps * np.uint64(0x9E3779B97F4A7C15)
        z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits = ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(np.float32)
    return bits / np.float32(16777216) * np.float32(255) - np.float32(117)


def random_tensor(k: int, side: int) -> np.ndarray:
    """[3,side,side]"""
    block = BLOCKS[k % len(BLOCKS)]
    blocks = -(-side // block)
    values = numbers(k, 3 * blocks * blocks).reshape(3, blocks, blocks)
    return values.repeat(block, axis=1).repeat(block, axis=2)[:, :side, :side]


def picture_tensor(image: Image.Image, side: int) -> np.ndarray:
    """[3,side,side]"""
    image = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    blue_first = np.asarray(image, np.float32)[:, :, ::-1] - MEAN
    return blue_first.transpose(2, 0, 1)


def on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA"))


def onnx_runner(path: Path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda tensor: session.run(None, {name: tensor[np.newaxis]})[0].reshape(-1)


def tensorflow_runner(path: Path):
    definition = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name="")
    options = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    optimizer = options.graph_options.optimizer_options
    optimizer.opt_level = tf.compat.v1.OptimizerOptions.L0
    options.graph_options.rewrite_options.disable_meta_optimizer = True
    session = tf.compat.v1.Session(graph=graph, config=options)

    def run(tensor: np.ndarray) -> np.ndarray:
        batch = tensor.transpose(1, 2, 0)[np.newaxis]
        return session.run("output:0", {"input:0": batch}).reshape(-1)

    return run


def write(name: str, rows: np.ndarray) -> int:
    """Without a time in it, so that the same rows are the same file."""
    packed = gzip.compress(rows.astype("<f4").tobytes(), 9, mtime=0)
    return (GOLDEN / f"{name}.f32.gz").write_bytes(packed)


def main() -> None:
    parser = argparse.ArgumentParser(description="Golden results of graphs.")
    parser.add_argument("--data", required=True, type=Path, help="the folder of test data")
    data = parser.parse_args().data

    labels = [
        line.split(" ", 1)[1]
        for line in (data / "models" / "imagenet_synset_words.txt").read_text().splitlines()
    ]
    pictures = sorted((data / "images").iterdir())
    GOLDEN.mkdir(parents=True, exist_ok=True)
    devils = []
    for name, file, side, runner in [
        ("googlenet", "bvlc_googlenet.onnx", 224, onnx_runner),
        ("squeezenet", "squeezenet1_0.onnx", 227, onnx_runner),
        ("inception-tf", "inception_tf_frozen.pb", 224, tensorflow_runner),
    ]:
        run = runner(data / "models" / file)
        inputs = [random_tensor(k, side) for k in range(TENSORS)]
        inputs += [picture_tensor(Image.open(path), side) for path in pictures]
        devil = on_white(Image.open(data / "images" / "devil.png"))
        inputs.append(picture_tensor(devil, side))
        rows = np.array([run(np.ascontiguousarray(tensor)) for tensor in inputs], "<f4")
        if rows.shape != (len(inputs), len(labels)) or abs(rows.sum(axis=1) - 1).max() > 1e-4:
            raise SystemExit(f"{name}: {rows.shape}, sums {rows.sum(axis=1)}: no probabilities")
        devils.append(rows[-1])
        rows = rows[:-1]
        size = write(name, rows)

        top = rows.argmax(axis=1)
        print(f"{name}: {size} bytes; tops of the random tensors: {top[:TENSORS].tolist()}")
        for row, path in zip(rows[TENSORS:], pictures):
            label = labels[row.argmax()]
            print(f"  {path.name}: {label} {row.max():.6f}")
            if label != EXPECTED.get(path.name, label):
                raise SystemExit(f"{name}: {path.name} is {label}, not {EXPECTED[path.name]}")
    write("devil-on-white", np.array(devils))
    print("devil.png on white:", ", ".join(f"{labels[r.argmax()]} {r.max():.6f}" for r in devils))


if __name__ == "__main__":
    main()

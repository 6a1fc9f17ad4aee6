#!/usr/bin/env python3
"""Trains iris/, a small network as an ONNX graph.

Needs `pip install scikit-learn==1.9.1 onnx==1.23.2`:

    python models/train-iris.py

Writes iris/ beside this script: model.onnx, model.toml, labels.txt, samples.npz (what scikit-learn
answers for the held-out flowers) and records.jsonl (those flowers as somebody would send them). The
graph is written here, since scikit-learn writes none: standardised, two layers, softmax. Takes some
seconds; a second run gives the same bytes.
"""

import datetime
import hashlib
import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).resolve().parent / "iris"
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
HELD_OUT = 5  # one row in five, by position
SEED = 1936


def graph(scaler: StandardScaler, network: MLPClassifier) -> bytes:
    constants = {"mean": scaler.mean_, "deviation": scaler.scale_}
    for layer, (weights, bias) in enumerate(zip(network.coefs_, network.intercepts_)):
        constants |= {f"weights{layer}": weights, f"bias{layer}": bias}
    node = helper.make_node
    nodes = [
        node("Sub", ["measures", "mean"], ["centred"]),
        node("Div", ["centred", "deviation"], ["scaled"]),
        node("Gemm", ["scaled", "weights0", "bias0"], ["hidden"]),
        node("Relu", ["hidden"], ["active"]),
        node("Gemm", ["active", "weights1", "bias1"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    value = helper.make_tensor_value_info
    made = helper.make_graph(
        nodes,
        "iris",
        [value("measures", TensorProto.FLOAT, ["N", len(COLUMNS)])],
        [value("probabilities", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def main() -> None:
    flowers = load_iris()
    held_out = np.arange(len(flowers.data)) % HELD_OUT == HELD_OUT - 1
    classifier = make_pipeline(
        StandardScaler(), MLPClassifier([8], max_iter=4000, random_state=SEED, alpha=0.01)
    )
    classifier.fit(flowers.data[~held_out], flowers.target[~held_out])
    FOLDER.mkdir(exist_ok=True)
    file = graph(*(step for _, step in classifier.steps))
    (FOLDER / "model.onnx").write_bytes(file)
    (FOLDER / "labels.txt").write_text("".join(f"{name}\n" for name in flowers.target_names))
    asked = flowers.data[held_out]
    np.savez(
        FOLDER / "samples.npz",
        measures=asked.astype(np.float32),
        probabilities=classifier.predict_proba(asked).astype(np.float32),
    )
    records = (json.dumps(dict(zip(COLUMNS, row))) + "\n" for row in asked.tolist())
    (FOLDER / "records.jsonl").write_text("".join(records))
    right = int((classifier.predict(asked) == flowers.target[held_out]).sum())
    (FOLDER / "model.toml").write_text(f'''name = "iris"
version = 1
kind = "onnx"
file = "model.onnx"
sha256 = "{hashlib.sha256(file).hexdigest()}"
size = {len(file)}
licence = "Apache-2.0"
description = "Which iris is it? Two layers, of 8 and 3."

[[inputs]]
name = "measures"
type = "fp32"
shape = ["N", {len(COLUMNS)}]

[[outputs]]
name = "probabilities"
type = "fp32"
shape = ["N", 3]

[labels]
file = "labels.txt"

[preprocessing] # centimetres
columns = {json.dumps(COLUMNS)}

[samples]
file = "samples.npz"

[provenance]
trained_on = "scikit-learn's iris (R. A. Fisher, 1936)"
script = "models/train-iris.py"
date = "{datetime.date.today().isoformat()}"
scikit_learn = "1.9.1"
seed = {SEED}
training_rows = {int((~held_out).sum())}
held_out_rows = {len(asked)}
held_out_recognised = {right}
''')
    print("held out:", right, "of", len(asked))


if __name__ == "__main__":
    main()

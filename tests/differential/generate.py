#!/usr/bin/env python3
"""Writes the cases of the differential suite, and what the standard says of each operator.

    python3 -m venv VENV && VENV/bin/pip install -r tests/differential/requirements.txt
    VENV/bin/python tests/differential/generate.py OUT

OUT/cases.bin: the node tests of the onnx package, as they are, and with older opsets, other
types, stored inputs, or between quantised tensors, where ONNX Runtime computes that (without
optimisations, on one thread); and the models of `own.py`, for what the node tests have no form
of. OUT/schema.txt: versions, names, defaults and types of outputs, for `gate/schema.txt`.
Random operators have no right answer, and no cases.
"""

import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from onnx.backend.test.case import node as node_cases

import own
import schema
from cases import Writer, emit

RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
TRAINING = {"Adagrad", "Adam", "Gradient", "Momentum"}
# The last opset whose older forms are derived here; newer node tests are taken as they are.
LAST = 21
TYPES = ["float16", "float64", "int32", "int64", "uint8", "int8", "bool"]
# Beyond so many node tests of an operator, the rest is taken as it is.
MANY = 12


def variants(names):
    """Which inputs are stored in the file: none, all but the first, the first, all but the
    second, all."""
    names = list(dict.fromkeys(names))
    sets = [(), tuple(names[1:]), tuple(names[:1]), tuple(names[:1] + names[2:]), tuple(names)]
    return list(dict.fromkeys(sets))


def retyped(array, kind, op):
    """The same numbers in another type; small, so that every type holds them."""
    kind = np.dtype(kind)
    if kind.kind == "f":
        return array.astype(kind)
    if kind.kind == "b":
        return array > 0
    # What overflows has no right answer: powers and products of many are of smaller ones.
    most = 2 if op in ("Pow", "ReduceProd", "CumProd") else 9
    numbers = np.clip(np.nan_to_num(np.round(array * 3)), 0 if kind.kind == "u" or op == "Pow" else -most, most)
    if op in ("Div", "Mod"):
        numbers = np.where(numbers == 0, 1, numbers)
    return numbers.astype(kind)


def from_node_test(writer, case, few):
    model = case.model
    if len(model.graph.node) != 1:
        return
    node = model.graph.node[0]
    if node.op_type in RANDOM | TRAINING or any(a.HasField("g") for a in node.attribute):
        return
    inputs, outputs = case.data_sets[0]
    if not all(isinstance(array, (np.ndarray, np.generic)) for array in list(inputs) + list(outputs)):
        return
    arrays = dict(zip((i.name for i in model.graph.input), map(np.asarray, inputs)))
    opsets = [(o.domain, o.version) for o in model.opset_import]
    name = case.name.removeprefix("test_")
    if not any(domain == "" for domain, _ in opsets):
        opsets.append(("", LAST))
    outputs = [np.asarray(array) for array in outputs]
    # Names of inputs may be given twice: the model has each once.
    stored = variants([i for i in node.input if i])
    for consts in stored if few else stored[:2]:
        emit(writer, f"{name}/{mark(consts, arrays)}", node, arrays, consts, opsets, outputs)
    native = dict(opsets).get(node.domain, LAST)
    older = [native]
    for domain in [node.domain] if node.domain in ("", "ai.onnx") else []:
        older = schema.opsets(node.op_type, domain, 7, LAST)
    for opset in older:
        if opset == native or node.domain:
            continue
        for consts in stored[:2] if few else stored[1:2] or stored[:1]:
            emit(writer, f"{name}/{mark(consts, arrays)}/{opset}", node, arrays, consts, [("", opset)])
    if not few:
        return
    opset = min(native, LAST)
    imports = [(d, opset if d == node.domain else v) for d, v in opsets]
    # Of one input alone, that is given; else the others are stored.
    usual = [tuple(dict.fromkeys(i for i in node.input[1:] if i and i != node.input[0]))] if node.input else [()]
    floats = [key for key, array in arrays.items() if array.dtype == np.float32]
    for kind in TYPES if floats else []:
        other = {key: retyped(a, kind, node.op_type) if key in floats else a for key, a in arrays.items()}
        for consts in usual:
            emit(writer, f"{name}/{mark(consts, arrays)}/{kind}", node, other, consts, imports)
    if floats and node.domain == "" and opset >= 13:
        for consts in usual:
            own.quantised(writer, f"{name}/{mark(consts, arrays)}/qdq", node, arrays, consts, imports)


def mark(consts, arrays):
    """`given`, or which inputs are stored."""
    names = list(arrays)
    return "stored-" + "".join(str(names.index(n)) for n in consts if n in names) if consts else "given"


def main(folder):
    warnings.filterwarnings("ignore")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.txt").write_text(schema.text())
    np.random.seed(0)
    writer = Writer(folder / "cases.bin")
    collected = node_cases.collect_testcases(None)
    seen = {}
    for case in collected:
        op = case.model.graph.node[0].op_type
        seen[op] = seen.get(op, 0) + 1
        from_node_test(writer, case, seen[op] <= MANY)
    print(len(writer.names), "cases from", len(collected), "node tests", flush=True)
    own.write(writer)
    writer.close()
    print(len(writer.names), "cases")


if __name__ == "__main__":
    main(sys.argv[1])

#!/usr/bin/env python3
"""Writes the cases of the differential suite for TensorFlow, and what it says of each operator.

    python3 -m venv VENV && VENV/bin/pip install -r tests/differential/tensorflow/requirements.txt
    VENV/bin/python tests/differential/tensorflow/generate.py OUT

OUT/tensorflow.bin: cases of the operators (`operators.py`), and whole graphs as exporters write
them (`exports.py`), with the answers of TensorFlow on a CPU. OUT/tensorflow-schema.txt: names,
defaults and outputs of the operators, for the gate. Operators of chance have no right answer, and
no cases; those of loops are not computed.
"""

import sys
from collections import Counter
from pathlib import Path

# The first, as it says how TensorFlow computes.
from graphs import NATIVE, Cases, op_def_registry, tf

import exports
import operators


def schema(names):
    """As `../schema.py` has it: the version is always 1, and a type of an output never told, as
    attributes tell all types."""
    lines = []
    for name in sorted(names):
        op = op_def_registry.get(name)
        inputs = " ".join(a.name + ("*" if a.number_attr or a.type_list_attr else "") for a in op.input_arg)
        outputs = " ".join(a.name + ("*" if a.number_attr or a.type_list_attr else "") + ":?" for a in op.output_arg)
        defaults = " ".join(a.name if (d := default(a)) is None else f"{a.name}={d}" for a in op.attr)
        lines.append(f"tensorflow {name} 1 | {inputs} | {outputs} | {defaults}".rstrip())
    head = f"# Written by tests/differential/tensorflow/generate.py from TensorFlow {tf.__version__}; ../schema.py says how it is read.\n"
    return head + "\n".join(lines) + "\n"


def default(attribute):
    """A default, where it is not a list."""
    if not attribute.HasField("default_value"):
        return None
    value = attribute.default_value
    kind = value.WhichOneof("value")
    if kind == "s":
        return '"' + value.s.decode() + '"'
    if kind in ("i", "b"):
        return str(int(getattr(value, kind)))
    if kind == "f":
        text = f"{value.f:.9g}"
        return text if "." in text or "e" in text else text + ".0"
    if kind == "type":
        return NATIVE.get(tf.as_dtype(value.type).name, tf.as_dtype(value.type).name)
    return None


def main(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    writer = Cases(folder / "tensorflow.bin")
    operators.write(writer)
    count = len(writer.names)
    print(count, "cases of operators,", len(writer.skipped), "that TensorFlow does not compute", flush=True)
    (folder / "tensorflow-skipped.txt").write_text("".join(f"{name}: {reason}\n" for name, reason in writer.skipped))
    exports.write(writer)
    writer.close()
    used = {name.split("-")[1] for name in writer.names if name.startswith("tf-")} | {"Placeholder", "Const", "Cast"}
    (folder / "tensorflow-schema.txt").write_text(schema(used))
    print(len(writer.names) - count, "graphs of exporters;", len(used), "operators")
    whole = Counter(reason.split(":")[0][:60] for _, reason in writer.skipped)
    for reason, count in whole.most_common(5):
        print(f"  {count:5} {reason}")


if __name__ == "__main__":
    main(sys.argv[1])

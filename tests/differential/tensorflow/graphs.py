"""A case: a frozen graph with one operator that is looked at, inputs, and what TensorFlow computes.

`../writer.py` has the form of the file; `judge tensorflow` says of what kind the model is. wasi:nn
has six types of elements: inputs and outputs of others go through a Cast.
"""

import os
import sys
from pathlib import Path

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2
from tensorflow.python.framework import op_def_registry, tensor_util

sys.path.append(str(Path(__file__).parents[1]))
from writer import CARRIER, NATIVE, Writer

v1 = tf.compat.v1
SUBJECT = "subject"
# Where the channels stand decides which axes an attribute's numbers are of.
SIDED = ("strides", "ksize", "dilations")


class Skip(Exception):
    """It cannot be judged, or not be handed to the runner."""


def type_of(array):
    return tf.as_dtype(array.dtype).as_datatype_enum


def attribute(kind, value):
    """A value as the format has it, of the type that the operator says."""
    made = attr_value_pb2.AttrValue()
    if kind == "type":
        made.type = tf.as_dtype(value).as_datatype_enum
    elif kind == "list(type)":
        made.list.type.extend(tf.as_dtype(v).as_datatype_enum for v in value)
    elif kind == "int":
        made.i = value
    elif kind == "float":
        made.f = value
    elif kind == "bool":
        made.b = value
    elif kind == "string":
        made.s = value.encode()
    elif kind == "list(int)":
        made.list.SetInParent()
        made.list.i.extend(value)
    elif kind == "shape":
        made.shape.CopyFrom(tf.TensorShape(value).as_proto())
    else:
        raise Skip(f"attribute of kind {kind}")
    return made


def node(graph, name, op, inputs=(), **attributes):
    made = graph.node.add(name=name, op=op, input=list(inputs))
    kinds = {a.name: a.type for a in op_def_registry.get(op).attr}
    for key, value in attributes.items():
        made.attr[key].CopyFrom(attribute(kinds[key], value))
    return made


def constant(graph, name, array, listed=False):
    made = node(graph, name, "Const", dtype=array.dtype)
    proto = tensor_util.make_tensor_proto(array, dtype=tf.as_dtype(array.dtype), shape=array.shape)
    if listed:
        proto = spelled(array)
    made.attr["value"].tensor.CopyFrom(proto)


def spelled(array):
    """Numbers one by one, without those that repeat the last, as older exporters write them."""
    proto = tensor_util.make_tensor_proto(array.reshape(-1)[:1], dtype=tf.as_dtype(array.dtype))
    proto.ClearField("tensor_content")
    proto.tensor_shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    field = {"float32": "float_val", "float64": "double_val", "int64": "int64_val", "bool": "bool_val", "float16": "half_val"}.get(array.dtype.name, "int_val")
    numbers = list(array.reshape(-1).view(np.uint16) if array.dtype == np.float16 else array.reshape(-1))
    while len(numbers) > 1 and numbers[-1] == numbers[-2]:
        numbers.pop()
    proto.ClearField(field)
    getattr(proto, field).extend(n.item() for n in numbers)
    return proto


def build(op, arrays, stored, outputs, attributes, strip=False, listed=False, derived=None):
    """The graph. `arrays`: the inputs; those in `stored` are in the file. `outputs`: types by slot.
    `derived`: an input that follows from the shape of another ("shape"), or from what is stored."""
    definition = op_def_registry.get(op)
    if definition is None:
        raise Skip(f"no operator {op}")
    graph = v1.GraphDef()
    graph.versions.producer = 1987
    feeds, inputs = {}, []
    for index, array in enumerate(arrays):
        kind = array.dtype.name
        if derived and index == derived[0]:
            constant(graph, f"c{index}", array)
            if derived[1] == "shape":
                feeds[f"s{index}"] = np.zeros(array.shape, np.float32)
                node(graph, f"s{index}", "Placeholder", dtype=np.float32, shape=array.shape)
                node(graph, f"h{index}", "Shape", [f"s{index}"], T=np.float32, out_type=np.int32)
            else:
                constant(graph, f"h{index}", np.array(array.shape, np.int32))
            node(graph, f"d{index}", "Reshape", [f"c{index}", f"h{index}"], T=array.dtype, Tshape=np.int32)
            inputs.append(f"d{index}")
        elif index in stored:
            constant(graph, f"c{index}", array, listed)
            inputs.append(f"c{index}")
        elif kind in NATIVE:
            node(graph, f"i{index}", "Placeholder", dtype=array.dtype, shape=array.shape)
            feeds[f"i{index}"] = array
            inputs.append(f"i{index}")
        elif kind in CARRIER:
            carried = array.astype(CARRIER[kind])
            node(graph, f"i{index}", "Placeholder", dtype=carried.dtype, shape=array.shape)
            node(graph, f"x{index}", "Cast", [f"i{index}"], SrcT=carried.dtype, DstT=array.dtype, Truncate=False)
            feeds[f"i{index}"] = carried
            inputs.append(f"x{index}")
        else:
            raise Skip(f"type {kind}")
    known, at = dict(attributes), 0
    for argument in definition.input_arg:
        count = 1
        if argument.number_attr:
            count = len(arrays) - len(definition.input_arg) + 1
            known[argument.number_attr] = count
        if argument.type_list_attr:
            count = len(arrays)
        if at < len(arrays) and argument.type_attr:
            known.setdefault(argument.type_attr, arrays[at].dtype)
        at += count
    for a in definition.attr:
        if a.name not in known and not a.HasField("default_value"):
            raise Skip(f"no attribute {a.name}")
    subject = node(graph, SUBJECT, op, inputs, **known)
    for a in definition.attr:
        if a.HasField("default_value"):
            if a.name not in known and not strip:
                subject.attr[a.name].CopyFrom(a.default_value)
            elif strip and a.name in subject.attr and subject.attr[a.name] == a.default_value:
                del subject.attr[a.name]
    for slot, kind in outputs.items():
        source = f"{SUBJECT}:{slot}" if slot else SUBJECT
        if kind in NATIVE:
            node(graph, f"o{slot}", "Identity", [source], T=kind)
        elif kind in CARRIER:
            node(graph, f"o{slot}", "Cast", [source], SrcT=kind, DstT=CARRIER[kind], Truncate=False)
        else:
            raise Skip(f"type {kind}")
    return graph, feeds


def judge(graph, feeds, fetches):
    """What TensorFlow computes, operator by operator, without rewriting the graph."""
    config = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = v1.OptimizerOptions.L0
    with tf.Graph().as_default() as loaded:
        try:
            tf.import_graph_def(transposed(graph), name="")
            with v1.Session(graph=loaded, config=config) as session:
                return session.run([f"{f}:0" if ":" not in f else f for f in fetches], {f"{k}:0": v for k, v in feeds.items()})
        except Exception as error:  # it has a type of its own for each reason
            raise Skip(str(error).splitlines()[0][:200]) from None


def transposed(graph):
    """TensorFlow has no kernels for NCHW on a CPU. The operator in NHWC between transpositions is
    the same by definition."""
    subject = next((n for n in graph.node if n.name == SUBJECT), None)
    if subject is None or subject.op == "BiasAdd" or subject.attr["data_format"].s != b"NCHW":
        return graph
    turned = v1.GraphDef.FromString(graph.SerializeToString())
    subject = next(n for n in turned.node if n.name == SUBJECT)
    subject.attr["data_format"].s = b"NHWC"
    for name in SIDED:
        if name in subject.attr:
            a, c, h, w = subject.attr[name].list.i
            subject.attr[name].list.i[:] = [a, h, w, c]
    if "explicit_paddings" in subject.attr and subject.attr["explicit_paddings"].list.i:
        p = list(subject.attr["explicit_paddings"].list.i)
        subject.attr["explicit_paddings"].list.i[:] = p[:2] + p[4:] + p[2:4]
    constant(turned, "to_nhwc", np.array([0, 2, 3, 1], np.int32))
    constant(turned, "to_nchw", np.array([0, 3, 1, 2], np.int32))
    kind = subject.attr["T"].type
    node(turned, "turned", "Transpose", [subject.input[0], "to_nhwc"], T=kind, Tperm=np.int32)
    subject.input[0] = "turned"
    node(turned, "back", "Transpose", [SUBJECT, "to_nchw"], T=kind, Tperm=np.int32)
    for other in turned.node:
        if other.name.startswith("o") and other.input and other.input[0] == SUBJECT:
            other.input[0] = "back"
    return turned


class Cases(Writer):
    """Writes cases, and counts those that cannot be."""

    def __init__(self, path):
        super().__init__(path)
        self.skipped = []

    def emit(self, name, op, arrays, stored, outputs, attributes, subject=SUBJECT, **how):
        """Writes one case of an operator, if TensorFlow computes it."""
        arrays = [np.asarray(a) for a in arrays]
        slots = range(outputs) if isinstance(outputs, int) else outputs
        try:
            graph, feeds = build(op, arrays, stored, {}, attributes, **how)
            wanted = [f"{SUBJECT}:{slot}" for slot in slots]
            if "NCHW" in attributes.values():
                graph, feeds = build(op, arrays, stored, {0: kind_of(op, arrays)}, attributes, **how)
                wanted = ["o0"]
            found = [np.asarray(a) for a in judge(graph, feeds, wanted)]
            kinds = {slot: a.dtype.name for slot, a in zip(slots, found)}
            graph, feeds = build(op, arrays, stored, kinds, attributes, **how)
            results = {f"o{slot}": a.astype(CARRIER.get(a.dtype.name, a.dtype.name)) for slot, a in zip(slots, found)}
            self.write(name, "tensorflow", graph, feeds, results, subject)
        except Skip as reason:
            self.skipped.append((name, str(reason)))


def kind_of(op, arrays):
    return arrays[0].dtype.name

"""A model of one operator with inputs, and what the judge computes from them.

wasi:nn has six types of elements. Inputs and outputs of others go through a Cast.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from writer import CARRIER, NATIVE, Writer

onnxruntime.set_default_logger_severity(4)

IR = [(21, 10), (19, 9), (0, 8)]


class Skip(Exception):
    """It cannot be judged, or not be handed to the runner."""


def elem(array):
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def build(node, arrays, consts, opsets, outputs, subject="subject", folded=False):
    """The model: `arrays` by the names of the node's inputs; those in `consts` are stored in
    the file, and whole numbers of these, if `folded`, follow from what is. `outputs` are arrays by
    name, or types. Gives the model, and what to feed."""
    node = onnx.NodeProto.FromString(node.SerializeToString())
    node.name = subject
    before, after, inputs, stored, feeds, wanted = [], [], [], [], {}, {}
    rename = {}
    for name, array in arrays.items():
        kind = array.dtype.name
        if kind not in NATIVE and kind not in CARRIER:
            raise Skip(f"type {kind}")
        if name in consts and folded and kind == "int64":
            stored.append(numpy_helper.from_array(array, name + "_part"))
            stored.append(numpy_helper.from_array(np.int64(0), name + "_none"))
            before.append(helper.make_node("Add", [name + "_part", name + "_none"], [name], name=name + "_add"))
        elif name in consts:
            stored.append(numpy_helper.from_array(array, name))
        elif kind in NATIVE:
            inputs.append(helper.make_tensor_value_info(name, elem(array), array.shape))
            feeds[name] = array
        else:
            carried = array.astype(CARRIER[kind])
            inputs.append(helper.make_tensor_value_info(name + "_in", elem(carried), array.shape))
            feeds[name + "_in"] = carried
            before.append(helper.make_node("Cast", [name + "_in"], [name], name=name + "_cast", to=elem(array)))
    declared = []
    for name, kind in outputs.items():
        if kind in NATIVE:
            declared.append(helper.make_empty_tensor_value_info(name))
            declared[-1].type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
            wanted[name] = (name, kind)
        elif kind in CARRIER:
            to = helper.np_dtype_to_tensor_dtype(np.dtype(CARRIER[kind]))
            after.append(helper.make_node("Cast", [name], [name + "_out"], name=name + "_cast", to=to))
            declared.append(helper.make_empty_tensor_value_info(name + "_out"))
            declared[-1].type.tensor_type.elem_type = to
            wanted[name + "_out"] = (name, CARRIER[kind])
        else:
            raise Skip(f"type {kind}")
    graph = helper.make_graph(before + [node] + after, "differential", inputs, declared, stored)
    version = dict(opsets).get("", 21)
    ir = next(ir for least, ir in IR if version >= least)
    imports = [helper.make_opsetid(domain, number) for domain, number in opsets]
    model = helper.make_model(graph, opset_imports=imports, ir_version=ir, producer_name="differential")
    return model, feeds, wanted


def judge(model, feeds):
    """What ONNX Runtime computes, with all optimisations off."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feeds)))
    except Exception as error:  # it has a type of its own for each reason
        raise Skip(str(error).splitlines()[0][:200]) from None


def emit(writer, name, node, arrays, consts, opsets, expected=None, folded=False):
    """Writes one case. ONNX Runtime is the judge; what it does not compute, `expected` judges:
    arrays of the suite that the case comes from. Gives the types of the outputs, `None` if it
    cannot be judged."""
    outputs = [output for output in node.output if output]
    try:
        if expected is not None:
            given = dict(zip(outputs, expected))
            model, feeds, wanted = build(node, arrays, consts, opsets, kinds_of(given))
            results = {name: given[source].astype(kind) for name, (source, kind) in wanted.items()}
            judged_by = "onnx"
            try:
                found = judge(model, feeds)
                if kinds_of(found) == kinds_of(results):
                    for output, array in results.items():
                        if not np.allclose(array, found[output], rtol=1e-2, atol=1e-3, equal_nan=True):
                            print("ONNX Runtime and onnx differ:", name, output)
                    judged_by, results = "onnxruntime", {n: found[n] for n in results}
            except (Skip, ValueError):
                pass
            writer.write(name, judged_by, model, feeds, results)
            return kinds_of(given)
        # Inputs that are none of wasi:nn's types are fed through a Cast here too.
        model, feeds, _ = build(node, arrays, consts, opsets, {}, folded=folded)
        for output in outputs:
            model.graph.output.append(onnx.ValueInfoProto(name=output))
        results = judge(model, feeds)
        kinds = kinds_of(results)
        model, feeds, wanted = build(node, arrays, consts, opsets, kinds, folded=folded)
        results = {name: np.asarray(results[source]).astype(kind) for name, (source, kind) in wanted.items()}
        writer.write(name, "onnxruntime", model, feeds, results)
        return kinds
    except Skip:
        return None


def kinds_of(arrays):
    """The names of the types, by output."""
    if not all(isinstance(array, (np.ndarray, np.generic)) for array in arrays.values()):
        raise Skip("no tensor")
    return {name: array.dtype.name for name, array in arrays.items()}

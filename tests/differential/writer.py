"""A file of cases, which the runner (host/inference/examples/differential.rs) reads; each:

    case NAME
    node NAME                       the node that is looked at; - where it is the whole graph
    judge NAME                      who says what is right
    model BYTES
    input NAME TYPE D,D,... BYTES
    output NAME TYPE D,D,... BYTES
    (an empty line, then the bytes, in that order; little-endian, row-major)
"""

import numpy as np

# The types of wasi:nn.
NATIVE = {"float16": "fp16", "float32": "fp32", "float64": "fp64", "uint8": "u8", "int32": "i32", "int64": "i64"}
# What a type travels as.
CARRIER = {"bool": "uint8", "int8": "int32", "int16": "int32", "uint16": "int32", "uint32": "int64", "uint64": "int64"}


class Writer:
    """Writes cases, and counts them."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.names = set()

    def write(self, name, judged_by, model, feeds, results, subject="subject"):
        if name in self.names:
            return
        self.names.add(name)
        head, body = [f"case {name}", f"node {subject}", f"judge {judged_by}"], []
        bytes_of = model.SerializeToString(deterministic=True)
        head.append(f"model {len(bytes_of)}")
        body.append(bytes_of)
        for what, tensors in (("input", feeds), ("output", results)):
            for tensor, array in tensors.items():
                array = np.ascontiguousarray(array).reshape(np.shape(array))
                data = array.astype(array.dtype.newbyteorder("<")).tobytes()
                shape = ",".join(str(size) for size in array.shape) or "-"
                head.append(f"{what} {tensor} {NATIVE[array.dtype.name]} {shape} {len(data)}")
                body.append(data)
        self.file.write(("\n".join(head) + "\n\n").encode() + b"".join(body))

    def close(self):
        self.file.close()

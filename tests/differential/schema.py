"""What the standard says of operators, in a line for each version of each:

    DOMAIN OP SINCE | INPUT INPUT? INPUT* | OUTPUT:TYPE ... | ATTRIBUTE=DEFAULT ATTRIBUTE ...

`-` is the standard's own domain. TYPE of an output: `=N` that of input N, a type's name,
`@A` what attribute A says, `?` else. Strings are in quotation marks; an attribute
without a default has none.
"""

import onnx
from onnx import defs, helper

DOMAINS = ("", "ai.onnx.ml")
SHORT = {"tensor(float)": "fp32", "tensor(float16)": "fp16", "tensor(double)": "fp64", "tensor(bfloat16)": "bf16", "tensor(string)": "string", "tensor(bool)": "bool"}
SHORT |= {f"tensor({sign}int{bits})": f"{sign[:1] or 'i'}{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
TYPED_BY = ("to", "dtype", "output_dtype")


def history():
    return [s for s in defs.get_all_schemas_with_history() if s.domain in DOMAINS and not s.deprecated]


HISTORY = history()


def opsets(op, domain, first, last):
    """The opsets that are worth a case: the first in which each version holds."""
    since = sorted({s.since_version for s in HISTORY if s.name == op and s.domain == domain})
    found = []
    for at, version in enumerate(since):
        end = since[at + 1] - 1 if at + 1 < len(since) else last
        low, high = max(version, first), min(end, last)
        if low <= high:
            found += [low]
    return list(dict.fromkeys(found))


def text():
    lines = []
    for s in sorted(HISTORY, key=lambda s: (s.domain, s.name, s.since_version)):
        option = {defs.OpSchema.FormalParameterOption.Optional: "?", defs.OpSchema.FormalParameterOption.Variadic: "*"}
        inputs = " ".join(i.name + option.get(i.option, "") for i in s.inputs)
        outputs = " ".join(o.name + option.get(o.option, "") + ":" + type_of(s, o) for o in s.outputs)
        defaults = " ".join(n if shown(a) is None else f"{n}={shown(a)}" for n, a in sorted(s.attributes.items()))
        lines.append(f"{s.domain or '-'} {s.name} {s.since_version} | {inputs} | {outputs} | {defaults}")
    head = f"# Written by tests/differential/generate.py from onnx {onnx.__version__}; schema.py there says how it is read.\n"
    return head + "\n".join(line.rstrip() for line in lines) + "\n"


def type_of(s, output):
    for attribute in TYPED_BY:
        if attribute in s.attributes:
            fallback = next((n for n, i in enumerate(s.inputs) if i.type_str == output.type_str), None)
            return f"@{attribute}" if fallback is None else f"@{attribute}={fallback}"
    for number, i in enumerate(s.inputs):
        if i.type_str == output.type_str:
            return f"={number}"
    allowed = next((c.allowed_type_strs for c in s.type_constraints if c.type_param_str == output.type_str), [output.type_str])
    return SHORT.get(allowed[0], "?") if len(allowed) == 1 else "?"


def shown(attribute):
    if attribute.default_value.type == onnx.AttributeProto.UNDEFINED:
        return None
    value = helper.get_attribute_value(attribute.default_value)
    if isinstance(value, bytes):
        return '"' + value.decode() + '"'
    if isinstance(value, (list, tuple)):
        return None
    return repr(value) if isinstance(value, int) else f"{value:.9g}" if "." in f"{value:.9g}" or "e" in f"{value:.9g}" else f"{value:.9g}.0"

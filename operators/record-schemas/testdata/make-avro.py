"""Writes avro.json: records that fastavro wrote, and what it reads from them.

    pip install fastavro==1.13.1
    python make-avro.py > avro.json

A case is a schema, that of the reader if it is another, records, places, and for each record
what is at each place; or that it cannot be read. Values are as JSON has them, but for
{"float": "..."} (the digits of Python's repr), {"decimal": "..."} and {"other": true} for what
is neither a number nor a text. {"absent": true}: the schema or the record has no such place.
"""

import decimal
import io
import json
import random

import fastavro

random.seed(15)
PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


class Made:
    """Random schemas, each name used once."""

    def __init__(self):
        self.count = 0

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def schema(self, depth, in_union=False):
        kinds = PRIMITIVES[1 if in_union else 0 :] * 2 + ["enum", "fixed", "decimal"]
        if depth > 0:
            kinds += ["record"] * 6 + ["array"] * 4 + ["map"] * 3
            if not in_union:
                kinds += ["union"] * 5
        kind = random.choice(kinds)
        if kind == "enum":
            return {"type": "enum", "name": self.name("E"), "symbols": ["A", "B", "C"]}
        if kind == "fixed":
            return {"type": "fixed", "name": self.name("F"), "size": random.choice([0, 1, 5])}
        if kind == "decimal":
            return {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 3}
        if kind == "record":
            return self.record(depth)
        if kind == "array":
            return {"type": "array", "items": self.schema(depth - 1)}
        if kind == "map":
            return {"type": "map", "values": self.schema(depth - 1)}
        if kind == "union":
            return ["null", self.schema(depth - 1, True)]
        return kind

    def record(self, depth):
        fields = [
            {"name": f"f{number}", "type": self.schema(depth - 1)}
            for number in range(random.randint(0, 5))
        ]
        return {"type": "record", "name": self.name("R"), "fields": fields}


def value(schema):
    if isinstance(schema, list):
        return value(random.choice(schema))
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "null":
        return None
    if kind == "boolean":
        return random.random() < 0.5
    if kind == "int":
        return random.choice([0, -1, 63, 64, 2**31 - 1, -(2**31), random.randint(-1000, 1000)])
    if kind == "long":
        return random.choice([0, -1, 2**63 - 1, -(2**63), random.randint(-(2**40), 2**40)])
    if kind == "float":
        return random.choice([0.0, 0.1, -1e30, float("inf"), random.gauss(0, 1)])
    if kind == "double":
        return random.choice([0.0, 0.1, 1e300, float("-inf"), random.gauss(0, 1)])
    if kind == "bytes":
        if isinstance(schema, dict) and schema.get("logicalType") == "decimal":
            return decimal.Decimal(random.randint(-(10**15), 10**15)).scaleb(-3)
        return bytes(random.randrange(256) for _ in range(random.randint(0, 9)))
    if kind == "string":
        return random.choice(["", "a", "ü€😀", "x" * 70, "12.5"])
    if kind == "fixed":
        return bytes(schema["size"])
    if kind == "enum":
        return random.choice(schema["symbols"])
    if kind == "array":
        return [value(schema["items"]) for _ in range(random.choice([0, 1, 3]))]
    if kind == "map":
        return {key: value(schema["values"]) for key in random.choice([[], ["k"], ["k", "é.b"]])}
    return {field["name"]: value(field["type"]) for field in schema["fields"]}


def shown(found):
    if isinstance(found, bool) or found is None or isinstance(found, (int, str)):
        return found
    if isinstance(found, float):
        return {"float": repr(found)}
    if isinstance(found, decimal.Decimal):
        return {"decimal": format(found, "f")}
    return {"other": True}


def paths(found, steps=()):
    """The ways to all values."""
    if isinstance(found, dict):
        for key, below in found.items():
            yield from paths(below, steps + (key,))
    elif isinstance(found, list):
        for index, below in enumerate(found):
            yield from paths(below, steps + (str(index),))
    yield list(steps)


def at(found, steps):
    for step in steps:
        if found is None:
            return None
        if isinstance(found, dict):
            if step not in found:
                return {"absent": True}
            found = found[step]
        elif isinstance(found, list):
            if not step.isdigit() or int(step) >= len(found):
                return {"absent": True}
            found = found[int(step)]
        else:
            return {"absent": True}
    return shown(found)


def case(schema, values, reader=None, extra=()):
    parsed = fastavro.parse_schema(schema)
    read_as = fastavro.parse_schema(reader) if reader is not None else None
    records, results, wanted = [], [], {}
    for item in values:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, parsed, item)
        records.append(out.getvalue())
        try:
            results.append(fastavro.schemaless_reader(io.BytesIO(records[-1]), parsed, read_as))
        except Exception as error:  # what kind it is differs
            results.append(error)
            continue
        for steps in paths(results[-1]):
            wanted[tuple(steps)] = None
    places = [list(steps) for steps in random.sample(list(wanted), min(len(wanted), 14))]
    places += [list(steps) for steps in extra]
    expected = [
        "unreadable" if isinstance(result, Exception) else [at(result, steps) for steps in places]
        for result in results
    ]
    made = {"schema": schema, "places": places}
    if reader is not None:
        made["reader"] = reader
    made["records"] = [record.hex() for record in records]
    made["expected"] = expected
    return made


def record(*fields, name="R", **more):
    fields = [dict(zip(("name", "type", "default"), field)) for field in fields]
    return {"type": "record", "name": name, "fields": fields, **more}


def resolved():
    """Pairs of a writer's schema and a reader's."""
    number = record(("a", "int"), ("b", "string"))
    one = [{"a": 7, "b": "x"}, {"a": -(2**31), "b": ""}]
    for wider in ["long", "float", "double"]:
        yield number, one, record(("a", wider), ("b", "bytes"))
    big = record(("a", "long"), ("f", "float"))
    many = [{"a": 2**53 + 1, "f": 0.1}, {"a": -(2**63), "f": -2.5}]
    for wider in ["float", "double"]:
        yield big, many, record(("a", wider), ("f", "double"))
    # Fields in another order, fewer, more with defaults, renamed.
    yield number, one, record(("b", "string"), ("a", "int"))
    yield number, one, record(("b", "string"))
    more = record(
        ("a", "int"),
        ("n", ["null", "int"], None),
        ("d", "double", 1.5),
        ("s", "string", "é"),
        ("l", {"type": "array", "items": "int"}, [4, 5]),
        ("m", {"type": "map", "values": "string"}, {"k": "v"}),
        ("r", record(("x", "int"), ("y", "int", 3), name="Inner"), {"x": 2}),
        ("t", "boolean", True),
    )
    yield number, one, more
    renamed = record(("b", "string"))
    renamed["fields"].append({"name": "amount", "type": "long", "aliases": ["a"]})
    yield number, one, renamed
    # Unions.
    yield record(("u", "int")), [{"u": 4}], record(("u", ["null", "int"]))
    yield record(("u", "int")), [{"u": 4}], record(("u", ["null", "string", "double"]))
    yield record(("u", ["null", "int"])), [{"u": 4}, {"u": None}], record(("u", "int"))
    yield (
        record(("u", ["null", "int", "string"])),
        [{"u": 4}, {"u": None}, {"u": "s"}],
        record(("u", ["string", "null", "long"])),
    )
    # Enums: a symbol that the reader has not, with a default and without.
    letters = {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}
    fewer = {"type": "enum", "name": "E", "symbols": ["C", "A"]}
    values = [{"e": "A"}, {"e": "B"}, {"e": "C"}]
    yield record(("e", letters)), values, record(("e", dict(fewer, default="A")))
    yield record(("e", letters)), values, record(("e", fewer))
    # What does not fit.
    yield number, one, record(("a", "string"), ("b", "string"))
    yield number, one, record(("a", "int"), ("b", "string"), ("c", "int"))
    yield record(("l", {"type": "array", "items": "int"})), [{"l": [1, 2]}], record(
        ("l", {"type": "array", "items": "double"})
    )
    yield record(("m", {"type": "map", "values": "int"})), [{"m": {"k": 2}}], record(
        ("m", {"type": "map", "values": "long"})
    )


def main():
    cases = []
    while len(cases) < 150:
        schema = Made().record(4)
        cases.append(case(schema, [value(schema) for _ in range(3)], extra=[["none"], ["f0", "none"]]))
    for schema, values, reader in resolved():
        fields = [[field["name"]] for field in reader["fields"]]
        cases.append(case(schema, values, reader, extra=fields))
    # A type that has itself, namespaces, a name without its namespace.
    tree = {
        "type": "record",
        "name": "Node",
        "namespace": "a.b",
        "fields": [
            {"name": "v", "type": "int"},
            {"name": "next", "type": ["null", "Node"]},
            {"name": "kinds", "type": {"type": "array", "items": "a.b.Node"}},
        ],
    }
    leaf = {"v": 3, "next": None, "kinds": []}
    chain = {"v": 1, "next": {"v": 2, "next": leaf, "kinds": [leaf, leaf]}, "kinds": [leaf]}
    cases.append(case(tree, [leaf, chain], extra=[["next", "next", "v"], ["next", "kinds", "1", "v"]]))
    print("[")
    print(",\n".join(json.dumps(made, ensure_ascii=False, separators=(",", ":")) for made in cases))
    print("]")


main()

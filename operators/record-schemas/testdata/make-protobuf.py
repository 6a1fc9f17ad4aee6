"""Writes protobuf.json: records that Google's protobuf wrote, and what it reads from them.

    pip install protobuf==7.36.2 grpcio-tools==1.85.1
    python make-protobuf.py > protobuf.json

A case is a `.proto` file, a message, places, and records with what is at each place, in the form
of make-avro.py. Some records are two of one message end to end, which is one as well.
"""

import importlib
import json
import math
import pathlib
import random
import sys
import tempfile

import grpc_tools
from google.protobuf.descriptor import FieldDescriptor as F
from grpc_tools import protoc

random.seed(15)

THREE = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Order {
  enum State { NEW = 0; PAID = 1; SENT = 5; }
  message Line {
    string article = 1;
    double price = 2;
    optional int32 count = 3;
    repeated string marks = 4;
    map<string, Line> parts = 5;
  }
  int32 a = 1; int64 b = 2; uint32 c = 3; uint64 d = 4; sint32 e = 5; sint64 f = 6;
  fixed32 g = 7; fixed64 h = 8; sfixed32 i = 9; sfixed64 j = 10;
  float k = 11; double l = 12; bool m = 13; string n = 14; bytes o = 15;
  State state = 16;
  optional int32 maybe = 17; optional string note = 18; optional State perhaps = 19;
  Line line = 20;
  repeated Line lines = 21;
  repeated int32 packed = 22; repeated sint64 unpacked = 23 [packed = false];
  repeated double doubles = 24; repeated State states = 25; repeated string texts = 26;
  map<string, double> numbers = 27; map<int64, string> names = 28; map<bool, Line> both = 29;
  oneof choice { int32 first = 30; string second = 31; Line third = 32; }
  google.protobuf.Timestamp at = 33;
  google.protobuf.DoubleValue limit = 34;
  string camel_case_name = 4000;
}
"""

TWO = """
syntax = "proto2";
message Old {
  enum Colour { RED = 1; GREEN = 7; BLUE = -2; }
  required int32 id = 1;
  optional int32 plain = 2;
  optional int32 seven = 3 [default = 7];
  optional string word = 4 [default = "none"];
  optional Colour colour = 5 [default = GREEN];
  optional Colour other = 6;
  repeated Colour colours = 7;
  optional group Inner = 8 { optional double x = 1 [default = inf]; repeated group Deep = 2 { optional int32 y = 1; } }
  repeated int32 loose = 9; repeated int32 tight = 10 [packed = true];
  optional Old child = 11;
  optional uint64 large = 12 [default = 18446744073709551615];
  optional bool flag = 13 [default = true];
}
"""

NUMBERS = {
    F.TYPE_INT32: (-(2**31), 2**31 - 1), F.TYPE_SINT32: (-(2**31), 2**31 - 1),
    F.TYPE_SFIXED32: (-(2**31), 2**31 - 1), F.TYPE_INT64: (-(2**63), 2**63 - 1),
    F.TYPE_SINT64: (-(2**63), 2**63 - 1), F.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    F.TYPE_UINT32: (0, 2**32 - 1), F.TYPE_FIXED32: (0, 2**32 - 1),
    F.TYPE_UINT64: (0, 2**64 - 1), F.TYPE_FIXED64: (0, 2**64 - 1),
}


def scalar(field):
    if field.type in NUMBERS:
        low, high = NUMBERS[field.type]
        return random.choice([low, high, 0, 1, random.randint(max(low, -300), 300)])
    if field.type in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
        return random.choice([0.0, 0.1, -2.5, 1e30, math.inf, random.gauss(0, 1)])
    if field.type == F.TYPE_BOOL:
        return random.random() < 0.5
    if field.type == F.TYPE_STRING:
        return random.choice(["", "a", "ü€", "12"])
    if field.type == F.TYPE_BYTES:
        return bytes(3)
    return random.choice(field.enum_type.values).number


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def fill(message, depth=3, often=0.6):
    for field in message.DESCRIPTOR.fields:
        needed = field.is_required
        if not needed and random.random() > often:
            continue
        if is_map(field):
            value = field.message_type.fields_by_name["value"]
            kind = field.message_type.fields_by_name["key"].type
            keys = {F.TYPE_STRING: ["k", "", "é"], F.TYPE_INT64: [-1, 7], F.TYPE_BOOL: [True, False]}
            for key in random.sample(keys[kind], 2):
                if value.message_type is None:
                    getattr(message, field.name)[key] = scalar(value)
                elif depth:
                    fill(getattr(message, field.name)[key], depth - 1)
        elif field.is_repeated:
            many = getattr(message, field.name)
            for _ in range(random.randint(1, 3)):
                if field.message_type is None:
                    many.append(scalar(field))
                elif depth:
                    fill(many.add(), depth - 1)
        elif field.message_type is None:
            setattr(message, field.name, scalar(field))
        elif depth:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), depth - 1)
    return message


def shown(field, value):
    if field.type == F.TYPE_BYTES:
        return {"other": True}
    if field.type == F.TYPE_ENUM:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    return {"float": repr(value)} if isinstance(value, float) else value


def below(field, value, steps):
    """What is at the steps below one value of a field."""
    if field.message_type is not None:
        if field.message_type.full_name == "google.protobuf.DoubleValue" and not steps:
            steps = ["value"]
        return at(value, steps) if steps else {"other": True}
    return {"absent": True} if steps else shown(field, value)


def at(message, steps):
    field = message.DESCRIPTOR.fields_by_name.get(steps[0])
    if field is None:
        return {"absent": True}
    steps = steps[1:]
    value = getattr(message, field.name)
    if is_map(field):
        if not steps:
            return {"other": True}
        entry = field.message_type.fields_by_name["value"]
        for key in value:
            if (str(key).lower() if isinstance(key, bool) else str(key)) == steps[0]:
                return below(entry, value[key], steps[1:])
        return {"absent": True}
    if field.is_repeated:
        if not steps:
            return {"other": True}
        index = int(steps[0]) if steps[0].isdigit() else len(value)
        return below(field, value[index], steps[1:]) if index < len(value) else {"absent": True}
    if field.has_presence and not message.HasField(field.name):
        known = exists(field, steps)
        if not known:
            return {"absent": True}
        return shown(field, value) if field.has_default_value and not steps else None
    return below(field, value, steps)


def exists(field, steps):
    """Whether the schema has a place, as far as it says."""
    if not steps:
        return True
    if field.message_type is None:
        return False
    inner = field.message_type.fields_by_name.get(steps[0])
    if inner is None:
        return False
    steps = steps[1:]
    if is_map(inner):
        inner, steps = inner.message_type.fields_by_name["value"], steps[1:]
    elif inner.is_repeated:
        if steps and not steps[0].isdigit():
            return False
        steps = steps[1:]
    return exists(inner, steps)


def ways(descriptor, depth=2):
    for field in descriptor.fields:
        steps = [[field.name]]
        if is_map(field):
            value = field.message_type.fields_by_name["value"]
            keys = {F.TYPE_STRING: ["k", "none"], F.TYPE_INT64: ["7", "-1"], F.TYPE_BOOL: ["true"]}
            keys = keys[field.message_type.fields_by_name["key"].type]
            steps += [[field.name, key] for key in keys]
            inner = value.message_type
        else:
            if field.is_repeated:
                steps += [[field.name, "0"], [field.name, "2"]]
            inner = field.message_type
        yield from steps
        if inner is not None and depth:
            for way in ways(inner, depth - 1):
                yield steps[-1] + way if len(steps) == 1 else steps[1] + way
    yield ["nothing"]


def case(text, message):
    descriptor = message.DESCRIPTOR
    places = list(ways(descriptor))
    records, expected = [], []
    for number in range(24):
        record = fill(message()).SerializeToString()
        if number % 3 == 0:
            record += fill(message(), often=0.3).SerializeToString()
        read = message()
        read.ParseFromString(record)
        records.append(record.hex())
        expected.append([at(read, steps) for steps in places])
    records.append(fill(message(), often=0).SerializeToString().hex())
    read = message.FromString(bytes.fromhex(records[-1]))
    expected.append([at(read, steps) for steps in places])
    name = descriptor.full_name
    return {"proto": text, "message": name, "places": places, "records": records, "expected": expected}


def main():
    folder = tempfile.mkdtemp()
    sys.path.insert(0, folder)
    cases = []
    google = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    for name, text, message in [("three", THREE, "Order"), ("two", TWO, "Old")]:
        pathlib.Path(folder, f"{name}.proto").write_text(text)
        protoc.main(["", f"-I{folder}", f"-I{google}", f"--python_out={folder}", f"{name}.proto"])
        cases.append(case(text, getattr(importlib.import_module(f"{name}_pb2"), message)))
    print("[")
    print(",\n".join(json.dumps(made, ensure_ascii=False, separators=(",", ":")) for made in cases))
    print("]")


main()

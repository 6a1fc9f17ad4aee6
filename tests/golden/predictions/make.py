"""Writes predictions.json: predictions as Confluent's own serializers write them, by the schemas that
Sandbar generates and by given ones.

    pip install 'confluent-kafka[avro,protobuf,json,schemaregistry]==2.16.1' fastavro==1.13.1 \\
        protobuf==7.36.2 grpcio-tools==1.85.1
    python make.py > predictions.json

The registry is the one in memory that the package brings for tests (`mock://`): it gives ids and
globally unique ids. Each value is read again by Confluent's deserializer, which for JSON checks it
against its schema.
"""

import json
import math
import pathlib
import tempfile

from confluent_kafka.schema_registry import (
    SchemaRegistryClient,
    dual_schema_id_deserializer,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

NAN, INF = float("nan"), float("inf")


def classes(stage, names, label, values, model="flights-gbm@1"):
    return {"stage": stage, "classes": names, "label": label, "values": values, "model": model}


def values(stage, names, given, model="delay-glm@2"):
    return {"stage": stage, "names": names, "values": given, "model": model}


FLIGHT = classes("score", ["NO", "YES"], 1, [0.31, 0.69])
DELAY = values("score", ["predict"], [12.5])
ODD = values("score", ["a", "b", "c", "d"], [NAN, INF, -INF, -0.0])
NAMED = classes("score", ["größe", "z" * 130, ""], 0, [0.5, 0.25, 0.25], "model")
NAMELESS = classes("score", ["b", ""], 1, [0.25, 0.75], "")
MANY = values("score", [f"v{number:02}" for number in range(70)], [n / 8 for n in range(70)])
SEVERAL = [
    classes("late", ["NO", "YES"], 0, [0.75, 0.25]),
    values("by-how-much", ["p10", "p90"], [-3.5, 1e300]),
    classes("2nd.opinion", ["NO", "YES"], 1, [0.125, 0.875], "other@7"),
]

MAP = '{"type":"map","values":"double"}'
AVRO_CLASSES = (
    '{"name":"label","type":"string"},{"name":"probabilities","type":' + MAP + "},"
    '{"name":"model","type":"string"}'
)
AVRO_VALUES = '{"name":"values","type":' + MAP + '},{"name":"model","type":"string"}'


def avro(name, fields, namespace=None):
    namespace = f'"namespace":"{namespace}",' if namespace else ""
    return '{"type":"record","name":"' + name + '",' + namespace + '"fields":[' + fields + "]}"


AVRO_SEVERAL = avro(
    "Prediction",
    '{"name":"late","type":' + avro("PredictionClasses", AVRO_CLASSES) + "},"
    '{"name":"by_how_much","doc":"stage by-how-much","type":'
    + avro("PredictionValues", AVRO_VALUES)
    + "},"
    '{"name":"stage_2nd_opinion","doc":"stage 2nd.opinion","type":"PredictionClasses"}',
)

PROTO = 'syntax = "proto3";\n'
PROTO_CLASSES = "  string label = 1;\n  map<string, double> probabilities = 2;\n  string model = 4;\n"
PROTO_VALUES = "  map<string, double> values = 3;\n  string model = 4;\n"


def message(name, fields):
    return "\nmessage " + name + " {\n" + fields + "}\n"


PROTO_SEVERAL = (
    PROTO
    + message(
        "Prediction",
        "  PredictionClasses late = 1;\n  PredictionValues by_how_much = 2;\n"
        "  PredictionClasses stage_2nd_opinion = 3;\n",
    )
    + message("PredictionClasses", PROTO_CLASSES)
    + message("PredictionValues", PROTO_VALUES)
)

TEXT = '{"type":"string"}'
NUMBERS = '{"type":"object","additionalProperties":{"type":["number","null"]}}'


def json_object(**properties):
    named = ",".join(f'"{name}":{kind}' for name, kind in properties.items())
    names = ",".join(f'"{name}"' for name in properties)
    return (
        '"type":"object","properties":{' + named + '},"required":[' + names + "],"
        '"additionalProperties":false'
    )


JSON_CLASSES = json_object(label=TEXT, probabilities=NUMBERS, model=TEXT)
JSON_VALUES = json_object(values=NUMBERS, model=TEXT)


def json_schema(title, content):
    draft = "http://json-schema.org/draft-07/schema#"
    return '{"$schema":"' + draft + '","title":"' + title + '",' + content + "}"


GIVEN = {
    "type": "record",
    "name": "Delay",
    "namespace": "flights",
    "doc": "What an airport wants to know.",
    "fields": [
        {"name": "note", "type": ["null", "string"], "default": None},
        {
            "name": "label",
            "type": ["null", {"type": "enum", "name": "Late", "symbols": ["MAYBE", "YES", "NO"]}],
        },
        {"name": "probability", "type": ["float", "null"]},
        {
            "name": "probabilities",
            "type": {
                "type": "record",
                "name": "Each",
                "fields": [
                    {"name": "YES", "type": "double"},
                    {"name": "other", "type": ["string", "null"]},
                    {"name": "NO", "type": ["null", "float"]},
                ],
            },
        },
        {"name": "model", "type": {"type": "string", "avro.java.string": "String"}},
        {"name": "nothing", "type": "null"},
    ],
}
GIVEN_SEVERAL = {
    "type": "record",
    "name": "both.Answers",
    "fields": [
        {
            "name": "by_how_much",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Much",
                    "fields": [
                        {"name": "values", "type": {"type": "map", "values": ["null", "double"]}},
                        {"name": "late", "type": ["null", "both.Much"], "default": None},
                    ],
                },
            ],
        },
        {
            "name": "late",
            "type": {
                "type": "record",
                "name": "Late",
                "fields": [{"name": "probability", "type": "double"}, {"name": "label", "type": "string"}],
            },
        },
    ],
}


def given_flight(scorers):
    (it,) = scorers
    chances = dict(zip(it["classes"], it["values"]))
    return {
        "note": None,
        "label": it["classes"][it["label"]],
        "probability": it["values"][it["label"]],
        "probabilities": {"YES": chances["YES"], "other": None, "NO": chances["NO"]},
        "model": it["model"],
        "nothing": None,
    }


def given_several(scorers):
    late, much, _ = scorers
    return {
        "by_how_much": {"values": dict(zip(much["names"], much["values"])), "late": None},
        "late": {"probability": late["values"][0], "label": late["classes"][late["label"]]},
    }


def plain(scorer, top):
    """A prediction as a record."""
    names = scorer.get("classes") or scorer["names"]
    numbers = list(zip(names, scorer["values"]))
    if "classes" not in scorer:
        return {"values": dict(numbers), "model": scorer["model"]}
    if top is not None:
        numbers = sorted(numbers, key=lambda it: -it[1])[:top]
    label = scorer["classes"][scorer["label"]]
    return {"label": label, "probabilities": dict(numbers), "model": scorer["model"]}


def field(stage):
    name = "".join(it if it.isascii() and it.isalnum() else "_" for it in stage)
    return f"stage_{name}" if name[0].isdigit() else name


def said(number):
    """A number as JSON has it."""
    if math.isnan(number):
        return "NaN"
    return ("Infinity" if number > 0 else "-Infinity") if math.isinf(number) else number


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isnan(one) and math.isnan(other)
    return one == other


def near(one, other):
    """As `same`, for floats of 32 bits."""
    if isinstance(one, dict):
        return all(near(one[key], other[key]) for key in one)
    return abs(one - other) < 1e-6 if isinstance(one, float) else one == other


def message_of(result, scorers, top):
    """A prediction as a message."""

    def fill(target, scorer):
        for name, value in plain(scorer, top).items():
            if isinstance(value, dict):
                getattr(target, name).update(value)
            else:
                setattr(target, name, value)

    if len(scorers) == 1:
        fill(result, scorers[0])
    for scorer in scorers if len(scorers) > 1 else []:
        fill(getattr(result, field(scorer["stage"])), scorer)
    return result


def main():
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    folder = tempfile.mkdtemp()
    cases = []

    def add(kind, schema, scorers, name=None, namespace=None, top=None, given=None):
        number = len(cases)
        topic = f"topic-{number}"
        expected = plain(scorers[0], top)
        if len(scorers) > 1:
            key = (lambda stage: stage) if kind == "json-schema" else field
            expected = {key(it["stage"]): plain(it, top) for it in scorers}
        expected = given(scorers) if given else expected

        def written(in_header):
            headers = []
            context = SerializationContext(topic, MessageField.VALUE, headers)
            conf = {"schema.id.serializer": header_schema_id_serializer} if in_header else {}
            back = {"schema.id.deserializer": dual_schema_id_deserializer}
            if kind == "avro":
                value = AvroSerializer(client, schema, conf=conf)(expected, context)
                read = AvroDeserializer(client)(value, context)
                assert near(read, expected) if given else same(read, expected), (read, expected)
            elif kind == "protobuf":
                pathlib.Path(folder, f"case{number}.proto").write_text(schema)
                made = f"-I{folder} --descriptor_set_out={folder}/set case{number}.proto"
                assert protoc.main(["", *made.split(" ")]) == 0
                files = descriptor_pb2.FileDescriptorSet()
                files.ParseFromString(pathlib.Path(folder, "set").read_bytes())
                # A pool for each: their messages have the same names.
                pool = descriptor_pool.DescriptorPool()
                pool.Add(files.file[0])
                full = f"{namespace}.{name}" if namespace else name or "Prediction"
                kind_of = message_factory.GetMessageClass(pool.FindMessageTypeByName(full))
                content = message_of(kind_of(), scorers, top)
                conf["use.deprecated.format"] = False
                value = ProtobufSerializer(type(content), client, conf)(content, context)
                plainly, sorted_bytes = content.SerializeToString(), content.SerializeToString(
                    deterministic=True
                )
                # The entries of maps come in any order; here in one that is always the same.
                assert value.endswith(plainly) and len(plainly) == len(sorted_bytes)
                value = value[: len(value) - len(plainly)] + sorted_bytes
                conf = {"use.deprecated.format": False}
                read = ProtobufDeserializer(type(content), conf, client)(value, context)
                assert str(read) == str(content), (read, content)
            else:
                numbers = lambda it: None if isinstance(it, float) and not math.isfinite(it) else it
                nulls = lambda it: (
                    {key: nulls(value) for key, value in it.items()}
                    if isinstance(it, dict)
                    else numbers(it)
                )
                content = nulls(expected)
                value = JSONSerializer(schema, client, conf=conf)(content, context)
                assert value.endswith(b"}")
                # The same without blanks, as the registry's clients read it all the same.
                text = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
                value = value[: value.index(b"{")] + text
                read = JSONDeserializer(None, schema_registry_client=client)(value, context)
                assert same(read, content), (read, content)
            return value, headers[0][1] if headers else None

        in_front, _ = written(False)
        bare, header = written(True)
        assert in_front.endswith(bare)
        found = client.get_latest_version(f"{topic}-value")
        cases.append(
            {
                "format": kind,
                "name": name,
                "namespace": namespace,
                "top": top,
                "given": given is not None,
                "schema": schema,
                "id": found.schema_id,
                "guid": found.guid,
                "scorers": [{**it, "values": [said(n) for n in it["values"]]} for it in scorers],
                "value": in_front.hex(),
                "header": header.hex(),
            }
        )

    by_classes = {
        "avro": avro("Prediction", AVRO_CLASSES),
        "protobuf": PROTO + message("Prediction", PROTO_CLASSES),
        "json-schema": json_schema("Prediction", JSON_CLASSES),
    }
    by_values = {
        "avro": avro("Prediction", AVRO_VALUES),
        "protobuf": PROTO + message("Prediction", PROTO_VALUES),
        "json-schema": json_schema("Prediction", JSON_VALUES),
    }
    named = {
        "avro": avro("Delay", AVRO_VALUES, "shop.v1"),
        "protobuf": PROTO + "package shop.v1;\n" + message("Delay", PROTO_VALUES),
        "json-schema": json_schema("shop.v1.Delay", JSON_VALUES),
    }
    several = {
        "avro": AVRO_SEVERAL,
        "protobuf": PROTO_SEVERAL,
        "json-schema": json_schema(
            "Prediction",
            json_object(
                **{
                    "late": "{" + JSON_CLASSES + "}",
                    "by-how-much": "{" + JSON_VALUES + "}",
                    "2nd.opinion": "{" + JSON_CLASSES + "}",
                }
            ),
        ),
    }
    for kind in ["avro", "protobuf", "json-schema"]:
        for scorer in [FLIGHT, NAMED, NAMELESS]:
            add(kind, by_classes[kind], [scorer])
        # The most probable come first; of entries of Protobuf the script has one order alone.
        add(kind, by_classes[kind], [FLIGHT], top=1 if kind == "protobuf" else 2)
        for scorer in [DELAY, ODD, MANY]:
            add(kind, by_values[kind], [scorer])
        add(kind, named[kind], [DELAY], name="Delay", namespace="shop.v1")
        add(kind, several[kind], SEVERAL)
    add("avro", json.dumps(GIVEN), [FLIGHT], given=given_flight)
    add("avro", json.dumps(GIVEN_SEVERAL), SEVERAL, given=given_several)
    lines = (json.dumps(case, ensure_ascii=False) for case in cases)
    print("[\n" + ",\n".join(lines) + "\n]")


main()

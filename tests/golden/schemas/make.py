"""Writes records.json: records that Confluent's own serializers wrote, with the registry that they
wrote them for, and what Confluent's deserializers read from them.

    pip install 'confluent-kafka[avro,protobuf,schemaregistry]==2.16.1' fastavro==1.13.1 \\
        protobuf==7.36.2 grpcio-tools==1.85.1
    python make.py > records.json

The registry is the one in memory that the package brings for tests (`mock://`): it gives ids and
globally unique ids.
"""

import importlib
import json
import pathlib
import sys
import tempfile

from confluent_kafka.schema_registry import (
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from grpc_tools import protoc

MONEY = {
    "type": "record",
    "name": "Money",
    "namespace": "shop",
    "fields": [{"name": "amount", "type": "double"}, {"name": "currency", "type": "string"}],
}
ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "total", "type": "Money"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "marks", "type": {"type": "array", "items": "int"}},
    ],
}
ORDERS = [
    {"id": 7, "total": {"amount": 12.5, "currency": "EUR"}, "note": None, "marks": [1, 2]},
    {"id": -(2**40), "total": {"amount": 0.1, "currency": "ü"}, "note": "x", "marks": []},
]
PLACES = ["id", "total.amount", "total.currency", "note", "marks.1", "nothing"]

PROTO = """syntax = "proto3";
package shop;
import "money.proto";
message Other { int32 x = 1; }
message Order {
  message Line { string article = 1; double price = 2; }
  int64 id = 1;
  Money total = 2;
  optional string note = 3;
  repeated int32 marks = 4;
  map<string, Line> lines = 5;
}
"""
MONEY_PROTO = """syntax = "proto3";
package shop;
message Money { double amount = 1; string currency = 2; }
"""


def text(value):
    if value is None:
        return "null"
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def at(value, place):
    for step in place.split("."):
        if value is None:
            return "null"
        if isinstance(value, list):
            if int(step) >= len(value):
                return "absent"
            value = value[int(step)]
        elif step not in value:
            return "absent"
        else:
            value = value[step]
    return text(value)


def plain(message):
    """A message as Avro's records are read."""
    return {
        "id": message.id,
        "total": {"amount": message.total.amount, "currency": message.total.currency}
        if message.HasField("total")
        else None,
        "note": message.note if message.HasField("note") else None,
        "marks": list(message.marks),
        "lines": {key: {"price": line.price} for key, line in message.lines.items()},
    }


def main():
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    records = []

    def add(kind, topic, serialize, deserialize, values, places, shown):
        for in_header in [False, True]:
            for value in values:
                headers = []
                context = SerializationContext(topic, MessageField.VALUE, headers)
                written = serialize(in_header)(value, context)
                read = shown(deserialize(written, context))
                records.append(
                    {
                        "format": kind,
                        "value": written.hex(),
                        "header": headers[0][1].hex() if headers else None,
                        "places": places,
                        "expected": " ".join(at(read, place) for place in places),
                    }
                )

    def conf(in_header):
        return {"schema.id.serializer": header_schema_id_serializer} if in_header else {}

    client.register_schema("shop.Money", Schema(json.dumps(MONEY), "AVRO"))
    reference = SchemaReference("shop.Money", "shop.Money", 1)
    order = Schema(json.dumps(ORDER), "AVRO", [reference])
    add(
        "avro",
        "orders",
        lambda in_header: AvroSerializer(client, order, conf=conf(in_header)),
        AvroDeserializer(client),
        ORDERS,
        PLACES,
        lambda read: read,
    )

    folder = tempfile.mkdtemp()
    sys.path.insert(0, folder)
    for name, content in [("money", MONEY_PROTO), ("order", PROTO)]:
        pathlib.Path(folder, f"{name}.proto").write_text(content)
        protoc.main(["", f"-I{folder}", f"--python_out={folder}", f"{name}.proto"])
    order = importlib.import_module("order_pb2").Order
    money = importlib.import_module("money_pb2").Money
    messages = [
        order(
            id=7,
            total=money(amount=12.5, currency="EUR"),
            marks=[1, 2],
            lines={"a": order.Line(article="b", price=2.5)},
        ),
        order(id=-3, note=""),
    ]
    add(
        "protobuf",
        "messages",
        lambda in_header: ProtobufSerializer(
            order, client, {"use.deprecated.format": False, **conf(in_header)}
        ),
        ProtobufDeserializer(order, {"use.deprecated.format": False}, client),
        messages,
        PLACES + ["lines.a.price", "lines.b.price"],
        plain,
    )
    texts = {"money.proto": MONEY_PROTO, "messages-value": PROTO}
    schemas = []
    for subject in client.get_subjects():
        for version in client.get_versions(subject):
            found = client.get_version(subject, version)
            schema = found.schema
            schemas.append(
                {
                    "subject": subject,
                    "version": version,
                    "id": found.schema_id,
                    "guid": found.guid,
                    "schemaType": schema.schema_type,
                    "schema": schema.schema_str,
                    # The serializer registers a descriptor; other registries want the file.
                    "file": texts.get(subject),
                    "references": [
                        {"name": it.name, "subject": it.subject, "version": it.version}
                        for it in schema.references or []
                    ],
                }
            )
    print(json.dumps({"schemas": schemas, "records": records}, indent=1, ensure_ascii=False))


main()

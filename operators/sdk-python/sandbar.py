"""Sandbar operators in Python: a class with one method, exported by one line.

    import sandbar

    class Words:
        features = {"words": "number", "first": "text"}

        def __init__(self, setup, longest=65536):      # the stage's `config`
            self.longest = longest

        def extract(self, record):
            text = record.text()
            return {"words": len(text.split())}

    Extraction = sandbar.extractor(Words)

An extractor has `features` and `extract(record)`, a scorer `classes` or `values` and
`score(row)`, a transformer `transform(record)`. The names of the exports are those of the
contract: Extraction, Scoring, Transformation. What the runner hands over are columns of
whole batches; this module takes them apart and puts them together.

Import everything at the top of a file: what is imported when the component is built is in
it, and there are no files to import from later.

Outside of a component the module works too, without the runner: an operator's class can be
tested like any other.
"""

# SPDX-License-Identifier: Apache-2.0

import codecs
import json
from array import array
from struct import pack, unpack_from

try:
    from wit_world.imports import artifacts, types
except ImportError:  # an ordinary Python, for tests
    artifacts = types = None
try:
    from wit_world.imports import errors, graph, tensor
except ImportError:  # no scorer
    errors = graph = tensor = None
try:
    from wit_world.imports import schemas as _host_schemas
except ImportError:  # a world without them
    _host_schemas = None
if types:
    from componentize_py_types import Err
    from wit_world import exports

_NULL_KEY, _NULL_VALUE = 1, 2
_NO_TIMESTAMP = -1
_NULL_HEADER = 0xFFFF_FFFF
_NAN = float("nan")
# Of a tensor's elements: the bytes, and the code of Python's arrays, which has none for the
# 16-bit floats.
_ELEMENTS = {
    "fp16": (2, None),
    "fp32": (4, "f"),
    "fp64": (8, "d"),
    "bf16": (2, None),
    "u8": (1, "B"),
    "i32": (4, "i"),
    "i64": (8, "q"),
}


class Failure(Exception):
    """Why one record or row fails: raise it. The record becomes a dead letter with this
    code and message, and the others go on. Any other exception fails the record too, as a
    fault of the operator (`internal`)."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message

    @classmethod
    def malformed(cls, message):
        """The bytes are not what the operator reads."""
        return cls("malformed", message)

    @classmethod
    def missing(cls, message):
        """Something that is needed is absent."""
        return cls("missing", message)

    @classmethod
    def invalid(cls, message):
        """It can be read, but its value is not allowed."""
        return cls("invalid", message)

    @classmethod
    def unsupported(cls, message):
        """A valid input of a kind that this operator does not handle."""
        return cls("unsupported", message)

    @classmethod
    def too_large(cls, message):
        """It is larger than the operator accepts."""
        return cls("too-large", message)

    @classmethod
    def unavailable(cls, message):
        """Something outside of the operator did not answer; trying again may help."""
        return cls("unavailable", message)

    @classmethod
    def internal(cls, message):
        """A fault of the operator itself."""
        return cls("internal", message)


class Tensor:
    """A tensor, or where `data` is None the shape of one: the type of its elements ("fp32",
    "u8", ...), its dimensions, and the elements, row-major and little-endian."""

    __slots__ = ("element", "dimensions", "data")

    def __init__(self, element, dimensions, data=None):
        if element not in _ELEMENTS:
            raise ValueError(f"unknown element type '{element}': use any of {', '.join(_ELEMENTS)}")
        self.element = element
        self.dimensions = list(dimensions)
        self.data = None if data is None else _tensor_bytes(self, data)

    def size(self):
        """Bytes of the elements."""
        size = _ELEMENTS[self.element][0]
        for dimension in self.dimensions:
            size *= dimension
        return size

    def numbers(self):
        """The elements as numbers: a view, not a copy."""
        return _numbers(self.element, self.data)


class Setup:
    """What the pipeline's manifest grants to the stage, and a scorer's features."""

    def __init__(self, models=(), topics=(), features=None, schemas=None):
        self.models = list(models)
        """The models that the stage may use; the first is its main one."""
        self.topics = list(topics)
        """The topics, besides the sink's, that a transformer may send to."""
        self.features = features or {}
        """A scorer's: each feature with its type, as in an extractor's `features`."""
        self.schemas = Schemas() if schemas is None else schemas
        """The schemas of the pipeline, for a stage whose `grants` have "schemas"."""

    def load_model(self, name=None):
        """The bytes of a model's file: the main one's without a name."""
        return _granted(artifacts and artifacts.load, self._model(name))

    def describe_model(self, name=None):
        """What a model's folder says of it, as a dict (docs/reference/models.md)."""
        return json.loads(_granted(artifacts and artifacts.describe, self._model(name)))

    def load_graph(self, name=None):
        """A model that the runner computes (ONNX, TensorFlow), for scorers."""
        return Graph(self._model(name))

    def _model(self, name):
        if name is None and not self.models:
            raise ValueError("the stage has no model: name one in the stage's 'models'")
        return self.models[0] if name is None else name


class Schema:
    """A schema of records: its `language` ("avro", "protobuf" or "json-schema"), its `text`, and
    all that it refers to, directly or not: a dict of texts by what others call them."""

    __slots__ = ("language", "text", "references")

    def __init__(self, language, text, references=()):
        self.language = language
        self.text = text
        self.references = dict(references)


class Schemas:
    """The schemas that a stage may ask for, by the worlds `extractor-with-schemas` and
    `transformer-with-schemas` (docs/reference/schemas.md).

    Where there is none, a Failure says why, with the code with which a record fails that needs
    it: "unavailable" if the registry does not answer, so that its batch is tried again. The
    runner keeps what it has found, but a schema is copied with each answer: keep what you make
    of it.

    For a test the schemas are a dict: `Schemas({7: Schema("avro", text)})`, by an id, a guid,
    a pair of subject and version (None: the latest), or a name."""

    def __init__(self, known=None):
        self._known = known

    def by_id(self, id):
        """The schema with this id, as it is in front of a record."""
        return self._get("by_id", id, id)

    def by_guid(self, guid):
        """The schema with this globally unique id, 16 bytes, as it is in a record's header."""
        return self._get("by_guid", guid, guid)

    def by_subject(self, subject, version=None):
        """A version of a subject, without one the latest."""
        return self._get("by_subject", (subject, version), subject, version)

    def by_name(self, name):
        """A file of `[schemas.files]`."""
        return self._get("by_name", name, name)

    def _get(self, function, key, *arguments):
        if self._known is not None:
            if key not in self._known:
                raise Failure.invalid(f"no schema {key!r}")
            return self._known[key]
        if _host_schemas is None:
            raise Failure.unsupported(
                "schemas are available only in a component of a world that has them: build it "
                "for 'extractor-with-schemas' or 'transformer-with-schemas'"
            )
        try:
            found = getattr(_host_schemas, function)(*arguments)
        except Err as error:
            code = error.value.code.name.lower().replace("_", "-")
            raise Failure(_SCHEMA_CODES[code], error.value.message) from None
        language = found.language.name.lower().replace("_", "-")
        return Schema(language, found.text, [(it.name, it.text) for it in found.references])


# The code with which a record fails that needs a schema.
_SCHEMA_CODES = {
    "denied": "unsupported",
    "not-found": "invalid",
    "too-large": "too-large",
    "invalid": "invalid",
    "unavailable": "unavailable",
}


class Graph:
    """A model that the runner computes."""

    def __init__(self, name):
        if graph is None:
            raise ValueError("graphs are available only to scorers, in a component")
        try:
            self._context = graph.load_by_name(name).init_execution_context()
        except Err as error:
            raise ValueError(error.value.data()) from None

    def compute(self, inputs):
        """Computes all outputs, a dict of tensors by name, from such a dict."""
        tensors = [
            (name, tensor.Tensor(it.dimensions, _enum(tensor.TensorType, it.element), it.data))
            for name, it in inputs.items()
        ]
        try:
            outputs = self._context.compute(tensors)
        except Err as error:
            timeout = error.value.code() == errors.ErrorCode.TIMEOUT
            code = "unavailable" if timeout else "internal"
            raise Failure(code, error.value.data()) from None
        return {
            name: Tensor(it.ty().name.lower(), it.dimensions(), it.data()) for name, it in outputs
        }


class Record:
    """One record of a Kafka topic."""

    __slots__ = ("key", "value", "timestamp", "offset", "topic", "partition", "_headers")

    def __init__(
        self, value=None, key=None, headers=(), timestamp=None, offset=0, topic="", partition=0
    ):
        self.key = _bytes(key)
        """The key, or None."""
        self.value = _bytes(value)
        """The value; None for a tombstone."""
        self.timestamp = timestamp
        """Milliseconds since the epoch, or None."""
        self.offset = offset
        self.topic = topic
        self.partition = partition
        self._headers = _header_bytes(headers)

    def text(self):
        """The value as text, without a byte order mark, or None. Where it is not UTF-8 the
        record fails: UTF-16 and UTF-32 are "unsupported", anything else is "malformed"
        (docs/reference/text.md)."""
        return None if self.value is None else read_text(self.value)

    @property
    def headers(self):
        """The headers in their order: pairs of a name and a value, which may be None. A name
        may come more than once."""
        return list(_headers(self._headers))

    def header(self, name):
        """The value of the last header of this name, or None."""
        value = None
        for found, content in _headers(self._headers):
            if found == name:
                value = content
        return value

    def derive(self, **changes):
        """What a transformer emits in place of this record: an Output with its key, value,
        headers and timestamp, but for what is given (as for Output)."""
        output = Output(self.value, self.key, (), self.timestamp)
        output._headers = self._headers
        for name, change in changes.items():
            output._set(name, change)
        return output


class Output:
    """A record that a transformer emits. Texts are written in UTF-8."""

    __slots__ = ("key", "value", "timestamp", "to", "_headers")

    def __init__(self, value=None, key=None, headers=(), timestamp=None, to=None):
        self.value = _bytes(value)
        self.key = _bytes(key)
        self.timestamp = timestamp
        """Milliseconds since the epoch, or None: that of the record that it comes from."""
        self.to = to
        """One of the stage's topics; None: on to the next stage."""
        self._headers = _header_bytes(headers)

    def add_header(self, name, value):
        """With one header more."""
        self._headers += _header_bytes([(name, value)])
        return self

    def _set(self, name, change):
        if name in ("key", "value"):
            setattr(self, name, _bytes(change))
        elif name == "headers":
            self._headers = _header_bytes(change)
        elif name in ("timestamp", "to"):
            setattr(self, name, change)
        else:
            raise TypeError(f"unknown field '{name}' of a record")


def read_text(content):
    """UTF-8 as text, without a byte order mark. Anything else is a Failure, as of
    `Record.text`."""
    encoding = _other_encoding(content)
    if encoding is not None:
        raise Failure.unsupported(f"the text is {encoding}: write it as UTF-8")
    try:
        # Components have no codec `utf-8-sig`.
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise Failure.malformed("not UTF-8") from None


def read_json(content):
    """JSON from bytes, as the SDK for Rust reads it (docs/reference/text.md): Python's `json`
    alone takes the last of two equal keys, makes infinity of 1e400 and reads NaN, which is no
    JSON. A Failure says what is wrong; half a character (`"\\ud83d"`) is not looked for."""
    text = read_text(content)
    if not text.strip():
        raise Failure.missing("the text is empty, not JSON")
    try:
        return json.loads(
            text,
            parse_int=_json_integer,
            parse_float=_json_number,
            parse_constant=_no_json,
            object_pairs_hook=_json_object,
        )
    except ValueError as error:
        raise Failure.malformed(f"not JSON: {error}") from None
    except RecursionError:
        raise Failure.unsupported("JSON that is nested too deeply") from None


def extractor(cls):
    """Exports the class `cls` as an extractor: `Extraction = sandbar.extractor(Words)`.

    `features`, of the class or set by its `__init__`, names what every row has: "number",
    "text", or a Tensor without data. `extract(record)` returns a dict of them. What is absent
    or None is missing; there are no missing tensors."""

    class Extraction(_Once):
        def configure(self, setup):
            self.operator = _configured(cls, setup)
            features = getattr(self.operator, "features", None)
            if not features:
                raise Err(f"class {cls.__name__}: 'features' is missing")
            self.names = features.keys()
            self.fields = [(name, *_cells(name, kind)) for name, kind in features.items()]
            return [types.Field(name, _field_type(kind)) for name, kind in features.items()]

        def extract(self, batch):
            columns = [[] for _ in self.fields]
            failures = []
            method = self.operator.extract
            for index, record in enumerate(_records(batch)):
                try:
                    row = method(record)
                    cells = [convert(row.get(name)) for name, convert, _ in self.fields]
                    if not row.keys() <= self.names:
                        more = ", ".join(sorted(row.keys() - self.names))
                        raise Failure.internal(f"unknown features in the row: {more}")
                except Exception as error:
                    failures.append(_failure(index, error))
                else:
                    for column, cell in zip(columns, cells):
                        column.append(cell)
            rows = len(batch.offsets) - len(failures)
            table = [finish(column) for column, (_, _, finish) in zip(columns, self.fields)]
            return exports.extraction.Extracted(types.Table(rows, table), failures)

    return Extraction


def scorer(cls):
    """Exports the class `cls` as a scorer: `Scoring = sandbar.scorer(Rules)`.

    `classes` or `values`, of the class or set by its `__init__`, names what a prediction is
    made of. `score(row)` gets a dict of the features, None where one is missing, and returns
    a dict with a number for each of the names; of classes the most probable is the label, or
    the one in front: `return "YES", {"YES": 0.4, "NO": 0.6}`."""

    class Scoring(_Once):
        def configure(self, setup, features):
            self.names = [field.name for field in features]
            kinds = [_kind(field.ty) for field in features]
            self.readers = [_reader(kind) for kind in kinds]
            self.operator = _configured(cls, setup, dict(zip(self.names, kinds)))
            self.classes = getattr(self.operator, "classes", None)
            self.outputs = list(self.classes or getattr(self.operator, "values", ()))
            output = "Classes" if self.classes else "Values"
            return getattr(exports.scoring, f"Output_{output}")(self.outputs)

        def score(self, table):
            labels, values, failures = [], [], []
            columns = [read(column, table.rows) for read, column in zip(self.readers, table.columns)]
            method = self.operator.score
            for index in range(table.rows):
                try:
                    row = {name: column[index] for name, column in zip(self.names, columns)}
                    label, numbers = self._prediction(method(row))
                except Exception as error:
                    failures.append(_failure(index, error))
                else:
                    values.extend(numbers)
                    if self.classes:
                        labels.append(label)
            return exports.scoring.Scored(labels, values, failures)

        def _prediction(self, result):
            label, result = result if isinstance(result, tuple) else (None, result)
            numbers = [float(result[name]) for name in self.outputs]
            if len(result) != len(numbers):
                known = ", ".join(self.outputs)
                raise Failure.internal(f"prediction with unknown names: expected {known}")
            if not self.classes:
                return None, numbers
            if label is None:
                return numbers.index(max(numbers)), numbers
            return self.outputs.index(label), numbers

    return Scoring


def transformer(cls):
    """Exports the class `cls` as a transformer: `Transformation = sandbar.transformer(Tidy)`.

    `transform(record)` returns what replaces a record: the record itself, an Output, a list
    of such, or None: it is filtered out. It may also be a generator, which yields them."""

    class Transformation(_Once):
        def configure(self, setup):
            self.operator = _configured(cls, setup)
            self.routes = {topic: route for route, topic in enumerate(setup.topics, 1)}

        def transform(self, batch):
            out = _Emitted()
            failures = []
            method = self.operator.transform
            for index, record in enumerate(_records(batch)):
                try:
                    emitted = method(record)
                    if emitted is None:
                        continue
                    if isinstance(emitted, (Record, Output)):
                        emitted = (emitted,)
                    # A record that fails emits nothing: first all of it, then to the columns.
                    for it, route in [(it, self._route(it)) for it in emitted]:
                        out.add(index, route, it, record.timestamp)
                except Exception as error:
                    failures.append(_failure(index, error))
            return exports.transformation.Transformed(out.columns(), failures)

        def _route(self, emitted):
            if not isinstance(emitted, (Record, Output)):
                found = type(emitted).__name__
                raise Failure.internal(f"expected records from the transformer, got {found}")
            to = getattr(emitted, "to", None)
            if to is None:
                return 0
            if to not in self.routes:
                granted = ", ".join(self.routes) or "none"
                raise Failure.internal(
                    f"topic '{to}' is not granted to this stage, which has {granted}"
                )
            return self.routes[to]

    return Transformation


class _Once:
    """componentize-py makes an object for each call; here it is always the same one, which
    keeps the operator."""

    def __new__(cls):
        if "one" not in cls.__dict__:
            cls.one = super().__new__(cls)
        return cls.one


class _Emitted:
    """The columns of what a transformer emits."""

    def __init__(self):
        self.origins, self.routes, self.timestamps, self.ends = [], [], [], []
        self.bytes, self.nulls = bytearray(), bytearray()

    def add(self, origin, route, record, timestamp):
        self.origins.append(origin)
        self.routes.append(route)
        own = record.timestamp
        timestamp = timestamp if own is None else own
        self.timestamps.append(_NO_TIMESTAMP if timestamp is None else timestamp)
        nulls = (_NULL_KEY if record.key is None else 0) | (
            _NULL_VALUE if record.value is None else 0
        )
        self.nulls.append(nulls)
        for part in (record.key, record.value, record._headers):
            self.bytes += part or b""
            self.ends.append(len(self.bytes))

    def columns(self):
        return exports.transformation.Emitted(
            self.origins,
            self.routes,
            self.timestamps,
            bytes(self.bytes),
            self.ends,
            bytes(self.nulls),
        )


def _configured(cls, setup, features=None):
    """An instance of the operator's class. What keeps it from being one refuses the
    configuration."""
    config = {name.replace("-", "_"): value for name, value in json.loads(setup.config).items()}
    try:
        if cls.__init__ is object.__init__:
            if config:
                keys = ", ".join(config)
                raise ValueError(f"unknown keys {keys}: {cls.__name__} has no configuration")
            return cls()
        return cls(Setup(setup.models, setup.topics, features), **config)
    except MemoryError:
        raise
    except ValueError as error:
        raise Err(str(error)) from None
    except Exception as error:
        raise Err(_fault(error)) from None


def _granted(function, model):
    if function is None:
        raise ValueError("models are available only in a component")
    try:
        return function(model)
    except Err as error:
        raise ValueError(error.value) from None


def _failure(index, error):
    """The failure of a record whose exception this is."""
    if isinstance(error, MemoryError):
        raise error  # The runner knows the limit, and what to do.
    if not isinstance(error, Failure):
        error = Failure.internal(_fault(error))
    return types.Failure(index, _enum(types.FailureCode, error.code), error.message)


def _fault(error):
    """An unexpected exception, with the line that raised it."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    text = f"{type(error).__name__}: {error}"
    if trace is None:
        return text
    return f"{text} ({trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno})"


def _enum(enum, name):
    return enum[name.replace("-", "_").upper()]


def _other_encoding(content):
    """UTF-32 or UTF-16, by the mark or by the zero bytes of the first two characters (RFC 4627,
    section 3), as the SDK for Rust tells them; None for what is neither, or not sound."""
    start = content[:4]
    if 0 not in start[:2] and start[:1] < b"\xfe":
        return None
    marks = {b"\xff\xfe\0\0": "utf-32-le", b"\0\0\xfe\xff": "utf-32-be"}
    marks |= {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
    encoding = next((marks[mark] for mark in marks if start.startswith(mark)), None)
    if encoding is None and len(start) == 4 and 0 in start:
        ascii_text = [byte in b"\t\n\r" or 0x20 <= byte < 0x7F for byte in start]
        zero = [byte == 0 for byte in start]
        # Which of the first four bytes are characters and which are zero.
        patterns = {"utf-32-le": "x000", "utf-32-be": "000x", "utf-16-le": "x0x0", "utf-16-be": "0x0x"}
        for name, pattern in patterns.items():
            kinds = zip(pattern, ascii_text, zero)
            if all(is_text if kind == "x" else is_zero for kind, is_text, is_zero in kinds):
                encoding = name
    if encoding is None:
        return None
    # `bytes.decode` looks for a module of the codec, and components have none but UTF-8's.
    decode = getattr(codecs, encoding.replace("-", "_") + "_decode")
    try:
        decode(content, "strict", True)
    except UnicodeDecodeError:
        return None
    return encoding[:6].upper()


def _json_number(text):
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Failure.invalid(f"number out of range: '{text[:40]}': expected one up to 1.8e308")
    return number


def _json_integer(text):
    if len(text) > 300:
        _json_number(text)
    return int(text)


def _no_json(word):
    raise Failure.malformed(f"not JSON: {word}")


def _json_object(members):
    """An object of its members, with each key once."""
    members = list(members)
    result = dict(members)
    if len(result) < len(members):
        keys = [key for key, _ in members]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Failure.malformed(f"duplicate key '{twice}' in the JSON object")
    return result


def _bytes(value):
    return value.encode() if isinstance(value, str) else value


def _records(batch):
    """The records of a batch."""
    content, ends, nulls = batch.bytes, batch.ends, batch.nulls
    topic, partition = batch.topic, batch.partition
    start = at = 0
    for index, (offset, timestamp) in enumerate(zip(batch.offsets, batch.timestamps)):
        key, value, headers = ends[at : at + 3]
        null = nulls[index]
        record = Record.__new__(Record)
        record.key = None if null & _NULL_KEY else content[start:key]
        record.value = None if null & _NULL_VALUE else content[key:value]
        record._headers = content[value:headers]
        record.timestamp = None if timestamp == _NO_TIMESTAMP else timestamp
        record.offset = offset
        record.topic = topic
        record.partition = partition
        yield record
        start = headers
        at += 3


def _headers(content):
    at = 0
    while at < len(content):
        (length,) = unpack_from("<I", content, at)
        name = content[at + 4 : at + 4 + length].decode()
        at += 4 + length
        (length,) = unpack_from("<I", content, at)
        at += 4
        if length == _NULL_HEADER:
            yield name, None
        else:
            yield name, content[at : at + length]
            at += length


def _header_bytes(headers):
    parts = []
    for name, value in headers.items() if isinstance(headers, dict) else headers:
        name, value = name.encode(), _bytes(value)
        length = _NULL_HEADER if value is None else len(value)
        parts += [pack("<I", len(name)), name, pack("<I", length), value or b""]
    return b"".join(parts)


def _field_type(kind):
    """The contract's type of a feature."""
    if kind == "number":
        return types.FieldType_Number()
    if kind == "text":
        return types.FieldType_Text()
    element = _enum(types.ElementType, kind.element)
    return types.FieldType_Tensor(types.TensorShape(element, kind.dimensions))


def _kind(ty):
    """The feature of such a type."""
    if isinstance(ty, types.FieldType_Number):
        return "number"
    if isinstance(ty, types.FieldType_Text):
        return "text"
    return Tensor(ty.value.element.name.lower(), ty.value.dimensions)


def _cells(name, kind):
    """How a feature's cells are converted, and how they become its column."""

    def number(value):
        if isinstance(value, str):
            raise Failure.internal(f"feature '{name}': expected a number, got text")
        return _NAN if value is None else float(value)

    def text(value):
        if value is None:
            return b""
        if not isinstance(value, str):
            raise Failure.internal(f"feature '{name}': expected text")
        return value.encode()

    def tensor(value):
        data = None if value is None else _tensor_bytes(kind, value)
        if data is None or len(data) != kind.size():
            found = "nothing" if data is None else f"{len(data)} bytes"
            raise Failure.internal(f"feature '{name}': expected {kind.size()} bytes, got {found}")
        return data

    def texts(cells):
        ends, end = [], 0
        for cell in cells:
            end += len(cell)
            ends.append(end)
        return types.Column_Text(types.Text(b"".join(cells), ends))

    if kind == "number":
        return number, lambda cells: types.Column_Numbers(cells)
    if kind == "text":
        return text, texts
    if isinstance(kind, Tensor):
        return tensor, lambda cells: types.Column_Tensor(b"".join(cells))
    raise Err(f"feature '{name}': unknown type '{kind}': use \"number\", \"text\" or a Tensor")


def _tensor_bytes(shape, value):
    """The bytes of a tensor's elements: bytes as they are, numbers packed."""
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    code = _ELEMENTS[shape.element][1]
    if code is None:
        raise Failure.internal(f"no numbers of {shape.element} here: give bytes")
    return array(code, value).tobytes()


def _numbers(element, data):
    code = _ELEMENTS[element][1]
    if code is None:
        raise ValueError(f"no numbers of {element} here: use the bytes")
    return memoryview(data).cast(code)


def _reader(kind):
    """How a column becomes a list of cells."""

    def numbers(column, rows):
        return [None if number != number else number for number in column.value]

    def texts(column, rows):
        cells, start = [], 0
        for end in column.value.ends:
            cells.append(column.value.bytes[start:end].decode() or None)
            start = end
        return cells

    def tensors(column, rows):
        size = kind.size()
        cut = [column.value[row * size : (row + 1) * size] for row in range(rows)]
        return [Tensor(kind.element, kind.dimensions, data) for data in cut]

    return {"number": numbers, "text": texts}.get(kind if isinstance(kind, str) else "", tensors)

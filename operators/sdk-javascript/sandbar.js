/**
 * Sandbar operators in JavaScript: a class with one method, exported by one line.
 *
 *     import { extractor } from "../vendor/sandbar.js";
 *
 *     class Words {
 *       static config = { longest: 65536 };           // the stage's `config`, with defaults
 *       features = { words: "number", first: "text" };
 *       constructor(setup, { longest }) { ... }
 *       extract(record) {
 *         return { words: record.text().split(/\s+/).length };
 *       }
 *     }
 *
 *     export const extraction = extractor(Words);
 *
 * An extractor has `features` and `extract(record)`, a scorer `classes` or `values` and
 * `score(row)`, a transformer `transform(record)`. The names of the exports are those of the
 * contract: extraction, scoring, transformation. What the runner hands over are columns of
 * whole batches; this module takes them apart and puts them together.
 *
 * `static config` names the keys of the stage's `config` table: each with its default, or with
 * `undefined` where the pipeline must set it. A key that it does not name is refused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */

import { describe, load } from "sandbar:operator/artifacts@0.1.0";

const NULL_KEY = 1;
const NULL_VALUE = 2;
const NO_TIMESTAMP = -1n;
const NULL_HEADER = 0xffffffff;

const encoder = new TextEncoder();
// A byte order mark of UTF-8 is no part of a record's text, but one of a feature's.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const recordDecoder = new TextDecoder("utf-8", { fatal: true });

/** Of a tensor's elements: the bytes, and the array that holds them as numbers. */
const ELEMENTS = {
  fp16: [2, null],
  fp32: [4, Float32Array],
  fp64: [8, Float64Array],
  bf16: [2, null],
  u8: [1, Uint8Array],
  i32: [4, Int32Array],
  i64: [8, BigInt64Array],
};

/**
 * Why one record or row fails: throw it. The record becomes a dead letter with this code and
 * message, and the others go on. Anything else that is thrown fails the record too, as a
 * fault of the operator (`internal`).
 */
export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
  /** The bytes are not what the operator reads. */
  static malformed = (message) => new Failure("malformed", message);
  /** Something that is needed is absent. */
  static missing = (message) => new Failure("missing", message);
  /** It can be read, but its value is not allowed. */
  static invalid = (message) => new Failure("invalid", message);
  /** A valid input of a kind that this operator does not handle. */
  static unsupported = (message) => new Failure("unsupported", message);
  /** It is larger than the operator accepts. */
  static tooLarge = (message) => new Failure("too-large", message);
  /** Something outside of the operator did not answer; trying again may help. */
  static unavailable = (message) => new Failure("unavailable", message);
  /** A fault of the operator itself. */
  static internal = (message) => new Failure("internal", message);
}

/**
 * A tensor, or without `data` the shape of one: the type of its elements ("fp32", "u8", ...),
 * its dimensions, and the elements, row-major: bytes (little-endian), or numbers.
 */
export class Tensor {
  constructor(element, dimensions, data) {
    if (!(element in ELEMENTS)) {
      const known = Object.keys(ELEMENTS).join(", ");
      throw new Error(`unknown element type '${element}': use any of ${known}`);
    }
    this.element = element;
    this.dimensions = Array.from(dimensions);
    this.data = data === undefined ? undefined : tensorBytes(element, data);
  }

  /** Bytes of the elements. */
  get size() {
    return this.dimensions.reduce((size, it) => size * it, ELEMENTS[this.element][0]);
  }

  /** The elements as numbers (of i64: as BigInts). */
  numbers() {
    const [size, Numbers] = ELEMENTS[this.element];
    if (Numbers === null) throw new Error(`no numbers of ${this.element} here: use the bytes`);
    // A view of numbers must begin at a multiple of their size.
    const data = this.data.byteOffset % size === 0 ? this.data : this.data.slice();
    return new Numbers(data.buffer, data.byteOffset, data.byteLength / size);
  }
}

/** What the pipeline's manifest grants to the stage, and a scorer's features. */
export class Setup {
  constructor(models, topics, features) {
    /** The models that the stage may use; the first is its main one. */
    this.models = models;
    /** The topics, besides the sink's, that a transformer may send to. */
    this.topics = topics;
    /** A scorer's: each feature with its type, as in an extractor's `features`. */
    this.features = features;
  }

  /** The bytes of a model's file: the main one's without a name. */
  loadModel(name) {
    return granted(load, this.model(name));
  }

  /** What a model's folder says of it, as an object (docs/reference/models.md). */
  describeModel(name) {
    return JSON.parse(granted(describe, this.model(name)));
  }

  /** The name of the stage's main model, or `name`. */
  model(name) {
    if (name === undefined && this.models.length === 0) {
      throw new Error("the stage has no model: name one in the stage's 'models'");
    }
    return name ?? this.models[0];
  }
}

/** One record of a Kafka topic. */
export class Record {
  #headers;

  constructor(key, value, headers, timestamp, offset, topic, partition) {
    /** The key: a Uint8Array, or null. */
    this.key = key;
    /** The value: a Uint8Array; null for a tombstone. */
    this.value = value;
    this.#headers = headers;
    /** Milliseconds since the epoch, or null. */
    this.timestamp = timestamp;
    this.offset = offset;
    this.topic = topic;
    this.partition = partition;
  }

  /**
   * The value as text, without a byte order mark, or null. Where it is not UTF-8 the record
   * fails: UTF-16 and UTF-32 are "unsupported", anything else is "malformed"
   * (docs/reference/text.md).
   */
  text() {
    return this.value === null ? null : readText(this.value);
  }

  /** The headers in their order: pairs of a name and a Uint8Array, or null. */
  headers() {
    return readHeaders(this.#headers);
  }

  /** The value of the last header of this name, or null. */
  header(name) {
    return this.headers().findLast(([found]) => found === name)?.[1] ?? null;
  }

  /**
   * What a transformer emits in place of this record: its key, value, headers and timestamp,
   * but for those in `changes`.
   */
  derive(changes = {}) {
    const { key, value, timestamp } = this;
    const headers = changes.headers ?? this.headers();
    return new Output({ key, value, timestamp, ...changes, headers });
  }
}

/**
 * A record that a transformer emits. `key` and `value` are bytes, text or null, `headers`
 * pairs of a name and such a value, `to` one of the stage's topics; without it the record
 * goes on to the next stage.
 */
export class Output {
  constructor({ key = null, value = null, headers = [], timestamp = null, to = null, ...rest }) {
    const unknown = Object.keys(rest);
    if (unknown.length > 0) throw new TypeError(`unknown field '${unknown[0]}' of a record`);
    Object.assign(this, { key: bytes(key), value: bytes(value), timestamp, to });
    this.headers = Array.from(headers);
  }

  /** With one header more. */
  addHeader(name, value) {
    this.headers.push([name, value]);
    return this;
  }
}

/**
 * Exports a class as an extractor: `export const extraction = extractor(Words)`.
 *
 * `features` names what every row has: "number", "text", or a Tensor without data.
 * `extract(record)` returns an object of them. What is absent, null or undefined is missing;
 * there are no missing tensors.
 */
export function extractor(Operator) {
  let operator;
  let fields;
  return {
    configure(setup) {
      operator = configured(Operator, setup, {});
      const features = Object.entries(operator.features ?? {});
      if (features.length === 0) throw `class ${Operator.name}: 'features' is missing`;
      fields = features.map(([name, kind]) => ({ name, ...cells(name, kind) }));
      return features.map(([name, kind]) => ({ name, ty: fieldType(kind) }));
    },
    extract(batch) {
      const columns = fields.map(() => []);
      const failures = [];
      const known = new Set(fields.map((field) => field.name));
      each(records(batch), failures, (record) => {
        const row = operator.extract(record);
        const converted = fields.map(({ name, convert }) => convert(row[name]));
        const more = Object.keys(row).find((name) => !known.has(name));
        if (more !== undefined) throw Failure.internal(`unknown feature '${more}' in the row`);
        converted.forEach((cell, index) => columns[index].push(cell));
      });
      const table = fields.map(({ finish }, index) => finish(columns[index]));
      return { table: { rows: batch.offsets.length - failures.length, columns: table }, failures };
    },
  };
}

/**
 * Exports a class as a scorer: `export const scoring = scorer(Rules)`.
 *
 * `classes` or `values` names what a prediction is made of. `score(row)` gets an object of the
 * features, null where one is missing, and returns an object with a number for each of the
 * names; of classes the most probable is the label, or the one in front:
 * `return ["YES", { YES: 0.4, NO: 0.6 }]`.
 */
export function scorer(Operator) {
  let operator;
  let names;
  let readers;
  let outputs;
  const prediction = (result) => {
    const [label, numbers] = Array.isArray(result) ? result : [null, result];
    const values = outputs.map((name) => {
      if (typeof numbers[name] !== "number") throw Failure.internal(`prediction without '${name}'`);
      return numbers[name];
    });
    if (Object.keys(numbers).length !== values.length) {
      throw Failure.internal(`prediction with unknown names: expected ${outputs.join(", ")}`);
    }
    const index = label === null ? values.indexOf(Math.max(...values)) : outputs.indexOf(label);
    if (operator.classes && index < 0) throw Failure.internal(`prediction of unknown class '${label}'`);
    return [index, values];
  };
  return {
    configure(setup, features) {
      names = features.map((field) => field.name);
      const kinds = features.map((field) => kindOf(field.ty));
      readers = kinds.map(reader);
      const byName = Object.fromEntries(names.map((name, index) => [name, kinds[index]]));
      operator = configured(Operator, setup, byName);
      outputs = operator.classes ?? operator.values ?? [];
      return { tag: operator.classes ? "classes" : "values", val: outputs };
    },
    score(table) {
      const columns = table.columns.map((column, index) => readers[index](column.val, table.rows));
      const labels = [];
      const all = [];
      const failures = [];
      each(range(table.rows), failures, (index) => {
        const row = {};
        names.forEach((name, column) => (row[name] = columns[column][index]));
        const [label, values] = prediction(operator.score(row));
        if (operator.classes) labels.push(label);
        all.push(...values);
      });
      return { labels: Uint32Array.from(labels), values: Float64Array.from(all), failures };
    },
  };
}

/**
 * Exports a class as a transformer: `export const transformation = transformer(Tidy)`.
 *
 * `transform(record)` returns what replaces a record: the record itself, an Output, an array
 * of such, or null: it is filtered out. It may also be a generator, which yields them.
 */
export function transformer(Operator) {
  let operator;
  let topics;
  const route = (emitted) => {
    if (!(emitted instanceof Record || emitted instanceof Output)) {
      throw Failure.internal("expected records from the transformer");
    }
    const to = emitted.to ?? null;
    if (to === null) return 0;
    const index = topics.indexOf(to);
    if (index < 0) {
      const list = topics.join(", ") || "none";
      throw Failure.internal(`topic '${to}' is not granted to this stage, which has ${list}`);
    }
    return index + 1;
  };
  return {
    configure(setup) {
      operator = configured(Operator, setup, {});
      topics = setup.topics;
    },
    transform(batch) {
      const out = [];
      const failures = [];
      each(records(batch), failures, (record, origin) => {
        const emitted = operator.transform(record) ?? [];
        const list = Symbol.iterator in emitted ? Array.from(emitted) : [emitted];
        // A record that fails emits nothing: first all of it, then to the others.
        const encoded = list.map((it) => ({
          origin,
          route: route(it),
          timestamp: it.timestamp ?? record.timestamp,
          nulls: (it.key === null ? NULL_KEY : 0) | (it.value === null ? NULL_VALUE : 0),
          parts: [it.key, it.value, headerBytes(it instanceof Record ? it.headers() : it.headers)],
        }));
        out.push(...encoded);
      });
      return { records: emittedColumns(out), failures };
    },
  };
}

function emittedColumns(out) {
  const [bytes, ends] = joined(out.flatMap(({ parts }) => parts.map((part) => part ?? [])));
  const timestamp = (it) => (it === null ? NO_TIMESTAMP : BigInt(it));
  return {
    origins: Uint32Array.from(out, (it) => it.origin),
    routes: Uint32Array.from(out, (it) => it.route),
    timestamps: BigInt64Array.from(out, (it) => timestamp(it.timestamp)),
    bytes,
    ends,
    nulls: Uint8Array.from(out, (it) => it.nulls),
  };
}

/** Calls `work` with each item and its index; what it throws is that item's failure. */
function each(items, failures, work) {
  let index = 0;
  for (const item of items) {
    try {
      work(item, index);
    } catch (error) {
      // The runner knows the limit of memory, and what to do.
      if (error instanceof Error && error.message === "out of memory") throw error;
      const failure = error instanceof Failure ? error : Failure.internal(fault(error));
      failures.push({ index, code: failure.code, message: failure.message });
    }
    index += 1;
  }
}

/** An unexpected error, with the line that threw it. */
function fault(error) {
  if (!(error instanceof Error)) return String(error);
  const line = error.stack?.split("\n")[0].split("@").pop();
  return `${error.name}: ${error.message}${line ? ` (${line.split("/").pop()})` : ""}`;
}

/** An instance of the operator's class. What keeps it from being one refuses the configuration. */
function configured(Operator, { config, models, topics }, features) {
  const given = JSON.parse(config);
  const known = Operator.config ?? {};
  for (const key of Object.keys(given)) {
    if (!(key in known)) {
      throw `unknown key '${key}': the keys are ${Object.keys(known).join(", ") || "none"}`;
    }
  }
  const values = { ...known, ...given };
  const absent = Object.keys(values).find((key) => values[key] === undefined);
  if (absent !== undefined) throw `key '${absent}' is missing`;
  try {
    return new Operator(new Setup(models, topics, features), values);
  } catch (error) {
    throw error instanceof Error && error.name === "Error" ? error.message : fault(error);
  }
}

function granted(get, model) {
  try {
    return get(model);
  } catch (error) {
    throw new Error(error.payload ?? String(error));
  }
}

/** UTF-8 as text. */
function readText(value) {
  // What nearly no text begins with.
  const isOdd = value[0] >= 0xfe || value[0] === 0 || value[1] === 0;
  const encoding = isOdd ? otherEncoding(value) : null;
  if (encoding !== null) throw Failure.unsupported(`the text is ${encoding}: write it as UTF-8`);
  try {
    return recordDecoder.decode(value);
  } catch {
    throw Failure.malformed("not UTF-8");
  }
}

/**
 * UTF-32 or UTF-16, by the mark or by the zero bytes of the first two characters (RFC 4627,
 * section 3), as the SDK for Rust tells them; null for what is neither, or not sound.
 */
function otherEncoding(value) {
  const [a, b, c, d] = value;
  const isText = (byte) => (byte >= 0x20 && byte < 0x7f) || [9, 10, 13].includes(byte);
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return isUtf32(value, true);
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return isUtf32(value, false);
  if (a === 0xff && b === 0xfe) return isUtf16(value, true);
  if (a === 0xfe && b === 0xff) return isUtf16(value, false);
  if (isText(a) && b === 0 && c === 0 && d === 0) return isUtf32(value, true);
  if (a === 0 && b === 0 && c === 0 && isText(d)) return isUtf32(value, false);
  if (isText(a) && b === 0 && isText(c) && d === 0) return isUtf16(value, true);
  if (a === 0 && isText(b) && c === 0 && isText(d)) return isUtf16(value, false);
  return null;
}

function isUtf32({ buffer, byteOffset, byteLength }, little) {
  if (byteLength % 4 !== 0) return null;
  const view = new DataView(buffer, byteOffset, byteLength);
  for (let at = 0; at < byteLength; at += 4) {
    const character = view.getUint32(at, little);
    if (character > 0x10ffff || (character >> 11) === 0x1b) return null;
  }
  return "UTF-32";
}

function isUtf16({ buffer, byteOffset, byteLength }, little) {
  if (byteLength % 2 !== 0) return null;
  const view = new DataView(buffer, byteOffset, byteLength);
  let high = false;
  for (let at = 0; at < byteLength; at += 2) {
    const unit = view.getUint16(at, little);
    const isLow = unit >> 10 === 0x37;
    // A low half follows each high one, and nothing else.
    if (isLow !== high) return null;
    high = unit >> 10 === 0x36;
  }
  return high ? null : "UTF-16";
}

function bytes(value) {
  return typeof value === "string" ? encoder.encode(value) : value;
}

function* range(count) {
  for (let index = 0; index < count; index += 1) yield index;
}

/** Parts end to end, and where each of them ends. */
function joined(parts) {
  const ends = new Uint32Array(parts.length);
  let end = 0;
  parts.forEach((part, index) => (ends[index] = end += part.length));
  const all = new Uint8Array(end);
  parts.forEach((part, index) => all.set(part, ends[index] - part.length));
  return [all, ends];
}

/** The records of a batch. */
function* records({ topic, partition, offsets, timestamps, bytes, ends, nulls }) {
  let start = 0;
  for (let index = 0; index < offsets.length; index += 1) {
    const [key, value, headers] = ends.subarray(3 * index, 3 * index + 3);
    const timestamp = timestamps[index];
    yield new Record(
      nulls[index] & NULL_KEY ? null : bytes.subarray(start, key),
      nulls[index] & NULL_VALUE ? null : bytes.subarray(key, value),
      bytes.subarray(value, headers),
      timestamp === NO_TIMESTAMP ? null : Number(timestamp),
      Number(offsets[index]),
      topic,
      partition,
    );
    start = headers;
  }
}

function readHeaders(content) {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const headers = [];
  let at = 0;
  while (at < content.length) {
    let length = view.getUint32(at, true);
    const name = decoder.decode(content.subarray(at + 4, at + 4 + length));
    at += 4 + length;
    length = view.getUint32(at, true);
    at += 4;
    if (length === NULL_HEADER) {
      headers.push([name, null]);
    } else {
      headers.push([name, content.subarray(at, at + length)]);
      at += length;
    }
  }
  return headers;
}

function headerBytes(headers) {
  const number = (value) => {
    const part = new Uint8Array(4);
    new DataView(part.buffer).setUint32(0, value, true);
    return part;
  };
  const parts = headers.flatMap(([name, value]) => {
    const [first, second] = [bytes(name), bytes(value)];
    return [number(first.length), first, number(second?.length ?? NULL_HEADER), second ?? []];
  });
  return joined(parts)[0];
}

/** The contract's type of a feature. */
function fieldType(kind) {
  if (!(kind instanceof Tensor)) return { tag: kind };
  const { element, dimensions } = kind;
  return { tag: "tensor", val: { element, dimensions: Uint32Array.from(dimensions) } };
}

/** The feature of such a type. */
function kindOf(ty) {
  return ty.tag === "tensor" ? new Tensor(ty.val.element, ty.val.dimensions) : ty.tag;
}

/** How a feature's cells are converted, and how they become its column. */
function cells(name, kind) {
  const wrong = (what) => Failure.internal(`feature '${name}': expected ${what}`);
  if (kind === "number") {
    const convert = (value) => {
      if (value === null || value === undefined) return NaN;
      if (typeof value !== "number") throw wrong("a number");
      return value;
    };
    return { convert, finish: (column) => ({ tag: "numbers", val: Float64Array.from(column) }) };
  }
  if (kind === "text") {
    const convert = (value) => {
      if (value !== null && value !== undefined && typeof value !== "string") throw wrong("text");
      return encoder.encode(value ?? "");
    };
    const finish = (column) => {
      const [bytes, ends] = joined(column);
      return { tag: "text", val: { bytes, ends } };
    };
    return { convert, finish };
  }
  if (!(kind instanceof Tensor)) {
    throw `feature '${name}': unknown type '${kind}': use "number", "text" or a Tensor`;
  }
  const convert = (value) => {
    const data = value === null || value === undefined ? [] : tensorBytes(kind.element, value);
    if (data.length !== kind.size) throw wrong(`${kind.size} bytes, got ${data.length}`);
    return data;
  };
  return { convert, finish: (column) => ({ tag: "tensor", val: joined(column)[0] }) };
}

/** The bytes of a tensor's elements: bytes as they are, numbers packed. */
function tensorBytes(element, value) {
  if (value instanceof Tensor) return value.data;
  // What the runner hands over is of another realm: `instanceof Uint8Array` would not hold.
  if (ArrayBuffer.isView(value) && value.BYTES_PER_ELEMENT === 1) return value;
  const Numbers = ELEMENTS[element][1];
  if (Numbers === null) throw Failure.internal(`no numbers of ${element} here: give bytes`);
  return new Uint8Array(Numbers.from(value).buffer);
}

/** How a column becomes an array of cells. */
function reader(kind) {
  if (kind === "number") {
    return (numbers) => Array.from(numbers, (it) => (Number.isNaN(it) ? null : it));
  }
  if (kind === "text") {
    return ({ bytes, ends }) =>
      Array.from(ends, (end, row) => {
        const start = row === 0 ? 0 : ends[row - 1];
        return start === end ? null : decoder.decode(bytes.subarray(start, end));
      });
  }
  const { element, dimensions, size } = kind;
  const cell = (data, row) =>
    new Tensor(element, dimensions, data.subarray(row * size, (row + 1) * size));
  return (data, rows) => Array.from(range(rows), (row) => cell(data, row));
}

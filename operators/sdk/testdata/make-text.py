"""Writes text.json: what Python's own readers make of odd CSV, JSON and numbers.

    python3 make-text.py > text.json

Python's `csv` with `strict=True`, `json` and `float` are the reference for tests/text.rs, which
says where the SDK's readers refuse what Python takes. Only the standard library is needed;
any Python from 3.11 on writes the same but for "python"."""

import csv
import io
import json
import platform
import struct
import sys

CSV = [
    "a,b\n1,2\n",
    "a,b",
    "a,b\r\n1,2\r\n",
    "a,b\r1,2\r",
    "a\n\n\nb\n",
    "\n\na,b\n",
    "a,,\n,,\n",
    '"a","b"\n',
    '"a,b",c\n',
    '"a\nb",c\nd,e\n',
    '"a\r\nb",c\r\nd,e\r\n',
    '"a""b",""""\n',
    '"",""\n',
    '""""""\n',
    '"a"b,c\n',
    '"a" ,c\n',
    ' "a",c\n',
    'a"b,c\n',
    'a""b,c\n',
    'a,"b\n',
    'a,"b\nc,d\n',
    'a,"b""\n',
    'a,"\n',
    '"',
    '"a',
    '"a"',
    '"a"\n"b"',
    " a , b \n",
    "a;b\n",
    "ä,☃\n",
    '"ä☃","ü"\n',
    "\ta\t,b\n",
]

JSON = [
    b"{}",
    b" \t\r\n{ } \n",
    b'{"a":1}',
    b'{"a":1,"b":[1,{"a":2}],"c":{"a":[[]]},"d":null}',
    b'{"a":true,"b":false,"c":null}',
    b'{"a":0,"b":-0,"c":-1,"d":10,"e":1.5,"f":1e3,"g":1E+3,"h":-1.25e-3}',
    b'{"a":12345678901234567890,"b":123456789012345678901234567890}',
    b'{"a":9007199254740993,"b":0.1,"c":1e23,"d":8.41e21,"e":5e-324,"f":2.2250738585072011e-308}',
    b'{"a":1e400}',
    b'{"a":-1e400}',
    b'{"a":1e309,"b":1.7976931348623157e308,"c":1.7976931348623159e308}',
    b'{"a":1e-400}',
    b'{"a":"\\u0041\\n\\"\\\\\\/\\b\\f\\r\\t"}',
    b'{"a":"\\ud83d\\ude00"}',
    b'{"a":"\\ud83d"}',
    b'{"a":"\\ude00x"}',
    b'{"\\u0061":1}',
    b'{"a":1,"a":2}',
    b'{"a":1,"\\u0061":2}',
    '{"ä":"☃😀"}'.encode(),
    b'{"":1}',
    b'{"a":""}',
    b"\xef\xbb\xbf" + b'{"a":1}',
    b"\xef\xbb\xbf\xef\xbb\xbf" + b'{"a":1}',
    '\ufeff{"a":1}'.encode("utf-16-le"),
    '\ufeff{"a":1}'.encode("utf-16-be"),
    '{"a":1}'.encode("utf-16-le"),
    '{"a":1}'.encode("utf-16-be"),
    '\ufeff{"a":"😀"}'.encode("utf-32-le"),
    '\ufeff{"a":1}'.encode("utf-32-be"),
    '{"a":1}'.encode("utf-32-le"),
    '{"a":1}'.encode("utf-32-be"),
    b'{"a":"\xe6"}',
    b'{"a":"\xc0\xaf"}',
    b'{"a":"\xed\xa0\x80"}',
    b"",
    b"  ",
    b"{",
    b"}",
    b"{}{}",
    b"{} x",
    b'{"a"}',
    b'{"a":}',
    b'{"a":1,}',
    b'{,"a":1}',
    b'{"a":1 "b":2}',
    b'{"a":[1,]}',
    b'{"a":[1 2]}',
    b'{"a":[}',
    b'{"a":[1}',
    b'{"a":{"b":1]}',
    b'{"a":[1,{"b":2}}',
    b"{a:1}",
    b"{'a':1}",
    b"{1:2}",
    b'{"a":01}',
    b'{"a":-}',
    b'{"a":+1}',
    b'{"a":.5}',
    b'{"a":1.}',
    b'{"a":1e}',
    b'{"a":1e+}',
    b'{"a":0x10}',
    b'{"a":1_0}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":-Infinity}',
    b'{"a":nul}',
    b'{"a":nulll}',
    b'{"a":True}',
    b'{"a":"\n"}',
    b'{"a":"\t"}',
    b'{"a":"\x00"}',
    b'{"a":"\x7f"}',
    b'{"a":"\\x"}',
    b'{"a":"\\u12"}',
    b'{"a":"\\u12g4"}',
    b'{"a":"',
    b'{"a":"\\',
    b'{"a":1}//',
    b'{/**/"a":1}',
    b"[]",
    b"[{}]",
    b"1",
    b"null",
    b'"a"',
    b'{"a":' + b"[" * 500 + b"]" * 500 + b"}",
    b'{"a":' + b'{"b":' * 500 + b"1" + b"}" * 500 + b"}",
]

NUMBERS = [
    "0", "-0", "+0", "7", "+7", "-7", "007", "1.5", ".5", "-.5", "5.", "1e3", "1E3", "1e+3",
    "1e-3", " 8\t", "\n8\r", "123456789012345", "1234567890123456", "9007199254740993",
    "0.1", "1e23", "8.41e21", "5e-324", "2e-324", "2.2250738585072011e-308", "1e-400",
    "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e308",
    "1e309", "-1e309", "1e400", "-1e400", "1" * 309, "1" * 310, "0." + "0" * 400 + "1",
    "", " ", "x", "1 2", "1,5", "--1", "-", "+", ".", "e3", "1e", "1e+", "1.2.3", "0x10", "1f",
    "1_000", "inf", "-inf", "+inf", "Inf", "INF", "infinity", "-Infinity", "nan", "NaN", "-nan",
    "NA", "\u0661", "\u00a01",
]  # fmt: skip


def rows(text):
    try:
        read = csv.reader(io.StringIO(text, newline=""), strict=True)
        return [row for row in read if row]
    except csv.Error:
        return None


def bits(number):
    return struct.pack(">d", number).hex()


def members(text):
    """Key, kind and value of each member of an object; None for what is no JSON object."""

    def refuse(word):
        raise ValueError(word)

    def value(it):
        kinds = {bool: "bool", str: "text", float: "number", list: "array", tuple: "object"}
        kind = "null" if it is None else kinds[type(it)]
        if kind == "number":
            it = bits(it)
        elif kind == "text":
            it = it.encode("utf-8", "surrogatepass").hex()
        elif kind in ("array", "object"):
            it = None
        return [kind, it]

    try:
        # An object becomes a tuple of its members, so that no key is lost.
        read = json.loads(
            text, parse_int=float, parse_constant=refuse, object_pairs_hook=tuple
        )
    except ValueError:
        return None
    if not isinstance(read, tuple):
        return None
    return [[key, *value(it)] for key, it in read]


def number(text):
    try:
        return bits(float(text))
    except ValueError:
        return None


json.dump(
    {
        "python": platform.python_version(),
        "csv": [{"text": text, "rows": rows(text)} for text in CSV],
        "json": [{"text": text.hex(), "members": members(text)} for text in JSON],
        "numbers": [{"text": text, "value": number(text)} for text in NUMBERS],
    },
    sys.stdout,
    indent=0,
)
print()

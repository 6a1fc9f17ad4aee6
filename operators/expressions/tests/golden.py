"""Writes cel.tsv: what Google's implementation of the Common Expression Language makes of each
expression. Needs `pip install cel-expr-python==0.1.3`; run it in this folder."""

import datetime
import math

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_strings

T = cel.Type
TYPES = {
    "amount": T.DOUBLE, "limit": T.DOUBLE, "count": T.INT, "destination": T.STRING,
    "late": T.BOOL, "departure": T.TIMESTAMP, "early": T.TIMESTAMP, "names": T.List(T.STRING),
    "scores": T.List(T.DOUBLE), "headers": T.Map(T.STRING, T.STRING), "nan": T.DOUBLE,
    "big": T.INT, "umlaut": T.STRING, "zero": T.DOUBLE,
}
UTC = datetime.timezone.utc
VALUES = {
    "amount": 12.5, "limit": 40.0, "count": 7, "destination": "SFO", "late": True,
    "departure": datetime.datetime(2026, 11, 30, 13, 5, 9, 250000, UTC),
    "early": datetime.datetime(1899, 2, 28, 23, 59, 59, 0, UTC),
    "names": ["a", "b", "ccc"], "scores": [0.25, 0.5], "headers": {"trace": "x1", "kind-of": "y"},
    "nan": math.nan, "big": 2**63 - 1, "umlaut": "Zürich", "zero": 0.0,
}
EXPRESSIONS = r"""
amount / limit
amount * 2.0 + limit - 0.5
-amount
7 / 2
-7 / 2
7 % 3
-7 % 3
count / 2
count % 0
count / 0
amount / zero
-amount / zero
zero / zero
1.0 / 0.0
big + 1
-big - 2
-9223372036854775808
-(-9223372036854775807 - 1)
big * 2
9223372036854775807 - 1
0x1F + 1
1e3 + 1.5
.5 + 1.0
1 + 2 * 3
(1 + 2) * 3
10 - 3 - 2
100 / 5 / 2
2 * 3 % 4
count > 3
count >= 7 && count <= 7
amount > 12 ### dyn(amount) > 12
amount == 12.5
count == 7.0 ### dyn(count) == 7.0
big > 9223372036854775807.0 ### dyn(big) > 9223372036854775807.0
big == 9223372036854775807.0 ### dyn(big) == 9223372036854775807.0
big < 9223372036854775808.0 ### dyn(big) < 9223372036854775808.0
-big - 1 > -9223372036854775809.0 ### dyn(-big - 1) > -9223372036854775809.0
3 < 3.5 ### dyn(3) < 3.5
-3 > -3.5 ### dyn(-3) > -3.5
3 >= 3.0 ### dyn(3) >= 3.0
count < nan ### dyn(count) < nan
count in [1.0, 7.0] ### dyn(count) in [1.0, 7.0]
9007199254740993 > 9007199254740992.0 ### dyn(9007199254740993) > 9007199254740992.0
count != 8
nan == nan
nan != nan
nan < 1.0
nan > 1.0
nan >= nan
0.0 == -0.0
destination == "SFO"
destination == 'SFO' || late
destination != "LAX" && !late
destination < "SFP"
"a" < "B"
"" < "a"
"é" > "z"
late == true
false < true
late ? 1 : 2
!late ? "yes" : "no"
count > 5 ? (late ? 1 : 2) : 3
late ? 1 : count > 3 ? 2 : 3
!!late
true || 1 / 0 == 1
1 / 0 == 1 || true
false && 1 / 0 == 1
1 / 0 == 1 && false
1 / 0 == 1 || false
1 / 0 == 1 && true
true && false || true
false || true && false
destination in ["LAX", "SFO"]
destination in ["LAX"]
count in [1, 7]
!(destination in ["SFO"])
"a" in names
"d" in names
0.5 in scores
[1, 2] == [1, 2]
[1, 2] == [2, 1]
[1, 2] + [3]
names == ["a", "b", "ccc"]
names[0]
names[2]
names[3]
names[-1]
scores[1] * 2.0
"trace" in headers
"other" in headers
headers.trace
headers["trace"] == "x1"
headers["kind-of"]
headers.other
headers["other"] == "x" || true
has(headers.trace)
has(headers.other)
size(destination)
size(umlaut)
umlaut.size()
size(names)
size("")
size([1, 2, 3])
destination + "-" + umlaut
destination.contains("F")
destination.contains("")
destination.contains("f")
destination.startsWith("SF")
destination.endsWith("FO")
destination.matches("^S.O$")
destination.matches("F")
matches(destination, "[a-z]")
destination.matches("(?i)sfo")
umlaut.matches("^Z.rich$")
umlaut.matches("^\\w+$")
"a1 b2".matches(r"\d\s\w")
"x".matches("x{2,3}")
"a.b".matches(r"^a\.b$")
destination.lowerAscii()
umlaut.upperAscii()
"  a b\t".trim()
"a-b-c".replace("-", "+")
"aaa".replace("aa", "b")
"abc".replace("", "-")
umlaut.substring(1)
umlaut.substring(1, 3)
umlaut.substring(0, 0)
umlaut.substring(6)
umlaut.substring(7)
umlaut.substring(3, 2)
umlaut.substring(-1)
umlaut.indexOf("r")
umlaut.indexOf("q")
umlaut.indexOf("")
"a,b,,c".split(",")
",".split(",")
"".split(",")
"añb".split("")
names.join("-")
names.join("")
int(3.9)
int(-3.9)
int("42")
int("-42")
int("4.2")
int("x")
int("")
int(1e19)
int(-9223372036854775808.0)
int(nan)
int(departure)
int(early)
double(7)
double("1.5")
double("-1e3")
double("x")
double("")
double(big) == 9223372036854775807.0
string(42)
string(-1)
string(1.5)
string(true)
string(0.1)
string(departure)
string(early)
string("a")
bool("true")
bool("False")
bool("yes")
timestamp("2026-11-30T13:05:09.25Z") == departure
timestamp("2026-11-30T14:05:09.25+01:00") == departure
timestamp("2026-02-29T00:00:00Z") == departure
timestamp("2024-02-29T00:00:00Z").getDate()
timestamp("2026-11-30") == departure
timestamp("2026-13-30T00:00:00Z") == departure
timestamp(0) < departure
timestamp(1780000000).getFullYear()
timestamp(-62135596800).getFullYear()
timestamp(-62135596801).getFullYear()
timestamp(253402300799).getFullYear()
timestamp(253402300800).getFullYear()
early < departure
departure >= departure
departure.getFullYear()
departure.getMonth()
departure.getDate()
departure.getDayOfMonth()
departure.getDayOfWeek()
departure.getDayOfYear()
departure.getHours()
departure.getMinutes()
departure.getSeconds()
departure.getMilliseconds()
early.getFullYear()
early.getMonth()
early.getDate()
early.getDayOfWeek()
early.getDayOfYear()
early.getHours()
early.getMinutes()
early.getSeconds()
timestamp("2000-03-01T00:00:00Z").getDayOfYear()
timestamp("1900-03-01T00:00:00Z").getDayOfYear()
timestamp("0001-01-01T00:00:00Z").getDayOfWeek()
timestamp("9999-12-31T23:59:59Z").getDayOfYear()
math.abs(-5)
math.abs(-2.5)
math.abs(-9223372036854775808)
math.ceil(1.2)
math.ceil(-1.2)
math.floor(-1.2)
math.round(2.5)
math.round(-2.5)
math.round(0.49999999999999994)
math.trunc(-1.7)
math.sqrt(2.0)
math.sqrt(-1.0)
math.isNaN(nan)
math.isInf(1.0 / 0.0)
math.isFinite(amount)
math.greatest(1, 7, 3)
math.greatest(1.5, 0.5)
math.least(1, 7, -3)
math.least(2.0)
"a\tb\n\"\\\x41\u00e9\101"
r"a\tb"
'it"s'
'''a
b'''
"👋".size()
umlaut == "Z\u00fcrich"
"a" + "b" == "ab"
1 < 2 == true
(1 < 2) == (3 < 4)
// a comment
1 +
1 2
amount >
(amount
"abc
amount ++ 1
amount = 1
amout > 1
sizes(names)
amount + destination
destination > 1
late + 1
!count
-destination
destination && late
count ? 1 : 2
late ? 1 : "a"
amount.contains("a")
size(amount)
amount[0]
names["a"]
amount.field
headers[1]
1u + 1u == 1
999999999999999999999
if
"\q"
1.2.3
""".strip("\n").split("\n")

def shown(value):
    value = value.plain_value() if isinstance(value, cel.Value) else value
    if isinstance(value, bool):
        return f"bool {str(value).lower()}"
    if isinstance(value, int):
        return f"int {value}"
    if isinstance(value, float):
        return f"number {'nan' if math.isnan(value) else repr(value)}"
    if isinstance(value, str):
        return f"text {value.encode().hex()}"
    if isinstance(value, list):
        return "list " + " ".join(shown(item).replace(" ", ":") for item in value)
    raise TypeError(value)

def answer(env, expression):
    try:
        compiled = env.compile(expression)
    except Exception:
        return "refused"
    try:
        value = compiled.eval(data=VALUES)
        if value.type() == T.ERROR:
            return "fault"
        return shown(value)
    except TypeError:
        raise
    except Exception:
        return "fault"

def main():
    env = cel.NewEnv(variables=TYPES, extensions=[ext_math.ExtMath(), ext_strings.ExtStrings()])
    lines, pending = [], ""
    for line in EXPRESSIONS:
        pending += line
        # A text of several lines.
        if pending.count("'''") % 2:
            pending += "\n"
            continue
        # Numbers of both kinds may be compared in CEL where the types are not known before.
        ours, _, theirs = pending.partition(" ### ")
        lines.append(f"{ours.encode().hex()}\t{answer(env, theirs or ours)}\t{pending!r}\n")
        pending = ""
    with open("cel.tsv", "w", encoding="utf-8") as file:
        file.writelines(lines)

main()

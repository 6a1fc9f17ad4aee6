"""Makes the seeds in corpus/ that are not text: answers of guests, headers, tensors."""

import pathlib
import struct

here = pathlib.Path(__file__).parent / "corpus"


def write(target, name, *parts):
    (here / target).mkdir(parents=True, exist_ok=True)
    (here / target / name).write_bytes(b"".join(bytes([p]) if isinstance(p, int) else p for p in parts))


def text(value):
    return bytes([len(value)]) + value


def numbers(*values):
    return bytes([len(values), *values])


# Sound answers, as src/guests.rs reads them.
number, a_text, tensor = (bytes([0]) + text(b"n"), bytes([1]) + text(b"t"),
                          bytes([2, 1]) + numbers(2, 3) + text(b"x"))
write("guest-answers", "extracted-numbers", 0, 1, number, 3, 3, 1, 0, numbers(1, 2, 3), 0)
write("guest-answers", "extracted-texts", 0, 1, a_text, 2, 2, 1, 1, text("aäb".encode()), numbers(1, 4), 0)
write("guest-answers", "extracted-all", 0, 3, number, a_text, tensor, 3, 2, 3,
      0, numbers(1, 2), 1, text(b"abc"), numbers(0, 3), 2, text(bytes(48)), 1, 1, text(b"no"))
write("guest-answers", "scored-classes", 1, 0, 2, text(b"NO"), text(b"YES"), 3,
      numbers(0, 1), numbers(1, 2, 3, 4), 1, 2, text(b"missing"))
write("guest-answers", "scored-values", 1, 1, 1, text(b"delay"), 2, numbers(), numbers(5, 6), 0)
header = struct.pack("<I", 1) + b"h" + struct.pack("<I", 2) + b"vv"
null = struct.pack("<I", 1) + b"n" + b"\xff" * 4
body = b"k" + b"value" + header + b"" + b"w" + header + null
ends = numbers(1, 6, 6 + len(header), 6 + len(header), 7 + len(header), len(body))
write("guest-answers", "transformed", 2, 3, 2, numbers(0, 2), numbers(0, 2), numbers(5, 0),
      text(body), ends, numbers(0, 1), 1, 1, text(b"refused"))
write("guest-answers", "transformed-none", 2, 2, 0, bytes(7))


def headers(*pairs):
    encoded = b""
    for name, value in pairs:
        encoded += struct.pack("<I", len(name)) + name
        encoded += b"\xff" * 4 if value is None else struct.pack("<I", len(value)) + value
    return encoded


write("dead-letters", "letter", headers(
    (b"trace", b"1"), (b"sandbar-topic", b"flights"), (b"sandbar-partition", b"3"),
    (b"sandbar-offset", b"184467"), (b"sandbar-code", b"malformed"), (b"sandbar-stage", b"score"),
    (b"sandbar-message", "31 columns, ä".encode()), (b"sandbar-model", b"flights@3")))
write("dead-letters", "notice", headers((b"sandbar-truncated", b"true"), (b"trace", None)))
write("dead-letters", "again", headers((b"sandbar-replayed", b"7"), (b"sandbar-partition", b"-1")))

# One row and two of digits; then types and names that do not fit.
row = bytes(range(200))
write("tensors", "one-row", 0, 1, 0, numbers(1, 1, 8, 8), 0, row)
write("tensors", "two-rows", 0, 0, 0, numbers(2, 1, 8, 8), 0, row, row)
write("tensors", "no-row", 0, 1, 0, numbers(0, 1, 8, 8), 0)
write("tensors", "bytes", 0, 1, 0xF4, numbers(8, 8), 0xFF, text(bytes(64)))
write("tensors", "two-inputs", 7, 1, 0, numbers(1, 1, 8, 8), 0, bytes(256),
      0xFF, text(b"other"), 0, numbers(1), 0, bytes(4))


# Calls, as src/calls/program.rs reads them: with what is granted; a byte that says how a function
# is chosen, and which. What it needs is called for first; then come its own arguments.
granted, ours, wasi = 0, 1, 0xA1
sizes, floats, zeros, file = 0xA0, 1, 0xA0, 0xE0
digits, image, escape, count = 0, 2, 6, 1
newest, first_item, by_name = 0, 0, 0x40
tensor = (sizes, floats, zeros)
needs = (0, by_name, digits, newest, 0, *tensor)
compute = (ours, 11, *needs, newest, count, image, newest, first_item)
write("guest-calls", "describe", granted, ours, 0, digits, ours, 0, escape)
write("guest-calls", "load", granted, ours, 1, 1, ours, 1, digits, ours, 1, escape)
write("guest-calls", "tensor", granted, ours, 2, *tensor, ours, 3, newest, ours, 4, newest,
      ours, 5, newest, ours, 6, newest)
write("guest-calls", "computes", granted, *compute, ours, 5, newest)
write("guest-calls", "not-granted", 2, *compute)
write("guest-calls", "brings", granted, ours, 8, count, file, 1, 0, *compute)
write("guest-calls", "errors", granted, ours, 9, escape, ours, 13, newest, ours, 14, newest, ours, 15, newest)
often = (255, 80)
write("guest-calls", "hoards-tensors", granted, 15, 2, *often, sizes, floats, file)
write("guest-calls", "hoards-errors", granted, 15, 9, *often, escape)
write("guest-calls", "hoards-contexts", granted, 15, 7, 0x40, digits, *often, newest)
write("guest-calls", "hoards-files", granted, 15, 1, *often, 1)
write("guest-calls", "graphs", granted, 15, 9, 40, 10, digits)
write("guest-calls", "used-again", granted, ours, 2, *tensor, ours, 6, newest, ours, 5, newest)
write("guest-calls", "wasi", granted, *(byte for which in range(0, 137, 3) for byte in (wasi, which, 0, 0, 0, 0)))


# Changes of files of graphs, as src/graphs reads them: two files, and what is done with the first.
changes = {"nothing": (), "number": (0, 20, 0, 13), "name": (2, 9, 0, 4), "data": (3, 12, 0, 2, 0x7F),
           "other": (4, 15, 0, 3), "beside": (5, 30, 0, 2), "without": (6, 11, 0), "often": (7, 8, 0, 0xF8),
           "several": (0, 40, 0, 14, 4, 3, 1, 0, 2, 9, 0, 1, 7, 6, 0, 2)}
for number, (name, change) in enumerate(changes.items()):
    pair = struct.pack("<HH", 37 * number, 101 * number + 1)
    write("graphs", name, 0, pair, *change)
    write("prepare", name, pair, *change)

# Changes of a component: of a byte, a number, a part; sections often, not at all, in another order.
sections = {"nothing": (), "byte": (0, 3, 9, 0, 1), "number": (0, 2, 4, 0, 0xC4, 0xF8), "part": (0, 1, 6, 0, 0xEF),
            "often": (5, 4, 0xFB), "without": (6, 5), "order": (7, 1, 4), "instances": (0, 1, 5, 5, 0xFF)}
for name, change in sections.items():
    write("components", name, bytes(change))

"""Writes exp.csv: numbers and what the C library's exp says of them, as the bits of doubles.

Python calls the C library: glibc 2.28 or later, on a processor with FMA.
"""

import math
import random
import struct
from pathlib import Path


def bits(value):
    return struct.pack(">d", value).hex()


def exponential(x):
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


random.seed(1)
numbers = [0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 5e-324, 2.0**-54, 2.0**-53, 709.78, 709.79, -708.4, -745.1, -745.2, 1e300, -1e300]
numbers += [(k + 0.5) * math.log(2) / 128 for k in range(-60, 60)]
numbers += [k * math.log(2) for k in range(-1075, 1025, 25)]
for scale in [1, 5, 40, 700]:
    numbers += [random.uniform(-scale, scale) for _ in range(250)]
numbers += [random.uniform(-746, -700) for _ in range(150)] + [random.uniform(508, 515) for _ in range(20)]
lines = ["x,exp"] + [f"{bits(x)},{bits(exponential(x))}" for x in numbers]
(Path(__file__).parent / "exp.csv").write_text("\n".join(lines) + "\n")

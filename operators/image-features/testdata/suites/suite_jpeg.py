"""JPEG: scans that are interleaved in every way, samplings of every kind, tables that change,
restarts, colour spaces, and everywhere that an orientation may stand.

The encoder is a plain one in floating point: what it writes is right by itself, and the answer is
what libjpeg-turbo, through Pillow, makes of it."""

import math
import struct

from PIL import Image

from parts import APP1, exif, gradient, odd_exif, picture, saved, xmp

ZIGZAG = [
    y * 8 + x
    for s in range(15)
    for x, y in sorted(
        ((i, s - i) for i in range(8) if 0 <= s - i < 8), key=lambda p: p[0] if s % 2 == 0 else p[1]
    )
]
COSINES = [
    [math.cos((2 * x + 1) * u * math.pi / 16) * (math.sqrt(0.5) if u == 0 else 1) / 2 for x in range(8)]
    for u in range(8)
]


def transform(block: list[list[float]]) -> list[float]:
    half = [[sum(row[x] * COSINES[u][x] for x in range(8)) for u in range(8)] for row in block]
    return [sum(half[y][u] * COSINES[v][y] for y in range(8)) for v in range(8) for u in range(8)]


class Component:
    """One channel: its sampling and its quantised blocks, padded to whole units."""

    def __init__(self, name, sampling, value, size, most, table=0, step=4):
        (self.h, self.v), (width, height) = sampling, size
        self.name, self.table, self.step = name, table, step
        # What a scan of this alone has, and what one of all has.
        self.columns = -(-(-(-width * self.h // most[0])) // 8)
        self.lines = -(-(-(-height * self.v // most[1])) // 8)
        units = -(-width // (8 * most[0])), -(-height // (8 * most[1]))
        across, down = most[0] / self.h, most[1] / self.v
        self.blocks = [
            [self.block(value, bx, by, across, down, size) for bx in range(units[0] * self.h)]
            for by in range(units[1] * self.v)
        ]

    def block(self, value, bx, by, across, down, size):
        def sample(x, y):
            x = min(int((bx * 8 + x + 0.5) * across), size[0] - 1)
            y = min(int((by * 8 + y + 0.5) * down), size[1] - 1)
            return value(x, y) - 128

        block = transform([[sample(x, y) for x in range(8)] for y in range(8)])
        return [round(block[at] / self.step) for at in ZIGZAG]


class Bits:
    def __init__(self):
        self.out, self.value, self.length = bytearray(), 0, 0

    def put(self, value: int, length: int) -> None:
        self.value = self.value << length | value
        self.length += length
        while self.length >= 8:
            self.length -= 8
            byte = self.value >> self.length & 255
            self.out += bytes([byte]) + (b"\0" if byte == 255 else b"")
        self.value &= (1 << self.length) - 1

    def fill(self) -> None:
        if self.length:
            self.put((1 << 8 - self.length) - 1, 8 - self.length)


# Codes of eight bits for every symbol: of no interest, and right for all.
DC_SYMBOLS = list(range(12))
AC_SYMBOLS = [0x00, 0xF0] + [run << 4 | size for run in range(16) for size in range(1, 11)]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 255, marker, len(body) + 2) + body


def huffman(which: int, symbols: list[int]) -> bytes:
    counts = [0] * 16
    counts[7] = len(symbols)
    return segment(0xC4, bytes([which, *counts, *symbols]))


def quantisation(which: int, step: int, deep=False) -> bytes:
    values = struct.pack(">64H", *[step] * 64) if deep else bytes([step] * 64)
    return segment(0xDB, bytes([which | (0x10 if deep else 0)]) + values)


def number(bits: Bits, value: int, size: int) -> None:
    bits.put(value if value > 0 else value + (1 << size) - 1, size)


def put_block(bits: Bits, block: list[int], before: int) -> None:
    difference = block[0] - before
    size = abs(difference).bit_length()
    bits.put(DC_SYMBOLS.index(size), 8)
    if size:
        number(bits, difference, size)
    run = 0
    last = max((i for i in range(1, 64) if block[i]), default=0)
    for value in block[1 : last + 1]:
        if value == 0:
            run += 1
            continue
        while run > 15:
            bits.put(AC_SYMBOLS.index(0xF0), 8)
            run -= 16
        size = abs(value).bit_length()
        bits.put(AC_SYMBOLS.index(run << 4 | size), 8)
        number(bits, value, size)
        run = 0
    if last < 63:
        bits.put(AC_SYMBOLS.index(0), 8)


def scan(components: list[Component], restart=0) -> bytes:
    """A scan of these. One alone goes block by block, several go unit by unit."""
    header = bytes([len(components)])
    header += b"".join(bytes([component.name, 0]) for component in components)
    out, bits = segment(0xDA, header + b"\0\x3f\0"), Bits()
    before = {component.name: 0 for component in components}
    if len(components) == 1:
        (only,) = components
        units = [[(only, x, y)] for y in range(only.lines) for x in range(only.columns)]
    else:
        first = components[0]
        columns, lines = len(first.blocks[0]) // first.h, len(first.blocks) // first.v
        units = [
            [(c, x * c.h + h, y * c.v + v) for c in components for v in range(c.v) for h in range(c.h)]
            for y in range(lines)
            for x in range(columns)
        ]
    for count, unit in enumerate(units):
        if restart and count and count % restart == 0:
            bits.fill()
            bits.out += bytes([255, 0xD0 + (count // restart - 1) % 8])
            before = dict.fromkeys(before, 0)
        for component, x, y in unit:
            block = component.blocks[y][x]
            put_block(bits, block, before[component.name])
            before[component.name] = block[0]
    bits.fill()
    return out + bytes(bits.out)


def jpeg(
    size,
    samplings,
    scans,
    names=(1, 2, 3, 4),
    before=b"",
    between=lambda index: b"",
    restart=0,
    steps=(4, 6, 6, 4),
    deep=False,
    kind=0xC0,
    tail=b"\xff\xd9",
    values=None,
) -> bytes:
    """`scans` are lists of components by their index; `between(i)` stands before scan i."""
    sample = gradient(size)
    values = values or [lambda x, y, c=c: sample(x, y, c) for c in (0, 1, 2, 1)]
    most = max(h for h, _ in samplings), max(v for _, v in samplings)
    components = [
        Component(names[i], sampling, values[i], size, most, i, steps[i])
        for i, sampling in enumerate(samplings)
    ]
    out = b"\xff\xd8" + before
    out += b"".join(quantisation(c.table, c.step, deep) for c in components)
    frame = struct.pack(">BHHB", 8, size[1], size[0], len(components))
    frame += b"".join(bytes([c.name, c.h << 4 | c.v, c.table]) for c in components)
    out += segment(kind, frame) + huffman(0x00, DC_SYMBOLS) + huffman(0x10, AC_SYMBOLS)
    if restart:
        out += segment(0xDD, struct.pack(">H", restart))
    for index, chosen in enumerate(scans):
        out += between(index) + scan([components[i] for i in chosen], restart)
    return out + tail


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
ADOBE = {kind: segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([kind])) for kind in range(3)}
WAYS = {
    "together": [[0, 1, 2]],
    "y-then-cbcr": [[0], [1, 2]],
    "ycb-then-cr": [[0, 1], [2]],
    "ycr-then-cb": [[0, 2], [1]],
    "cbcr-then-y": [[1, 2], [0]],
    "cr-then-ycb": [[2], [0, 1]],
    "apart": [[0], [1], [2]],
    "apart-reversed": [[2], [1], [0]],
}
SAMPLINGS = {
    "444": [(1, 1)] * 3,
    "422": [(2, 1), (1, 1), (1, 1)],
    "420": [(2, 2), (1, 1), (1, 1)],
    "440": [(1, 2), (1, 1), (1, 1)],
    "411": [(4, 1), (1, 1), (1, 1)],
    "441": [(1, 4), (1, 1), (1, 1)],
    "410": [(4, 2), (1, 1), (1, 1)],
    "422-all-two": [(2, 2), (1, 2), (1, 2)],
    "444-all-two": [(2, 2)] * 3,
    "different-colours": [(2, 2), (2, 1), (1, 1)],
    "different-colours-2": [(2, 2), (1, 2), (2, 1)],
}


def files():
    for sampling, factors in SAMPLINGS.items():
        for way, scans in WAYS.items():
            size = (37, 27)
            # A unit of more than ten blocks is against the rules.
            if sampling == "444-all-two" and way == "together":
                continue
            if way in ("together", "y-then-cbcr", "ycb-then-cr", "apart"):
                data = jpeg(size, factors, scans, before=JFIF)
                yield f"jpeg-{sampling}-{way}", "read", data
            elif sampling in ("444", "420", "422"):
                yield f"jpeg-{sampling}-{way}", "read", jpeg(size, factors, scans, before=JFIF)
    for way, scans in WAYS.items():
        for restart in (1, 2, 5):
            data = jpeg((37, 27), SAMPLINGS["420"], scans, restart=restart)
            yield f"jpeg-restart-{restart}-{way}", "read", data
    for size in [(1, 1), (8, 8), (9, 9), (16, 16), (17, 1), (1, 17), (15, 33), (64, 8)]:
        for way in ("together", "y-then-cbcr"):
            data = jpeg(size, SAMPLINGS["420"], WAYS[way])
            yield f"jpeg-size-{size[0]}x{size[1]}-{way}", "read", data
    yield from spaces()
    yield from tables()
    yield from grey()
    yield from orientations()
    yield from unread()


def spaces():
    """What the channels mean, by their names and by Adobe's marker."""
    size, split = (21, 13), [[0], [1, 2]]
    for name, options in {
        "plain": {},
        "jfif": {"before": JFIF},
        "adobe-rgb": {"before": ADOBE[0]},
        "adobe-ycc": {"before": ADOBE[1]},
        "jfif-adobe-rgb": {"before": JFIF + ADOBE[0]},
        "named-rgb": {"names": b"RGB"},
        "named-rgb-jfif": {"names": b"RGB", "before": JFIF},
        "named-0": {"names": (0, 1, 2)},
        "named-oddly": {"names": (7, 200, 31)},
        "adobe-late": {"between": lambda i: ADOBE[0] if i else b""},
    }.items():
        yield f"jpeg-space-{name}", "read", jpeg(size, SAMPLINGS["420"], [[0, 1, 2]], **options)
        yield f"jpeg-space-{name}-split", "read", jpeg(size, SAMPLINGS["420"], split, **options)
    four = [(1, 1)] * 4
    for name, before in {"plain": b"", "cmyk": ADOBE[0], "ycck": ADOBE[2]}.items():
        for way, scans in {
            "together": [[0, 1, 2, 3]],
            "pairs": [[0, 3], [1, 2]],
            "apart": [[0], [1], [2], [3]],
            "one-and-three": [[0], [1, 2, 3]],
        }.items():
            yield f"jpeg-four-{name}-{way}", "read", jpeg(size, four, scans, before=before)
        for h, v in [(2, 2), (2, 1), (1, 2), (4, 1), (1, 4), (3, 1)]:
            half = [(h, v), (1, 1), (1, 1), (h, v)]
            for width, height in [(21, 13), (16, 32), (40, 33), (2, 7)]:
                at = f"jpeg-four-{name}-{h}x{v}-{width}x{height}"
                for way, scans in {"pairs": [[0, 3], [1, 2]], "apart": [[0], [1], [2], [3]]}.items():
                    if width == 21 or h * v == 2:
                        data = jpeg((width, height), half, scans, before=before)
                        yield f"{at}-{way}", "read", data
                if h * v <= 4:
                    data = jpeg((width, height), half, [[0, 1, 2, 3]], before=before)
                    yield at, "read", data
    for name, factors in {
        "black-less": [(2, 2), (1, 1), (1, 1), (1, 1)],
        "all-different": [(2, 2), (2, 1), (1, 1), (1, 2)],
        "all-two": [(2, 1), (2, 1), (2, 1), (2, 1)],
    }.items():
        for way, scans in {"": [[0, 1, 2, 3]], "-split": [[0, 2], [1, 3]]}.items():
            data = jpeg((40, 33), factors, scans, before=ADOBE[2])
            yield f"jpeg-four-{name}{way}", "read", data
    # As Pillow writes them.
    inks = Image.merge("CMYK", [*picture((40, 33)).split(), picture((40, 33)).getchannel(1)])
    for progressive in (False, True):
        for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
            data = saved(inks, "JPEG", subsampling=subsampling, progressive=progressive)
            name = f"{subsampling.replace(':', '')}{'-progressive' if progressive else ''}"
            yield f"jpeg-four-pillow-{name}", "read", data


def tables():
    size, split = (37, 27), [[0], [1, 2]]
    # Other tables before the second scan: of quantisation for what comes, of codes for all.
    def again(index):
        return huffman(0x00, DC_SYMBOLS) + huffman(0x10, AC_SYMBOLS) if index else b""

    yield "jpeg-tables-again", "read", jpeg(size, SAMPLINGS["420"], split, between=again)
    coarse = lambda index: quantisation(1, 9) if index else b""
    yield "jpeg-tables-quantisation-between", "read", jpeg(
        size, SAMPLINGS["420"], split, between=coarse
    )
    late = lambda index: quantisation(0, 31) if index else b""
    yield "jpeg-tables-quantisation-late", "read", jpeg(
        size, SAMPLINGS["420"], split, between=late
    )
    apart = [[0], [1], [2]]
    yield "jpeg-tables-quantisation-late-apart", "read", jpeg(
        size, SAMPLINGS["420"], apart, between=late
    )
    interval = lambda index: segment(0xDD, b"\0\0") if index else b""
    # Progressive, with another table behind the first scan, in which all channels are.
    progressive = saved(picture((37, 27)), "JPEG", quality=90, progressive=True)
    second = progressive.index(b"\xff\xda", progressive.index(b"\xff\xda") + 2)
    second = progressive.rindex(b"\xff\xc4", 0, second)
    data = progressive[:second] + quantisation(0, 50) + progressive[second:]
    yield "jpeg-progressive-table-between", "read", data
    yield "jpeg-tables-restarts-off", "read", jpeg(
        size, SAMPLINGS["420"], split, restart=99, between=interval
    )
    yield "jpeg-tables-deep", "read", jpeg(size, SAMPLINGS["420"], split, deep=True, kind=0xC1)
    yield "jpeg-extended", "read", jpeg(size, SAMPLINGS["420"], [[0, 1, 2]], kind=0xC1)
    yield "jpeg-comment-between", "read", jpeg(
        size, SAMPLINGS["420"], split, between=lambda i: segment(0xFE, b"\xff\xda a comment")
    )
    yield "jpeg-no-end", "malformed", jpeg(size, SAMPLINGS["420"], split, tail=b"")[:-40]
    yield "jpeg-after-the-end", "read", jpeg(
        size, SAMPLINGS["420"], split, tail=b"\xff\xd9anything\xff\xd8\xff"
    )
    steep = [lambda x, y, c=c: 255 * ((x + y + c) % 2) for c in range(3)]
    yield "jpeg-steep", "read", jpeg(
        size, SAMPLINGS["444"], split, values=steep, steps=(1, 1, 1)
    )


def grey():
    for h, v in [(1, 1), (2, 2), (2, 1), (1, 2), (4, 4)]:
        for size in [(21, 13), (8, 8), (33, 31)]:
            name = f"jpeg-grey-{h}x{v}-{size[0]}x{size[1]}"
            yield name, "read", jpeg(size, [(h, v)], [[0]])
            yield f"{name}-restart", "read", jpeg(size, [(h, v)], [[0]], restart=2)


def orientations():
    plain = saved(picture((12, 8)), "JPEG", quality=95, subsampling="4:4:4")
    assert plain[2:4] == b"\xff\xe0"
    start = 4 + int.from_bytes(plain[4:6], "big")

    def turned(*segments: bytes, at=start) -> bytes:
        return plain[:at] + b"".join(segments) + plain[at:]

    def app1(body: bytes) -> bytes:
        return segment(0xE1, body)

    for value in range(10):
        yield f"jpeg-exif-{value}", "read", turned(app1(b"Exif\0\0" + exif(value)))
        yield f"jpeg-xmp-{value}", "read", turned(app1(APP1 + xmp(value)))
    yield "jpeg-xmp-element", "read", turned(app1(APP1 + xmp(6, element=True)))
    yield "jpeg-xmp-without", "read", turned(app1(APP1 + xmp(None)))
    yield "jpeg-xmp-twice", "read", turned(app1(APP1 + xmp(6)), app1(APP1 + xmp(3)))
    yield "jpeg-exif-before-jfif", "read", turned(app1(b"Exif\0\0" + exif(6)), at=2)
    yield "jpeg-exif-1-xmp-3", "read", turned(app1(b"Exif\0\0" + exif(1)), app1(APP1 + xmp(3)))
    yield "jpeg-exif-none-xmp-3", "read", turned(app1(b"Exif\0\0" + exif(None)), app1(APP1 + xmp(3)))
    yield "jpeg-exif-twice", "read", turned(
        app1(b"Exif\0\0" + exif(6)), app1(b"Exif\0\0" + exif(3))
    )
    whole = exif(6)
    yield "jpeg-exif-in-two", "read", turned(
        app1(b"Exif\0\0" + whole[:20]), app1(b"Exif\0\0" + whole[20:])
    )
    yield "jpeg-exif-app2", "read", turned(segment(0xE2, b"Exif\0\0" + exif(6)))
    yield "jpeg-exif-one-zero", "read", turned(app1(b"Exif\0\xff" + exif(6)))
    yield "jpeg-exif-fill", "read", turned(b"\xff\xff" + app1(b"Exif\0\0" + exif(6)))
    for name, body in odd_exif():
        yield f"jpeg-exif-odd-{name}", "read", turned(app1(b"Exif\0\0" + body))


def unread():
    # Pillow reads those whose factors are whole.
    for name, factors in {
        "brightness-less": [(1, 1), (2, 2), (2, 2)],
        "one-colour-more": [(1, 1), (1, 1), (2, 1)],
        "one-colour-higher": [(2, 1), (1, 2), (1, 1)],
    }.items():
        yield f"jpeg-{name}", "unsupported", jpeg((37, 27), factors, [[0, 1, 2]])
    three = jpeg((37, 27), [(3, 1), (2, 1), (1, 1)], [[0, 1, 2]])
    yield "jpeg-sampling-3-to-2", "unsupported", three
    for across in ((3, 1), (1, 3)):
        data = jpeg((37, 27), [across, (1, 1), (1, 1)], [[0], [1, 2]])
        yield f"jpeg-sampling-{across[0]}x{across[1]}", "read", data
    two = jpeg((21, 13), [(1, 1)] * 2, [[0, 1]])
    yield "jpeg-two-channels", "unsupported", two
    whole = jpeg((21, 13), SAMPLINGS["444"], [[0, 1, 2]])
    yield "jpeg-12-bits", "unsupported", whole.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c")
    yield "jpeg-lossless", "unsupported", whole.replace(b"\xff\xc0", b"\xff\xc3").replace(
        b"\0\x3f\0", b"\1\0\0"
    )
    yield "jpeg-hierarchical", "unsupported", whole.replace(b"\xff\xc0", b"\xff\xc5")

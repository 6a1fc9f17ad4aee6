"""BMP in the manner of bmpsuite: every header from OS/2 1 to V5, every depth, bit fields,
run lengths with skips, wrong offsets, and kinds that Pillow does not read."""

import random
import struct

SIZE = (23, 9)
BITFIELDS = 3


def colours(count: int, seed=1) -> list[tuple[int, int, int]]:
    dice = random.Random(seed)
    return [tuple(dice.randrange(256) for _ in range(3)) for _ in range(count)]


def table(entries, padding=4) -> bytes:
    return b"".join(bytes((b, g, r)).ljust(padding, b"\0") for r, g, b in entries)


def indices(count: int, seed=2):
    dice = random.Random(seed)
    values = [[dice.randrange(count) for _ in range(SIZE[0])] for _ in range(SIZE[1])]
    return lambda x, y: (x + y) % count if x < 9 else values[y][x]


def rows(bits: int, value, size=SIZE) -> bytes:
    """Rows of `value(x, y)`, `bits` each, padded to four bytes."""
    out = b""
    for y in range(size[1]):
        if bits < 8:
            line = "".join(f"{value(x, y):0{bits}b}" for x in range(size[0]))
            line += "0" * (-len(line) % 8)
            row = int(line, 2).to_bytes(len(line) // 8, "big")
        else:
            row = b"".join(value(x, y).to_bytes(bits // 8, "little") for x in range(size[0]))
        out += row + bytes(-len(row) % 4)
    return out


def bmp(
    bits,
    body,
    palette=b"",
    header=40,
    compression=0,
    masks=b"",
    colours=None,
    size=SIZE,
    top_down=False,
    offset=None,
    gap=b"",
) -> bytes:
    """`masks` are in the header where it has room for them, else behind it."""
    width, height = size
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        if colours is None:
            colours = len(palette) // 4
        info = struct.pack(
            "<IiiHHIIiiII",
            header,
            width,
            -height if top_down else height,
            1,
            bits,
            compression,
            len(body),
            2835,
            2835,
            colours,
            0,
        )
        if header > 40:
            info += masks.ljust(header - 40, b"\0")[: header - 40]
            masks = b""
        info = info[:header] + masks
    start = 14 + len(info) + len(palette) + len(gap)
    total = start + len(body)
    start = start if offset is None else offset
    return b"BM" + struct.pack("<IHHI", total, 0, 0, start) + info + palette + gap + body


def masks(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def rle(bits: int, commands) -> bytes:
    """Commands: (count, value), "line", "end", ("move", right, up), or a list of pixels."""
    out = bytearray()
    for command in commands:
        match command:
            case "line":
                out += b"\0\0"
            case "end":
                out += b"\0\1"
            case ("move", right, up):
                out += bytes((0, 2, right, up))
            case list():
                out += bytes((0, len(command)))
                if bits == 8:
                    body = bytes(command)
                else:
                    pairs = command + [0] * (len(command) % 2)
                    body = bytes(a << 4 | b for a, b in zip(pairs[::2], pairs[1::2]))
                out += body + bytes(len(body) % 2)
            case (count, value):
                out += bytes((count, value))
    return bytes(out)


def files():
    yield from depths()
    yield from headers()
    yield from deep()
    yield from palettes()
    yield from offsets()
    yield from run_lengths()
    yield from unread()


def depths():
    for bits in (1, 4, 8):
        count = 1 << bits
        palette = table(colours(count))
        body = rows(bits, indices(count))
        yield f"bmp-{bits}", "read", bmp(bits, body, palette)
        yield f"bmp-{bits}-top-down", "read", bmp(bits, body, palette, top_down=True)
        yield f"bmp-{bits}-no-count", "read", bmp(bits, body, palette, colours=0)
        palette = table(colours(count), 3)
        yield f"bmp-{bits}-os2", "read", bmp(bits, body, palette, 12)
    for width in (1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33):
        for bits in (1, 4, 8, 24):
            value = indices(min(256, 1 << bits), width)
            size = (width, 3)
            palette = b"" if bits == 24 else table(colours(1 << bits))
            deep = lambda x, y, value=value: value(x % 23, y) * 0x010307 & 0xFFFFFF
            body = rows(bits, deep if bits == 24 else lambda x, y: value(x % 23, y), size)
            yield f"bmp-{bits}-width-{width}", "read", bmp(bits, body, palette, size=size)


def headers():
    for header in (40, 52, 56, 64, 108, 124):
        palette = table(colours(256))
        yield f"bmp-8-header-{header}", "read", bmp(8, rows(8, indices(256)), palette, header)
        body = rows(24, lambda x, y: (x * 11 << 16 | y * 25 << 8 | (x * y) % 256))
        yield f"bmp-24-header-{header}", "read", bmp(24, body, b"", header)
        body = rows(32, lambda x, y: (x * 7 << 24 | x * 11 << 16 | y * 25 << 8 | (x * y) % 256))
        yield f"bmp-32-header-{header}", "read", bmp(32, body, b"", header)
        body = rows(16, lambda x, y: (x * 2801 + y * 7013) & 0xFFFF)
        yield f"bmp-16-header-{header}", "read", bmp(16, body, b"", header)
        yield f"bmp-16-header-{header}-top-down", "read", bmp(16, body, b"", header, top_down=True)
    body = rows(24, lambda x, y: (x * 11 << 16 | y * 25 << 8 | (x * y) % 256))
    yield "bmp-24-os2", "read", bmp(24, body, b"", 12)
    yield "bmp-24-palette", "read", bmp(24, body, table(colours(7)))
    yield "bmp-24-count-without-palette", "read", bmp(24, body, colours=12)


def deep():
    """16, 24 and 32 bits with masks. All values of 5 and 6 bits occur."""
    all_of_16 = rows(16, lambda x, y: (y * 64 + x) * 0x0821 & 0xFFFF, (64, 64))
    for name, fields in {"565": (0xF800, 0x7E0, 0x1F), "555": (0x7C00, 0x3E0, 0x1F)}.items():
        for header in (40, 52, 56, 108, 124):
            data = bmp(16, all_of_16, b"", header, BITFIELDS, masks(*fields), size=(64, 64))
            yield f"bmp-16-{name}-header-{header}", "read", data
    yield "bmp-16-values", "read", bmp(16, all_of_16, size=(64, 64))
    body = rows(24, lambda x, y: (x * 11 << 16 | y * 25 << 8 | (x * y) % 256))
    fields = masks(0xFF0000, 0xFF00, 0xFF)
    yield "bmp-24-fields", "read", bmp(24, body, b"", 40, BITFIELDS, fields)
    body = rows(32, lambda x, y: (x * 11 << 24 | x * 7 << 16 | y * 25 << 8 | (x * y) % 256))
    for name, fields in {
        "bgrx": (0xFF0000, 0xFF00, 0xFF),
        "xbgr": (0xFF000000, 0xFF0000, 0xFF00),
        "bgxr": (0xFF000000, 0xFF00, 0xFF),
    }.items():
        for header in (40, 52, 56, 108):
            data = bmp(32, body, b"", header, BITFIELDS, masks(*fields))
            yield f"bmp-32-{name}-header-{header}", "read", data
    for name, fields in {
        "abgr": (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        "rgba": (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        "bgra": (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
        "bgar": (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
        "none": (0, 0, 0, 0),
    }.items():
        for header in (56, 108, 124):
            data = bmp(32, body, b"", header, BITFIELDS, masks(*fields))
            yield f"bmp-32-{name}-header-{header}", "read", data
    yield "bmp-32-none-header-40", "read", bmp(32, body, b"", 40, BITFIELDS, masks(0, 0, 0))
    # Fields that Pillow does not know.
    for name, bits, fields in [
        ("444", 16, (0xF00, 0xF0, 0xF)),
        ("5551", 16, (0x1F, 0x3E0, 0x7C00)),
        ("rgbx", 32, (0xFF, 0xFF00, 0xFF0000)),
        ("1010", 32, (0x3FF00000, 0xFFC00, 0x3FF)),
    ]:
        body = rows(bits, lambda x, y: x * 400 + y)
        data = bmp(bits, body, b"", 108, BITFIELDS, masks(*fields))
        yield f"bmp-{bits}-{name}-fields", "unsupported", data
    palette = table(colours(256))
    data = bmp(8, rows(8, indices(256)), palette, 40, BITFIELDS)
    yield "bmp-8-fields", "unsupported", data


def palettes():
    """Palettes of greys, which Pillow takes for none, and short or long ones."""
    greys = table([(i, i, i) for i in range(256)])
    yield "bmp-8-greys", "read", bmp(8, rows(8, indices(256)), greys)
    yield "bmp-8-greys-few", "read", bmp(8, rows(8, indices(20)), greys[:80])
    yield "bmp-8-greys-few-and-others", "read", bmp(8, rows(8, indices(90)), greys[:80])
    yield "bmp-8-greys-reversed", "read", bmp(8, rows(8, indices(256)), greys[::-1][3:] + b"\0" * 3)
    yield "bmp-1-black-white", "read", bmp(1, rows(1, indices(2)), table([(0,) * 3, (255,) * 3]))
    yield "bmp-1-white-black", "read", bmp(1, rows(1, indices(2)), table([(255,) * 3, (0,) * 3]))
    yield "bmp-1-one-colour", "read", bmp(1, rows(1, indices(2)), table([(9, 8, 7)]))
    yield "bmp-1-only-black", "read", bmp(1, rows(1, indices(2)), table([(0, 0, 0)]))
    sixteen = table([(17 * i,) * 3 for i in range(16)])
    yield "bmp-4-greys", "read", bmp(4, rows(4, indices(16)), sixteen)
    yield "bmp-4-few", "read", bmp(4, rows(4, indices(5)), table(colours(5)))
    yield "bmp-8-few", "read", bmp(8, rows(8, indices(5)), table(colours(5)))
    yield "bmp-8-beyond", "read", bmp(8, rows(8, indices(40)), table(colours(30)))
    yield "bmp-4-beyond", "read", bmp(4, rows(4, indices(16)), table(colours(7)))
    yield "bmp-8-too-many", "unsupported", bmp(8, rows(8, indices(256)), table(colours(300)))
    yield "bmp-4-too-many", "read", bmp(4, rows(4, indices(16)), table(colours(200)))
    yield "bmp-8-300-greys", "read", bmp(
        8, rows(8, indices(256)), table([(i % 256,) * 3 for i in range(300)])
    )
    # More colours announced than there are, and the pixels elsewhere.
    cut = bmp(4, rows(4, indices(16)), table(colours(16)), colours=500, offset=54)
    yield "bmp-4-palette-cut", "malformed", cut
    body = rows(4, indices(16))
    front = bmp(4, body, table(colours(16)), colours=500, offset=54 + 64)
    yield "bmp-4-palette-over-pixels", "read", front
    # What Pillow takes for one bit a pixel, or for eight: its own answer is wrong here.
    two = table([(0,) * 3, (255,) * 3])
    yield "bmp-8-two-greys", "unsupported", bmp(8, rows(8, indices(2)), two)
    yield "bmp-4-two-greys", "unsupported", bmp(4, rows(4, indices(2)), two)
    yield "bmp-4-dark-greys", "unsupported", bmp(4, rows(4, indices(16)), greys[:64])


def offsets():
    palette = table(colours(256))
    body = rows(8, indices(256))
    for name, offset in {
        "no-palette": 54,
        "zero": 0,
        "exact": 54 + 1024,
    }.items():
        yield f"bmp-8-offset-{name}", "read", bmp(8, body, palette, offset=offset)
        yield f"bmp-8-offset-{name}-no-count", "read", bmp(8, body, palette, 40, 0, b"", 0, offset=offset)
    yield "bmp-8-offset-gap", "read", bmp(8, body, palette, gap=b"gap!!")
    yield "bmp-8-offset-inside-palette", "read", bmp(8, body, palette, offset=70)
    yield "bmp-8-offset-outside", "malformed", bmp(8, body, palette, offset=99_999)
    small = table(colours(16), 3)
    yield "bmp-4-os2-offset-no-palette", "read", bmp(4, rows(4, indices(16)), small, 12, offset=26)
    v5 = bmp(8, body, palette, 124, offset=14 + 124)
    yield "bmp-8-v5-offset-no-palette", "read", v5
    deep = rows(24, lambda x, y: x << 16 | y << 8 | 7)
    yield "bmp-24-offset-gap", "read", bmp(24, deep, gap=bytes(1000))
    yield "bmp-24-offset-zero", "read", bmp(24, deep, offset=0)
    fields = masks(0xF800, 0x7E0, 0x1F)
    sixteen = rows(16, lambda x, y: x * 900 + y)
    data = bmp(16, sixteen, b"", 40, BITFIELDS, fields, offset=0)
    yield "bmp-16-fields-offset-zero", "read", data
    data = bmp(16, sixteen, b"", 40, BITFIELDS, fields, offset=54)
    yield "bmp-16-fields-offset-before-the-masks", "read", data
    # The padding of the last row may be missing, a pixel may not.
    yield "bmp-24-no-last-padding", "read", bmp(24, deep)[:-3]
    yield "bmp-24-cut", "malformed", bmp(24, deep)[:-4]


def run_lengths():
    dice = random.Random(5)
    for bits, count in ((8, 256), (4, 16)):
        palette = table(colours(count))
        value = indices(count)
        compression = 1 if bits == 8 else 2

        def encoded(commands, **options):
            return bmp(bits, rle(bits, commands), palette, 40, compression, **options)

        def runs(y):
            at = 0
            while at < SIZE[0]:
                length = min(dice.randrange(1, 9), SIZE[0] - at)
                if length > 2 and dice.random() < 0.6:
                    yield [value(at + i, y) for i in range(length)]
                elif bits == 8:
                    yield (length, value(at, y))
                else:
                    yield (length, value(at, y) << 4 | value((at + 1) % SIZE[0], y))
                at += length

        whole = [c for y in range(SIZE[1]) for c in [*runs(y), "line"]] + ["end"]
        name = f"bmp-rle{bits}"
        yield name, "read", encoded(whole)
        yield f"{name}-top-down", "read", encoded(whole, top_down=True)
        yield f"{name}-no-last-line", "read", encoded(whole[:-2] + ["end"])
        yield f"{name}-no-end", "read", encoded(whole[:-2])
        yield f"{name}-odd-offset", "read", encoded(whole, gap=b"!")
        without = [c for y in range(SIZE[1]) for c in runs(y)]
        yield f"{name}-no-lines", "unsupported", encoded(without + ["end"])
        short = [c for y in range(SIZE[1]) for c in ((5, 1), "line")]
        yield f"{name}-short-lines", "read", encoded(short + ["end"])
        long = [c for y in range(SIZE[1]) for c in ((30, 18), "line")]
        yield f"{name}-long-lines", "read", encoded(long + ["end"])
        moves = [
            (5, 0x12),
            ("move", 3, 0),
            (4, 0x34),
            "line",
            ("move", 2, 2),
            (3, 0x51),
            ("move", 0, 1),
            (2, 0x67),
            ("move", 255, 255),
            "end",
        ]
        yield f"{name}-moves", "read", encoded(moves)
        on = [(SIZE[0], 7), "line", ("move", 4, 3), [1, 2, 3, 4, 5], "line"]
        on += [c for _ in range(4) for c in ((SIZE[0], 3), "line")]
        yield f"{name}-moves-then-lines", "read", encoded(on + ["end"])
        yield f"{name}-move-by-nothing", "read", encoded([("move", 0, 0), *whole])
        over = [(i * 7) % count for i in range(SIZE[0] * SIZE[1])]
        yield f"{name}-absolute-over-lines", "read", encoded([over, "end"])
        greys = table([(i, i, i) for i in range(count)])
        data = bmp(bits, rle(bits, whole), greys, 40, compression)
        yield f"{name}-greys", "read", data
        # An end before the picture is full; what is left has no colour.
        yield f"{name}-early-end", "unsupported", encoded([*whole[: len(whole) // 2], "end"])
        yield f"{name}-empty-lines", "unsupported", encoded([*["line"] * SIZE[1], "end"])
        yield f"{name}-cut", "malformed", encoded(whole)[: -len(rle(bits, whole)) // 2]
    two = table([(0,) * 3, (255,) * 3])
    body = rle(8, [c for y in range(SIZE[1]) for c in ((9, 1), (14, 0), "line")])
    yield "bmp-rle8-two-greys", "read", bmp(8, body, two, 40, 1)


def unread():
    palette = table(colours(4))
    yield "bmp-2", "unsupported", bmp(2, rows(2, indices(4)), palette)
    yield "bmp-64", "unsupported", bmp(64, rows(64, lambda x, y: x * y))
    yield "bmp-jpeg", "unsupported", bmp(0, b"\xff\xd8\xff\xe0", b"", 40, 4)
    yield "bmp-png", "unsupported", bmp(0, b"\x89PNG\r\n\x1a\n", b"", 40, 5)
    yield "bmp-rle24", "unsupported", bmp(24, b"\5\1\2\3\0\1", b"", 64, 4)
    yield "bmp-huffman", "unsupported", bmp(1, b"\0\x01\0\x01", table(colours(2)), 64, BITFIELDS)
    yield "bmp-cmyk", "unsupported", bmp(32, rows(32, lambda x, y: x * y), b"", 40, 11)
    short = b"BM" + struct.pack("<IHHI", 99, 0, 0, 30)
    short += struct.pack("<IIIHH", 16, SIZE[0], SIZE[1], 1, 24) + rows(24, lambda x, y: x * y)
    yield "bmp-header-16", "unsupported", short
    wide = bmp(24, rows(24, lambda x, y: 0), size=(0, 9))
    yield "bmp-no-width", "malformed", wide

"""GIF: screens and frames of any size, extensions, palettes, interlacing, transparency."""

import io
import random
import struct

from PIL import Image

SIZE = (19, 13)
GREYS = [(i, i, i) for i in range(256)]


def colours(count: int, seed=1):
    dice = random.Random(seed)
    return [tuple(dice.randrange(256) for _ in range(3)) for _ in range(count)]


def lzw(pixels: bytes, bits: int, clear_first=True, clear_again=True, end=True) -> bytes:
    """The codes of the pixels, packed; `clear_again`: the table is emptied where it is full."""
    clear = 1 << bits
    codes, table, width = [], {}, bits + 1
    if clear_first:
        codes.append((clear, width))

    def start():
        return {bytes([i]): i for i in range(clear)}, clear + 2, bits + 1

    table, following, width = start()
    word = b""
    for pixel in pixels:
        longer = word + bytes([pixel])
        if longer in table:
            word = longer
            continue
        codes.append((table[word], width))
        if following < 4096:
            table[longer] = following
            if following == 1 << width and width < 12:
                width += 1
            following += 1
        elif clear_again:
            codes.append((clear, width))
            table, following, width = start()
        word = bytes([pixel])
    if word:
        codes.append((table[word], width))
        if following == 1 << width and width < 12:
            width += 1
    if end:
        codes.append((clear + 1, width))
    value = length = 0
    out = bytearray()
    for code, size in codes:
        value |= code << length
        length += size
        while length >= 8:
            out.append(value & 255)
            value, length = value >> 8, length - 8
    if length:
        out.append(value)
    return bytes(out)


def blocks(data: bytes, size=255) -> bytes:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def extension(label: int, *data: bytes) -> bytes:
    return b"!" + bytes([label]) + b"".join(bytes([len(d)]) + d for d in data) + b"\0"


def control(transparent=None, disposal=0, delay=0) -> bytes:
    flags = disposal << 2 | (transparent is not None)
    return extension(0xF9, struct.pack("<BHB", flags, delay, transparent or 0))


def palette_flags(palette) -> int:
    return 0 if palette is None else 0x80 | (len(palette).bit_length() - 2)


def flat(palette) -> bytes:
    return b"" if palette is None else bytes(v for colour in palette for v in colour)


def frame(
    size=SIZE, at=(0, 0), palette=None, bits=4, value=None, interlaced=False, piece=255, **options
) -> bytes:
    width, height = size
    value = value or (lambda x, y: (x * 3 + y * y) % (1 << bits))
    ys = list(range(height))
    if interlaced:
        ys = [y for first, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in ys[first::step]]
    pixels = bytes(value(x, y) for y in ys for x in range(width))
    flags = palette_flags(palette) | (0x40 if interlaced else 0)
    head = b"," + struct.pack("<HHHHB", *at, width, height, flags) + flat(palette)
    return head + bytes([bits]) + blocks(lzw(pixels, bits, **options), piece)


def gif(*parts: bytes, screen=SIZE, palette=None, background=0, version=b"89a", aspect=0) -> bytes:
    head = b"GIF" + version + struct.pack("<HHBBB", *screen, palette_flags(palette), background, aspect)
    return head + flat(palette) + b"".join(parts) + b";"


def files():
    sixteen = colours(16)
    yield "gif-87a", "read", gif(frame(), palette=sixteen, version=b"87a")
    for bits in range(2, 9):
        palette = colours(1 << bits, bits)
        yield f"gif-bits-{bits}", "read", gif(frame(bits=bits), palette=palette)
    yield "gif-two-colours", "read", gif(
        frame(bits=2, value=lambda x, y: (x * y) % 2), palette=colours(2)
    )
    yield "gif-bits-1", "unsupported", gif(
        frame(bits=1, value=lambda x, y: (x * y) % 2), palette=colours(2)
    )
    for name, options in {
        "interlaced": {"interlaced": True},
        "no-first-clear": {"clear_first": False},
        "no-end": {"end": False},
        "small-blocks": {"piece": 3},
    }.items():
        yield f"gif-{name}", "read", gif(frame(**options), palette=sixteen)
    for height in (1, 2, 3, 4, 5, 8, 9):
        data = gif(frame((3, height), interlaced=True), screen=(3, height), palette=sixteen)
        yield f"gif-interlaced-{height}", "read", data
    dice = random.Random(7)
    noise = [[dice.randrange(256) for _ in range(90)] for _ in range(90)]
    rough = {"size": (90, 90), "bits": 8, "value": lambda x, y: noise[y][x]}
    yield "gif-full-table", "read", gif(frame(**rough), screen=(90, 90), palette=colours(256))
    yield "gif-full-table-no-clear", "read", gif(
        frame(**rough, clear_again=False), screen=(90, 90), palette=colours(256)
    )
    yield from frames(sixteen)
    yield from extensions(sixteen)
    yield from palettes(sixteen)
    yield from transparency(sixteen)
    yield from broken(sixteen)
    # Written by Pillow, with more than one frame.
    first = Image.new("P", SIZE)
    first.putpalette(flat(sixteen))
    first.putdata([(x * y) % 16 for y in range(SIZE[1]) for x in range(SIZE[0])])
    for disposal in range(4):
        buffer = io.BytesIO()
        later = [first.rotate(90 * i) for i in (1, 2)]
        first.save(buffer, "GIF", save_all=True, append_images=later, disposal=disposal)
        yield f"gif-animation-{disposal}", "read", buffer.getvalue()


def frames(palette):
    """Frames of another size than the screen."""
    for name, size, at, screen in [
        ("smaller", (10, 6), (0, 0), (24, 17)),
        ("smaller-moved", (10, 6), (5, 7), (24, 17)),
        ("wide", (24, 6), (0, 7), (24, 17)),
        ("tall", (6, 17), (3, 0), (24, 17)),
        ("larger", (24, 17), (0, 0), (10, 6)),
        ("larger-moved", (24, 17), (3, 2), (10, 6)),
        ("wider", (24, 5), (0, 0), (10, 6)),
        ("taller", (9, 17), (0, 0), (10, 6)),
        ("beside", (5, 5), (12, 9), (10, 6)),
        ("no-screen", (24, 17), (0, 0), (0, 0)),
        ("overlapping", (8, 8), (6, 3), (10, 6)),
    ]:
        for background in (0, 3):
            options = {"screen": screen, "palette": palette, "background": background}
            part = frame(size, at)
            yield f"gif-frame-{name}-background-{background}", "read", gif(part, **options)
        yield f"gif-frame-{name}-transparent", "read", gif(control(5), part, **options)
        yield f"gif-frame-{name}-disposal", "read", gif(control(None, 2), part, **options)
        part = frame(size, at, interlaced=True)
        yield f"gif-frame-{name}-interlaced", "read", gif(part, **options)


def extensions(palette):
    for name, parts in {
        "unknown": [extension(0x2A, b"hello")],
        "unknown-long": [extension(0x77, b"x" * 255, b"y" * 255, b"z")],
        "comment": [extension(0xFE, b"a comment")],
        "comments": [extension(0xFE, b"a"), extension(0xFE, b"b", b"c")],
        "comment-empty": [extension(0xFE)],
        "loop": [extension(0xFF, b"NETSCAPE2.0", b"\1\0\0")],
        "application": [extension(0xFF, b"XMP DataXMP", b"abc")],
        "icc": [extension(0xFF, b"ICCRGBG1012", b"x" * 200)],
        "text": [extension(0x01, bytes(12), b"text")],
        "control-twice": [control(3), control(5)],
        "control-then-none": [control(3), control()],
        "control-long": [extension(0xF9, b"\1\0\0\5more")],
        "all": [extension(0xFE, b"c"), control(5), extension(0x2A, b"u"), extension(0x01, bytes(12))],
        "zeros": [bytes(3)],
        "junk": [b"junk"],
    }.items():
        yield f"gif-extension-{name}", "read", gif(*parts, frame(), palette=palette)
    after = frame() + extension(0x99, b"late") + control(1) + frame((4, 4))
    yield "gif-extension-late", "read", gif(after, palette=palette)


def palettes(palette):
    other = colours(16, 9)
    yield "gif-palette-local", "read", gif(frame(palette=other))
    yield "gif-palette-both", "read", gif(frame(palette=other), palette=palette)
    yield "gif-palette-none", "read", gif(frame())
    yield "gif-palette-none-transparent", "read", gif(control(4), frame())
    yield "gif-palette-greys", "read", gif(frame(bits=8), palette=GREYS)
    yield "gif-palette-dark-greys", "read", gif(frame(), palette=GREYS[:16])
    yield "gif-palette-dark-greys-beyond", "read", gif(frame(), palette=GREYS[:4])
    yield "gif-palette-local-greys", "read", gif(frame(palette=GREYS[:16]), palette=palette)
    yield "gif-palette-greys-transparent", "read", gif(control(4), frame(), palette=GREYS[:16])
    yield "gif-palette-beyond", "read", gif(frame(), palette=colours(8))
    yield "gif-palette-beyond-transparent", "read", gif(control(12), frame(), palette=colours(8))
    yield "gif-palette-larger", "read", gif(frame(), palette=colours(256))
    yield "gif-aspect", "read", gif(frame(), palette=palette, aspect=49)


def transparency(palette):
    for index in (0, 7, 15, 200):
        yield f"gif-transparent-{index}", "read", gif(control(index), frame(), palette=palette)
    for disposal in (1, 2, 3):
        data = gif(control(2, disposal), frame(), control(3), frame((5, 5)), palette=palette)
        yield f"gif-transparent-disposal-{disposal}", "read", data


def broken(palette):
    whole = gif(frame(), palette=palette)
    yield "gif-cut", "malformed", whole[: len(whole) // 2]
    yield "gif-no-frame", "malformed", gif(palette=palette)
    yield "gif-no-end-mark", "read", whole[:-1]
    yield "gif-after-the-end", "read", whole + b"anything"
    yield "gif-too-few-pixels", "malformed", gif(
        frame((19, 6)).replace(struct.pack("<HH", 19, 6), struct.pack("<HH", 19, 13)),
        palette=palette,
    )
    yield "gif-too-many-pixels", "read", gif(
        frame((19, 20)).replace(struct.pack("<HH", 19, 20), struct.pack("<HH", 19, 13)),
        palette=palette,
    )
    yield "gif-frame-of-nothing", "malformed", gif(frame((0, 0)), palette=palette)

"""PNG in the manner of PngSuite: every colour type, depth, interlacing, filter, size from 1x1,
transparency, palettes, chunks that change nothing; and everywhere that an orientation may stand."""

import random
import struct
import zlib

from parts import APP1, exif, gradient, xmp

PASSES = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
NAMES = {0: "grey", 2: "rgb", 3: "palette", 4: "grey-alpha", 6: "rgba"}


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def filtered(rows: list[bytes], step: int, kind) -> bytes:
    """Each row with its filter: `kind(y)` of 0 to 4."""
    out, above = bytearray(), bytes(len(rows[0]) if rows else 0)
    for y, row in enumerate(rows):
        left = bytes(step) + row
        corner = bytes(step) + above
        predicted = [
            lambda i: 0,
            lambda i: left[i],
            lambda i: above[i],
            lambda i: (left[i] + above[i]) // 2,
            lambda i: paeth(left[i], above[i], corner[i]),
        ][kind(y)]
        out.append(kind(y))
        out += bytes((row[i] - predicted(i)) & 255 for i in range(len(row)))
        above = row
    return bytes(out)


def packed(samples: list[int], depth: int) -> bytes:
    bits = "".join(f"{sample:0{depth}b}" for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return int(bits or "0", 2).to_bytes(len(bits) // 8, "big")


def png(
    size, depth, colour, sample, interlaced=False, before=(), after=(), kind=None, pieces=1, bare=False
) -> bytes:
    """`sample(x, y, channel)`; chunks `before` the image data and `after` it.

    `bare`: without zlib's header, as only Apple's programs write it.
    """
    width, height = size
    channels = CHANNELS[colour]
    step = max(1, channels * depth // 8)
    kind = kind or (lambda y: 0)
    data = b""
    for x0, y0, dx, dy in PASSES if interlaced else [(0, 0, 1, 1)]:
        xs, ys = range(x0, width, dx), range(y0, height, dy)
        if xs and ys:
            rows = [
                packed([sample(x, y, c) for x in xs for c in range(channels)], depth) for y in ys
            ]
            data += filtered(rows, step, kind)
    packer = zlib.compressobj(9, wbits=-15 if bare else 15)
    data = packer.compress(data) + packer.flush()
    cuts = [len(data) * i // pieces for i in range(pieces + 1)]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    out += b"".join(chunk(*c) for c in before)
    out += b"".join(chunk(b"IDAT", data[a:b]) for a, b in zip(cuts, cuts[1:]))
    out += b"".join(chunk(*c) for c in after)
    return out + chunk(b"IEND", b"")


def palette(count: int, seed: int = 3) -> bytes:
    dice = random.Random(seed)
    return bytes(dice.randrange(256) for _ in range(3 * count))


def samples(size, depth, seed):
    """Smooth in places and rough in others, all values of the depth."""
    dice = random.Random(seed)
    noise = {}

    def sample(x, y, channel):
        key = (x, y, channel)
        if key not in noise:
            smooth = (x * (3 + channel) + y * (5 - channel)) * (1 << depth) // 97
            noise[key] = (smooth if x < size[0] // 2 else dice.randrange(1 << depth)) % (1 << depth)
        return noise[key]

    return sample


def files():
    size = (21, 14)
    for colour, depths in DEPTHS.items():
        for depth in depths:
            count = 1 << depth
            plte = [(b"PLTE", palette(min(256, count)))] if colour == 3 else []
            for interlaced in (False, True):
                name = f"png-{NAMES[colour]}-{depth}{'-interlaced' if interlaced else ''}"
                sample = samples(size, depth, colour * 100 + depth)
                options = {"kind": lambda y: (y * 3 + 1) % 5}
                yield name, "read", png(size, depth, colour, sample, interlaced, plte, **options)
            keys = {
                0: struct.pack(">H", sample(18, 5, 0)),
                2: struct.pack(">3H", *(sample(18, 5, c) for c in range(3))),
                3: bytes(dice % 256 for dice in range(7, 7 + 37 * min(count, 200), 37)),
            }
            if colour in keys:
                name = f"png-{NAMES[colour]}-{depth}-trns"
                before = plte + [(b"tRNS", keys[colour])]
                yield name, "read", png(size, depth, colour, sample, False, before)
    # One colour of a palette that is not there, and all colours there.
    for name, trns in {"one": b"\xff\xff\0\xff", "none": b"\xff\xff", "all": bytes(16)}.items():
        before = [(b"PLTE", palette(16)), (b"tRNS", trns)]
        yield (
            f"png-palette-4-trns-{name}",
            "read",
            png(size, 4, 3, samples(size, 4, 9), before=before),
        )
    # A key with bits that the depth does not have; a key of white in one bit.
    yield (
        "png-grey-1-trns-white",
        "read",
        png(size, 1, 0, samples(size, 1, 2), before=[(b"tRNS", b"\0\1")]),
    )
    for depth in (2, 4):
        most = struct.pack(">H", (1 << depth) - 1)
        yield (
            f"png-grey-{depth}-trns-white",
            "read",
            png(size, depth, 0, samples(size, depth, 5), before=[(b"tRNS", most)]),
        )
    # Keys of which the lower byte is a value that there is, and the whole number is not.
    for name, depth, colour, key in [
        ("grey-8", 8, 0, struct.pack(">H", 0x0105)),
        ("grey-16", 16, 0, struct.pack(">H", 0x12FF)),
        ("rgb-8", 8, 2, struct.pack(">3H", 0x0100, 0x0200, 0x0300)),
        ("rgb-16", 16, 2, struct.pack(">3H", 0x7705, 0x0006, 0x0007)),
    ]:
        value = lambda x, y, c, depth=depth: ((x * y + c) % 9) << (depth - 8) | (depth > 8) * y
        if colour == 0 and depth == 16:
            value = lambda x, y, c: x * y
        data = png(size, depth, colour, value, before=[(b"tRNS", key)])
        yield f"png-{name}-trns-lower-byte", "read", data
    # Fewer colours than the depth can say, and none of them missing.
    for count, depth in ((3, 2), (5, 4), (20, 8)):
        few = lambda x, y, c, count=count: (x * y + x) % count
        yield (
            f"png-palette-{depth}-of-{count}",
            "read",
            png(size, depth, 3, few, before=[(b"PLTE", palette(count))]),
        )
    # Sizes from one pixel, with passes that are empty.
    for width in (1, 2, 3, 4, 5, 7, 8, 9):
        for height in (1, 3, 8):
            for interlaced in (False, True):
                name = f"png-size-{width}x{height}{'-interlaced' if interlaced else ''}"
                before = [(b"PLTE", palette(16))]
                sample = samples((width, height), 4, width * 10 + height)
                yield name, "read", png((width, height), 4, 3, sample, interlaced, before)
    for kind in range(5):
        yield (
            f"png-filter-{kind}",
            "read",
            png(size, 8, 2, samples(size, 8, kind), kind=lambda y, kind=kind: kind),
        )
    for pieces in (2, 40):
        yield f"png-idat-{pieces}", "read", png(size, 8, 2, samples(size, 8, 3), pieces=pieces)
    # What says how colours are meant, and what says nothing of the pixels.
    for name, body in {
        "gamma": (b"gAMA", struct.pack(">I", 100000)),
        "chroma": (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        "srgb": (b"sRGB", b"\0"),
        "sbit": (b"sBIT", b"\5\6\5"),
        "background": (b"bKGD", struct.pack(">3H", 255, 0, 0)),
        "physical": (b"pHYs", struct.pack(">IIB", 2835, 5670, 1)),
        "time": (b"tIME", b"\x07\xd0\1\1\0\0\0"),
        "histogram-of-none": (b"tEXt", b"Title\0a picture"),
        "private": (b"prVt", b"anything"),
        "suggested": (b"sPLT", b"six\0\x08" + bytes(range(6)) * 4),
    }.items():
        yield f"png-chunk-{name}", "read", png(size, 8, 2, samples(size, 8, 4), before=[body])
    # The first chunk of what Apple's programs write, and one that nobody knows.
    whole = png(size, 8, 2, samples(size, 8, 4), bare=True)
    apple = whole[:8] + chunk(b"CgBI", b"\x50\0\x20\x02") + whole[8:]
    yield "png-apple", "unsupported", apple
    unknown = png(size, 8, 2, samples(size, 8, 4), before=[(b"NEVR", b"seen")])
    yield "png-unknown-critical", "unsupported", unknown
    yield from orientations()


def orientations():
    size = (12, 8)
    sample = gradient(size)

    def turned(*before, after=()):
        return png(size, 8, 2, sample, before=before, after=after)

    for value in range(10):
        yield f"png-exif-{value}", "read", turned((b"eXIf", exif(value)))
    yield "png-exif-big-endian", "read", turned((b"eXIf", exif(5, ">")))
    yield "png-exif-prefix", "read", turned((b"eXIf", b"Exif\0\0" + exif(6)))
    yield "png-exif-after", "read", turned(after=[(b"eXIf", exif(6))])
    yield "png-exif-twice", "read", turned((b"eXIf", exif(6)), (b"eXIf", exif(3)))
    yield "png-exif-empty", "read", turned((b"eXIf", b""))

    def itxt(text: bytes, packed=False, key=b"XML:com.adobe.xmp") -> tuple[bytes, bytes]:
        body = zlib.compress(text) if packed else text
        return b"iTXt", key + b"\0" + bytes([packed]) + b"\0\0\0" + body

    for value in range(10):
        yield f"png-xmp-{value}", "read", turned(itxt(xmp(value)))
    yield "png-xmp-element", "read", turned(itxt(xmp(6, element=True)))
    yield "png-xmp-packed", "read", turned(itxt(xmp(8), packed=True))
    yield "png-xmp-after", "read", turned(after=[itxt(xmp(8))])
    yield "png-xmp-language", "read", turned(
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0en\0Metadata\0" + xmp(7))
    )
    yield "png-xmp-not-utf8", "read", turned(itxt(xmp(6) + b"\xff\xfe"))
    yield "png-xmp-twice", "read", turned(itxt(xmp(6)), itxt(xmp(3)))
    yield "png-xmp-text", "read", turned((b"tEXt", b"XML:com.adobe.xmp\0" + xmp(6)))
    yield "png-xmp-packed-text", "read", turned(
        (b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(xmp(6)))
    )
    yield "png-xmp-other-key", "read", turned(itxt(xmp(6), key=b"XML:something"))
    yield "png-xmp-without", "read", turned(itxt(xmp(None)))
    yield "png-xmp-quotes", "read", turned(itxt(xmp(6).replace(b'"6"', b"'6'")))
    yield "png-xmp-two-digits", "read", turned(itxt(xmp(6).replace(b'"6"', b'"61"')))
    yield "png-exif-before-xmp", "read", turned(itxt(xmp(3)), (b"eXIf", exif(6)))
    yield "png-exif-1-xmp-3", "read", turned(itxt(xmp(3)), (b"eXIf", exif(1)))
    yield "png-exif-none-xmp-3", "read", turned(itxt(xmp(3)), (b"eXIf", exif(None)))

    def profile(data: bytes, name=b"exif") -> bytes:
        lines = b"\n".join(data.hex().encode()[i : i + 72] for i in range(0, 2 * len(data), 72))
        return b"\n" + name + b"\n" + f"{len(data):8}".encode() + b"\n" + lines + b"\n"

    key = b"Raw profile type exif"
    whole = b"Exif\0\0" + exif(6)
    yield "png-profile", "read", turned((b"zTXt", key + b"\0\0" + zlib.compress(profile(whole))))
    yield "png-profile-plain", "read", turned((b"tEXt", key + b"\0" + profile(exif(8))))
    yield "png-profile-itxt", "read", turned(itxt(profile(whole), key=key))
    yield "png-profile-after", "read", turned(
        after=[(b"zTXt", key + b"\0\0" + zlib.compress(profile(whole)))]
    )
    yield "png-profile-and-exif", "read", turned(
        (b"tEXt", key + b"\0" + profile(whole)), (b"eXIf", exif(3))
    )
    app1 = b"Raw profile type APP1"
    yield "png-profile-app1", "read", turned(
        (b"zTXt", app1 + b"\0\0" + zlib.compress(profile(whole, b"APP1")))
    )
    yield "png-profile-app1-xmp", "read", turned(
        (b"tEXt", app1 + b"\0" + profile(APP1 + xmp(6), b"APP1"))
    )
    yield "png-exif-as-text", "read", turned((b"tEXt", b"exif\0" + exif(6)))

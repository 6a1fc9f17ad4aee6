"""Files that Pillow reads but cannot write: odd PNG, BMP and JPEG. Used by make.py."""

import io
import struct
import zlib

from PIL import Image


def png(size, depth, colour, samples, interlaced=False, chunks=()) -> bytes:
    """A PNG; `samples(x, y)` are the channels of a pixel, `depth` bits each."""

    def rows(xs, ys) -> bytes:
        if not xs:
            return b""
        data = bytearray()
        for y in ys:
            bits, length = 0, 0
            for x in xs:
                for sample in samples(x, y):
                    bits, length = bits << depth | sample, length + depth
            padding = -length % 8
            data += b"\0" + (bits << padding).to_bytes((length + padding) // 8, "big")
        return bytes(data)

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    width, height = size
    if interlaced:
        passes = [
            (0, 0, 8, 8),
            (4, 0, 8, 8),
            (0, 4, 4, 8),
            (2, 0, 4, 4),
            (0, 2, 2, 4),
            (1, 0, 2, 2),
            (0, 1, 1, 2),
        ]
        data = b"".join(rows(range(x, width, dx), range(y, height, dy)) for x, y, dx, dy in passes)
    else:
        data = rows(range(width), range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    body = chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks)
    return (
        b"\x89PNG\r\n\x1a\n" + body + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    )


def bmp(
    size, bits, compression, body: bytes, palette: bytes = b"", masks: bytes = b"", top_down=False
) -> bytes:
    """A BMP with the 40-byte header, or the 108-byte one where there are masks."""
    width, height = size
    info = 108 if masks else 40
    start = 14 + info + len(palette)
    rows = -height if top_down else height
    header = struct.pack(
        "<IiiHHIIiiII",
        info,
        width,
        rows,
        1,
        bits,
        compression,
        len(body),
        2835,
        2835,
        len(palette) // 4,
        0,
    )
    header += masks.ljust(info - 40, b"\0")
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + palette + body


def rle8(image: Image.Image) -> bytes:
    """The rows of a palette image from the bottom, in BMP's run-length code."""
    data = bytearray()
    for y in reversed(range(image.height)):
        row = [image.getpixel((x, y)) for x in range(image.width)]
        at = 0
        while at < len(row):
            run = 1
            while at + run < len(row) and row[at + run] == row[at] and run < 255:
                run += 1
            data += bytes((run, row[at]))
            at += run
        data += b"\0\0"  # end of the row
    return bytes(data) + b"\0\1"


def segments(jpeg: bytes):
    """The marker segments of a JPEG up to its image data: (marker, start, end)."""
    at = 2
    while True:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        yield marker, at, at + 2 + length
        if marker == 0xDA:
            return
        at += 2 + length


def without_adobe(jpeg: bytes) -> bytes:
    start, end = next((s, e) for marker, s, e in segments(jpeg) if marker == 0xEE)
    return jpeg[:start] + jpeg[end:]


def as_ycck(rgb: Image.Image, black: Image.Image) -> bytes:
    """YCCK, as Adobe writes it: Y, Cb, Cr of an RGB image and black as the four channels, marked so."""
    four = Image.merge("CMYK", [*rgb.convert("YCbCr").split(), black])
    # Pillow inverts what it writes as CMYK; here the channels are meant to be stored as they are.
    jpeg = bytearray(saved(four.point(lambda v: 255 - v), "JPEG", quality=92))
    for marker, start, end in list(segments(bytes(jpeg))):
        if marker == 0xEE:
            jpeg[end - 1] = 2  # Adobe's "transform": YCCK
        elif marker == 0xC0:  # the channels' names, 1 to 4 instead of "CMYK"
            for i in range(4):
                jpeg[start + 10 + 3 * i] = i + 1
        elif marker == 0xDA:
            for i in range(4):
                jpeg[start + 5 + 2 * i] = i + 1
    return bytes(jpeg)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def orientation(value: int, endian: str = "<") -> bytes:
    exif = Image.Exif()
    exif.endian = endian
    exif[0x0112] = value
    return exif.tobytes()

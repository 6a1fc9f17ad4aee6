"""What the suites share: a picture, EXIF and XMP with an orientation, and Pillow's answer."""

import io
import struct

from PIL import Image, ImageOps

APP1 = b"http://ns.adobe.com/xap/1.0/\0"


def gradient(size):
    """A picture without symmetry, as `sample(x, y, channel)` of 0 to 255."""
    width, height = size

    def sample(x, y, channel):
        values = (255 * x // width, 255 * y // height, 255 - 255 * (x * y) // (width * height))
        return values[channel % 3] if channel < 3 else 255

    return sample


def picture(size) -> Image.Image:
    sample = gradient(size)
    image = Image.new("RGB", size)
    image.putdata(
        [tuple(sample(x, y, c) for c in range(3)) for y in range(size[1]) for x in range(size[0])]
    )
    return image


def entry(order: str, tag: int, kind: int, count: int, value: bytes) -> bytes:
    return struct.pack(order + "HHL", tag, kind, count) + value.ljust(4, b"\0")


def directory(entries: list[bytes], order="<", at=8, head=None, rest=b"") -> bytes:
    """A TIFF of one directory, with what its entries point to after it."""
    head = head or {"<": b"II*\0", ">": b"MM\0*"}[order]
    body = struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    return head + struct.pack(order + "L", at) + bytes(at - 8) + body + rest


def exif(value, order="<") -> bytes:
    """EXIF without its prefix: some tags and, unless it is None, the orientation."""
    entries = [entry(order, 0x0100, 4, 1, struct.pack(order + "L", 12))]
    if value is not None:
        entries.append(entry(order, 0x0112, 3, 1, struct.pack(order + "H", value)))
    entries.append(entry(order, 0x0128, 3, 1, struct.pack(order + "H", 2)))
    return directory(entries, order)


def odd_exif():
    """EXIF that is unusual: where the orientation stands, and of which type it is."""
    first = entry("<", 0x0100, 3, 1, b"\x0c\0")
    for name, kind, value in [
        ("byte", 1, b"\6"),
        ("ascii", 2, b"6\0"),
        ("long", 4, b"\6\0\0\0"),
        ("signed-byte", 6, b"\6"),
        ("undefined", 7, b"\6"),
        ("signed-short", 8, b"\6\0"),
        ("signed-long", 9, b"\6\0\0\0"),
        ("float", 11, struct.pack("<f", 6)),
        ("ifd", 13, b"\6\0\0\0"),
        ("unknown", 99, b"\6\0"),
    ]:
        count = 2 if name == "ascii" else 1
        yield name, directory([first, entry("<", 0x0112, kind, count, value)])
    # Behind the directory: two shorts too many for the entry, a fraction, a double.
    after = struct.pack("<L", 8 + 2 + 24 + 4)
    for name, kind, count, rest in [
        ("shorts", 3, 3, struct.pack("<3H", 6, 1, 1)),
        ("rational", 5, 1, struct.pack("<2L", 6, 1)),
        ("double", 12, 1, struct.pack("<d", 6)),
        ("long8", 16, 1, struct.pack("<Q", 6)),
        ("outside", 3, 3, b""),
    ]:
        yield name, directory([first, entry("<", 0x0112, kind, count, after)], rest=rest)
    right = entry("<", 0x0112, 3, 1, b"\6\0")
    yield "two-shorts", directory([first, entry("<", 0x0112, 3, 2, b"\6\0\3\0")])
    yield "twice", directory([right, entry("<", 0x0112, 3, 1, b"\3\0")])
    yield "empty-then-right", directory([entry("<", 0x0112, 3, 0, b"\6\0"), right])
    yield "last", directory([first] * 5 + [right])
    yield "far", directory([first, right], at=100)
    yield "cut", directory([first, right])[: 8 + 2 + 24]
    yield "cut-in-the-entry", directory([first, right])[: 8 + 2 + 20]
    yield "another-outside-first", directory([entry("<", 0x010F, 2, 99, b"\xff\xff"), right])
    yield "another-too-large-first", directory(
        [entry("<", 0x010F, 2, 99_999, b"\x08\0\0\0"), right]
    )
    yield "big-tiff-mark", directory(
        [entry(">", 0x0112, 3, 1, b"\0\6")], ">", head=b"MM\0+"
    )
    yield "swapped-mark", directory([first, right], head=b"II\0*")
    yield "big-endian-swapped", directory(
        [entry(">", 0x0112, 3, 1, b"\0\6")], ">", head=b"MM*\0"
    )
    yield "double-prefix", b"Exif\0\0" + directory([right])


def xmp(value, element=False) -> bytes:
    """An XMP packet with the orientation, as an attribute or an element."""
    attribute = "" if element or value is None else f' tiff:Orientation="{value}"'
    inner = f"<tiff:Orientation>{value}</tiff:Orientation>" if element else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
        f"{attribute}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    ).encode()


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes, background) -> tuple[Image.Image, bool]:
    """The whole picture as Pillow sees it, and whether some of it is see-through."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if not image.has_transparency_data:
        return image.convert("RGB"), False
    below = Image.new("RGBA", image.size, (*background, 255))
    return Image.alpha_composite(below, image.convert("RGBA")).convert("RGB"), True

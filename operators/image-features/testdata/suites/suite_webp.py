"""WebP: lossy and lossless, alpha of every kind, chunks in any order, frames smaller than the
canvas, and EXIF and XMP with an orientation."""

import io
import random
import struct

from PIL import Image

from parts import exif, odd_exif, picture, saved, xmp

ICC, ALPHA, EXIF, XMP, ANIMATION = 32, 16, 8, 4, 2


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def chunks(data: bytes):
    """Name and content of each chunk."""
    at = 12
    while at + 8 <= len(data):
        length = struct.unpack_from("<I", data, at + 4)[0]
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def webp(*parts: bytes) -> bytes:
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended(flags: int, size, *parts: bytes) -> bytes:
    width, height = size
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return webp(chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides), *parts)


def see_through(size) -> Image.Image:
    image = picture(size)
    dice = random.Random(3)
    mask = Image.new("L", size)
    mask.putdata([dice.choice((0, 255, 128, dice.randrange(256))) for _ in range(size[0] * size[1])])
    image.putalpha(mask)
    return image


def noise(size, seed=1) -> Image.Image:
    dice = random.Random(seed)
    image = Image.new("RGB", size)
    image.putdata([tuple(dice.randrange(256) for _ in range(3)) for _ in range(size[0] * size[1])])
    return image


def few_colours(size, count) -> Image.Image:
    dice = random.Random(count)
    colours = [tuple(dice.randrange(256) for _ in range(3)) for _ in range(count)]
    image = Image.new("RGB", size)
    image.putdata([dice.choice(colours) for _ in range(size[0] * size[1])])
    return image


def files():
    for size in [(1, 1), (2, 1), (1, 2), (3, 5), (15, 15), (16, 16), (17, 17), (33, 19), (64, 2)]:
        name = f"{size[0]}x{size[1]}"
        yield f"webp-lossy-{name}", "read", saved(picture(size), "WEBP", quality=80)
        yield f"webp-lossless-{name}", "read", saved(noise(size), "WEBP", lossless=True)
        yield f"webp-alpha-{name}", "read", saved(see_through(size), "WEBP", quality=80)
    size = (37, 23)
    for quality in (0, 10, 50, 95, 100):
        for method in (0, 4, 6):
            data = saved(noise(size, quality), "WEBP", quality=quality, method=method)
            yield f"webp-lossy-quality-{quality}-method-{method}", "read", data
    for count in (1, 2, 3, 4, 5, 16, 17, 200):
        data = saved(few_colours(size, count), "WEBP", lossless=True)
        yield f"webp-lossless-colours-{count}", "read", data
    for alpha_quality in (0, 50, 100):
        data = saved(see_through(size), "WEBP", quality=70, alpha_quality=alpha_quality)
        yield f"webp-alpha-quality-{alpha_quality}", "read", data
    yield "webp-lossless-alpha", "read", saved(see_through(size), "WEBP", lossless=True)
    yield "webp-lossless-alpha-exact", "read", saved(
        see_through(size), "WEBP", lossless=True, exact=True
    )
    yield from containers(size)
    yield from animations()
    yield from orientations()


def containers(size):
    lossy = dict(chunks(saved(picture(size), "WEBP", quality=80)))
    clear = dict(chunks(saved(see_through(size), "WEBP", quality=80)))
    lossless = dict(chunks(saved(see_through(size), "WEBP", lossless=True)))
    plain, alpha = chunk(b"VP8 ", clear[b"VP8 "]), chunk(b"ALPH", clear[b"ALPH"])
    stored = see_through(size).getchannel("A").tobytes()
    yield "webp-extended-without-alpha", "read", extended(0, size, chunk(b"VP8 ", lossy[b"VP8 "]))
    yield "webp-alpha-flag-only", "read", extended(ALPHA, size, chunk(b"VP8 ", lossy[b"VP8 "]))
    yield "webp-alpha-without-flag", "read", extended(0, size, alpha, plain)
    yield "webp-alpha-stored", "read", extended(ALPHA, size, chunk(b"ALPH", b"\0" + stored), plain)
    for kind in (1, 2, 3):
        yield f"webp-alpha-filter-{kind}", "read", extended(
            ALPHA, size, chunk(b"ALPH", bytes([kind << 2]) + stored), plain
        )
    whole = chunk(b"VP8L", lossless[b"VP8L"])
    yield "webp-lossless-extended", "read", extended(ALPHA, size, whole)
    yield "webp-lossless-alpha-without-flag", "read", extended(0, size, whole)
    opaque = chunk(b"VP8L", dict(chunks(saved(picture(size), "WEBP", lossless=True)))[b"VP8L"])
    yield "webp-lossless-flag-only", "read", extended(ALPHA, size, opaque)
    unknown = chunk(b"what", b"anything")
    yield "webp-unknown-before", "read", extended(ALPHA, size, unknown, alpha, plain)
    yield "webp-unknown-after", "read", extended(ALPHA, size, alpha, plain, unknown)
    yield "webp-icc", "read", extended(ICC, size, chunk(b"ICCP", b"x" * 99), chunk(b"VP8 ", lossy[b"VP8 "]))
    yield "webp-canvas-larger", "malformed", extended(0, (40, 30), chunk(b"VP8 ", lossy[b"VP8 "]))
    yield "webp-after-the-end", "read", webp(chunk(b"VP8 ", lossy[b"VP8 "])) + b"anything"
    yield "webp-cut", "malformed", webp(chunk(b"VP8L", lossless[b"VP8L"]))[:200]


def frame(image: bytes, at=(0, 0), size=(10, 6), flags=0) -> bytes:
    def three(value):
        return struct.pack("<I", value)[:3]

    body = three(at[0] // 2) + three(at[1] // 2) + three(size[0] - 1) + three(size[1] - 1)
    return chunk(b"ANMF", body + three(100) + bytes([flags]) + image)


def animations():
    canvas, size = (22, 14), (10, 6)
    lossless = chunk(b"VP8L", dict(chunks(saved(noise(size), "WEBP", lossless=True)))[b"VP8L"])
    clear = dict(chunks(saved(see_through(size), "WEBP", quality=90)))
    lossy = chunk(b"ALPH", clear[b"ALPH"]) + chunk(b"VP8 ", clear[b"VP8 "])
    full = chunk(b"VP8L", dict(chunks(saved(noise(canvas), "WEBP", lossless=True)))[b"VP8L"])
    for colour in (b"\0\0\0\0", b"\x10\x80\xf0\xff"):
        anim = chunk(b"ANIM", colour + b"\0\0")
        name = colour.hex()
        for flags in (0, ALPHA):
            kind = "alpha" if flags else "opaque"
            all_flags = ANIMATION | flags
            for blend in (0, 2):
                yield f"webp-frame-smaller-{kind}-{name}-{blend}", "read", extended(
                    all_flags, canvas, anim, frame(lossless, (4, 6), size, blend)
                )
            yield f"webp-frame-lossy-{kind}-{name}", "read", extended(
                all_flags, canvas, anim, frame(lossy, (0, 0), size), frame(full, (0, 0), canvas)
            )
            yield f"webp-frame-full-{kind}-{name}", "read", extended(
                all_flags, canvas, anim, frame(full, (0, 0), canvas), frame(lossy, (2, 2), size)
            )
    # The frame's header says another size than the frame has.
    anim = chunk(b"ANIM", bytes(6))
    for name, part in {"lossless": lossless, "lossy": lossy}.items():
        yield f"webp-frame-{name}-other-size", "read", extended(
            ANIMATION | ALPHA, canvas, anim, frame(part, (4, 2), (3, 99))
        )
    yield "webp-frame-outside", "malformed", extended(
        ANIMATION, canvas, anim, frame(lossless, (20, 0), size)
    )
    buffer = io.BytesIO()
    frames = [see_through(canvas).rotate(180 * i) for i in range(3)]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], duration=50)
    yield "webp-animation", "read", buffer.getvalue()


def orientations():
    size = (12, 8)
    image = chunk(b"VP8L", dict(chunks(saved(picture(size), "WEBP", lossless=True)))[b"VP8L"])

    def turned(flags: int, *after: bytes, before=()) -> bytes:
        return extended(flags, size, *before, image, *after)

    for value in range(10):
        yield f"webp-exif-{value}", "read", turned(EXIF, chunk(b"EXIF", exif(value)))
        yield f"webp-xmp-{value}", "read", turned(XMP, chunk(b"XMP ", xmp(value)))
        prefixed = chunk(b"EXIF", b"Exif\0\0" + exif(value, ">"))
        yield f"webp-exif-prefix-{value}", "read", turned(EXIF, prefixed)
    yield "webp-exif-prefix-twice", "read", turned(EXIF, chunk(b"EXIF", b"Exif\0\0" * 2 + exif(6)))
    yield "webp-exif-without-flag", "read", turned(0, chunk(b"EXIF", exif(6)))
    yield "webp-xmp-without-flag", "read", turned(0, chunk(b"XMP ", xmp(6)))
    yield "webp-exif-first", "read", turned(EXIF, before=[chunk(b"EXIF", exif(6))])
    yield "webp-exif-twice", "read", turned(EXIF, chunk(b"EXIF", exif(6)), chunk(b"EXIF", exif(3)))
    yield "webp-exif-and-xmp", "read", turned(
        EXIF | XMP, chunk(b"EXIF", exif(6)), chunk(b"XMP ", xmp(3))
    )
    yield "webp-exif-none-and-xmp", "read", turned(
        EXIF | XMP, chunk(b"EXIF", exif(None)), chunk(b"XMP ", xmp(3))
    )
    yield "webp-exif-empty", "read", turned(EXIF, chunk(b"EXIF", b""))
    yield "webp-xmp-element", "read", turned(XMP, chunk(b"XMP ", xmp(6, element=True)))
    yield "webp-exif-not-extended", "read", webp(image, chunk(b"EXIF", exif(6)))
    for name, body in odd_exif():
        yield f"webp-exif-odd-{name}", "read", turned(EXIF, chunk(b"EXIF", body))

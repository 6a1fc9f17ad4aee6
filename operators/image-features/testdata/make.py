#!/usr/bin/env python3
"""Makes small pictures in every format and odd case, and the pixels that Pillow makes of them.

Needs `pip install pillow==13.0.0` (with libjpeg-turbo and libwebp, as the wheels have). Run it
without arguments; it writes beside itself:

    images/         the pictures: gradients, shapes and seeded noise, 97x61 or 40x64
    decoded.csv     what each picture decodes to; its pixels are in decoded.rgb
    resized.csv     what some of these become when resized; their pixels are in resized.rgb

The two .rgb files are 8-bit R, G, B pixels, row after row, end to end without headers; a row of the
CSV says where its pixels begin (`offset`, in bytes). Equal pixels are stored once.

decoded.csv: file,kind,background,width,height,offset
    `file`        under images/
    `kind`        what a difference to another decoder can come from:
                  lossless  nothing, the pixels are exact
                  alpha     the rounding of the composition, 1 at most (0 where alpha is 0 or 255)
                  deep      16 bits a channel: Pillow takes the upper byte, rounding gives 1 more
                  lossy     JPEG and lossy WebP: the inverse transform, chroma upsampling, CMYK
                  lossy-alpha  both
    `background`  rrggbb that alpha was composed on; empty where the picture has no alpha
    `width`, `height`, `offset`  width * height * 3 bytes of decoded.rgb: the picture as Pillow
                  decodes it, turned upright by its EXIF orientation, alpha composed on the
                  background (Image.alpha_composite), otherwise convert("RGB"). Of an animation
                  the first frame.

resized.csv: file,mode,filter,short_side,width,height,scaled_width,scaled_height,first_row,row_step,rows,offset
    `file`        the source; its pixels are those of decoded.csv, so that resizing can be tested
                  apart from decoding
    `mode`        squash: resized to width x height
                  crop: resized to scaled_width x scaled_height, then width x height cut out from
                  left = (scaled_width - width) / 2, top likewise, rounded down
    `filter`      nearest, bilinear, bicubic, lanczos3: Pillow's Image.resize
    `short_side`  crop only: what the short side is scaled to; empty is the default: the smallest
                  S for which the scaled picture holds width x height
    `scaled_...`  crop: short side S, long side floor(long * S / short + 1/2), exact (in integers:
                  (2 * long * S + short) / (2 * short)); squash: width, height
    `first_row`, `row_step`, `rows`  which rows are stored, to keep the file small: first_row,
                  first_row + row_step, ...; rows * width * 3 bytes

CMYK in JPEG: Pillow takes every CMYK file for inverted, as Adobe writes it, with or without Adobe's
marker (jpeg-cmyk-no-marker.jpg), and converts by r = 255 - min(255, c + k - c * k / 255), no colour profile.
"""

import csv
import io
import random
import struct
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from writers import as_ycck, bmp, orientation, png, rle8, saved, without_adobe

HERE = Path(__file__).resolve().parent
IMAGES = HERE / "images"
LARGE, SMALL = (97, 61), (40, 64)
BLUE = (10, 10, 240)  # of the rectangle
BACKGROUNDS = [(255, 255, 255), (12, 200, 99)]

RESIZED = ["jpeg-420.jpg", "png-rgb.png"]  # 97x61 and 40x64
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos3": Image.Resampling.LANCZOS,
}
# width, height, short side for crop (None: the default), first row and step of what is stored
TARGETS = [
    ((7, 5), 9, (0, 1)),
    ((32, 32), 36, (0, 1)),
    ((64, 48), None, (0, 1)),
    ((150, 150), None, (2, 5)),
]


# --- The pictures ---


def picture(size: tuple[int, int], seed: int) -> Image.Image:
    """Gradients, a few shapes with hard edges, noise on the left third."""
    width, height = size
    dice = random.Random(seed)
    image = Image.new("RGB", size)
    pixels = image.load()
    for y in range(height):
        for x in range(width):
            r, g, b = 255 * x // width, 255 * y // height, 255 * (x + y) // (width + height)
            pixels[x, y] = (r, g, 255 - b)
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 2, height // 6, width - 4, height // 2), fill=(250, 30, 20))
    draw.rectangle((width // 3, height // 2, width // 2, height - 5), fill=BLUE)
    draw.line((0, height - 1, width - 1, 0), fill=(255, 255, 255), width=2)
    draw.line((0, 3, width - 1, height // 3), fill=(0, 0, 0), width=1)
    for y in range(height):
        for x in range(width // 3):
            pixels[x, y] = tuple(max(0, min(255, c + dice.randint(-24, 24))) for c in pixels[x, y])
    return image


def alpha_mask(size: tuple[int, int]) -> Image.Image:
    """All values from 0 to 255, with a clear and an opaque area."""
    width, height = size
    mask = Image.new("L", size)
    pixels = mask.load()
    for y in range(height):
        for x in range(width):
            pixels[x, y] = (x * 255 // (width - 1) + y * 37) % 256
    draw = ImageDraw.Draw(mask)
    draw.rectangle((2, 2, width // 3, height // 4), fill=0)
    draw.rectangle((width // 2, height // 2, width - 3, height - 3), fill=255)
    return mask


# --- All files ---


def files():
    """Name, kind and content of every picture."""
    large, small = picture(LARGE, 1), picture(SMALL, 2)
    clear = small.copy()
    clear.putalpha(alpha_mask(SMALL))
    yield from jpegs(large, small)
    yield from pngs(large, small, clear)
    yield from webps(large, small, clear)
    yield from gifs(small)
    yield from bmps(large, small, clear)


def jpegs(large, small):
    for name, options in {
        "444": {"subsampling": "4:4:4"},
        "422": {"subsampling": "4:2:2"},
        "420": {"subsampling": "4:2:0"},
        "420-progressive": {"subsampling": "4:2:0", "progressive": True},
        "444-progressive": {"subsampling": "4:4:4", "progressive": True},
        "420-restart": {"subsampling": "4:2:0", "restart_marker_rows": 1},
        "rgb": {"keep_rgb": True},
    }.items():
        yield f"jpeg-{name}.jpg", "lossy", saved(large, "JPEG", quality=90, **options)
    yield "jpeg-grey.jpg", "lossy", saved(large.convert("L"), "JPEG", quality=90)

    black = large.convert("L").point(lambda v: (255 - v) // 2)
    cmyk = Image.merge("CMYK", [*ImageOps.invert(large).split(), black])
    adobe = saved(cmyk, "JPEG", quality=92)
    yield "jpeg-cmyk-adobe.jpg", "lossy", adobe
    yield "jpeg-cmyk-no-marker.jpg", "lossy", without_adobe(adobe)
    yield "jpeg-ycck-adobe.jpg", "lossy", as_ycck(ImageOps.invert(large), ImageOps.invert(black))

    for value in range(1, 9):
        data = saved(small, "JPEG", quality=90, subsampling="4:4:4", exif=orientation(value))
        yield f"jpeg-exif-{value}.jpg", "lossy", data
    data = saved(small, "JPEG", quality=90, subsampling="4:4:4", exif=orientation(6, ">"))
    yield "jpeg-exif-6-big-endian.jpg", "lossy", data


def pngs(large, small, clear):
    grey = small.convert("L")
    palette = small.quantize(48)
    colours = palette.getpalette()[: 48 * 3]
    yield "png-rgb.png", "lossless", saved(small, "PNG")
    yield "png-rgb-large.png", "lossless", saved(large, "PNG")
    yield "png-rgba.png", "alpha", saved(clear, "PNG")
    yield "png-grey.png", "lossless", saved(grey, "PNG")
    yield "png-grey-alpha.png", "alpha", saved(clear.convert("LA"), "PNG")
    yield "png-palette.png", "lossless", saved(palette, "PNG")
    fading = bytes(min(255, 8 * i) for i in range(40))  # the last 8 colours are opaque by default
    yield "png-palette-trns.png", "alpha", saved(palette, "PNG", transparency=fading)
    yield "png-exif-6.png", "lossless", saved(small, "PNG", exif=orientation(6))

    def bits(depth):
        return lambda x, y: (grey.getpixel((x, y)) >> (8 - depth),)

    yield "png-grey-1bit.png", "lossless", png(SMALL, 1, 0, bits(1))
    yield "png-grey-2bit.png", "lossless", png(SMALL, 2, 0, bits(2))
    yield "png-grey-4bit.png", "lossless", png(SMALL, 4, 0, bits(4))
    four = small.quantize(16)
    plte = (b"PLTE", bytes(four.getpalette()[:48]))
    yield (
        "png-palette-4bit.png",
        "lossless",
        png(SMALL, 4, 3, lambda x, y: (four.getpixel((x, y)),), chunks=[plte]),
    )

    key = struct.pack(">3H", *BLUE)
    yield (
        "png-rgb-key.png",
        "alpha",
        png(SMALL, 8, 2, lambda x, y: small.getpixel((x, y)), chunks=[(b"tRNS", key)]),
    )

    dice = random.Random(16)
    deep = {(x, y): dice.randrange(256) for y in range(SMALL[1]) for x in range(SMALL[0])}

    def sixteen(x, y):
        return tuple(v << 8 | deep[x, y] for v in small.getpixel((x, y)))

    def sixteen_alpha(x, y):
        return tuple(v << 8 | deep[x, y] for v in clear.getpixel((x, y)))

    yield "png-rgb-16bit.png", "deep", png(SMALL, 16, 2, sixteen)
    yield "png-rgba-16bit.png", "deep", png(SMALL, 16, 6, sixteen_alpha)

    yield (
        "png-rgb-interlaced.png",
        "lossless",
        png(SMALL, 8, 2, lambda x, y: small.getpixel((x, y)), True),
    )
    yield (
        "png-rgba-interlaced.png",
        "alpha",
        png(SMALL, 8, 6, lambda x, y: clear.getpixel((x, y)), True),
    )
    yield "png-grey-1bit-interlaced.png", "lossless", png(SMALL, 1, 0, bits(1), True)
    plte = (b"PLTE", bytes(colours))
    yield (
        "png-palette-interlaced.png",
        "lossless",
        png(SMALL, 8, 3, lambda x, y: (palette.getpixel((x, y)),), True, [plte]),
    )


def webps(large, small, clear):
    yield "webp-lossy.webp", "lossy", saved(large, "WEBP", quality=88, method=4)
    yield "webp-lossless.webp", "lossless", saved(small, "WEBP", lossless=True)
    yield "webp-lossless-alpha.webp", "alpha", saved(clear, "WEBP", lossless=True, exact=True)
    yield "webp-lossy-alpha.webp", "lossy-alpha", saved(clear, "WEBP", quality=88, method=4)
    yield "webp-exif-6.webp", "lossless", saved(small, "WEBP", lossless=True, exif=orientation(6))
    frames = {"save_all": True, "append_images": [ImageOps.invert(small)], "duration": 100}
    yield "webp-animated.webp", "lossless", saved(small, "WEBP", lossless=True, **frames)


def gifs(small):
    palette = small.quantize(64)
    yield "gif.gif", "lossless", saved(palette, "GIF", interlace=0)
    yield "gif-interlaced.gif", "lossless", saved(palette, "GIF", interlace=1)
    clear = palette.getpixel((SMALL[0] - 5, SMALL[1] // 3))
    yield "gif-transparent.gif", "alpha", saved(palette, "GIF", transparency=clear)
    later = [ImageOps.invert(small).quantize(64), ImageOps.flip(small).quantize(64)]
    frames = {"save_all": True, "append_images": later, "duration": 100, "loop": 0}
    yield "gif-animated.gif", "lossless", saved(palette, "GIF", **frames)


def bmps(large, small, clear):
    palette = small.quantize(256)
    yield "bmp-24.bmp", "lossless", saved(large, "BMP")  # 97 pixels: rows are padded
    yield "bmp-8.bmp", "lossless", saved(palette, "BMP")
    yield (
        "bmp-1.bmp",
        "lossless",
        saved(small.convert("L").point(lambda v: 255 * (v > 127), "1"), "BMP"),
    )
    colours = bytes(palette.getpalette()[:768])
    table = b"".join(
        bytes((colours[i + 2], colours[i + 1], colours[i], 0)) for i in range(0, 768, 3)
    )
    yield "bmp-8-rle.bmp", "lossless", bmp(SMALL, 8, 1, rle8(palette), palette=table)
    # Without masks the fourth byte means nothing; here it holds what must not be taken for alpha.
    yield "bmp-32.bmp", "lossless", bmp(SMALL, 32, 0, ImageOps.flip(clear).tobytes("raw", "BGRA"))
    top_down = bmp(SMALL, 32, 0, clear.tobytes("raw", "BGRA"), top_down=True)
    yield "bmp-32-top-down.bmp", "lossless", top_down
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs"
    masked = bmp(SMALL, 32, 3, ImageOps.flip(clear).tobytes("raw", "BGRA"), masks=masks)
    yield "bmp-32-alpha.bmp", "alpha", masked


# --- What Pillow makes of them ---


def decode(data: bytes, background) -> Image.Image:
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if not image.has_transparency_data:
        return image.convert("RGB")
    below = Image.new("RGBA", image.size, (*background, 255))
    return Image.alpha_composite(below, image.convert("RGBA")).convert("RGB")


def default_short_side(size, target) -> int:
    side = 1
    while any(s < t for s, t in zip(scaled(size, side), target)):
        side += 1
    return side


def scaled(size, side) -> tuple[int, int]:
    short = min(size)
    return tuple((2 * length * side + short) // (2 * short) for length in size)


class Pixels:
    """A file of pixels, each sequence of which is stored once."""

    def __init__(self):
        self.data, self.known = bytearray(), {}

    def offset(self, pixels: bytes) -> int:
        if pixels not in self.known:
            self.known[pixels] = len(self.data)
            self.data += pixels
        return self.known[pixels]


def resize_all(name: str, image: Image.Image, pixels: Pixels):
    for (width, height), side, (first, step) in TARGETS:
        for mode in ("squash", "crop"):
            size = (width, height)
            if mode == "crop":
                size = scaled(image.size, side or default_short_side(image.size, size))
            left, top = (size[0] - width) // 2, (size[1] - height) // 2
            for label, filter in FILTERS.items():
                result = image.resize(size, filter).crop((left, top, left + width, top + height))
                data = result.tobytes()
                rows = range(first, height, step)
                stored = b"".join(data[y * width * 3 : (y + 1) * width * 3] for y in rows)
                short_side = (side or "") if mode == "crop" else ""
                yield [
                    name,
                    mode,
                    label,
                    short_side,
                    width,
                    height,
                    *size,
                    first,
                    step,
                    len(rows),
                    pixels.offset(stored),
                ]


def write(name: str, header: str, rows: list, pixels: Pixels) -> None:
    (HERE / f"{name}.rgb").write_bytes(pixels.data)
    with (HERE / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    decoded, resized = [], []
    decoded_pixels, resized_pixels = Pixels(), Pixels()
    for name, kind, data in files():
        (IMAGES / name).write_bytes(data)
        clear = Image.open(io.BytesIO(data)).has_transparency_data
        if clear != (kind in ("alpha", "lossy-alpha") or name == "png-rgba-16bit.png"):
            raise SystemExit(f"{name}: Pillow sees alpha: {clear}, its kind is {kind}")
        for background in BACKGROUNDS if clear else [None]:
            image = decode(data, background)
            code = "{:02x}{:02x}{:02x}".format(*background) if background else ""
            decoded.append([name, kind, code, *image.size, decoded_pixels.offset(image.tobytes())])
        if name in RESIZED:
            resized += resize_all(name, image, resized_pixels)
    write("decoded", "file,kind,background,width,height,offset", decoded, decoded_pixels)
    header = "file,mode,filter,short_side,width,height,scaled_width,scaled_height,first_row,row_step,rows,offset"
    write("resized", header, resized, resized_pixels)
    print(f"{len(list(IMAGES.iterdir()))} pictures, {len(decoded)} decoded, {len(resized)} resized")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes the suites: many small pictures of every kind of PNG, BMP, GIF, WebP and JPEG, and what
Pillow makes of each, whole.

Needs `pip install pillow==13.0.0`. Run it without arguments; it writes beside itself:

    pictures.bin  the pictures, end to end
    answers.csv   which they are, and what each becomes
    seeds/        some of them as files, for what damages them at random

answers.csv: picture,offset,length,background,width,height,crc32
    `offset`, `length`  where it is in pictures.bin
    `background`  rrggbb that what is see-through was composed on; empty where nothing is. A
                  picture with alpha has a line for each of two backgrounds
    `crc32`       of width * height pixels, R, G, B of 8 bits each, row after row: as Pillow
                  decodes the picture, turned upright (ImageOps.exif_transpose), composed on the
                  background (Image.alpha_composite), otherwise convert("RGB")
                  Where the picture is not read: `unsupported` if it is whole, and `malformed` if
                  it is not. So the suites say; that Pillow refuses it too is checked here

`--files DIR` writes all pictures as files, and `--pixels DIR` their pixels, to look at what differs.
"""

import argparse
import csv
import warnings
import zlib
from pathlib import Path

import suite_bmp
import suite_gif
import suite_jpeg
import suite_png
import suite_webp
from parts import decoded

HERE = Path(__file__).resolve().parent
SUITES = {
    "png": suite_png,
    "bmp": suite_bmp,
    "gif": suite_gif,
    "webp": suite_webp,
    "jpeg": suite_jpeg,
}
ENDINGS = {"jpeg": "jpg"}
BACKGROUNDS = [(255, 255, 255), (12, 200, 99)]
# What Pillow reads and the operator does not: two greys, which it takes for one bit a pixel
# whatever the depth, lossless JPEG, colours with more samples than brightness, and a chunk of
# which nobody knows whether it can be left out.
REFUSED = (
    "bmp-8-two-greys",
    "bmp-4-two-greys",
    "jpeg-lossless",
    "png-unknown-critical",
    "jpeg-brightness-less",
    "jpeg-one-colour-more",
    "jpeg-one-colour-higher",
)
SEEDS = (
    "bmp-4",
    "bmp-8-os2",
    "bmp-16-565-header-108",
    "bmp-32-bgra-header-124",
    "bmp-rle4",
    "bmp-rle8-moves",
    "gif-extension-all",
    "gif-frame-overlapping-interlaced",
    "gif-interlaced",
    "jpeg-420-y-then-cbcr",
    "jpeg-exif-odd-another-outside-first",
    "jpeg-four-ycck-2x2-21x13-pairs",
    "jpeg-restart-2-ycb-then-cr",
    "jpeg-xmp-6",
    "png-profile",
    "png-xmp-packed",
    "webp-alpha-filter-3",
    "webp-exif-prefix-6",
    "webp-xmp-6",
)


def answers(name: str, due: str, data: bytes, pixels: Path | None):
    """What a picture becomes, on each background."""
    for background in BACKGROUNDS:
        code = "{:02x}{:02x}{:02x}".format(*background)
        try:
            image, clear = decoded(data, background)
        except Exception as error:
            if due == "read":
                raise SystemExit(f"{name}: Pillow does not read it: {error!r}") from error
            yield ["", "", "", due]
            return
        if name in REFUSED:
            yield ["", "", "", due]
            return
        if due != "read":
            raise SystemExit(f"{name}: Pillow reads what is to be {due}")
        raw = image.tobytes()
        if pixels:
            (pixels / f"{name}-{code if clear else ''}.rgb").write_bytes(raw)
        yield [code if clear else "", *image.size, f"{zlib.crc32(raw):08x}"]
        if not clear:
            return


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--files", type=Path)
    arguments.add_argument("--pixels", type=Path)
    options = arguments.parse_args()
    warnings.simplefilter("ignore")  # of metadata that is odd on purpose
    for folder in (options.files, options.pixels, HERE / "seeds"):
        if folder:
            folder.mkdir(exist_ok=True)
    rows, pictures, names = [], bytearray(), set()
    for suite, module in SUITES.items():
        for name, due, data in module.files():
            if name in names:
                raise SystemExit(f"{name}: twice")
            names.add(name)
            found = answers(name, due, data, options.pixels)
            rows += [[name, len(pictures), len(data), *answer] for answer in found]
            pictures += data
            ending = ENDINGS.get(suite, suite)
            for folder, wanted in ((options.files, True), (HERE / "seeds", name in SEEDS)):
                if folder and wanted:
                    (folder / f"{name}.{ending}").write_bytes(data)
    (HERE / "pictures.bin").write_bytes(pictures)
    with (HERE / "answers.csv").open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow("picture,offset,length,background,width,height,crc32".split(","))
        writer.writerows(rows)
    if missing := set(SEEDS) - names:
        raise SystemExit(f"seeds that are not there: {missing}")
    print(f"{len(names)} pictures, {len(rows)} answers")


if __name__ == "__main__":
    main()

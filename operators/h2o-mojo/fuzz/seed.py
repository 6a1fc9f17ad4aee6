"""Makes the first corpus of both fuzz targets from the models in testdata."""

import pathlib
import struct
import zipfile

here = pathlib.Path(__file__).parent
for target in ("bytes", "entries"):
    (here / "corpus" / target).mkdir(parents=True, exist_ok=True)
for path in sorted((here.parent / "testdata").glob("*.zip")):
    if path.stat().st_size > 20_000:
        continue
    (here / "corpus" / "bytes" / path.stem).write_bytes(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entries = b""
        for name in archive.namelist():
            if name.startswith("experimental/") or name.endswith("_aux.bin"):
                continue
            data = archive.read(name)
            entries += name.encode() + b"\0" + struct.pack("<I", len(data)) + data
    (here / "corpus" / "entries" / path.stem).write_bytes(entries)

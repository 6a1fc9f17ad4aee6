#!/usr/bin/env python3
"""Scores flights with H2O's own Java runtime and keeps the answers beside each flight model.

Needs what train-flights.py needs, and cargo for the generator of flights:

    python models/golden.py --data DIR/allyears2k_headers.zip

For each model it writes, with one line "label,p_YES" per row after a header:

  golden-generated.csv   the 20,000 rows of `flight-records --seed 1 --records 20000`
  golden-real.csv.gz     the real flights, in the order of the file

and samples.csv, the first 20 of the generated rows with their features and answers, which a
runner tries the model on before it serves.

Only answers are kept: the generator makes its rows again from the seed, and the real flights are
test data that is found elsewhere. Without --data only the first file is made.
"""

import argparse
import gzip
import subprocess
import tempfile
import zipfile
from pathlib import Path

import h2o

HERE = Path(__file__).resolve().parent
MODELS = ["flights-gbm", "flights-dl"]
JAR = Path(h2o.__file__).parent / "backend" / "bin" / "h2o.jar"
# What the models look at, and where a row has it.
FEATURES = {
    "Year": 0,
    "Month": 1,
    "DayofMonth": 2,
    "DayOfWeek": 3,
    "CRSDepTime": 5,
    "UniqueCarrier": 8,
    "Origin": 16,
    "Dest": 17,
}
SAMPLES = 20
GENERATOR = ["cargo", "run", "--release", "--quiet", "-p", "flight-records", "--"]


def generated() -> bytes:
    command = [*GENERATOR, "--seed", "1", "--records", "20000"]
    return subprocess.run(
        command, cwd=HERE.parent / "operators", check=True, stdout=subprocess.PIPE
    ).stdout


def real(path: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(archive.namelist()[0])


def answers(model: str, lines: bytes, scratch: Path) -> bytes:
    rows = scratch / "rows.csv"
    rows.write_bytes(lines)
    mojo = HERE / model / "model.zip"
    command = ["java", "-cp", f"{JAR}:{scratch}", "FlightScorer", "golden", mojo, rows]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def samples(lines: bytes, golden: bytes) -> str:
    table = [",".join([*FEATURES, "label", "probabilities.YES"])]
    given = zip(lines.decode().splitlines(), golden.decode().splitlines()[1:])
    for line, answer in list(given)[:SAMPLES]:
        cells = line.split(",")
        features = ["" if cells[place] == "NA" else cells[place] for place in FEATURES.values()]
        table.append(",".join([*features, answer]))
    return "\n".join(table) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the golden results of the flight models.")
    parser.add_argument("--data", help="path of allyears2k_headers.zip")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        source = HERE / "java" / "FlightScorer.java"
        subprocess.run(["javac", "-cp", JAR, "-d", scratch, source], check=True)
        rows = generated()
        for model in MODELS:
            golden = answers(model, rows, scratch)
            (HERE / model / "golden-generated.csv").write_bytes(golden)
            (HERE / model / "samples.csv").write_text(samples(rows, golden))
            if options.data:
                golden = answers(model, real(options.data), scratch)
                # No time in the header, so that the same answers give the same file.
                packed = gzip.compress(golden, compresslevel=9, mtime=0)
                (HERE / model / "golden-real.csv.gz").write_bytes(packed)


if __name__ == "__main__":
    main()

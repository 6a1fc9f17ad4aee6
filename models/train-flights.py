#!/usr/bin/env python3
"""Trains the two flight models and exports them as MOJOs beside this script.

Needs Java 17 and `pip install h2o==3.46.0.6` (later releases refuse the export in the free
edition). Run it with the real flights, as a path or a URL:

    python models/train-flights.py --data DIR/allyears2k_headers.zip

Writes flights-gbm/ and flights-dl/, each with model.zip and model.toml, and ends with an error if
the two flights of the classic example are not predicted as published. Training is single-threaded
and seeded, so a second run gives the same predictions; the zip's bytes (and so its digest) differ,
because H2O writes times and identifiers into it. Takes two to five minutes.
"""

import argparse
import csv
import datetime
import hashlib
import io
import subprocess
import tempfile
import urllib.request
import zipfile
from pathlib import Path

import h2o
from h2o.estimators import H2ODeepLearningEstimator, H2OGradientBoostingEstimator

HERE = Path(__file__).resolve().parent
NUMERIC = ["Year", "Month", "DayofMonth", "DayOfWeek", "CRSDepTime"]
CATEGORICAL = ["UniqueCarrier", "Origin", "Dest"]
FEATURES = NUMERIC + CATEGORICAL
RESPONSE = "IsDepDelayed"
HELD_OUT = 5  # one row in five, by position, is kept for the metrics
SEED = 1987

# The published behaviour of the classic example: the same flight in two years.
CLASSIC = (
    "1987,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,"
    "NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES"
)
FLIGHTS = [CLASSIC, CLASSIC.replace("1987", "1999", 1)]

MODELS = {
    "flights-gbm": (
        H2OGradientBoostingEstimator(
            model_id="flights_gbm", ntrees=10, max_depth=5, learn_rate=0.1, seed=SEED
        ),
        "Will a flight depart late? Gradient boosting, 10 trees of depth 5.",
        ["YES", "NO"],
    ),
    "flights-dl": (
        H2ODeepLearningEstimator(
            model_id="flights_dl",
            activation="Rectifier",
            hidden=[200, 200],
            epochs=10,
            reproducible=True,
            seed=SEED,
        ),
        "Will a flight depart late? Deep learning, two rectifier layers of 200.",
        ["YES", "YES"],
    ),
}


def read_flights(source: str) -> list[dict]:
    """The records of the one CSV in the zip. Some tail numbers are not UTF-8: read as Latin-1."""
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source) as reply:
            data = reply.read()
    else:
        data = Path(source).read_bytes()
    archive = zipfile.ZipFile(io.BytesIO(data))
    text = archive.read(archive.namelist()[0]).decode("latin-1")
    return list(csv.DictReader(io.StringIO(text)))


def to_frame(rows: list[dict], folder: Path, name: str) -> h2o.H2OFrame:
    """Only the columns that are used go to H2O, with their types fixed rather than guessed."""
    path = folder / f"{name}.csv"
    columns = FEATURES + [RESPONSE]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    types = {c: "numeric" for c in NUMERIC} | {c: "enum" for c in CATEGORICAL + [RESPONSE]}
    return h2o.import_file(
        str(path), header=1, col_types=types, na_strings=["NA", ""], destination_frame=name
    )


def predict_classic(mojo: Path, folder: Path) -> list[str]:
    """What H2O's Java runtime says about the two flights, one "label,p_YES" each."""
    jar = next((Path(h2o.__file__).parent / "backend" / "bin").glob("h2o.jar"))
    source = HERE / "java" / "FlightScorer.java"
    subprocess.run(["javac", "-cp", jar, "-d", folder, source], check=True)
    lines = folder / "classic.csv"
    lines.write_text("\n".join(FLIGHTS) + "\n")
    command = ["java", "-cp", f"{jar}:{folder}", "FlightScorer", "golden", mojo, lines]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()[1:]


def write_toml(folder: Path, name: str, description: str, provenance: dict) -> None:
    data = (folder / "model.zip").read_bytes()
    lines = [
        f'name = "{name}"',
        "version = 1",
        'kind = "h2o-mojo"',
        'file = "model.zip"',
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
        f"size = {len(data)}",
        'licence = "Apache-2.0"',
        f'description = "{description}"',
        "",
        "[provenance]",
    ]
    for key, value in provenance.items():
        lines.append(f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}")
    (folder / "model.toml").write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the flight models.")
    parser.add_argument("--data", required=True, help="allyears2k_headers.zip, a path or a URL")
    parser.add_argument("--only", choices=MODELS, help="train one model only")
    options = parser.parse_args()

    rows = read_flights(options.data)
    held_out = rows[HELD_OUT - 1 :: HELD_OUT]
    training = [row for i, row in enumerate(rows) if i % HELD_OUT != HELD_OUT - 1]

    h2o.init(ip="127.0.0.1", port=54421, nthreads=1, max_mem_size="3G", strict_version_check=False)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            scratch = Path(temporary)
            train_frame = to_frame(training, scratch, "flights_train")
            test_frame = to_frame(held_out, scratch, "flights_held_out")
            for name, (estimator, description, published) in MODELS.items():
                if options.only in (None, name):
                    train(name, estimator, description, published, train_frame, test_frame, scratch)
    finally:
        h2o.cluster().shutdown()


def train(name, estimator, description, published, train_frame, test_frame, scratch) -> None:
    estimator.train(x=FEATURES, y=RESPONSE, training_frame=train_frame)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    estimator.save_mojo(str(folder), force=True, filename="model.zip")

    answers = predict_classic(folder / "model.zip", scratch)
    if [answer.split(",")[0] for answer in answers] != published:
        raise SystemExit(f"{name}: the classic flights give {answers}, published are {published}")
    print(f"{name}: the classic flights give {answers}, as published")

    performance = estimator.model_performance(test_frame)
    write_toml(
        folder,
        name,
        description,
        {
            "trained_on": "allyears2k_headers.csv, flights of 1987 to 2008 of the US DOT",
            "script": "models/train-flights.py",
            "date": datetime.date.today().isoformat(),
            "h2o": h2o.__version__,
            "seed": SEED,
            "training_rows": train_frame.nrow,
            "held_out_rows": test_frame.nrow,
            "held_out_auc": round(performance.auc(), 4),
            "held_out_logloss": round(performance.logloss(), 4),
            "classic_1987": answers[0],
            "classic_1999": answers[1],
        },
    )


if __name__ == "__main__":
    main()

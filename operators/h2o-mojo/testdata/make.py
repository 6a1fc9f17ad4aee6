#!/usr/bin/env python3
"""Makes the small MOJOs, rows and golden results that the reader's tests use.

Needs Java 17 and `pip install h2o==3.46.0.6`:

    python operators/h2o-mojo/testdata/make.py [NAME...]

Data is synthetic and seeded, and training runs on one thread. See README.md for the files.
"""

import csv
import math
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import h2o
import numpy
from h2o.estimators import (
    H2ODeepLearningEstimator,
    H2OGeneralizedLinearEstimator,
    H2OGradientBoostingEstimator,
    H2OIsolationForestEstimator,
    H2ORandomForestEstimator,
)
from h2o.tree import H2OTree

HERE = Path(__file__).resolve().parent
JAR = Path(h2o.__file__).parent / "backend" / "bin" / "h2o.jar"
TRAINING_ROWS = 1500
SCORED_ROWS = 100
# Linear models are many, and their files are mostly rows.
SCORED_ROWS_OF_GLM = 60
# From how many bytes on a MOJO is packed again; forests are many.
LARGE, LARGE_FOREST, LARGE_GLM = 15_000, 8_000, 2_000

# Levels that are awkward to store: a backslash (domain files escape it), a space, not ASCII.
FEW = ["red", "green", "back\\nslash", "two words", "größe"]
MANY = [f"m{i:02}" for i in range(70)]
FLAG = ["0", "1"]
UNSEEN = ["unseen", "m99", "2"]

# Models that H2O's own runtime cannot read, or reads with the wrong names.
UNREADABLE = ["gbm-sharp", "dl-enum-limited"]

NUMBERS = ["a", "b", "c"]
CATEGORIES = ["few", "many", "flag"]
FEATURES = NUMBERS + CATEGORIES
RESPONSES = {
    "rare": "enum",
    "class2": "enum",
    "class3": "enum",
    "y": "numeric",
    "count": "numeric",
    "positive": "numeric",
    "zero_one": "numeric",
    "class7": "enum",
    "fraction": "numeric",
}
EXTRA = ["offset", "weight"]
SHARP = "# sharp"
THRESHOLD_ROWS = 350  # fewer than the 400 that H2O computes thresholds of
# What a name of a column may hold, by the column that is renamed to it.
AWKWARD = {
    "a": "a b",
    "b": "b, or c",
    "c": 'c "quoted"',
    "few": "d'few; {x}",
    "many": "10: 20 d000.txt",
    "flag": "größe = [1]",
}

GBM = {"ntrees": 4, "max_depth": 4, "learn_rate": 0.3, "seed": 1, "score_each_iteration": False}
DRF = {"ntrees": 3, "max_depth": 4, "seed": 1}
XRT = {"histogram_type": "Random"}
ISOLATION = {"ntrees": 5, "max_depth": 5, "sample_size": 64, "seed": 1}
DL = {"hidden": [8, 6], "epochs": 5, "reproducible": True, "seed": 1}
GLM = {"seed": 1}
PLAIN = {"lambda_": 0}  # without regularisation the first level of a category has no coefficient
# What stands in for a missing value, where a model is told so.
PLUGS = {"a": 1.5, "b": -0.25, "c": 7, "few": "two words", "many": "m42", "flag": "1"}
DROPOUT = {"hidden_dropout_ratios": [0.5, 0.2], "input_dropout_ratio": 0.1}


def gbm(y, x=FEATURES, **more):
    return H2OGradientBoostingEstimator(**(GBM | more)), x, y


def drf(y, x=FEATURES, **more):
    return H2ORandomForestEstimator(**(DRF | more)), x, y


def isolation(x=FEATURES, **more):
    return H2OIsolationForestEstimator(**(ISOLATION | more)), x, None


def glm(y, family, x=FEATURES, **more):
    return H2OGeneralizedLinearEstimator(family=family, **(GLM | more)), x, y


def dl(y, x=FEATURES, **more):
    return H2ODeepLearningEstimator(**(DL | more)), x, y


MODELS = {
    # Gradient boosting: every distribution, and the shapes of trees that a reader must know.
    "gbm-bernoulli": lambda: gbm("class2"),
    "gbm-bernoulli-balanced": lambda: gbm("rare", balance_classes=True),
    "gbm-bernoulli-offset": lambda: gbm("class2", offset_column="offset"),
    "gbm-bernoulli-weights": lambda: gbm("class2", weights_column="weight"),
    "gbm-quasibinomial": lambda: gbm("zero_one", distribution="quasibinomial"),
    "gbm-multinomial": lambda: gbm("class3", ntrees=3),
    "gbm-multinomial-balanced": lambda: gbm("class3", ntrees=2, balance_classes=True),
    "gbm-gaussian": lambda: gbm("y"),
    "gbm-gaussian-offset": lambda: gbm("y", offset_column="offset"),
    "gbm-poisson": lambda: gbm("count", distribution="poisson"),
    "gbm-poisson-offset": lambda: gbm("count", distribution="poisson", offset_column="offset"),
    "gbm-gamma": lambda: gbm("positive", distribution="gamma"),
    "gbm-tweedie": lambda: gbm("count", distribution="tweedie", tweedie_power=1.5),
    "gbm-laplace": lambda: gbm("y", distribution="laplace"),
    "gbm-huber": lambda: gbm("y", distribution="huber", huber_alpha=0.8),
    "gbm-quantile": lambda: gbm("y", distribution="quantile", quantile_alpha=0.7),
    "gbm-thresholds": lambda: gbm("y", x=["a", "b"], ntrees=3),
    "gbm-only-categories": lambda: gbm("class2", x=CATEGORIES),
    "gbm-only-numbers": lambda: gbm("class2", x=NUMBERS),
    "gbm-grouped-levels": lambda: gbm("class2", nbins_cats=8),
    "gbm-random-splits": lambda: gbm("class2", histogram_type="Random", ntrees=3),
    "gbm-deep": lambda: gbm("y", ntrees=2, max_depth=9, min_rows=5),
    "gbm-single-leaf": lambda: gbm("class2", min_split_improvement=0.9, ntrees=2),
    "gbm-enum-limited": lambda: gbm("class2", categorical_encoding="EnumLimited"),
    "gbm-sort-by-response": lambda: gbm("class2", categorical_encoding="SortByResponse"),
    # A class of which training has no row has no trees.
    "gbm-absent-class": lambda: gbm("class3", ntrees=3),
    # A category whose name is empty, as H2O makes one of "" in quotes.
    "gbm-empty-level": lambda: gbm("class2", x=["a", "few"]),
    # Calibrated probabilities; H2O wants a frame for them, and gets that of the training.
    "gbm-platt": lambda: gbm("class2", calibrate_model=True, calibration_method="PlattScaling"),
    "gbm-isotonic": lambda: gbm(
        "class2", calibrate_model=True, calibration_method="IsotonicRegression"
    ),
    # A name that H2O's reader takes for a comment.
    "gbm-sharp": lambda: gbm("class2", x=["a", "# sharp", "b", "few"], ntrees=2),
    "gbm-one-hot-explicit": lambda: gbm(
        "class2", ntrees=2, categorical_encoding="OneHotExplicit", max_depth=3
    ),
    # Random forests.
    "drf-binomial": lambda: drf("class2"),
    "drf-binomial-double-trees": lambda: drf("class2", binomial_double_trees=True),
    "drf-binomial-balanced": lambda: drf("rare", balance_classes=True),
    "drf-multinomial": lambda: drf("class3"),
    "drf-regression": lambda: drf("y"),
    "drf-binomial-weights": lambda: drf("rare", weights_column="weight"),
    "drf-binomial-double-trees-balanced": lambda: drf(
        "rare", binomial_double_trees=True, balance_classes=True
    ),
    "drf-multinomial-balanced": lambda: drf("class3", ntrees=2, balance_classes=True),
    "drf-xrt-binomial": lambda: drf("class2", **XRT),
    "drf-xrt-double-trees": lambda: drf("rare", binomial_double_trees=True, **XRT),
    "drf-xrt-multinomial": lambda: drf("class3", ntrees=2, **XRT),
    "drf-xrt-regression": lambda: drf("y", **XRT),
    # Few rows and trees that end with one row: shares are equal, and one may be the threshold.
    "drf-deep-binomial": lambda: drf("rare", max_depth=20),
    "drf-deep-multinomial": lambda: drf("class3", ntrees=2, max_depth=20),
    "drf-deep-regression": lambda: drf("y", ntrees=1, max_depth=20),
    "drf-single-tree": lambda: drf("rare", ntrees=1),
    "drf-single-leaf": lambda: drf("class3", ntrees=2, min_split_improvement=0.9),
    "drf-mtries": lambda: drf("rare", mtries=1, col_sample_rate_per_tree=0.7),
    "drf-only-categories": lambda: drf("class2", x=CATEGORIES),
    "drf-grouped-levels": lambda: drf("class2", nbins_cats=8),
    "drf-sort-by-response": lambda: drf("class2", categorical_encoding="SortByResponse"),
    "drf-absent-class": lambda: drf("class3", ntrees=2),
    "drf-names": lambda: drf("rare", x=list(AWKWARD.values())),
    "drf-platt": lambda: drf("class2", calibrate_model=True, calibration_method="PlattScaling"),
    "drf-isotonic": lambda: drf(
        "class2", calibrate_model=True, calibration_method="IsotonicRegression"
    ),
    # Isolation forests, with and without a flag for what is an anomaly.
    "isolation": lambda: isolation(),
    "isolation-flag": lambda: isolation(contamination=0.1),
    "isolation-deep": lambda: isolation(ntrees=3, max_depth=20, sample_size=128),
    "isolation-many-trees": lambda: isolation(ntrees=20, max_depth=3),
    "isolation-single-tree": lambda: isolation(ntrees=1),
    "isolation-only-categories": lambda: isolation(x=CATEGORIES, contamination=0.2),
    "isolation-only-numbers": lambda: isolation(x=NUMBERS),
    "isolation-mtries": lambda: isolation(mtries=2, sample_rate=0.1, sample_size=-1),
    # All paths are equally long: the shortest is the longest.
    "isolation-one-split": lambda: isolation(ntrees=3, max_depth=1),
    "isolation-names": lambda: isolation(x=list(AWKWARD.values()), contamination=0.3),
    # Deep learning: every activation with every kind of answer, then the ways rows are prepared.
    **{
        f"dl-{activation.lower()}-{kind}": lambda a=activation, y=y: dl(y, activation=a)
        for activation in ["Rectifier", "Tanh", "Maxout"]
        for kind, y in [("binomial", "class2"), ("multinomial", "class3"), ("regression", "y")]
    },
    **{
        f"dl-{activation.lower()}-dropout-{kind}": lambda a=activation, y=y: dl(
            y, activation=a + "WithDropout", **DROPOUT
        )
        for activation in ["Rectifier", "Tanh", "Maxout"]
        for kind, y in [("binomial", "class2"), ("multinomial", "class3"), ("regression", "y")]
    },
    "dl-not-standardized-binomial": lambda: dl("class2", standardize=False),
    "dl-not-standardized-regression": lambda: dl("y", standardize=False),
    "dl-not-all-levels-binomial": lambda: dl("class2", use_all_factor_levels=False),
    "dl-not-all-levels-regression": lambda: dl("y", use_all_factor_levels=False),
    "dl-skip-missing-binomial": lambda: dl("class2", missing_values_handling="Skip"),
    "dl-skip-missing-regression": lambda: dl("y", missing_values_handling="Skip"),
    "dl-balanced-binomial": lambda: dl("rare", balance_classes=True),
    "dl-only-numbers": lambda: dl("class2", x=NUMBERS),
    "dl-only-categories": lambda: dl("class3", x=CATEGORIES),
    "dl-one-layer": lambda: dl("y", hidden=[5]),
    "dl-three-layers": lambda: dl("class3", hidden=[6, 5, 4]),
    "dl-poisson": lambda: dl("count", distribution="poisson"),
    "dl-gamma": lambda: dl("positive", distribution="gamma"),
    "dl-tweedie": lambda: dl("count", distribution="tweedie"),
    "dl-laplace": lambda: dl("y", distribution="laplace"),
    "dl-huber": lambda: dl("y", distribution="huber"),
    "dl-quantile": lambda: dl("y", distribution="quantile"),
    "dl-offset": lambda: dl("y", offset_column="offset"),
    "dl-sort-by-response": lambda: dl("class2", categorical_encoding="SortByResponse"),
    # H2O writes `_genmodel_encoding = null` for it, and cannot read that itself.
    "dl-enum-limited": lambda: dl("class2", categorical_encoding="EnumLimited"),
    # So few rows that the default threshold is the very probability of one of them.
    **{
        f"dl-threshold-{number}": lambda a=activation, seed=number: dl(
            "class2", activation=a, hidden=[10, 8], epochs=20, seed=seed
        )
        for number, activation in enumerate(
            ["Rectifier", "Tanh", "Maxout", "RectifierWithDropout", "TanhWithDropout"], 1
        )
    },
    # Linear models: every family with every link that H2O trains it with.
    "glm-binomial": lambda: (
        H2OGeneralizedLinearEstimator(family="binomial", seed=1), NUMBERS, "class2"
    ),
    **{
        f"glm-{family}-{link}": lambda y=y, family=family, link=link: glm(y, family, link=link)
        for y, family, links in [
            ("y", "gaussian", ["identity"]),
            ("positive", "gaussian", ["log", "inverse"]),
            ("class2", "binomial", ["logit"]),
            ("zero_one", "quasibinomial", ["logit"]),
            ("fraction", "fractionalbinomial", ["logit"]),
            ("count", "poisson", ["log", "identity"]),
            ("positive", "gamma", ["inverse", "log", "identity"]),
        ]
        for link in links
    },
    "glm-negativebinomial-log": lambda: glm("count", "negativebinomial", link="log", theta=0.5),
    # With categories H2O 3.46 fails to train it without more regularisation.
    "glm-negativebinomial-identity": lambda: glm(
        "count", "negativebinomial", NUMBERS, link="identity", theta=0.5
    ),
    # By the power of the link: 0 is the logarithm, 1 the identity.
    **{
        f"glm-tweedie-{name}": lambda power=power: glm(
            "positive", "tweedie", tweedie_variance_power=1.5, tweedie_link_power=power
        )
        for name, power in [("log", 0), ("identity", 1), ("root", 0.5), ("power", -0.7)]
    },
    "glm-multinomial": lambda: glm("class3", "multinomial"),
    "glm-multinomial-seven": lambda: glm("class7", "multinomial"),
    "glm-multinomial-skip": lambda: glm("class3", "multinomial", missing_values_handling="Skip"),
    "glm-ordinal": lambda: glm("class3", "ordinal"),
    "glm-ordinal-seven": lambda: glm("class7", "ordinal", **PLAIN),
    "glm-ordinal-skip": lambda: glm("class3", "ordinal", missing_values_handling="Skip"),
    # The ways to train one.
    "glm-plain-binomial": lambda: glm("class2", "binomial", **PLAIN),
    "glm-not-standardized": lambda: glm("y", "gaussian", standardize=False),
    "glm-no-intercept": lambda: glm("y", "gaussian", intercept=False),
    "glm-lambda-search": lambda: glm("class2", "binomial", lambda_search=True, nlambdas=10),
    "glm-weights": lambda: glm("rare", "binomial", weights_column="weight"),
    "glm-balanced": lambda: glm("rare", "binomial", balance_classes=True),
    "glm-p-values": lambda: glm("y", "gaussian", compute_p_values=True, **PLAIN),
    "glm-collinear": lambda: glm(
        "y", "gaussian", FEATURES + ["twice"], remove_collinear_columns=True, **PLAIN
    ),
    "glm-skip-binomial": lambda: glm("class2", "binomial", missing_values_handling="Skip"),
    "glm-skip-plain": lambda: glm("y", "gaussian", missing_values_handling="Skip", **PLAIN),
    "glm-plug-plain": lambda: glm(
        "class2", "binomial", missing_values_handling="PlugValues", **PLAIN
    ),
    "glm-only-categories": lambda: glm("class2", "binomial", CATEGORIES),
    "glm-names": lambda: glm("rare", "binomial", list(AWKWARD.values())),
    "glm-gaussian-offset": lambda: glm("y", "gaussian", offset_column="offset"),
    "glm-binomial-offset": lambda: glm("class2", "binomial", offset_column="offset"),
    "glm-poisson-offset": lambda: glm("count", "poisson", offset_column="offset"),
}


def maybe(chance, value, rng, other="NA"):
    return other if rng.random() < chance else value


def training_row(rng: random.Random) -> dict:
    a, b, c = rng.gauss(10, 4), rng.uniform(-1, 1), int(rng.expovariate(0.02))
    few, flag = rng.choice(FEW), rng.choice(FLAG)
    many = MANY[min(int(rng.expovariate(0.04)), len(MANY) - 1)]
    # Levels matter in an order unlike that of their names, so that splits are sets, not ranges.
    effect = (MANY.index(many) * 37 % 70) / 35 - 1
    score = 0.15 * (a - 10) + b * (1 if few == "red" else -1) + effect - 0.002 * (c - 50)
    score += 0.6 if flag == "1" else 0
    missing_b, missing_few = rng.random() < 0.12, rng.random() < 0.1
    score += 1.0 if missing_b else 0
    score -= 0.8 if missing_few else 0
    noise = rng.gauss(0, 0.5)
    offset = rng.choice([-0.5, 0.0, 0.25, 1.0])
    likely = 1 / (1 + math.exp(-(score + noise)))
    mean = math.exp(min(score / 2, 3) + offset / 4)
    y = f"{100 + 20 * score + 5 * noise + 3 * offset:.3f}"
    return {
        "a": maybe(0.04, f"{a:.4f}", rng),
        "b": "NA" if missing_b else f"{b:.4f}",
        "c": str(c),
        "few": "NA" if missing_few else few,
        "many": maybe(0.05, many, rng),
        "flag": maybe(0.05, flag, rng),
        "rare": "yes" if score + noise > 2.3 else "no",
        "class2": "late" if rng.random() < likely else "early",
        "class3": "high" if score + noise > 1.4 else "middle" if score + noise > -0.3 else "low",
        "y": y,
        "count": str(min(int(rng.expovariate(1 / mean)), 40)),
        "positive": f"{mean * (0.2 + rng.expovariate(1.0)):.4f}",
        "zero_one": "1" if rng.random() < likely else "0",
        "class7": f"k{min(max(int((float(y) - 40) / 18), 0), 6)}",
        "fraction": f"{1 / (1 + math.exp((100 - float(y)) / 40)):.4f}",
        "offset": str(offset),
        "weight": rng.choice(["0.5", "1.0", "2.0"]),
        SHARP: f"{c % 7}",
    }


def scored_row(rng: random.Random, index: int) -> dict:
    """More is missing than in training, and a tenth of the categories were never seen there."""
    row = training_row(rng)
    if index == 0:
        row |= dict.fromkeys(FEATURES, "NA")
    elif index == 1:
        row |= dict.fromkeys(CATEGORIES, UNSEEN[0])
    elif index == 2:
        row |= {"a": "1e30", "b": "-1e30", "c": "-5"}
    elif index == 3:
        row |= {"a": "-0.0", "b": "+7.5E-1", "c": "1e9"}
    elif index >= 20:
        for column in NUMBERS:
            row[column] = maybe(0.15, row[column], rng)
        for column in CATEGORIES:
            row[column] = maybe(0.1, maybe(0.1, row[column], rng, rng.choice(UNSEEN)), rng)
    return row


def threshold_rows(estimator, rows: list[dict]) -> list[dict]:
    """Values at the splits of the first trees, and the nearest doubles on either side.

    A reader that compares in single precision goes the wrong way on some of them.
    """
    made = []
    for number in range(3):
        tree = H2OTree(model=estimator, tree_number=number)
        for feature, threshold in zip(tree.features, tree.thresholds, strict=True):
            if feature is None or math.isnan(threshold):
                continue
            split = float(numpy.float32(threshold))
            row = rows[len(made) // 3 % 16 + 4]
            for value in (math.nextafter(split, -math.inf), split, math.nextafter(split, math.inf)):
                made.append(row | {feature: repr(value)})
    return made


def nearest_rows(estimator, path: Path, frame, rows: list[dict]) -> list[dict]:
    """The training rows whose probability is nearest to the default threshold."""
    with zipfile.ZipFile(path) as archive:
        info = archive.read("model.ini").decode().splitlines()
    threshold = float(next(line.split(" = ")[1] for line in info if "default_threshold" in line))
    predicted = estimator.predict(frame)[2].as_data_frame(use_pandas=False, header=False)
    distances = [abs(float(line[0]) - threshold) for line in predicted]
    return [rows[i] for i in sorted(range(len(rows)), key=distances.__getitem__)[:30]]


def write_rows(path: Path, columns: list[str], rows: list[dict]) -> None:
    """Separated by commas, or by tabs where a name holds a comma; without quotes."""
    separator = "\t" if any("," in column for column in columns) else ","
    form = {"delimiter": separator, "quoting": csv.QUOTE_NONE, "quotechar": None}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(
            file, columns, extrasaction="ignore", lineterminator="\n", **form
        )
        writer.writeheader()
        writer.writerows(rows)


def shrink(path: Path) -> None:
    """Drops the folder of metrics, most of a small MOJO and unused when scoring, from large ones.

    Smaller ones stay as H2O wrote them, so that both kinds of zip are among the files.
    """
    kind = path.name.split("-")[0].removesuffix(".zip")
    large = {"drf": LARGE_FOREST, "isolation": LARGE_FOREST, "glm": LARGE_GLM}.get(kind, LARGE)
    if path.stat().st_size < large:
        return
    with zipfile.ZipFile(path) as archive:
        entries = [e for e in archive.infolist() if "experimental/" not in e.filename]
        contents = [(entry.filename, archive.read(entry)) for entry in entries]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in contents:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def training_frame(folder: Path):
    rng = random.Random(20261123)
    columns = FEATURES + list(RESPONSES) + EXTRA + [SHARP]
    path = folder / "training.csv"
    rows = [training_row(rng) for _ in range(TRAINING_ROWS)]
    write_rows(path, columns, rows)
    types = dict.fromkeys(NUMBERS + EXTRA, "numeric") | dict.fromkeys(CATEGORIES, "enum")
    frame = h2o.import_file(str(path), header=1, col_types=types | RESPONSES, na_strings=["NA"])
    return frame, rows


def without_names(rows: list[dict]) -> list[dict]:
    return [row | {"few": ""} if row["few"] == "NA" else row for row in rows]


def frame_for(name: str, frame, rows: list[dict]):
    if name == "gbm-empty-level":
        # H2O's parser takes an empty field for NA, but not "" in quotes, which this sends.
        columns = {key: [row[key] for row in without_names(rows)] for key in ["few", "class2"]}
        named = h2o.H2OFrame(columns, column_types=["enum", "enum"])
        return named.cbind(frame["a"])
    if name.startswith(("dl-threshold", "drf-deep")):
        return frame[:THRESHOLD_ROWS, :]
    if name.endswith("-absent-class"):
        return frame[frame["class3"] != "low", :]
    if name.endswith("-names"):
        renamed = h2o.deep_copy(frame, "renamed")
        renamed.names = [AWKWARD.get(column, column) for column in frame.names]
        return renamed
    if name == "glm-collinear":
        double = frame["a"] * 2
        double.names = ["twice"]
        return frame.cbind(double)
    return frame


def plugs(frame):
    """A frame of one row, PLUGS, with the levels of `frame`."""
    row = frame[0, FEATURES]
    for column, value in PLUGS.items():
        row[0, column] = value
    return row


def score(classes: str, names: list[str]) -> None:
    """Answers of the Java runtime for each name, see Golden.java; compiles it into `classes`."""
    path = f"{JAR}:{classes}"
    subprocess.run(["javac", "-cp", JAR, "-d", classes, HERE / "Golden.java"], check=True)
    subprocess.run(
        ["java", "-Dfile.encoding=UTF-8", "-cp", path, "Golden", HERE, *names], check=True
    )


def main() -> None:
    names = sys.argv[1:] or list(MODELS)
    rng = random.Random(7)
    rows = [scored_row(rng, index) for index in range(SCORED_ROWS)]
    to_score, failed = [], []
    h2o.init(
        ip="127.0.0.1",
        port=54423,
        nthreads=1,
        max_mem_size="2G",
        strict_version_check=False,
        jvm_custom_args=["-Dfile.encoding=UTF-8"],
    )
    h2o.no_progress()
    try:
        with tempfile.TemporaryDirectory() as temporary:
            frame, training = training_frame(Path(temporary))
            for name in names:
                estimator, features, response = MODELS[name]()
                mine = frame_for(name, frame, training)
                if name.endswith(("-platt", "-isotonic")):
                    estimator.calibration_frame = frame
                if name.startswith("glm-plug"):
                    estimator.plug_values = plugs(frame)
                try:
                    estimator.train(x=features, y=response, training_frame=mine)
                except Exception as error:  # one model that H2O refuses must not lose the others
                    failed.append(f"{name}: {str(error).strip()[:300]}")
                    continue
                estimator.save_mojo(str(HERE), force=True, filename=f"{name}.zip")
                shrink(HERE / f"{name}.zip")
                offset = estimator.actual_params.get("offset_column")
                columns = features + (["offset"] if offset else [])
                scored = rows
                if name == "gbm-thresholds":
                    scored = threshold_rows(estimator, rows)
                elif name == "gbm-empty-level":
                    scored = without_names(rows)
                elif name.endswith("-names"):
                    scored = [{AWKWARD.get(k, k): row[k] for k in row} for row in rows]
                elif name.startswith("dl-threshold"):
                    path = HERE / f"{name}.zip"
                    scored = nearest_rows(estimator, path, mine, training[:THRESHOLD_ROWS])
                elif name == "glm-collinear":
                    scored = [row | {"twice": row["a"]} for row in rows]
                if name.startswith("glm-") and name != "glm-binomial":
                    scored = scored[:SCORED_ROWS_OF_GLM]
                if name in UNREADABLE:
                    continue
                write_rows(HERE / f"{name}.rows.csv", columns, scored)
                to_score.append(f"{name}:offset" if offset else name)
                print(name, flush=True)
            score(temporary, to_score)
    finally:
        h2o.cluster().shutdown()
    if failed:
        raise SystemExit("H2O refused:\n" + "\n".join(failed))


if __name__ == "__main__":
    main()

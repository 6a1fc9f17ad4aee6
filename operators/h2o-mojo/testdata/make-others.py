#!/usr/bin/env python3
"""Makes the MOJOs, rows and golden results of the algorithms that `make.py` does not train:
ensembles, clusters, isotonic regression, extended isolation forests, auto-encoders, principal
components, uplift, Cox, additive models, rules; and the encodings that rewrite rows.

Needs what `make.py` needs, whose data it uses:

    python operators/h2o-mojo/testdata/make-others.py [NAME...]
"""

import importlib
import random
import sys
import tempfile
from pathlib import Path

import h2o
from h2o.estimators import (
    H2OAutoEncoderEstimator,
    H2OCoxProportionalHazardsEstimator,
    H2ODeepLearningEstimator,
    H2OExtendedIsolationForestEstimator,
    H2OGeneralizedAdditiveEstimator,
    H2OGeneralizedLinearEstimator,
    H2OGeneralizedLowRankEstimator,
    H2OGradientBoostingEstimator,
    H2OIsotonicRegressionEstimator,
    H2OKMeansEstimator,
    H2OPrincipalComponentAnalysisEstimator,
    H2ORandomForestEstimator,
    H2ORuleFitEstimator,
    H2OStackedEnsembleEstimator,
    H2OUpliftRandomForestEstimator,
)

sys.path.insert(0, str(Path(__file__).resolve().parent))
make = importlib.import_module("make")
HERE, NUMBERS, CATEGORIES, FEATURES = make.HERE, make.NUMBERS, make.CATEGORIES, make.FEATURES

PORT = 54523
SCORED_ROWS = 60
# Base models: the smallest that still have something to say.
BASES = {
    "gbm": lambda: H2OGradientBoostingEstimator(ntrees=2, max_depth=3, seed=1),
    "drf": lambda: H2ORandomForestEstimator(ntrees=2, max_depth=3, seed=1),
    "xrt": lambda: H2ORandomForestEstimator(
        ntrees=2, max_depth=3, seed=1, histogram_type="Random"
    ),
    "dl": lambda: H2ODeepLearningEstimator(hidden=[4], epochs=2, reproducible=True, seed=1),
    "glm": lambda: H2OGeneralizedLinearEstimator(seed=1),
    # Predicts next to nothing, so that a linear metalearner does not use it.
    "weak": lambda: H2OGradientBoostingEstimator(ntrees=1, max_depth=1, seed=1, learn_rate=1e-6),
    # Another order of columns, and fewer of them.
    "few": lambda: H2OGradientBoostingEstimator(ntrees=2, max_depth=3, seed=2),
}
COLUMNS = {"few": ["few", "c", "a"], "weak": ["c"]}
FAMILIES = {"class2": "binomial", "class3": "multinomial", "rare": "binomial", "y": "gaussian"}


def ensemble(y, bases, frame=None, **more):
    def train(frame):
        models = []
        for number, base in enumerate(bases):
            estimator = BASES[base]()
            if base == "glm":
                estimator.family = FAMILIES[y]
            estimator.train(x=COLUMNS.get(base, FEATURES), y=y, training_frame=frame,
                            model_id=f"{base}_{number}")
            models.append(estimator)
        stacked = H2OStackedEnsembleEstimator(
            base_models=models, blending_frame=frame, seed=1, **more
        )
        stacked.train(x=FEATURES, y=y, training_frame=frame)
        return stacked

    return train


def plain(estimator, x=FEATURES, y=None, known=None, **more):
    """Trains on all columns but those it is told; on rows where the column `known` is known."""

    def train(frame):
        if known:
            frame = frame[frame[known].isna() == 0, :]
        made = estimator(**more)
        made.train(x=x, y=y, training_frame=frame)
        return made

    return train


KMEANS = {"k": 3, "seed": 1, "max_iterations": 5}
EIF = {"ntrees": 5, "sample_size": 32, "seed": 1}
AUTO = {"hidden": [4], "epochs": 2, "reproducible": True, "seed": 1}
PCA = {"k": 3, "seed": 1, "impute_missing": True}
UPLIFT = {"ntrees": 3, "max_depth": 3, "seed": 1, "treatment_column": "flag"}
UPLIFT_X = ["a", "b", "c", "few", "many"]
META = {
    "gbm": {"ntrees": 3, "max_depth": 2},
    "drf": {"ntrees": 3, "max_depth": 3},
    "deeplearning": {"hidden": [3], "epochs": 2, "reproducible": True},
    "glm": {},
}
NET = {"hidden": [5], "epochs": 2, "reproducible": True, "seed": 1}
TREES = {"ntrees": 2, "max_depth": 4, "seed": 1}
COX = {"stop_column": "positive"}
GAM = {"seed": 1}
RULES = {"seed": 1, "max_num_rules": 12, "min_rule_length": 2, "max_rule_length": 3,
         "rule_generation_ntrees": 4}

MODELS = {
    # Ensembles: each kind of response, each algorithm as base and as metalearner.
    "ensemble-binomial": ensemble("class2", ["gbm", "drf", "xrt", "glm", "dl", "few"]),
    "ensemble-multinomial": ensemble("class3", ["gbm", "drf", "glm", "dl"]),
    "ensemble-regression": ensemble("y", ["gbm", "drf", "glm", "dl", "few"]),
    "ensemble-logit": ensemble("class2", ["gbm", "glm", "few"], metalearner_transform="Logit"),
    "ensemble-logit-multinomial": ensemble(
        "class3", ["gbm", "glm"], metalearner_transform="Logit"
    ),
    "ensemble-unused": ensemble("y", ["weak", "gbm", "weak", "glm"]),
    "ensemble-rare": ensemble("rare", ["drf", "weak", "glm"]),
    **{
        f"ensemble-{meta}-{kind}": ensemble(
            y, ["gbm", "dl", "few"], metalearner_algorithm=meta,
            metalearner_params=META[meta] | {"seed": 1},
        )
        for meta in META
        for kind, y in [("binomial", "class2"), ("multinomial", "class3"), ("regression", "y")]
    },
    # Clusters.
    "kmeans": plain(H2OKMeansEstimator, **KMEANS),
    "kmeans-not-standardized": plain(H2OKMeansEstimator, standardize=False, **KMEANS),
    "kmeans-only-numbers": plain(H2OKMeansEstimator, x=NUMBERS, **(KMEANS | {"k": 7})),
    "kmeans-only-categories": plain(H2OKMeansEstimator, x=CATEGORIES, **KMEANS),
    "kmeans-one": plain(H2OKMeansEstimator, **(KMEANS | {"k": 1})),
    # Isotonic regression.
    "isotonic": plain(H2OIsotonicRegressionEstimator, x=["a"], y="y", known="a"),
    "isotonic-clip": plain(
        H2OIsotonicRegressionEstimator, x=["a"], y="y", known="a", out_of_bounds="clip"
    ),
    "isotonic-weights": plain(
        H2OIsotonicRegressionEstimator, x=["b"], y="zero_one", known="b", out_of_bounds="clip",
        weights_column="weight",
    ),
    # Extended isolation forests.
    "eif": plain(H2OExtendedIsolationForestEstimator, **EIF),
    "eif-extended": plain(H2OExtendedIsolationForestEstimator, extension_level=3, **EIF),
    "eif-only-numbers": plain(
        H2OExtendedIsolationForestEstimator, x=NUMBERS, extension_level=2, **EIF
    ),
    "eif-one-tree": plain(
        H2OExtendedIsolationForestEstimator, **(EIF | {"ntrees": 1, "sample_size": 2})
    ),
    # Auto-encoders.
    "ae-tanh": plain(H2OAutoEncoderEstimator, activation="Tanh", **AUTO),
    "ae-rectifier": plain(H2OAutoEncoderEstimator, activation="Rectifier", **AUTO),
    "ae-dropout": plain(
        H2OAutoEncoderEstimator, x=["a", "b", "few"], activation="TanhWithDropout",
        hidden_dropout_ratios=[0.5], **AUTO
    ),
    "ae-two-layers": plain(
        H2OAutoEncoderEstimator, x=["a", "b", "c", "few"], activation="Tanh",
        **(AUTO | {"hidden": [4, 3]}),
    ),
    "ae-only-numbers": plain(H2OAutoEncoderEstimator, x=NUMBERS, activation="Tanh", **AUTO),
    "ae-only-categories": plain(
        H2OAutoEncoderEstimator, x=["few", "flag"], activation="Tanh", **AUTO
    ),
    "ae-not-standardized": plain(
        H2OAutoEncoderEstimator, x=["b", "few"], activation="Tanh", standardize=False, **AUTO
    ),
    # Principal components.
    "pca": plain(H2OPrincipalComponentAnalysisEstimator, **PCA),
    **{
        f"pca-{transform.lower()}": plain(
            H2OPrincipalComponentAnalysisEstimator, x=FEATURES[:4], transform=transform, **PCA
        )
        for transform in ["STANDARDIZE", "NORMALIZE", "DEMEAN", "DESCALE"]
    },
    "pca-all-levels": plain(
        H2OPrincipalComponentAnalysisEstimator, use_all_factor_levels=True,
        transform="STANDARDIZE", **PCA
    ),
    "pca-only-numbers": plain(
        H2OPrincipalComponentAnalysisEstimator, x=NUMBERS, transform="STANDARDIZE", **PCA
    ),
    "pca-only-categories": plain(
        H2OPrincipalComponentAnalysisEstimator, x=CATEGORIES, pca_method="GLRM",
        use_all_factor_levels=True, **PCA
    ),
    # Uplift.
    **{
        f"uplift-{metric.lower()}": plain(
            H2OUpliftRandomForestEstimator, x=UPLIFT_X, y="class2", known="flag", uplift_metric=metric, **UPLIFT
        )
        for metric in ["KL", "Euclidean", "ChiSquared"]
    },
    # Cox.
    "coxph": plain(H2OCoxProportionalHazardsEstimator, x=["a", "b", "c"], y="zero_one", **COX),
    "coxph-categories": plain(
        H2OCoxProportionalHazardsEstimator, x=["a", "few", "flag"], y="zero_one", **COX
    ),
    "coxph-all-levels": plain(
        H2OCoxProportionalHazardsEstimator, x=["a", "few"], y="zero_one",
        use_all_factor_levels=True, **COX
    ),
    "coxph-strata": plain(
        H2OCoxProportionalHazardsEstimator, x=["a", "b", "few", "flag"], y="zero_one",
        stratify_by=["flag"], **COX
    ),
    "coxph-two-strata": plain(
        H2OCoxProportionalHazardsEstimator, x=["a", "few", "flag"], y="zero_one",
        stratify_by=["few", "flag"], **COX
    ),
    "coxph-interactions": plain(
        H2OCoxProportionalHazardsEstimator, x=["a", "b", "few"], y="zero_one",
        interactions=["a", "b"], **COX
    ),
    "coxph-interactions-mixed": plain(
        H2OCoxProportionalHazardsEstimator, x=["a", "b", "few", "flag"], y="zero_one",
        interaction_pairs=[("a", "few"), ("few", "flag")], **COX
    ),
    "coxph-weights": plain(
        H2OCoxProportionalHazardsEstimator, x=["a", "few", "b"], y="zero_one",
        weights_column="weight", **COX
    ),
    "coxph-offset": plain(
        H2OCoxProportionalHazardsEstimator, x=["a", "b"], y="zero_one", offset_column="offset",
        **COX
    ),
    # Encodings that rewrite rows.
    **{
        f"{kind}-encoded-{encoding.lower()}": plain(
            estimator, y=y, categorical_encoding=encoding, **params
        )
        for kind, estimator, params in [
            ("gbm", H2OGradientBoostingEstimator, TREES),
            ("drf", H2ORandomForestEstimator, TREES),
            ("dl", H2ODeepLearningEstimator, NET),
        ]
        for encoding, y in [
            ("OneHotExplicit", "class3"), ("Binary", "class2"), ("Eigen", "y"),
            ("LabelEncoder", "class2"), ("EnumLimited", "y"),
        ]
        # H2O trains no network with the one, and cannot read that of the other.
        if kind != "dl" or encoding not in ("OneHotExplicit", "EnumLimited")
    },
    "uplift-encoded-binary": plain(
        H2OUpliftRandomForestEstimator, x=UPLIFT_X, y="class2", known="flag",
        categorical_encoding="Binary", **UPLIFT
    ),
    **{
        f"ae-encoded-{encoding.lower()}": plain(
            H2OAutoEncoderEstimator, x=["a", "b", "few"], activation="Tanh",
            categorical_encoding=encoding, **AUTO
        )
        for encoding in ["Binary", "Eigen", "LabelEncoder"]
    },
    # Additive models.
    **{
        f"gam-{name}": plain(
            H2OGeneralizedAdditiveEstimator, x=x, y=y, family=family, gam_columns=columns,
            bs=bs, num_knots=knots, scale=[0.1] * len(columns), **(GAM | more)
        )
        for name, y, family, x, columns, bs, knots, more in [
            ("gaussian", "y", "gaussian", ["b", "few"], ["a"], [0], [5], {}),
            ("binomial", "class2", "binomial", ["b", "few", "flag"], ["a", "c"], [0, 0], [5, 4], {}),
            ("multinomial", "class3", "multinomial", ["b", "few"], ["a"], [0], [5], {}),
            ("tp", "y", "gaussian", ["b", "few"], ["a"], [1], [6], {}),
            ("tp-two", "class2", "binomial", ["few"], [["a", "b"]], [1], [8], {}),
            ("tp-three", "y", "gaussian", ["few"], [["a", "b", "c"]], [1], [14], {}),
            ("tp-cubic", "class3", "multinomial", ["few"], ["a", ["b", "c"], "b"], [0, 1, 1],
             [5, 8, 6], {}),
            ("is", "y", "gaussian", ["b", "few"], ["a"], [2], [5],
             {"spline_orders": [3], "non_negative": True}),
            ("is-cubic", "y", "gaussian", ["b", "few"], ["a", "c"], [2, 0], [5, 4],
             {"spline_orders": [3, 3], "non_negative": True}),
            ("is-order", "class2", "binomial", ["few"], ["a"], [2], [6],
             {"spline_orders": [1], "non_negative": True}),
            ("ms-order", "class3", "multinomial", ["few"], ["c"], [3], [4], {"spline_orders": [4]}),
            ("tweedie", "positive", "tweedie", ["few"], ["a"], [0], [5],
             {"tweedie_variance_power": 1.5, "tweedie_link_power": 0, "link": "tweedie"}),
            ("gamma", "positive", "gamma", ["few"], ["a"], [0], [5], {"link": "log"}),
            ("quasibinomial", "zero_one", "quasibinomial", ["few"], ["a"], [0], [5], {}),
            ("in-both", "y", "gaussian", ["a", "few"], ["a"], [0], [5], {}),
            ("poisson", "count", "poisson", ["few"], ["a", "b"], [0, 0], [4, 6], {}),
            ("ms", "y", "gaussian", ["b", "few"], ["a"], [3], [5], {"spline_orders": [3]}),
        ]
    },
    # Rules.
    **{
        f"rulefit-{name}": plain(H2ORuleFitEstimator, y=y, **(RULES | more))
        for name, y, more in [
            ("rules-regression", "y", {"model_type": "rules"}),
            ("rules-binomial", "class2", {"model_type": "rules"}),
            ("both-binomial", "class2", {"model_type": "rules_and_linear"}),
            ("both-multinomial", "class3", {"model_type": "rules_and_linear"}),
            ("linear-regression", "y", {"model_type": "linear"}),
        ]
    },
    "glrm": plain(H2OGeneralizedLowRankEstimator, x=NUMBERS, k=2, seed=1, max_iterations=5),
}
# Columns of a row beside the features, by the beginning of a model's name.
MORE_COLUMNS = {"coxph-offset": ["offset"]}


def main() -> None:
    names = sys.argv[1:] or list(MODELS)
    rng = random.Random(7)
    rows = [make.scored_row(rng, index) for index in range(SCORED_ROWS)]
    to_score, failed = [], []
    h2o.init(
        ip="127.0.0.1", port=PORT, nthreads=1, max_mem_size="2G", strict_version_check=False,
        jvm_custom_args=["-Dfile.encoding=UTF-8"],
    )
    h2o.no_progress()
    try:
        with tempfile.TemporaryDirectory() as temporary:
            frame, _ = make.training_frame(Path(temporary))
            for name in names:
                try:
                    model = MODELS[name](frame)
                    model.save_mojo(str(HERE), force=True, filename=f"{name}.zip")
                except Exception as error:  # one that H2O refuses must not lose the others
                    failed.append(f"{name}: {str(error).strip()[:900]}")
                    print("FAILED", failed[-1], flush=True)
                    (HERE / f"{name}.zip").unlink(missing_ok=True)  # it holds the answer
                    continue
                make.shrink(HERE / f"{name}.zip")
                columns = FEATURES + MORE_COLUMNS.get(name, [])
                make.write_rows(HERE / f"{name}.rows.csv", columns, rows)
                to_score.append(name + (":offset" if "offset" in columns else ""))
                print(name, flush=True)
            make.score(temporary, to_score)
    finally:
        h2o.cluster().shutdown()
    if failed:
        raise SystemExit("H2O refused:\n" + "\n".join(failed))


if __name__ == "__main__":
    main()

"""Makes corpus/mojo-entries and corpus/xgboost from models in the tests of h2o-mojo and of
xgboost-model: one of each shape. Of XGBoost's lists of trees, the first few are kept, so that
changes meet what is read and not the same once more."""

import json
import pathlib
import struct
import zipfile
import zlib

MODELS = """
dl-one-layer dl-only-numbers drf-binomial drf-binomial-double-trees drf-deep-multinomial
drf-multinomial drf-regression gbm-bernoulli gbm-enum-limited gbm-gaussian-offset
gbm-grouped-levels gbm-multinomial gbm-one-hot-explicit gbm-poisson glm-binomial
glm-multinomial-skip glm-ordinal-skip glm-tweedie-power isolation
isolation-flag v3.10.0.10-drf-binomial v3.10.0.10-gbm-bernoulli
""".split()

here = pathlib.Path(__file__).parent
corpus = here / "corpus" / "mojo-entries"
corpus.mkdir(parents=True, exist_ok=True)
for model in MODELS:
    entries = b""
    with zipfile.ZipFile(here.parent / "h2o-mojo" / "testdata" / f"{model}.zip") as archive:
        for name in archive.namelist():
            if name.startswith("experimental/") or name.endswith("_aux.bin"):
                continue
            data = archive.read(name)
            entries += name.encode() + b"\0" + struct.pack("<I", len(data)) + data
    (corpus / model).write_bytes(entries)

XGBOOST = """
v1.7.6-categories-partition v1.7.6-gblinear-logistic v1.7.6-names v1.7.6-rank-ndcg
v2.1.4-categories-one-hot v2.1.4-single-leaf v3.2.0-quantiles v3.4.1-dart v3.4.1-forest
v3.4.1-forest-softprob v3.4.1-gblinear-softprob v3.4.1-named-texts v3.4.1-no-rounds
v3.4.1-single-leaf v3.4.1-targets-logistic
""".split()

xgboost = here.parent / "xgboost-model" / "testdata"
corpus = here / "corpus" / "xgboost"
corpus.mkdir(parents=True, exist_ok=True)
for model in XGBOOST:
    path = next(xgboost.glob(f"{model}.[ju]*.z"))
    data = zlib.decompress(path.read_bytes())
    if path.name.endswith(".json.z"):
        document = json.loads(data)
        booster = document["learner"]["gradient_booster"]
        trees = booster.get("gbtree", booster)["model"]
        keep = 1 + max(trees.get("tree_info", []), default=0)
        for key in ("trees", "tree_info"):
            trees[key] = trees.get(key, [])[:keep]
        for owner in (booster, trees):
            if "weight_drop" in owner:
                owner["weight_drop"] = owner["weight_drop"][:keep]
        if "iteration_indptr" in trees:
            trees["iteration_indptr"] = [0, keep] if trees["trees"] else [0]
        data = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    if len(data) <= 20_000:
        (corpus / path.name[:-2]).write_bytes(data)

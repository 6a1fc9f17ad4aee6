"""Makes corpus/mojo-entries from models in the tests of h2o-mojo: one of each shape."""

import pathlib
import struct
import zipfile

MODELS = """
ae-dropout coxph-interactions-mixed coxph-two-strata dl-encoded-eigen drf-encoded-binary
eif-one-tree ensemble-deeplearning-regression ensemble-logit gam-gaussian gam-multinomial gam-is gam-ms gam-tp-cubic
gbm-encoded-enumlimited gbm-encoded-labelencoder isotonic kmeans kmeans-not-standardized
pca-only-numbers rulefit-rules-regression uplift-kl
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
            if "experimental/" in name or name.endswith("_aux.bin"):
                continue
            data = archive.read(name)
            entries += name.encode() + b"\0" + struct.pack("<I", len(data)) + data
    (corpus / model).write_bytes(entries)

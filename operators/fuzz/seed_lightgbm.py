"""Makes corpus/lightgbm from models in the tests of lightgbm-model: one of each shape, their first trees.

Neither the sizes of trees nor the parameters stay: with the sizes, hardly any change to a tree would be looked at.
"""

import gzip
import pathlib

MODELS = """
binary-sigmoid categories categories-sparse cross-entropy-lambda custom-classes linear-categories linear-missing
missing-off-regression missing-zero-binary monotone multiclass multiclassova-sigmoid no-trees
one-leaf-absent-class pandas regression-sqrt rf-multiclass v3-categories-missing
""".split()
TREES = 4

here = pathlib.Path(__file__).parent
corpus = here / "corpus" / "lightgbm"
corpus.mkdir(parents=True, exist_ok=True)
for model in MODELS:
    text = gzip.decompress((here.parent / "lightgbm-model" / "testdata" / f"{model}.txt.gz").read_bytes()).decode()
    trees, rest = text.split("end of trees\n")
    per_round = int(trees.split("num_tree_per_iteration=")[1].split("\n")[0])
    head, *trees = trees.split("Tree=")
    head = "".join(line for line in head.splitlines(True) if not line.startswith("tree_sizes="))
    trees = trees[: max(TREES // per_round, 1) * per_round]
    kept = [line for line in rest.splitlines() if line.startswith(("parameters:", "[categorical_feature", "end of para", "pandas"))]
    text = head + "".join("Tree=" + tree for tree in trees) + "end of trees\n\n" + "\n".join(kept) + "\n"
    (corpus / model).write_text(text, encoding="utf-8")

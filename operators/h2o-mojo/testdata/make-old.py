#!/usr/bin/env python3
"""Makes a few MOJOs with an older H2O, whose files have older versions of the format.

Start the old server with a Java of its time (`java -jar h2o.jar -port 54431 -nthreads 1`), then

    python operators/h2o-mojo/testdata/make-old.py http://127.0.0.1:54431

It speaks plain REST to that server, and otherwise needs what make.py needs. Files are named after
the server's version; answers come from the Java runtime of H2O 3.46.0.6, which reads every version.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import make

MODELS = {
    "gbm-bernoulli": ("gbm", "class2", {"ntrees": 4, "max_depth": 4, "learn_rate": 0.3}),
    "gbm-multinomial": ("gbm", "class3", {"ntrees": 3, "max_depth": 4, "learn_rate": 0.3}),
    "gbm-gaussian": ("gbm", "y", {"ntrees": 4, "max_depth": 4, "learn_rate": 0.3}),
    "gbm-poisson": ("gbm", "count", {"ntrees": 3, "max_depth": 4, "distribution": "poisson"}),
    "gbm-single-leaf": ("gbm", "class2", {"ntrees": 2, "min_split_improvement": 0.9}),
    "drf-binomial": ("drf", "class2", {"ntrees": 3, "max_depth": 4}),
    "drf-multinomial": ("drf", "class3", {"ntrees": 2, "max_depth": 4}),
    "dl-rectifier-binomial": ("deeplearning", "class2", {"activation": "Rectifier"}),
    "dl-maxout-multinomial": ("deeplearning", "class3", {"activation": "Maxout"}),
    "dl-tanh-regression": ("deeplearning", "y", {"activation": "TanhWithDropout"}),
}
DEEP_LEARNING = {"hidden": "[8,6]", "epochs": 5, "reproducible": "true"}


def call(server: str, path: str, form: dict | None = None) -> dict:
    data = None if form is None else urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(server + path, data, timeout=120) as reply:
        return json.load(reply)


def finished(server: str, job: dict) -> None:
    while True:
        state = call(server, f"/3/Jobs/{urllib.parse.quote(job['key']['name'])}")["jobs"][0]
        if state["status"] == "DONE":
            return
        if state["status"] in ("FAILED", "CANCELLED"):
            raise RuntimeError(state["exception"])
        time.sleep(0.2)


def import_training(server: str, folder: Path) -> None:
    rng = random.Random(20261123)
    columns = make.FEATURES + list(make.RESPONSES) + make.EXTRA
    path = folder / "training.csv"
    rows = [make.training_row(rng) for _ in range(make.TRAINING_ROWS)]
    make.write_rows(path, columns, rows)
    kinds = dict.fromkeys(make.NUMBERS + make.EXTRA, "Numeric")
    kinds |= dict.fromkeys(make.CATEGORIES, "Enum")
    kinds |= {name: kind.capitalize() for name, kind in make.RESPONSES.items()}
    source = call(server, "/3/ImportFiles?path=" + urllib.parse.quote(str(path)))
    form = {
        "destination_frame": "training",
        "source_frames": json.dumps(source["destination_frames"]),
        "parse_type": "CSV",
        "separator": ord(","),
        "number_columns": len(columns),
        "single_quotes": "false",
        "column_names": json.dumps(columns),
        "column_types": json.dumps([kinds[column] for column in columns]),
        "na_strings": json.dumps([["NA"]] * len(columns)),
        "check_header": 1,
        "delete_on_done": "true",
        "chunk_size": 4_194_304,
    }
    finished(server, call(server, "/3/Parse", form)["job"])


def main() -> None:
    server = sys.argv[1].rstrip("/")
    version = call(server, "/3/Cloud")["version"]
    rng = random.Random(7)
    rows = [make.scored_row(rng, index) for index in range(make.SCORED_ROWS)]
    ignored = set(make.RESPONSES) | set(make.EXTRA)
    names = []
    with tempfile.TemporaryDirectory() as temporary:
        import_training(server, Path(temporary))
        for short, (algorithm, response, parameters) in MODELS.items():
            name = f"v{version}-{short}"
            form = {
                "model_id": name.replace(".", "_"),
                "training_frame": "training",
                "response_column": response,
                "ignored_columns": json.dumps(sorted(ignored - {response})),
                "seed": 1,
            } | parameters
            if algorithm == "deeplearning":
                form |= DEEP_LEARNING
            try:
                built = call(server, f"/3/ModelBuilders/{algorithm}", form)
                finished(server, built["job"])
                url = f"{server}/3/Models/{form['model_id']}/mojo"
                with urllib.request.urlopen(url, timeout=120) as reply:
                    (make.HERE / f"{name}.zip").write_bytes(reply.read())
            except (OSError, RuntimeError) as error:  # not every version exports every algorithm
                print(f"{name}: left out: {error}")
                continue
            make.shrink(make.HERE / f"{name}.zip")
            make.write_rows(make.HERE / f"{name}.rows.csv", make.FEATURES, rows)
            names.append(name)
            print(name, flush=True)
        make.score(temporary, names)


if __name__ == "__main__":
    main()

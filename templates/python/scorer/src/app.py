"""A scorer: of each row of features, a prediction.

This one is a logistic regression whose weights are in the configuration. A model with a
file of its own comes by `setup.load_model()`, one that the runner computes (ONNX,
TensorFlow) by `setup.load_graph()`; vendor/sandbar.py says more."""

from math import exp

import sandbar
from sandbar import Failure


class Logistic:
    """A logistic regression."""

    def __init__(self, setup, classes, weights, intercept=0.0):
        """The stage's `config` table in the pipeline's manifest: two `classes`, of which the
        second is the one that the weights speak for; `weights` by feature; and `intercept`,
        which is added to the weighted sum."""
        if len(classes) != 2:
            raise ValueError("'classes': expected two names")
        for feature in weights:
            if setup.features.get(feature) != "number":
                raise ValueError(f"feature '{feature}': no numbers from the extractor")
        self.classes = classes
        self.weights = weights
        self.intercept = intercept

    def score(self, row):
        total = self.intercept
        for feature, weight in self.weights.items():
            if row[feature] is None:
                raise Failure.missing(f"feature '{feature}' is missing")
            total += weight * row[feature]
        # exp() of less than -709 would be an error here.
        probability = 1 / (1 + exp(-total)) if total > -700 else 0.0
        return {self.classes[0]: 1 - probability, self.classes[1]: probability}


Scoring = sandbar.scorer(Logistic)

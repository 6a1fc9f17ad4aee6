"""Logistic regressions as JSON: the scorer `logit-score`.

The model is the stage's main one, of kind `file`; its file has `classes` (two, of which the
second is the one that weights speak for), `intercept`, `numbers` (by feature: `mean`, `scale`
and `weight`) and `categories` (by feature: a weight for each level)."""

from math import exp

import sandbar


class LogisticRegression:
    """A logistic regression; the stage has no configuration but its model."""

    def __init__(self, setup):
        try:
            model = sandbar.read_json(setup.load_model())
        except sandbar.Failure as failure:
            raise ValueError(f"the model's file: {failure}") from None
        try:
            self.classes = [str(label) for label in model["classes"]]
            self.intercept = float(model["intercept"])
            self.numbers = [
                (feature, float(it["mean"]), float(it["weight"]) / float(it["scale"]))
                for feature, it in model["numbers"].items()
            ]
            self.categories = list(model["categories"].items())
        except KeyError as key:
            raise ValueError(f"the model's file: key {key} is missing") from None
        if len(self.classes) != 2:
            raise ValueError(f"the model's file: 'classes': expected 2, got {len(self.classes)}")
        wanted = {feature: "number" for feature, _, _ in self.numbers}
        wanted.update((feature, "text") for feature, _ in self.categories)
        for feature, kind in wanted.items():
            if setup.features.get(feature) != kind:
                raise ValueError(f"feature '{feature}': expected a column of type {kind} from the extractor")

    def score(self, row):
        """What is missing, and a level that the model does not know, weighs nothing: a missing
        number counts as the mean."""
        total = self.intercept
        for feature, mean, weight in self.numbers:
            number = row[feature]
            if number is not None:
                total += (number - mean) * weight
        for feature, levels in self.categories:
            total += levels.get(row[feature], 0.0)
        # Of the two forms the one whose exponential cannot overflow.
        if total < 0:
            second = exp(total) / (1 + exp(total))
        else:
            second = 1 / (1 + exp(-total))
        return dict(zip(self.classes, (1 - second, second)))


Scoring = sandbar.scorer(LogisticRegression)

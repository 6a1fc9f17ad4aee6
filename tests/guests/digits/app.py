"""Digits, by a graph that the runner computes."""

import sandbar


class Digits:
    classes = [str(digit) for digit in range(10)]

    def __init__(self, setup):
        self.graph = setup.load_graph()
        ((self.feature, _),) = setup.features.items()

    def score(self, row):
        image = row[self.feature]
        tensor = sandbar.Tensor("fp32", [1, *image.dimensions], image)
        (output,) = self.graph.compute({"0": tensor}).values()
        return dict(zip(self.classes, output.numbers()))


Scoring = sandbar.scorer(Digits)

/** Digits, by a graph that the runner computes. */

import { Graph } from "../vendor/graph.js";
import { Tensor, scorer } from "../vendor/sandbar.js";

class Digits {
  classes = Array.from({ length: 10 }, (_, digit) => String(digit));

  constructor(setup) {
    this.graph = new Graph(setup.model());
    [this.feature] = Object.keys(setup.features);
  }

  score(row) {
    const image = row[this.feature];
    const tensor = new Tensor("fp32", [1, ...image.dimensions], image);
    const [output] = Object.values(this.graph.compute({ 0: tensor }));
    const numbers = output.numbers();
    return Object.fromEntries(this.classes.map((name, digit) => [name, numbers[digit]]));
  }
}

export const scoring = scorer(Digits);

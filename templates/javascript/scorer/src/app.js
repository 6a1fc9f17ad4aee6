/**
 * A scorer: of each row of features, a prediction.
 *
 * This one is a logistic regression whose weights are in the configuration. A model with a
 * file of its own comes by `setup.loadModel()`, one that the runner computes (ONNX,
 * TensorFlow) by vendor/graph.js; vendor/sandbar.js says what else there is.
 */

import { Failure, scorer } from "../vendor/sandbar.js";

/** A logistic regression. */
class Logistic {
  /**
   * The stage's `config` table in the pipeline's manifest: two `classes`, of which the second
   * is the one that the weights speak for; `weights` by feature; and `intercept`, which is
   * added to the weighted sum.
   */
  static config = { classes: undefined, weights: undefined, intercept: 0 };

  constructor(setup, { classes, weights, intercept }) {
    if (classes.length !== 2) throw new Error("'classes': expected two names");
    for (const feature of Object.keys(weights)) {
      if (setup.features[feature] !== "number") {
        throw new Error(`feature '${feature}': no numbers from the extractor`);
      }
    }
    this.classes = classes;
    this.weights = Object.entries(weights);
    this.intercept = intercept;
  }

  score(row) {
    let sum = this.intercept;
    for (const [feature, weight] of this.weights) {
      if (row[feature] === null) throw Failure.missing(`feature '${feature}' is missing`);
      sum += weight * row[feature];
    }
    const probability = 1 / (1 + Math.exp(-sum));
    return { [this.classes[0]]: 1 - probability, [this.classes[1]]: probability };
  }
}

export const scoring = scorer(Logistic);

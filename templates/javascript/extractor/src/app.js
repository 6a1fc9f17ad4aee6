/**
 * An extractor: of each record, a row of features.
 *
 * This one counts the words of a text and takes the first. Put your own features in their
 * place; vendor/sandbar.js says what else there is.
 */

import { Failure, extractor } from "../vendor/sandbar.js";

/** Words of a text. */
class Words {
  /** The stage's `config` table in the pipeline's manifest: bytes of the longest value. */
  static config = { longest: 65_536 };

  features = { words: "number", first: "text" };

  constructor(setup, { longest }) {
    if (longest === 0) throw new Error("'longest': must be greater than zero");
    this.longest = longest;
  }

  extract(record) {
    if (record.value === null) throw Failure.missing("the value is null");
    if (record.value.length > this.longest) {
      throw Failure.tooLarge(`${record.value.length} bytes exceed 'longest' (${this.longest})`);
    }
    const words = record.text().split(/\s+/).filter((word) => word !== "");
    return { words: words.length, first: words[0] };
  }
}

export const extraction = extractor(Words);

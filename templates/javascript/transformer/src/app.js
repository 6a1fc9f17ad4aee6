/**
 * A transformer: of each record, none, one or several.
 *
 * This one tidies up texts: it drops empty ones, cuts off the white space around the others
 * and says in a header how many words they have. What is too long goes to the first of the
 * stage's `topics`. Put your own work in its place; vendor/sandbar.js says what else there is.
 */

import { Failure, transformer } from "../vendor/sandbar.js";

/** Tidies up texts. */
class Tidy {
  /** The stage's `config` table in the pipeline's manifest: bytes of the longest text. */
  static config = { longest: 65_536 };

  constructor(setup, { longest }) {
    if (longest === 0) throw new Error("'longest': must be greater than zero");
    this.longest = longest;
    this.aside = setup.topics[0];
  }

  transform(record) {
    // A tombstone, as a record without a value is called.
    if (record.value === null) return null;
    const text = record.text().trim();
    if (text === "") return null;
    const { length } = new TextEncoder().encode(text);
    if (length > this.longest) {
      if (this.aside === undefined) {
        throw Failure.tooLarge(`${length} bytes exceed 'longest' (${this.longest})`);
      }
      return record.derive({ to: this.aside });
    }
    return record.derive({ value: text }).addHeader("words", String(text.split(/\s+/).length));
  }
}

export const transformation = transformer(Tidy);

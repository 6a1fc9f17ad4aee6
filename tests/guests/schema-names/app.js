// What the schema of a name says, or the code of the failure.

import { Failure, transformer } from "../vendor/sandbar.js";
import { schemaByName } from "../vendor/schemas.js";

class SchemaNames {
  transform(record) {
    let value;
    try {
      const { language, text, references } = schemaByName(record.text());
      const others = references.map((it) => `${it.name} = ${it.text}`);
      value = [language, text, ...others].join(" | ");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      value = error.code;
    }
    return record.derive({ value });
  }
}

export const transformation = transformer(SchemaNames);

/**
 * Schemas of records, for operators of the worlds `extractor-with-schemas` and
 * `transformer-with-schemas` (docs/reference/schemas.md): the other worlds do not have them, so
 * this is a module of its own.
 *
 *     import { schemaById } from "../vendor/schemas.js";
 *
 *     const { language, text, references } = schemaById(7);
 *
 * A schema has its `language` ("avro", "protobuf" or "json-schema"), its `text`, and in `references`
 * all that it refers to, directly or not, each with its `name` and `text`.
 *
 * Where there is none, a Failure says why, with the code with which a record fails that needs it:
 * "unavailable" if the registry does not answer, so that its batch is tried again. The runner keeps
 * what it has found, but a schema is copied with each answer: keep what you make of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */

import { byGuid, byId, byName, bySubject } from "sandbar:schemas/schemas@0.1.0";

import { Failure } from "./sandbar.js";

/** The code with which a record fails that needs a schema. */
const CODES = {
  denied: "unsupported",
  "not-found": "invalid",
  "too-large": "too-large",
  invalid: "invalid",
  unavailable: "unavailable",
};

/** The schema with this id, as it is in front of a record. */
export const schemaById = (id) => found(() => byId(id));

/** The schema with this globally unique id, 16 bytes, as it is in a record's header. */
export const schemaByGuid = (guid) => found(() => byGuid(guid));

/** A version of a subject, without one the latest. */
export const schemaBySubject = (subject, version) => found(() => bySubject(subject, version));

/** A file of `[schemas.files]`. */
export const schemaByName = (name) => found(() => byName(name));

function found(ask) {
  try {
    return ask();
  } catch (error) {
    const { payload } = error;
    if (payload?.code === undefined) throw error;
    throw new Failure(CODES[payload.code] ?? "internal", payload.message);
  }
}

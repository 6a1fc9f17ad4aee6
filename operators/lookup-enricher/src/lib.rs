//! Adds columns of a lookup table to records: to their JSON object, to their line of CSV,
//! or as headers.
//!
//! The table is the file of the stage's main model, of kind `file`: CSV (RFC 4180) with
//! the names of its columns in the first line. Another table is another folder. A few
//! rows may stand in the stage's `config` instead.
//!
//! ```toml
//! [[stages]]
//! name = "origin"
//! component = "operators/target/wasm32-wasip2/release/lookup_enricher.wasm"
//! models = ["airports"]
//!
//! [stages.config]
//! key = { field = "Origin" }              # of the record's JSON object
//! columns = ["city", "latitude"]          # of the table; default: all but its key
//! numbers = ["latitude"]                  # which of them are numbers
//! prefix = "origin_"
//! on_miss = "empty"
//! ```
//!
//! makes `{"Origin":"SFO","origin_city":"San Francisco","origin_latitude":37.618806}` of
//! `{"Origin":"SFO"}`. [`Config`] has all keys.
//!
//! What is there of a record stays as it is, to the byte: numbers keep their digits, keys
//! their order. Added fields stand at the end.
//!
//! | record | result |
//! |---|---|
//! | its key is in the table | the row's columns are added |
//! | ... is not | `on_miss`: `"fail"` (`invalid`), `"empty"`, `"pass"`, `"drop"` |
//! | it has no key, or an empty or null one | `on_no_key`, the same; `"fail"` is `missing` |
//! | a null value (tombstone), where the value is needed | passed on as it is |
//! | a field or header of an added name is there already | `existing`: `"fail"` (`invalid`), or `"keep"` |
//! | a byte order mark of UTF-8 at the start | stays where it is, and is no part of the first column |
//! | an empty or blank value, for a JSON object | `missing` |
//! | the key's field or an added one twice; not one JSON object, or not UTF-8; wrong quotes; several lines | `malformed` |
//! | the key is an object or a list | `invalid` |
//! | UTF-16, UTF-32 | `unsupported` |
//!
//! Records and tables are read by [`sandbar_operator::text`], as in all operators: a table may
//! have a byte order mark, and what is wrong in a record is wrong in it, too.
//!
//! An empty cell of the table, or a row's worth of them (`"empty"`), is `null` in JSON,
//! nothing between two separators in CSV, and a header without a value.

mod config;
mod object;
mod operator;
mod table;

pub use config::{Absent, Config, Existing, Format, Into, Key};
pub use operator::LookupEnricher;

sandbar_operator::transformer!(LookupEnricher);

//! Keeps the records for which an expression holds: a transformer for any records.
//!
//! The expression ([`Config::keep`]) names columns of the record, which are read as
//! `record-features` reads them, and the record's key, headers and place in its topic:
//!
//! ```toml
//! [[stages]]
//! name = "filter"
//! component = "builtin:record-filter"
//!
//! [stages.config]
//! keep = 'amount > 0 && country != "US" && !has(headers.test)'
//! columns = ["amount", { name = "country", from = "customer.country", type = "text" }]
//! ```
//!
//! | record | result |
//! |---|---|
//! | `keep` is true | it goes to the next stage, or to the sink, as it is |
//! | `keep` is false | it is filtered out, and counted |
//! | `keep` depends on a value that is missing | `on_missing`: `"fail"` (`missing`), `"keep"`, `"drop"` |
//! | a column that `keep` comes to cannot be read, or is not there at all; `keep` cannot be computed | it fails, with the code that `record-features` gives |
//!
//! Without `columns` the value is not looked at. An expression that is wrong is refused before the
//! first record, with its place. `docs/reference/operators.md` has all keys.

mod config;
mod operator;

pub use config::{Config, OnMissing};
pub use operator::RecordFilter;

sandbar_operator::transformer!(RecordFilter);

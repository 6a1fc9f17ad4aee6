//! Records to the columns that a model wants: an extractor for any records.
//!
//! A record's value is a JSON object, a line of CSV or a text. Which columns go out, and of
//! which type, is what the stage's models want: a MOJO says it, and a graph by its inputs.
//! Configuration ([`Config`]) says where else a column comes from, and what counts as missing:
//!
//! ```toml
//! [stages.config]
//! format = "json"
//! missing = ["NA"]
//! columns = [
//!     { name = "age", from = "customer.age", default = 40 },
//!     { name = "country", from = { header = "country" } },
//!     { name = "is-adult", expression = "age >= 18" },
//! ]
//! ```
//!
//! `docs/reference/record-features.md` has all keys, and what each record gives.
//!
//! `record-columns` reads the records; here is what the component adds: `models`, what the stage's
//! models want, and `operator`, the extractor.

mod models;
mod operator;

pub use operator::RecordFeatures;
pub use record_columns::Config;

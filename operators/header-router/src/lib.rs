//! Filters and routes records by their headers; their keys and values are not looked at.
//!
//! Rules are tried in order, and the first that holds decides. Without one `otherwise`
//! does.
//!
//! ```toml
//! [[stages]]
//! name = "route"
//! component = "operators/target/wasm32-wasip2/release/header_router.wasm"
//! topics = ["orders-eu", "orders-us"]     # where the rules may send records
//!
//! [stages.config]
//! otherwise = "pass"
//!
//! [[stages.config.rules]]                 # nobody's business any further
//! header = "test"
//! present = true
//! to = "drop"
//!
//! [[stages.config.rules]]
//! header = "country"
//! values = ["DE", "FR", "IT"]
//! to = { topic = "orders-eu" }
//!
//! [[stages.config.rules]]
//! header = "country"
//! pattern = "^US(-[A-Z]{2})?$"
//! to = { topic = "orders-us" }
//! ```
//!
//! | destination | what happens to the record |
//! |---|---|
//! | `"pass"` | it goes to the next stage, or to the sink, as it is |
//! | `{ topic = "..." }` | it goes to this topic, past the stages that remain, as it is |
//! | `"drop"` | nothing: it is filtered out |
//! | `"fail"` | it becomes a dead letter with code `unsupported` |
//!
//! | condition | holds for |
//! |---|---|
//! | `values` | a header that is one of these texts, byte for byte |
//! | `pattern` | a header that is UTF-8 and in which the regular expression is found |
//! | `present = true` | a record that has the header, were it null or empty |
//! | `present = false` | a record that does not have it |
//!
//! A header may come more than once: `occurrence` says which one counts ([`Config`]). A
//! header that is null is no text: neither `values` nor `pattern` holds for it. What is
//! not UTF-8 is for `not_text` to say, where a `pattern` looks at it.

mod config;
mod operator;
mod rule;

pub use config::{Condition, Config, Destination, NotText, Occurrence, RuleConfig};
pub use operator::HeaderRouter;

sandbar_operator::transformer!(HeaderRouter);

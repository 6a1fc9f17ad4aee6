//! Expressions over the values of a record: derived columns, conditions of routes, filters. The
//! language is the part of the [Common Expression Language](https://cel.dev) in which every
//! value has a type that is known before the first record.
//!
//! ```
//! use expressions::{Expression, Scope, Type, Value, Variables};
//!
//! struct Payment { amount: f64, limit: Option<f64> }
//!
//! impl Variables for Payment {
//!     fn value(&self, variable: usize) -> Option<Value<'_>> {
//!         match variable {
//!             0 => Some(self.amount.into()),
//!             _ => self.limit.map(Value::from),
//!         }
//!     }
//! }
//!
//! let mut scope = Scope::default();
//! scope.declare("amount", Type::Number);
//! scope.declare("limit", Type::Number);
//! let share = Expression::compile("amount / limit", &scope)?;
//! assert_eq!(share.result(), &Type::Number);
//! let payment = Payment { amount: 30.0, limit: Some(120.0) };
//! assert_eq!(share.evaluate(&payment), Ok(Value::Number(0.25)));
//! let payment = Payment { amount: 30.0, limit: None };
//! assert!(share.evaluate(&payment).is_err_and(|fault| fault.is_missing()));
//!
//! let wrong = Expression::compile("amount > limt", &scope).unwrap_err();
//! assert!(wrong.to_string().starts_with("line 1, column 10: unknown variable 'limt'"));
//! # Ok::<(), expressions::Problem>(())
//! ```
//!
//! An expression comes from a manifest, and values come from records, so neither is trusted. What
//! does not parse, names something unknown or mixes types is a [`Problem`] with its place before
//! the first record. Evaluation has no loops but those over a text or a list, and these pay for
//! each byte and element out of a [budget](STEPS); nesting is [bounded](DEPTH). Nothing panics.
//!
//! `lex` and `parse` read the text, `check` finds the types and picks from `functions` what is
//! called, `evaluate` runs the result; `expression` has it all. `docs/reference/expressions.md` describes the language.

mod check;
mod evaluate;
mod expression;
mod fault;
mod functions;
mod lex;
mod parse;
mod problem;
mod scope;
mod time;
mod value;

pub use evaluate::Variables;
pub use expression::{Expression, parses};
pub use fault::{Fault, FaultCode, STEPS, TEXT};
pub use parse::{DEPTH, LENGTH};
pub use problem::Problem;
pub use scope::{Scope, Type};
pub use time::Timestamp;
pub use value::{Items, Value};

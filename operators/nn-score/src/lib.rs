//! A scorer for any classifier that the host can run: tensors in, a number for each class
//! out.
//!
//! The model is the stage's main one, a graph ([`Config`] says what can be set). Its
//! input is the extractor's tensor, or its inputs the tensors of the same names; shapes and types
//! are compared with the model's before the first record. Its classes are the labels of the model's folder; without
//! any they are called `0`, `1`, and so on.
//!
//! Rows go into the graph one by one, or `stack` at a time where that is faster: what is
//! left over of a batch goes one by one, so that the host optimises the graph for two
//! sizes and no more. If a stack fails, its rows are computed alone.
//!
//! | row | result |
//! |---|---|
//! | a number for each class | a prediction: the most probable class |
//! | ... the best below `unknown_below` | the class `unknown`, whose own probability is 0 |
//! | a result that is not a number | `invalid` |
//! | no result in time | `unavailable` |
//! | the computation fails | `internal` |

mod config;
mod fit;
mod operator;

pub use config::Config;
pub use operator::NnScore;

sandbar_operator::scorer!(NnScore);

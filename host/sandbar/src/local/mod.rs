//! A pipeline over lines and files instead of topics, as `sandbar run --stdin` and `--file` run
//! it: a source of lines, a pipeline in this process, a sink that prints.

pub(crate) mod lines;
mod printer;
mod run;
mod source;

pub use run::LocalRun;

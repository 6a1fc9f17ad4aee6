//! The verbs of the command `sandbar`, a file or folder each; small verbs that are related share
//! one.
//!
//! - `run`, with `local` for `--stdin` and `--file`; `check`; `topics` and `dlq`,
//!   which share `pipeline`.
//! - `admin` is `status`, `swap` and `rollback`; `rollout`; `fleet` is `promote` and `fleet`.
//!   They ask a running runner, and share `at`, `pair` and `shown`.
//! - `new`, `build`, `watch`, `test`, `bench` and `inspect`, for operators.
//! - `models` and `operators`, with `registry` for what both do with versions.
//! - `prepare`, which runners start: hidden.
//! - `common`: options of every verb.

mod admin;
mod at;
mod bench;
mod build;
mod check;
mod common;
mod dlq;
mod fleet;
mod inspect;
mod local;
mod models;
mod new;
mod new_pipeline;
mod operators;
mod pair;
mod pipeline;
mod prepare;
mod registry;
mod rollout;
mod run;
mod shown;
mod test;
mod topics;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::{self, complain};
use crate::runner::RunnerError;
use common::Common;
use sandbar_telemetry::{self, visible};

/// Sandboxed model operators in a Kafka stream.
#[derive(Debug, Parser)]
#[command(name = "sandbar", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Run),
    Check(check::Check),
    Status(admin::Status),
    Swap(admin::Swap),
    Rollback(admin::Rollback),
    Rollout(rollout::Rollout),
    Promote(fleet::Promote),
    Fleet(fleet::Fleet),
    Inspect(inspect::Inspect),
    New(new::New),
    Build(build::Build),
    Watch(watch::Watch),
    Test(test::Test),
    Bench(bench::Bench),
    Models(models::Models),
    Operators(operators::Operators),
    Topics(topics::Topics),
    Dlq(dlq::Dlq),
    #[command(hide = true)]
    Prepare(prepare::Prepare),
}

/// Does what the command line of this process asks for. What it could not do, and that
/// something could not be printed, is told on standard error.
pub fn main() -> ExitCode {
    let result = match Cli::try_parse() {
        Ok(cli) => cli.execute(),
        // Of a wrong command line, or help.
        Err(told) => {
            if told.use_stderr() && !is_visible() {
                // Without colours, which could not be told from what it quotes.
                complain!("{}", told.render());
                return ExitCode::from(WRONG_COMMAND_LINE);
            }
            let written = told.print();
            if told.use_stderr() {
                return ExitCode::from(WRONG_COMMAND_LINE);
            }
            output::note(written);
            Ok(())
        }
    };
    let mut status = ExitCode::SUCCESS;
    for error in [result.err(), output::finish().err()].into_iter().flatten() {
        complain!("error: {error:#}");
        status = ExitCode::from(exit_status(&error));
    }
    status
}

/// Whether the command line does nothing with a terminal when it is quoted: it may have the name
/// of a file that is somebody else's.
fn is_visible() -> bool {
    let is_visible = |text: OsString| {
        let text = text.to_string_lossy();
        visible::line(&text) == text
    };
    std::env::args_os().all(is_visible)
}

fn exit_status(error: &anyhow::Error) -> u8 {
    match error.downcast_ref() {
        Some(RunnerError::OutOfMemory(_)) => run::OUT_OF_MEMORY,
        _ if error.is::<test::Unreadable>() => 2,
        _ => 1,
    }
}

/// The exit status that clap gives to a command line that is wrong.
const WRONG_COMMAND_LINE: u8 = 2;

impl Cli {
    /// Executes the command line.
    ///
    /// # Errors
    /// Any failure, for the person at the terminal.
    pub fn execute(self) -> anyhow::Result<()> {
        if let Verb::Prepare(_) = self.verb {
            // Its standard error is for the runner that has started it.
            return prepare::Prepare::execute();
        }
        let usual = match self.verb {
            Verb::Test(_) | Verb::New(_) => test::LOG,
            _ => "info",
        };
        sandbar_telemetry::init(
            self.common.log_format,
            self.common.log.as_deref().unwrap_or(usual),
        )?;
        match self.verb {
            Verb::Run(run) => run.execute(&self.common),
            Verb::Check(check) => check.execute(&self.common),
            Verb::Status(status) => status.execute(),
            Verb::Swap(swap) => swap.execute(),
            Verb::Rollback(rollback) => rollback.execute(),
            Verb::Rollout(rollout) => rollout.execute(),
            Verb::Promote(promote) => promote.execute(),
            Verb::Fleet(fleet) => fleet.execute(),
            Verb::Inspect(inspect) => inspect.execute(&self.common),
            Verb::New(new) => new.execute(&self.common),
            Verb::Build(build) => build.execute(&self.common),
            Verb::Watch(watch) => watch.execute(&self.common),
            Verb::Test(test) => test.execute(&self.common),
            Verb::Bench(bench) => bench.execute(&self.common),
            Verb::Models(models) => models.execute(&self.common),
            Verb::Operators(operators) => operators.execute(&self.common),
            Verb::Prepare(_) => prepare::Prepare::execute(),
            Verb::Topics(topics) => topics.execute(&self.common),
            Verb::Dlq(dlq) => dlq.execute(&self.common),
        }
    }
}

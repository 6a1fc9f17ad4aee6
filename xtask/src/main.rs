//! The command `cargo xtask`; its verbs are in the library.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "for those who develop Sandbar, whose terminal stays"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{
    bench, book, check, demo, deny, differential, faults, fuzz, kafka, lint, openssl, operators,
    process, reference, test,
};

/// Sandbar's chores: build, show, test and check.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build everything and run the demonstration; arguments go to it.
    #[command(disable_help_flag = true)]
    Demo(demo::DemoArguments),
    /// Run all tests, those against Apache Kafka included.
    Test(test::TestArguments),
    /// Check the format and the lints of both workspaces.
    Check,
    /// Measure the budgets of docs/benchmarks.md; arguments go to the benchmark.
    #[command(disable_help_flag = true)]
    Bench(bench::BenchArguments),
    /// Write docs/reference/contract.md from the comments of wit/.
    Reference,
    /// Break runners, brokers and the network for long, and check all outputs; `test` does it
    /// for a short time.
    Faults(faults::FaultArguments),
    /// Run fuzz targets: any bytes in, no panic.
    Fuzz(fuzz::FuzzArguments),
    /// Compare the engine of graphs with ONNX Runtime, operator by operator.
    Differential(differential::DifferentialArguments),
    /// Check licences, advisories, bans and sources of dependencies with cargo-deny.
    Deny(deny::DenyArguments),
    /// Build the documents as a site with mdBook.
    Book(book::BookArguments),
    /// Build the components into operators/target/wasm32-wasip2/release/.
    Operators,
    /// Start and stop an Apache Kafka on this machine, for tests.
    Kafka(kafka::KafkaArguments),
}

fn main() -> ExitCode {
    if let Some(code) = lint::called_by_cargo() {
        return code;
    }
    let verb = Arguments::parse().verb;
    match process::handle_interrupts().and_then(|()| openssl::choose()).and_then(|()| run(verb)) {
        Ok(()) => ExitCode::SUCCESS,
        // What a shell reports for a program that Ctrl-C ended.
        Err(_) if process::interrupted() => ExitCode::from(130),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Demo(arguments) => demo::run(arguments),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Check => check::run(),
        Verb::Bench(arguments) => bench::run(arguments),
        Verb::Reference => reference::run(),
        Verb::Faults(arguments) => faults::run(&arguments),
        Verb::Fuzz(arguments) => fuzz::run(&arguments),
        Verb::Differential(arguments) => differential::run(&arguments),
        Verb::Deny(arguments) => deny::run(&arguments),
        Verb::Book(arguments) => book::run(&arguments),
        Verb::Operators => operators::run(),
        Verb::Kafka(arguments) => kafka::run(&arguments),
    }
}

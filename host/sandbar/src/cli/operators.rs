//! `sandbar operators`

use clap::{Args, Subcommand};

use super::common::Common;
use super::registry::{Add, Diff, Gc, Promote, RegistryArgs, Rollback, list, show};
use sandbar_registry::ArtifactKind;

/// Operators in a registry: add versions, promote one, roll back.
#[derive(Debug, Args)]
pub(super) struct Operators {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    place: RegistryArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    /// List the operators: newest version, aliases, world.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a version (NAME@N, NAME@ALIAS), or all versions of a name and the history of
    /// its aliases (NAME).
    Show {
        /// The operator, as in features@2, features@production or features.
        #[arg(value_name = "OPERATOR")]
        operator: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    Diff(Diff),
    Promote(Promote),
    Rollback(Rollback),
    Gc(Gc),
}

impl Operators {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let (sort, place) = (ArtifactKind::Operator, &self.place);
        match self.verb {
            Verb::Add(add) => add.execute(sort, place, || common.sandbox()),
            Verb::List { json } => list(sort, place, json),
            Verb::Show { operator, json } => show(sort, place, &operator, json),
            Verb::Diff(diff) => diff.execute(sort, place),
            Verb::Promote(promote) => promote.execute(sort, place),
            Verb::Rollback(rollback) => rollback.execute(sort, place),
            Verb::Gc(gc) => gc.execute(sort, place),
        }
    }
}

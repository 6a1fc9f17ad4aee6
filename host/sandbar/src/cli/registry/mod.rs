//! The verbs of `sandbar models` and `sandbar operators` that are about a registry.

mod add;
mod change;
mod diff;
mod gc;
mod list;
mod show;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use clap::Args;

pub(super) use add::Add;
pub(super) use change::{Promote, Rollback};
pub(super) use diff::Diff;
pub(super) use gc::Gc;
pub(super) use list::list;
pub(super) use show::show;

use sandbar_registry::Registry;

/// Which registry.
#[derive(Debug, Args)]
pub(super) struct RegistryArgs {
    /// The registry: a folder, or a URL such as s3://bucket/prefix.
    /// [env: SANDBAR_REGISTRY]
    // Not with clap: --models overrides the variable.
    #[arg(long, global = true, value_name = "FOLDER|URL")]
    registry: Option<String>,
    /// An option of the registry's object store; it overrides the environment. May be
    /// given several times.
    #[arg(long = "registry-option", global = true, value_name = "NAME=VALUE")]
    options: Vec<String>,
}

/// Who does it.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Who does it, for others to see. [default: your user name]
    #[arg(long, env = BY, value_name = "NAME")]
    by: Option<String>,
}

impl RegistryArgs {
    /// The registry that the command line names.
    pub(super) fn named(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The registry that the command line or the environment names.
    pub(super) fn location(&self) -> Option<String> {
        let variable = || std::env::var("SANDBAR_REGISTRY").ok().filter(|it| !it.is_empty());
        self.registry.clone().or_else(variable)
    }

    /// Opens it.
    pub(super) fn open(&self) -> anyhow::Result<Registry> {
        let (location, options) = self.asked()?;
        Ok(Registry::open(&location, &options, Path::new(""))?)
    }

    /// Opens it, and makes its folder if need be.
    fn create(&self) -> anyhow::Result<Registry> {
        let (location, options) = self.asked()?;
        Ok(Registry::create(&location, &options, Path::new(""))?)
    }

    fn asked(&self) -> anyhow::Result<(String, BTreeMap<String, String>)> {
        let location = self.location().context(
            "no registry configured; give --registry FOLDER|URL, or set SANDBAR_REGISTRY",
        )?;
        let pair = |option: &String| {
            let (name, value) = option.split_once('=').with_context(|| {
                format!("'{option}' is not an option; write NAME=VALUE, as in region=eu-central-1")
            })?;
            Ok((name.to_owned(), value.to_owned()))
        };
        let options = self.options.iter().map(pair).collect::<anyhow::Result<_>>()?;
        Ok((location, options))
    }
}

/// The environment variable for the user's name.
const BY: &str = "SANDBAR_BY";

impl Who {
    /// The user if no option names one.
    pub(super) fn known() -> Self {
        Who { by: std::env::var(BY).ok().filter(|it| !it.is_empty()) }
    }

    /// The name.
    pub(super) fn name(self) -> String {
        let variable = |name| std::env::var(name).ok().filter(|it| !it.is_empty());
        let system = || variable("USER").or_else(|| variable("LOGNAME"));
        self.by.or_else(system).unwrap_or_else(|| "unknown".to_owned())
    }
}

/// Lines of cells as columns.
pub(super) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

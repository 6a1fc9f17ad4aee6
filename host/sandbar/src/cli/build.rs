//! `sandbar build`

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use clap::Args;

use super::common::Common;
use crate::output::{complain, say};
use sandbar_sandbox::operator_folder::OperatorFolder;
use sandbar_sandbox::{Inspection, Sandbox};

/// Build operators as their operator.toml says, and check that this runner can run the
/// resulting components.
///
/// Prints the component's path, its world and its size. The output of the build commands
/// goes to standard error.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// The operators' folders. [default: the current one]
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
}

impl Build {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let sandbox = common.sandbox()?;
        let folders = if self.folders.is_empty() { vec![PathBuf::new()] } else { self.folders };
        for folder in &folders {
            let operator = OperatorFolder::open(folder)?;
            say!("{}", build(&operator, &sandbox)?);
        }
        Ok(())
    }
}

/// Builds an operator, and describes the component, if this runner can run it.
pub(super) fn build(operator: &OperatorFolder, sandbox: &Sandbox) -> anyhow::Result<String> {
    run_commands(operator)?;
    built(operator, sandbox)
}

/// Runs the commands one after the other, until one fails.
fn run_commands(operator: &OperatorFolder) -> anyhow::Result<()> {
    let name = &operator.name;
    for command in &operator.build.commands {
        complain!("{name}: {command}");
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(operator.folder());
        // Commands print to standard error; standard output is for the result.
        shell.stdout(std::io::stderr());
        let status = shell.status().with_context(|| format!("{name}: cannot run sh"))?;
        ensure!(
            status.success(),
            "{name}: `{command}` failed: {status}; its output is above, the command is in \
             [build] in {}",
            operator.folder().join(sandbar_sandbox::operator_folder::DESCRIPTION).display()
        );
    }
    Ok(())
}

/// A description of the component, if this runner can run it.
fn built(operator: &OperatorFolder, sandbox: &Sandbox) -> anyhow::Result<String> {
    let component = operator.component();
    let (name, path) = (&operator.name, component.display());
    ensure!(
        Path::exists(&component),
        "{name}: the build did not create {path}; correct `component` or the commands in its operator.toml"
    );
    let inspection = Inspection::of(sandbox, &component);
    if let Some(reason) = &inspection.reason {
        bail!("{name}: this runner cannot run the component: {reason}");
    }
    let world = inspection.world.map(|world| world.to_string()).unwrap_or_default();
    Ok(format!("{path}  {world}  {} bytes", inspection.size.unwrap_or_default()))
}

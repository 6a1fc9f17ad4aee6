//! `sandbar build`

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use clap::Args;

use super::Common;
use sandbar_sandbox::operator_folder::OperatorFolder;
use sandbar_sandbox::{Inspection, Sandbox};

/// Build operators as their operator.toml says, and see that this runner can run what
/// comes out.
///
/// Prints the component's path, its world and its size. What the build's commands print
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
            println!("{}", build(&operator, &sandbox)?);
        }
        Ok(())
    }
}

/// Builds an operator, and says what came out, if this runner can run it.
pub(super) fn build(operator: &OperatorFolder, sandbox: &Sandbox) -> anyhow::Result<String> {
    run_commands(operator)?;
    built(operator, sandbox)
}

/// Runs the commands one after the other, until one fails.
fn run_commands(operator: &OperatorFolder) -> anyhow::Result<()> {
    let name = &operator.name;
    for command in &operator.build.commands {
        eprintln!("{name}: {command}");
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(operator.folder());
        // What a command prints is for the person; standard output is for the answer.
        shell.stdout(std::io::stderr());
        let status = shell.status().with_context(|| format!("{name}: sh cannot be run"))?;
        ensure!(
            status.success(),
            "{name}: `{command}` failed: {status}; what it printed is above, and its place is \
             [build] in {}",
            operator.folder().join(sandbar_sandbox::operator_folder::DESCRIPTION).display()
        );
    }
    Ok(())
}

/// What came out, if this runner can run it.
fn built(operator: &OperatorFolder, sandbox: &Sandbox) -> anyhow::Result<String> {
    let component = operator.component();
    let (name, path) = (&operator.name, component.display());
    ensure!(
        Path::exists(&component),
        "{name}: the build made no {path}; correct `component` or the commands in its operator.toml"
    );
    let inspection = Inspection::of(sandbox, &component);
    if let Some(reason) = &inspection.reason {
        bail!("{name}: this runner cannot run what was built: {reason}");
    }
    let world = inspection.world.map(|world| world.to_string()).unwrap_or_default();
    Ok(format!("{path}  {world}  {} bytes", inspection.size.unwrap_or_default()))
}

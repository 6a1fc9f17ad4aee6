//! `sandbar models pull`

use std::io::IsTerminal;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::folders::Folders;
use crate::output::say;
use sandbar_model::pull;
use sandbar_model::pull::{Mirror, State};
use sandbar_telemetry::visible;

/// Download a model's file, its labels and its samples from the URLs in its description. They
/// are put in place once size and digest are verified; an interrupted download is
/// resumed.
#[derive(Debug, Args)]
pub(super) struct Pull {
    /// The model: the name of a model folder, or its path.
    #[arg(value_name = "MODEL")]
    model: String,
    /// A folder or URL below which the files are looked for, by their names, instead.
    #[arg(long, value_name = "FOLDER|URL")]
    from: Option<Mirror>,
    /// Replace existing files, and start from the beginning.
    #[arg(long)]
    force: bool,
}

impl Pull {
    pub(super) fn execute(self, folders: &Folders) -> anyhow::Result<()> {
        let model = folders.find(&self.model)?;
        if !self.force && matches!(State::of(&model), State::Present) {
            say!("{}: all files are present and verified", model.id());
            return Ok(());
        }
        let bar = bar();
        let mut current = String::new();
        let pull = pull::Pull { model: &model, mirror: self.from.as_ref(), force: self.force };
        let result = pull.run(&mut |name, done, total| {
            let Some(bar) = &bar else { return };
            if current != name {
                current = name.to_owned();
                bar.set_message(visible::line(name).into_owned());
            }
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        });
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        result?;
        say!("{}: downloaded to {}", model.id(), model.folder().join(&model.file).display());
        Ok(())
    }
}

/// A progress bar, if the output is a terminal.
fn bar() -> Option<ProgressBar> {
    let style = ProgressStyle::with_template(
        "{msg} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
    );
    let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(0))?;
    Some(style.map_or(bar.clone(), |style| bar.with_style(style)))
}

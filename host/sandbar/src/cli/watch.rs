//! `sandbar watch`

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecursiveMode, Watcher};

use super::at::At;
use super::build::build;
use super::common::Common;
use crate::admin::api::SwapRequest;
use crate::output::{self, complain, say};
use sandbar_registry::ArtifactSource;
use sandbar_sandbox::Sandbox;
use sandbar_sandbox::operator_folder::{DESCRIPTION, OperatorFolder};

/// How long files must be unchanged before a build: editors write in several steps.
const QUIET: Duration = Duration::from_millis(50);

/// Build operators whenever their files change, and swap the result into a running
/// pipeline.
///
/// Each operator is built once at the start, then whenever one of the files changes that
/// `build.watch` in its operator.toml names. A component that this runner can run replaces the
/// stage's component, as with `sandbar swap`; if a build or a swap fails, the reason is
/// printed, and the old component goes on serving. Ends with Ctrl-C.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// The operators' folders. [default: the current one]
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// The stage of the pipeline. [default: the operator's name]
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    #[command(flatten)]
    at: At,
}

/// A watched operator.
struct Work {
    operator: OperatorFolder,
    /// The folder, without links.
    folder: PathBuf,
    stage: String,
}

/// A change of files of one of the operators, and when.
type Change = (usize, Instant);

impl Watch {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let sandbox = common.sandbox()?;
        let folders = if self.folders.is_empty() { vec![PathBuf::new()] } else { self.folders };
        ensure!(
            self.stage.is_none() || folders.len() == 1,
            "--stage takes one operator; without it each operator's stage has the operator's name"
        );
        let work = |folder: &PathBuf| Work::open(folder, self.stage.clone());
        let mut all = folders.iter().map(work).collect::<anyhow::Result<Vec<_>>>()?;
        let (sender, changes) = channel();
        let watchers = all.iter().enumerate();
        let _watchers = watchers
            .map(|(index, work)| work.watch(index, sender.clone()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let now = Instant::now();
        let mut expected: VecDeque<Change> = (0..all.len()).map(|index| (index, now)).collect();
        loop {
            let (index, since) = match expected.pop_front() {
                Some(change) => change,
                None => settled(&changes, &mut expected)?,
            };
            all[index].swap_in(&sandbox, since, &self.at);
            if output::is_closed() {
                return Ok(());
            }
        }
    }
}

/// Waits for a change, and until changes stop. Returns all changed operators.
fn settled(changes: &Receiver<Change>, expected: &mut VecDeque<Change>) -> anyhow::Result<Change> {
    let first = changes.recv().context("watching files has stopped working")?;
    while let Ok((index, when)) = changes.recv_timeout(QUIET) {
        if index != first.0 && expected.iter().all(|(it, _)| *it != index) {
            expected.push_back((index, when));
        }
    }
    Ok(first)
}

impl Work {
    fn open(folder: &Path, stage: Option<String>) -> anyhow::Result<Self> {
        let operator = OperatorFolder::open(folder)?;
        let folder = operator.folder();
        let folder = folder
            .canonicalize()
            .with_context(|| format!("{}: no such folder", folder.display()))?;
        let stage = stage.unwrap_or_else(|| operator.name.clone());
        Ok(Work { operator, folder, stage })
    }

    /// Sends every change until the returned watcher is dropped.
    fn watch(&self, index: usize, changes: Sender<Change>) -> anyhow::Result<impl Watcher + use<>> {
        let made = self.made();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // A missed event may have been a change.
            if event.is_ok_and(|event| !concerns(&event, &made)) {
                return;
            }
            // The receiver is only gone at the end.
            let _ = changes.send((index, Instant::now()));
        })?;
        let description = self.folder.join(DESCRIPTION);
        for path in self.operator.watched().into_iter().chain([description]) {
            let watched = path
                .canonicalize()
                .map_err(anyhow::Error::from)
                .and_then(|path| Ok(watcher.watch(&path, RecursiveMode::Recursive)?));
            watched.with_context(|| {
                let description = self.operator.folder().join(DESCRIPTION);
                format!("{}: [build] watch: {}", description.display(), path.display())
            })?;
        }
        Ok(watcher)
    }

    /// The build's output, as far as known: the component, or the folder in the
    /// operator's folder that contains it.
    fn made(&self) -> PathBuf {
        let first = self.operator.component_in_folder().components().next();
        first.map(|first| self.folder.join(first)).unwrap_or_default()
    }

    /// Builds the operator and swaps it in. `since`: when its files changed.
    fn swap_in(&mut self, sandbox: &Sandbox, since: Instant, at: &At) {
        let name = self.operator.name.clone();
        match self.build_and_swap(sandbox, at) {
            Ok(built) => {
                say!("{name}: built in {built:.1?}, swapped in; {:.1?} in all", since.elapsed())
            }
            Err(error) => complain!("{name}: {error:#}"),
        }
    }

    /// How long the build took.
    fn build_and_swap(&mut self, sandbox: &Sandbox, at: &At) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        // Its description may have changed.
        self.operator = OperatorFolder::open(self.operator.folder())?;
        build(&self.operator, sandbox)?;
        let took = begun.elapsed();
        let component = self.operator.component().canonicalize()?;
        let components = [(self.stage.clone(), ArtifactSource::Path(component))].into();
        at.change("swap", &SwapRequest { components, ..SwapRequest::default() })?;
        Ok(took)
    }
}

/// Whether an event is about a changed file, not one that was only read,
/// that the build has `made`, or of which only the time changed.
fn concerns(event: &Event, made: &Path) -> bool {
    let changes = match event.kind {
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    };
    let by_build = |path: &PathBuf| !made.as_os_str().is_empty() && path.starts_with(made);
    changes && (event.paths.is_empty() || !event.paths.iter().all(by_build))
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{AccessKind, CreateKind, MetadataKind};

    #[test]
    fn what_the_build_makes_and_reads_is_no_change() {
        let event = |kind, path: &str| Event::new(kind).add_path(path.into());
        let created = EventKind::Create(CreateKind::File);
        let touched = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        let made = Path::new("/words/target");
        assert!(concerns(&event(created, "/words/src/lib.rs"), made));
        assert!(!concerns(&event(created, "/words/target/words.wasm"), made));
        assert!(!concerns(&event(EventKind::Access(AccessKind::Any), "/words/src/lib.rs"), made));
        assert!(!concerns(&event(touched, "/words/src/lib.rs"), made));
        // Files were moved, or the system has lost count.
        assert!(concerns(&event(created, "/words/target/a").add_path("/words/src/a".into()), made));
        assert!(concerns(&Event::new(EventKind::Other), made));
    }
}

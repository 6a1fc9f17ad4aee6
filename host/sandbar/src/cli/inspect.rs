//! `sandbar inspect`

use std::path::PathBuf;

use clap::Args;

use super::common::Common;
use crate::output::{self, say};
use sandbar_sandbox::Inspection;
use sandbar_sandbox::cache::Origin;
use sandbar_sandbox::component::{CONTRACT, FileKind};
use sandbar_sandbox::imports::ImportSupport;

/// Describe components: world, version of the contract, size, their imports and what is
/// behind them in this runner, and the stage that a manifest needs for them.
///
/// Each is compiled and linked as in a runner, but not run. The exit status is 1
/// if this runner cannot run one of them; the reason is part of the output.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The components' files.
    #[arg(value_name = "COMPONENT", required = true)]
    components: Vec<PathBuf>,
    /// As JSON: a list with an object for each component.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let sandbox = common.sandbox()?;
        let mut wrong = 0;
        let mut list = Vec::new();
        for (index, path) in self.components.iter().enumerate() {
            let inspection = Inspection::of(&sandbox, path);
            wrong += usize::from(!inspection.runnable);
            if self.json {
                let mut json = serde_json::to_value(&inspection)?;
                json["stage"] = stage(&inspection).into();
                list.push(json);
            } else {
                if index > 0 {
                    say!();
                }
                output::lines(text(&inspection));
            }
        }
        if self.json {
            output::json(&list)?;
        }
        anyhow::ensure!(
            wrong == 0,
            "{wrong} of {} components cannot run here",
            self.components.len()
        );
        Ok(())
    }
}

/// Lines for a person.
fn text(inspection: &Inspection) -> Vec<String> {
    let mut lines = vec![inspection.file.display().to_string()];
    let mut line = |key: &str, value: String| lines.push(format!("{key:10}{value}"));
    line("runs", inspection.reason.as_ref().map_or("yes".into(), |reason| format!("no: {reason}")));
    if let Some(kind) = inspection.kind {
        line(
            "file",
            match kind {
                FileKind::Component => "WebAssembly component",
                FileKind::CoreModule => "core WebAssembly module",
                FileKind::Other => "not WebAssembly",
            }
            .into(),
        );
    }
    if let Some(size) = inspection.size {
        line("size", format!("{size} bytes"));
    }
    if let Some(digest) = inspection.sha256 {
        line("sha256", digest.to_string());
    }
    if let Some(world) = inspection.world {
        line("world", world.to_string());
    }
    if let Some(version) = &inspection.contract {
        let ours = if version == CONTRACT {
            "this runner's".to_owned()
        } else {
            format!("this runner supports {CONTRACT}")
        };
        line("contract", format!("sandbar:operator@{version}, {ours}"));
    }
    if let Some(compiled) = &inspection.compiled {
        let time = compiled.milliseconds;
        line(
            "compiled",
            match (compiled.from, compiled.cached) {
                (Origin::Cache, _) => format!("earlier; loaded from the cache in {time} ms"),
                (_, true) => format!("in {time} ms; now in the cache"),
                (_, false) => format!("in {time} ms; not cached"),
            },
        );
    }
    if let Some(memory) = &inspection.memory {
        let more = match memory.memories {
            0 | 1 => String::new(),
            count => format!(", for the largest of {count} memories"),
        };
        line("memory", format!("{} bytes at the start{more}", memory.initial));
    }
    for (index, export) in inspection.exports.iter().enumerate() {
        line(if index == 0 { "exports" } else { "" }, export.clone());
    }
    if !inspection.imports.is_empty() {
        lines.extend(["".into(), "imports, and what is behind them in this runner".into()]);
    }
    for group in &inspection.imports {
        let title = match group.behind {
            // The name is enough.
            ImportSupport::Missing | ImportSupport::Types => group.name.to_owned(),
            behind => format!("{} ({behind})", group.name),
        };
        lines.push(format!("  {title}: {}", group.about));
        lines.extend(group.interfaces.iter().map(|interface| format!("    {interface}")));
    }
    if let Some(stage) = stage(inspection) {
        lines.extend(["", "in a pipeline's manifest", ""].map(str::to_owned));
        lines.extend(stage.lines().map(str::to_owned));
    }
    lines
}

/// The stage for a manifest, ready to be pasted and filled in; `None` if
/// no manifest can have it.
fn stage(inspection: &Inspection) -> Option<String> {
    inspection.world.filter(|_| inspection.runnable)?;
    let file = &inspection.file;
    let name = file.file_stem().map(|stem| stem.to_string_lossy().replace('_', "-"));
    let name = name.filter(|name| sandbar_sandbox::stage_name_problem(name).is_none());
    let name = toml::Value::from(name.unwrap_or_else(|| "operator".into()));
    let path = toml::Value::from(file.to_string_lossy().into_owned());
    let mut stage = format!("[[stages]]\nname = {name}\n");
    if file.is_relative() {
        stage += "# Relative to the manifest's folder.\n";
    }
    stage += &format!("component = {path}\n");
    let needs = inspection.needs;
    if needs.models || needs.graphs {
        stage += match needs.graphs {
            true => "# Names of [models]: graphs (onnx, tensorflow); the main one first.\n",
            false => "# Names of [models], if it needs any; the main one first.\n",
        };
        stage += "models = []\n";
    }
    if needs.load_graphs {
        stage += "# The size of the graph that it loads itself, if any.\nload-graphs = \"0 B\"\n";
    }
    Some(stage)
}

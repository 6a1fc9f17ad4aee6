//! `sandbar models show`

use clap::Args;

use super::folders::Folders;
use crate::output;
use sandbar_model::pull::State;
use sandbar_model::{Answers, Model, SampleContent, TensorSpec};

/// Show the description of a model, and whether its files are present. In a registry:
/// a version, or for a name alone all versions and the history of its aliases.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The model: the name of a model folder, or its path. In a registry: flights@3,
    /// flights@production, or flights.
    #[arg(value_name = "MODEL")]
    pub(super) model: String,
    /// As JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl Show {
    pub(super) fn execute(self, folders: &Folders) -> anyhow::Result<()> {
        let model = folders.find(&self.model)?;
        let state = State::of(&model);
        if self.json {
            let mut json = serde_json::to_value(&model)?;
            json["folder"] = model.folder().to_string_lossy().into();
            json["state"] = state.as_str().into();
            output::json(&json)?;
        } else {
            output::lines(text(&model, &state));
        }
        Ok(())
    }
}

/// Lines for a person.
fn text(model: &Model, state: &State) -> Vec<String> {
    let mut lines = vec![model.id(), model.description.clone()];
    let mut line = |key: &str, value: String| lines.push(format!("{key:15}{value}"));
    line("kind", model.kind.to_string());
    line("folder", model.folder().display().to_string());
    let size = model.size.map_or(String::new(), |size| format!(", {size} bytes"));
    line("file", format!("{}{size}", model.file));
    line(
        "files",
        match state {
            State::Present => "present".into(),
            State::Absent(file) => format!("{file} is absent"),
            State::Wrong(error) => format!("wrong: {error}"),
        },
    );
    if let Some(digest) = model.sha256 {
        line("sha256", digest.to_string());
    }
    if let Some(digest) = model.sha1 {
        line("sha1", digest.to_string());
    }
    if let Some(url) = &model.url {
        line("url", url.clone());
    }
    if let Some(archive) = &model.archive {
        line("archive", archive.url.clone());
        line("member", archive.member.clone());
    }
    line("licence", model.licence.clone());
    for (key, specs) in [("input", &model.inputs), ("output", &model.outputs)] {
        for spec in specs {
            line(key, tensor(spec));
        }
    }
    if let Some(labels) = &model.labels {
        let count =
            model.read_labels().ok().flatten().map(|labels| format!("{}, in ", labels.len()));
        line("labels", format!("{}{}", count.unwrap_or_default(), labels.file));
    }
    if let Some(samples) = &model.samples {
        let count = model.read_samples().ok().flatten().map(|samples| match samples.content {
            SampleContent::Table(table) => format!("{} rows, in ", table.rows.len()),
            SampleContent::Pictures(table, _) => format!("{} pictures, in ", table.rows.len()),
            SampleContent::Tensors(arrays) => format!("{} tensors, in ", arrays.len()),
        });
        let whose = match samples.answers {
            Answers::Original => "",
            Answers::Runner => ", with this runner's own answers",
        };
        line("samples", format!("{}{}{whose}", count.unwrap_or_default(), samples.file));
    }
    for (key, table) in model.processing().chain([("provenance", &model.provenance)]) {
        for (index, (name, value)) in table.iter().enumerate() {
            line(if index == 0 { key } else { "" }, format!("{name} = {value}"));
        }
    }
    lines
}

/// `data fp32 [N, 3, 224, 224]`
fn tensor(spec: &TensorSpec) -> String {
    let shape: Vec<String> = spec.shape.iter().map(ToString::to_string).collect();
    format!("{} {} [{}]", spec.name, spec.ty, shape.join(", "))
}

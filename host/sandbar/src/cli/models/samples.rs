//! `sandbar models samples`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use clap::Args;
use toml_edit::{DocumentMut, Item, value};

use super::folders::Folders;
use crate::cli::common::Common;
use crate::output::say;
use sandbar_files::limits;
use sandbar_inference::{Artifact, Content, LateThreads, samples};
use sandbar_manifest::Stage;
use sandbar_model::samples::{BYTES, PICTURE, ROWS, SHA256, Sample, TABLE_BYTES, Table, npz};
use sandbar_model::{Answers, DESCRIPTION, Model, SampleContent, Samples, Sha256};
use sandbar_pipeline::{Definition, Plan};

/// The folder in a model's folder to which pictures are copied.
const PICTURES: &str = "samples";

/// Write samples into a model's folder, which it must reproduce before it serves.
///
/// Expected answers in the file are compared first, and nothing is written where the model does
/// not give them. If there are none, this runner's own are written and marked as such: they show
/// a later change, and not whether the model is right.
#[derive(Debug, Args)]
pub(super) struct WriteSamples {
    /// The model: the name of a model folder, or its path.
    #[arg(value_name = "MODEL")]
    model: String,
    /// Tensors (.npz: the graph's inputs, and its outputs as the original tool computes them),
    /// a table (.csv: features or the column 'picture', and expected predictions), or pictures:
    /// files or a folder.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    from: Vec<PathBuf>,
    /// The pipeline whose stages read pictures and make predictions of them or of a table's rows.
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<PathBuf>,
    /// The stage of it that makes the predictions. [default: the last one with a model]
    #[arg(long, value_name = "NAME", requires = "pipeline")]
    stage: Option<String>,
    /// How far a number may be from the expected one. [default: depends on what is compared]
    #[arg(long, value_name = "NUMBER")]
    tolerance: Option<f64>,
}

/// What is written.
struct Written {
    /// The file's name in the model's folder.
    file: &'static str,
    bytes: Vec<u8>,
    /// Pictures that are copied: to where in the folder.
    pictures: Vec<(String, Arc<[u8]>)>,
    answers: Answers,
    count: String,
}

impl WriteSamples {
    pub(super) fn execute(self, folders: &Folders, common: &Common) -> anyhow::Result<()> {
        let mut model = folders.find(&self.model)?;
        let before = model.samples.take();
        let tolerance = self.tolerance.or(before.as_ref().and_then(|it| it.tolerance));
        ensure!(
            tolerance.is_none_or(|it| (0.0..1.0).contains(&it)),
            "--tolerance: expected a number from 0 to below 1"
        );
        let written = match self.from.as_slice() {
            [file] if has_extension(file, "npz") => {
                ensure!(
                    self.pipeline.is_none(),
                    "--pipeline: tensors are computed without; omit it"
                );
                tensors(&model, file, tolerance)?
            }
            from => self.predicted(&model, from, tolerance, common)?,
        };
        let folder = model.folder();
        let replaced = before.as_ref().is_some_and(|it| it.file == written.file);
        ensure!(
            replaced || !folder.join(written.file).exists(),
            "{}: exists and is not named in [samples]; rename or remove it",
            folder.join(written.file).display()
        );
        for (path, bytes) in &written.pictures {
            put(&folder.join(path), bytes)?;
        }
        put(&folder.join(written.file), &written.bytes)?;
        describe(folder, &written, tolerance)?;
        // As it will be read.
        Model::open(folder)?.read_samples()?;
        let (id, path) = (model.id(), folder.join(written.file));
        say!("{id}: wrote {}: {}{}", path.display(), written.count, said(written.answers));
        Ok(())
    }

    /// Samples that the stages of a pipeline make predictions of.
    fn predicted(
        &self,
        model: &Model,
        from: &[PathBuf],
        tolerance: Option<f64>,
        common: &Common,
    ) -> anyhow::Result<Written> {
        let (content, path) = read(model, from)?;
        let pipeline = self.pipeline.as_ref().context(
            "--pipeline: missing; name the pipeline whose stages make the predictions, as pipelines/images.toml",
        )?;
        let definition = Definition::new(common.manifest(pipeline)?, common.cache_folder());
        let scorer = scorer(&definition.manifest.stages, self.stage.as_deref());
        let (stage, name) = scorer.with_context(|| pipeline.display().to_string())?;
        let (table, pictures) = match &content {
            SampleContent::Pictures(table, files) => (table, files.as_slice()),
            SampleContent::Table(table) => (table, &[][..]),
            SampleContent::Tensors(_) => bail!("{}: tensors have no predictions", path.display()),
        };
        let expects = table.columns.iter().any(|column| match &content {
            SampleContent::Pictures(..) => column != PICTURE && column != SHA256,
            _ => {
                column == "label"
                    || column.starts_with("probabilities.")
                    || column.starts_with("values.")
            }
        });
        let mut artifact = Artifact::load(model.clone())?;
        if expects {
            let content = content.clone();
            artifact.samples = Some(Arc::new(Samples { path, tolerance, content }));
        }
        let others = definition.manifest.models.keys().filter(|other| *other != name);
        let mut models = others
            .map(|other| Ok((other.clone(), Artifact::load(definition.open_model(other)?)?)))
            .collect::<anyhow::Result<std::collections::BTreeMap<_, _>>>()?;
        models.insert(name.clone(), artifact);
        // What is expected is compared here.
        let plan = Plan::with_models(&definition, &models, &common.sandbox()?)?;
        let (table, answers) = match expects {
            true => (table.clone(), Answers::Original),
            false => {
                let answered = plan.answers(stage, &content).map_err(anyhow::Error::msg)?;
                (answered, Answers::Runner)
            }
        };
        let bytes = table.write().into_bytes();
        ensure!(
            bytes.len() as u64 <= TABLE_BYTES,
            "the table would have {} bytes; at most {TABLE_BYTES}",
            bytes.len()
        );
        let files = table.pictures().transpose().map_err(anyhow::Error::msg)?.unwrap_or_default();
        let copied = files.iter().map(|it| it.file.to_owned()).zip(pictures.iter().cloned());
        let count = table.rows.len();
        let what = if pictures.is_empty() { "rows" } else { "pictures" };
        let (pictures, count) = (copied.collect(), format!("{count} {what}"));
        Ok(Written { file: "samples.csv", bytes, pictures, answers, count })
    }
}

/// The stage that makes the predictions, and its main model: the one of this name, or the last one
/// with a model.
fn scorer<'a>(stages: &'a [Stage], wanted: Option<&str>) -> anyhow::Result<(&'a str, &'a String)> {
    let main = |stage: &'a Stage| Some((stage.name.as_str(), stage.models.first()?));
    match wanted {
        Some(wanted) => {
            let stage = stages.iter().find(|stage| stage.name == wanted);
            let stage = stage.with_context(|| format!("--stage {wanted}: no such stage"))?;
            main(stage).with_context(|| {
                format!("--stage {wanted}: the stage has no model to make predictions with")
            })
        }
        None => stages
            .iter()
            .rev()
            .find_map(main)
            .context("no stage has a model to make predictions with"),
    }
}

/// Tensors, which the graph computes by itself.
fn tensors(model: &Model, file: &Path, tolerance: Option<f64>) -> anyhow::Result<Written> {
    let about = || file.display().to_string();
    let bytes = sandbar_files::read(file, limits::SAMPLE).with_context(about)?;
    ensure!(bytes.len() as u64 <= BYTES, "{}: {} bytes; at most {BYTES}", about(), bytes.len());
    let mut arrays = npz::read(&bytes).map_err(anyhow::Error::msg).with_context(about)?;
    let artifact = Artifact::load(model.clone())?;
    let Content::Graph(graph) = &artifact.content else {
        bail!("{}: a model of kind {} takes no tensors; write a table (CSV)", about(), model.kind)
    };
    let threads = || Arc::new(LateThreads::default());
    let wrong = |error: samples::TensorError| {
        let row = error.row.map(|row| format!(", row {}", row + 1)).unwrap_or_default();
        anyhow::anyhow!("{}{row}: {}; nothing was written", about(), error.reason)
    };
    let inputs = graph.inputs();
    let expects = arrays.iter().any(|it| inputs.iter().all(|input| input.name != it.name));
    let answers = match expects {
        true => {
            samples::reproduce(graph, &arrays, tolerance, threads()).map_err(wrong)?;
            Answers::Original
        }
        false => {
            arrays.extend(samples::answers(graph, &arrays, threads()).map_err(wrong)?);
            // They must be reproduced, as the original tool's must be.
            samples::reproduce(graph, &arrays, tolerance, threads()).map_err(wrong)?;
            Answers::Runner
        }
    };
    let bytes = if expects { bytes } else { npz::write(&arrays).map_err(anyhow::Error::msg)? };
    ensure!(
        bytes.len() as u64 <= BYTES,
        "the file would have {} bytes; at most {BYTES}",
        bytes.len()
    );
    let names: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
    let count = names.join(", ");
    Ok(Written { file: "samples.npz", bytes, pictures: Vec::new(), answers, count })
}

/// The samples in files that are no tensors, and the file that errors name.
fn read(model: &Model, from: &[PathBuf]) -> anyhow::Result<(SampleContent, PathBuf)> {
    if let [file] = from
        && has_extension(file, "csv")
    {
        let about = || file.display().to_string();
        let bytes = sandbar_files::read(file, limits::SAMPLE).with_context(about)?;
        let table = Table::read(&bytes).map_err(anyhow::Error::msg).with_context(about)?;
        let place = table.place(PICTURE).filter(|_| model.kind.is_graph());
        let Some(place) = place else { return Ok((SampleContent::Table(table), file.clone())) };
        let beside = file.parent().unwrap_or(Path::new(""));
        let files: Vec<PathBuf> =
            table.rows.iter().map(|row| beside.join(&row.cells[place])).collect();
        return Ok((pictures(model, &table, &files)?, file.clone()));
    }
    let mut files = Vec::new();
    for path in from {
        let about = || path.display().to_string();
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).with_context(about)? {
            let entry = entry.with_context(about)?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if !hidden && entry.path().is_file() {
                inside.push(entry.path());
            }
        }
        inside.sort();
        ensure!(!inside.is_empty(), "{}: no files in the folder", about());
        files.extend(inside);
    }
    ensure!(
        model.kind.is_graph(),
        "a model of kind {} takes features; write them as a table (--from FILE.csv)",
        model.kind
    );
    ensure!(files.len() <= ROWS, "{} pictures; at most {ROWS}", files.len());
    let row = |line| Sample { line, cells: vec![String::new()] };
    let rows = (2..files.len() + 2).map(row).collect();
    let table = Table { columns: vec![PICTURE.to_owned()], rows };
    Ok((pictures(model, &table, &files)?, from[0].clone()))
}

/// A table of pictures under the paths that they will have in the model's folder, with their
/// digests.
fn pictures(model: &Model, table: &Table, files: &[PathBuf]) -> anyhow::Result<SampleContent> {
    let folder = model.folder().canonicalize()?;
    let mut size = 0;
    let (mut paths, mut contents, mut digests) = (Vec::<String>::new(), Vec::new(), Vec::new());
    for file in files {
        let about = || file.display().to_string();
        let bytes = sandbar_files::read(file, limits::SAMPLE).with_context(about)?;
        size += bytes.len() as u64;
        ensure!(
            size <= BYTES,
            "{}: with it the pictures have {size} bytes; at most {BYTES}",
            about()
        );
        let real = file.canonicalize().with_context(about)?;
        let name = match real.strip_prefix(&folder) {
            Ok(inside) => inside.to_str().map(str::to_owned),
            Err(_) => {
                real.file_name().and_then(|it| it.to_str()).map(|it| format!("{PICTURES}/{it}"))
            }
        };
        let name = name.with_context(|| format!("{}: the path is not UTF-8", about()))?;
        let digest = Sha256::of(&bytes);
        let other = paths.iter().position(|known| *known == name);
        ensure!(
            other.is_none_or(|other| digests[other] == digest),
            "{}: another picture is called '{name}' too; rename one",
            about()
        );
        paths.push(name);
        digests.push(digest);
        contents.push(bytes.into());
    }
    let (mut columns, mut rows) = (table.columns.clone(), table.rows.clone());
    let picture = table.place(PICTURE).unwrap_or(0);
    let known = table.place(SHA256);
    let digest = known.unwrap_or(columns.len());
    if known.is_none() {
        columns.push(SHA256.to_owned());
        rows.iter_mut().for_each(|row| row.cells.push(String::new()));
    }
    for (row, (path, sha256)) in rows.iter_mut().zip(paths.into_iter().zip(digests)) {
        let given = row.cells[digest].parse::<Sha256>();
        ensure!(
            row.cells[digest].is_empty() || given == Ok(sha256),
            "line {}: the sha256 of '{path}' is {sha256}, not {}; correct the table",
            row.line,
            row.cells[digest]
        );
        row.cells[digest] = sha256.to_string();
        row.cells[picture] = path;
    }
    Ok(SampleContent::Pictures(Table { columns, rows }, contents))
}

/// Writes a file, and the folder that it is in.
fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let about = || path.display().to_string();
    if sandbar_files::read(path, limits::SAMPLE).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(about)?;
    }
    std::fs::write(path, bytes).with_context(about)
}

/// Names the file in `model.toml`; whatever else stands there stays.
fn describe(folder: &Path, written: &Written, tolerance: Option<f64>) -> anyhow::Result<()> {
    let path = folder.join(DESCRIPTION);
    let about = || path.display().to_string();
    let text = sandbar_files::read_text(&path, limits::DOCUMENT).with_context(about)?;
    let mut document: DocumentMut = text.parse().with_context(about)?;
    let mut table = toml_edit::Table::new();
    table["file"] = value(written.file);
    if let Some(tolerance) = tolerance {
        table["tolerance"] = value(tolerance);
    }
    if written.answers == Answers::Runner {
        table["answers"] = value("runner");
    }
    table["sha256"] = value(Sha256::of(&written.bytes).to_string());
    document["samples"] = Item::Table(table);
    std::fs::write(&path, document.to_string()).with_context(about)
}

fn said(answers: Answers) -> &'static str {
    match answers {
        Answers::Original => ", whose expected answers the model gives",
        Answers::Runner => {
            ", with this runner's own answers: they show a later change, and not whether the model is right; bring the original tool's to see that"
        }
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case(extension))
}

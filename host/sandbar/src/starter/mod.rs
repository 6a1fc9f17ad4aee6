//! New pipelines without code: a folder that runs a model's file on records such as some that are
//! shown.
//!
//! [`sample`] tells the records' form, [`model`] what the model's file is and which columns it
//! takes; what is written is a manifest with operators that come with the command
//! ([`manifest`](mod@manifest)), the model's folder, and a case whose expectations are yet to be blessed.

mod error;
mod manifest;
mod model;
mod sample;

use std::path::{Path, PathBuf};

pub use error::StarterError;
pub use sample::{Form, Records};

use model::ModelFile;

/// The manifest's file in the folder.
pub const MANIFEST: &str = "pipeline.toml";
/// The file of its cases.
pub const CASES: &str = "pipeline.tests.toml";

/// The requested pipeline.
#[derive(Debug)]
pub struct Starter {
    /// Its name, which is also the model's, and the source topic's unless `topic` is another.
    pub name: String,
    /// The folder, which must not exist.
    pub folder: PathBuf,
    /// The model's file.
    pub model: PathBuf,
    /// Records such as will come.
    pub records: Records,
    /// The topic that is read.
    pub topic: Option<String>,
    /// The columns that the only input of a graph takes, in their order.
    pub features: Vec<String>,
    /// The names of the classes of a graph.
    pub labels: Vec<String>,
}

impl Starter {
    /// Writes the folder. If that fails, it is removed.
    ///
    /// # Errors
    /// If the name cannot be one, the folder exists, the model or the records cannot be used, or
    /// something cannot be written.
    pub fn create(&self) -> Result<(), StarterError> {
        if let Some(reason) = sandbar_config::name_problem(&self.name) {
            return Err(StarterError::Name { name: self.name.clone(), reason });
        }
        if self.folder.symlink_metadata().is_ok() {
            return Err(StarterError::Exists(self.folder.clone()));
        }
        let wrong = |reason| StarterError::Model { path: self.model.clone(), reason };
        let model = ModelFile::open(&self.model).map_err(wrong)?;
        let columns = model.columns(&self.features, &self.records).map_err(wrong)?;
        let mut files = vec![
            (MANIFEST.into(), self.manifest(&model).into_bytes()),
            (CASES.into(), manifest::cases(&self.records).into_bytes()),
            (
                Path::new(model::FOLDER).join(sandbar_model::DESCRIPTION),
                model.description(&self.name, &columns, &self.labels).into_bytes(),
            ),
            (Path::new(model::FOLDER).join(model.file()), model.bytes().to_vec()),
        ];
        if !self.labels.is_empty() {
            let labels: String = self.labels.iter().map(|label| format!("{label}\n")).collect();
            files.push((Path::new(model::FOLDER).join(model::LABELS), labels.into_bytes()));
        }
        let written = files.into_iter().try_for_each(|(name, bytes)| self.write(&name, &bytes));
        if written.is_err() {
            // The first error matters more than a folder that remains.
            drop(std::fs::remove_dir_all(&self.folder));
        }
        written
    }

    fn manifest(&self, model: &ModelFile) -> String {
        let topic = self.topic.as_ref().unwrap_or(&self.name);
        manifest::manifest(&self.name, topic, model.scorer(), &self.records)
    }

    fn write(&self, name: &Path, bytes: &[u8]) -> Result<(), StarterError> {
        let path = self.folder.join(name);
        let folder = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, bytes))
            .map_err(|cause| StarterError::Io { path: path.clone(), cause })
    }
}

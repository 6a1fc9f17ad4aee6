//! What a model's file is, and the columns that it takes.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use sandbar_files::limits;
use sandbar_inference::{Graph, GraphSource};
use sandbar_model::{Dimension, Kind, Sha256, TensorSpec};

use super::sample::{Form, Records};

/// The folder of the model.
pub(super) const FOLDER: &str = "model";
/// The file of the classes' names.
pub(super) const LABELS: &str = "labels.txt";

/// A model's file.
pub(super) struct ModelFile {
    kind: Kind,
    bytes: Arc<[u8]>,
    /// Of a graph.
    inputs: Vec<TensorSpec>,
    outputs: Vec<TensorSpec>,
}

/// Which columns go into a model, as far as it does not say so itself.
pub(super) enum Columns {
    /// Those of these names that the model itself has, or its inputs.
    Named,
    /// Into the only input of a graph, in this order.
    Ordered(Vec<String>),
}

impl ModelFile {
    /// Reads it; a graph is examined as before it serves.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let bytes: Arc<[u8]> =
            sandbar_files::read(path, limits::MODEL).map_err(|error| error.to_string())?.into();
        let extension = path.extension().and_then(|it| it.to_str()).map(str::to_ascii_lowercase);
        let kind = Kind::of_file(&bytes, extension.as_deref()).ok_or(
            "not a model that is known by its file: name a MOJO of H2O (a zip file), a model of \
             XGBoost (JSON or UBJSON) or LightGBM (text), an ONNX graph (.onnx) or a frozen graph \
             of TensorFlow (.pb)",
        )?;
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        if kind.is_graph() {
            let source = GraphSource::Bytes(kind, bytes.clone());
            let graph = Graph::load("the graph".into(), source).map_err(|it| it.to_string())?;
            (inputs, outputs) = (graph.inputs().to_vec(), graph.outputs().to_vec());
        }
        Ok(ModelFile { kind, bytes, inputs, outputs })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name that the file gets.
    pub(super) fn file(&self) -> &'static str {
        match self.kind {
            Kind::Onnx => "model.onnx",
            Kind::Tensorflow => "model.pb",
            Kind::Lightgbm => "model.txt",
            Kind::Xgboost if self.bytes.get(1).is_some_and(|byte| b"\"\n\r\t ".contains(byte)) => {
                "model.json"
            }
            Kind::Xgboost => "model.ubj",
            Kind::H2oMojo | Kind::File => "model.zip",
        }
    }

    /// The operator that scores with it.
    pub(super) fn scorer(&self) -> &'static str {
        if self.kind.is_graph() { "builtin:nn-score" } else { "builtin:tabular-score" }
    }

    /// Which columns of the records go into the model: `features`, or where a graph's only input
    /// takes as many numbers as a record has columns, those.
    pub(super) fn columns(
        &self,
        features: &[String],
        records: &Records,
    ) -> Result<Columns, String> {
        let [input] = self.inputs.as_slice() else {
            return match (features, self.kind) {
                ([], _) => Ok(Columns::Named),
                // Of models that were trained with an array, which has no names.
                (names, Kind::Xgboost | Kind::Lightgbm) => Ok(Columns::Ordered(names.to_vec())),
                _ => Err("--features is for graphs of one input and for models of XGBoost and \
                         LightGBM; this model's columns have names"
                    .into()),
            };
        };
        let Some(count) = input.row_elements().filter(|_| input.shape.len() <= 2) else {
            let shape: Vec<String> = input.shape.iter().map(Dimension::to_string).collect();
            return Err(format!(
                "input '{}' of [{}]: not a row of columns, which this command makes pipelines for; \
                 for pictures see image-features in docs/reference/operators.md",
                input.name,
                shape.join(", ")
            ));
        };
        // The keys of an object have no order.
        let told: &[String] = if records.form == Form::Csv { &records.fields } else { features };
        let names = if features.is_empty() { told } else { features };
        if names.len() != count {
            return Err(format!(
                "input '{}' takes {count} numbers without names: say which columns go in, in the \
                 order that the model was trained with, with --features NAME,NAME,... (of {})",
                input.name,
                records.fields.join(", ")
            ));
        }
        Ok(Columns::Ordered(names.to_vec()))
    }

    /// The model folder's description.
    pub(super) fn description(&self, name: &str, columns: &Columns, labels: &[String]) -> String {
        let mut text = format!(
            "name = {name:?}\nversion = 1\nkind = \"{}\"\nfile = \"{}\"\nsha256 = \"{}\"\nsize = {}\n\
             # Who may use it, and what it answers.\nlicence = \"unknown\"\ndescription = \"{name}\"\n",
            self.kind,
            self.file(),
            Sha256::of(&self.bytes),
            self.bytes.len(),
        );
        for (key, specs) in [("inputs", &self.inputs), ("outputs", &self.outputs)] {
            for spec in specs {
                let shape: Vec<String> = spec.shape.iter().map(in_toml).collect();
                let _ = write!(
                    text,
                    "\n[[{key}]]\nname = {}\ntype = \"{}\"\nshape = [{}]\n",
                    toml::Value::from(spec.name.as_str()),
                    spec.ty,
                    shape.join(", ")
                );
            }
        }
        if !labels.is_empty() {
            let _ = write!(text, "\n[labels]\nfile = \"{LABELS}\"\n");
        }
        if let Columns::Ordered(names) = columns {
            let _ = write!(
                text,
                "\n# Which columns go into the input, in the order that the model was trained with.\n\
                 [preprocessing]\ncolumns = {}\n",
                list(names)
            );
        }
        text
    }
}

fn in_toml(dimension: &Dimension) -> String {
    match dimension {
        Dimension::Fixed(size) => size.to_string(),
        Dimension::Symbol(name) => toml::Value::from(name.as_str()).to_string(),
    }
}

/// Texts as a list in TOML.
pub(super) fn list(texts: &[String]) -> String {
    toml::Value::from(texts.to_vec()).to_string()
}

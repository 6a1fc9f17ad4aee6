//! What the model's description says, as far as images are concerned.

use serde::Deserialize;

use crate::config::{Config, ConfigError, Type};
use crate::settings::Settings;

/// The description of the stage's main model.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Model {
    /// How an image becomes the input.
    pub preprocessing: Option<Config>,
    /// What the model takes.
    pub inputs: Option<Vec<Input>>,
}

/// One input of a model.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Input {
    /// Its name.
    pub name: Option<String>,
    /// The type of its elements; fp32 where nothing is said.
    #[serde(rename = "type")]
    pub ty: Option<String>,
    /// Its dimensions, the batch first.
    pub shape: Option<Vec<Dimension>>,
}

/// One dimension of an input.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a size, or a name for a size that the caller chooses")]
pub enum Dimension {
    /// A fixed size.
    Size(u64),
    /// A size that the caller chooses.
    Symbol(String),
}

impl Model {
    /// How an image becomes the input, with the type of the input where it is described and
    /// an image can have it.
    pub fn preprocessing(&self) -> Option<Config> {
        let declared = self.first().and_then(|input| Type::named(input.ty.as_deref()?));
        let preprocessing = self.preprocessing.clone();
        if declared.is_none() {
            return preprocessing;
        }
        let preprocessing = preprocessing.unwrap_or_default();
        Some(Config { ty: preprocessing.ty.or(declared), ..preprocessing })
    }

    fn first(&self) -> Option<&Input> {
        self.inputs.as_deref().and_then(<[Input]>::first)
    }

    /// Whether the tensor is what the first input takes, as far as the description says.
    ///
    /// # Errors
    /// What does not fit, and where to change it.
    pub fn check(&self, settings: &Settings) -> Result<(), ConfigError> {
        let Some(input) = self.first() else { return Ok(()) };
        let name = input.name.as_deref().unwrap_or("the first");
        let ours = settings.ty().name();
        if let Some(ty) = input.ty.as_deref().filter(|ty| *ty != ours) {
            let remedy = match Type::named(ty) {
                Some(_) => "adjust or omit `type`",
                None => "use a model with an input of fp32 or u8",
            };
            return Err(ConfigError(format!(
                "the model's input '{name}': expected {ty}, got {ours} from image-features: {remedy}"
            )));
        }
        let Some(shape) = &input.shape else { return Ok(()) };
        let tensor = settings.dimensions();
        let fits = |(dimension, size): (&Dimension, &u32)| match dimension {
            Dimension::Size(expected) => *expected == u64::from(*size),
            Dimension::Symbol(_) => true,
        };
        match shape.split_first() {
            Some((_, row)) if row.len() == tensor.len() && row.iter().zip(&tensor).all(fits) => {
                Ok(())
            }
            _ => Err(ConfigError(format!(
                "the model's input '{name}': expected {}, the batch first, got {tensor:?} per \
                 image: adjust `width`, `height`, `channels` or `layout`",
                shown(shape)
            ))),
        }
    }
}

fn shown(shape: &[Dimension]) -> String {
    let dimension = |dimension: &Dimension| match dimension {
        Dimension::Size(size) => size.to_string(),
        Dimension::Symbol(name) => name.clone(),
    };
    format!("[{}]", shape.iter().map(dimension).collect::<Vec<_>>().join(", "))
}

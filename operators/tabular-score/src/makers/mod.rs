//! Models of every maker, as the operator sees them.
//!
//! A maker is added by a file here and a row in [`MAKERS`]; what is a model of whom is told by its
//! first bytes.

mod h2o;
mod lightgbm;
mod model;
mod named;
mod xgboost;

use sandbar_operator::Error;

pub(crate) use model::{Feature, Model, Offset, Scored, Scorer, Takes, Unfit};

use model::Describe;

/// What reads a model of one maker from its bytes; the function asks for what the model's folder
/// says.
type Reader = fn(&[u8], Describe<'_>) -> Result<Box<dyn Model>, Error>;

/// A maker's way to read a model.
struct Maker {
    /// The model's format, in words.
    format: &'static str,
    /// Whether bytes are a model of this maker, as far as their beginning tells.
    is_it: fn(&[u8]) -> bool,
    read: Reader,
}

/// All of them.
const MAKERS: [Maker; 3] = [
    Maker { format: "a MOJO of H2O", is_it: h2o::is_mojo, read: h2o::read },
    Maker { format: "a text model of LightGBM", is_it: lightgbm::is_text, read: lightgbm::read },
    Maker {
        format: "a model of XGBoost in JSON or UBJSON",
        is_it: xgboost::is_object,
        read: xgboost::read,
    },
];

/// Reads a model, whoever made it.
///
/// # Errors
/// Where the bytes are no model of any maker, or of none that can be scored.
pub(crate) fn read(bytes: &[u8], describe: Describe<'_>) -> Result<Box<dyn Model>, Error> {
    match MAKERS.iter().find(|maker| (maker.is_it)(bytes)) {
        Some(maker) => (maker.read)(bytes, describe),
        None => {
            let formats: Vec<&str> = MAKERS.iter().map(|maker| maker.format).collect();
            Err(format!("not a model of a known maker: expected {}", formats.join(", ")).into())
        }
    }
}

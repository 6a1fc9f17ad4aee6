//! Deep learning: a multi-layer perceptron.
//!
//! - `input`: from a row to the inputs of the first layer.
//! - `layer`: a layer of neurons.
//! - `dense`, `sparse`, `simd`: weights, and their product with inputs that are mostly zero.
//! - `activation`: what a hidden neuron makes of its sum.
//! - `doubt`: by how much single precision may be off.
//! - `ordered`, `exact`: rows in double precision, bit for bit as H2O's scorer.
//! - `network`: rows through all layers, and when they are computed exactly.
//! - `autoencoder`: a network whose outputs are its inputs.
//! - this file: what `model.ini` says of the whole.

mod activation;
mod autoencoder;
mod dense;
mod doubt;
mod exact;
mod input;
mod layer;
mod network;
mod ordered;
mod simd;
mod sparse;

use std::num::ParseFloatError;
use std::str::FromStr;
use std::sync::Arc;

use super::engine::{Engine, Source};
use crate::category::Category;
use crate::distribution::{Distribution, Link};
use crate::error::Error;
use crate::info::Info;
use crate::limits::{self, Limits};

use activation::Activation;
use autoencoder::AutoEncoder;
use dense::Dense;
use doubt::Bound;
use input::Input;
use layer::Layer;
use network::DeepLearning;

/// Reads a network.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    // H2O's reader takes no others of a network.
    let encodings = ["AUTO", "OneHotInternal", "SortByResponse", "Binary", "Eigen", "LabelEncoder"];
    source.version(1.1, "deeplearning 1.00 and 1.10", &encodings)?;
    let Source { info, features, limits, .. } = *source;
    let classes = source.classes.count();
    let distribution = Distribution::read(info)?;
    if distribution == Distribution::ModifiedHuber {
        // H2O's own scorer answers such a model with a constant and label -1.
        return Err(Error::Unsupported {
            what: "deep learning with distribution 'modified_huber'".into(),
            supported: "every other distribution".into(),
        });
    }
    let input = Input::read(info, features)?;
    let sizes: Vec<usize> = info.list("neural_network_sizes")?.unwrap_or_default();
    let [first, .., last] = sizes[..] else {
        return Err(Error::contradiction("neural_network_sizes", "expected at least two layers"));
    };
    if input.width() != Some(first) {
        return Err(Error::contradiction(
            "neural_network_sizes",
            "the first size is not the number of inputs",
        ));
    }
    let encodes = source.category == Category::AutoEncoder;
    if last != if encodes { first } else { classes.max(1) } {
        return Err(Error::contradiction(
            "neural_network_sizes",
            "the last size is not the number of classes, nor that of an auto-encoder's inputs",
        ));
    }
    let layers = layers(info, &sizes, encodes, limits)?;
    if encodes {
        return Ok(Arc::new(AutoEncoder::new(input, layers, features)?));
    }
    let (response, link) = (response(info)?, Link::of(distribution));
    Ok(Arc::new(DeepLearning::new(input, layers, classes == 0, response, link)))
}

/// The layers, each from one size to the next. Neurons of the last one are as the others where
/// the network `encodes` its input.
fn layers(
    info: &Info<'_>,
    sizes: &[usize],
    encodes: bool,
    limits: &Limits,
) -> Result<Vec<Layer>, Error> {
    let (activation, dropout) = Activation::read(info)?;
    let ratios: Vec<f64> = info.list("hidden_dropout_ratios")?.unwrap_or_default();
    if ratios.iter().any(|ratio| !(0.0..1.0).contains(ratio)) {
        return Err(Error::contradiction(
            "hidden_dropout_ratios",
            "expected ratios from 0 to below 1",
        ));
    }
    let mut layers = Vec::new();
    let mut total = 0_u64;
    for (index, size) in sizes.windows(2).enumerate() {
        let (inputs, neurons) = (size[0], size[1]);
        let hidden = encodes || index + 2 < sizes.len();
        let ratio = ratios.get(index).copied().filter(|_| hidden && dropout).unwrap_or(0.0);
        let (weight_key, bias_key) = (format!("weight_layer{index}"), format!("bias_layer{index}"));
        // Lengths are looked at before there is memory for what may be megabytes.
        if info.items(&bias_key) > neurons.saturating_mul(2) {
            return Err(Error::contradiction(
                &bias_key,
                "its length does not fit neural_network_sizes",
            ));
        }
        let bias: Vec<f64> = info.required_list(&bias_key)?;
        // A maxout neuron has two sums.
        let pieces = match bias.len().checked_div(neurons) {
            Some(2) if hidden && activation == Activation::Maxout => 2,
            _ => 1,
        };
        if inputs == 0 || neurons == 0 || neurons.checked_mul(pieces) != Some(bias.len()) {
            return Err(Error::contradiction(
                &bias_key,
                "its length does not fit neural_network_sizes",
            ));
        }
        total = total.saturating_add(Dense::size(inputs, bias.len()));
        limits::check(
            || format!("{weight_key}: weights so far"),
            total,
            limits.weights,
            "weights",
        )?;
        if info.items(&weight_key) > inputs.saturating_mul(bias.len()) {
            return Err(Error::contradiction(
                &weight_key,
                "its length does not fit neural_network_sizes",
            ));
        }
        let weights: Vec<Weight> = info.required_list(&weight_key)?;
        if inputs.checked_mul(bias.len()) != Some(weights.len()) {
            return Err(Error::contradiction(
                &weight_key,
                "its length does not fit neural_network_sizes",
            ));
        }
        // By neuron, then by input, then by piece; sums are numbered neuron by neuron.
        let place =
            |sum: usize, input: usize| pieces * (sum / pieces * inputs + input) + sum % pieces;
        let weight = |sum: usize, input: usize| weights[place(sum, input)].0;
        let dense = Dense::new(inputs, pieces, &bias, weight);
        let bound = Bound::of(inputs, &bias, hidden && index > 0, weight);
        layers.push(Layer { dense, bound, pieces, activation, keep: 1.0 - ratio });
    }
    let beyond = format!("weight_layer{}", layers.len());
    if info.text(&beyond).is_some() {
        return Err(Error::contradiction(&beyond, "neural_network_sizes has no such layer"));
    }
    Ok(layers)
}

/// A weight. H2O reads a double and rounds it.
struct Weight(f32);

impl FromStr for Weight {
    type Err = ParseFloatError;

    fn from_str(text: &str) -> Result<Self, ParseFloatError> {
        text.parse::<f64>().map(|weight| Self(weight as f32))
    }
}

/// How the network's number becomes one of the response: divided, then added to.
fn response(info: &Info<'_>) -> Result<Option<(f64, f64)>, Error> {
    let Some(multipliers) = info.list::<f64>("norm_resp_mul")? else { return Ok(None) };
    let means: Vec<f64> = info.list("norm_resp_sub")?.unwrap_or_default();
    match (multipliers.first(), means.first()) {
        (Some(multiplier), Some(mean)) => Ok(Some((*multiplier, *mean))),
        _ => Err(Error::contradiction(
            "norm_resp_mul",
            "expected one item, and one of norm_resp_sub",
        )),
    }
}

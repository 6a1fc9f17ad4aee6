//! The functions of the gates.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::kind::Kind;

/// A function of one number; `a` and `b` are ONNX's alpha and beta.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Activation {
    Affine { a: f32, b: f32 },
    Elu { a: f32 },
    HardSigmoid { a: f32, b: f32 },
    LeakyRelu { a: f32 },
    Relu,
    ScaledTanh { a: f32, b: f32 },
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
    ThresholdedRelu { a: f32 },
}

impl Activation {
    /// The functions of a node, those of its first direction first. Numbers for them are taken in
    /// order by those that have any; ONNX's defaults where a list is too short.
    pub(super) fn read(node: &NodeProto, kind: Kind, directions: usize) -> TractResult<Vec<Self>> {
        let op = &node.op_type;
        let names = node.get_attr_opt_tvec::<&str>("activations")?;
        let names = match &names {
            Some(names) => names.to_vec(),
            None => kind.functions().repeat(directions),
        };
        let expected = kind.functions().len() * directions;
        ensure!(names.len() == expected, "{op} with {} activations of {expected}", names.len());
        let numbers = |name: &str| -> TractResult<Vec<f32>> {
            Ok(node.get_attr_opt_slice::<f32>(name)?.unwrap_or_default().to_vec())
        };
        let mut alphas = numbers("activation_alpha")?.into_iter();
        let mut betas = numbers("activation_beta")?.into_iter();
        let mut alpha = |default: Option<f32>, name: &str| {
            alphas
                .next()
                .or(default)
                .with_context(|| format!("{op}: {name} without activation_alpha"))
        };
        let mut beta = |default: Option<f32>, name: &str| {
            betas
                .next()
                .or(default)
                .with_context(|| format!("{op}: {name} without activation_beta"))
        };
        let function = |name: &&str| {
            Ok(match name.to_ascii_lowercase().as_str() {
                "affine" => Activation::Affine { a: alpha(None, name)?, b: beta(None, name)? },
                "elu" => Activation::Elu { a: alpha(Some(1.0), name)? },
                "hardsigmoid" => Activation::HardSigmoid {
                    a: alpha(Some(0.2), name)?,
                    b: beta(Some(0.5), name)?,
                },
                "leakyrelu" => Activation::LeakyRelu { a: alpha(Some(0.01), name)? },
                "relu" => Activation::Relu,
                "scaledtanh" => {
                    Activation::ScaledTanh { a: alpha(None, name)?, b: beta(None, name)? }
                }
                "sigmoid" => Activation::Sigmoid,
                "softplus" => Activation::Softplus,
                "softsign" => Activation::Softsign,
                "tanh" => Activation::Tanh,
                "thresholdedrelu" => Activation::ThresholdedRelu { a: alpha(Some(1.0), name)? },
                _ => bail!("{op} with the activation '{name}', which ONNX does not have"),
            })
        };
        names.iter().map(function).collect()
    }

    pub(super) fn of(self, x: f32) -> f32 {
        match self {
            Activation::Affine { a, b } => a * x + b,
            Activation::Elu { a } => {
                if x >= 0.0 {
                    x
                } else {
                    a * x.exp_m1()
                }
            }
            Activation::HardSigmoid { a, b } => (a * x + b).clamp(0.0, 1.0),
            Activation::LeakyRelu { a } => {
                if x >= 0.0 {
                    x
                } else {
                    a * x
                }
            }
            Activation::Relu => x.max(0.0),
            Activation::ScaledTanh { a, b } => a * (b * x).tanh(),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Activation::Softsign => x / (1.0 + x.abs()),
            Activation::Tanh => x.tanh(),
            Activation::ThresholdedRelu { a } => {
                if x > a {
                    x
                } else {
                    0.0
                }
            }
        }
    }
}

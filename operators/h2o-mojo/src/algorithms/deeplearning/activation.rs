//! What a hidden neuron makes of its sum.

use crate::error::Error;
use crate::exp::exp;
use crate::info::Info;

/// An activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// The sum, or 0 where it is negative.
    Rectifier,
    /// The sum, or `e^sum - 1` where it is negative.
    ExpRectifier,
    /// The hyperbolic tangent.
    Tanh,
    /// The larger of two sums.
    Maxout,
}

impl Activation {
    /// The function that `model.ini` names, and whether dropout ratios count.
    pub(super) fn read(info: &Info<'_>) -> Result<(Self, bool), Error> {
        let name = info.required("activation")?;
        let (function, dropout) = match name.strip_suffix("WithDropout") {
            Some(function) => (function, true),
            None => (name, false),
        };
        let function = match function {
            "Rectifier" => Self::Rectifier,
            "ExpRectifier" => Self::ExpRectifier,
            "Tanh" => Self::Tanh,
            "Maxout" => Self::Maxout,
            _ => {
                return Err(Error::Unsupported {
                    what: format!("activation '{name}'"),
                    supported: "Rectifier, ExpRectifier, Tanh and Maxout, each WithDropout too"
                        .into(),
                });
            }
        };
        Ok((function, dropout))
    }

    /// The value for one sum. Maxout takes the larger of two before.
    #[inline(always)]
    pub(super) fn apply(self, sum: f64) -> f64 {
        match self {
            Self::Rectifier => 0.5 * (sum + sum.abs()),
            Self::ExpRectifier if sum < 0.0 => exp(sum) - 1.0,
            Self::Tanh => 1.0 - 2.0 / (1.0 + exp(2.0 * sum)),
            Self::ExpRectifier | Self::Maxout => sum,
        }
    }
}

//! The distributions that a response may follow and the functions that link it to a sum.

use crate::error::Error;
use crate::exp;
use crate::info::Info;

/// The distribution that the training assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distribution {
    /// Two classes, by the log of their odds.
    Bernoulli,
    /// Two values, treated as two classes.
    Quasibinomial,
    /// Two classes, less sensitive to outliers.
    ModifiedHuber,
    /// Two classes or more.
    Multinomial,
    /// A fraction between 0 and 1, which is a regression.
    FractionalBinomial,
    /// Ordered classes, which neither GBM nor deep learning scores as classes.
    Ordinal,
    /// A number whose logarithm the model sums up: Poisson, gamma, Tweedie.
    Logarithmic,
    /// A number that the model sums up as it is: Gaussian, Huber, Laplace, quantile and others.
    Plain,
}

impl Distribution {
    /// What `model.ini` says.
    pub(crate) fn read(info: &Info<'_>) -> Result<Self, Error> {
        Ok(match info.required("distribution")? {
            "bernoulli" => Self::Bernoulli,
            "quasibinomial" => Self::Quasibinomial,
            "modified_huber" => Self::ModifiedHuber,
            "multinomial" => Self::Multinomial,
            "fractionalbinomial" => Self::FractionalBinomial,
            "ordinal" => Self::Ordinal,
            "poisson" | "gamma" | "tweedie" => Self::Logarithmic,
            "AUTO" | "gaussian" | "huber" | "laplace" | "quantile" | "negativebinomial"
            | "custom" => Self::Plain,
            other => {
                return Err(Error::Unsupported {
                    what: format!("distribution '{other}'"),
                    supported: "those of H2O 3.46".into(),
                });
            }
        })
    }
}

/// How a sum becomes a prediction: the inverse of the link function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// The sum itself.
    Identity,
    /// Its exponential.
    Log,
    /// The logistic function.
    Logit,
    /// The complementary log-log.
    Ologlog,
    /// Always 0: H2O names this link but does not compute it.
    Oprobit,
    /// The reciprocal.
    Inverse,
}

impl Link {
    /// What `model.ini` says; MOJOs before version 1.20 leave it to the distribution.
    pub(crate) fn read(info: &Info<'_>, distribution: Distribution) -> Result<Self, Error> {
        Ok(match info.text("link_function") {
            None => Self::of(distribution),
            Some("log") => Self::Log,
            Some("logit" | "ologit") => Self::Logit,
            Some("ologlog") => Self::Ologlog,
            Some("oprobit") => Self::Oprobit,
            Some("inverse") => Self::Inverse,
            // The Tweedie link has no inverse in H2O's scoring: the sum passes unchanged.
            Some("identity" | "tweedie") => Self::Identity,
            Some(other) => {
                return Err(Error::Unsupported {
                    what: format!("link function '{other}'"),
                    supported: "identity, log, logit, ologit, ologlog, oprobit, inverse, tweedie"
                        .into(),
                });
            }
        })
    }

    /// The link that belongs to a distribution.
    pub(crate) fn of(distribution: Distribution) -> Self {
        match distribution {
            Distribution::Bernoulli
            | Distribution::Quasibinomial
            | Distribution::ModifiedHuber
            | Distribution::FractionalBinomial
            | Distribution::Ordinal => Self::Logit,
            Distribution::Multinomial | Distribution::Logarithmic => Self::Log,
            Distribution::Plain => Self::Identity,
        }
    }

    /// The prediction for a sum.
    pub(crate) fn invert(self, sum: f64) -> f64 {
        match self {
            Self::Identity => sum,
            Self::Log => exp(sum),
            Self::Logit => 1.0 / (1.0 + exp(-sum)),
            Self::Ologlog => 1.0 - exp(-exp(sum)),
            Self::Oprobit => 0.0,
            // The bound of positive sums has the sign that H2O gives it: 1/0 is infinite.
            Self::Inverse if sum < 0.0 => 1.0 / sum.min(-1e-5),
            Self::Inverse => 1.0 / sum,
        }
    }
}

/// The exponential, bounded as H2O bounds it.
fn exp(x: f64) -> f64 {
    // Not `min`, which would turn a NaN into the bound.
    let value = exp::exp(x);
    if value > 1e19 { 1e19 } else { value }
}

//! The inverse of the link function, as H2O's linear models have it (`GLM_*Inv` of `GenModel`).
//! Boosting and deep learning have bounds of their own, see `distribution`.

use crate::error::Error;
use crate::exp::exp;
use crate::info::Info;

/// How a sum becomes a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::algorithms) enum Link {
    /// The sum itself.
    Identity,
    /// Its exponential.
    Log,
    /// Its exponential, which is not quite zero.
    TweedieLog,
    /// The reciprocal.
    Inverse,
    /// The sum to this power.
    Power(f64),
}

impl Link {
    /// The link of a number's `family`, where it has one of those that H2O trains it with.
    pub(in crate::algorithms) fn read(info: &Info<'_>, family: &str) -> Result<Self, Error> {
        let link = info.required("link")?;
        let supported = match (family, link) {
            ("tweedie", "tweedie") => return Self::tweedie(info),
            ("tweedie", _) => "tweedie",
            ("gaussian" | "poisson" | "gamma" | "negativebinomial", "identity") => {
                return Ok(Self::Identity);
            }
            ("gaussian" | "poisson" | "gamma" | "negativebinomial", "log") => {
                return Ok(Self::Log);
            }
            ("gaussian" | "gamma", "inverse") => return Ok(Self::Inverse),
            ("gaussian" | "gamma", _) => "identity, log, inverse",
            _ => "identity, log",
        };
        Err(Error::Unsupported {
            what: format!("link '{link}' of family '{family}'"),
            supported: supported.into(),
        })
    }

    fn tweedie(info: &Info<'_>) -> Result<Self, Error> {
        const KEY: &str = "tweedie_link_power";
        let power: f64 = info.number(KEY)?;
        let exponent = 1.0 / power;
        match () {
            () if power == 0.0 => Ok(Self::TweedieLog),
            () if exponent == 1.0 => Ok(Self::Identity),
            // Java's powers of 1 to NaN and to infinity are not those of others.
            () if exponent.is_finite() && exponent != 0.0 => Ok(Self::Power(exponent)),
            () => Err(Error::Contradiction {
                key: KEY.into(),
                reason: format!("{power} is out of range"),
            }),
        }
    }

    /// The number for a sum.
    pub(in crate::algorithms) fn invert(self, sum: f64) -> f64 {
        match self {
            Self::Identity => sum,
            Self::Log => exp(sum),
            // Not `max`, which would turn a NaN into the bound.
            Self::TweedieLog => match exp(sum) {
                number if number < 2e-16 => 2e-16,
                number => number,
            },
            Self::Inverse if sum.is_nan() => sum,
            Self::Inverse if sum < 0.0 => 1.0 / sum.min(-1e-5),
            Self::Inverse => 1.0 / sum.max(1e-5),
            Self::Power(exponent) => sum.powf(exponent),
        }
    }
}

/// The probability for the log of its odds.
pub(in crate::algorithms) fn logistic(sum: f64) -> f64 {
    1.0 / (exp(-sum) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::{Link, logistic};

    /// What `GLM_inverseInv`, `GLM_tweedieInv` with the powers 0 and 1, `GLM_logInv` and
    /// `GLM_logitInv` of H2O 3.46.0.6 answer.
    #[test]
    fn sums_are_bounded_as_in_java() {
        let cases = [
            (-0.0, [99999.99999999999, 1.0, -0.0, 1.0, 0.5]),
            (1e-6, [99999.99999999999, 1.0000010000005, 1e-6, 1.0000010000005, 0.50000025]),
            (
                -1e-6,
                [-99999.99999999999, 0.9999990000005, -1e-6, 0.9999990000005, 0.49999974999999997],
            ),
            (
                2e-5,
                [
                    49999.99999999999,
                    1.0000200002000013,
                    2e-5,
                    1.0000200002000013,
                    0.5000049999999998,
                ],
            ),
            (
                -36.5,
                [-0.0273972602739726, 2e-16, -36.5, 1.4068617124461467e-16, 1.4068617124461467e-16],
            ),
            (-800.0, [-0.00125, 2e-16, -800.0, 0.0, 0.0]),
            (800.0, [0.00125, f64::INFINITY, 800.0, f64::INFINITY, 1.0]),
            (f64::NEG_INFINITY, [-0.0, 2e-16, f64::NEG_INFINITY, 0.0, 0.0]),
            (f64::NAN, [f64::NAN; 5]),
        ];
        for (sum, expected) in cases {
            let linked = [Link::Inverse, Link::TweedieLog, Link::Identity, Link::Log]
                .map(|link| link.invert(sum));
            let all = [&linked[..], &[logistic(sum)]].concat();
            for (value, expected) in all.iter().zip(expected) {
                let same = value.to_bits() == expected.to_bits();
                assert!(same || value.is_nan() && expected.is_nan(), "{sum}: {value} {expected}");
            }
        }
    }

    /// What `GLM_tweedieInv` answers for the powers 0.5 and -0.7.
    #[test]
    fn powers_are_those_of_java() {
        for (sum, square, other) in [
            (0.0, 0.0, f64::INFINITY),
            (-4.0, 16.0, f64::NAN),
            (800.0, 640_000.0, 7.124076756547478e-5),
            (f64::INFINITY, f64::INFINITY, 0.0),
            (f64::NAN, f64::NAN, f64::NAN),
        ] {
            for (power, expected) in [(0.5, square), (-0.7, other)] {
                let value = Link::Power(1.0 / power).invert(sum);
                let near = (value - expected).abs() <= expected * 1e-15;
                assert!(
                    value == expected || near || value.is_nan() && expected.is_nan(),
                    "{sum} to 1/{power}: {value} {expected}"
                );
            }
        }
    }
}

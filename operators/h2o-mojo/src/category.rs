//! What a model predicts.

use crate::error::Error;
use crate::info::Info;

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// One of two classes; the label follows a threshold.
    Binomial,
    /// One of many classes; the label is the most probable.
    Multinomial,
    /// One of many classes that have an order; the label is the most probable.
    Ordinal,
    /// A number.
    Regression,
    /// How unlike the rows of training a row is.
    AnomalyDetection,
}

impl Category {
    /// What `model.ini` says.
    pub(crate) fn read(info: &Info<'_>) -> Result<Self, Error> {
        match info.required("category")? {
            "Binomial" => Ok(Self::Binomial),
            "Multinomial" => Ok(Self::Multinomial),
            "Ordinal" => Ok(Self::Ordinal),
            "Regression" => Ok(Self::Regression),
            "AnomalyDetection" => Ok(Self::AnomalyDetection),
            other => Err(Error::Unsupported {
                what: format!("category '{other}'"),
                supported: "Binomial, Multinomial, Ordinal, Regression, AnomalyDetection".into(),
            }),
        }
    }
}

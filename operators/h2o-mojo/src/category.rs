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
    /// Which cluster a row belongs to.
    Clustering,
    /// What remains of a row that is squeezed through a network.
    AutoEncoder,
    /// Fewer numbers that stand for a row.
    DimReduction,
    /// By how much a treatment changes the probability of the second of two classes.
    BinomialUplift,
    /// The hazard of a row, relative to the mean.
    CoxPH,
}

impl Category {
    /// Whether a prediction is a class.
    pub(crate) fn has_classes(self) -> bool {
        matches!(self, Self::Binomial | Self::Multinomial | Self::Ordinal)
    }

    /// What `model.ini` says.
    pub(crate) fn read(info: &Info<'_>) -> Result<Self, Error> {
        match info.required("category")? {
            "Binomial" => Ok(Self::Binomial),
            "Multinomial" => Ok(Self::Multinomial),
            "Ordinal" => Ok(Self::Ordinal),
            "Regression" => Ok(Self::Regression),
            "AnomalyDetection" => Ok(Self::AnomalyDetection),
            "Clustering" => Ok(Self::Clustering),
            "AutoEncoder" => Ok(Self::AutoEncoder),
            "DimReduction" => Ok(Self::DimReduction),
            "BinomialUplift" => Ok(Self::BinomialUplift),
            "CoxPH" => Ok(Self::CoxPH),
            other => Err(Error::Unsupported {
                what: format!("category '{other}'"),
                supported: "Binomial, Multinomial, Ordinal, Regression, AnomalyDetection, \
                            Clustering, AutoEncoder, DimReduction, BinomialUplift, CoxPH"
                    .into(),
            }),
        }
    }
}

//! The algorithms that this crate scores, and the one table of them.
//!
//! - `engine`: what an algorithm gets to read a model from, and what it makes of it.
//! - `shared_tree`: what H2O's tree algorithms have in common in a MOJO.
//! - one folder per algorithm.
//!
//! An algorithm is added by its folder and by a variant and a row here.

pub(crate) mod coxph;
mod deeplearning;
mod drf;
pub(crate) mod engine;
mod extendedisolationforest;
pub(crate) mod gam;
mod gbm;
mod glm;
mod isolationforest;
mod isotonic;
mod kmeans;
mod pca;
mod rulefit;
mod shared_tree;
mod stackedensemble;
mod upliftdrf;

use std::fmt;
use std::sync::Arc;

use crate::category::Category;
use crate::classes::Labels;
use crate::error::Error;
use crate::info::Info;

use engine::{Engine, Source};

/// The algorithms that this crate scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Gradient boosting machine, `gbm`.
    Gbm,
    /// Random forest, `drf`: DRF and XRT.
    Drf,
    /// Generalised linear model, `glm`.
    Glm,
    /// Multi-layer perceptron, `deeplearning`, auto-encoders included.
    DeepLearning,
    /// Isolation forest, `isolationforest`.
    IsolationForest,
    /// Extended isolation forest, `extendedisolationforest`.
    ExtendedIsolationForest,
    /// Stacked ensemble, `stackedensemble`: models whose predictions another one combines.
    StackedEnsemble,
    /// K-means clusters, `kmeans`.
    KMeans,
    /// Isotonic regression, `isotonicregression`.
    IsotonicRegression,
    /// Principal component analysis, `pca`.
    Pca,
    /// Uplift random forest, `upliftdrf`.
    UpliftDrf,
    /// Cox's proportional hazards, `coxph`.
    CoxPh,
    /// Generalised additive model, `gam`.
    Gam,
    /// Rules of trees in a linear model, `rulefit`.
    RuleFit,
}

/// An algorithm's names and its reader.
struct Entry {
    algorithm: Algorithm,
    /// Its short name.
    name: &'static str,
    /// The names that H2O's releases have given it.
    aliases: &'static [&'static str],
    /// What its models may predict.
    categories: &'static [Category],
    /// How H2O's scorer comes to a label.
    labels: Labels,
    read: fn(&mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error>,
}

/// What algorithms predict that learn from a response.
const SUPERVISED: [Category; 3] = [Category::Binomial, Category::Multinomial, Category::Regression];

/// All algorithms.
static TABLE: [Entry; 14] = [
    Entry {
        algorithm: Algorithm::Gbm,
        name: "gbm",
        aliases: &["Gradient Boosting Machine", "Gradient Boosting Method"],
        categories: &SUPERVISED,
        labels: Labels::Drawn,
        read: gbm::read,
    },
    Entry {
        algorithm: Algorithm::Drf,
        name: "drf",
        aliases: &["Distributed Random Forest"],
        categories: &SUPERVISED,
        labels: Labels::Drawn,
        read: drf::read,
    },
    Entry {
        algorithm: Algorithm::Glm,
        name: "glm",
        aliases: &["Generalized Linear Modeling", "Generalized Linear Model"],
        categories: &[
            Category::Binomial,
            Category::Multinomial,
            Category::Ordinal,
            Category::Regression,
        ],
        labels: Labels::First,
        read: glm::read,
    },
    Entry {
        algorithm: Algorithm::DeepLearning,
        name: "deeplearning",
        aliases: &["Deep Learning", "deep learning"],
        categories: &[
            Category::Binomial,
            Category::Multinomial,
            Category::Regression,
            Category::AutoEncoder,
        ],
        labels: Labels::Drawn,
        read: deeplearning::read,
    },
    Entry {
        algorithm: Algorithm::IsolationForest,
        name: "isolationforest",
        aliases: &["Isolation Forest"],
        categories: &[Category::AnomalyDetection],
        labels: Labels::Drawn,
        read: isolationforest::read,
    },
    Entry {
        algorithm: Algorithm::ExtendedIsolationForest,
        name: "extendedisolationforest",
        aliases: &["Extended Isolation Forest"],
        categories: &[Category::AnomalyDetection],
        labels: Labels::Drawn,
        read: extendedisolationforest::read,
    },
    Entry {
        algorithm: Algorithm::StackedEnsemble,
        name: "stackedensemble",
        aliases: &["StackedEnsemble", "Stacked Ensemble"],
        categories: &SUPERVISED,
        labels: Labels::Drawn,
        read: stackedensemble::read,
    },
    Entry {
        algorithm: Algorithm::KMeans,
        name: "kmeans",
        aliases: &["K-means"],
        categories: &[Category::Clustering],
        labels: Labels::Drawn,
        read: kmeans::read,
    },
    Entry {
        algorithm: Algorithm::IsotonicRegression,
        name: "isotonicregression",
        aliases: &["Isotonic Regression"],
        categories: &[Category::Regression],
        labels: Labels::Drawn,
        read: isotonic::read,
    },
    Entry {
        algorithm: Algorithm::Pca,
        name: "pca",
        aliases: &["Principal Components Analysis"],
        categories: &[Category::DimReduction],
        labels: Labels::Drawn,
        read: pca::read,
    },
    Entry {
        algorithm: Algorithm::UpliftDrf,
        name: "upliftdrf",
        aliases: &["Uplift Distributed Random Forest"],
        categories: &[Category::BinomialUplift],
        labels: Labels::Drawn,
        read: upliftdrf::read,
    },
    Entry {
        algorithm: Algorithm::CoxPh,
        name: coxph::NAME,
        aliases: &[coxph::ALIAS],
        categories: &[Category::CoxPH],
        labels: Labels::Drawn,
        read: coxph::read,
    },
    Entry {
        algorithm: Algorithm::Gam,
        name: gam::NAME,
        aliases: &[gam::ALIAS],
        categories: &SUPERVISED,
        labels: Labels::First,
        read: gam::read,
    },
    Entry {
        algorithm: Algorithm::RuleFit,
        name: "rulefit",
        aliases: &["RuleFit"],
        categories: &SUPERVISED,
        labels: Labels::First,
        read: rulefit::read,
    },
];

/// Other algorithms that H2O has MOJOs of: the name in `model.ini`, the short name, and why
/// they are not scored.
static REFUSED: [(&str, &str, &str); 6] = [
    (
        "Generalized Low Rank Modeling",
        "glrm",
        "H2O's scorer begins each row with random numbers that depend on how many it has scored",
    ),
    ("Word2Vec", "word2vec", "it takes words, not columns, and has no prediction"),
    ("TargetEncoder", "targetencoder", "it makes columns for another model, and no prediction"),
    ("k-LIME", "klime", "it explains another model's predictions, and has none of its own"),
    ("MOJO Pipeline", "pipeline", "it names models of its own columns: give its last model"),
    ("Support Vector Machine (*Spark*)", "svm", "Sparkling Water trains it, not H2O"),
];

impl Algorithm {
    /// The algorithm that `model.ini` names.
    pub(crate) fn of(info: &Info<'_>) -> Result<Self, Error> {
        let short = info.text("algo");
        let Some(name) = info.text("algorithm").or(short) else {
            return Err(Error::MissingKey { key: "algorithm".into() });
        };
        match TABLE.iter().find(|entry| entry.name == name || entry.aliases.contains(&name)) {
            Some(entry) => Ok(entry.algorithm),
            None => Err(Error::Unsupported {
                what: match REFUSED.iter().find(|(long, short, _)| name == *long || name == *short)
                {
                    Some((_, short, reason)) => format!("algorithm '{short}' ({reason})"),
                    None => format!("algorithm '{}'", short.unwrap_or(name)),
                },
                supported: TABLE.each_ref().map(|entry| entry.name).join(", "),
            }),
        }
    }

    /// How H2O's scorer comes to a label.
    pub(crate) fn labels(self) -> Labels {
        self.entry().labels
    }

    /// Reads what a MOJO of this algorithm has, which predicts something of `category`.
    pub(crate) fn read(
        self,
        category: Category,
        source: &mut Source<'_, '_>,
    ) -> Result<Arc<dyn Engine>, Error> {
        if !self.entry().categories.contains(&category) {
            return Err(Error::Contradiction {
                key: "category".into(),
                reason: format!("{category:?} does not fit the algorithm {self}"),
            });
        }
        (self.entry().read)(source)
    }

    fn entry(self) -> &'static Entry {
        let entry = TABLE.iter().find(|entry| entry.algorithm == self);
        entry.expect("every algorithm has a row in the table")
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.entry().name)
    }
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn every_algorithm_has_one_row() {
        for algorithm in TABLE.iter().map(|entry| entry.algorithm) {
            let rows = TABLE.iter().filter(|entry| entry.algorithm == algorithm).count();
            assert_eq!(rows, 1, "{algorithm:?}");
        }
    }
}

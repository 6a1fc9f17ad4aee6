//! The algorithms that this crate scores, and the one table of them.
//!
//! - `engine`: what an algorithm gets to read a model from, and what it makes of it.
//! - `shared_tree`: what H2O's tree algorithms have in common in a MOJO.
//! - one folder per algorithm.
//!
//! An algorithm is added by its folder and by a variant and a row here.

mod deeplearning;
mod drf;
pub(crate) mod engine;
mod gbm;
mod glm;
mod isolationforest;
mod shared_tree;

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
    /// Multi-layer perceptron, `deeplearning`.
    DeepLearning,
    /// Isolation forest, `isolationforest`.
    IsolationForest,
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
static TABLE: [Entry; 5] = [
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
        categories: &SUPERVISED,
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
                what: format!("algorithm '{}'", short.unwrap_or(name)),
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
    use super::{Algorithm, TABLE};

    #[test]
    fn every_algorithm_has_one_row() {
        use Algorithm::{DeepLearning, Drf, Gbm, Glm, IsolationForest};
        for algorithm in [Gbm, Drf, Glm, DeepLearning, IsolationForest] {
            let rows = TABLE.iter().filter(|entry| entry.algorithm == algorithm).count();
            assert_eq!(rows, 1, "{algorithm:?}");
        }
    }
}

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
mod shared_tree;

use std::fmt;
use std::sync::Arc;

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
    /// Multi-layer perceptron, `deeplearning`.
    DeepLearning,
}

/// An algorithm's names and its reader.
struct Entry {
    algorithm: Algorithm,
    /// Its short name.
    name: &'static str,
    /// The names that H2O's releases have given it.
    aliases: &'static [&'static str],
    read: fn(&mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error>,
}

/// All algorithms.
static TABLE: [Entry; 3] = [
    Entry {
        algorithm: Algorithm::Gbm,
        name: "gbm",
        aliases: &["Gradient Boosting Machine", "Gradient Boosting Method"],
        read: gbm::read,
    },
    Entry {
        algorithm: Algorithm::Drf,
        name: "drf",
        aliases: &["Distributed Random Forest"],
        read: drf::read,
    },
    Entry {
        algorithm: Algorithm::DeepLearning,
        name: "deeplearning",
        aliases: &["Deep Learning", "deep learning"],
        read: deeplearning::read,
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

    /// Reads what a MOJO of this algorithm has.
    pub(crate) fn read(self, source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
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
        for algorithm in [Algorithm::Gbm, Algorithm::Drf, Algorithm::DeepLearning] {
            let rows = TABLE.iter().filter(|entry| entry.algorithm == algorithm).count();
            assert_eq!(rows, 1, "{algorithm:?}");
        }
    }
}

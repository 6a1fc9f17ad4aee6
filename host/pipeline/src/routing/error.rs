//! Why routes, keys and headers do not fit what a pipeline makes.

use expressions::Problem;
use sandbar_manifest::FormatError;
use thiserror::Error;

/// What is wrong with the outputs that a manifest describes.
#[derive(Debug, Error)]
pub enum RouteError {
    /// A condition is not one, or names what there is not.
    #[error("{place}: when: {problem}")]
    Condition {
        /// The route.
        place: String,
        /// What is wrong, and where in the expression.
        problem: Problem,
    },
    /// A template does not fit the predictions.
    #[error("{place}: {error}")]
    Template {
        /// The key of the manifest.
        place: String,
        /// What is wrong with it.
        error: FormatError,
    },
    /// There are no predictions to write.
    #[error(
        "{place}: the pipeline makes no predictions, its records are written as they are; leave out 'format', 'template' and 'top'"
    )]
    Records {
        /// The route.
        place: String,
    },
}

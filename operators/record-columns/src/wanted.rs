//! What goes out whatever the configuration says, such as what the stage's models want.

use sandbar_operator::TensorShape;

use crate::config::Kind;

/// One thing that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// A column.
    Column {
        /// Its name.
        name: String,
        /// What it holds.
        kind: Kind,
    },
    /// A tensor. Its elements are columns where their names are known.
    Tensor {
        /// Its name.
        name: String,
        /// Its elements' type and its dimensions, without the batch.
        shape: TensorShape,
        /// The names of its elements, in their order.
        elements: Option<Vec<String>>,
    },
}

impl Wanted {
    /// The name of the column or tensor.
    pub fn name(&self) -> &str {
        match self {
            Wanted::Column { name, .. } | Wanted::Tensor { name, .. } => name,
        }
    }
}

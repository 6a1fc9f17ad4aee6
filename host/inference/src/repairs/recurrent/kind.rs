//! The three recurrent operations, and what each has by default.

/// Which operation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Gates: input, output, forget, cell.
    Lstm {
        /// Whether what is forgotten is what is not taken in (`input_forget`).
        coupled: bool,
    },
    /// Gates: update, reset, hidden.
    Gru {
        /// Whether the reset gate comes after the product (`linear_before_reset`).
        reset_last: bool,
    },
    /// One gate.
    Rnn,
}

impl Kind {
    pub(super) fn gates(self) -> usize {
        match self {
            Kind::Lstm { .. } => 4,
            Kind::Gru { .. } => 3,
            Kind::Rnn => 1,
        }
    }

    /// The functions of one direction where the node names none.
    pub(super) fn functions(self) -> &'static [&'static str] {
        match self {
            Kind::Lstm { .. } => &["Sigmoid", "Tanh", "Tanh"],
            Kind::Gru { .. } => &["Sigmoid", "Tanh"],
            Kind::Rnn => &["Tanh"],
        }
    }
}

//! What is predicted for rows.

/// The predictions for some rows. Keep it and hand it over again: its memory is reused.
#[derive(Debug, Clone, Default)]
pub struct Predictions {
    pub(crate) labels: Vec<u32>,
    pub(crate) values: Vec<f64>,
    pub(crate) width: usize,
}

impl Predictions {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many values a row has: one per class, or one per name of
    /// [`Model::outputs`](crate::Model::outputs).
    pub fn width(&self) -> usize {
        self.width
    }

    /// Per row the number of its class in [`Model::classes`](crate::Model::classes); empty
    /// where the model has none.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Row-major [`width`](Self::width) values per row: the probabilities of the classes, or
    /// what [`Model::outputs`](crate::Model::outputs) names. Each is a number of single
    /// precision.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    pub(crate) fn reset(&mut self, rows: usize, width: usize) {
        self.labels.clear();
        self.values.clear();
        self.values.resize(rows * width, 0.0);
        self.width = width;
    }
}

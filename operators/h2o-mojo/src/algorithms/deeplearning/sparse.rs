//! Rows of which only the values that are not zero are kept.

/// A few rows, each a list of positions and values.
///
/// One-hot inputs and rectified activations are mostly zero, and a zero costs nothing here.
#[derive(Debug, Clone, Default)]
pub(super) struct Sparse {
    entries: Vec<(u32, f32)>,
    /// Where each row ends.
    ends: Vec<usize>,
}

impl Sparse {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.ends.clear();
    }

    /// Adds a value to the row that is being made.
    pub(super) fn push(&mut self, position: usize, value: f32) {
        // Layers have fewer inputs than 32 bits count: the reader checks it.
        self.entries.push((position as u32, value));
    }

    /// Adds those of `values` that are not zero, by their positions.
    ///
    /// Without a branch per value, since which are zero is hard to predict.
    pub(super) fn extend(&mut self, values: &[f32]) {
        let begin = self.entries.len();
        self.entries.resize(begin + values.len(), (0, 0.0));
        let room = &mut self.entries[begin..];
        let mut kept = 0;
        for (position, value) in values.iter().enumerate() {
            room[kept] = (position as u32, *value);
            kept += usize::from(*value != 0.0);
        }
        self.entries.truncate(begin + kept);
    }

    /// Ends the row that is being made; says how many values it has.
    pub(super) fn end_row(&mut self) -> usize {
        let begin = self.ends.last().copied().unwrap_or(0);
        self.ends.push(self.entries.len());
        self.entries.len() - begin
    }

    /// The rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| &self.entries[begin..*end])
    }
}

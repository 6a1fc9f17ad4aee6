//! Rows for double precision, in the order in which H2O's scorer sums them up.
//!
//! A double's last bit depends on that order, and a label may depend on that bit. H2O adds up
//! every eighth product in a sum of its own (`NeuralNetwork.formNNInputs` of h2o-genmodel):
//! eight lanes, as far as whole groups of eight inputs go, then the other inputs one by one.
//! Sums of maxout neurons have no lanes (`formNNInputsMaxOut`). A product with a zero changes
//! no sum, so zeros are left out.

/// How many sums H2O's scorer keeps for one neuron.
pub(super) const LANES: usize = 8;

/// A few rows, each its values that are not zero: lane after lane, then those outside of lanes.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    entries: Vec<(u32, f64)>,
    /// Per row, where each lane ends, and then those outside.
    ends: Vec<[usize; LANES + 1]>,
}

impl Ordered {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.ends.clear();
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a row of all its values, of which the first `full` are in lanes.
    pub(super) fn push(&mut self, values: &[f64], full: usize) {
        let mut ends = [0; LANES + 1];
        for (lane, end) in ends[..LANES].iter_mut().enumerate() {
            for position in (lane..full).step_by(LANES) {
                self.add(position, values[position]);
            }
            *end = self.entries.len();
        }
        for (position, value) in values.iter().enumerate().skip(full) {
            self.add(position, *value);
        }
        ends[LANES] = self.entries.len();
        self.ends.push(ends);
    }

    /// Adds a row of the values that are not zero, and their positions.
    pub(super) fn push_sparse(&mut self, values: &mut [(u32, f64)], full: usize) {
        let lane = |position: u32| {
            if (position as usize) < full { position as usize % LANES } else { LANES }
        };
        values.sort_by_key(|(position, _)| (lane(*position), *position));
        let mut rest = &*values;
        let ends = std::array::from_fn(|this| {
            let count = rest.iter().take_while(|(position, _)| lane(*position) == this).count();
            let (mine, after) = rest.split_at(count);
            self.entries.extend_from_slice(mine);
            rest = after;
            self.entries.len()
        });
        self.ends.push(ends);
    }

    fn add(&mut self, position: usize, value: f64) {
        if value != 0.0 {
            // Layers have fewer inputs than 32 bits count: the reader checks it.
            self.entries.push((position as u32, value));
        }
    }

    /// The rows, each by lane and the last one outside of lanes.
    pub(super) fn rows(&self) -> impl Iterator<Item = [&[(u32, f64)]; LANES + 1]> {
        let mut begin = 0;
        self.ends.iter().map(move |ends| {
            ends.map(|end| {
                let lane = &self.entries[begin..end];
                begin = end;
                lane
            })
        })
    }
}

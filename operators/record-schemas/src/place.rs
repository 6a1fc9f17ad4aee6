//! What is wanted of records: places, and the tree that these make.

/// A place in a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The way to it: names of fields, keys of maps, indices of arrays. Of a union, and of what
    /// may be null, the way is that of the value.
    pub steps: Vec<String>,
    /// Of an array whose values are wanted, the sizes of its dimensions.
    pub array: Option<Vec<u32>>,
}

impl Place {
    /// The place with these names on the way to it.
    pub fn at(steps: impl IntoIterator<Item = impl Into<String>>) -> Place {
        Place { steps: steps.into_iter().map(Into::into).collect(), array: None }
    }
}

/// The places below one value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    /// The places that are this value, by their indices.
    pub(crate) here: Vec<usize>,
    /// The places that are all values of this array.
    pub(crate) arrays: Vec<Array>,
    /// What is below, by the next step.
    pub(crate) below: Vec<(String, Tree)>,
}

/// An array that is wanted whole.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    /// The place that it is.
    pub(crate) place: usize,
    /// The sizes of its dimensions.
    pub(crate) sizes: Vec<u32>,
    /// Whether it is an item of another that is wanted whole.
    pub(crate) inner: bool,
}

impl Tree {
    pub(crate) fn of(places: &[Place]) -> Tree {
        let mut root = Tree::default();
        for (index, place) in places.iter().enumerate() {
            let mut at = &mut root;
            for step in &place.steps {
                let known = at.below.iter().position(|(name, _)| name == step);
                let position = known.unwrap_or_else(|| {
                    at.below.push((step.clone(), Tree::default()));
                    at.below.len() - 1
                });
                at = &mut at.below[position].1;
            }
            match &place.array {
                None => at.here.push(index),
                Some(sizes) => {
                    at.arrays.push(Array { place: index, sizes: sizes.clone(), inner: false })
                }
            }
        }
        root
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.here.is_empty() && self.arrays.is_empty() && self.below.is_empty()
    }

    /// What is wanted below one step.
    pub(crate) fn step(&self, name: &str) -> Option<&Tree> {
        self.below.iter().find(|(step, _)| step == name).map(|(_, tree)| tree)
    }

    /// All places here and below.
    pub(crate) fn all(&self) -> Vec<usize> {
        let mut all = self.here.clone();
        all.extend(self.arrays.iter().map(|array| array.place));
        all.extend(self.below.iter().flat_map(|(_, tree)| tree.all()));
        all
    }
}

/// A step as the index of an array: digits, without zeros in front.
pub(crate) fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with('0') && step.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| step.parse().ok()).flatten()
}

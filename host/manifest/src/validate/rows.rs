//! Rows and their declared features.

use indexmap::IndexMap;

use super::case::Check;
use crate::cases::syntax::{FeatureSpec, FeatureType, Test};
use crate::cases::values::{Cell, CellTable};
use sandbar_config::KeyPath;

impl Check<'_> {
    pub(super) fn rows(&mut self, place: &KeyPath, test: &Test) {
        for (index, feature) in test.features.iter().enumerate() {
            let place = place.clone().key("features").index(index);
            if test.features[..index].iter().any(|other| other.name == feature.name) {
                self.report(place.clone().key("name"), "another feature has the same name");
            }
            match (feature.ty, &feature.shape) {
                (FeatureType::Number | FeatureType::Text, Some(_)) => {
                    self.report(place.key("shape"), "only a tensor has a shape; leave it out");
                }
                (FeatureType::Number | FeatureType::Text, None) => {}
                (_, None) => {
                    self.report(place, "a tensor needs a shape, as in shape = [1, 28, 28]")
                }
                (_, Some(_)) => {
                    if feature.row_bytes().is_none_or(|bytes| bytes > 1 << 30) {
                        self.report(place.key("shape"), "the tensor is too large; at most 1 GiB");
                    }
                }
            }
        }
        for (index, row) in test.rows.iter().enumerate() {
            self.row(&place.clone().key("rows").index(index), row, &test.features);
        }
    }

    fn row(&mut self, place: &KeyPath, row: &IndexMap<String, Cell>, features: &[FeatureSpec]) {
        for (name, cell) in row {
            let place = place.clone().key(name);
            let Some(feature) = features.iter().find(|feature| feature.name == *name) else {
                let known = features.iter().map(|feature| feature.name.as_str());
                self.unknown(place, "features declares no", name, known);
                continue;
            };
            let fits = match (feature.ty, cell) {
                (FeatureType::Number, Cell::Number(_)) | (FeatureType::Text, Cell::Text(_)) => true,
                (FeatureType::Number | FeatureType::Text, Cell::Other(table)) => {
                    *table == CellTable { missing: true, ..CellTable::default() }
                }
                (FeatureType::Number | FeatureType::Text, _) => false,
                (_, Cell::Elements(elements)) => Some(elements.len()) == feature.elements(),
                (_, Cell::Other(table)) => {
                    !table.missing && table.fill.is_some() != table.file.is_some()
                }
                _ => false,
            };
            if !fits {
                self.report(place, format!("expected {}", feature.words()));
            }
        }
    }
}

//! Actual results, normalized to the form of the expectation: equal to it if
//! nothing differs (docs/decisions/0014-one-form-of-expectation.md).

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::expectation::{Expectation, FailureSpec, OutputRecord, Prediction, is_unsayable};
use super::values::{Feature, HeaderValues, TensorValue};

impl Expectation {
    /// The actual result, as far as this expectation covers it. If it covers something
    /// that is missing, also what there is instead.
    pub fn seen(&self, came: &Expectation, tolerance: f64) -> Expectation {
        let near = Near(tolerance);
        let missed = lacks(&self.features, &came.features)
            || lacks(&self.prediction, &came.prediction)
            || lacks(&self.outputs, &came.outputs)
            || lacks(&self.failure, &came.failure);
        let brief = came.brief();
        let otherwise = if missed { brief.clone() } else { Expectation::default() };
        Expectation {
            features: both(&self.features, &came.features, |due, came| near.features(due, came))
                .or(otherwise.features.filter(|_| self.features.is_none())),
            prediction: both(&self.prediction, &came.prediction, |due, came| {
                near.prediction(due, came)
            })
            .or(otherwise.prediction.filter(|_| self.prediction.is_none())),
            outputs: both(&self.outputs, &came.outputs, |due, came| near.outputs(due, came))
                .or(otherwise.outputs.filter(|_| self.outputs.is_none())),
            // An unexpected failure always counts.
            failure: match &self.failure {
                Some(due) => came.failure.as_ref().map(|came| due.seen(came)),
                None => brief.failure,
            },
        }
    }
}

fn lacks<T>(due: &Option<T>, came: &Option<T>) -> bool {
    due.is_some() && came.is_none()
}

fn both<T>(due: &Option<T>, came: &Option<T>, seen: impl Fn(&T, &T) -> T) -> Option<T> {
    Some(seen(due.as_ref()?, came.as_ref()?))
}

/// Compares numbers with a tolerance.
struct Near(f64);

impl Near {
    fn number(&self, due: f64, came: f64) -> f64 {
        let same = due == came || (due - came).abs() <= self.0 || due.is_nan() && came.is_nan();
        if same { due } else { came }
    }

    fn numbers(
        &self,
        due: &IndexMap<String, f64>,
        came: &IndexMap<String, f64>,
    ) -> IndexMap<String, f64> {
        let seen = |(name, due): (&String, &f64)| {
            came.get(name).map(|came| (name.clone(), self.number(*due, *came)))
        };
        due.iter().filter_map(seen).collect()
    }

    fn features(
        &self,
        due: &IndexMap<String, Feature>,
        came: &IndexMap<String, Feature>,
    ) -> IndexMap<String, Feature> {
        let seen = |(name, due): (&String, &Feature)| {
            came.get(name).map(|came| (name.clone(), self.feature(due, came)))
        };
        due.iter().filter_map(seen).collect()
    }

    fn feature(&self, due: &Feature, came: &Feature) -> Feature {
        match (due, came) {
            (Feature::Number(due), Feature::Number(came)) => {
                Feature::Number(self.number(*due, *came))
            }
            (Feature::Tensor(due), Feature::Tensor(came)) => {
                Feature::Tensor(self.tensor(due, came))
            }
            _ => came.brief(),
        }
    }

    fn tensor(&self, due: &TensorValue, came: &TensorValue) -> TensorValue {
        let elements = came.values.as_deref().unwrap_or_default();
        let element = |(place, due): (&String, &f64)| {
            let came = elements.get(came.place(place)?)?;
            Some((place.clone(), self.number(*due, *came)))
        };
        TensorValue {
            ty: due.ty.and(came.ty),
            shape: due.shape.as_ref().and(came.shape.clone()),
            values: due.values.as_ref().map(|due| match due.len() == elements.len() {
                true => {
                    due.iter().zip(elements).map(|(due, came)| self.number(*due, *came)).collect()
                }
                false => elements.to_vec(),
            }),
            at: due.at.iter().filter_map(element).collect(),
        }
    }

    fn prediction(&self, due: &Prediction, came: &Prediction) -> Prediction {
        Prediction {
            label: due.label.as_ref().and(came.label.clone()),
            probabilities: self.numbers(&due.probabilities, &came.probabilities),
            values: self.numbers(&due.values, &came.values),
        }
    }

    fn outputs(&self, due: &[OutputRecord], came: &[OutputRecord]) -> Vec<OutputRecord> {
        let seen = |(index, came): (usize, &OutputRecord)| match due.get(index) {
            Some(due) => self.output(due, came),
            None => came.brief(),
        };
        came.iter().enumerate().map(seen).collect()
    }

    fn output(&self, due: &OutputRecord, came: &OutputRecord) -> OutputRecord {
        let contains = due.contains.clone().filter(|part| came.text().contains(part.as_str()));
        let json = due.json.as_ref().and_then(|due_json| {
            let json = self.json(due_json, &came.as_json()?, due.exact);
            // What TOML cannot express is shown as text.
            (!is_unsayable(&json) || json == *due_json).then_some(json)
        });
        let unsaid = contains.is_none() && due.contains.is_some()
            || json.is_none() && due.json.is_some()
            || due.value.is_some();
        OutputRecord {
            topic: due.topic.as_ref().and(came.topic.clone()),
            key: due.key.as_ref().and(came.key.clone()),
            value: came.value.clone().filter(|_| unsaid),
            exact: due.exact && json.is_some(),
            json,
            contains,
            headers: (due.headers.keys())
                .map(|name| {
                    let none = || HeaderValues(Vec::new());
                    (name.clone(), came.headers.get(name).cloned().unwrap_or_else(none))
                })
                .collect(),
            timestamp: due.timestamp.and(came.timestamp),
        }
    }

    fn json(&self, due: &Json, came: &Json, exact: bool) -> Json {
        match (due, came) {
            (Json::Object(due), Json::Object(came)) => {
                let seen = |(name, due): (&String, &Json)| {
                    Some((name.clone(), self.json(due, came.get(name)?, exact)))
                };
                let more = came.iter().filter(|(name, _)| exact && !due.contains_key(*name));
                let more = more.map(|(name, came)| (name.clone(), came.clone()));
                due.iter().filter_map(seen).chain(more).collect()
            }
            (Json::Array(due), Json::Array(came)) if due.len() == came.len() => {
                due.iter().zip(came).map(|(due, came)| self.json(due, came, exact)).collect()
            }
            (Json::Number(a), Json::Number(b)) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) if self.number(a, b) == a => due.clone(),
                _ => came.clone(),
            },
            _ => came.clone(),
        }
    }
}

impl FailureSpec {
    fn seen(&self, came: &FailureSpec) -> FailureSpec {
        let message = came.message.as_deref().unwrap_or_default();
        let contains = self.contains.clone().filter(|part| message.contains(part.as_str()));
        let unsaid = contains.is_none() && self.contains.is_some() || self.message.is_some();
        FailureSpec {
            stage: self.stage.as_ref().and(came.stage.clone()),
            code: self.code.and(came.code),
            message: came.message.clone().filter(|_| unsaid),
            contains,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cases::values::Bytes;

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (-3_i64..4).prop_map(Json::from),
            (-3.0..4.0).prop_map(Json::from),
            "[ab]{0,2}".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                prop::collection::btree_map("[abc]", inner, 0..3)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    fn output(json: &Json) -> Expectation {
        let value = Some(Bytes(Some(json.to_string().into_bytes())));
        let record = OutputRecord { value, ..OutputRecord::default() };
        Expectation { outputs: Some(vec![record]), ..Expectation::default() }
    }

    fn expects(json: &Json, exact: bool) -> Expectation {
        let record = OutputRecord { json: Some(json.clone()), exact, ..OutputRecord::default() };
        Expectation { outputs: Some(vec![record]), ..Expectation::default() }
    }

    proptest! {
        /// What was blessed passes, and blessing it again changes nothing.
        #[test]
        fn what_was_seen_is_seen_again(
            due in json(), came in json(), exact: bool, tolerance in 0.0..1.0,
        ) {
            let came = output(&came);
            // What is near enough is left as it was, so it is not seen with less tolerance.
            for tolerance in [0.0, tolerance] {
                let seen = expects(&due, exact).seen(&came, tolerance);
                prop_assert_eq!(seen.seen(&came, tolerance), seen);
            }
        }

        #[test]
        fn everything_is_as_itself(json in json(), exact: bool) {
            let due = expects(&json, exact);
            prop_assert_eq!(due.seen(&output(&json), 0.0), due);
        }

        /// Unexpected members count only in an exact comparison.
        #[test]
        fn more_members_count_only_where_it_is_exact(json in json()) {
            let more = serde_json::json!({ "a": json, "b": 1 });
            let due = serde_json::json!({ "a": json });
            let (loose, exact) = (expects(&due, false), expects(&due, true));
            prop_assert_eq!(&loose.seen(&output(&more), 0.0), &loose);
            prop_assert_ne!(&exact.seen(&output(&more), 0.0), &exact);
        }
    }

    #[test]
    fn numbers_are_near_or_not() {
        let near = Near(0.5);
        assert_eq!(near.number(1.0, 1.5), 1.0);
        assert_eq!(near.number(1.0, 1.6), 1.6);
        assert_eq!(near.number(f64::INFINITY, f64::INFINITY), f64::INFINITY);
        assert!(near.number(f64::NAN, f64::NAN).is_nan());
        assert!(near.number(1.0, f64::NAN).is_nan());
        assert_eq!(near.number(f64::NAN, 1.0), 1.0);
    }

    #[test]
    fn elements_of_a_tensor_are_found_by_their_indices() {
        let tensor = |values, at: &[(&str, f64)]| TensorValue {
            shape: Some(vec![2, 3]),
            values,
            at: at.iter().map(|(place, value)| ((*place).to_owned(), *value)).collect(),
            ..TensorValue::default()
        };
        let came = tensor(Some((0..6).map(f64::from).collect()), &[]);
        let due = tensor(None, &[("0,0", 0.0), ("1, 2", 5.0), ("1,0", 9.0)]);
        let seen = tensor(None, &[("0,0", 0.0), ("1, 2", 5.0), ("1,0", 3.0)]);
        assert_eq!(Near(0.0).tensor(&due, &came), seen);
        // What is not in the tensor is not seen.
        let outside = tensor(None, &[("2,0", 1.0), ("0,3", 1.0), ("1", 1.0), ("0,0,0", 1.0)]);
        assert_eq!(Near(0.0).tensor(&outside, &came), tensor(None, &[]));
    }
}

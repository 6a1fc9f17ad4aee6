//! Actual results, normalized to the form of the expectation: equal to it if
//! nothing differs (docs/decisions/0014-one-form-of-expectation.md).

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::expectation::{Expectation, FailureSpec, OutputRecord, Prediction, is_unsayable};
use super::values::{Feature, HeaderValues, TensorValue};

impl Expectation {
    /// The actual result, as far as this expectation covers it. If it covers something
    /// that is missing, also what there is instead.
    pub fn normalized(&self, actual: &Expectation, tolerance: f64) -> Expectation {
        let near = Near(tolerance);
        let missed = lacks(&self.features, &actual.features)
            || lacks(&self.prediction, &actual.prediction)
            || lacks(&self.outputs, &actual.outputs)
            || lacks(&self.failure, &actual.failure);
        let brief = actual.brief();
        let otherwise = if missed { brief.clone() } else { Expectation::default() };
        Expectation {
            features: both(&self.features, &actual.features, |expected, actual| {
                near.features(expected, actual)
            })
            .or(otherwise.features.filter(|_| self.features.is_none())),
            prediction: both(&self.prediction, &actual.prediction, |expected, actual| {
                near.prediction(expected, actual)
            })
            .or(otherwise.prediction.filter(|_| self.prediction.is_none())),
            outputs: both(&self.outputs, &actual.outputs, |expected, actual| {
                near.outputs(expected, actual)
            })
            .or(otherwise.outputs.filter(|_| self.outputs.is_none())),
            // An unexpected failure always counts.
            failure: match &self.failure {
                Some(expected) => actual.failure.as_ref().map(|actual| expected.normalized(actual)),
                None => brief.failure,
            },
        }
    }
}

fn lacks<T>(expected: &Option<T>, actual: &Option<T>) -> bool {
    expected.is_some() && actual.is_none()
}

fn both<T>(
    expected: &Option<T>,
    actual: &Option<T>,
    normalized: impl Fn(&T, &T) -> T,
) -> Option<T> {
    Some(normalized(expected.as_ref()?, actual.as_ref()?))
}

/// Compares numbers with a tolerance.
struct Near(f64);

impl Near {
    fn number(&self, expected: f64, actual: f64) -> f64 {
        let same = expected == actual
            || (expected - actual).abs() <= self.0
            || expected.is_nan() && actual.is_nan();
        if same { expected } else { actual }
    }

    fn numbers(
        &self,
        expected: &IndexMap<String, f64>,
        actual: &IndexMap<String, f64>,
    ) -> IndexMap<String, f64> {
        let normalized = |(name, expected): (&String, &f64)| {
            actual.get(name).map(|actual| (name.clone(), self.number(*expected, *actual)))
        };
        expected.iter().filter_map(normalized).collect()
    }

    fn features(
        &self,
        expected: &IndexMap<String, Feature>,
        actual: &IndexMap<String, Feature>,
    ) -> IndexMap<String, Feature> {
        let normalized = |(name, expected): (&String, &Feature)| {
            actual.get(name).map(|actual| (name.clone(), self.feature(expected, actual)))
        };
        expected.iter().filter_map(normalized).collect()
    }

    fn feature(&self, expected: &Feature, actual: &Feature) -> Feature {
        match (expected, actual) {
            (Feature::Number(expected), Feature::Number(actual)) => {
                Feature::Number(self.number(*expected, *actual))
            }
            (Feature::Tensor(expected), Feature::Tensor(actual)) => {
                Feature::Tensor(self.tensor(expected, actual))
            }
            _ => actual.brief(),
        }
    }

    fn tensor(&self, expected: &TensorValue, actual: &TensorValue) -> TensorValue {
        let elements = actual.values.as_deref().unwrap_or_default();
        let element = |(place, expected): (&String, &f64)| {
            let actual = elements.get(actual.place(place)?)?;
            Some((place.clone(), self.number(*expected, *actual)))
        };
        TensorValue {
            ty: expected.ty.and(actual.ty),
            shape: expected.shape.as_ref().and(actual.shape.clone()),
            values: expected.values.as_ref().map(|expected| {
                match expected.len() == elements.len() {
                    true => expected
                        .iter()
                        .zip(elements)
                        .map(|(expected, actual)| self.number(*expected, *actual))
                        .collect(),
                    false => elements.to_vec(),
                }
            }),
            at: expected.at.iter().filter_map(element).collect(),
        }
    }

    fn prediction(&self, expected: &Prediction, actual: &Prediction) -> Prediction {
        Prediction {
            label: expected.label.as_ref().and(actual.label.clone()),
            probabilities: self.numbers(&expected.probabilities, &actual.probabilities),
            values: self.numbers(&expected.values, &actual.values),
        }
    }

    fn outputs(&self, expected: &[OutputRecord], actual: &[OutputRecord]) -> Vec<OutputRecord> {
        let normalized = |(index, actual): (usize, &OutputRecord)| match expected.get(index) {
            Some(expected) => self.output(expected, actual),
            None => actual.brief(),
        };
        actual.iter().enumerate().map(normalized).collect()
    }

    fn output(&self, expected: &OutputRecord, actual: &OutputRecord) -> OutputRecord {
        let contains =
            expected.contains.clone().filter(|part| actual.text().contains(part.as_str()));
        let json = expected.json.as_ref().and_then(|due_json| {
            let json = self.json(due_json, &actual.as_json()?, expected.exact);
            // What TOML cannot express is shown as text.
            (!is_unsayable(&json) || json == *due_json).then_some(json)
        });
        let unsaid = contains.is_none() && expected.contains.is_some()
            || json.is_none() && expected.json.is_some()
            || expected.value.is_some();
        OutputRecord {
            topic: expected.topic.as_ref().and(actual.topic.clone()),
            key: expected.key.as_ref().and(actual.key.clone()),
            value: actual.value.clone().filter(|_| unsaid),
            exact: expected.exact && json.is_some(),
            json,
            contains,
            headers: (expected.headers.keys())
                .map(|name| {
                    let none = || HeaderValues(Vec::new());
                    (name.clone(), actual.headers.get(name).cloned().unwrap_or_else(none))
                })
                .collect(),
            timestamp: expected.timestamp.and(actual.timestamp),
        }
    }

    fn json(&self, expected: &Json, actual: &Json, exact: bool) -> Json {
        match (expected, actual) {
            (Json::Object(expected), Json::Object(actual)) => {
                let normalized = |(name, expected): (&String, &Json)| {
                    Some((name.clone(), self.json(expected, actual.get(name)?, exact)))
                };
                let more = actual.iter().filter(|(name, _)| exact && !expected.contains_key(*name));
                let more = more.map(|(name, actual)| (name.clone(), actual.clone()));
                expected.iter().filter_map(normalized).chain(more).collect()
            }
            (Json::Array(expected), Json::Array(actual)) if expected.len() == actual.len() => {
                expected
                    .iter()
                    .zip(actual)
                    .map(|(expected, actual)| self.json(expected, actual, exact))
                    .collect()
            }
            (Json::Number(a), Json::Number(b)) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) if self.number(a, b) == a => expected.clone(),
                _ => actual.clone(),
            },
            _ => actual.clone(),
        }
    }
}

impl FailureSpec {
    fn normalized(&self, actual: &FailureSpec) -> FailureSpec {
        let message = actual.message.as_deref().unwrap_or_default();
        let contains = self.contains.clone().filter(|part| message.contains(part.as_str()));
        let unsaid = contains.is_none() && self.contains.is_some() || self.message.is_some();
        FailureSpec {
            stage: self.stage.as_ref().and(actual.stage.clone()),
            code: self.code.and(actual.code),
            message: actual.message.clone().filter(|_| unsaid),
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
            expected in json(), actual in json(), exact: bool, tolerance in 0.0..1.0,
        ) {
            let actual = output(&actual);
            // What is near enough is left as it was, so it is not seen with less tolerance.
            for tolerance in [0.0, tolerance] {
                let normalized = expects(&expected, exact).normalized(&actual, tolerance);
                prop_assert_eq!(normalized.normalized(&actual, tolerance), normalized);
            }
        }

        #[test]
        fn everything_is_as_itself(json in json(), exact: bool) {
            let expected = expects(&json, exact);
            prop_assert_eq!(expected.normalized(&output(&json), 0.0), expected);
        }

        /// Unexpected members count only in an exact comparison.
        #[test]
        fn more_members_count_only_where_it_is_exact(json in json()) {
            let more = serde_json::json!({ "a": json, "b": 1 });
            let expected = serde_json::json!({ "a": json });
            let (loose, exact) = (expects(&expected, false), expects(&expected, true));
            prop_assert_eq!(&loose.normalized(&output(&more), 0.0), &loose);
            prop_assert_ne!(&exact.normalized(&output(&more), 0.0), &exact);
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
        let actual = tensor(Some((0..6).map(f64::from).collect()), &[]);
        let expected = tensor(None, &[("0,0", 0.0), ("1, 2", 5.0), ("1,0", 9.0)]);
        let normalized = tensor(None, &[("0,0", 0.0), ("1, 2", 5.0), ("1,0", 3.0)]);
        assert_eq!(Near(0.0).tensor(&expected, &actual), normalized);
        // What is not in the tensor is not seen.
        let outside = tensor(None, &[("2,0", 1.0), ("0,3", 1.0), ("1", 1.0), ("0,0,0", 1.0)]);
        assert_eq!(Near(0.0).tensor(&outside, &actual), tensor(None, &[]));
    }
}

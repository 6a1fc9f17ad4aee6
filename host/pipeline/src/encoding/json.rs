//! Predictions as JSON objects. Names are escaped once; for a record only its
//! numbers are formatted, and nothing is allocated.

use std::num::NonZeroUsize;

use sandbar_sandbox::OutputSchema;

use super::prediction::{Predicting, Prediction};
use super::top::Top;

/// The encoder of the JSON form.
#[derive(Debug)]
pub(super) struct Json {
    /// For classes: `{"label":"YES","probabilities":{` by class. For values
    /// one text, `{"values":{`.
    openings: Vec<String>,
    /// `"NO":`, by class or value.
    keys: Vec<String>,
    /// `},"model":"flights-gbm@1"}`
    end: String,
    top: Option<Top>,
}

impl Json {
    pub(super) fn new(output: &OutputSchema, top: Option<NonZeroUsize>, model: &str) -> Self {
        let quoted: Vec<String> = output.names().iter().map(|name| quote(name)).collect();
        let openings = match output {
            OutputSchema::Classes(_) => {
                let opening = |label| format!("{{\"label\":{label},\"probabilities\":{{");
                quoted.iter().map(opening).collect()
            }
            OutputSchema::Values(_) => vec!["{\"values\":{".to_owned()],
        };
        let top = Top::of(output, top);
        Json {
            openings,
            keys: quoted.iter().map(|name| format!("{name}:")).collect(),
            end: format!("}},\"model\":{}}}", quote(model)),
            top,
        }
    }

    /// `label` is an index of a class (`None` for values), `values` are as many as keys.
    pub(super) fn encode(&self, label: Option<usize>, values: &[f64], out: &mut Vec<u8>) {
        out.extend_from_slice(self.openings[label.unwrap_or(0)].as_bytes());
        match &self.top {
            None => self.members(0..values.len(), values, out),
            Some(top) => {
                let order = top.of_values(values);
                self.members(order.iter().map(|index| *index as usize), values, out);
            }
        }
        out.extend_from_slice(self.end.as_bytes());
    }

    fn members(&self, order: impl Iterator<Item = usize>, values: &[f64], out: &mut Vec<u8>) {
        for (place, index) in order.enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(self.keys[index].as_bytes());
            number(values[index], out);
        }
    }
}

/// The JSON of several scorers: that of each by the name of its stage.
#[derive(Debug)]
pub(super) struct Members(Vec<(String, Json)>);

impl Members {
    /// That of one scorer is as it is.
    pub(super) fn new(scorers: &[Predicting<'_>], top: Option<NonZeroUsize>) -> Self {
        let member = |(at, scorer): (usize, &Predicting<'_>)| {
            let before = match (scorers.len(), at) {
                (1, _) => String::new(),
                (_, 0) => format!("{{{}:", quote(scorer.stage)),
                (_, _) => format!(",{}:", quote(scorer.stage)),
            };
            (before, Json::new(scorer.output, top, scorer.model))
        };
        Members(scorers.iter().enumerate().map(member).collect())
    }

    /// Labels and values are of the shape that the scorers declared.
    pub(super) fn encode<'a>(
        &self,
        predictions: impl Iterator<Item = Prediction<'a>>,
        out: &mut Vec<u8>,
    ) {
        for ((before, json), Prediction { label, values }) in self.0.iter().zip(predictions) {
            out.extend_from_slice(before.as_bytes());
            json.encode(label.map(|label| label as usize), values, out);
        }
        if self.0.len() > 1 {
            out.push(b'}');
        }
    }
}

/// The shortest text that reads back as the same number; `null` for NaN and infinity.
fn number(value: f64, out: &mut Vec<u8>) {
    // Writing into memory cannot fail, and every f64 has a JSON form.
    let written = serde_json::to_writer(out, &value);
    debug_assert!(written.is_ok());
}

/// A JSON string.
pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

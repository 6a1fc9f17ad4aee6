//! Predictions as JSON objects. Names are escaped once; for a record only its
//! numbers are formatted, and nothing is allocated.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::num::NonZeroUsize;

use sandbar_sandbox::OutputSchema;

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

/// The order of the most probable classes.
#[derive(Debug)]
struct Top {
    count: usize,
    /// Kept to reuse its memory.
    order: RefCell<Vec<u32>>,
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
        let top = match output {
            // With fewer classes than `top`, all of them, but still sorted.
            OutputSchema::Classes(names) => top.map(|top| Top {
                count: top.get().min(names.len()),
                order: RefCell::new(Vec::with_capacity(names.len())),
            }),
            OutputSchema::Values(_) => None,
        };
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
            Some(Top { count, order }) => {
                let mut order = order.borrow_mut();
                order.clear();
                order.extend(0..values.len() as u32);
                let descending = |a: &u32, b: &u32| {
                    by_probability(values[*a as usize], values[*b as usize]).then(a.cmp(b))
                };
                if *count < order.len() {
                    order.select_nth_unstable_by(*count, descending);
                    order.truncate(*count);
                }
                order.sort_unstable_by(descending);
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

/// The larger first; NaN last.
fn by_probability(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => b.total_cmp(&a),
        (a, b) => a.cmp(&b),
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

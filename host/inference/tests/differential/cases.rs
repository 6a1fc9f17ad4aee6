//! Files of cases, as `tests/differential/cases.py` writes them, and what comes of a case.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use flate2::read::GzDecoder;
use sandbar_inference::gate::{self, Form, Outcome};
use sandbar_inference::{ErrorCode, Graph, GraphSource, States, Tensor};
use sandbar_model::{ElementType, Kind};

/// A model with inputs, and the outputs that the reference has for them.
pub struct Case {
    pub name: String,
    /// The node that is looked at; none where it is the whole graph.
    pub node: Option<String>,
    pub kind: Kind,
    pub model: Arc<[u8]>,
    pub inputs: Vec<(String, Tensor)>,
    pub outputs: Vec<(String, Tensor)>,
    /// The case as the file has it.
    pub text: Vec<u8>,
}

/// Reads the cases of a file, which may be one of gzip.
pub fn read(file: &[u8]) -> Result<Vec<Case>, String> {
    let mut unpacked = Vec::new();
    let mut bytes = file;
    if file.starts_with(&[0x1f, 0x8b]) {
        let read = GzDecoder::new(file).read_to_end(&mut unpacked);
        read.map_err(|error| error.to_string())?;
        bytes = &unpacked;
    }
    let mut cases = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(2).position(|two| two == b"\n\n").ok_or("no end of a head")? + 2;
        let head = std::str::from_utf8(&bytes[..end]).map_err(|error| error.to_string())?;
        let case = read_one(head, bytes).ok_or_else(|| format!("not a head: {head}"))?;
        bytes = &bytes[case.text.len()..];
        cases.push(case);
    }
    Ok(cases)
}

fn read_one(head: &str, bytes: &[u8]) -> Option<Case> {
    let mut place = head.len();
    let mut take = |count: &str| {
        let start = place;
        place += count.parse::<usize>().ok()?;
        bytes.get(start..place)
    };
    let (mut name, mut node, mut kind, mut model) = (None, None, Kind::Onnx, None);
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for line in head.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["case", it] => name = Some(it.to_owned()),
            ["node", it] => node = Some(it.to_owned()).filter(|it| it != "-"),
            ["judge", "tensorflow"] => kind = Kind::Tensorflow,
            ["judge", _] => {}
            ["model", count] => model = Some(take(count)?.into()),
            [what, name, ty, shape, count] => {
                let dimensions = shape.split(',').filter(|size| *size != "-");
                let dimensions = dimensions.map(|size| size.parse().ok()).collect::<Option<_>>()?;
                let tensor = Tensor { dimensions, ty: element(ty)?, data: take(count)?.to_vec() };
                let tensors = if what == "input" { &mut inputs } else { &mut outputs };
                tensors.push((name.to_owned(), tensor));
            }
            _ => return None,
        }
    }
    let text = bytes[..place].to_vec();
    Some(Case { name: name?, node, kind, model: model?, inputs, outputs, text })
}

fn element(name: &str) -> Option<ElementType> {
    use ElementType::{Fp16, Fp32, Fp64, I32, I64, U8};
    [Fp16, Fp32, Fp64, U8, I32, I64].into_iter().find(|ty| ty.to_string() == name)
}

impl Case {
    /// The form of the node that is looked at; none where it is the whole graph.
    ///
    /// # Errors
    /// If the model cannot be read, or has no such node.
    pub fn form(&self) -> Result<Option<Form>, String> {
        let Some(node) = &self.node else { return Ok(None) };
        let forms = gate::forms(self.kind, &self.model).map_err(|error| error.message)?;
        let form = forms.into_iter().find(|form| form.node == *node);
        form.map(Some).ok_or_else(|| format!("{}: no node {node}", self.name))
    }

    /// Loads the model, past the gate if it is not asked, computes and compares; and why it is not
    /// right.
    pub fn run(&self, gate_is_asked: bool) -> (Outcome, String) {
        let source = GraphSource::Bytes(self.kind, self.model.clone());
        let load = if gate_is_asked { Graph::load } else { Graph::load_unverified };
        let loaded = load(self.name.clone(), source);
        let graph = match loaded {
            Ok(graph) => graph,
            // What overflows here goes on with a wrong number where overflow is not checked.
            Err(error) if error.message.contains("panicked") => {
                return (Outcome::Failed, error.message);
            }
            Err(error) => return (Outcome::Refused, error.message),
        };
        let stop = AtomicBool::new(false);
        let found = match graph.compute(&self.inputs, &mut States::default(), &stop) {
            Ok(found) => found,
            // An output of a type that wasi:nn lacks says nothing of the operator.
            Err(error) if error.code == ErrorCode::UnsupportedOperation => {
                return (Outcome::Refused, error.message);
            }
            Err(error) => return (Outcome::Failed, error.message),
        };
        if found.is_empty() {
            return (Outcome::Failed, "no output".to_owned());
        }
        // Labels that would be wrong are not given unless they are asked for, which is refused.
        for (name, found) in &found {
            let Some((_, expected)) = self.outputs.iter().find(|(it, _)| it == name) else {
                return (Outcome::Failed, format!("unknown output {name}"));
            };
            if let Some(reason) = differs(expected, found) {
                return (Outcome::Wrong, format!("output {name}: {reason}"));
            }
        }
        (Outcome::Right, String::new())
    }
}

/// How a tensor differs from the expected one: numbers by more than the error of their type,
/// integers at all.
fn differs(expected: &Tensor, found: &Tensor) -> Option<String> {
    if (expected.ty, &expected.dimensions) != (found.ty, &found.dimensions) {
        return Some(format!(
            "{} of {:?}, expected {} of {:?}",
            found.ty, found.dimensions, expected.ty, expected.dimensions
        ));
    }
    let tolerance = match expected.ty {
        ElementType::Fp16 | ElementType::Bf16 => 4e-3,
        ElementType::Fp32 => 2e-5,
        ElementType::Fp64 => 1e-9,
        ElementType::U8 | ElementType::I32 | ElementType::I64 => 0.0,
    };
    let (expected_bytes, found_bytes) = (&expected.data, &found.data);
    if expected_bytes == found_bytes {
        return None;
    }
    let (expected, found) = (expected.ty.decode(expected_bytes), found.ty.decode(found_bytes));
    // Sums of large terms lose what small results need.
    let largest = expected.iter().filter(|it| it.is_finite()).fold(0.0_f64, |a, b| a.max(b.abs()));
    let near = |expected: f64, found: f64| {
        expected == found
            || (expected.is_nan() && found.is_nan())
            || (expected - found).abs() <= tolerance * (expected.abs() + largest.clamp(0.5, 1e3))
    };
    if tolerance == 0.0 {
        let size = expected_bytes.len() / expected.len();
        let differ = |place: &usize| {
            let range = place * size..(place + 1) * size;
            expected_bytes[range.clone()] != found_bytes[range]
        };
        let place = (0..expected.len()).find(differ)?;
        return Some(format!("{} at {place}, expected {}", found[place], expected[place]));
    }
    let place = (0..expected.len()).find(|place| !near(expected[*place], found[*place]))?;
    Some(format!("{} at {place}, expected {}", found[place], expected[place]))
}

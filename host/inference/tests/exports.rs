//! Graphs as exporters write them give what ONNX Runtime gives: `tests/golden/exports.jsonl`, which
//! `models/golden-exports.py` writes; and quantised ones, bit for bit: `tests/golden/quantised.jsonl`,
//! of `models/golden-quantised.py`.

#![allow(clippy::disallowed_methods, reason = "files that the test made or the repository has")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it cannot go on")]

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use base64::Engine;
use indexmap::IndexMap;
use sandbar_inference::{Artifact, Content, States, Tensor};
use sandbar_model::{ElementType, Model};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    model: String,
    tolerance: f64,
    #[serde(default)]
    inputs: IndexMap<String, serde_json::Value>,
    #[serde(default)]
    outputs: IndexMap<String, serde_json::Value>,
    given: IndexMap<String, Numbers>,
    #[serde(default)]
    answers: IndexMap<String, Numbers>,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct Numbers {
    #[serde(rename = "type")]
    ty: ElementType,
    shape: Vec<u32>,
    numbers: Vec<f64>,
}

/// Bytes of a number, and back.
macro_rules! as_numbers {
    ($data:expr, $ty:ty) => {
        $data
            .chunks_exact(size_of::<$ty>())
            .map(|bytes| <$ty>::from_le_bytes(bytes.try_into().unwrap()) as f64)
            .collect()
    };
}

impl Numbers {
    fn tensor(&self) -> Tensor {
        let bytes = |number: &f64| match self.ty {
            ElementType::Fp32 => (*number as f32).to_le_bytes().to_vec(),
            ElementType::I64 => (*number as i64).to_le_bytes().to_vec(),
            ElementType::U8 => vec![*number as u8],
            other => panic!("no case gives {other}"),
        };
        let data = self.numbers.iter().flat_map(bytes).collect();
        Tensor { dimensions: self.shape.clone(), ty: self.ty, data }
    }
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    let data = &tensor.data;
    match tensor.ty {
        ElementType::U8 => data.iter().map(|byte| f64::from(*byte)).collect(),
        ElementType::I32 => as_numbers!(data, i32),
        ElementType::I64 => as_numbers!(data, i64),
        ElementType::Fp32 => as_numbers!(data, f32),
        other => panic!("no case answers {other}"),
    }
}

/// What is wrong with a case, if anything.
fn run(case: &Case, folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(&case.model).unwrap();
    fs::write(folder.join("m.onnx"), &bytes).unwrap();
    let mut description = String::from(
        "name = \"m\"\nversion = 1\nkind = \"onnx\"\nfile = \"m.onnx\"\nlicence = \"MIT\"\ndescription = \"test\"\n",
    );
    description += &format!("sha256 = \"{}\"\n", sandbar_model::Sha256::of(&bytes));
    for (key, tensors) in [("inputs", &case.inputs), ("outputs", &case.outputs)] {
        for (name, shape) in tensors {
            description += &format!("[[{key}]]\nname = \"{name}\"\nshape = {shape}\n");
        }
    }
    fs::write(folder.join("model.toml"), description).unwrap();
    let artifact =
        Artifact::load(Model::open(folder).unwrap()).map_err(|error| error.to_string())?;
    let Content::Graph(graph) = artifact.content else { panic!("no graph") };
    let given: Vec<(String, Tensor)> =
        case.given.iter().map(|(name, it)| (name.clone(), it.tensor())).collect();
    let answers = graph.compute(&given, &mut States::default(), &AtomicBool::new(false));
    let answers = answers.map_err(|error| error.message)?;
    let names: Vec<&String> = answers.iter().map(|(name, _)| name).collect();
    let expected: Vec<&String> = case.answers.keys().collect();
    if case.refused.is_none() && names != expected {
        return Err(format!("outputs {names:?}, expected {expected:?}"));
    }
    for ((name, found), expected) in answers.iter().zip(case.answers.values()) {
        if (found.ty, &found.dimensions) != (expected.ty, &expected.shape) {
            let (found, shape) = (format!("{} {:?}", found.ty, found.dimensions), &expected.shape);
            return Err(format!("'{name}' is {found}, expected {} {shape:?}", expected.ty));
        }
        for (place, (found, expected)) in numbers(found).iter().zip(&expected.numbers).enumerate() {
            let near = (found - expected).abs() <= case.tolerance * expected.abs().max(1.0);
            if !near {
                return Err(format!("'{name}'[{place}] is {found}, expected {expected}"));
            }
        }
    }
    Ok(())
}

#[test]
fn graphs_give_what_onnx_runtime_gives() {
    all("exports");
}

#[test]
fn quantised_graphs_give_the_same_codes() {
    all("quantised");
}

fn all(file: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lines = fs::read_to_string(root.join(format!("tests/golden/{file}.jsonl"))).unwrap();
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let mut wrong = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        let case: Case = serde_json::from_str(line).unwrap();
        let result = run(&case, &work.join(number.to_string()));
        let problem = match (&case.refused, result) {
            (None, Ok(())) => None,
            (None, Err(problem)) => Some(problem),
            (Some(_), Ok(())) => Some("is not refused".to_owned()),
            (Some(reason), Err(problem)) if problem.contains(reason) => None,
            (Some(reason), Err(problem)) => Some(format!("refused without '{reason}': {problem}")),
        };
        wrong.extend(problem.map(|problem| format!("{}: {problem}", case.name)));
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

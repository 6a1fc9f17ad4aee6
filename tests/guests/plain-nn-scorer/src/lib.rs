//! Uses `wasi:nn` as published, and nothing of the SDK: the part that talks to it would
//! be the same in a component that was written for another host.
//!
//! The first column of text has a command in each row, words between spaces:
//!
//! | command | does |
//! |---|---|
//! | `named MODEL INPUT SIZES TYPE NUMBER` | loads a model by name and computes it with an input full of a number; SIZES as `1x1x8x8` |
//! | `bytes ENCODING TARGET INPUT SIZES TYPE NUMBER` | the same with the graph that this component brings along, the digits of `models/digits` |
//! | `missing MODEL` | computes with no input at all |
//! | `twice MODEL INPUT SIZES TYPE NUMBER` | computes with the input given twice |
//! | `short MODEL INPUT SIZES TYPE NUMBER` | computes with a byte less than the dimensions say |
//! | `again TIMES MODEL INPUT SIZES TYPE NUMBER` | computes so many times, errors or not, and says the last |
//! | `hoard TIMES BYTES` | makes so many tensors and keeps them |
//! | `dimensions TIMES COUNT` | the same with so many dimensions, and no data |
//! | `errors TIMES` | asks for a model that there is not, and keeps the errors |
//! | `graphs TIMES MODEL` | loads a model by name so often, and keeps the graphs |
//! | `contexts TIMES MODEL` | the same, with contexts of one graph |
//! | `brought TIMES` | loads the graph that this component brings along so often, and keeps it |
//! | `hex ENCODING HEX INPUT SIZES TYPE NUMBER` | loads a graph whose bytes are here in hexadecimal, and computes it |
//! | `lifted TIMES BYTES` | loads a graph of so many parts, each of so many bytes |
//! | `wasi RESOURCE TIMES` | asks WASI for a resource so often, and keeps it |
//!
//! A row gives how many numbers the first output has, their sum, and the largest; or it
//! fails with `CODE: MESSAGE` of the error.

mod wasi;

mod bindings {
    #![allow(missing_docs, reason = "generated; wit/ documents what it means")]
    #![allow(
        dead_code,
        clippy::undocumented_unsafe_blocks,
        unused_qualifications,
        reason = "generated"
    )]
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "sandbar:operator/scorer",
        generate_all,
    });

    #[cfg(target_arch = "wasm32")]
    export!(Component with_types_in self);

    #[cfg(target_arch = "wasm32")]
    use super::Component;
}

use bindings::exports::sandbar::operator::scoring::{Guest, Output, Scored};
use bindings::sandbar::operator::types::{Column, Failure, FailureCode, Field, Setup, Table};
use bindings::wasi::nn::errors::Error;
use bindings::wasi::nn::graph::{ExecutionTarget, Graph, GraphEncoding, load, load_by_name};
use bindings::wasi::nn::tensor::{Tensor, TensorType};

/// The graph that this component brings along.
static DIGITS: &[u8] = include_bytes!("../../../../models/digits/model.onnx");

/// The component.
pub struct Component;

impl Guest for Component {
    fn configure(_: Setup, _: Vec<Field>) -> Result<Output, String> {
        Ok(Output::Values(vec!["count".into(), "sum".into(), "largest".into()]))
    }

    fn score(table: Table) -> Scored {
        let mut scored = Scored { labels: vec![], values: vec![], failures: vec![] };
        let text = table.columns.iter().find_map(|column| match column {
            Column::Text(text) => Some(text),
            _ => None,
        });
        let Some(text) = text else { return scored };
        let mut start = 0;
        for (index, end) in text.ends.iter().enumerate() {
            let command = String::from_utf8_lossy(&text.bytes[start..*end as usize]);
            start = *end as usize;
            match obey(&command) {
                Ok(values) => scored.values.extend(values),
                Err(message) => scored.failures.push(Failure {
                    index: index as u32,
                    code: FailureCode::Internal,
                    message,
                }),
            }
        }
        scored
    }
}

fn obey(command: &str) -> Result<[f64; 3], String> {
    let words: Vec<&str> = command.split(' ').collect();
    match words[..] {
        ["named", model, input, sizes, ty, number] => compute(
            &load_by_name(model).map_err(words_of)?,
            vec![tensor(input, sizes, ty, number)?],
        ),
        ["bytes", encoding, target, input, sizes, ty, number] => {
            let encoding = encoding_of(encoding);
            let target = if target == "cpu" { ExecutionTarget::Cpu } else { ExecutionTarget::Gpu };
            let graph = load(&[DIGITS.to_vec()], encoding, target).map_err(words_of)?;
            compute(&graph, vec![tensor(input, sizes, ty, number)?])
        }
        ["missing", model] => compute(&load_by_name(model).map_err(words_of)?, vec![]),
        ["twice", model, input, sizes, ty, number] => {
            let inputs = vec![tensor(input, sizes, ty, number)?, tensor("0", sizes, ty, number)?];
            compute(&load_by_name(model).map_err(words_of)?, inputs)
        }
        ["short", model, input, sizes, ty, number] => {
            let whole = tensor(input, sizes, ty, number)?.1;
            let mut data = whole.data();
            data.pop();
            let short = Tensor::new(&whole.dimensions(), whole.ty(), &data);
            compute(&load_by_name(model).map_err(words_of)?, vec![(input.to_owned(), short)])
        }
        ["again", times, model, input, sizes, ty, number] => {
            let graph = load_by_name(model).map_err(words_of)?;
            let mut last = Err("nothing was computed".to_owned());
            for _ in 0..times.parse::<u32>().map_err(|error| error.to_string())? {
                last = compute(&graph, vec![tensor(input, sizes, ty, number)?]);
            }
            last
        }
        ["dimensions", times, count] => {
            let dimensions = vec![1; number_of(count)? as usize];
            keep(number_of(times)?, || Ok(Tensor::new(&dimensions, TensorType::U8, &[0])))
        }
        ["errors", times] => {
            keep(number_of(times)?, || load_by_name("none").err().ok_or_else(String::new))
        }
        ["graphs", times, model] => {
            keep(number_of(times)?, || load_by_name(model).map_err(words_of))
        }
        ["contexts", times, model] => {
            let graph = load_by_name(model).map_err(words_of)?;
            keep(number_of(times)?, || graph.init_execution_context().map_err(words_of))
        }
        ["brought", times] => {
            let parts = [DIGITS.to_vec()];
            let load = || load(&parts, GraphEncoding::Onnx, ExecutionTarget::Cpu);
            keep(number_of(times)?, || load().map_err(words_of))
        }
        ["hex", encoding, hex, input, sizes, ty, number] => {
            let graph = load(&[bytes_of(hex)?], encoding_of(encoding), ExecutionTarget::Cpu);
            compute(&graph.map_err(words_of)?, vec![tensor(input, sizes, ty, number)?])
        }
        ["lifted", times, bytes] => {
            let parts = vec![vec![0; number_of(bytes)? as usize]; number_of(times)? as usize];
            load(&parts, GraphEncoding::Onnx, ExecutionTarget::Cpu).map_err(words_of)?;
            Ok([0.0; 3])
        }
        ["wasi", resource, times] => {
            wasi::hoard(resource, number_of(times)?).map(|kept| [f64::from(kept), 0.0, 0.0])
        }
        ["hoard", times, bytes] => {
            let number = number_of;
            let (times, bytes) = (number(times)?, number(bytes)?);
            let data = vec![0; bytes as usize];
            let kept = (0..times).map(|_| Tensor::new(&[bytes], TensorType::U8, &data));
            let kept: Vec<Tensor> = kept.collect();
            Ok([kept.len() as f64, 0.0, 0.0])
        }
        _ => Err(format!("no such command: {command}")),
    }
}

fn encoding_of(word: &str) -> GraphEncoding {
    match word {
        "onnx" => GraphEncoding::Onnx,
        "tensorflow" => GraphEncoding::Tensorflow,
        "ggml" => GraphEncoding::Ggml,
        _ => GraphEncoding::Autodetect,
    }
}

fn bytes_of(hex: &str) -> Result<Vec<u8>, String> {
    let byte = |at| u8::from_str_radix(hex.get(at..at + 2).unwrap_or_default(), 16);
    let bytes = (0..hex.len()).step_by(2).map(byte).collect::<Result<_, _>>();
    bytes.map_err(|error| error.to_string())
}

fn number_of(word: &str) -> Result<u32, String> {
    word.parse().map_err(|error| format!("{word}: {error}"))
}

/// Makes something so often and keeps all.
fn keep<T>(times: u32, make: impl Fn() -> Result<T, String>) -> Result<[f64; 3], String> {
    let kept = (0..times).map(|_| make()).collect::<Result<Vec<T>, String>>()?;
    Ok([kept.len() as f64, 0.0, 0.0])
}

fn compute(graph: &Graph, inputs: Vec<(String, Tensor)>) -> Result<[f64; 3], String> {
    let context = graph.init_execution_context().map_err(words_of)?;
    let outputs = context.compute(inputs).map_err(words_of)?;
    let (name, output) = outputs.first().ok_or("no output")?;
    if output.ty() != TensorType::Fp32 {
        return Err(format!("output '{name}' is of {:?}", output.ty()));
    }
    let data = output.data();
    let numbers = data.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes)));
    let largest = numbers.clone().fold(f64::NEG_INFINITY, f64::max);
    Ok([numbers.clone().count() as f64, numbers.sum(), largest])
}

fn tensor(name: &str, sizes: &str, ty: &str, number: &str) -> Result<(String, Tensor), String> {
    let sizes: Result<Vec<u32>, _> = sizes.split('x').map(str::parse).collect();
    let sizes = sizes.map_err(|error| error.to_string())?;
    let number: f32 = number.parse().map_err(|_| "no number")?;
    let (ty, element) = match ty {
        "fp32" => (TensorType::Fp32, number.to_le_bytes().to_vec()),
        "fp64" => (TensorType::Fp64, f64::from(number).to_le_bytes().to_vec()),
        "fp16" => (TensorType::Fp16, vec![0, 0]),
        "bf16" => (TensorType::Bf16, vec![0, 0]),
        "u8" => (TensorType::U8, vec![number as u8]),
        "i32" => (TensorType::I32, (number as i32).to_le_bytes().to_vec()),
        "i64" => (TensorType::I64, (number as i64).to_le_bytes().to_vec()),
        other => return Err(format!("no such type: {other}")),
    };
    let count: usize = sizes.iter().map(|size| *size as usize).product();
    Ok((name.to_owned(), Tensor::new(&sizes, ty, &element.repeat(count))))
}

fn words_of(error: Error) -> String {
    let code = format!("{:?}", error.code());
    format!("{}: {}", code.trim_start_matches("ErrorCode::"), error.data())
}

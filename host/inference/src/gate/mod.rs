//! The gate: a graph with a node that was compared with the reference and found wrong, or that
//! was never compared, is refused when it is loaded.
//!
//! tract computes most of ONNX right, some of it wrong, and says nothing of the difference. The
//! differential suite (`cargo xtask differential`) compares it operator by operator with ONNX
//! Runtime and the onnx package's own tests; `compared.txt` is what came out, and [`Table`] reads
//! it. A node is known by its [`Form`]: operator, version, types, where inputs come from, and
//! its attributes by classes. It is taken if each of its features was right in a case, and no
//! combination of them was wrong.
//!
//! `schema.txt` has what the standard says of operators, for defaults and types.

mod classes;
mod forms;
mod learn;
mod page;
mod schema;
mod table;

use std::fmt::Write;

use tract_onnx::tract_hir::internal::*;

pub use forms::Form;
pub use learn::{Outcome, learn};
pub use page::page;
pub use table::{Compared, Doubt, Table};

use super::error::{Error, ErrorCode};
use super::plan::guarded;
use super::repairs::{self, Wanted};
use sandbar_model::Kind;

/// What is doubtful of a graph: nodes, and why.
#[derive(Debug, Default)]
pub struct Doubts(Vec<(Form, Doubt)>);

/// The forms of an ONNX model's nodes.
///
/// # Errors
/// If the bytes are no ONNX model.
pub fn forms(mut bytes: &[u8]) -> Result<Vec<Form>, Error> {
    guarded(|| {
        let model = tract_onnx::onnx().proto_model_for_read(&mut bytes)?;
        Ok(forms::of_model(&model))
    })
}

/// Looks those nodes of a graph up in the shipped table that what is wanted of it needs, as the
/// file has them. TensorFlow graphs are not looked at.
///
/// # Errors
/// If the bytes are no graph of that kind.
pub(super) fn examine(kind: Kind, mut bytes: &[u8], wanted: &Wanted) -> Result<Doubts, Error> {
    if kind != Kind::Onnx {
        return Ok(Doubts::default());
    }
    let forms = guarded(|| {
        let mut model = tract_onnx::onnx().proto_model_for_read(&mut bytes)?;
        repairs::reduce(&mut model, wanted);
        Ok(forms::of_model(&model))
    })?;
    let table = Table::shipped();
    let doubt = |form: Form| table.doubt(&form).map(|doubt| (form, doubt));
    Ok(Doubts(forms.into_iter().filter_map(doubt).collect()))
}

impl Doubts {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first of them as an error.
    pub(super) fn error(&self) -> Option<Error> {
        let (form, doubt) = self.0.first()?;
        let mut message = describe(form, doubt);
        if self.0.len() > 1 {
            let _ = write!(message, " (and {} more nodes)", self.0.len() - 1);
        }
        message.push_str(
            "; export the model without it, or write 'unverified = true' in model.toml and show by \
             [samples] that its outputs are right",
        );
        Some(Error::new(ErrorCode::UnsupportedOperation, message))
    }

    /// All of them, for a log.
    pub(super) fn list(&self) -> String {
        let each: Vec<String> = self.0.iter().map(|(form, doubt)| describe(form, doubt)).collect();
        each.join("; ")
    }
}

/// `node 'conv1', operator Conv, opset 13: auto_pad "SAME_LOWER" was never compared ...`
fn describe(form: &Form, doubt: &Doubt) -> String {
    let Form { node, operator, opset, .. } = form;
    let reason = match doubt {
        Doubt::Operator => {
            "the operator has no form that was compared with ONNX Runtime and is right".to_owned()
        }
        Doubt::Feature(key, value) if key == "version" => {
            format!(
                "version {value} of the operator was never right when compared with ONNX Runtime"
            )
        }
        Doubt::Feature(key, value) => {
            format!("{} was never compared with ONNX Runtime and found right", told(key, value))
        }
        Doubt::Wrong(features) => {
            let each: Vec<String> = features.iter().map(|(key, value)| told(key, value)).collect();
            format!(
                "{} is known to be computed otherwise than by ONNX Runtime",
                each.join(" with ")
            )
        }
    };
    format!("node '{node}', operator {operator} of opset {opset}: {reason}")
}

/// A feature in words.
pub(super) fn told(key: &str, value: &str) -> String {
    match (key.rsplit_once('.'), value) {
        (Some((input, "from")), "stored") => format!("input {input} from the file"),
        (Some((input, "from")), "shape") => format!("input {input} from a shape"),
        (Some((input, "from")), _) => format!("input {input} computed"),
        (Some((input, "value")), "?") => {
            format!("a value of input {input} that the file does not tell")
        }
        (Some((input, "value")), value) => {
            format!("a value of input {input} of the kind '{value}'")
        }
        _ if key == "between" => format!("{value} inputs"),
        _ => format!("{key} {value}"),
    }
}

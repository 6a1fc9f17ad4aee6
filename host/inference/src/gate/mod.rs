//! The gate: a graph with a node that was compared with the reference and found wrong, or that
//! was never compared, is refused when it is loaded.
//!
//! tract computes most of ONNX right, some of it wrong, and says nothing of the difference. The
//! differential suite (`cargo xtask differential`) compares it operator by operator with ONNX
//! Runtime and the onnx package's own tests, and with TensorFlow; `compared.txt` and
//! `compared-tensorflow.txt` are what came out, and [`Table`] reads them. A node is known by its
//! [`Form`]: operator, version, types, where inputs come from, and its attributes by classes. It is
//! taken if each of its features was right in a case, and no combination of them was wrong.
//!
//! Beyond single nodes, `steps` looks for codes of quantised graphs that hang on how floats are
//! rounded.
//!
//! `schema.txt` has what the standard says of operators, for defaults and types;
//! `schema-tensorflow.txt`, what TensorFlow says.

mod classes;
mod forms;
mod learn;
mod page;
mod schema;
mod steps;
mod table;
mod tensorflow;

use std::fmt::Write;

use tract_onnx::tract_hir::internal::*;

pub use forms::Form;
pub use learn::{Outcome, learn};
pub use page::page;
use steps::Uncertain;
pub use table::{Compared, Doubt, Table};

use super::error::{Error, ErrorCode};
use super::plan::guarded;
use super::repairs::{self, Wanted};
use super::tensorflow::Graph;
use sandbar_model::Kind;

/// What is doubtful of a graph: nodes, and why.
#[derive(Debug)]
pub struct Doubts {
    kind: Kind,
    nodes: Vec<(Form, Doubt)>,
    steps: Option<Uncertain>,
}

/// The forms of a graph's nodes.
///
/// # Errors
/// If the bytes are no graph of that kind.
pub fn forms(kind: Kind, bytes: &[u8]) -> Result<Vec<Form>, Error> {
    Ok(read(kind, bytes, None)?.0)
}

/// The forms of the nodes that what is wanted of a graph needs, and what hangs on rounding there; of
/// all if that is not told.
fn read(
    kind: Kind,
    mut bytes: &[u8],
    wanted: Option<&Wanted>,
) -> Result<(Vec<Form>, Option<Uncertain>), Error> {
    guarded(|| match kind {
        Kind::Onnx => {
            let mut model = tract_onnx::onnx().proto_model_for_read(&mut bytes)?;
            if let Some(wanted) = wanted {
                repairs::reduce(&mut model, wanted);
            }
            Ok((forms::of_model(&model), steps::uncertain(&model)))
        }
        Kind::Tensorflow => {
            let all = Wanted::default();
            Ok((tensorflow::of_graph(&Graph::read(bytes, wanted.unwrap_or(&all))?), None))
        }
        Kind::H2oMojo | Kind::Xgboost | Kind::Lightgbm | Kind::File => {
            bail!("a model of kind {kind} is not a graph")
        }
    })
}

/// Looks those nodes of a graph up in the shipped table that what is wanted of it needs, as the
/// file has them.
///
/// # Errors
/// If the bytes are no graph of that kind.
pub(super) fn examine(kind: Kind, bytes: &[u8], wanted: &Wanted) -> Result<Doubts, Error> {
    let table = Table::shipped(kind);
    let doubt = |form: Form| table.doubt(&form).map(|doubt| (form, doubt));
    let (forms, steps) = read(kind, bytes, Some(wanted))?;
    Ok(Doubts { kind, nodes: forms.into_iter().filter_map(doubt).collect(), steps })
}

impl Doubts {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.steps.is_none()
    }

    /// The first of them as an error.
    pub(super) fn error(&self) -> Option<Error> {
        let (mut message, remedy) = match (self.nodes.first(), &self.steps) {
            (Some((form, doubt)), _) => {
                (describe(self.kind, form, doubt), "export the model without it")
            }
            (None, Some(steps)) => (steps.to_string(), steps.remedy()),
            (None, None) => return None,
        };
        if self.nodes.len() > 1 {
            let _ = write!(message, " (and {} more nodes)", self.nodes.len() - 1);
        }
        let _ = write!(
            message,
            "; {remedy}, or write 'unverified = true' in model.toml and show by [samples] that its \
             outputs are right"
        );
        Some(Error::new(ErrorCode::UnsupportedOperation, message))
    }

    /// All of them, for a log.
    pub(super) fn list(&self) -> String {
        let nodes = self.nodes.iter().map(|(form, doubt)| describe(self.kind, form, doubt));
        let each: Vec<String> = nodes.chain(self.steps.iter().map(ToString::to_string)).collect();
        each.join("; ")
    }
}

/// `node 'conv1', operator Conv, opset 13: auto_pad "SAME_LOWER" was never compared ...`
fn describe(kind: Kind, form: &Form, doubt: &Doubt) -> String {
    let Form { node, operator, opset, .. } = form;
    let (judge, opset) = match kind {
        Kind::Tensorflow => ("TensorFlow", String::new()),
        _ => ("ONNX Runtime", format!(" of opset {opset}")),
    };
    let reason = match doubt {
        Doubt::Operator => {
            format!("the operator has no form that was compared with {judge} and is right")
        }
        Doubt::Feature(key, value) if key == "version" => {
            format!("version {value} of the operator was never right when compared with {judge}")
        }
        Doubt::Feature(key, value) => {
            format!("{} was never compared with {judge} and found right", told(key, value))
        }
        Doubt::Wrong(features) => {
            let each: Vec<String> = features.iter().map(|(key, value)| told(key, value)).collect();
            format!("{} is known to be computed otherwise than by {judge}", each.join(" with "))
        }
    };
    format!("node '{node}', operator {operator}{opset}: {reason}")
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

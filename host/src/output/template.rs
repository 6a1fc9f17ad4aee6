//! Predictions as the author of the pipeline writes them: a Jinja template,
//! compiled once. Only what it uses is prepared for a record.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Enumerator, Object, Value};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use super::{EncodeError, FormatError, Output};
use crate::records::Record;

/// The budget of steps and bytes for one record (a step pays for 64 bytes): enough to
/// repeat the largest records, and too little for nested loops to stall
/// the stream.
const FUEL: u64 = 2_000_000;
/// The one template's name in its environment.
const NAME: &str = "template";

/// The variables of a template. `docs/reference/manifest.md` describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variable {
    Label,
    Probability,
    Probabilities,
    Values,
    Model,
    Key,
    Value,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Headers,
}

impl Variable {
    const ALL: [(&'static str, Variable); 12] = [
        ("label", Variable::Label),
        ("probability", Variable::Probability),
        ("probabilities", Variable::Probabilities),
        ("values", Variable::Values),
        ("model", Variable::Model),
        ("key", Variable::Key),
        ("value", Variable::Value),
        ("topic", Variable::Topic),
        ("partition", Variable::Partition),
        ("offset", Variable::Offset),
        ("timestamp", Variable::Timestamp),
        ("headers", Variable::Headers),
    ];

    /// Whether predictions of this shape have it, and if not, what they have.
    fn require(self, name: &'static str, output: &Output) -> Result<(), FormatError> {
        let (predicts, instead) = match (self, output) {
            (
                Variable::Label | Variable::Probability | Variable::Probabilities,
                Output::Values(_),
            ) => ("values", "'values'"),
            (Variable::Values, Output::Classes(_)) => {
                ("classes", "'label', 'probability' or 'probabilities'")
            }
            _ => return Ok(()),
        };
        Err(FormatError::Absent { name, predicts, instead })
    }
}

/// A compiled template.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
    uses: Vec<(&'static str, Variable)>,
}

impl Template {
    /// Compiles a template and checks the names in it.
    ///
    /// # Errors
    /// If it is not a template, or uses a name that no prediction has.
    pub fn compile(text: &str) -> Result<Self, FormatError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        let reason = |error: minijinja::Error| FormatError::Template { reason: explain(&error) };
        // The text unchanged: a newline at its end is the author's.
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build().map_err(reason)?;
        environment.set_syntax(syntax);
        environment.add_template_owned(NAME, text.to_owned()).map_err(reason)?;
        let names = environment.get_template(NAME).map_err(reason)?.undeclared_variables(false);
        let mut unknown: Vec<&String> = names
            .iter()
            .filter(|name| !Variable::ALL.iter().any(|(known, _)| known == name))
            .filter(|name| !environment.globals().any(|(global, _)| global == name.as_str()))
            .collect();
        unknown.sort();
        if let Some(name) = unknown.first() {
            let known: Vec<&str> = Variable::ALL.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            return Err(FormatError::Unknown { name: (*name).clone(), known });
        }
        if let Some(reason) = unknown_filter(&mut environment) {
            return Err(FormatError::Template { reason });
        }
        let uses = Variable::ALL.into_iter().filter(|(name, _)| names.contains(*name)).collect();
        Ok(Template { environment, uses })
    }

    /// Fits the template to the predictions of a scorer.
    pub(super) fn bind(self, output: &Output, model: &str) -> Result<Bound, FormatError> {
        for (name, variable) in &self.uses {
            variable.require(name, output)?;
        }
        let names = output.names();
        let index = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        let texts = names.iter().map(|name| Value::from(name.as_str())).collect();
        let names = Arc::new(Names { texts, index });
        Ok(Bound { template: self, names, model: Value::from(model) })
    }
}

/// Finds unknown filters, tests and functions. The engine detects
/// them only while rendering, so the template is rendered once with made-up values; any
/// other error there may come from these values and means nothing.
fn unknown_filter(environment: &mut Environment<'static>) -> Option<String> {
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    let made_up = Variable::ALL.map(|(name, variable)| match variable {
        Variable::Probability => (name, Value::from(0.5)),
        Variable::Partition | Variable::Offset | Variable::Timestamp => (name, Value::from(1)),
        Variable::Probabilities | Variable::Values | Variable::Headers => (name, Value::UNDEFINED),
        _ => (name, Value::from("text")),
    });
    let rendered = environment
        .get_template(NAME)
        .and_then(|template| template.render(Value::from_pairs(made_up)));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let error = rendered.err()?;
    let unknown = [
        ErrorKind::UnknownFilter,
        ErrorKind::UnknownTest,
        ErrorKind::UnknownFunction,
        ErrorKind::UnknownMethod,
    ];
    unknown.contains(&error.kind()).then(|| explain(&error))
}

/// A template for the predictions of one scorer.
#[derive(Debug)]
pub(super) struct Bound {
    template: Template,
    names: Arc<Names>,
    model: Value,
}

impl Bound {
    /// `label` is an index of a class (`None` for values), `values` are as many as names.
    pub(super) fn encode(
        &self,
        record: &Record<'_>,
        label: Option<usize>,
        values: &[f64],
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let uses = self.template.uses.iter();
        let context = uses.map(|(name, it)| (*name, self.value(*it, record, label, values)));
        let context = Value::from_pairs(context);
        self.template
            .environment
            .get_template(NAME)
            .and_then(|template| template.render_captured_to(context, out).map(drop))
            .map_err(|error| EncodeError::Template(explain(&error)))
    }

    fn value(
        &self,
        variable: Variable,
        record: &Record<'_>,
        label: Option<usize>,
        values: &[f64],
    ) -> Value {
        match variable {
            Variable::Label => {
                label.map_or(Value::UNDEFINED, |label| self.names.texts[label].clone())
            }
            Variable::Probability => label.map_or(Value::UNDEFINED, |label| values[label].into()),
            Variable::Probabilities | Variable::Values => {
                Value::from_object(Numbers { names: self.names.clone(), values: values.into() })
            }
            Variable::Model => self.model.clone(),
            Variable::Key => text(record.key()),
            Variable::Value => text(record.value()),
            Variable::Topic => record.topic().into(),
            Variable::Partition => record.partition().into(),
            Variable::Offset => record.offset().into(),
            Variable::Timestamp => record.timestamp().into(),
            // The last header of a name counts, as in Kafka's own clients.
            Variable::Headers => {
                Value::from_pairs(record.headers().map(|(name, value)| (name, text(value))))
            }
        }
    }
}

/// Bytes as text; what is not UTF-8 becomes U+FFFD, null becomes `None`.
fn text(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::from(()), |bytes| String::from_utf8_lossy(bytes).into())
}

/// The names of classes or values, in the model's order.
#[derive(Debug)]
struct Names {
    texts: Vec<Value>,
    index: HashMap<String, usize>,
}

/// Numbers by name, in the model's order.
#[derive(Debug)]
struct Numbers {
    names: Arc<Names>,
    values: Box<[f64]>,
}

impl Object for Numbers {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = *self.names.index.get(key.as_str()?)?;
        self.values.get(index).map(|value| (*value).into())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names.texts.clone())
    }
}

/// What failed, and in which line of the template.
fn explain(error: &minijinja::Error) -> String {
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => {
            "it takes too many steps for one record; loop over less".to_owned()
        }
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    match error.line() {
        Some(line) => format!("{what} (line {line} of the template)"),
        None => what,
    }
}

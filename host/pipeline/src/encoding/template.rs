//! Predictions by a template. Only what it uses is prepared for a record.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};
use sandbar_manifest::FormatError;
use sandbar_manifest::template::{NAME, Template, Variable, explain};
use sandbar_record::Record;
use sandbar_sandbox::OutputSchema;

use super::error::EncodeError;

/// A template for the predictions of one scorer.
#[derive(Debug)]
pub(super) struct Bound {
    template: Template,
    names: Arc<Names>,
    model: Value,
}

impl Bound {
    /// Fits a template to the predictions of a scorer.
    pub(super) fn new(
        template: Template,
        output: &OutputSchema,
        model: &str,
    ) -> Result<Self, FormatError> {
        for (name, variable) in &template.uses {
            require(*variable, name, output)?;
        }
        Ok(Bound { template, names: Names::of(output), model: Value::from(model) })
    }

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
        render(&self.template, Value::from_pairs(context), out)
    }

    fn value(
        &self,
        variable: Variable,
        record: &Record<'_>,
        label: Option<usize>,
        values: &[f64],
    ) -> Value {
        match variable {
            Variable::Label => self.names.label(label),
            Variable::Probability => label.map_or(Value::UNDEFINED, |label| values[label].into()),
            Variable::Probabilities | Variable::Values => self.names.numbers(values),
            Variable::Model => self.model.clone(),
            // Refused where there is one scorer.
            Variable::Predictions => Value::UNDEFINED,
            variable => of_record(&self.template, variable, record),
        }
    }
}

/// What a template has of a record.
pub(super) fn of_record(template: &Template, variable: Variable, record: &Record<'_>) -> Value {
    let text = |bytes| match bytes {
        None if template.is_strict => Value::UNDEFINED,
        bytes => text(bytes),
    };
    match variable {
        Variable::Key => text(record.key()),
        Variable::Value => text(record.value()),
        Variable::Topic => record.topic().into(),
        Variable::Partition => record.partition().into(),
        Variable::Offset => record.offset().into(),
        Variable::Timestamp if template.is_strict && record.timestamp().is_none() => {
            Value::UNDEFINED
        }
        Variable::Timestamp => record.timestamp().into(),
        // The last header of a name counts, as in Kafka's own clients.
        Variable::Headers => {
            Value::from_pairs(record.headers().map(|(name, value)| (name, text(value))))
        }
        _ => Value::UNDEFINED,
    }
}

/// Appends the text of a template with these variables.
pub(super) fn render(
    template: &Template,
    context: Value,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let found = template.environment.get_template(NAME);
    found
        .and_then(|template| template.render_captured_to(context, out).map(drop))
        .map_err(|error| EncodeError::Template(explain(&error)))
}

/// Bytes as text; what is not UTF-8 becomes U+FFFD, null becomes `None`.
fn text(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::from(()), |bytes| String::from_utf8_lossy(bytes).into())
}

/// The names of classes or values, in the model's order.
#[derive(Debug)]
pub(super) struct Names {
    texts: Vec<Value>,
    index: HashMap<String, usize>,
}

impl Names {
    pub(super) fn of(output: &OutputSchema) -> Arc<Self> {
        let names = output.names();
        let index = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        let texts = names.iter().map(|name| Value::from(name.as_str())).collect();
        Arc::new(Names { texts, index })
    }

    /// The name of a class.
    pub(super) fn label(&self, label: Option<usize>) -> Value {
        label.map_or(Value::UNDEFINED, |label| self.texts[label].clone())
    }

    /// Numbers by these names.
    pub(super) fn numbers(self: &Arc<Self>, values: &[f64]) -> Value {
        Value::from_object(Numbers { names: self.clone(), values: values.into() })
    }
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

/// Whether predictions of this schema have what a template uses, and if not what they have.
fn require(
    variable: Variable,
    name: &'static str,
    output: &OutputSchema,
) -> Result<(), FormatError> {
    let (predicts, instead) = match (variable, output) {
        (Variable::Predictions, OutputSchema::Classes(_)) => {
            ("classes, and no other stage predicts", "'label', 'probability' or 'probabilities'")
        }
        (Variable::Predictions, OutputSchema::Values(_)) => {
            ("values, and no other stage predicts", "'values'")
        }
        (
            Variable::Label | Variable::Probability | Variable::Probabilities,
            OutputSchema::Values(_),
        ) => ("values", "'values'"),
        (Variable::Values, OutputSchema::Classes(_)) => {
            ("classes", "'label', 'probability' or 'probabilities'")
        }
        _ => return Ok(()),
    };
    Err(FormatError::Absent { name, predicts, instead })
}

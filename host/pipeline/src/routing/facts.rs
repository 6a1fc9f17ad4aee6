//! What a condition may name: the record, and the predictions for it.

use std::borrow::Cow;
use std::sync::Arc;

use expressions::{Scope, Timestamp, Type, Value, Variables};
use sandbar_record::Record;
use sandbar_sandbox::OutputSchema;

use crate::encoding::{Predicting, Prediction};

/// One of the variables of a condition.
#[derive(Debug, Clone, Copy)]
enum Fact {
    Key,
    Value,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Headers,
    /// Of the scorer with this number.
    Label(usize),
    Probability(usize),
    Numbers(usize),
    Model(usize),
}

/// The variables of all conditions of a pipeline, and what they are called.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    pub(super) scope: Scope,
    /// By the number of the variable.
    facts: Vec<Fact>,
    scorers: Vec<Named>,
}

/// A scorer, as conditions see it.
#[derive(Debug)]
struct Named {
    output: OutputSchema,
    model: Arc<str>,
}

/// What conditions see of one record.
pub(super) struct Facts<'f, 'a> {
    pub(super) vocabulary: &'f Vocabulary,
    pub(super) record: &'f Record<'a>,
    pub(super) predictions: &'f dyn Fn(usize) -> Prediction<'a>,
}

impl Vocabulary {
    /// That of a pipeline whose outputs are the predictions of these scorers; of none, if they
    /// are records.
    pub(super) fn of(scorers: &[Predicting<'_>]) -> Self {
        let mut own = Vocabulary::default();
        own.declare("key", Type::Text, Fact::Key);
        own.declare("value", Type::Text, Fact::Value);
        own.declare("topic", Type::Text, Fact::Topic);
        own.declare("partition", Type::Int, Fact::Partition);
        own.declare("offset", Type::Int, Fact::Offset);
        own.declare("timestamp", Type::Timestamp, Fact::Timestamp);
        own.declare("headers", Type::map(Type::Text), Fact::Headers);
        for (number, scorer) in scorers.iter().enumerate() {
            if scorers.len() == 1 {
                own.prediction("", number, scorer.output);
            }
            own.prediction(&format!("predictions.{}.", scorer.stage), number, scorer.output);
            let (output, model) = (scorer.output.clone(), scorer.model.into());
            own.scorers.push(Named { output, model });
        }
        own
    }

    fn declare(&mut self, name: impl Into<String>, is: Type, fact: Fact) {
        self.scope.declare(name, is);
        self.facts.push(fact);
    }

    /// The parts of a prediction, with `before` in front of their names.
    fn prediction(&mut self, before: &str, number: usize, output: &OutputSchema) {
        let numbers = Type::fields(Type::Number, output.names());
        match output {
            OutputSchema::Classes(_) => {
                self.declare(format!("{before}label"), Type::Text, Fact::Label(number));
                let probability = Fact::Probability(number);
                self.declare(format!("{before}probability"), Type::Number, probability);
                self.declare(format!("{before}probabilities"), numbers, Fact::Numbers(number));
            }
            OutputSchema::Values(_) => {
                self.declare(format!("{before}values"), numbers, Fact::Numbers(number));
            }
        }
        self.declare(format!("{before}model"), Type::Text, Fact::Model(number));
    }
}

impl Facts<'_, '_> {
    /// The index of the class that a scorer predicts.
    fn label(&self, scorer: usize) -> Option<usize> {
        (self.predictions)(scorer).label.map(|label| label as usize)
    }

    fn number(&self, scorer: usize, index: usize) -> Option<Value<'_>> {
        (self.predictions)(scorer).values.get(index).map(|number| Value::from(*number))
    }
}

impl Variables for Facts<'_, '_> {
    fn value(&self, variable: usize) -> Option<Value<'_>> {
        let record = self.record;
        Some(match *self.vocabulary.facts.get(variable)? {
            Fact::Key => text(record.key()?),
            Fact::Value => text(record.value()?),
            Fact::Topic => record.topic().into(),
            Fact::Partition => i64::from(record.partition()).into(),
            Fact::Offset => record.offset().into(),
            Fact::Timestamp => Timestamp::from_millis(record.timestamp()?)?.into(),
            Fact::Label(scorer) => {
                let names = self.vocabulary.scorers.get(scorer)?.output.names();
                names.get(self.label(scorer)?)?.as_str().into()
            }
            Fact::Probability(scorer) => self.number(scorer, self.label(scorer)?)?,
            Fact::Model(scorer) => (&*self.vocabulary.scorers.get(scorer)?.model).into(),
            Fact::Headers | Fact::Numbers(_) => return None,
        })
    }

    fn field(&self, variable: usize, field: usize) -> Option<Value<'_>> {
        match self.vocabulary.facts.get(variable)? {
            Fact::Numbers(scorer) => self.number(*scorer, field),
            _ => None,
        }
    }

    fn entry(&self, variable: usize, key: &str) -> Option<Value<'_>> {
        match self.vocabulary.facts.get(variable)? {
            // The last header of a name counts, as in Kafka's own clients.
            Fact::Headers => {
                let (_, value) = self.record.headers().filter(|(name, _)| *name == key).last()?;
                value.map(text)
            }
            Fact::Numbers(scorer) => {
                let names = self.vocabulary.scorers.get(*scorer)?.output.names();
                self.number(*scorer, names.iter().position(|name| name == key)?)
            }
            _ => None,
        }
    }
}

/// Bytes as text; what is not UTF-8 becomes U+FFFD.
fn text(bytes: &[u8]) -> Value<'_> {
    let text: Cow<'_, str> = String::from_utf8_lossy(bytes);
    text.into()
}

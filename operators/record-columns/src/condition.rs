//! A condition on the columns of records.

use expressions::{Expression, Value};
use sandbar_operator::Error;
use sandbar_operator::schemas::Schemas;

use crate::config::Config;
use crate::envelope::Envelope;
use crate::fault::{Fault, Problem};
use crate::layout::Layout;
use crate::values::Values;
use crate::vocabulary::Vocabulary;

/// Whether something holds for a record.
#[derive(Debug)]
pub struct Condition {
    name: String,
    expression: Expression,
    vocabulary: Vocabulary,
    values: Values,
}

impl Condition {
    /// The condition that an expression says, which may name the configuration's columns. `name` is
    /// that of its key.
    ///
    /// # Errors
    /// What is wrong with the configuration, or with the expression, with its place.
    pub fn new(
        name: &str,
        expression: &str,
        config: &Config,
        schemas: Schemas,
    ) -> Result<Condition, Error> {
        let Layout { vocabulary, places, .. } = Layout::of_terms(config)?;
        let expression = Expression::condition(expression, vocabulary.scope())
            .map_err(|problem| format!("`{name}`: {problem}"))?;
        let values = Values::new(config, &places, schemas)?;
        Ok(Condition { name: name.to_owned(), expression, vocabulary, values })
    }

    /// Whether it holds for a record with this value (`None` for null).
    ///
    /// # Errors
    /// Why that cannot be known. [`Fault::is_undecided`] where it depends on a value that is missing.
    pub fn holds(&mut self, value: Option<&[u8]>, envelope: &impl Envelope) -> Result<bool, Fault> {
        let Condition { name, expression, vocabulary, values } = self;
        // Whether a record may have none of the columns is for each of them to say.
        let content = values.find_any(value, envelope)?;
        vocabulary.evaluate(expression, content, envelope, |value| match value {
            Ok(value) => Ok(value == Value::Bool(true)),
            Err(fault) => {
                let problem = Problem::of(expression, &fault);
                Err(Fault::Column { name: name.clone(), problem })
            }
        })?
    }
}

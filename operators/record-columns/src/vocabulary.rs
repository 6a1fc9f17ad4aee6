//! What expressions may name, and what it is for a record.

use std::cell::RefCell;

use expressions::{Expression, Scope, Timestamp, Type, Value, Variables};

use crate::cell::{Cell, Content};
use crate::column::Column;
use crate::config::Kind;
use crate::envelope::Envelope;
use crate::fault::Fault;

/// What expressions may name: what a record has besides its value, as conditions of routes do,
/// and the columns that are read. A column takes precedence.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    scope: Scope,
    /// By the number of the variable.
    variables: Vec<Variable>,
}

#[derive(Debug)]
enum Variable {
    Key,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Headers,
    Column(Column),
}

impl Default for Vocabulary {
    fn default() -> Vocabulary {
        let mut own = Vocabulary { scope: Scope::default(), variables: Vec::new() };
        own.add("key", Type::Text, Variable::Key);
        own.add("topic", Type::Text, Variable::Topic);
        own.add("partition", Type::Int, Variable::Partition);
        own.add("offset", Type::Int, Variable::Offset);
        own.add("timestamp", Type::Timestamp, Variable::Timestamp);
        own.add("headers", Type::map(Type::Text), Variable::Headers);
        own
    }
}

impl Vocabulary {
    /// The names, with their types.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Adds a column, under its name.
    pub(crate) fn declare(&mut self, column: Column) {
        let is = match column.kind {
            Kind::Number => Type::Number,
            Kind::Text => Type::Text,
        };
        self.add(&column.name.clone(), is, Variable::Column(column));
    }

    /// Evaluates an expression that was compiled with the [`scope`](Vocabulary::scope), and hands
    /// on what it is or why it is nothing.
    ///
    /// # Errors
    /// Why a column that it comes to cannot be read: such a one is no value that is missing,
    /// whatever the expression makes of it.
    pub(crate) fn evaluate<R>(
        &self,
        expression: &Expression,
        content: Content<'_>,
        envelope: &impl Envelope,
        take: impl FnOnce(Result<Value<'_>, expressions::Fault>) -> R,
    ) -> Result<R, Fault> {
        let variables = &self.variables;
        let facts = Facts { variables, content, envelope, fault: RefCell::default() };
        let value = expression.evaluate(&facts);
        match facts.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(take(value)),
        }
    }

    fn add(&mut self, name: &str, is: Type, variable: Variable) {
        self.scope.declare(name, is);
        self.variables.push(variable);
    }
}

/// A record, as expressions see it.
struct Facts<'a, E> {
    variables: &'a [Variable],
    content: Content<'a>,
    envelope: &'a E,
    /// Why a column that was asked for cannot be read.
    fault: RefCell<Option<Fault>>,
}

impl<E: Envelope> Facts<'_, E> {
    fn column<'b>(&'b self, column: &'b Column) -> Option<Value<'b>> {
        match self.content.cell(column, self.envelope) {
            Ok(Cell::Missing) => None,
            Ok(Cell::Number(number)) => Some(number.into()),
            Ok(Cell::Text(text)) => Some(text.into()),
            Ok(Cell::Whole(whole)) => Some(whole.to_string().into()),
            Err(fault) => {
                self.fault.borrow_mut().get_or_insert(fault);
                None
            }
        }
    }
}

impl<E: Envelope> Variables for Facts<'_, E> {
    fn value(&self, variable: usize) -> Option<Value<'_>> {
        Some(match self.variables.get(variable)? {
            Variable::Key => text(self.envelope.key()?),
            Variable::Topic => self.envelope.topic().into(),
            Variable::Partition => i64::from(self.envelope.partition()).into(),
            Variable::Offset => self.envelope.offset().into(),
            Variable::Timestamp => Timestamp::from_millis(self.envelope.timestamp()?)?.into(),
            Variable::Headers => return None,
            Variable::Column(column) => self.column(column)?,
        })
    }

    fn entry(&self, variable: usize, key: &str) -> Option<Value<'_>> {
        match self.variables.get(variable)? {
            Variable::Headers => self.envelope.header(key)?.map(text),
            _ => None,
        }
    }
}

/// Bytes as text; what is not UTF-8 becomes U+FFFD, as in conditions of routes.
fn text(bytes: &[u8]) -> Value<'_> {
    String::from_utf8_lossy(bytes).into()
}

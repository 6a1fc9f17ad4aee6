//! What a model's folder says of it, where the model's file does not say it itself.

use sandbar_operator::{Error, Setup};
use serde::Deserialize;

/// The part of a model's description that is asked for here; other keys are for others.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Description {
    /// The names of the classes.
    pub(crate) labels: Vec<String>,
    preprocessing: Preprocessing,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Preprocessing {
    columns: Vec<Column>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Column {
    Name(String),
    Typed { name: String },
}

impl Description {
    /// Reads the description of one of the stage's models.
    ///
    /// # Errors
    /// Where it says something else than names.
    pub(crate) fn read(setup: &Setup, model: &str) -> Result<Description, Error> {
        setup.describe_model(model)
    }

    /// The names of the columns of a model that was trained without names, in their order; none
    /// where the description does not list them.
    ///
    /// # Errors
    /// Where it does not list as many.
    pub(crate) fn columns(&self, count: usize) -> Result<Option<Vec<String>>, Error> {
        let columns = &self.preprocessing.columns;
        if columns.is_empty() {
            return Ok(None);
        }
        if columns.len() != count {
            return Err(format!(
                "[preprocessing] columns: {} names for the model's {count} columns: list all of \
                 them, in the order that it was trained with",
                columns.len()
            )
            .into());
        }
        let names = columns.iter().map(|column| match column {
            Column::Name(name) | Column::Typed { name } => name.clone(),
        });
        Ok(Some(names.collect()))
    }

    /// The names of a model's classes, which has numbers for them.
    ///
    /// # Errors
    /// Where the description has labels, but not as many.
    pub(crate) fn classes(&self, numbers: &[String]) -> Result<Vec<String>, Error> {
        match self.labels.len() {
            0 => Ok(numbers.to_vec()),
            count if count == numbers.len() => Ok(self.labels.clone()),
            count => Err(format!(
                "[labels]: {count} names for the model's {} classes: name all of them, in their \
                 order",
                numbers.len()
            )
            .into()),
        }
    }
}

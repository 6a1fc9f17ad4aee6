//! Where the value of each of the model's features comes from.

use sandbar_operator::{Column, Error, Failure, Field, FieldType, Table};

use crate::config::{Config, Treatment};
use crate::makers::{Feature, Model, Takes, Unfit};
use crate::memo::Memo;

/// The column that feeds one feature of the model.
pub(crate) struct Source {
    name: String,
    feature: Box<dyn Feature>,
    /// Position in the table; `None` where the table does not have it.
    column: Option<usize>,
    /// What is known of the categories' texts, for a categorical feature.
    memo: Option<Memo>,
    /// What an empty text is: missing, unless the model knows a category of that name.
    empty: f64,
    treatment: Treatment,
}

/// Rows that cannot be scored, and why; a row may be there more than once.
pub(crate) type Rejected = Vec<(usize, Failure)>;

impl Source {
    /// Finds the column for each feature.
    ///
    /// # Errors
    /// Where a column is of a type that can never fit, or not there although it must be.
    pub(crate) fn find_all(
        model: &dyn Model,
        fields: &[Field],
        config: &Config,
    ) -> Result<Vec<Source>, Error> {
        let features = model.features();
        let sources = features
            .into_iter()
            .zip(model.names())
            .map(|(feature, name)| Source::find(feature, name, fields, config))
            .collect::<Result<Vec<_>, _>>()?;
        let absent: Vec<&str> = sources
            .iter()
            .filter(|source| source.column.is_none())
            .map(|source| source.name.as_str())
            .collect();
        if absent.is_empty() {
            return Ok(sources);
        }
        let columns: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let (absent, columns) = (absent.join(", "), columns.join(", "));
        if sources.iter().all(|source| source.column.is_none()) {
            return Err(format!(
                "the extractor gives none of the model's features: expected {absent}, got {columns}"
            )
            .into());
        }
        if config.missing_column.unwrap_or(model.missing_column()) == Treatment::Fail {
            return Err(format!(
                "features {absent}: no such columns from the extractor, which gives {columns}: add \
                 them there, or set missing_column = \"missing\""
            )
            .into());
        }
        eprintln!("features {absent}: no such columns from the extractor: missing in every row");
        Ok(sources)
    }

    fn find(
        feature: Box<dyn Feature>,
        name: String,
        fields: &[Field],
        config: &Config,
    ) -> Result<Source, Error> {
        let column = fields.iter().position(|field| field.name == name);
        let categorical = feature.takes() == Takes::Categories;
        match column.map(|column| &fields[column].ty) {
            Some(FieldType::Number) if categorical => Err(format!(
                "feature '{name}': expected a category, got a number: have the extractor give it \
                 as text"
            )
            .into()),
            Some(FieldType::Tensor(_)) => {
                Err(format!("feature '{name}': expected a number or text, got a tensor").into())
            }
            Some(FieldType::Number | FieldType::Text) | None => Ok(Source {
                empty: feature.value(b"").unwrap_or(f64::NAN),
                name,
                feature,
                column,
                memo: categorical.then(Memo::new),
                treatment: if categorical {
                    config.unknown_category
                } else {
                    config.invalid_number
                },
            }),
        }
    }

    /// Writes the feature's value of every row into `cells`. Cells of a feature without
    /// a column are left as they are.
    pub(crate) fn read<'a>(
        &mut self,
        table: &Table<'_>,
        cells: impl Iterator<Item = &'a mut f64>,
        rejected: &mut Rejected,
    ) {
        match self.column.and_then(|column| table.column(column)) {
            Some(Column::Numbers(numbers)) => {
                cells.zip(numbers).for_each(|(cell, number)| *cell = *number);
            }
            Some(Column::Text(texts)) => {
                for (row, (cell, text)) in cells.zip(texts.iter()).enumerate() {
                    *cell = match self.value(text) {
                        Ok(value) => value,
                        Err(error) => {
                            if self.treatment == Treatment::Fail {
                                rejected.push((row, self.failure(error, text)));
                            }
                            f64::NAN
                        }
                    };
                }
            }
            Some(Column::Tensor(_)) | None => {}
        }
    }

    #[inline]
    fn value(&mut self, text: &str) -> Result<f64, Unfit> {
        if text.is_empty() {
            return Ok(self.empty);
        }
        let text = text.as_bytes();
        match &mut self.memo {
            Some(memo) => memo.get_or(text, |text| self.feature.value(text)),
            None => self.feature.value(text),
        }
    }

    #[cold]
    fn failure(&self, error: Unfit, text: &str) -> Failure {
        let name = &self.name;
        let text: String = text.chars().take(80).collect();
        match error {
            Unfit::UnknownCategory => {
                Failure::invalid(format!("feature '{name}': unknown category '{text}'"))
            }
            Unfit::NotANumber => {
                Failure::malformed(format!("feature '{name}': '{text}' is not a number"))
            }
        }
    }
}

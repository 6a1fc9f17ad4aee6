//! The transformer that the component exports.

use std::borrow::Cow;

use sandbar_operator::text::{self, csv};
use sandbar_operator::{Emitter, Error, Failure, Record, Setup, Transformer};

use crate::config::{Absent, Config, Existing, Format, Into, Key};
use crate::object::Objects;
use crate::table::Table;

/// Adds the row of a record's key to it.
#[derive(Debug)]
pub struct LookupEnricher {
    table: Table,
    config: Config,
    separator: u8,
    objects: Objects,
    /// The value that is being made; kept for its memory.
    value: Vec<u8>,
}

/// What happens to a record.
enum Outcome {
    /// It gets the cells of this row.
    Row(usize),
    Pass,
    Drop,
}

impl Transformer for LookupEnricher {
    type Config = Config;

    fn configure(mut config: Config, setup: &Setup) -> Result<Self, Error> {
        config.check()?;
        let separator = config.separator()?;
        let table = match (config.rows.take(), setup.main_model()) {
            (Some(rows), None) => Table::from_rows(&rows, &config)?,
            (None, Some(model)) => Table::from_csv(&setup.load_model(model)?, &config)
                .map_err(|error| error.context(format_args!("model '{model}'")))?,
            (Some(_), Some(_)) => {
                return Err("a model and `rows` are both set: remove one of them".into());
            }
            (None, None) => {
                return Err("no table: name a model of kind \"file\" in the stage's `models`, or \
                            set `rows`"
                    .into());
            }
        };
        let field = match &config.key {
            Key::Field(field) => Some(field.as_str()),
            _ => None,
        };
        // Only a value that is changed must not have what is added.
        let added = if config.into == Into::Value { &table.names[..] } else { &[] };
        let objects = Objects::new(field, added);
        Ok(LookupEnricher { table, config, separator, objects, value: Vec::new() })
    }

    fn transform(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
        match (self.config.into, self.config.format) {
            (Into::Headers, _) => self.enrich_headers(record, out),
            (Into::Value, Format::Json) => self.enrich_json(record, out),
            (Into::Value, Format::Csv) => self.enrich_line(record, out),
        }
    }
}

impl LookupEnricher {
    fn enrich_headers(
        &mut self,
        record: &Record<'_>,
        out: &mut Emitter<'_>,
    ) -> Result<(), Failure> {
        let outcome = match (&self.config.key, record.value()) {
            (Key::Field(_) | Key::Column(_), None) => Outcome::Pass,
            (Key::Field(_), Some(value)) => {
                let object = self.objects.read(text::bytes(value)?)?;
                self.outcome(object.key)?
            }
            (Key::Column(wanted), Some(value)) => {
                let (line, _) = csv::split_end(text::bytes(value)?);
                self.outcome(column(line, self.separator, *wanted)?)?
            }
            (Key::Header(_) | Key::RecordKey, _) => self.outcome(self.outer_key(record))?,
        };
        let Outcome::Row(row) = outcome else { return emit_without_row(&outcome, record, out) };
        let mut emission = out.derive(record);
        for (name, cell) in self.table.names.iter().zip(self.table.cells(row)) {
            if record.headers().any(|(existing, _)| existing == name) {
                self.existing("header", name)?;
            } else {
                emission = emission.header(name, Some(cell).filter(|cell| !cell.is_empty()));
            }
        }
        emission.send()
    }

    fn enrich_json(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
        let Some(value) = record.value() else {
            return emit_without_row(&Outcome::Pass, record, out);
        };
        let text = text::bytes(value)?;
        let object = self.objects.read(text)?;
        let key = match &self.config.key {
            Key::Field(_) => object.key,
            _ => self.outer_key(record),
        };
        let outcome = self.outcome(key)?;
        let Outcome::Row(row) = outcome else { return emit_without_row(&outcome, record, out) };
        if let Some(index) = object.existing.first() {
            self.existing("field", &self.table.names[*index])?;
        }
        let mut comma = !object.is_empty;
        // A byte order mark stays where it is.
        let (before, after) = value.split_at(value.len() - text.len() + object.end);
        self.value.clear();
        self.value.extend_from_slice(before);
        for (index, cell) in self.table.cells(row).enumerate() {
            if object.existing.contains(&index) {
                continue;
            }
            if comma {
                self.value.push(b',');
            }
            self.value.extend_from_slice(cell);
            comma = true;
        }
        self.value.extend_from_slice(after);
        out.derive(record).value(&self.value).send()
    }

    fn enrich_line(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
        let Some(value) = record.value() else {
            return emit_without_row(&Outcome::Pass, record, out);
        };
        let (line, end) = csv::split_end(text::bytes(value)?);
        let wanted = match &self.config.key {
            Key::Column(column) => *column,
            _ => 0,
        };
        let column = column(line, self.separator, wanted)?;
        let key = if wanted == 0 { self.outer_key(record) } else { column };
        let outcome = self.outcome(key)?;
        let Outcome::Row(row) = outcome else { return emit_without_row(&outcome, record, out) };
        self.value.clear();
        self.value.extend_from_slice(&value[..value.len() - end.len()]);
        for cell in self.table.cells(row) {
            self.value.push(self.separator);
            self.value.extend_from_slice(cell);
        }
        self.value.extend_from_slice(end);
        out.derive(record).value(&self.value).send()
    }

    /// The key that is not in the value.
    fn outer_key<'a>(&self, record: &Record<'a>) -> Option<Cow<'a, [u8]>> {
        match &self.config.key {
            Key::Header(name) => record.header(name).map(Cow::Borrowed),
            _ => record.key().map(Cow::Borrowed),
        }
    }

    /// What happens to a record with this key.
    fn outcome(&self, key: Option<Cow<'_, [u8]>>) -> Result<Outcome, Failure> {
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            return absent(self.config.on_no_key, || Failure::missing("the record has no key"));
        };
        match self.table.row(&key) {
            Some(row) => Ok(Outcome::Row(row)),
            None => absent(self.config.on_miss, || not_in_the_table(&key)),
        }
    }

    /// A record that has what would be added.
    fn existing(&self, what: &str, name: &str) -> Result<(), Failure> {
        match self.config.existing {
            Existing::Keep => Ok(()),
            Existing::Fail => Err(Failure::invalid(format!(
                "{what} '{name}' exists already: set `prefix`, or `existing = \"keep\"`"
            ))),
        }
    }
}

/// The column of this number, from 1, of a line without its end. `None`: there are fewer.
///
/// The whole line is read: what is appended to it must not end up in a quote that the line
/// leaves open.
fn column(line: &[u8], separator: u8, wanted: usize) -> Result<Option<Cow<'_, [u8]>>, Failure> {
    let mut found = None;
    for (index, column) in csv::Columns::new(line, separator).enumerate() {
        let column = column?;
        if index + 1 == wanted {
            let bytes = column.bytes();
            // As in JSON; no key of a table is like that.
            str::from_utf8(&bytes).map_err(|_| text::Fault::NotUtf8)?;
            found = Some(bytes);
        }
    }
    Ok(found)
}

fn absent(choice: Absent, failure: impl FnOnce() -> Failure) -> Result<Outcome, Failure> {
    match choice {
        Absent::Fail => Err(failure()),
        Absent::Empty => Ok(Outcome::Row(Table::EMPTY)),
        Absent::Pass => Ok(Outcome::Pass),
        Absent::Drop => Ok(Outcome::Drop),
    }
}

/// For a record that gets nothing.
fn emit_without_row(
    outcome: &Outcome,
    record: &Record<'_>,
    out: &mut Emitter<'_>,
) -> Result<(), Failure> {
    if !matches!(outcome, Outcome::Drop) {
        out.forward(record);
    }
    Ok(())
}

#[cold]
fn not_in_the_table(key: &[u8]) -> Failure {
    Failure::invalid(format!("key {:?} is not in the table", text::shown(key)))
}

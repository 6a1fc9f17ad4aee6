//! Records to rows: what the component does, without the component.

use record_schemas::wire::VALUE_HEADER;
use sandbar_operator::schemas::Schemas;
use sandbar_operator::{Error, Field, Setup, TensorShape};

use crate::cell::{Cell, Content, write_short, write_text};
use crate::column::Origin;
use crate::config::{Booleans, Config};
use crate::derived::Vocabulary;
use crate::envelope::Envelope;
use crate::fault::{Fault, Problem};
use crate::format::Format;
use crate::formats;
use crate::found::{Findings, Found};
use crate::layout::{Elements, Feature, Layout, Output};
use crate::sink::Sink;
use crate::wanted::{self, Wanted};

/// Reads records. After the first ones nothing is allocated, except for texts with escapes.
#[derive(Debug)]
pub struct Reader {
    layout: Layout,
    format: Box<dyn Format>,
    findings: Findings,
    /// The elements of a tensor.
    elements: Vec<u8>,
    booleans: Booleans,
    max_bytes: usize,
    /// Whether records name their schema.
    names_schema: bool,
}

impl Reader {
    /// A reader for a configuration, and for the models of a stage.
    ///
    /// # Errors
    /// What is wrong with the configuration, or with what a model wants.
    pub fn new(config: &Config, setup: &Setup) -> Result<Reader, Error> {
        Reader::of(config, wanted::of_models(setup)?, setup.schemas())
    }

    /// A reader for a configuration alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn without_models(config: &Config) -> Result<Reader, Error> {
        Reader::of(config, Vec::new(), Schemas::default())
    }

    fn of(config: &Config, wanted: Vec<Wanted>, schemas: Schemas) -> Result<Reader, Error> {
        if config.max_bytes == 0 {
            return Err("`max_bytes`: must be greater than zero".into());
        }
        let layout = Layout::new(config, wanted)?;
        Ok(Reader {
            format: formats::reader(config, &layout, schemas)?,
            findings: Findings::new(layout.places.len()),
            elements: Vec::new(),
            booleans: config.booleans,
            max_bytes: config.max_bytes.min(u32::MAX as usize),
            names_schema: formats::names_schema(config.format),
            layout,
        })
    }

    /// What goes out, in this order.
    pub fn features(&self) -> Vec<Field> {
        self.layout.fields()
    }

    /// Reads a record with this value (`None` for null), and writes one value for each feature
    /// to `row`. After a fault, `row` may have been given some.
    ///
    /// # Errors
    /// Why the record gives no row.
    pub fn read(
        &mut self,
        value: Option<&[u8]>,
        envelope: &impl Envelope,
        row: &mut impl Sink,
    ) -> Result<(), Fault> {
        // Where nothing is wanted of it, a value may be anything.
        let value = if self.layout.places.is_empty() { b"" } else { self.find(value, envelope)? };
        let Reader { layout, findings, elements: scratch, .. } = self;
        let content = Content { value, findings, booleans: self.booleans };
        write(layout, content, envelope, scratch, row)
    }

    /// Finds what is wanted in a value.
    #[inline]
    fn find<'a>(
        &mut self,
        value: Option<&'a [u8]>,
        envelope: &impl Envelope,
    ) -> Result<&'a [u8], Fault> {
        let mut value = value.ok_or(Fault::Tombstone)?;
        match value.len() {
            0 if !self.names_schema => return Err(Fault::Empty),
            bytes if bytes > self.max_bytes => {
                return Err(Fault::TooLarge { bytes, limit: self.max_bytes });
            }
            _ => {}
        }
        if self.names_schema {
            value = self.format.open(value, envelope.header(VALUE_HEADER).flatten())?;
        }
        self.format.read(value, &mut self.findings)?;
        Ok(value)
    }
}

/// Writes a row of what was found.
#[inline]
fn write<'a>(
    layout: &'a Layout,
    content: Content<'a>,
    envelope: &'a impl Envelope,
    scratch: &mut Vec<u8>,
    row: &mut impl Sink,
) -> Result<(), Fault> {
    let line = content.findings.line.as_ref().filter(|_| content.findings.is_line);
    let line = line.map(|line| (line, line.text(content.value)));
    for output in &layout.outputs {
        match output {
            Output::Column(Feature::Read(column)) => {
                let is_written = match (&column.origin, line) {
                    (Origin::Value(place), Some((line, text))) => {
                        write_text(column, text, line.range(*place), row)
                    }
                    (Origin::Value(place), None) => write_short(column, content.at(*place), row),
                    _ => false,
                };
                if !is_written {
                    put(content.cell(column, envelope)?, row);
                }
            }
            Output::Column(Feature::Derived(derived)) => {
                derived.compute(&layout.vocabulary, content, envelope, |cell| put(cell, row))?;
            }
            Output::Tensor { name, shape, elements } => {
                scratch.clear();
                let about = (name.as_str(), shape);
                tensor(content, about, elements, &layout.vocabulary, envelope, scratch)?;
                row.tensor(scratch);
            }
        }
    }
    Ok(())
}

#[inline(always)]
fn put(cell: Cell<'_>, row: &mut impl Sink) {
    match cell {
        Cell::Number(number) => row.number(number),
        Cell::Text(text) => row.text(text),
        Cell::Missing => row.missing(),
        Cell::Whole(number) => row.text(&number.to_string()),
    }
}

/// Appends the elements of a tensor.
#[inline(never)]
fn tensor<'a>(
    content: Content<'a>,
    (name, shape): (&str, &TensorShape),
    elements: &'a Elements,
    vocabulary: &Vocabulary,
    envelope: &'a impl Envelope,
    to: &mut Vec<u8>,
) -> Result<(), Fault> {
    let fault = |name: &str, problem| Fault::Column { name: name.to_owned(), problem };
    match elements {
        Elements::Columns(columns) => {
            for column in columns {
                match column {
                    Feature::Read(column) => {
                        content.element(column, envelope, shape.element, to)?;
                    }
                    Feature::Derived(derived) => derived
                        .compute(vocabulary, content, envelope, |cell| {
                            cell.element(None, shape.element, to)
                        })?
                        .map_err(|problem| fault(&derived.name, problem))?,
                }
            }
        }
        Elements::Array(place) => {
            let fault = |problem| fault(name, problem);
            for found in array(content.findings, *place).map_err(fault)? {
                content.found_element(*found, shape.element, to).map_err(fault)?;
            }
        }
    }
    Ok(())
}

/// The numbers of an array.
fn array(findings: &Findings, place: usize) -> Result<&[Found], Problem> {
    match findings.places[place] {
        Found::Array(start, end) => Ok(&findings.elements[start as usize..end as usize]),
        Found::Absent => Err(Problem::Absent),
        Found::Null => Err(Problem::Missing),
        other => {
            let found = other.kind();
            Err(Problem::Value(sandbar_operator::text::Fault::Type { found }))
        }
    }
}

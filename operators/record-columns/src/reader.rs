//! Records to rows.

use sandbar_operator::schemas::Schemas;
use sandbar_operator::{Error, Field, TensorShape};

use crate::cell::{Cell, Content};
use crate::config::Config;
use crate::envelope::Envelope;
use crate::fault::{Fault, Problem};
use crate::found::{Findings, Found};
use crate::layout::{Elements, Feature, Layout, Output};
use crate::quick::Quick;
use crate::sink::Sink;
use crate::values::Values;
use crate::vocabulary::Vocabulary;
use crate::wanted::Wanted;

/// Reads records. After the first ones nothing is allocated, except for texts with escapes.
#[derive(Debug)]
pub struct Reader {
    layout: Layout,
    /// One for each output.
    quick: Vec<Quick>,
    values: Values,
    /// The elements of a tensor.
    elements: Vec<u8>,
}

impl Reader {
    /// A reader for a configuration, and for what goes out whatever that says.
    ///
    /// # Errors
    /// What is wrong with the configuration, or with what is wanted.
    pub fn new(config: &Config, wanted: Vec<Wanted>, schemas: Schemas) -> Result<Reader, Error> {
        let layout = Layout::new(config, wanted)?;
        let values = Values::new(config, &layout.places, schemas)?;
        let quick = |output| Quick::new(output, values.fields());
        Ok(Reader {
            quick: layout.outputs.iter().map(quick).collect(),
            values,
            elements: Vec::new(),
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
        let Reader { layout, quick, values, elements: scratch } = self;
        let content = values.find(value, envelope)?;
        let Content { value, findings, .. } = content;
        match findings.line.as_ref().filter(|_| findings.is_line) {
            Some(line) => {
                let text = line.text(value);
                for (quick, output) in quick.iter().zip(&layout.outputs) {
                    if !quick.write_text(text, line.lines.column(quick.field), row) {
                        write(output, &layout.vocabulary, content, envelope, scratch, row)?;
                    }
                }
            }
            None => {
                for (quick, output) in quick.iter().zip(&layout.outputs) {
                    let found = findings.places.get(quick.place).filter(|_| quick.is_of_value());
                    let at = found.map(|found| findings.resolve(value, *found));
                    if !at.is_some_and(|at| quick.write(at, row)) {
                        write(output, &layout.vocabulary, content, envelope, scratch, row)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Writes an output, whatever it is.
#[inline(never)]
fn write<'a>(
    output: &'a Output,
    vocabulary: &Vocabulary,
    content: Content<'a>,
    envelope: &'a impl Envelope,
    scratch: &mut Vec<u8>,
    row: &mut impl Sink,
) -> Result<(), Fault> {
    match output {
        Output::Column(Feature::Read(column)) => put(content.cell(column, envelope)?, row),
        Output::Column(Feature::Derived(derived)) => {
            derived.compute(vocabulary, content, envelope, |cell| put(cell, row))?;
        }
        Output::Tensor { name, shape, elements } => {
            scratch.clear();
            let about = (name.as_str(), shape);
            tensor(content, about, elements, vocabulary, envelope, scratch)?;
            row.tensor(scratch);
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

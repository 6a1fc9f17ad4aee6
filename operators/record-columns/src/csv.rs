//! Values that are lines of CSV.

use std::collections::HashMap;

use sandbar_operator::text::csv::split_end;
use sandbar_operator::text::line::Lines;
use sandbar_operator::{Error, text};

use crate::config::{Config, Header};
use crate::fault::Fault;
use crate::format::Format;
use crate::found::{Findings, Found, Line, Span};
use crate::layout::Place;

/// The most numbers of a tensor that are columns of a line each.
const MAX_ELEMENTS: usize = 4096;

/// Reads lines.
#[derive(Debug)]
pub(crate) struct Csv {
    /// How many columns a line has.
    count: usize,
    /// The last of those that are wanted.
    last: usize,
    /// Of each place the first of its columns.
    columns: Vec<usize>,
    /// Places that are arrays: how many columns each has.
    arrays: Vec<(usize, usize)>,
    separator: u8,
    header: Header,
    /// The columns by their names, to tell a header by.
    names: HashMap<Vec<u8>, usize>,
    /// The names' first bytes.
    initials: [bool; 256],
}

impl Csv {
    /// What reads lines, or why these places are none of a line.
    ///
    /// # Errors
    /// What is wrong with the configuration, whatever the records are.
    pub(crate) fn new(config: &Config, places: &[Place]) -> Result<Result<Csv, String>, Error> {
        let separator = separator(config.separator)?;
        let sizes: Vec<usize> = places.iter().map(size).collect();
        let fields = match config.fields.as_slice() {
            [] => {
                if let Some(place) = places.iter().find(|place| place.steps.len() > 1) {
                    let name = &place.name;
                    return Ok(Err(format!("'{name}' is no column of a line: list `fields`")));
                }
                if let Some(place) = (0..sizes.len()).find(|place| sizes[*place] > MAX_ELEMENTS) {
                    let name = &places[place].name;
                    return Ok(Err(format!(
                        "'{name}' has more than {MAX_ELEMENTS} numbers: send JSON"
                    )));
                }
                places.iter().flat_map(names).collect()
            }
            fields => fields.to_vec(),
        };
        let mut names = HashMap::new();
        for (column, field) in fields.iter().enumerate() {
            if names.insert(field.as_bytes().to_vec(), column).is_some() {
                return Err(format!("`fields`: '{field}' is listed twice").into());
            }
        }
        let mut columns = Vec::new();
        let mut arrays = Vec::new();
        for (index, place) in places.iter().enumerate() {
            let first = self::names(place).next().unwrap_or_default();
            let Some(column) = names.get(first.as_bytes()) else {
                return Ok(Err(format!("`fields` has no '{first}', which is wanted: add it")));
            };
            if place.array.is_some() {
                let are_next = self::names(place)
                    .enumerate()
                    .all(|(n, name)| fields.get(column + n).is_some_and(|field| *field == name));
                if !are_next {
                    let (name, count) = (&place.name, sizes[index]);
                    return Ok(Err(format!(
                        "`fields`: expected the {count} numbers of '{name}' together, from '{first}' on"
                    )));
                }
                arrays.push((index, sizes[index]));
            }
            columns.push(*column);
        }
        let behind = |place: usize| columns[place] + sizes[place];
        let last = (0..columns.len()).map(behind).max().unwrap_or(1) - 1;
        let mut initials = [false; 256];
        let bytes = names.keys().filter_map(|name| name.first());
        bytes.for_each(|byte| initials[usize::from(*byte)] = true);
        let (count, header) = (fields.len(), config.header);
        Ok(Ok(Csv { count, last, columns, arrays, separator, header, names, initials }))
    }

    /// Whether a line names the columns, in whatever order.
    #[cold]
    fn header(&self, line: &[u8]) -> Option<Fault> {
        let mut in_order = true;
        for (column, found) in text::csv::Columns::new(line, self.separator).enumerate() {
            let named = *self.names.get(&*found.ok()?.bytes())?;
            in_order &= named == column;
        }
        Some(Fault::Header { in_order })
    }

    /// Reads a line, which is a value without its byte order mark.
    pub(crate) fn line(
        &mut self,
        value: &[u8],
        text: &[u8],
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        let skipped = value.len() - text.len();
        let (line, _) = split_end(text);
        // Of lines of texts alone every header would pass for data.
        let first = line.strip_prefix(b"\"").unwrap_or(line).first();
        if self.header == Header::Refuse
            && first.is_some_and(|byte| self.initials[usize::from(*byte)])
            && let Some(fault) = self.header(line)
        {
            return Err(fault);
        }
        let kept = findings.line.get_or_insert_with(|| self.kept());
        let found = kept.lines.split(line)?;
        if found != self.count {
            return Err(Fault::Columns { expected: self.count, found });
        }
        kept.start = skipped;
        findings.is_line = true;
        if !self.arrays.is_empty() {
            self.spread(value, line, findings);
        }
        Ok(())
    }

    /// What is kept of lines.
    fn kept(&self) -> Line {
        let lines = Lines::new(self.separator, self.count, self.last);
        Line { lines, columns: self.columns.clone(), start: 0 }
    }

    /// Puts the columns of a line at their places: an array has several.
    fn spread(&self, value: &[u8], line: &[u8], findings: &mut Findings) {
        let Some(kept) = findings.line.take() else { return };
        findings.clear();
        let whole = match kept.lines.copy() {
            Some(copy) => findings.copy(copy),
            None => Span::of_value(kept.start..value.len().min(kept.start + line.len())),
        };
        let text = |column: usize| Found::Text(whole.part(kept.lines.column(column)));
        for (place, column) in self.columns.iter().enumerate() {
            findings.places[place] = text(*column);
        }
        for (place, count) in &self.arrays {
            let first = findings.elements.len();
            let columns = self.columns[*place]..self.columns[*place] + count;
            findings.elements.extend(columns.map(text));
            findings.places[*place] = Found::Array(first as u32, findings.elements.len() as u32);
        }
        findings.line = Some(kept);
    }
}

impl Format for Csv {
    fn fields(&self) -> Option<&[usize]> {
        Some(&self.columns)
    }

    fn read(&mut self, value: &[u8], findings: &mut Findings) -> Result<(), Fault> {
        let text = text::bytes(value)?;
        if text.trim_ascii_start().is_empty() {
            return Err(Fault::Empty);
        }
        self.line(value, text, findings)
    }
}

/// How many columns a place has.
fn size(place: &Place) -> usize {
    let sizes = place.array.iter().flatten();
    sizes.fold(1, |size, next| size.saturating_mul(*next as usize))
}

/// The names of a place's columns.
fn names(place: &Place) -> impl Iterator<Item = String> {
    // A pointer of one step is a name, too.
    let name = match place.steps.as_slice() {
        [step] => step,
        _ => &place.name,
    };
    (0..size(place)).map(move |index| match place.array {
        Some(_) => format!("{name}[{index}]"),
        None => name.clone(),
    })
}

/// The separator as the byte that it is in a line.
fn separator(separator: char) -> Result<u8, Error> {
    match u8::try_from(separator) {
        Ok(b'"' | b'+' | b'-' | b'.' | b'{' | b'[' | b'\n' | b'\r') => {}
        Ok(byte) if byte.is_ascii() && !byte.is_ascii_alphanumeric() => return Ok(byte),
        _ => {}
    }
    Err(format!(
        "`separator`: {separator:?} can be part of a value: use one character such as \",\", \";\", \
         \"|\" or a tab"
    )
    .into())
}

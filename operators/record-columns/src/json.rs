//! Values that are JSON objects.

use std::ops::Range;

use sandbar_operator::text::paths::{Paths, Take, Written, elements};
use sandbar_operator::{Error, text};

use crate::config::{Config, Unknown};
use crate::fault::Fault;
use crate::format::Format;
use crate::found::{Findings, Found, Span};
use crate::layout::Place;

/// Reads objects.
#[derive(Debug)]
pub(crate) struct Json {
    paths: Paths,
    /// Of each place that is an array its name, and the sizes of its dimensions.
    arrays: Vec<Option<(String, Vec<u32>)>>,
    unknown: Unknown,
    /// Brackets that are open in an array.
    open: Vec<u8>,
}

impl Json {
    pub(crate) fn new(config: &Config, places: &[Place]) -> Result<Json, Error> {
        let paths = Paths::new(places.iter().map(|place| &place.steps));
        let paths = paths.map_err(|overlap| {
            let name = |place: usize| &places[place].name;
            let (path, other) = (name(overlap.path), name(overlap.other));
            format!("'{path}' and '{other}': one is in the other: use one of them")
        })?;
        Ok(Json {
            paths,
            arrays: places
                .iter()
                .map(|place| Some((place.name.clone(), place.array.clone()?)))
                .collect(),
            unknown: config.unknown,
            open: Vec::new(),
        })
    }
}

impl Json {
    /// Reads an object, which is a value without its byte order mark.
    pub(crate) fn object(
        &mut self,
        value: &[u8],
        object: &[u8],
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        findings.clear();
        let skipped = value.len() - object.len();
        let Json { paths, arrays, unknown, open } = self;
        let mut taking =
            Taking { findings, arrays, open, skipped, unknown: *unknown, is_any: false };
        paths.read(object, &mut taking)?;
        if taking.is_any { Ok(()) } else { Err(Fault::NoColumn) }
    }
}

/// Puts what is found at its place.
struct Taking<'f> {
    findings: &'f mut Findings,
    arrays: &'f [Option<(String, Vec<u32>)>],
    open: &'f mut Vec<u8>,
    /// Where in the value the object begins.
    skipped: usize,
    unknown: Unknown,
    is_any: bool,
}

impl<'a> Take<'a> for Taking<'_> {
    type Error = Fault;

    #[inline(always)]
    fn value(&mut self, path: usize, value: Written<'a>, range: Range<usize>) -> Result<(), Fault> {
        self.is_any = true;
        let span = Span::of_value(self.skipped + range.start..self.skipped + range.end);
        self.findings.places[path] = match value {
            Written::Text(_) => Found::Text(span),
            Written::Number(_) => Found::Number(span),
            Written::Null => Found::Null,
            Written::Bool(value) => Found::Bool(value),
            Written::Object(_) => Found::Object,
            Written::Escaped(_) | Written::Array(_) => self.other(path, value, range.start)?,
        };
        Ok(())
    }

    #[inline(always)]
    fn unknown(&mut self, key: &'a [u8]) -> Result<(), Fault> {
        match self.unknown {
            Unknown::Skip => Ok(()),
            Unknown::Fail => Err(Fault::Unknown(text::shown(key))),
        }
    }
}

impl Taking<'_> {
    /// A value that has to be read to be kept.
    #[inline(never)]
    fn other(&mut self, path: usize, value: Written<'_>, start: usize) -> Result<Found, Fault> {
        match value {
            Written::Escaped(inside) => {
                let text = Written::unescape(inside)?;
                Ok(Found::Text(self.findings.copy(text.as_bytes())))
            }
            Written::Array(array) => {
                let Some((name, dimensions)) = &self.arrays[path] else { return Ok(Found::List) };
                let first = self.findings.elements.len();
                numbers(array, dimensions, self.skipped + start, self.findings, self.open)
                    .map_err(|problem| Fault::Array { name: name.clone(), problem })?;
                Ok(Found::Array(first as u32, self.findings.elements.len() as u32))
            }
            _ => Ok(Found::Object),
        }
    }
}

impl Format for Json {
    fn read(&mut self, value: &[u8], findings: &mut Findings) -> Result<(), Fault> {
        let object = text::bytes(value)?;
        if object.trim_ascii_start().is_empty() {
            return Err(Fault::Empty);
        }
        self.object(value, object, findings)
    }
}

/// The numbers of an array, or of arrays in it, which has to be of these sizes. `start` is
/// where in the value it begins.
fn numbers(
    array: &[u8],
    dimensions: &[u32],
    start: usize,
    findings: &mut Findings,
    open: &mut Vec<u8>,
) -> Result<(), String> {
    let Some((size, inner)) = dimensions.split_first() else {
        return Err("got an array where a number is needed".to_owned());
    };
    let mut count = 0u32;
    // Where an element stands: all are parts of the array.
    let place = |part: &[u8]| start + (part.as_ptr() as usize - array.as_ptr() as usize);
    let read = elements(array, open, |value: Written<'_>| {
        count += 1;
        if count > *size {
            return Err(Problem(String::new()));
        }
        let found = match value {
            Written::Array(part) if !inner.is_empty() => {
                return numbers(part, inner, place(part), findings, &mut Vec::new())
                    .map_err(Problem);
            }
            Written::Number(part) if inner.is_empty() => {
                Found::Number(Span::of_value(place(part)..place(part) + part.len()))
            }
            other => {
                let expected = if inner.is_empty() { "a number" } else { "an array" };
                return Err(Problem(format!("expected {expected}, got {}", other.kind())));
            }
        };
        findings.elements.push(found);
        Ok(())
    });
    match read {
        Err(Problem(problem)) if !problem.is_empty() => Err(problem),
        _ if count > *size => Err(format!("expected an array of {size}, got more")),
        _ if count < *size => Err(format!("expected an array of {size}, got one of {count}")),
        _ => Ok(()),
    }
}

/// What is wrong with an array; of too many elements nothing is said here.
struct Problem(String);

impl From<text::Fault> for Problem {
    fn from(fault: text::Fault) -> Problem {
        Problem(fault.to_string())
    }
}

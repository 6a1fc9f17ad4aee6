//! What the configuration and the models come to: what goes out, and where it comes from.

use std::collections::{HashMap, HashSet};

use sandbar_operator::{Error, Field, TensorShape};

use crate::config::{Absent, ColumnConfig, ColumnEntry, Config, Kind, Part, Scalar, Source};
use crate::wanted::Wanted;

/// What goes out of each record, and what of its value that needs.
#[derive(Debug)]
pub(crate) struct Layout {
    /// What goes out, in this order.
    pub(crate) outputs: Vec<Output>,
    /// What is read from a record's value, each once.
    pub(crate) places: Vec<Place>,
}

/// A place in a record's value.
#[derive(Debug, PartialEq)]
pub(crate) struct Place {
    /// As it is written in the configuration, or the name of a column: in messages, and of
    /// CSV the name of the field.
    pub(crate) name: String,
    /// The way to it, key by key.
    pub(crate) steps: Vec<String>,
    /// Of an array whose numbers are wanted the sizes of its dimensions.
    pub(crate) array: Option<Vec<u32>>,
}

/// A feature.
#[derive(Debug)]
pub(crate) enum Output {
    Column(Column),
    Tensor { name: String, shape: TensorShape, elements: Elements },
}

/// Where the elements of a tensor come from.
#[derive(Debug)]
pub(crate) enum Elements {
    /// A column each.
    Columns(Vec<Column>),
    /// An array in the value: the index of its place.
    Array(usize),
}

/// A number or text.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    /// What says that there is no value.
    pub(crate) missing: Missing,
    pub(crate) absent: Absent,
    /// What it is where there is no value.
    pub(crate) default: Option<Scalar>,
}

/// Where a column comes from. A derived one would be another: a function of the columns that
/// were read, computed once these are.
#[derive(Debug)]
pub(crate) enum Origin {
    /// The record's value: the index of the place.
    Value(usize),
    Header(String),
    Record(Part),
    Constant(Scalar),
}

/// What says that there is no value, besides the empty text, which always does.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    /// A bit for each text by its first byte: most values have none of them.
    initials: u64,
    texts: Vec<Box<[u8]>>,
    /// Those of the texts that are numbers: `-999` is `-999.0` too.
    numbers: Vec<f64>,
}

impl Missing {
    fn new(texts: &[String]) -> Missing {
        let number = |text: &String| sandbar_operator::text::number(text.as_bytes()).ok();
        let initials = texts.iter().filter_map(|text| text.as_bytes().first());
        Missing {
            initials: initials.fold(0, |bits, byte| bits | 1 << (byte % 64)),
            texts: texts.iter().map(|text| text.as_bytes().into()).collect(),
            numbers: texts.iter().filter_map(number).collect(),
        }
    }

    /// Whether a text says it.
    #[inline]
    pub(crate) fn text(&self, text: &[u8]) -> bool {
        match text.first() {
            None => true,
            Some(byte) => self.initials >> (byte % 64) & 1 != 0 && self.is_any(text),
        }
    }

    #[inline(never)]
    fn is_any(&self, text: &[u8]) -> bool {
        self.texts.iter().any(|missing| **missing == *text)
    }

    /// Whether a number says it.
    #[inline]
    pub(crate) fn number(&self, number: f64) -> bool {
        self.numbers.contains(&number)
    }
}

impl Layout {
    /// The layout for a configuration, and what the stage's models want.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn new(config: &Config, wanted: Vec<Wanted>) -> Result<Layout, Error> {
        let mut entries = HashMap::new();
        for entry in &config.columns {
            if entries.insert(entry.name(), entry).is_some() {
                let name = entry.name();
                return Err(format!("`columns`: '{name}' is listed twice: list it once").into());
            }
        }
        let mut builder = Builder {
            config,
            entries,
            places: Vec::new(),
            index: HashMap::new(),
            used: HashSet::new(),
        };
        let mut outputs: Vec<Output> =
            wanted.into_iter().map(|wanted| builder.wanted(wanted)).collect::<Result<_, _>>()?;
        for entry in &config.columns {
            if !builder.used.contains(entry.name()) {
                outputs.push(Output::Column(builder.column(entry.name(), None)?));
            }
        }
        if outputs.is_empty() {
            return Err(
                "no columns: the stage has no model that says which it wants: name one in \
                        the stage's `models`, or list `columns`"
                    .into(),
            );
        }
        Ok(Layout { outputs, places: builder.places })
    }

    /// What goes out, for the host.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let field = |output: &Output| match output {
            Output::Column(column) if column.kind == Kind::Number => Field::number(&column.name),
            Output::Column(column) => Field::text(&column.name),
            Output::Tensor { name, shape, .. } => {
                Field::tensor(name, shape.element, shape.dimensions.clone())
            }
        };
        self.outputs.iter().map(field).collect()
    }
}

struct Builder<'a> {
    config: &'a Config,
    /// What the configuration says of columns.
    entries: HashMap<&'a str, &'a ColumnEntry>,
    places: Vec<Place>,
    /// The places by their steps.
    index: HashMap<Vec<String>, usize>,
    /// The columns that were asked for what the configuration says of them.
    used: HashSet<String>,
}

impl Builder<'_> {
    fn wanted(&mut self, wanted: Wanted) -> Result<Output, Error> {
        Ok(match wanted {
            Wanted::Column { name, kind } => Output::Column(self.column(&name, Some(kind))?),
            Wanted::Tensor { name, shape, elements: Some(names) } => {
                let columns = names.iter().map(|name| {
                    let column = self.column(name, Some(Kind::Number))?;
                    if column.kind == Kind::Text {
                        return Err(about(name, "a tensor has numbers: omit `type`"));
                    }
                    Ok(column)
                });
                let columns = columns.collect::<Result<_, _>>()?;
                Output::Tensor { name, shape, elements: Elements::Columns(columns) }
            }
            Wanted::Tensor { name, shape, elements: None } => {
                let place = self.array(&name, &shape)?;
                Output::Tensor { name, shape, elements: Elements::Array(place) }
            }
        })
    }

    /// What the configuration says of a column, or nothing.
    fn entry(&mut self, name: &str) -> ColumnConfig {
        self.used.insert(name.to_owned());
        match self.entries.get(name) {
            Some(ColumnEntry::Column(column)) => (**column).clone(),
            Some(ColumnEntry::Name(_)) | None => ColumnConfig::default(),
        }
    }

    fn column(&mut self, name: &str, wanted: Option<Kind>) -> Result<Column, Error> {
        let entry = self.entry(name);
        let of_record = match entry.from {
            Some(Source::Record(Part::Key | Part::Topic) | Source::Header(_)) => Some(Kind::Text),
            _ => None,
        };
        let kind = entry.kind.or(wanted).or(of_record).unwrap_or(Kind::Number);
        for (key, value) in [("constant", &entry.constant), ("default", &entry.default)] {
            let fits = match value {
                Some(Scalar::Number(number)) => kind == Kind::Number && number.is_finite(),
                Some(Scalar::Text(text)) => kind == Kind::Text && !text.is_empty(),
                None => true,
            };
            if !fits {
                let expected = match kind {
                    Kind::Number => "a number",
                    Kind::Text => "a string that is not empty",
                };
                return Err(about(name, &format!("`{key}`: expected {expected}")));
            }
        }
        let origin = match (entry.constant, entry.from) {
            (Some(_), Some(_)) => {
                return Err(about(name, "`constant` and `from`: leave one of them out"));
            }
            (Some(_), None) if entry.default.is_some() => {
                return Err(about(name, "`constant` and `default`: leave one of them out"));
            }
            (Some(constant), None) => Origin::Constant(constant),
            (None, Some(Source::Header(header))) => Origin::Header(header),
            (None, Some(Source::Record(part))) => Origin::Record(part),
            (None, Some(Source::Path(path))) => {
                let steps = steps(&path).map_err(|problem| about(name, problem))?;
                Origin::Value(self.place(Place { name: path, steps, array: None })?)
            }
            (None, None) => {
                let steps = vec![name.to_owned()];
                Origin::Value(self.place(Place { name: name.to_owned(), steps, array: None })?)
            }
        };
        Ok(Column {
            name: name.to_owned(),
            kind,
            origin,
            missing: Missing::new(entry.missing.as_ref().unwrap_or(&self.config.missing)),
            absent: entry.absent.unwrap_or(self.config.absent),
            default: entry.default,
        })
    }

    /// The place of a tensor whose elements have no names.
    fn array(&mut self, name: &str, shape: &TensorShape) -> Result<usize, Error> {
        let entry = self.entry(name);
        let other = entry.kind.is_some()
            || entry.constant.is_some()
            || entry.default.is_some()
            || entry.missing.is_some()
            || entry.absent.is_some();
        let (path, steps) = match entry.from {
            _ if other => {
                return Err(about(name, "a tensor: `from` is all that can be said of it"));
            }
            Some(Source::Path(path)) => {
                let steps = steps(&path).map_err(|problem| about(name, problem))?;
                (path, steps)
            }
            Some(_) => return Err(about(name, "a tensor comes from the record's value")),
            None => (name.to_owned(), vec![name.to_owned()]),
        };
        self.place(Place { name: path, steps, array: Some(shape.dimensions.clone()) })
    }

    /// The index of a place, which may be there already.
    fn place(&mut self, place: Place) -> Result<usize, Error> {
        match self.index.get(&place.steps) {
            Some(index) if self.places[*index].array == place.array => Ok(*index),
            Some(_) => Err(about(&place.name, "an array here and a value there: use one of them")),
            None => {
                self.index.insert(place.steps.clone(), self.places.len());
                self.places.push(place);
                Ok(self.places.len() - 1)
            }
        }
    }
}

fn about(column: &str, problem: &str) -> Error {
    format!("column '{column}': {problem}").into()
}

/// The steps of a path: a pointer (RFC 6901) where it begins with a slash, or else keys with
/// dots between them.
fn steps(path: &str) -> Result<Vec<String>, &'static str> {
    let steps: Vec<String> = match path.strip_prefix('/') {
        Some(pointer) => {
            let escapes = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            if !escapes {
                return Err("`from`: in a pointer ~ is written ~0, and / in a key ~1");
            }
            pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
        }
        None => path.split('.').map(str::to_owned).collect(),
    };
    if steps.len() > sandbar_operator::text::paths::MAX_DEPTH {
        return Err("`from`: the path has more than 32 steps");
    }
    if !path.starts_with('/') && steps.iter().any(String::is_empty) {
        return Err("`from`: a step of the path is empty: write it as a pointer, such as /a/b");
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn paths_are_pointers_or_dotted() {
        let split = |path| steps(path).map(|steps| steps.join("|"));
        assert_eq!(split("a"), Ok("a".into()));
        assert_eq!(split("a.b.0"), Ok("a|b|0".into()));
        assert_eq!(split("/a.b/c~1d/~01"), Ok("a.b|c/d|~1".into()));
        assert_eq!(split("/"), Ok(String::new()));
        for wrong in ["", "a..b", ".a", "/a~2", "/a~"] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
        assert!(split(&"a.".repeat(40)).is_err());
    }
}

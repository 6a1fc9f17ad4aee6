//! What the configuration and the models come to: what goes out, and where it comes from.

use std::collections::HashMap;

use sandbar_operator::{Error, Field, TensorShape};

use crate::column::{Column, Missing, Origin};
use crate::config::{ColumnConfig, ColumnEntry, Config, Kind, Part, Scalar, Source};
use crate::derived::Derived;
use crate::vocabulary::Vocabulary;
use crate::wanted::Wanted;

/// What goes out of each record, and what of its value that needs.
#[derive(Debug)]
pub(crate) struct Layout {
    /// What goes out, in this order.
    pub(crate) outputs: Vec<Output>,
    /// What the expressions of derived columns may name.
    pub(crate) vocabulary: Vocabulary,
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

/// What goes out.
#[derive(Debug)]
pub(crate) enum Output {
    Column(Feature),
    Tensor { name: String, shape: TensorShape, elements: Elements },
}

/// A number or text.
#[derive(Debug)]
pub(crate) enum Feature {
    Read(Column),
    Derived(Derived),
}

/// Where the elements of a tensor come from.
#[derive(Debug)]
pub(crate) enum Elements {
    /// A column each.
    Columns(Vec<Feature>),
    /// An array in the value: the index of its place.
    Array(usize),
}

impl Layout {
    /// The layout for a configuration, and what the stage's models want.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn new(config: &Config, wanted: Vec<Wanted>) -> Result<Layout, Error> {
        let mut builder = Builder::new(config)?;
        // A column of each name, and the type that a model wants it with.
        let mut columns: Vec<(&str, Option<Kind>)> = Vec::new();
        for wanted in &wanted {
            match wanted {
                Wanted::Column { name, kind } => columns.push((name, Some(*kind))),
                Wanted::Tensor { elements: Some(names), .. } => {
                    columns.extend(names.iter().map(|name| (name.as_str(), Some(Kind::Number))));
                }
                Wanted::Tensor { elements: None, .. } => {}
            }
        }
        let is_wanted = |name: &str| {
            columns.iter().any(|(wanted, _)| *wanted == name)
                || wanted.iter().any(|wanted| wanted.name() == name)
        };
        let further = config.columns.iter().map(ColumnEntry::name);
        let further: Vec<&str> = further.filter(|name| !is_wanted(name)).collect();
        columns.extend(further.iter().map(|name| (*name, None)));

        let vocabulary = builder.vocabulary(&columns)?;
        let outputs = wanted.iter().map(|wanted| builder.wanted(wanted, &vocabulary));
        let mut outputs: Vec<Output> = outputs.collect::<Result<_, _>>()?;
        for name in further {
            outputs.push(Output::Column(builder.column(name, None, &vocabulary)?));
        }
        if outputs.is_empty() {
            return Err(
                "no columns: the stage has no model that says which it wants: name one in \
                        the stage's `models`, or list `columns`"
                    .into(),
            );
        }
        Ok(Layout { outputs, vocabulary, places: builder.places })
    }

    /// The layout for an expression that names the columns of a configuration: nothing goes out.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn of_terms(config: &Config) -> Result<Layout, Error> {
        let mut builder = Builder::new(config)?;
        let mut vocabulary = Vocabulary::default();
        for entry in &config.columns {
            let name = entry.name();
            if entry.is_derived() {
                return Err(about(name, "`expression`: only columns that are read can be named"));
            }
            vocabulary.declare(builder.read(name, None)?);
        }
        Ok(Layout { outputs: Vec::new(), vocabulary, places: builder.places })
    }

    /// What goes out, for the host.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let field = |output: &Output| match output {
            Output::Column(column) if column.kind() == Kind::Number => Field::number(column.name()),
            Output::Column(column) => Field::text(column.name()),
            Output::Tensor { name, shape, .. } => {
                Field::tensor(name, shape.element, shape.dimensions.clone())
            }
        };
        self.outputs.iter().map(field).collect()
    }
}

impl Feature {
    fn name(&self) -> &str {
        match self {
            Feature::Read(column) => &column.name,
            Feature::Derived(derived) => &derived.name,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Feature::Read(column) => column.kind,
            Feature::Derived(derived) => derived.kind,
        }
    }
}

struct Builder<'a> {
    config: &'a Config,
    /// What the configuration says of columns.
    entries: HashMap<&'a str, &'a ColumnEntry>,
    places: Vec<Place>,
    /// The places by their steps.
    index: HashMap<Vec<String>, usize>,
}

impl<'a> Builder<'a> {
    fn new(config: &'a Config) -> Result<Builder<'a>, Error> {
        let mut entries = HashMap::new();
        for entry in config.columns.iter().chain(&config.inputs) {
            if entries.insert(entry.name(), entry).is_some() {
                let name = entry.name();
                return Err(format!(
                    "`columns` and `inputs`: '{name}' is listed twice: list it once"
                )
                .into());
            }
        }
        Ok(Builder { config, entries, places: Vec::new(), index: HashMap::new() })
    }

    /// What expressions may name: the record, and of the columns those that are read.
    fn vocabulary(&mut self, columns: &[(&str, Option<Kind>)]) -> Result<Vocabulary, Error> {
        let mut vocabulary = Vocabulary::default();
        if !self.config.columns.iter().any(ColumnEntry::is_derived) {
            return match self.config.inputs.is_empty() {
                true => Ok(vocabulary),
                false => Err("`inputs`: no column has an `expression` that could name them: list \
                              what goes out as `columns`"
                    .into()),
            };
        }
        for (name, wanted) in columns {
            if !self.entries.get(name).is_some_and(|entry| entry.is_derived()) {
                vocabulary.declare(self.read(name, *wanted)?);
            }
        }
        for input in &self.config.inputs {
            if input.is_derived() {
                return Err(about(input.name(), "an input is read: list it as one of `columns`"));
            }
            vocabulary.declare(self.read(input.name(), None)?);
        }
        Ok(vocabulary)
    }

    fn wanted(&mut self, wanted: &Wanted, vocabulary: &Vocabulary) -> Result<Output, Error> {
        Ok(match wanted {
            Wanted::Column { name, kind } => {
                Output::Column(self.column(name, Some(*kind), vocabulary)?)
            }
            Wanted::Tensor { name, shape, elements } => {
                let elements = match elements {
                    Some(names) => {
                        let column = |name: &String| self.element(name, vocabulary);
                        Elements::Columns(names.iter().map(column).collect::<Result<_, _>>()?)
                    }
                    None => Elements::Array(self.array(name, shape)?),
                };
                Output::Tensor { name: name.clone(), shape: shape.clone(), elements }
            }
        })
    }

    /// A column that is an element of a tensor.
    fn element(&mut self, name: &str, vocabulary: &Vocabulary) -> Result<Feature, Error> {
        let column = self.column(name, Some(Kind::Number), vocabulary)?;
        match column.kind() {
            Kind::Number => Ok(column),
            Kind::Text => Err(about(name, "a tensor has numbers: omit `type`")),
        }
    }

    /// What the configuration says of a column, or nothing.
    fn entry(&self, name: &str) -> ColumnConfig {
        match self.entries.get(name) {
            Some(ColumnEntry::Column(column)) => (**column).clone(),
            Some(ColumnEntry::Name(_)) | None => ColumnConfig::default(),
        }
    }

    /// A column, read or derived.
    fn column(
        &mut self,
        name: &str,
        wanted: Option<Kind>,
        vocabulary: &Vocabulary,
    ) -> Result<Feature, Error> {
        let ColumnConfig { expression, from, kind, constant, default, missing, absent, .. } =
            self.entry(name);
        let Some(expression) = expression else {
            return Ok(Feature::Read(self.read(name, wanted)?));
        };
        let others = [
            ("from", from.is_some()),
            ("constant", constant.is_some()),
            ("missing", missing.is_some()),
            ("absent", absent.is_some()),
        ];
        if let Some((key, _)) = others.iter().find(|(_, is_there)| *is_there) {
            return Err(about(name, &format!("`expression` and `{key}`: leave one of them out")));
        }
        let derived = Derived::new(name, &expression, kind.or(wanted), default, vocabulary);
        let derived = derived.map_err(|problem| about(name, &problem))?;
        check_scalar(name, "default", &derived.default, derived.kind)?;
        Ok(Feature::Derived(derived))
    }

    /// A column that is read.
    fn read(&mut self, name: &str, wanted: Option<Kind>) -> Result<Column, Error> {
        let entry = self.entry(name);
        let of_record = match entry.from {
            Some(Source::Record(Part::Key | Part::Topic) | Source::Header(_)) => Some(Kind::Text),
            _ => None,
        };
        let kind = entry.kind.or(wanted).or(of_record).unwrap_or(Kind::Number);
        check_scalar(name, "constant", &entry.constant, kind)?;
        check_scalar(name, "default", &entry.default, kind)?;
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
            || entry.expression.is_some()
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

/// Whether a value of the configuration is of a column's type.
fn check_scalar(name: &str, key: &str, value: &Option<Scalar>, kind: Kind) -> Result<(), Error> {
    let fits = match value {
        Some(Scalar::Number(number)) => kind == Kind::Number && number.is_finite(),
        Some(Scalar::Text(text)) => kind == Kind::Text && !text.is_empty(),
        None => true,
    };
    let expected = match kind {
        _ if fits => return Ok(()),
        Kind::Number => "a number",
        Kind::Text => "a string that is not empty",
    };
    Err(about(name, &format!("`{key}`: expected {expected}")))
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

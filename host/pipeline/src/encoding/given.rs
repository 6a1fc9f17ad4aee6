//! A schema of Avro, given or generated, fitted to what scorers predict: its fields are found by
//! name, and each becomes a part of what is written. What does not fit is told with its place.

use sandbar_sandbox::OutputSchema;
use serde_json::Value;

use super::avro::{Part, Width, longs, text};
use super::avro_types::{Names, Type};
use super::generated::field_name;
use super::prediction::Predicting;

/// What does not fit.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The way of fields to it, with a colon behind it; empty: the schema itself.
    pub(super) place: String,
    pub(super) problem: String,
}

type Parts = Vec<(usize, Part)>;

/// A schema that is fitted.
pub(super) struct Fitted {
    /// The full name of the record.
    pub(super) name: String,
    /// What is written.
    pub(super) parts: Parts,
}

/// Fits a schema to these scorers.
pub(super) fn fit(schema: &str, scorers: &[Predicting<'_>]) -> Result<Fitted, Misfit> {
    let schema: Value =
        serde_json::from_str(schema).map_err(|error| misfit("", format!("not JSON: {error}")))?;
    let fitting = Fitting { names: Names::of(&schema), scorers };
    let root = fitting.names.resolve(&schema, "").map_err(|problem| misfit("", problem))?;
    let Type::Record { name, fields } = root else {
        return Err(misfit("", format!("expected a record, got {}", root.shown())));
    };
    let wants = if scorers.len() == 1 { fitting.of_scorer(0) } else { stages(scorers) };
    let parts = fitting.record(&name, fields, &wants, "")?;
    Ok(Fitted { name, parts })
}

/// The stages by their names, and by those that Avro takes where these mean one alone.
fn stages(scorers: &[Predicting<'_>]) -> Wants {
    let named =
        |(number, scorer): (usize, &Predicting<'_>)| (scorer.stage.to_owned(), Want::Stage(number));
    let mut wants: Wants = scorers.iter().enumerate().map(named).collect();
    for (number, scorer) in scorers.iter().enumerate() {
        let field = field_name(scorer.stage);
        let is_of_another = |other: &Predicting<'_>| {
            other.stage != scorer.stage && field_name(other.stage) == field
        };
        if field != scorer.stage && !scorers.iter().any(is_of_another) {
            wants.push((field, Want::Stage(number)));
        }
    }
    wants
}

fn misfit(place: &str, problem: impl Into<String>) -> Misfit {
    let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
    Misfit { place, problem: problem.into() }
}

/// What a field may be.
#[derive(Debug, Clone, Copy)]
enum Want {
    Label(usize),
    Probability(usize),
    /// All numbers of a scorer.
    Numbers(usize),
    /// One of them.
    Number(usize, usize),
    Model(usize),
    /// All that a scorer predicts.
    Stage(usize),
}

impl Want {
    fn scorer(self) -> usize {
        match self {
            Want::Label(scorer)
            | Want::Probability(scorer)
            | Want::Numbers(scorer)
            | Want::Number(scorer, _)
            | Want::Model(scorer)
            | Want::Stage(scorer) => scorer,
        }
    }
}

/// Fields by name.
type Wants = Vec<(String, Want)>;

/// A schema being fitted.
struct Fitting<'a> {
    names: Names<'a>,
    scorers: &'a [Predicting<'a>],
}

impl Fitting<'_> {
    /// What the fields of a prediction may be.
    fn of_scorer(&self, scorer: usize) -> Wants {
        let wants: &[(&str, Want)] = match self.scorers[scorer].output {
            OutputSchema::Classes(_) => &[
                ("label", Want::Label(scorer)),
                ("probability", Want::Probability(scorer)),
                ("probabilities", Want::Numbers(scorer)),
                ("model", Want::Model(scorer)),
            ],
            OutputSchema::Values(_) => {
                &[("values", Want::Numbers(scorer)), ("model", Want::Model(scorer))]
            }
        };
        wants.iter().map(|(name, want)| ((*name).to_owned(), *want)).collect()
    }

    fn record(
        &self,
        name: &str,
        fields: &[Value],
        wants: &Wants,
        place: &str,
    ) -> Result<Parts, Misfit> {
        let namespace = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        let (mut parts, mut found) = (Parts::new(), 0);
        for field in fields {
            let own = field.get("name").and_then(Value::as_str).unwrap_or_default();
            let place = if place.is_empty() { own.to_owned() } else { format!("{place}.{own}") };
            let ty =
                field.get("type").ok_or_else(|| misfit(&place, "a field without its 'type'"))?;
            match wants.iter().find(|(name, _)| name == own) {
                Some((_, want)) => {
                    parts.extend(self.field(ty, namespace, *want, &place)?);
                    found += 1;
                }
                None => parts.push((0, self.null(ty, namespace, wants, &place)?)),
            }
        }
        if found == 0 {
            let problem = format!("no field is of a prediction, which has {}", known(wants));
            return Err(misfit(place, problem));
        }
        Ok(parts)
    }

    /// A field that no prediction has is null.
    fn null(
        &self,
        ty: &Value,
        namespace: &str,
        wants: &Wants,
        place: &str,
    ) -> Result<Part, Misfit> {
        let resolved = self.names.resolve(ty, namespace).map_err(|it| misfit(place, it))?;
        let branch = match &resolved {
            Type::Primitive("null") => return Ok(Part::Bytes(Vec::new())),
            Type::Union { branches, namespace } => branches.iter().position(|branch| {
                matches!(self.names.resolve(branch, namespace), Ok(Type::Primitive("null")))
            }),
            _ => None,
        };
        let branch = branch.ok_or_else(|| {
            let known = known(wants);
            let problem = format!(
                "no prediction has this, and it cannot be null; predictions have {known}: leave the field out, or make its type [\"null\", ...]"
            );
            misfit(place, problem)
        })?;
        Ok(Part::Bytes(longs(branch)))
    }

    /// What is wanted, as its type is.
    fn field(&self, ty: &Value, namespace: &str, want: Want, place: &str) -> Result<Parts, Misfit> {
        let ty = self.names.resolve(ty, namespace).map_err(|it| misfit(place, it))?;
        let Type::Union { branches, namespace } = &ty else {
            return self.plain(&ty, want, place);
        };
        // The first that fits.
        let mut first = None;
        for (number, branch) in branches.iter().enumerate() {
            let branch = self.names.resolve(branch, namespace).map_err(|it| misfit(place, it))?;
            if matches!(branch, Type::Primitive("null")) {
                continue;
            }
            match self.plain(&branch, want, place) {
                Ok(parts) => {
                    let before = (want.scorer(), Part::Bytes(longs(number)));
                    return Ok(std::iter::once(before).chain(parts).collect());
                }
                Err(misfit) => first = first.or(Some(misfit)),
            }
        }
        Err(first.unwrap_or_else(|| misfit(place, "a union without a type that fits")))
    }

    /// The same of a type that is no union.
    fn plain(&self, ty: &Type<'_>, want: Want, place: &str) -> Result<Parts, Misfit> {
        let scorer = want.scorer();
        let Predicting { output, model, .. } = &self.scorers[scorer];
        let part = match (want, ty) {
            (Want::Label(_), Type::Primitive("string")) => {
                Part::Label(output.names().iter().map(|name| text(name)).collect())
            }
            (Want::Label(_), Type::Enum(symbols)) => {
                let symbol = |name: &String| {
                    let found = symbols.iter().position(|symbol| symbol.as_str() == Some(name));
                    found.map(longs).ok_or_else(|| {
                        let problem =
                            format!("the enum has no symbol for the class '{name}'; add it");
                        misfit(place, problem)
                    })
                };
                Part::Label(output.names().iter().map(symbol).collect::<Result<_, _>>()?)
            }
            (Want::Model(_), Type::Primitive("string")) => Part::Bytes(text(model)),
            (Want::Probability(_), ty) => Part::Probability(width(ty, "double or float", place)?),
            (Want::Number(_, index), ty) => {
                Part::Number(index, width(ty, "double or float", place)?)
            }
            (Want::Numbers(_), Type::Map { values, namespace }) => {
                let (before, width) = self.number(values, namespace, place)?;
                let key = |name: &String| [text(name), before.clone()].concat();
                Part::Map(output.names().iter().map(key).collect(), width)
            }
            (Want::Numbers(_), Type::Record { name, fields }) => {
                return self.numbers(scorer, name, fields, place);
            }
            (Want::Stage(_), Type::Record { name, fields }) => {
                return self.record(name, fields, &self.of_scorer(scorer), place);
            }
            (want, ty) => {
                let expected = match want {
                    Want::Label(_) => "string or an enum of the classes",
                    Want::Model(_) => "string",
                    Want::Stage(_) => "a record",
                    _ => "a map of double or float, or a record with a field for each",
                };
                return Err(misfit(place, format!("expected {expected}, got {}", ty.shown())));
            }
        };
        Ok(vec![(scorer, part)])
    }

    /// Numbers as a record: each has a field of its name.
    fn numbers(
        &self,
        scorer: usize,
        name: &str,
        fields: &[Value],
        place: &str,
    ) -> Result<Parts, Misfit> {
        let names = self.scorers[scorer].output.names();
        let named = |name: &str| fields.iter().any(|field| field["name"].as_str() == Some(name));
        let mut wants = Wants::new();
        for (index, name) in names.iter().enumerate() {
            let field = if named(name) { name.clone() } else { field_name(name) };
            if !named(&field) {
                return Err(misfit(place, format!("no field for '{name}'; add '{field}'")));
            }
            if wants.iter().any(|(other, _)| *other == field) {
                let problem = format!("the field '{field}' would be that of two names; use a map");
                return Err(misfit(place, problem));
            }
            wants.push((field, Want::Number(scorer, index)));
        }
        self.record(name, fields, &wants, place)
    }

    /// The type of a number in a map: what is in front of each, and how it is written.
    fn number(&self, ty: &Value, namespace: &str, place: &str) -> Result<(Vec<u8>, Width), Misfit> {
        const EXPECTED: &str = "a map of double or float";
        let ty = self.names.resolve(ty, namespace).map_err(|it| misfit(place, it))?;
        let Type::Union { branches, namespace } = &ty else {
            return Ok((Vec::new(), width(&ty, EXPECTED, place)?));
        };
        for (number, branch) in branches.iter().enumerate() {
            let branch = self.names.resolve(branch, namespace).map_err(|it| misfit(place, it))?;
            if let Ok(width) = width(&branch, EXPECTED, place) {
                return Ok((longs(number), width));
            }
        }
        Err(misfit(place, format!("expected {EXPECTED}, got a map of a union without them")))
    }
}

fn width(ty: &Type<'_>, expected: &str, place: &str) -> Result<Width, Misfit> {
    match ty {
        Type::Primitive("double") => Ok(Width::Double),
        Type::Primitive("float") => Ok(Width::Float),
        ty => Err(misfit(place, format!("expected {expected}, got {}", ty.shown()))),
    }
}

fn known(wants: &Wants) -> String {
    let mut names: Vec<String> = wants.iter().map(|(name, _)| format!("'{name}'")).collect();
    names.dedup();
    names.join(", ")
}

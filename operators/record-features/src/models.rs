//! What the stage's models want: names and types of columns, or tensors.
//!
//! A model of H2O, XGBoost or LightGBM says it itself, a graph by its inputs. What neither says, the
//! model's folder may: `columns` under `[preprocessing]`.

use std::collections::BTreeMap;

use record_columns::{Kind, Wanted};
use sandbar_operator::{ElementType, Error, Setup, TensorShape};
use serde::Deserialize;

/// What this operator asks of a model's description.
#[derive(Debug, Deserialize)]
struct Description {
    kind: String,
    #[serde(default)]
    inputs: Vec<Input>,
    #[serde(default)]
    preprocessing: Preprocessing,
}

/// Other keys are for other operators.
#[derive(Debug, Default, Deserialize)]
struct Preprocessing {
    columns: Option<Columns>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Columns {
    /// Of the model, or of a graph's only input.
    List(Vec<NamedColumn>),
    /// Of a graph's inputs, by their names.
    Inputs(BTreeMap<String, Vec<String>>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum NamedColumn {
    /// A number.
    Name(String),
    Typed {
        name: String,
        #[serde(rename = "type")]
        kind: Kind,
    },
}

/// An input of a graph.
#[derive(Debug, Deserialize)]
struct Input {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    shape: Vec<Dimension>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Dimension {
    Fixed(u32),
    Symbol(String),
}

/// What all of the stage's models want, each once.
///
/// # Errors
/// If a model does not say it, or two want another thing under one name.
pub(crate) fn wanted(setup: &Setup) -> Result<Vec<Wanted>, Error> {
    let mut all: Vec<Wanted> = Vec::new();
    for model in setup.models() {
        let about = |error: Error| error.context(format_args!("model '{model}'"));
        for wanted in of_model(setup, model).map_err(about)? {
            match all.iter().find(|other| other.name() == wanted.name()) {
                Some(other) if *other == wanted => {}
                Some(_) => {
                    let name = wanted.name();
                    return Err(about(
                        format!(
                            "column '{name}': another model of the stage wants it with another \
                             type: give each model an extractor of its own"
                        )
                        .into(),
                    ));
                }
                None => all.push(wanted),
            }
        }
    }
    Ok(all)
}

fn of_model(setup: &Setup, model: &str) -> Result<Vec<Wanted>, Error> {
    let description: Description = setup.describe_model(model)?;
    let Description { kind, inputs, preprocessing } = description;
    if !inputs.is_empty() {
        return of_graph(&inputs, preprocessing.columns);
    }
    match preprocessing.columns {
        Some(Columns::List(columns)) => Ok(columns.into_iter().map(NamedColumn::wanted).collect()),
        Some(Columns::Inputs(_)) => {
            Err("[preprocessing] columns: expected a list of names: the model is no graph".into())
        }
        None => match kind.as_str() {
            "h2o-mojo" => of_mojo(&setup.load_model(model)?),
            "xgboost" => of_xgboost(&setup.load_model(model)?),
            "lightgbm" => of_lightgbm(&setup.load_model(model)?),
            _ => Err(format!(
                "a model of kind {kind} does not say which columns it wants: list them under \
                 [preprocessing] as `columns` in its model.toml"
            )
            .into()),
        },
    }
}

/// A column whose categories the model knows by their names is a text, any other a number.
fn column(name: &str, has_names: bool) -> Wanted {
    let kind = if has_names { Kind::Text } else { Kind::Number };
    Wanted::Column { name: name.to_owned(), kind }
}

fn of_xgboost(bytes: &[u8]) -> Result<Vec<Wanted>, Error> {
    let schema = xgboost_model::Schema::read(bytes)?;
    let columns = schema.features().iter();
    Ok(columns.map(|it| column(it.name(), it.categories().is_some())).collect())
}

fn of_lightgbm(bytes: &[u8]) -> Result<Vec<Wanted>, Error> {
    let schema = lightgbm_model::Schema::read(bytes)?;
    let columns = schema.features().iter();
    Ok(columns.map(|it| column(it.name(), it.domain().is_some())).collect())
}

fn of_mojo(bytes: &[u8]) -> Result<Vec<Wanted>, Error> {
    let schema = h2o_mojo::Schema::read(bytes)?;
    let columns = schema.columns().iter();
    let mut wanted: Vec<Wanted> = columns.map(|it| column(&it.name, it.is_categorical)).collect();
    if let Some(offset) = schema.offset_column()
        && wanted.iter().all(|column| column.name() != offset)
    {
        wanted.push(Wanted::Column { name: offset.to_owned(), kind: Kind::Number });
    }
    Ok(wanted)
}

fn of_graph(inputs: &[Input], columns: Option<Columns>) -> Result<Vec<Wanted>, Error> {
    let mut names: BTreeMap<String, Vec<String>> = match (columns, inputs) {
        (None, _) => BTreeMap::new(),
        (Some(Columns::Inputs(names)), _) => names,
        (Some(Columns::List(columns)), [input]) => {
            let number = |column: NamedColumn| match column.wanted() {
                Wanted::Column { name, kind: Kind::Number } => Ok(name),
                other => Err(format!(
                    "[preprocessing] columns: '{}': a tensor has numbers, not texts",
                    other.name()
                )),
            };
            let names = columns.into_iter().map(number).collect::<Result<_, _>>()?;
            BTreeMap::from([(input.name.clone(), names)])
        }
        (Some(Columns::List(_)), _) => {
            return Err("[preprocessing] columns: the graph has several inputs: give a list for \
                        each, as in columns = { INPUT = [...] }"
                .into());
        }
    };
    let tensor = |input: &Input| {
        let elements = names.remove(&input.name);
        tensor(input, elements)
            .map_err(|error| error.context(format_args!("input '{}'", input.name)))
    };
    let wanted = inputs.iter().map(tensor).collect::<Result<Vec<_>, _>>()?;
    match names.keys().next() {
        Some(name) => {
            Err(format!("[preprocessing] columns: the graph has no input '{name}'").into())
        }
        None => Ok(wanted),
    }
}

fn tensor(input: &Input, elements: Option<Vec<String>>) -> Result<Wanted, Error> {
    let element = match input.ty.as_str() {
        "fp32" => ElementType::Fp32,
        "fp64" => ElementType::Fp64,
        "u8" => ElementType::U8,
        "i32" => ElementType::I32,
        "i64" => ElementType::I64,
        other => {
            return Err(format!(
                "elements of type {other} are not made of records; fp32, fp64, u8, i32 and i64 are"
            )
            .into());
        }
    };
    let batch = batch(&input.shape);
    let mut dimensions = Vec::with_capacity(input.shape.len());
    for (axis, dimension) in input.shape.iter().enumerate() {
        match dimension {
            _ if axis == batch => {}
            Dimension::Fixed(size) => dimensions.push(*size),
            Dimension::Symbol(name) => {
                return Err(format!(
                    "dimension '{name}' is left to the caller: declare its size under [[inputs]] in \
                     model.toml"
                )
                .into());
            }
        }
    }
    let shape = TensorShape { element, dimensions };
    let size = shape.row_bytes() / element.size();
    if let Some(names) = &elements
        && names.len() != size
    {
        return Err(format!(
            "[preprocessing] columns: expected {size} names, one for each number of a row, got {}",
            names.len()
        )
        .into());
    }
    // A tensor of one number is a column itself.
    let elements = elements.or_else(|| (size == 1).then(|| vec![input.name.clone()]));
    Ok(Wanted::Tensor { name: input.name.clone(), shape, elements })
}

/// The axis of the batch, as `nn-score` takes it: the first if it is left to the caller, or
/// else the only one that is, or else the first.
fn batch(shape: &[Dimension]) -> usize {
    let open = |dimension: &Dimension| matches!(dimension, Dimension::Symbol(_));
    if shape.first().is_some_and(open) {
        return 0;
    }
    let mut axes = (0..shape.len()).filter(|axis| open(&shape[*axis]));
    match (axes.next(), axes.next()) {
        (Some(axis), None) => axis,
        _ => 0,
    }
}

impl NamedColumn {
    fn wanted(self) -> Wanted {
        match self {
            NamedColumn::Name(name) => Wanted::Column { name, kind: Kind::Number },
            NamedColumn::Typed { name, kind } => Wanted::Column { name, kind },
        }
    }
}

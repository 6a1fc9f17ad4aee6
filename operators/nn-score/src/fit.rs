//! Fits extractor, model and labels to each other, before the first record.

use sandbar_operator::{Error, Field, FieldType, TensorShape};

use crate::config::{Config, Description, Dimension, Tensor};

/// The tensor that the model takes: where the extractor has it, and its shape.
pub(crate) fn column<'a>(
    config: &Config,
    features: &'a [Field],
) -> Result<(usize, &'a TensorShape), Error> {
    let tensors: Vec<(usize, &str, &TensorShape)> = features
        .iter()
        .enumerate()
        .filter_map(|(place, field)| match &field.ty {
            FieldType::Tensor(shape) => Some((place, field.name.as_str(), shape)),
            _ => None,
        })
        .collect();
    let names = || tensors.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ");
    match &config.column {
        Some(wanted) => match tensors.iter().find(|(_, name, _)| name == wanted) {
            Some((place, _, shape)) => Ok((*place, shape)),
            None => Err(format!(
                "key 'column': the extractor gives no tensor '{wanted}': set it to one of {}",
                names()
            )
            .into()),
        },
        None => match tensors.as_slice() {
            [(place, _, shape)] => Ok((*place, shape)),
            [] => {
                Err("the extractor gives no tensor: use one that does, such as image-features"
                    .into())
            }
            _ => Err(format!(
                "the extractor gives several tensors: set 'column' to one of {}",
                names()
            )
            .into()),
        },
    }
}

/// The model's only input, which must take that tensor.
pub(crate) fn input<'a>(
    model: &'a Description,
    tensor: &TensorShape,
    stack: usize,
) -> Result<&'a Tensor, Error> {
    let input = match model.inputs.as_slice() {
        [input] => input,
        inputs => {
            let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
            let (count, names) = (inputs.len(), names.join(", "));
            return Err(format!("expected one input, got {count}: {names}").into());
        }
    };
    let Some((batch, row)) = input.shape.split_first() else {
        return Err(format!("input '{}': no dimension for the batch", input.name).into());
    };
    let fits = row.len() == tensor.dimensions.len()
        && row.iter().zip(&tensor.dimensions).all(|(expected, size)| match expected {
            Dimension::Fixed(expected) => expected == size,
            Dimension::Symbol(_) => true,
        });
    let ty = tensor.element.name();
    if !fits || input.ty != ty {
        let expected: Vec<String> = row.iter().map(show).collect();
        return Err(format!(
            "input '{}': expected {} of [{}] for each row, got {ty} of {:?} from the extractor",
            input.name,
            input.ty,
            expected.join(", "),
            tensor.dimensions
        )
        .into());
    }
    match batch {
        Dimension::Fixed(rows) if *rows as usize != stack => Err(format!(
            "input '{}': takes {rows} rows at a time: set stack = {rows}, or declare the input with \
             the batch \"N\" in model.toml",
            input.name
        )
        .into()),
        _ => Ok(input),
    }
}

/// The names of the classes: the labels, or numbers where the model has none.
pub(crate) fn classes(model: &Description, output: usize) -> Result<Vec<String>, Error> {
    if !model.labels.is_empty() {
        return Ok(model.labels.clone());
    }
    let row = model.outputs.get(output).and_then(|output| output.shape.get(1..));
    let size = |dimension: &Dimension| match dimension {
        Dimension::Fixed(size) => Some(*size as usize),
        Dimension::Symbol(_) => None,
    };
    let count: Option<usize> = row.and_then(|row| row.iter().map(size).product());
    match count {
        Some(count) if count > 0 => Ok((0..count).map(|class| class.to_string()).collect()),
        _ => Err("unknown number of classes: declare [labels] or [[outputs]] in model.toml".into()),
    }
}

/// The place of the output among the model's.
pub(crate) fn output(config: &Config, model: &Description) -> Result<usize, Error> {
    let Some(wanted) = &config.output else { return Ok(0) };
    model.outputs.iter().position(|output| output.name == *wanted).ok_or_else(|| {
        let names: Vec<&str> = model.outputs.iter().map(|output| output.name.as_str()).collect();
        Error::from(format!(
            "key 'output': no output '{wanted}': set it to one of {}",
            names.join(", ")
        ))
    })
}

fn show(dimension: &Dimension) -> String {
    match dimension {
        Dimension::Fixed(size) => size.to_string(),
        Dimension::Symbol(name) => name.clone(),
    }
}

//! Fits extractor, model and labels to each other, before the first record.

use sandbar_operator::{ElementType, Error, Field, FieldType, TensorShape};

use crate::config::{Config, Description, Dimension, Tensor};

/// An input of the model, and the extractor's tensor that goes into it.
pub(crate) struct Fitted {
    /// Position of the tensor among the extractor's features.
    pub(crate) column: usize,
    /// The input's name.
    pub(crate) name: String,
    pub(crate) element: ElementType,
    /// The axis of the rows.
    pub(crate) batch: usize,
    /// Dimensions of a computation: those of one row, and the rows.
    pub(crate) dimensions: Vec<u32>,
}

/// A tensor of the extractor: its place, its name, and its shape.
type Given<'a> = (usize, &'a str, &'a TensorShape);

/// The model's inputs, each with the tensor that it takes: a model's only input takes the
/// extractor's only tensor, or that of key `column`; of several, each takes that of its own name.
pub(crate) fn inputs(
    config: &Config,
    model: &Description,
    features: &[Field],
) -> Result<Vec<Fitted>, Error> {
    let tensors: Vec<Given<'_>> = features
        .iter()
        .enumerate()
        .filter_map(|(place, field)| match &field.ty {
            FieldType::Tensor(shape) => Some((place, field.name.as_str(), shape)),
            _ => None,
        })
        .collect();
    match model.inputs.as_slice() {
        [] => Err("it has no input: declare its [[inputs]] in model.toml".into()),
        [input] => Ok(vec![input_of(input, only(config, &tensors)?, config.stack)?]),
        _ if config.column.is_some() => Err(
            "key 'column': the model has several inputs, each takes the tensor of its own name: \
                 omit it"
                .into(),
        ),
        inputs => inputs
            .iter()
            .map(|input| {
                let of_its_name = tensors.iter().find(|(_, name, _)| *name == input.name);
                let tensor = of_its_name.ok_or_else(|| {
                    let names = names(&tensors);
                    format!(
                        "input '{}': the extractor gives no tensor of this name: it gives {}",
                        input.name,
                        if names.is_empty() { "none" } else { &names }
                    )
                })?;
                input_of(input, *tensor, config.stack)
            })
            .collect(),
    }
}

fn names(tensors: &[Given<'_>]) -> String {
    tensors.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The tensor for a model's only input.
fn only<'a>(config: &Config, tensors: &[Given<'a>]) -> Result<Given<'a>, Error> {
    match &config.column {
        Some(wanted) => {
            tensors.iter().find(|(_, name, _)| name == wanted).copied().ok_or_else(|| {
                format!(
                    "key 'column': the extractor gives no tensor '{wanted}': set it to one of {}",
                    names(tensors)
                )
                .into()
            })
        }
        None => match tensors {
            [tensor] => Ok(*tensor),
            [] => {
                Err("the extractor gives no tensor: use one that does, such as image-features or \
                       record-features"
                    .into())
            }
            _ => Err(format!(
                "the extractor gives several tensors: set 'column' to one of {}",
                names(tensors)
            )
            .into()),
        },
    }
}

/// An input, which must take that tensor.
fn input_of(input: &Tensor, (column, _, tensor): Given<'_>, stack: usize) -> Result<Fitted, Error> {
    if input.shape.is_empty() {
        return Err(format!("input '{}': no dimension for the batch", input.name).into());
    }
    let axis = batch(input, tensor);
    let row: Vec<&Dimension> = rest(input, axis).collect();
    let ty = tensor.element.name();
    if !takes(input, axis, tensor) || input.ty != ty {
        let expected: Vec<String> = row.into_iter().map(show).collect();
        return Err(format!(
            "input '{}': expected {} of [{}] for each row, got {ty} of {:?} from the extractor",
            input.name,
            input.ty,
            expected.join(", "),
            tensor.dimensions
        )
        .into());
    }
    match &input.shape[axis] {
        Dimension::Fixed(rows) if *rows as usize != stack => Err(format!(
            "input '{}': takes {rows} rows at a time: set stack = {rows}, or declare the input with \
             the batch \"N\" in model.toml",
            input.name
        )
        .into()),
        // Rows that follow each other in memory are a batch only where it is the first axis.
        _ if axis > 0 && stack > 1 => Err(format!(
            "input '{}': its batch is dimension {axis} (from 0), so rows go one by one: omit 'stack'",
            input.name
        )
        .into()),
        _ => {
            let mut dimensions = tensor.dimensions.clone();
            dimensions.insert(axis, 1);
            let (name, element) = (input.name.clone(), tensor.element);
            Ok(Fitted { column, name, element, batch: axis, dimensions })
        }
    }
}

/// The axis of an input that the batch is on: the first if the model leaves that to the caller;
/// or else one that it leaves, if the other dimensions are just those of a row; or else the first.
fn batch(input: &Tensor, tensor: &TensorShape) -> usize {
    let open = |axis: usize| matches!(input.shape[axis], Dimension::Symbol(_));
    if open(0) {
        return 0;
    }
    let exact = |axis: &usize| {
        let fixed = rest(input, *axis).all(|it| matches!(it, Dimension::Fixed(_)));
        open(*axis) && fixed && takes(input, *axis, tensor)
    };
    (1..input.shape.len()).find(exact).unwrap_or(0)
}

/// The dimensions besides that of the batch.
fn rest(input: &Tensor, batch: usize) -> impl Iterator<Item = &Dimension> {
    input.shape.iter().enumerate().filter(move |(axis, _)| *axis != batch).map(|(_, size)| size)
}

/// Whether a row is of the shape that an input takes.
fn takes(input: &Tensor, batch: usize, tensor: &TensorShape) -> bool {
    input.shape.len() == tensor.dimensions.len() + 1
        && rest(input, batch).zip(&tensor.dimensions).all(|(expected, size)| match expected {
            Dimension::Fixed(expected) => expected == size,
            Dimension::Symbol(_) => true,
        })
}

/// The names of the classes: the labels, or numbers where the model has none.
pub(crate) fn classes(model: &Description, output: usize) -> Result<Vec<String>, Error> {
    let output = model.outputs.get(output);
    let count = output.and_then(numbers);
    match (count, output) {
        (Some(count), Some(output)) if ![0, count].contains(&model.labels.len()) => Err(format!(
            "output '{}': {count} numbers for each row, but the model has {} labels: set 'output' to \
             the one that they belong to, or correct [labels] in model.toml",
            output.name,
            model.labels.len()
        )
        .into()),
        _ if !model.labels.is_empty() => Ok(model.labels.clone()),
        (Some(count), _) if count > 0 => Ok((0..count).map(|class| class.to_string()).collect()),
        _ => Err("unknown number of classes: declare [labels] or [[outputs]] in model.toml".into()),
    }
}

/// How many numbers an output has for each row, if that is known.
fn numbers(output: &Tensor) -> Option<usize> {
    let open = |size: &Dimension| matches!(size, Dimension::Symbol(_));
    let batch = output.shape.iter().position(open).unwrap_or(0);
    let size = |dimension: &Dimension| match dimension {
        Dimension::Fixed(size) => Some(*size as usize),
        Dimension::Symbol(_) => None,
    };
    if output.shape.is_empty() {
        return None;
    }
    rest(output, batch).map(size).product()
}

/// The place of the output among the model's: the one that is set, or else the first that has a
/// number for each label and whose numbers may be probabilities: an exporter may put the index of
/// the best class before them.
pub(crate) fn output(config: &Config, model: &Description) -> Result<usize, Error> {
    if let Some(wanted) = &config.output {
        return model.outputs.iter().position(|output| output.name == *wanted).ok_or_else(|| {
            let names: Vec<&str> =
                model.outputs.iter().map(|output| output.name.as_str()).collect();
            Error::from(format!(
                "key 'output': no output '{wanted}': set it to one of {}",
                names.join(", ")
            ))
        });
    }
    let labels = model.labels.len();
    let fits = |output: &&Tensor| labels == 0 || numbers(output).is_none_or(|it| it == labels);
    let floats = |output: &&Tensor| ["fp16", "fp32", "fp64", "bf16"].contains(&output.ty.as_str());
    let place = |test: &dyn Fn(&&Tensor) -> bool| model.outputs.iter().position(|it| test(&it));
    let both = place(&|output| fits(output) && floats(output));
    Ok(both.or_else(|| place(&fits)).unwrap_or(0))
}

fn show(dimension: &Dimension) -> String {
    match dimension {
        Dimension::Fixed(size) => size.to_string(),
        Dimension::Symbol(name) => name.clone(),
    }
}

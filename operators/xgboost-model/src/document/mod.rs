//! A model as the file has it: what is needed of it, each value well formed by itself.
//!
//! Each module uses only those before it in this list:
//! - `input`: reads a document and knows where in it it is.
//! - `tree`, `categories`: parts of it.
//! - here: the whole.

pub(crate) mod categories;
mod input;
pub(crate) mod tree;

use crate::error::Error;
use crate::limits::{self, Limits};
use crate::tokens::{Number, Tokens};
use categories::Categories;
use input::{Input, Most};
use tree::Tree;

/// A model.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// The release that wrote it: major and minor number.
    pub(crate) version: Option<(u32, u32)>,
    /// Empty where the model has no names.
    pub(crate) feature_names: Vec<String>,
    pub(crate) feature_types: Vec<String>,
    pub(crate) best_iteration: Option<String>,
    pub(crate) objective: Objective,
    pub(crate) parameters: Parameters,
    pub(crate) booster: Booster,
}

/// What stands at `objective`.
#[derive(Debug, Default)]
pub(crate) struct Objective {
    pub(crate) name: Option<String>,
    /// The quantiles of `reg:quantileerror`, as a list in a text.
    pub(crate) quantiles: Option<String>,
}

/// What stands at `learner_model_param`.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    /// A number or a list of them, in a text.
    pub(crate) base_score: Option<String>,
    pub(crate) features: Option<u64>,
    pub(crate) classes: Option<u64>,
    pub(crate) targets: Option<u64>,
}

/// What stands at `gradient_booster`.
#[derive(Debug, Default)]
pub(crate) struct Booster {
    pub(crate) name: Option<String>,
    /// Of `gblinear`: weights of features, then biases, all outputs of each together.
    pub(crate) weights: Option<Vec<f32>>,
    /// By tree what its leaves are multiplied with; 1 beyond the list.
    pub(crate) tree_weights: Option<Vec<f32>>,
    pub(crate) trees: Option<Vec<Tree>>,
    /// By tree the output that it is of.
    pub(crate) groups: Option<Vec<u64>>,
    /// By iteration where its trees begin, and where the last one's end.
    pub(crate) iterations: Option<Vec<u64>>,
    /// How many trees of each output an iteration made.
    pub(crate) parallel_trees: Option<u64>,
    pub(crate) categories: Option<Vec<Categories>>,
}

/// Reads a model.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Error> {
    limits::check(|| "the file's bytes".into(), bytes.len() as u64, limits.bytes, "bytes")?;
    let mut input = Input::new(Tokens::of(bytes)?);
    let mut document = Document::default();
    let (mut version, mut learner) = (None, None);
    input.object(|input, key| match key {
        "version" => {
            let convert = |it: Number<'_>| it.integer().and_then(|it| u32::try_from(it).ok());
            let read = input.numbers(Most(16, "bytes"), "a number", convert)?;
            input.set(&mut version, read)
        }
        "learner" => {
            input.set(&mut learner, ())?;
            read_learner(input, &mut document, limits)
        }
        _ => input.skip(),
    })?;
    input.end()?;
    if learner.is_none() {
        let reason = "the object has no 'learner', as what save_model writes has".into();
        return Err(Error::NotXgboost { reason });
    }
    document.version = version.and_then(|it| Some((*it.first()?, *it.get(1)?)));
    Ok(document)
}

fn read_learner(
    input: &mut Input<'_>,
    document: &mut Document,
    limits: &Limits,
) -> Result<(), Error> {
    let names = Most(limits.features, "features");
    let (mut booster, mut objective, mut parameters) = (None, None, None);
    input.object(|input, key| match key {
        "feature_names" => texts(input, names, &mut document.feature_names),
        "feature_types" => texts(input, names, &mut document.feature_types),
        "attributes" => input.object(|input, key| match key {
            "best_iteration" => {
                let text = input.text()?;
                input.set(&mut document.best_iteration, text)
            }
            _ => input.skip(),
        }),
        "objective" => {
            let read = read_objective(input)?;
            input.set(&mut objective, read)
        }
        "learner_model_param" => {
            let read = read_parameters(input)?;
            input.set(&mut parameters, read)
        }
        "gradient_booster" => {
            let mut read = Booster::default();
            read_booster(input, &mut read, limits)?;
            input.set(&mut booster, read)
        }
        _ => input.skip(),
    })?;
    let lacks = |key| input.fault(format!("{key} is missing"));
    document.booster = booster.ok_or_else(|| lacks("gradient_booster"))?;
    document.objective = objective.ok_or_else(|| lacks("objective"))?;
    document.parameters = parameters.ok_or_else(|| lacks("learner_model_param"))?;
    Ok(())
}

fn read_objective(input: &mut Input<'_>) -> Result<Objective, Error> {
    let mut objective = Objective::default();
    input.object(|input, key| match key {
        "name" => {
            let name = input.text()?;
            input.set(&mut objective.name, name)
        }
        "quantile_loss_param" => input.object(|input, key| match key {
            "quantile_alpha" => {
                let text = input.text()?;
                input.set(&mut objective.quantiles, text)
            }
            _ => input.skip(),
        }),
        _ => input.skip(),
    })?;
    Ok(objective)
}

fn read_parameters(input: &mut Input<'_>) -> Result<Parameters, Error> {
    let mut parameters = Parameters::default();
    input.object(|input, key| {
        let slot = match key {
            "base_score" => {
                let text = input.text()?;
                return input.set(&mut parameters.base_score, text);
            }
            "num_feature" => &mut parameters.features,
            "num_class" => &mut parameters.classes,
            "num_target" => &mut parameters.targets,
            _ => return input.skip(),
        };
        let value = input.parameter("a number")?;
        input.set(slot, value)
    })?;
    Ok(parameters)
}

/// Reads a booster; `dart` has one of trees within.
fn read_booster(
    input: &mut Input<'_>,
    booster: &mut Booster,
    limits: &Limits,
) -> Result<(), Error> {
    input.object(|input, key| match key {
        "name" => {
            let name = input.text()?;
            input.set(&mut booster.name, name)
        }
        "weight_drop" => read_tree_weights(input, booster, limits),
        "gbtree" => input.object(|input, key| match key {
            "model" => read_model(input, booster, limits),
            _ => input.skip(),
        }),
        "model" => read_model(input, booster, limits),
        _ => input.skip(),
    })
}

/// Reads what the leaves of each tree are multiplied with. It stands beside the trees of
/// `dart`, and among them from release 3.3 on, which calls all trees `gbtree`.
fn read_tree_weights(
    input: &mut Input<'_>,
    booster: &mut Booster,
    limits: &Limits,
) -> Result<(), Error> {
    let weights = input.numbers(Most(limits.trees, "trees"), "a number", Number::single)?;
    input.set(&mut booster.tree_weights, weights)
}

/// Reads the trees, or the weights of a linear model.
fn read_model(input: &mut Input<'_>, booster: &mut Booster, limits: &Limits) -> Result<(), Error> {
    let count = |number: Number<'_>| number.integer().and_then(|it| u64::try_from(it).ok());
    let trees = Most(limits.trees, "trees");
    input.object(|input, key| match key {
        "weights" => {
            let weights = Most(limits.features.saturating_mul(limits.outputs), "outputs");
            let weights = input.numbers(weights, "a number", Number::single)?;
            input.set(&mut booster.weights, weights)
        }
        "gbtree_model_param" => input.object(|input, key| match key {
            "num_parallel_tree" => {
                let value = input.parameter("a number")?;
                input.set(&mut booster.parallel_trees, value)
            }
            _ => input.skip(),
        }),
        "tree_info" => {
            let groups = input.numbers(trees, "the number of an output", count)?;
            input.set(&mut booster.groups, groups)
        }
        "iteration_indptr" => {
            let most = Most(limits.trees.saturating_add(1), "trees");
            let iterations = input.numbers(most, "the number of a tree", count)?;
            input.set(&mut booster.iterations, iterations)
        }
        "weight_drop" => read_tree_weights(input, booster, limits),
        "cats" => {
            let categories = categories::read(input, limits)?;
            input.set(&mut booster.categories, categories)
        }
        "trees" => {
            let mut read: Vec<Tree> = vec![];
            let mut nodes = 0;
            input.list(trees, |input| {
                let tree = tree::read(input, read.len() as u64, nodes, limits)?;
                nodes += tree.left.len() as u64;
                read.push(tree);
                Ok(())
            })?;
            input.set(&mut booster.trees, read)
        }
        _ => input.skip(),
    })
}

/// Reads a list of texts, which may stand there once.
fn texts(input: &mut Input<'_>, most: Most, slot: &mut Vec<String>) -> Result<(), Error> {
    if !slot.is_empty() {
        return Err(input.fault("the key stands there twice"));
    }
    input.list(most, |input| {
        slot.push(input.text()?);
        Ok(())
    })
}

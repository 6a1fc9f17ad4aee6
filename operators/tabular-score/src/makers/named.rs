//! Models that know their classes by numbers alone, and may have no names of columns: the model's
//! folder may give both.

use sandbar_operator::{Error, Output};

use super::model::{Describe, Feature, Model, Scorer};

/// What the library of a maker makes of a model's file.
pub(super) trait Library: Sized + 'static {
    type Feature: Feature + Clone + 'static;

    fn features(&self) -> &[Self::Feature];

    /// A column's name: that of the file, or the maker's for a column without one.
    fn name(feature: &Self::Feature) -> &str;

    /// The maker's name for a column that has none, by its number.
    fn nameless(index: usize) -> String;

    /// The numbers of the classes; empty for a model without classes.
    fn classes(&self) -> &[String];

    /// The names of a row's values, for a model without classes.
    fn outputs(&self) -> &[String];

    fn scorer(&self) -> Box<dyn Scorer>;
}

/// A model, and the names that it has here.
struct Named<L> {
    model: L,
    names: Vec<String>,
    classes: Vec<String>,
}

/// Names what a model's file does not.
///
/// # Errors
/// Where the model's folder names more or fewer columns or classes than there are.
pub(super) fn named<L: Library>(model: L, describe: Describe<'_>) -> Result<Box<dyn Model>, Error> {
    let description = describe()?;
    let own = model.features().iter().map(|feature| L::name(feature).to_owned());
    let mut names: Vec<String> = own.collect();
    if names.iter().enumerate().all(|(index, name)| *name == L::nameless(index))
        && let Some(given) = description.columns(names.len())?
    {
        names = given;
    }
    let classes = description.classes(model.classes())?;
    Ok(Box::new(Named { model, names, classes }))
}

impl<L: Library> Model for Named<L> {
    fn features(&self) -> Vec<Box<dyn Feature>> {
        let features = self.model.features().iter().cloned();
        features.map(|feature| Box::new(feature) as Box<dyn Feature>).collect()
    }

    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn output(&self) -> Result<Output, Error> {
        Ok(match self.classes.is_empty() {
            true => Output::Values(self.model.outputs().to_vec()),
            false => Output::Classes(self.classes.clone()),
        })
    }

    fn scorer(&self) -> Box<dyn Scorer> {
        self.model.scorer()
    }
}

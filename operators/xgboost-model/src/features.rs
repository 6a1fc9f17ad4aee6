//! The features of a model: which columns a row has, and what their values may be.

use std::collections::{HashMap, HashSet};

use crate::document::Document;
use crate::document::categories::Categories;
use crate::error::{Error, ValueError};

/// One column of a model's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    name: String,
    kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Number,
    /// Categories that the model knows by their numbers alone.
    Codes,
    /// Categories that are texts, and their numbers.
    Texts {
        names: Vec<String>,
        codes: HashMap<String, u32>,
    },
    /// Categories that are numbers, by their bits, and their own numbers in trees.
    Numbers {
        names: Vec<String>,
        codes: HashMap<u64, u32>,
    },
}

/// From which number on XGBoost knows no category.
const CODES: f64 = 16_777_216.0;

/// The first release that stores the bytes of categories where it counts bytes; those before
/// count characters.
const WHOLE_TEXTS: (u32, u32) = (3, 4);

impl Feature {
    /// The feature's name; `f0`, `f1` and so on where the model has no names, as XGBoost has
    /// them in its own tables.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds categories; numbers otherwise.
    pub fn is_categorical(&self) -> bool {
        self.kind != Kind::Number
    }

    /// The categories, in the order of their numbers, where the model knows them: releases
    /// from 3.1 on store them for models that were trained on a table with categories. Other
    /// models know but numbers of categories, and what these stood for is known to nobody but
    /// their authors.
    pub fn categories(&self) -> Option<&[String]> {
        match &self.kind {
            Kind::Number | Kind::Codes => None,
            Kind::Texts { names, .. } | Kind::Numbers { names, .. } => Some(names),
        }
    }

    /// What a row holds for `text`: a number, which may be NaN or infinite where the text says
    /// so, or the number of a category. Where the model does not know its categories, the text
    /// is that number.
    ///
    /// # Errors
    ///
    /// [`ValueError`] for an unknown category and for a text that is no number.
    pub fn value(&self, text: &[u8]) -> Result<f64, ValueError> {
        let number = || str::from_utf8(text).ok()?.trim_ascii().parse::<f64>().ok();
        let code = match &self.kind {
            Kind::Number => return number().ok_or(ValueError::NotANumber),
            Kind::Codes => {
                let is_code = |it: &f64| it.fract() == 0.0 && (0.0..CODES).contains(it);
                return number().filter(is_code).ok_or(ValueError::UnknownCategory);
            }
            Kind::Texts { codes, .. } => str::from_utf8(text).ok().and_then(|text| codes.get(text)),
            Kind::Numbers { codes, .. } => number().and_then(|it| codes.get(&bits(it))),
        };
        code.map(|code| f64::from(*code)).ok_or(ValueError::UnknownCategory)
    }
}

/// The features of a model that has so many.
pub(crate) fn read(document: &Document, count: usize) -> Result<Vec<Feature>, Error> {
    let fits = |key: &str, found: usize| match found {
        0 => Ok(()),
        _ if found == count => Ok(()),
        _ => Err(Error::Field {
            place: key.into(),
            reason: format!("expected {count} items, one per feature, got {found}"),
        }),
    };
    let none = vec![];
    let categories = document.booster.categories.as_ref().unwrap_or(&none);
    fits("learner.feature_names", document.feature_names.len())?;
    fits("learner.feature_types", document.feature_types.len())?;
    fits("learner.gradient_booster.model.cats.enc", categories.len())?;

    if document.version < Some(WHOLE_TEXTS) && categories.iter().any(Categories::is_beyond_ascii) {
        return Err(Error::Unsupported {
            what: "a model of XGBoost before 3.4 with categories that are not ASCII, which it \
                   cuts at the wrong places,"
                .into(),
            supported: "such categories in models of later releases".into(),
        });
    }

    let mut seen = HashSet::new();
    if let Some(twice) = document.feature_names.iter().find(|name| !seen.insert(*name)) {
        return Err(Error::Field {
            place: "learner.feature_names".into(),
            reason: format!("two features are named '{twice}', and nobody can tell them apart"),
        });
    }
    let feature = |index: usize| {
        let name = document.feature_names.get(index).cloned();
        let kind = kind(document.feature_types.get(index), categories.get(index), index)?;
        Ok(Feature { name: name.unwrap_or_else(|| format!("f{index}")), kind })
    };
    (0..count).map(feature).collect()
}

fn kind(
    name: Option<&String>,
    categories: Option<&Categories>,
    index: usize,
) -> Result<Kind, Error> {
    let is_categorical = match name.map(String::as_str) {
        Some("c") => true,
        None | Some("float" | "int" | "i" | "q") => false,
        Some(other) => {
            return Err(Error::Unsupported {
                what: format!("feature type '{other}'"),
                supported: "float, int, i, q, c".into(),
            });
        }
    };
    let twice = || Error::Field {
        place: format!("learner.gradient_booster.model.cats.enc[{index}]"),
        reason: "two categories are the same".into(),
    };
    match categories {
        Some(Categories::Texts(texts)) if !texts.is_empty() => {
            let numbered = texts.iter().cloned().zip(0..);
            let codes: HashMap<String, u32> = numbered.collect();
            if codes.len() < texts.len() {
                return Err(twice());
            }
            Ok(Kind::Texts { names: texts.clone(), codes })
        }
        Some(Categories::Numbers(numbers)) if !numbers.is_empty() => {
            let codes: HashMap<u64, u32> = numbers.iter().map(|it| bits(*it)).zip(0..).collect();
            if codes.len() < numbers.len() {
                return Err(twice());
            }
            Ok(Kind::Numbers { names: numbers.iter().map(f64::to_string).collect(), codes })
        }
        _ if is_categorical => Ok(Kind::Codes),
        _ => Ok(Kind::Number),
    }
}

/// The bits of a number; both zeros are one.
fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

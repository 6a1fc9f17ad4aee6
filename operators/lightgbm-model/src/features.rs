//! The features of a model: which columns a row has, and what their values may be.

use std::collections::HashSet;

use crate::domain::Domain;
use crate::error::{Error, ValueError};
use crate::header::{Header, PART};
use crate::text::excerpt;

/// One column of a model's rows.
#[derive(Debug, Clone)]
pub struct Feature {
    name: String,
    kind: Kind,
    domain: Option<Domain>,
}

/// What the training data had in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Numbers of a range.
    Number,
    /// Categories, of which the smallest and the largest are these.
    Category(i64, i64),
    /// Nothing that any tree could tell apart.
    Unused,
}

impl Feature {
    /// The column's name. LightGBM writes `_` for each blank in it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The column's pandas categories; `None` where a row holds numbers, or categories that are
    /// numbers themselves.
    pub fn domain(&self) -> Option<&Domain> {
        self.domain.as_ref()
    }

    /// Whether the training data had categories in the column: integers from 0 on.
    pub fn is_categorical(&self) -> bool {
        self.domain.is_some() || matches!(self.kind, Kind::Category(..))
    }

    /// What a row holds for `text`: the number of a pandas category, or the number itself, which
    /// may be NaN or infinite where the text says so.
    ///
    /// # Errors
    ///
    /// [`ValueError`] for an unknown category and for a text that is no number.
    pub fn value(&self, text: &[u8]) -> Result<f64, ValueError> {
        match &self.domain {
            Some(domain) => domain.index(text).map(f64::from).ok_or(ValueError::UnknownCategory),
            None => number(text).ok_or(ValueError::NotANumber),
        }
    }

    /// Gives the column its pandas categories.
    pub(crate) fn set_domain(&mut self, domain: Domain) -> Result<(), Error> {
        let count = domain.levels().len() as i64;
        let fits = match self.kind {
            Kind::Unused => true,
            Kind::Number => false,
            // LightGBM writes -1 for missing values.
            Kind::Category(first, last) => first >= -1 && last < count,
        };
        if !fits {
            return Err(Error::contradiction(
                "end of the file",
                "pandas_categorical",
                format!("{count} categories do not fit feature_infos of column {:?}", self.name),
            ));
        }
        self.domain = Some(domain);
        Ok(())
    }
}

/// The columns that a header names.
pub(crate) fn read(header: &Header<'_>) -> Result<Vec<Feature>, Error> {
    let mut seen = HashSet::new();
    let mut features = Vec::with_capacity(header.names.len());
    for (name, info) in header.names.iter().zip(&header.infos) {
        if !seen.insert(*name) {
            let reason = format!("{} stands there twice", excerpt(name));
            return Err(Error::contradiction(PART, "feature_names", reason));
        }
        let kind = kind(info).ok_or_else(|| {
            let reason = format!("{} of column {}: unknown form", excerpt(info), excerpt(name));
            Error::contradiction(PART, "feature_infos", reason)
        })?;
        features.push(Feature { name: (*name).into(), kind, domain: None });
    }
    Ok(features)
}

/// `none`, `[smallest:largest]`, or categories with colons between them.
fn kind(info: &str) -> Option<Kind> {
    if info == "none" {
        return Some(Kind::Unused);
    }
    if let Some(range) = info.strip_prefix('[') {
        let (first, last) = range.strip_suffix(']')?.split_once(':')?;
        let (_, _): (f64, f64) = (first.parse().ok()?, last.parse().ok()?);
        return Some(Kind::Number);
    }
    let mut bounds = (i64::MAX, i64::MIN);
    for category in info.split(':') {
        let category: i64 = category.parse().ok()?;
        bounds = (bounds.0.min(category), bounds.1.max(category));
    }
    Some(Kind::Category(bounds.0, bounds.1))
}

/// A number in decimal digits, blanks around it or not; `nan` and `inf` in any case.
fn number(text: &[u8]) -> Option<f64> {
    str::from_utf8(text).ok()?.trim_matches(|c| c <= ' ').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind, number};

    #[test]
    fn infos_are_of_three_forms() {
        assert_eq!(kind("none"), Some(Kind::Unused));
        assert_eq!(kind("[-2.5:1e+300]"), Some(Kind::Number));
        assert_eq!(kind("[-inf:nan]"), Some(Kind::Number));
        assert_eq!(kind("3:-1:0:7"), Some(Kind::Category(-1, 7)));
        assert_eq!(kind("5"), Some(Kind::Category(5, 5)));
        for other in ["", "[", "[]", "[1]", "[1:2", "1:2]", "1::2", "1.5:2", "None", "a"] {
            assert_eq!(kind(other), None, "{other:?}");
        }
    }

    #[test]
    fn numbers_are_decimal() {
        assert_eq!(number(b" -1.5e3\t"), Some(-1500.0));
        assert!(number(b"NaN").is_some_and(f64::is_nan));
        for other in [&b""[..], b"1,5", b"0x10", b"NA", b"\xff"] {
            assert_eq!(number(other), None);
        }
    }
}

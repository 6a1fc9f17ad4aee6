//! The features of a model: which columns a row has, and what their values may be.

use std::collections::HashSet;

use crate::archive::Archive;
use crate::domain::Domain;
use crate::error::{Error, ValueError};
use crate::info::Info;
use crate::limits::{self, Limits};

/// One column of a model's rows.
#[derive(Debug, Clone)]
pub struct Feature {
    name: String,
    domain: Option<Domain>,
}

impl Feature {
    pub(crate) fn new(name: &str, domain: Option<Domain>) -> Self {
        Self { name: name.into(), domain }
    }

    /// The column's name, as the table that the model was trained on had it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The column's categories; `None` where it holds numbers.
    pub fn domain(&self) -> Option<&Domain> {
        self.domain.as_ref()
    }

    /// What a row holds for `text`: the number of a category, or the number itself, which may
    /// be NaN or infinite where the text says so.
    ///
    /// A number is read as Java's `Double.parseDouble` does (blanks around it, an exponent, a
    /// trailing `d` or `f`, `NaN`, `Infinity`), without its hexadecimal form.
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
}

/// The columns of a MOJO, told apart by what they are for.
pub(crate) struct Columns {
    pub(crate) features: Vec<Feature>,
    /// Name and categories of the response; `None` for a model without one.
    pub(crate) response: Option<Feature>,
}

impl Columns {
    /// Reads names from `info` and domains from the archive.
    pub(crate) fn read(
        archive: &mut Archive<'_>,
        info: &Info<'_>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let escaped = info.flag("escape_domain_values")?;
        let supervised = info.flag("supervised")?;
        let count: usize = info.number("n_features")?;
        if count == 0 || count > info.columns.len() {
            return Err(Error::Contradiction {
                key: "n_features".into(),
                reason: format!("{count} is out of range for {} columns", info.columns.len()),
            });
        }
        // H2O's wrapper fills the last of them and leaves the others missing.
        let mut seen = HashSet::new();
        if let Some(twice) = info.columns.iter().find(|name| !seen.insert(**name)) {
            return Err(Error::Unsupported {
                what: format!("a model with two columns named '{twice}'"),
                supported: "names that differ by more than blanks around them".into(),
            });
        }
        let mut domains: Vec<Option<Domain>> = vec![None; info.columns.len()];
        let mut categories = 0_u64;
        for entry in &info.domains {
            // H2O writes the categories of columns that the model does not have, too.
            let Some(name) = info.columns.get(entry.column) else { continue };
            categories = categories.saturating_add(entry.size);
            limits::check(|| "categories".into(), categories, limits.categories, "categories")?;
            domains[entry.column] = Some(Domain::read(archive, name, entry, escaped)?);
        }
        let mut columns: Vec<Feature> = info
            .columns
            .iter()
            .zip(domains)
            .map(|(name, domain)| Feature { name: (*name).into(), domain })
            .collect();
        let response = if supervised { columns.pop() } else { None };
        columns.truncate(count);
        if columns.len() < count {
            return Err(Error::Contradiction {
                key: "n_features".into(),
                reason: format!("{count} leaves no column for the response"),
            });
        }
        Ok(Self { features: columns, response })
    }
}

fn number(text: &[u8]) -> Option<f64> {
    let text = str::from_utf8(text).ok()?.trim_matches(|c| c <= ' ');
    let digits = match text.strip_suffix(['d', 'D', 'f', 'F']) {
        Some(rest) if rest.ends_with(|c: char| c.is_ascii_digit() || c == '.') => rest,
        _ => text,
    };
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    // Rust also takes "inf" and "nan", in any case; Java does not.
    match unsigned {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(if digits.starts_with('-') { -f64::INFINITY } else { f64::INFINITY }),
        _ if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') => digits.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_what_java_takes_for_numbers() {
        let cases: [(&str, Option<f64>); 13] = [
            ("1987", Some(1987.0)),
            (" 1.5e3\t", Some(1500.0)),
            ("-.5", Some(-0.5)),
            ("+7.", Some(7.0)),
            ("3f", Some(3.0)),
            ("2.5D", Some(2.5)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("inf", None),
            ("nan", None),
            ("", None),
            ("f", None),
            ("1,5", None),
            ("NA", None),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text.as_bytes()), expected, "{text:?}");
        }
        assert!(number(b"NaN").is_some_and(f64::is_nan));
        assert_eq!(number(b"\xff"), None);
    }
}

//! How a row as the caller has it becomes a row of the columns that a model was trained on.
//!
//! H2O can replace a column of categories by others before it trains: a column per category, a
//! column per bit of the category's number, one of numbers. The MOJO then has the columns that
//! were trained on and, beside them, those that there were (`_orig_names`,
//! `_orig_domain_values_N`), and H2O's wrapper rewrites each row (`CategoricalEncoding` of
//! h2o-genmodel). A category that is missing or unknown is encoded as the wrapper encodes an
//! unknown one, or one handed over as NaN.

use std::collections::HashSet;

use crate::archive::Archive;
use crate::columns::Feature;
use crate::domain;
use crate::domain::Domain;
use crate::error::Error;
use crate::info::Info;
use crate::limits::{self, Limits};

/// The key of the encoding.
pub(crate) const KEY: &str = "_genmodel_encoding";

/// From the columns of a caller's row to those of a model.
#[derive(Debug)]
pub(crate) struct Encoding {
    /// How many columns the model has.
    width: usize,
    /// One for each column of the caller.
    columns: Vec<Column>,
}

/// Where a column's value goes.
#[derive(Debug)]
struct Column {
    /// The first of the model's columns that it fills.
    begin: usize,
    code: Code,
}

#[derive(Debug)]
enum Code {
    /// As it is.
    Plain,
    /// As many columns as categories, of which one is 1; and one more, for none.
    OneHot(usize),
    /// A column for each bit of the category's number plus one, the lowest first.
    Bits(u32),
    /// One number for each category.
    Numbers(Vec<f64>),
}

impl Encoding {
    /// Reads the encoding and the columns that the caller has; `None` where the model takes a
    /// row as it is. `inner` are the columns that the model was trained on.
    pub(crate) fn read(
        archive: &mut Archive<'_>,
        info: &Info<'_>,
        inner: &[Feature],
        limits: &Limits,
    ) -> Result<Option<(Self, Vec<Feature>)>, Error> {
        let Some(encoding) = info.text(KEY) else { return Ok(None) };
        let Some(kind) = Kind::of(encoding) else { return Ok(None) };
        let outer = features(archive, info, limits)?;
        let mut projection = match kind {
            Kind::Eigen => info.list("_orig_projection_array")?.unwrap_or_default(),
            _ => vec![],
        }
        .into_iter();
        let mut columns: Vec<Option<Column>> = outer.iter().map(|_| None).collect();
        let mut rest = inner;
        // Columns that the encoding adds to come behind the numbers.
        let passes: &[Option<bool>] = match kind {
            Kind::OneHot | Kind::Binary => &[Some(false), Some(true)],
            Kind::Eigen | Kind::Label | Kind::Limited => &[None],
        };
        for categorical in passes {
            for (feature, column) in outer.iter().zip(&mut columns) {
                if categorical.is_some_and(|it| it != feature.domain().is_some()) {
                    continue;
                }
                let begin = inner.len() - rest.len();
                let (code, names) = kind.code(feature, rest.first(), &mut projection)?;
                let count = names.len();
                let mine = rest.get(..count).unwrap_or_default();
                if !mine.iter().map(Feature::name).eq(names.iter().map(String::as_str)) {
                    return Err(refused(encoding, feature.name()));
                }
                rest = &rest[count..];
                *column = Some(Column { begin, code });
            }
        }
        if !rest.is_empty() {
            return Err(refused(encoding, rest[0].name()));
        }
        let columns = columns.into_iter().flatten().collect();
        Ok(Some((Self { width: inner.len(), columns }, outer)))
    }

    /// Writes the model's rows of the caller's `rows` into `encoded`.
    pub(crate) fn apply(&self, rows: &[f64], encoded: &mut Vec<f64>) {
        let count = rows.len() / self.columns.len().max(1);
        encoded.clear();
        encoded.resize(count * self.width, f64::NAN);
        let rows = rows.chunks_exact(self.columns.len()).zip(encoded.chunks_exact_mut(self.width));
        for (row, encoded) in rows {
            for (value, column) in row.iter().zip(&self.columns) {
                column.write(*value, &mut encoded[column.begin..]);
            }
        }
    }
}

impl Column {
    fn write(&self, value: f64, cells: &mut [f64]) {
        let known = |count: usize| {
            let whole = value >= 0.0 && value < count as f64;
            whole.then_some(value as usize)
        };
        match &self.code {
            Code::Plain => cells[0] = value,
            Code::OneHot(count) => {
                let hot = known(*count).unwrap_or(*count);
                cells[..=*count].fill(0.0);
                cells[hot] = 1.0;
            }
            Code::Bits(count) => {
                let mut number = known(u32::MAX as usize).map_or(0, |level| level as u64 + 1);
                for cell in &mut cells[..*count as usize] {
                    *cell = (number & 1) as f64;
                    number >>= 1;
                }
            }
            Code::Numbers(numbers) => {
                cells[0] = known(numbers.len()).map_or(f64::NAN, |level| numbers[level]);
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OneHot,
    Binary,
    Eigen,
    Label,
    Limited,
}

impl Kind {
    /// The kind of this name; `None` for one that leaves rows as they are.
    fn of(encoding: &str) -> Option<Self> {
        Some(match encoding {
            "OneHotExplicit" => Self::OneHot,
            "Binary" => Self::Binary,
            "Eigen" => Self::Eigen,
            "LabelEncoder" => Self::Label,
            "EnumLimited" => Self::Limited,
            _ => return None,
        })
    }

    /// How a column is encoded, and the names of the model's columns that it becomes. `next` is
    /// the model's column that is next.
    fn code(
        self,
        feature: &Feature,
        next: Option<&Feature>,
        projection: &mut impl Iterator<Item = f64>,
    ) -> Result<(Code, Vec<String>), Error> {
        let name = feature.name();
        let Some(levels) = feature.domain().map(Domain::levels) else {
            if next.is_some_and(|next| next.domain().is_some()) {
                return Err(refused("of numbers", name));
            }
            return Ok((Code::Plain, vec![name.into()]));
        };
        Ok(match self {
            Self::OneHot => {
                let mut names: Vec<String> =
                    levels.iter().map(|level| format!("{name}.{level}")).collect();
                names.push(format!("{name}.missing(NA)"));
                (Code::OneHot(levels.len()), names)
            }
            Self::Binary => {
                let bits = 1 + levels.len().max(1).ilog2();
                (Code::Bits(bits), (0..bits).map(|bit| format!("{name}:{bit}")).collect())
            }
            Self::Eigen => {
                // H2O makes a float of it, so that it is the same wherever it is computed.
                let numbers: Vec<f64> =
                    projection.take(levels.len()).map(|number| f64::from(number as f32)).collect();
                if numbers.len() != levels.len() {
                    return Err(refused("_orig_projection_array", name));
                }
                (Code::Numbers(numbers), vec![format!("{name}.Eigen")])
            }
            Self::Label => {
                let number = |(index, level): (usize, &String)| {
                    level.parse::<i32>().map_or(index as f64, f64::from)
                };
                let numbers = levels.iter().enumerate().map(number).collect();
                (Code::Numbers(numbers), vec![name.into()])
            }
            Self::Limited => Self::limited(feature, levels, next)?,
        })
    }

    /// A column whose rare categories are one: `other`.
    fn limited(
        feature: &Feature,
        levels: &[String],
        next: Option<&Feature>,
    ) -> Result<(Code, Vec<String>), Error> {
        let name = feature.name();
        let wrong = || refused("EnumLimited", name);
        let next = next.ok_or_else(wrong)?;
        let kept = next.domain().map(Domain::levels).ok_or_else(wrong)?;
        let limited = next.name() != name;
        if limited {
            let top = next.name().strip_prefix(name).and_then(|rest| rest.strip_prefix(".top_"));
            let count = top.and_then(|rest| rest.strip_suffix("_levels"));
            count.and_then(|count| count.parse::<usize>().ok()).ok_or_else(wrong)?;
        }
        let place = |level: &str| kept.iter().position(|kept| kept == level);
        let other = place("other");
        let number = |level: &String| match place(level).or(other) {
            // H2O forgets a category of this name, and calls it unknown.
            Some(_) if level == "other" => Err(wrong()),
            Some(place) => Ok(place as f64),
            None => Err(wrong()),
        };
        let numbers = levels.iter().map(number).collect::<Result<_, _>>()?;
        Ok((Code::Numbers(numbers), vec![next.name().into()]))
    }
}

/// A column that there was.
pub(crate) struct Original {
    pub(crate) name: String,
    /// How many categories it has: none where it holds numbers.
    pub(crate) levels: usize,
}

/// Whether rows are rewritten for a model before it takes them.
pub(crate) fn rewrites(info: &Info<'_>) -> bool {
    info.text(KEY).is_some_and(|encoding| Kind::of(encoding).is_some())
}

/// The columns that there were, without the response.
pub(crate) fn originals(
    archive: &mut Archive<'_>,
    info: &Info<'_>,
    limits: &Limits,
) -> Result<Vec<Original>, Error> {
    const NAMES: &str = "_orig_names";
    let count: usize = info.number("_n_orig_names")?;
    limits::check(|| NAMES.into(), count as u64, limits.columns, "columns")?;
    if info.number::<usize>("_n_orig_domain_values")? != count {
        let reason = format!("expected {count}, as many as _n_orig_names");
        return Err(Error::Contradiction { key: "_n_orig_domain_values".into(), reason });
    }
    let mut names = lines(archive, NAMES, count)?;
    if info.flag("supervised")? && names.last().map(String::as_str) == info.columns.last().copied()
    {
        names.pop();
    }
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(refused(NAMES, twice));
    }
    let mut categories = 0_u64;
    let mut originals = vec![];
    for (number, name) in names.into_iter().enumerate() {
        let levels: usize = info.number(&format!("_m_orig_domain_values_{number}"))?;
        categories = categories.saturating_add(levels as u64);
        limits::check(|| "categories".into(), categories, limits.categories, "categories")?;
        originals.push(Original { name, levels });
    }
    Ok(originals)
}

/// Those columns with their categories.
fn features(
    archive: &mut Archive<'_>,
    info: &Info<'_>,
    limits: &Limits,
) -> Result<Vec<Feature>, Error> {
    let mut features = vec![];
    for (number, original) in originals(archive, info, limits)?.into_iter().enumerate() {
        let domain = match original.levels {
            0 => None,
            levels => {
                let levels = lines(archive, &format!("_orig_domain_values_{number}"), levels)?;
                Some(Domain::exact(levels))
            }
        };
        features.push(Feature::new(&original.name, domain));
    }
    Ok(features)
}

/// The lines of an entry, which must be so many, without escapes and without blanks at their
/// ends.
fn lines(archive: &mut Archive<'_>, entry: &str, count: usize) -> Result<Vec<String>, Error> {
    let bytes = archive.get(entry)?;
    let text = String::from_utf8_lossy(&bytes);
    let trim = |line: String| line.trim_matches(|c| c <= ' ').to_owned();
    let lines: Vec<String> =
        domain::lines(&text).take(count + 1).map(|line| trim(domain::unescape(line))).collect();
    if lines.len() != count {
        let reason = format!("expected {count} lines, got {}", lines.len());
        return Err(Error::Entry { entry: entry.into(), reason });
    }
    Ok(lines)
}

/// H2O would put values into other columns than those that they belong to, or call a category
/// unknown that it was trained on.
fn refused(encoding: &str, column: &str) -> Error {
    Error::Unsupported {
        what: format!("encoding '{encoding}' of column '{column}', whose columns do not fit"),
        supported: "columns as H2O's wrapper rewrites a row: a number as it is, and one or more \
                    for each column of categories, in their order"
            .into(),
    }
}

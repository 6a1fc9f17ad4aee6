//! Additive models: linear models in which a number may be replaced by a curve, whose parts have
//! a coefficient each.
//!
//! - `spline`, `basis`, `plate`: from a number to the parts of a curve.
//! - this file: what `model.ini` says of the whole, and from sums to a row's values.

mod basis;
mod plate;
mod spline;

use std::sync::Arc;

use super::engine::{Engine, EngineScorer, Source};
use super::glm::link::{Link, logistic};
use super::glm::shares;
use crate::archive::Archive;
use crate::category::Category;
use crate::columns::Feature;
use crate::domain;
use crate::error::Error;
use crate::info::Info;
use crate::limits;

use spline::Spline;

/// The algorithm's names in `model.ini`.
pub(crate) const NAME: &str = "gam";
pub(crate) const ALIAS: &str = "Generalized Additive Model";

/// A model. Columns of the linear model's rows are categories, then numbers, then curves.
#[derive(Debug)]
struct Gam {
    /// The columns of a caller's row: those of the linear model without those of curves, then
    /// the numbers that curves are of, where they are not among them.
    features: Vec<Feature>,
    /// How many of them are the linear model's.
    plain: usize,
    /// Where the coefficients of each categorical column begin, and where those of the last end.
    offsets: Vec<usize>,
    /// The level of a column that its first coefficient belongs to.
    first_level: i64,
    /// What stands in for a missing value of a linear model's column.
    fill: Vec<f64>,
    splines: Vec<Curve>,
    /// Of each sum.
    coefficients: Vec<Vec<f64>>,
    outcome: Outcome,
}

/// Columns of a row and the curve over them: one, or more of a thin plate.
#[derive(Debug)]
struct Curve {
    columns: Vec<usize>,
    spline: Spline,
}

/// What the sums of a row become.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// One sum, linked to a number.
    Number(Link),
    /// One sum: the log of the odds of the second class.
    TwoClasses,
    /// One sum per class, the logs of what the probabilities are shares of.
    Shares,
}

/// A model and the memory for one row.
#[derive(Debug)]
struct Scorer {
    gam: Arc<Gam>,
    row: Vec<f64>,
    /// The numbers that a curve is of.
    numbers: Vec<f64>,
}

/// Reads the coefficients and the curves.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    source.format(1.0, "gam 1.00")?;
    let Source { info, features, .. } = *source;
    if info.text("offset_column").is_some() {
        return Err(Error::refused(
            "an additive model with an offset column, which H2O's scorer of MOJOs leaves out",
            "additive models without an offset",
        ));
    }
    if !info.flag("mean_imputation")? {
        return Err(Error::refused(
            "an additive model that skips missing values, of which H2O's scorer takes a missing \
             category for the first one",
            "additive models that put in means and modes",
        ));
    }
    let outcome = Outcome::read(source)?;
    let knots: Vec<usize> = info.required_list("num_knots_sorted")?;
    let plain = plain(info, features.len())?;
    let splines = spline::read(source, &knots)?;
    let parts: usize = splines.iter().map(Spline::parts).sum();
    if plain.checked_add(parts) != Some(features.len()) {
        return Err(Error::contradiction("num_knots_sorted", "it does not fit the columns"));
    }
    let cats: usize = info.number("cats")?;
    let fits = |(index, feature): (usize, &Feature)| feature.domain().is_some() == (index < cats);
    if cats > plain || !features.iter().enumerate().all(fits) {
        return Err(Error::contradiction("cats", "it does not fit the columns"));
    }
    let first_level = i64::from(!info.flag("use_all_factor_levels")?);
    let offsets: Vec<usize> = info.required_list("cat_offsets")?;
    let levels = features.iter().filter_map(Feature::domain).map(|domain| domain.levels().len());
    let mut expected = vec![0_usize];
    for levels in levels {
        let last = expected.last().copied().unwrap_or_default();
        expected.push(last + levels.saturating_sub(first_level as usize));
    }
    if offsets != expected {
        return Err(Error::contradiction("cat_offsets", format!("expected {expected:?}")));
    }
    let modes: Vec<i32> = if cats == 0 { vec![] } else { info.required_list("catNAFills")? };
    let means: Vec<f64> = info.required_list("numNAFillsCenter")?;
    if modes.len() != cats || means.len() != features.len() - cats {
        return Err(Error::contradiction("numNAFillsCenter", "it does not fit the columns"));
    }
    let fill: Vec<f64> = modes.into_iter().map(f64::from).chain(means).collect();
    let width = offsets.last().copied().unwrap_or_default() + features.len() - cats + 1;
    let coefficients = coefficients(source, outcome, width)?;
    let mut on = vec![];
    let mut own: Vec<Feature> = features[..plain].to_vec();
    let names = curves(source.archive, source.info)?;
    let dimensions: Vec<usize> = info.required_list("_d")?;
    if !names.iter().map(Vec::len).eq(dimensions) {
        return Err(Error::contradiction("gam_column_dim_sorted", "it is not what _d says"));
    }
    for (names, spline) in names.iter().zip(splines) {
        let mut columns = vec![];
        for name in names {
            let place = own.iter().position(|feature| feature.name() == name);
            columns.push(place.unwrap_or(own.len()));
            if place.is_none() {
                own.push(Feature::new(name, None));
            }
        }
        if columns.iter().any(|column| own[*column].domain().is_some()) {
            return Err(Error::contradiction("gam_columns", format!("{names:?} have categories")));
        }
        on.push(Curve { columns, spline });
    }
    Ok(Arc::new(Gam {
        features: own,
        plain,
        offsets,
        first_level,
        fill,
        splines: on,
        coefficients,
        outcome,
    }))
}

/// The columns that each curve is of.
pub(crate) fn curves(
    archive: &mut Archive<'_>,
    info: &Info<'_>,
) -> Result<Vec<Vec<String>>, Error> {
    const ENTRY: &str = "gam_columns_sorted";
    let dimensions: Vec<usize> = info.required_list("gam_column_dim_sorted")?;
    let bytes = archive.get(ENTRY)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = domain::lines(&text).map(|line| line.trim_matches(|c| c <= ' ').to_owned());
    let mut curves = vec![];
    for dimension in dimensions {
        let names: Vec<String> = lines.by_ref().take(dimension).collect();
        if names.is_empty() || names.len() != dimension {
            let reason = "it has not as many lines as gam_column_dim_sorted wants".into();
            return Err(Error::Entry { entry: ENTRY.into(), reason });
        }
        curves.push(names);
    }
    if lines.next().is_some() {
        let reason = "it has more lines than gam_column_dim_sorted wants".into();
        return Err(Error::Entry { entry: ENTRY.into(), reason });
    }
    Ok(curves)
}

/// How many of a model's columns are not of curves.
pub(crate) fn plain(info: &Info<'_>, columns: usize) -> Result<usize, Error> {
    const KEY: &str = "num_expanded_gam_columns_center";
    let expanded: usize = info.number(KEY)?;
    let plain = columns.checked_sub(expanded);
    plain.ok_or_else(|| Error::contradiction(KEY, format!("there are {columns} columns")))
}

/// The coefficients of each sum.
fn coefficients(
    source: &mut Source<'_, '_>,
    outcome: Outcome,
    width: usize,
) -> Result<Vec<Vec<f64>>, Error> {
    const ENTRY: &str = "beta_multinomial_centering";
    let (info, limits) = (source.info, source.limits);
    let sums = if matches!(outcome, Outcome::Shares) { source.classes.count() } else { 1 };
    let total = (width as u64).saturating_mul(sums as u64);
    limits::check(|| "coefficients".into(), total, limits.weights, "weights")?;
    if !matches!(outcome, Outcome::Shares) {
        let found = info.items("beta_center");
        if found != width {
            return Err(Error::contradiction(
                "beta_center",
                format!("expected {width}, got {found}"),
            ));
        }
        return Ok(vec![info.required_list("beta_center")?]);
    }
    let bytes = source.archive.get(ENTRY)?;
    let (doubles, rest) = bytes.as_chunks::<8>();
    if doubles.len() as u64 != total || !rest.is_empty() {
        let reason = format!("expected {sums} times {width} doubles, got {} bytes", bytes.len());
        return Err(Error::Entry { entry: ENTRY.into(), reason });
    }
    let sum = |doubles: &[[u8; 8]]| doubles.iter().map(|it| f64::from_be_bytes(*it)).collect();
    Ok(doubles.chunks_exact(width).map(sum).collect())
}

impl Outcome {
    fn read(source: &Source<'_, '_>) -> Result<Self, Error> {
        let (info, classes) = (source.info, source.classes.count());
        let family = info.required("family")?;
        let (outcome, expected, fits) = match family {
            "gaussian" | "poisson" | "gamma" | "tweedie" | "negativebinomial" => {
                (Self::Number(Link::read(info, family)?), Category::Regression, classes == 0)
            }
            "bernoulli" | "binomial" | "quasibinomial" | "fractionalbinomial" => {
                if info.required("link")? != "logit" {
                    return Err(Error::refused(
                        "an additive model of classes by another link",
                        "logit",
                    ));
                }
                (Self::TwoClasses, Category::Binomial, classes == 2)
            }
            "multinomial" => (Self::Shares, Category::Multinomial, classes > 2),
            other => {
                let what = format!("an additive model of family '{other}'");
                return Err(Error::refused(&what, FAMILIES));
            }
        };
        if source.category != expected || !fits {
            let reason =
                format!("{family} does not fit {:?} of {classes} classes", source.category);
            return Err(Error::contradiction("family", reason));
        }
        Ok(outcome)
    }
}

/// The families that are scored.
const FAMILIES: &str = "gaussian, binomial, quasibinomial, fractionalbinomial, poisson, gamma, \
                        tweedie, negativebinomial, multinomial";

impl Gam {
    /// Scores one row into `values`; `terms` and `numbers` are memory.
    fn score(&self, row: &[f64], terms: &mut Vec<f64>, numbers: &mut Vec<f64>, values: &mut [f64]) {
        terms.clear();
        terms.extend_from_slice(&row[..self.plain]);
        for curve in &self.splines {
            numbers.clear();
            numbers.extend(curve.columns.iter().map(|column| row[*column]));
            curve.spline.expand(numbers, terms);
        }
        for (value, fill) in terms.iter_mut().zip(&self.fill) {
            if value.is_nan() {
                *value = *fill;
            }
        }
        let sum = |class: usize| self.sum(&self.coefficients[class], terms);
        match (self.outcome, values) {
            (Outcome::Number(link), [number]) => *number = link.invert(sum(0)),
            (Outcome::TwoClasses, [first, second]) => {
                *second = logistic(sum(0));
                *first = 1.0 - *second;
            }
            (Outcome::Shares, values) => {
                values.iter_mut().enumerate().for_each(|(class, value)| *value = sum(class));
                shares(values);
            }
            // There are as many values as classes, or one.
            _ => {}
        }
    }

    /// The sum of these terms with a sum's own `coefficients`, in H2O's order.
    fn sum(&self, coefficients: &[f64], terms: &[f64]) -> f64 {
        let Some((intercept, others)) = coefficients.split_last() else { return f64::NAN };
        let (levels, numbers) = terms.split_at(self.offsets.len() - 1);
        let mut sum = 0.0;
        for (level, range) in levels.iter().zip(self.offsets.windows(2)) {
            let place = i64::from(*level as i32) - self.first_level;
            if let Some(place) = usize::try_from(place).ok().map(|place| range[0] + place)
                && place < range[1]
            {
                sum += others[place];
            }
        }
        let begin = others.len() - numbers.len();
        for (coefficient, number) in others[begin..].iter().zip(numbers) {
            sum += coefficient * number;
        }
        sum + intercept
    }
}

impl Engine for Gam {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        Box::new(Scorer { gam: self, row: vec![], numbers: vec![] })
    }

    fn features(&self) -> Option<Vec<Feature>> {
        Some(self.features.clone())
    }
}

impl EngineScorer for Scorer {
    fn score(
        &mut self,
        rows: &[f64],
        _: Option<&[f64]>,
        values: &mut [f64],
        width: usize,
        _: &mut Vec<f64>,
    ) {
        let rows = rows.chunks_exact(self.gam.features.len());
        for (row, values) in rows.zip(values.chunks_exact_mut(width)) {
            self.gam.score(row, &mut self.row, &mut self.numbers, values);
        }
    }
}

//! From class probabilities to a label: the correction of sampled classes, the threshold of
//! two classes, ties of many.

use crate::category::Category;
use crate::error::Error;
use crate::info::Info;

/// The largest doubt about the logarithm of a ratio of probabilities that is left to be.
const LOOSE: f64 = 0.03;
/// More than what rounding in double precision changes of a probability, relative to it.
const ROUNDED: f64 = 1e-14;

/// How H2O's scorer comes from probabilities to a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Labels {
    /// It corrects the probabilities of sampled classes, and draws among the most probable.
    Drawn,
    /// It leaves probabilities as they are, and takes the first of the most probable.
    First,
}

/// The classes of a response and what the training knew of them.
#[derive(Debug)]
pub(crate) struct Classes {
    /// Their names, by their numbers.
    pub(crate) names: Vec<String>,
    /// From which probability on the second of two classes is the label.
    pub(crate) threshold: f64,
    /// Their shares of the training data, where `model.ini` says them.
    prior: Option<Vec<f64>>,
    /// By what each probability is multiplied, where classes were sampled to balance them.
    correction: Option<Vec<f64>>,
    labels: Labels,
}

impl Classes {
    /// Reads what concerns classes. `names` are the categories of the response, none for a
    /// model without classes.
    pub(crate) fn read(info: &Info<'_>, names: Vec<String>, labels: Labels) -> Result<Self, Error> {
        if names.is_empty() {
            return Ok(Self { names, threshold: 0.5, prior: None, correction: None, labels });
        }
        let prior = distribution(info, "prior_class_distrib", names.len())?;
        let model = distribution(info, "model_class_distrib", names.len())?;
        let correction = match (info.flag("balance_classes")?, &prior, &model) {
            (false, ..) => None,
            _ if labels == Labels::First => None,
            (true, Some(prior), Some(model)) => {
                let factor = |(&p, &m)| if p != 0.0 && m != 0.0 { p / m } else { 1.0 };
                Some(prior.iter().zip(model).map(factor).collect())
            }
            (true, None, _) => return Err(missing("prior_class_distrib")),
            (true, _, None) => return Err(missing("model_class_distrib")),
        };
        let threshold = info.number("default_threshold")?;
        Ok(Self { names, threshold, prior, correction, labels })
    }

    /// How many classes there are.
    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// Whether training has seen no row of a class, so that it may have no trees.
    pub(crate) fn is_absent(&self, class: usize) -> bool {
        self.prior.as_ref().is_some_and(|prior| prior.get(class) == Some(&0.0))
    }

    /// Corrects the probabilities of one row and says its label. `row` settles ties.
    ///
    /// A row without probabilities keeps NaN in all of them and gets label 0.
    pub(crate) fn label(&self, row: &[f64], probabilities: &mut [f64]) -> u32 {
        if probabilities.iter().any(|p| p.is_nan()) {
            probabilities.fill(f64::NAN);
            return 0;
        }
        if let Some(correction) = &self.correction {
            let mut sum = 0.0;
            for (p, factor) in probabilities.iter_mut().zip(correction) {
                *p *= factor;
                sum += *p;
            }
            if sum > 0.0 {
                probabilities.iter_mut().for_each(|p| *p /= sum);
            }
        }
        match probabilities {
            [_, second] => u32::from(*second >= self.threshold),
            many => self.most_probable(row, many),
        }
    }

    /// Whether a row's label, and its probabilities within [`LOOSE`], stay the same where the
    /// logarithm of the ratio of any two probabilities may be off by up to `doubt`. The
    /// probabilities are those that [`label`](Self::label) leaves; what it corrects them by
    /// does not change how far their ratios are off.
    pub(crate) fn is_sure(&self, probabilities: &[f64], doubt: f64) -> bool {
        if doubt.is_nan() || doubt > LOOSE {
            return false;
        }
        // A little more than the factor by which a ratio may be off, less one.
        let more = doubt + doubt * doubt;
        match probabilities {
            [first, second] => {
                // A factor of the odds moves a probability by no more than this.
                let reach = first * second * more + second.max(self.threshold) * ROUNDED;
                (second - self.threshold).abs() > reach
            }
            many => {
                let best = many.iter().copied().fold(0.0, f64::max);
                let near = many.iter().filter(|p| **p * (1.0 + more + ROUNDED) >= best);
                near.count() == 1
            }
        }
    }

    /// The most probable class.
    ///
    /// H2O draws among equal ones, with weights from the prior distribution and a generator
    /// seeded from the row, so that a row always gets the same label. Its list of candidates
    /// begins with class 0 and is not emptied when a better class is found; so is ours,
    /// since the labels are to be the same.
    fn most_probable(&self, row: &[f64], probabilities: &[f64]) -> u32 {
        let mut best = 0;
        let mut ties = 0;
        for class in 1..probabilities.len() {
            if probabilities[best] < probabilities[class] {
                best = class;
                ties = 0;
            } else if probabilities[best] == probabilities[class] {
                ties += 1;
            }
        }
        if ties == 0 || self.labels == Labels::First {
            return best as u32;
        }
        let seed = row.iter().fold(0, |seed, value| seed ^ (bits(*value) >> 6));
        if let Some(prior) = &self.prior {
            let candidates = candidates(probabilities);
            let sum: f64 = candidates.iter().map(|&class| prior[class]).sum();
            let drawn = java_random(seed);
            let mut reached = 0.0;
            for class in candidates {
                reached += prior[class] / sum;
                if drawn <= reached {
                    return class as u32;
                }
            }
        }
        let mut skip = seed as i32 % (ties + 1);
        for (class, p) in probabilities.iter().enumerate() {
            if *p == probabilities[best] {
                skip -= 1;
                if skip < 0 {
                    return class as u32;
                }
            }
        }
        best as u32
    }
}

/// The categories that the response has by `model.ini` and by its domain; none where the model
/// has no classes.
pub(crate) fn names(
    category: Category,
    count: usize,
    response: Option<&[String]>,
) -> Result<Vec<String>, Error> {
    let names = match (category, response) {
        // Two classes are learnt, but what is predicted is a difference of probabilities.
        (Category::BinomialUplift, _) if count == 2 => return Ok(vec![]),
        (Category::BinomialUplift, _) => {
            return Err(contradiction(format!("expected 2 for an uplift, got {count}")));
        }
        (category, _) if !category.has_classes() && count == 1 => return Ok(vec![]),
        (category, _) if !category.has_classes() => {
            return Err(contradiction(format!("expected 1 without classes, got {count}")));
        }
        (_, Some(levels)) => levels.to_vec(),
        // A quasibinomial response is a number of two values.
        (_, None) if count == 2 => vec!["0".into(), "1".into()],
        (_, None) => return Err(contradiction("the response has no categories".into())),
    };
    if names.len() != count || count < 2 {
        return Err(contradiction(format!(
            "expected {} as the response, got {count}",
            names.len()
        )));
    }
    Ok(names)
}

fn candidates(probabilities: &[f64]) -> Vec<usize> {
    let mut best = 0;
    let mut candidates = vec![0];
    for class in 1..probabilities.len() {
        if probabilities[best] < probabilities[class] {
            best = class;
        } else if probabilities[best] == probabilities[class] {
            candidates.push(class);
        }
    }
    candidates
}

/// The bits of a value as Java sees them: all NaNs of a row are one.
fn bits(value: f64) -> i64 {
    if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() as i64 }
}

/// The first double that `java.util.Random` draws from `seed`: two steps of its 48-bit
/// linear congruential generator.
fn java_random(seed: i64) -> f64 {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let step = |state: u64| state.wrapping_mul(MULTIPLIER).wrapping_add(11) & MASK;
    let first = step((seed as u64 ^ MULTIPLIER) & MASK);
    let second = step(first);
    let drawn = ((first >> 22) << 27) + (second >> 21);
    drawn as f64 / (1_u64 << 53) as f64
}

fn distribution(info: &Info<'_>, key: &str, classes: usize) -> Result<Option<Vec<f64>>, Error> {
    let Some(shares) = info.list(key)? else { return Ok(None) };
    if shares.len() != classes {
        return Err(Error::Contradiction {
            key: key.into(),
            reason: format!("expected {classes} items, one per class, got {}", shares.len()),
        });
    }
    Ok(Some(shares))
}

fn missing(key: &str) -> Error {
    Error::MissingKey { key: key.into() }
}

fn contradiction(reason: String) -> Error {
    Error::Contradiction { key: "n_classes".into(), reason }
}

#[cfg(test)]
mod tests {
    use super::{Classes, Labels, java_random};

    /// What `new java.util.Random(seed).nextDouble()` of OpenJDK 17 answers.
    #[test]
    fn draws_as_java_does() {
        assert_eq!(java_random(0), 0.730967787376657);
        assert_eq!(java_random(42), 0.7275636800328681);
        assert_eq!(java_random(-1), 0.26894263088050496);
    }

    /// What `GenModel.getPrediction` of H2O 3.46.0.6 answers.
    #[test]
    fn ties_are_drawn_as_in_java() {
        let ties = [[0.4, 0.2, 0.4], [0.2, 0.4, 0.4], [0.3, 0.3, 0.3]];
        let drawn = [0, 2, 0, 0, 0, 0, 0, 2, 0, 0, 2, 0];
        let with_prior = [drawn; 3];
        let without = [[0; 12], [1; 12], [0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 2]];
        for (prior, expected) in [(Some(vec![0.7, 0.1, 0.2]), with_prior), (None, without)] {
            let names = ["a", "b", "c"].map(String::from).into();
            let classes =
                Classes { names, threshold: 0.5, prior, correction: None, labels: Labels::Drawn };
            for (probabilities, expected) in ties.iter().zip(expected) {
                let label = |k| {
                    let row = [f64::from(k), f64::NAN, 0.37 * f64::from(k) - 1.0];
                    classes.label(&row, &mut probabilities.clone())
                };
                assert_eq!((0..12).map(label).collect::<Vec<_>>(), expected, "{probabilities:?}");
            }
        }
    }
}

//! The table of figures.

use std::fmt;

/// The limits of DESIGN.md for a figure.
#[derive(Clone, Copy)]
pub struct Budget {
    must: f64,
    want: f64,
    larger_is_better: bool,
    unit: &'static str,
}

impl Budget {
    /// A figure that must not exceed `must`, and had better not exceed `want`.
    pub const fn at_most(must: f64, want: f64, unit: &'static str) -> Budget {
        Budget { must, want, larger_is_better: false, unit }
    }

    /// A figure that must reach `must`, and had better reach `want`.
    pub const fn at_least(must: f64, want: f64, unit: &'static str) -> Budget {
        Budget { must, want, larger_is_better: true, unit }
    }

    fn verdict(&self, figure: f64) -> &'static str {
        let reached = |bound| if self.larger_is_better { figure >= bound } else { figure <= bound };
        match (reached(self.must), reached(self.want)) {
            (_, true) => "as wanted",
            (true, false) => "within",
            (false, false) => "MISSED",
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.larger_is_better { "≥" } else { "≤" };
        let Budget { must, want, unit, .. } = self;
        write!(f, "must {sign} {must}{unit}, want {sign} {want}{unit}")
    }
}

/// One line of the table, and its notes.
pub struct Row {
    /// What the figure measures.
    pub what: String,
    /// The figure; `None` where it was not measured.
    pub figure: Option<f64>,
    /// Its budget; `None` without one.
    pub budget: Option<Budget>,
    /// The unit of a figure without a budget.
    pub unit: &'static str,
    /// How it was measured and its parts, or why it was not. Lines.
    pub notes: Vec<String>,
}

impl Row {
    /// A figure with a budget.
    pub fn new(what: impl Into<String>, figure: f64, budget: Budget, notes: Vec<String>) -> Row {
        let (what, unit) = (what.into(), budget.unit);
        Row { what, figure: Some(figure), budget: Some(budget), unit, notes }
    }

    /// A figure without a budget.
    pub fn plain(
        what: impl Into<String>,
        figure: f64,
        unit: &'static str,
        notes: Vec<String>,
    ) -> Row {
        Row { what: what.into(), figure: Some(figure), budget: None, unit, notes }
    }

    /// Not measured, and why.
    pub fn absent(what: impl Into<String>, why: impl Into<String>) -> Row {
        Row { what: what.into(), figure: None, budget: None, unit: "", notes: vec![why.into()] }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { what, figure, budget, unit, notes } = self;
        write!(f, "{what:<58} ")?;
        match figure {
            Some(figure) => write!(f, "{:>10}", format!("{figure:.2}{unit}"))?,
            None => write!(f, "{:>10}", "-")?,
        }
        if let (Some(figure), Some(budget)) = (figure, budget) {
            write!(f, "  {:<9}  {budget}", budget.verdict(*figure))?;
        }
        notes.iter().try_for_each(|note| write!(f, "\n    {note}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn a_budget_is_kept_or_missed() {
        let cost = Budget::at_most(1.75, 1.4, "x");
        assert_eq!([1.4, 1.5, 1.76].map(|it| cost.verdict(it)), ["as wanted", "within", "MISSED"]);
        let speed = Budget::at_least(3.0, 5.0, "x");
        assert_eq!([5.0, 3.0, 2.9].map(|it| speed.verdict(it)), ["as wanted", "within", "MISSED"]);
        assert_eq!(cost.verdict(f64::NAN), "MISSED");
    }
}

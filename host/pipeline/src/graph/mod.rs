//! What each stage of a pipeline reads, decided before any record moves.
//!
//! Three things flow: records; features, a row for each record; and predictions, one for each row.
//! A pipeline is a row of [`Section`]s. Each has records, and on them extractors and scorers in any
//! number, which read these records and what others of the section make of them. What leaves a
//! section are its records or, if it has scorers, its predictions as records, as the sink would
//! write them. With these, or with what a transformer makes of them, the next section begins.
//!
//! - [`error`]: why stages do not fit; `columns`: which columns a scorer is given.

mod columns;
pub mod error;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use sandbar_manifest::{Manifest, SOURCE};
use sandbar_sandbox::{Operator, World};

pub(crate) use columns::{Columns, prediction_fields};
pub use error::{GraphError, Place};

/// A stage, as far as its place in the pipeline is concerned.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: Arc<str>,
    pub(crate) world: World,
    /// What it says that it reads.
    pub(crate) from: Vec<String>,
    /// Whether it renames columns.
    pub(crate) renames: bool,
}

/// What each stage reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Graph {
    /// At least one.
    pub(crate) sections: Vec<Section>,
}

/// Records, and what is made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// Where its records come from.
    pub(crate) begin: Begin,
    /// Extractors and scorers, in their order.
    pub(crate) steps: Vec<Step>,
    /// The scorers among these whose predictions leave it; none: its records do.
    pub(crate) leaves: Vec<usize>,
}

/// Where the records of a section come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// They are the source's.
    Source,
    /// This stage makes them of what leaves the section before.
    Transformer(usize),
    /// They are the predictions of the section before.
    Predictions,
}

/// A stage of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It reads the section's records.
    Extractor(usize),
    /// It reads what these steps make.
    Scorer {
        /// The stage.
        stage: usize,
        /// The steps.
        inputs: Vec<usize>,
    },
}

impl Step {
    /// The stage.
    pub(crate) fn stage(&self) -> usize {
        match self {
            Step::Extractor(stage) | Step::Scorer { stage, .. } => *stage,
        }
    }

    pub(crate) fn is_scorer(&self) -> bool {
        matches!(self, Step::Scorer { .. })
    }
}

impl Section {
    fn new(begin: Begin) -> Self {
        Section { begin, steps: Vec::new(), leaves: Vec::new() }
    }

    fn scorers(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.steps.iter().enumerate().filter(|(_, step)| step.is_scorer()).map(|(at, _)| at)
    }

    /// Whether a step of it reads what the step at `at` makes.
    pub(crate) fn is_input(&self, at: usize) -> bool {
        let reads =
            |step: &Step| matches!(step, Step::Scorer { inputs, .. } if inputs.contains(&at));
        self.steps.iter().any(reads)
    }
}

impl Graph {
    /// The graph of a manifest's stages, which have these operators.
    ///
    /// # Errors
    /// As of [`Graph::new`].
    pub(crate) fn of<'a>(
        manifest: &Manifest,
        operators: impl Iterator<Item = &'a Operator>,
    ) -> Result<Self, GraphError> {
        let nodes = manifest.stages.iter().zip(operators).map(|(stage, operator)| Node {
            name: operator.stage.clone(),
            world: operator.component.world(),
            from: stage.from.clone(),
            renames: !stage.columns.is_empty(),
        });
        Graph::new(&nodes.collect::<Vec<_>>(), &manifest.sink.from)
    }

    /// The graph of these stages, of which the sink reads what `sink` names.
    ///
    /// # Errors
    /// If a stage cannot read what it names, or it is not clear what it reads, or nothing reads
    /// what it makes.
    pub(crate) fn new(stages: &[Node], sink: &[String]) -> Result<Self, GraphError> {
        let mut planner = Planner { stages, done: Vec::new(), open: Section::new(Begin::Source) };
        for (number, stage) in stages.iter().enumerate() {
            let place = planner.place(number);
            if stage.renames && stage.world != World::Scorer {
                return Err(GraphError::NoScorer { place });
            }
            match stage.world {
                World::Transformer => {
                    planner.leave(&place, &stage.from, Begin::Transformer(number))?;
                }
                World::Extractor => planner.extractor(number, &place)?,
                World::Scorer => planner.scorer(number, &place)?,
            }
        }
        planner.leave(&Place::Sink, sink, Begin::Predictions)?;
        Ok(Graph { sections: planner.done })
    }
}

/// Sections until now, and the one at whose end the stages are.
struct Planner<'a> {
    stages: &'a [Node],
    done: Vec<Section>,
    open: Section,
}

impl Planner<'_> {
    fn place(&self, number: usize) -> Place {
        let Node { name, world, .. } = &self.stages[number];
        Place::Stage { number: number + 1, name: name.to_string(), world: *world }
    }

    fn name(&self, section: &Section, step: usize) -> &str {
        &self.stages[section.steps[step].stage()].name
    }

    /// The names of what makes the records of the open section.
    fn records(&self) -> Vec<&str> {
        match self.open.begin {
            Begin::Source => vec![SOURCE],
            Begin::Transformer(stage) => vec![&self.stages[stage].name],
            Begin::Predictions => {
                let before = self.done.last();
                let leaves = before.iter().flat_map(|it| it.leaves.iter().map(move |at| (it, *at)));
                leaves.map(|(section, at)| self.name(section, at)).collect()
            }
        }
    }

    /// The names of the scorers of the open section.
    fn predictions(&self) -> Vec<&str> {
        self.open.scorers().map(|at| self.name(&self.open, at)).collect()
    }

    /// An extractor reads the records of the open section, or its predictions, with which another
    /// section begins.
    fn extractor(&mut self, number: usize, place: &Place) -> Result<(), GraphError> {
        let from = &self.stages[number].from;
        let (records, predictions) = (self.records(), self.predictions());
        let is_of = |name: &&str| from.iter().any(|it| it == name);
        let of_records = from.len() == records.len() && records.iter().all(is_of);
        if from.is_empty() && !predictions.is_empty() {
            let (records, predictions) = (records.join("', '"), predictions.join("', '"));
            return Err(GraphError::Ambiguous { place: place.clone(), records, predictions });
        }
        if !from.is_empty() && !of_records {
            self.leave(place, from, Begin::Predictions)?;
        }
        self.open.steps.push(Step::Extractor(number));
        Ok(())
    }

    /// A scorer reads features and predictions of the records of the open section.
    fn scorer(&mut self, number: usize, place: &Place) -> Result<(), GraphError> {
        let from = &self.stages[number].from;
        let names: Vec<&str> =
            (0..self.open.steps.len()).map(|at| self.name(&self.open, at)).collect();
        let inputs = if from.is_empty() {
            let extractor = self.open.steps.iter().rposition(|step| !step.is_scorer());
            let records = || format!("the records of '{}'", self.records().join("', '"));
            vec![extractor.ok_or_else(|| GraphError::NoFeatures {
                place: place.clone(),
                records: records(),
            })?]
        } else {
            let find = |name: &String| {
                let at = names.iter().position(|it| it == name);
                at.ok_or_else(|| self.unreadable(place, name, &names))
            };
            from.iter().map(find).collect::<Result<_, _>>()?
        };
        self.open.steps.push(Step::Scorer { stage: number, inputs });
        Ok(())
    }

    /// Ends the open section: what leaves it is read by a stage or by the sink, and another one
    /// begins.
    fn leave(&mut self, place: &Place, from: &[String], begin: Begin) -> Result<(), GraphError> {
        let scorers: Vec<usize> = self.open.scorers().collect();
        let (records, predictions) = (self.records(), self.predictions());
        let choices = if scorers.is_empty() { &records } else { &predictions };
        for name in from {
            if !choices.contains(&name.as_str()) {
                return Err(self.unreadable(place, name, choices));
            }
        }
        let named = |at: &usize| from.iter().any(|name| name == self.name(&self.open, *at));
        let leaves: Vec<usize> =
            scorers.into_iter().filter(|at| from.is_empty() || named(at)).collect();
        // Records cannot be read in part.
        if leaves.is_empty() && !from.is_empty() && from.len() < records.len() {
            let missing = records.iter().find(|name| !from.iter().any(|it| it == *name));
            let reason = "the records have the predictions of all of them";
            return Err(GraphError::Unreadable {
                place: place.clone(),
                name: missing.copied().unwrap_or_default().to_owned(),
                reason: reason.to_owned(),
                choices: quoted(&records),
            });
        }
        for (at, step) in self.open.steps.iter().enumerate() {
            if !self.open.is_input(at) && !leaves.contains(&at) {
                let made = if step.is_scorer() { "predictions" } else { "features" };
                let readers = match step.is_scorer() {
                    true => format!("{place} or of a scorer"),
                    false => "a scorer behind it".to_owned(),
                };
                let place = self.place(step.stage());
                return Err(GraphError::Unread { place, made, readers });
            }
        }
        self.open.leaves = leaves;
        self.done.push(std::mem::replace(&mut self.open, Section::new(begin)));
        Ok(())
    }

    /// Why a stage cannot read what it names.
    fn unreadable(&self, place: &Place, name: &str, choices: &[&str]) -> GraphError {
        let reads = match place {
            Place::Stage { world: World::Scorer, .. } => {
                "a scorer reads features, and predictions of the same records"
            }
            Place::Stage { world: World::Extractor, .. } => "an extractor reads records",
            Place::Stage { .. } => "a transformer reads records",
            Place::Sink => "the sink is given predictions, or records where there are none",
        };
        let is_open = self.records().contains(&name)
            || self.open.steps.iter().any(|step| &*self.stages[step.stage()].name == name);
        let known = self.stages.iter().find(|stage| &*stage.name == name);
        let makes = match known.map(|stage| stage.world) {
            Some(World::Extractor) => "it makes features",
            Some(World::Scorer) => "it makes predictions",
            Some(World::Transformer) | None => "it makes records",
        };
        let reason = match is_open {
            true => format!("{makes}, and {reads}"),
            false => format!(
                "the records have become others since ('{}'), which have rows of their own",
                self.records().join("', '")
            ),
        };
        let choices = match choices {
            [] => "nothing here; put an extractor before it".to_owned(),
            choices => quoted(choices),
        };
        GraphError::Unreadable { place: place.clone(), name: name.to_owned(), reason, choices }
    }
}

/// `'a', 'b'`
fn quoted(names: &[&str]) -> String {
    format!("'{}'", names.join("', '"))
}

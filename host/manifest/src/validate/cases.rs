//! The rules of cases that their types cannot express. All problems are found, not only
//! the first.

use std::path::Path;

use super::case::{Check, Of};
use crate::cases::expectation::{Expectation, parse_indices};
use crate::cases::syntax::{RecordSpec, Test};
use crate::cases::values::{Feature, ModelSpec, from_base64};
use sandbar_config::{Document, KeyPath, Problem, name_problem};
use sandbar_sandbox::{LimitsSection, Overrides, limit_problems};

/// What is wrong with the `tests` of a document.
pub fn problems(tests: &[Test], of: Of<'_>, document: &Document<'_>) -> Vec<Problem> {
    let pipeline = match of {
        Of::Operator(_) => None,
        Of::Pipeline(manifest) => Some(manifest),
    };
    let mut check = Check { document, of, pipeline, problems: Vec::new() };
    for (number, test) in tests.iter().enumerate() {
        let place = KeyPath::of("tests").index(number);
        if test.name.trim().is_empty() {
            check.report(place.clone().key("name"), "must not be empty; say what the test shows");
        }
        if tests[..number].iter().any(|other| other.name == test.name) {
            check.report(
                place.clone().key("name"),
                "another test has the same name; give each test its own",
            );
        }
        check.test(&place, test);
    }
    check.problems
}

/// Records the lines of tests and expectations.
pub fn locate(tests: &mut [Test], document: &Document<'_>) {
    for (number, test) in tests.iter_mut().enumerate() {
        let place = KeyPath::of("tests").index(number);
        test.lines_of.test = document.line(&place);
        let expect = |index| document.line(&place.clone().key("expect").index(index));
        test.lines_of.expect = (0..test.expect.len()).map(expect).collect();
    }
}

impl Check<'_> {
    fn test(&mut self, place: &KeyPath, test: &Test) {
        if !(test.tolerance >= 0.0 && test.tolerance.is_finite()) {
            self.report(place.clone().key("tolerance"), "expected a number of at least 0");
        }
        self.input(place, test);
        self.subject(place, test);
        self.models(&place.clone().key("models"), test);
        for (index, record) in test.records.iter().enumerate() {
            self.record(&place.clone().key("records").index(index), record);
        }
        self.rows(place, test);
        if let Some(refused) = &test.refused {
            let place = place.clone().key("refused");
            if refused.message.is_some() == refused.contains.is_some() {
                self.report(place.clone(), "give either message or contains");
            }
            if !test.expect.is_empty() || test.expect_lines.is_some() {
                self.report(place, "a refused case has no outputs; leave out the expect tables");
            }
        }
        if let Some(lines) = &test.expect_lines {
            let place = place.clone().key("expect-lines");
            if !test.expect.is_empty() {
                self.report(
                    place.clone(),
                    "conflicts with the expect tables; leave one of them out",
                );
            }
            self.path(place, lines);
        }
        for (index, expect) in test.expect.iter().enumerate() {
            self.expectation(&place.clone().key("expect").index(index), expect);
        }
    }

    /// Exactly one kind of input, which the subject takes.
    fn input(&mut self, place: &KeyPath, test: &Test) {
        let given = [!test.records.is_empty(), test.lines.is_some(), !test.rows.is_empty()];
        let count = given.iter().filter(|given| **given).count();
        if count == 0 && test.refused.is_none() {
            self.report(place.clone(), "no input; give records, lines or, for a scorer, rows");
        }
        if count > 1 {
            let message = "records, lines and rows are alternatives; give one of them";
            self.report(place.clone(), message);
        }
        if let Some(lines) = &test.lines {
            self.path(place.clone().key("lines"), lines);
        }
        if !test.rows.is_empty() && test.features.is_empty() {
            self.report(
                place.clone().key("rows"),
                "declare the features of these rows in features",
            );
        }
    }

    fn path(&mut self, place: KeyPath, path: &Path) {
        if path.as_os_str().is_empty() {
            self.report(place, "must not be empty; name a file");
        }
    }

    /// Keys that only apply to an operator alone, or to a pipeline.
    fn subject(&mut self, place: &KeyPath, test: &Test) {
        let manifest = match self.of {
            Of::Pipeline(manifest) => manifest,
            Of::Operator(own) => {
                for name in test.stages.keys() {
                    let place = place.clone().key("stages").key(name);
                    let message = "an operator alone has no stages; write config and limits in the test itself";
                    self.report(place, message);
                }
                return self.limits(place.clone().key("limits"), &test.limits, own);
            }
        };
        let own = [
            ("config", !test.config.is_empty()),
            ("topics", !test.topics.is_empty()),
            ("limits", test.limits != Overrides::default()),
            ("grants", !test.grants.is_empty()),
            ("load-graphs", test.load_graphs.as_u64() > 0),
            ("features", !test.features.is_empty()),
            ("rows", !test.rows.is_empty()),
        ];
        for (key, _) in own.into_iter().filter(|(_, given)| *given) {
            let message = "only applies to an operator alone; for a stage write stages.NAME with config or limits";
            self.report(place.clone().key(key), message);
        }
        for (name, spec) in &test.stages {
            let place = place.clone().key("stages").key(name);
            match manifest.stages.iter().find(|stage| stage.name == *name) {
                Some(stage) => self.limits(place.key("limits"), &spec.limits, &stage.limits),
                None => {
                    let known = manifest.stages.iter().map(|stage| stage.name.as_str());
                    self.unknown(place, "the pipeline has no stage", name, known);
                }
            }
        }
    }

    /// Limits that override others.
    fn limits(&mut self, place: KeyPath, overrides: &Overrides, others: &LimitsSection) {
        let limits = overrides.over(others);
        let problems = limit_problems(self.document, &place, &limits, Some(others));
        self.problems.extend(problems);
    }

    fn models(&mut self, place: &KeyPath, test: &Test) {
        for (name, model) in &test.models {
            let place = place.clone().key(name);
            if let Some(manifest) = self.pipeline {
                if !manifest.models.contains_key(name) {
                    let known = manifest.models.keys().map(String::as_str);
                    self.unknown(place.clone(), "[models] has no", name, known);
                }
            } else if let Some(problem) = name_problem(name) {
                self.report(place.clone(), problem);
            }
            match model {
                ModelSpec::Folder(folder) => self.path(place, folder),
                ModelSpec::StandIn(stub) => {
                    if let Some(problem) = stub.problem() {
                        self.report(place, problem);
                    }
                }
            }
        }
    }

    fn record(&mut self, place: &KeyPath, record: &RecordSpec) {
        let given = [
            record.value.is_some(),
            record.json.is_some(),
            record.file.is_some(),
            record.base64.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() != 1 {
            let message =
                "give one of value, json, file and base64; a tombstone is value = { null = true }";
            self.report(place.clone(), message);
        }
        if let Some(Err(problem)) = record.base64.as_deref().map(from_base64) {
            self.report(place.clone().key("base64"), problem);
        }
        if let Some(file) = &record.file {
            self.path(place.clone().key("file"), file);
        }
        if record.partition < 0 {
            self.report(place.clone().key("partition"), "partitions start at 0");
        }
        if record.timestamp.is_some_and(|timestamp| timestamp < 0) {
            let message = "give milliseconds since 1970, or leave out the key";
            self.report(place.clone().key("timestamp"), message);
        }
        if let (Some(topic), Some(manifest)) = (&record.topic, self.pipeline)
            && !manifest.source.topics.contains(topic)
        {
            let known = manifest.source.topics.iter().map(String::as_str);
            self.unknown(place.clone().key("topic"), "[source] has no topic", topic, known);
        }
    }

    fn expectation(&mut self, place: &KeyPath, expect: &Expectation) {
        for (name, feature) in expect.features.iter().flatten() {
            let Feature::Tensor(tensor) = feature else { continue };
            for indices in tensor.at.keys().filter(|indices| parse_indices(indices).is_none()) {
                let place = place.clone().key("features").key(name).key("at").key(indices);
                self.report(place, "write the index of each dimension, as in \"0,5,7\"");
            }
        }
        for (index, output) in expect.outputs.iter().flatten().enumerate() {
            if output.exact && output.json.is_none() {
                let place = place.clone().key("outputs").index(index).key("exact");
                self.report(place, "only applies to json; leave it out");
            }
        }
        if let Some(failure) = &expect.failure {
            let place = place.clone().key("failure");
            if failure.message.is_some() && failure.contains.is_some() {
                self.report(place.clone(), "give either message or contains");
            }
            if failure.stage.is_some() && self.pipeline.is_none() {
                self.report(place.key("stage"), "an operator alone has no stages; leave it out");
            }
        }
    }
}

//! The rules of a manifest that its types cannot express. All problems are
//! found, not only the first.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;

use super::document::{Document, Place, Problem, Problems, nearest};
use super::{ArtifactSource, Limits, Manifest, Pattern, Properties, Start, is_pattern};
use crate::cases;
use crate::output;
use crate::references::Allowed;
use crate::registry::location::Location;

/// Characters of a topic's name that Kafka accepts at most.
const TOPIC_LENGTH: usize = 249;
/// The size of a 32-bit linear memory.
const MEMORY_LIMIT: ByteSize = ByteSize::gib(4);
/// The ends of a batch's columns are 32 bits wide; this leaves room for headers.
const BATCH_LIMIT: ByteSize = ByteSize::gib(1);
/// A longer wait is a mistake, and could overflow the clock's arithmetic.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Names in dead letters of what is not a stage.
const NOT_A_STAGE: [&str; 4] = ["source", "sink", "order", crate::references::STAGE];

/// Checks a manifest whose defaults are filled in.
pub(super) fn validate(manifest: &Manifest, document: &Document<'_>) -> Result<(), Problems> {
    let mut check = Check { document, problems: Vec::new() };
    check.name(Place::of("name"), &manifest.name);
    check.kafka(manifest);
    check.topics(manifest);
    check.stages(manifest);
    check.sink(manifest);
    for name in manifest.models.keys() {
        check.name(Place::of("models").key(name), name);
    }
    for (name, source) in &manifest.models {
        check.source(Place::of("models").key(name), source, "a model's folder", manifest);
    }
    check.registry(manifest);
    check.fleet(manifest);
    check.references(manifest);
    check.limits(&Place::of("limits"), &manifest.limits, None);
    check.runner(manifest);
    check.problems.extend(cases::problems(
        &manifest.tests,
        cases::Of::Pipeline(manifest),
        document,
    ));
    if check.problems.is_empty() { Ok(()) } else { Err(document.problems(check.problems)) }
}

/// What is wrong with the name of a pipeline, a stage or a model.
pub(crate) fn name_problem(name: &str) -> Option<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() {
        return Some("must not be empty; give it a name".to_owned());
    }
    if name.len() > TOPIC_LENGTH {
        return Some(format!("a name can have at most {TOPIC_LENGTH} characters"));
    }
    (!name.chars().all(fine) || name == "." || name == "..").then(|| {
        format!("'{name}' is not a valid name; use letters, digits, '-', '_' and '.', as in 'flights-eu'")
    })
}

/// What is wrong with limits; of a stage only with those that it does not have from
/// `inherited`.
pub(crate) fn limit_problems(
    document: &Document<'_>,
    place: &Place,
    limits: &Limits,
    inherited: Option<&Limits>,
) -> Vec<Problem> {
    let mut check = Check { document, problems: Vec::new() };
    check.limits(place, limits, inherited);
    check.problems
}

struct Check<'a> {
    document: &'a Document<'a>,
    problems: Vec<Problem>,
}

/// What is wrong with the name of a stage.
pub(crate) fn stage_name_problem(name: &str) -> Option<String> {
    let taken = || {
        NOT_A_STAGE
            .contains(&name)
            .then(|| format!("'{name}' is reserved in dead letters; give the stage another name"))
    };
    name_problem(name).or_else(taken)
}

impl Check<'_> {
    fn report(&mut self, place: Place, message: impl Into<String>) {
        self.problems.push(self.document.problem(&place, message.into()));
    }

    fn name(&mut self, place: Place, name: &str) {
        if let Some(problem) = name_problem(name) {
            self.report(place, problem);
        }
    }

    /// A path must not be empty; a version needs a registry.
    fn source(&mut self, place: Place, source: &ArtifactSource, what: &str, manifest: &Manifest) {
        match source {
            ArtifactSource::Path(path) if path.as_os_str().is_empty() => {
                self.report(place, format!("must not be empty; name {what}"));
            }
            ArtifactSource::Registry(_) if manifest.registry.is_none() => {
                self.report(
                    place,
                    "refers to a registry, but the manifest has no [registry]; add it with location = \"FOLDER|URL\"",
                );
            }
            _ => {}
        }
    }

    fn registry(&mut self, manifest: &Manifest) {
        let Some(registry) = &manifest.registry else { return };
        let folder = manifest.path.parent().unwrap_or(std::path::Path::new(""));
        if let Err((_, reason)) = Location::parse(&registry.location, folder) {
            self.report(Place::of("registry").key("location"), reason);
        }
    }

    /// The control topic carries no records, and there is a registry.
    fn fleet(&mut self, manifest: &Manifest) {
        let Some(fleet) = &manifest.fleet else { return };
        let place = Place::of("fleet").key("topic");
        if !self.topic(place.clone(), &fleet.topic) {
            return;
        }
        let read = |entry: &String| match is_pattern(entry) {
            true => Pattern::new(entry).is_ok_and(|pattern| pattern.matches(&fleet.topic)),
            false => *entry == fleet.topic,
        };
        let topic = fleet.topic.as_str();
        if manifest.source.topics.iter().any(read) || manifest.written().any(|it| it == topic) {
            self.report(
                place,
                format!("'{topic}' is also a topic of the pipeline; name a topic that only the fleet uses"),
            );
        }
        if manifest.registry.is_none() {
            self.report(
                Place::of("fleet"),
                "a fleet needs a registry for its versions; add [registry] with \
                 location = \"FOLDER|URL\"",
            );
        }
    }

    fn kafka(&mut self, manifest: &Manifest) {
        let sections = [
            ("kafka", &manifest.kafka.properties),
            ("source", &manifest.source.properties),
            ("sink", &manifest.sink.properties),
        ];
        for (section, properties) in sections {
            self.properties(&Place::of(section).key("properties"), properties);
        }
    }

    fn properties(&mut self, place: &Place, properties: &Properties) {
        for (name, way_out) in properties.reserved() {
            let message = format!("managed by Sandbar, cannot be set; {way_out}");
            self.report(place.clone().key(name), message);
        }
    }

    fn topic(&mut self, place: Place, topic: &str) -> bool {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let problem = if topic.is_empty() {
            "must not be empty; name a topic".to_owned()
        } else if topic.len() > TOPIC_LENGTH {
            format!(
                "a topic name can have at most {TOPIC_LENGTH} characters, this one has {}",
                topic.len()
            )
        } else if !topic.chars().all(fine) || topic == "." || topic == ".." {
            format!(
                "'{topic}' is not a valid topic name; Kafka allows letters, digits, '-', '_' and '.'"
            )
        } else {
            return true;
        };
        self.report(place, problem);
        false
    }

    /// Every topic name is valid, and the pipeline reads none of the topics it writes.
    fn topics(&mut self, manifest: &Manifest) {
        let sources = &manifest.source.topics;
        let place = Place::of("source").key("topics");
        if sources.is_empty() {
            self.report(place.clone(), "must not be empty; name at least one topic");
        }
        let mut patterns = Vec::new();
        for (index, topic) in sources.iter().enumerate() {
            let place = place.clone().index(index);
            let fine = if is_pattern(topic) {
                match Pattern::new(topic) {
                    Ok(pattern) => patterns.push((topic, pattern)),
                    Err(problem) => self.report(place.clone(), problem),
                }
                true
            } else {
                self.topic(place.clone(), topic)
            };
            if fine && sources[..index].contains(topic) {
                self.report(place, format!("'{topic}' is listed twice; list it once"));
            }
        }
        self.start(manifest, &patterns);
        let mut written = vec![
            (Place::of("sink").key("topic"), &manifest.sink.topic),
            (Place::of("dead-letter").key("topic"), &manifest.dead_letter.topic),
        ];
        for (number, stage) in manifest.stages.iter().enumerate() {
            let place = Place::of("stages").index(number).key("topics");
            let topics = stage.topics.iter().enumerate();
            written.extend(topics.map(|(index, topic)| (place.clone().index(index), topic)));
        }
        for (place, topic) in written {
            if !self.topic(place.clone(), topic) {
                continue;
            }
            if sources.contains(topic) {
                self.report(place, format!(
                    "'{topic}' is also a topic of [source]: the pipeline would read its own output in an endless loop; name another topic"
                ));
            } else if let Some((expression, _)) =
                patterns.iter().find(|(_, pattern)| pattern.matches(topic))
            {
                self.report(place, format!(
                    "'{topic}' matches '{expression}' of [source] topics: the pipeline would read its own output in an endless loop; name another topic, or narrow the expression"
                ));
            }
        }
        if manifest.sink.topic == manifest.dead_letter.topic {
            self.report(Place::of("dead-letter").key("topic"), format!(
                "'{}' is also the topic of [sink]: dead letters would mix with predictions; name another topic",
                manifest.sink.topic
            ));
        }
    }

    /// Start offsets are of topics that are read.
    fn start(&mut self, manifest: &Manifest, patterns: &[(&String, Pattern)]) {
        let Start::Offsets(topics) = &manifest.source.start else { return };
        for topic in topics.keys() {
            let matches = || patterns.iter().any(|(_, pattern)| pattern.matches(topic));
            if !manifest.source.topics.contains(topic) && !matches() {
                let place = Place::of("source").key("start").key(topic);
                self.report(place, format!("'{topic}' is not a topic of [source]"));
            }
        }
    }

    fn stages(&mut self, manifest: &Manifest) {
        if manifest.stages.is_empty() {
            self.report(Place::default(), "no stages; add [[stages]] with a name and a component");
        }
        let mut seen = BTreeMap::new();
        for (number, stage) in manifest.stages.iter().enumerate() {
            let place = Place::of("stages").index(number);
            if let Some(problem) = stage_name_problem(&stage.name) {
                self.report(place.clone().key("name"), problem);
            }
            if let Some(first) = seen.insert(&stage.name, number) {
                let message = format!(
                    "stage number {} has the same name; give each stage its own",
                    first + 1
                );
                self.report(place.clone().key("name"), message);
            }
            let component = place.clone().key("component");
            self.source(component, &stage.component, "a component's file", manifest);
            for (index, model) in stage.models.iter().enumerate() {
                let place = place.clone().key("models").index(index);
                if !manifest.models.contains_key(model) {
                    let known = nearest(model, manifest.models.keys().map(String::as_str));
                    self.report(
                        place,
                        match known {
                            Some(known) => {
                                format!("[models] has no '{model}'; did you mean '{known}'?")
                            }
                            None => {
                                format!("[models] has no '{model}'; add {model} = \"FOLDER\" there")
                            }
                        },
                    );
                } else if stage.models[..index].contains(model) {
                    self.report(place, format!("'{model}' is listed twice; list it once"));
                }
            }
            for (index, topic) in stage.topics.iter().enumerate() {
                if stage.topics[..index].contains(topic) {
                    let place = place.clone().key("topics").index(index);
                    self.report(place, format!("'{topic}' is listed twice; list it once"));
                }
            }
            if stage.load_graphs.as_u64() > 0 {
                self.size(place.clone().key("load-graphs"), stage.load_graphs, MEMORY_LIMIT);
            }
            self.limits(&place.key("limits"), &stage.limits, Some(&manifest.limits));
        }
    }

    fn sink(&mut self, manifest: &Manifest) {
        let sink = &manifest.sink;
        let Some(template) = &sink.template else { return };
        let place = Place::of("sink").key("template");
        if sink.format.is_some() {
            self.report(
                Place::of("sink").key("format"),
                "conflicts with 'template'; leave one of them out",
            );
        }
        if sink.top.is_some() {
            self.report(
                Place::of("sink").key("top"),
                "only applies to format = \"json\"; a template chooses its classes itself",
            );
        }
        if let Err(error) = output::Template::compile(template) {
            self.report(place, error.to_string());
        }
    }

    fn references(&mut self, manifest: &Manifest) {
        let Some(references) = &manifest.references else { return };
        let place = Place::of("references");
        if references.allow.is_empty() {
            let message = "must not be empty; name a folder or a URL prefix";
            self.report(place.clone().key("allow"), message);
        }
        let mut prefixes = Vec::new();
        for (index, text) in references.allow.iter().enumerate() {
            match text.parse() {
                Ok(Allowed::Prefix(prefix)) => prefixes.push(prefix),
                Ok(Allowed::Folder(_)) => {}
                Err(problem) => self.report(place.clone().key("allow").index(index), problem),
            }
        }
        for text in references.stores.keys() {
            let known = text.parse().is_ok_and(|allowed| match allowed {
                Allowed::Prefix(prefix) => prefixes.contains(&prefix),
                Allowed::Folder(_) => false,
            });
            if !known {
                let message =
                    format!("'{text}' is not a URL prefix in 'allow'; write it exactly as there");
                self.report(place.clone().key("stores").key(text), message);
            }
        }
        self.size(place.clone().key("max-size"), references.max_size, BATCH_LIMIT);
        self.duration(place.key("timeout"), references.timeout);
    }

    fn size(&mut self, place: Place, size: ByteSize, most: ByteSize) {
        if size.as_u64() == 0 {
            self.report(
                place,
                "must be greater than zero; give it a size such as \"64 MiB\", or leave out the key",
            );
        } else if size > most {
            self.report(place, format!("{size} is too large; at most {most}"));
        }
    }

    fn duration(&mut self, place: Place, duration: Duration) {
        if duration.is_zero() {
            self.report(
                place,
                "must be greater than zero; give it a duration such as \"1s\", or leave out the key",
            );
        } else if duration > LONGEST {
            self.report(
                place,
                "must not be longer than a day; give it a shorter duration, such as \"1m\"",
            );
        }
    }

    /// Checks limits; of a stage only those that it does not have from `inherited`.
    fn limits(&mut self, place: &Place, limits: &Limits, inherited: Option<&Limits>) {
        if inherited.is_none_or(|other| other.memory != limits.memory) {
            self.size(place.clone().key("memory"), limits.memory, MEMORY_LIMIT);
        }
        if inherited.is_none_or(|other| other.deadline != limits.deadline) {
            self.duration(place.clone().key("deadline"), limits.deadline);
        }
        if inherited.is_none_or(|other| other.configure_deadline != limits.configure_deadline) {
            self.duration(place.clone().key("configure-deadline"), limits.configure_deadline);
        }
        if inherited.is_none_or(|other| other.inference_deadline != limits.inference_deadline) {
            self.duration(place.clone().key("inference-deadline"), limits.inference_deadline);
        }
        if inherited.is_none_or(|other| other.log != limits.log) {
            self.size(place.clone().key("log"), limits.log, MEMORY_LIMIT);
        }
    }

    fn runner(&mut self, manifest: &Manifest) {
        let (runner, place) = (&manifest.runner, Place::of("runner"));
        self.size(place.clone().key("batch-bytes"), runner.batch_bytes, BATCH_LIMIT);
        self.size(place.clone().key("in-flight"), runner.in_flight, ByteSize::tib(1));
        self.duration(place.clone().key("drain-deadline"), runner.drain_deadline);
        let interval = runner.commit_interval(manifest.delivery);
        self.duration(place.clone().key("commit-interval"), interval);
        if runner.in_flight < runner.batch_bytes && runner.in_flight.as_u64() > 0 {
            self.report(place.key("in-flight"), format!(
                "{} is less than one batch (batch-bytes, {}); allow several batches for each worker",
                runner.in_flight, runner.batch_bytes
            ));
        }
    }
}

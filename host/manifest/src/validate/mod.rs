//! The rules of a manifest that its types cannot express. All problems are
//! found, not only the first.

mod admin;
mod case;
mod cases;
mod chain;
mod isolation;
mod memory;
mod routes;
mod rows;
mod schemas;
mod sink_schema;

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;

use sandbar_config::units::{duration_problem, size_problem};
use sandbar_config::{Document, KeyPath, Problem, Problems, name_problem, nearest};
use sandbar_registry::ArtifactSource;
use sandbar_registry::location::Location;
use sandbar_sandbox::{LimitsSection, MEMORY_LIMIT, limit_problems, stage_name_problem};

use crate::allow::Allowed;
use crate::manifest::Manifest;
use crate::native::{self, Trust};
use crate::properties::Properties;
use crate::routes::Otherwise;
use crate::start::Start;
use crate::topics::{Pattern, is_pattern};

pub use case::Of;
pub use cases::{locate, problems};
pub use chain::SOURCE;

/// Characters of a topic's name that Kafka accepts at most.
const TOPIC_LENGTH: usize = 249;
/// The ends of a batch's columns are 32 bits wide; this leaves room for headers.
const BATCH_LIMIT: ByteSize = ByteSize::gib(1);
/// Checks a manifest whose defaults are filled in.
pub(crate) fn validate(
    manifest: &Manifest,
    document: &Document<'_>,
    trust: Trust,
) -> Result<(), Problems> {
    let mut check = Check { document, problems: Vec::new() };
    check.name(KeyPath::of("name"), &manifest.name);
    check.kafka(manifest);
    if trust == Trust::Data {
        check.native(manifest);
    }
    check.topics(manifest);
    check.stages(manifest);
    for (place, message) in chain::problems(manifest) {
        check.report(place, message);
    }
    for (place, message) in
        routes::problems(manifest).into_iter().chain(sink_schema::problems(manifest))
    {
        check.report(place, message);
    }
    for name in manifest.models.keys() {
        check.name(KeyPath::of("models").key(name), name);
    }
    for (name, source) in &manifest.models {
        let place = KeyPath::of("models").key(name);
        if let ArtifactSource::Builtin(_) = source {
            let message = "only components come with the command; name the model's folder";
            check.report(place.clone(), message);
        }
        check.source(place, source, "a model's folder", manifest);
    }
    check.registry(manifest);
    check.fleet(manifest);
    check.references(manifest);
    check.limits(&KeyPath::of("limits"), &manifest.limits, None);
    check.runner(manifest);
    for (place, message) in schemas::problems(manifest) {
        check.report(place, message);
    }
    for (place, message) in admin::problems(&manifest.admin) {
        check.report(place, message);
    }
    check.problems.extend(problems(&manifest.tests, Of::Pipeline(manifest), document));
    if check.problems.is_empty() { Ok(()) } else { Err(document.problems(check.problems)) }
}

struct Check<'a> {
    document: &'a Document<'a>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn report(&mut self, place: KeyPath, message: impl Into<String>) {
        self.problems.push(self.document.problem(&place, message.into()));
    }

    fn name(&mut self, place: KeyPath, name: &str) {
        if let Some(problem) = name_problem(name) {
            self.report(place, problem);
        }
    }

    /// A path must not be empty; a version needs a registry.
    fn source(&mut self, place: KeyPath, source: &ArtifactSource, what: &str, manifest: &Manifest) {
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
            ArtifactSource::Builtin(name) => {
                if let Err(missing @ sandbar_builtin::Missing::Unknown) =
                    sandbar_builtin::component(name)
                {
                    self.report(place, missing.to_string());
                }
            }
            _ => {}
        }
    }

    fn registry(&mut self, manifest: &Manifest) {
        let Some(registry) = &manifest.registry else { return };
        let folder = manifest.path().parent().unwrap_or(std::path::Path::new(""));
        if let Err((_, reason)) = Location::parse(&registry.location, folder) {
            self.report(KeyPath::of("registry").key("location"), reason);
        }
    }

    /// The control topic carries no records, and there is a registry.
    fn fleet(&mut self, manifest: &Manifest) {
        let Some(fleet) = &manifest.fleet else { return };
        let place = KeyPath::of("fleet").key("topic");
        if !self.topic(place.clone(), &fleet.topic) {
            return;
        }
        let topic = fleet.topic.as_str();
        if manifest.reads(topic) || manifest.written().any(|it| it == topic) {
            self.report(
                place,
                format!("'{topic}' is also a topic of the pipeline; name a topic that only the fleet uses"),
            );
        }
        if manifest.registry.is_none() {
            self.report(
                KeyPath::of("fleet"),
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
            self.properties(&KeyPath::of(section).key("properties"), properties);
        }
        if let Some((section, problem)) = isolation::problem(manifest) {
            self.report(KeyPath::of(section).key("properties").key(isolation::LEVEL), problem);
        }
    }

    /// Nothing in the manifest is code, or does more than data can.
    fn native(&mut self, manifest: &Manifest) {
        let properties = |section: &str| KeyPath::of(section).key("properties");
        let sections = [
            (properties("kafka"), &manifest.kafka.properties),
            (properties("source"), &manifest.source.properties),
            (properties("sink"), &manifest.sink.properties),
        ];
        for (place, properties) in sections {
            for (name, does) in properties.native() {
                self.refuse_native(place.clone().key(name), does);
            }
        }
        if let Some(registry) = &manifest.registry {
            let place = KeyPath::of("registry").key("options");
            for (name, does) in native::options(registry.options.settings()) {
                self.refuse_native(place.clone().key(name), does);
            }
        }
        let stores = manifest.references.iter().flat_map(|references| &references.stores);
        for (prefix, options) in stores {
            let place = KeyPath::of("references").key("stores").key(prefix);
            for (name, does) in native::options(options.settings()) {
                self.refuse_native(place.clone().key(name), does);
            }
        }
    }

    fn refuse_native(&mut self, place: KeyPath, does: &str) {
        self.report(
            place,
            format!(
                "{does}, which a manifest may not do by itself; leave it out, or, if you trust \
                 whoever wrote the manifest, give --allow-native on the command line"
            ),
        );
    }

    fn properties(&mut self, place: &KeyPath, properties: &Properties) {
        for (name, way_out) in properties.reserved() {
            let message = format!("managed by Sandbar, cannot be set; {way_out}");
            self.report(place.clone().key(name), message);
        }
    }

    fn topic(&mut self, place: KeyPath, topic: &str) -> bool {
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
        let place = KeyPath::of("source").key("topics");
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
        let dead_letter = (KeyPath::of("dead-letter").key("topic"), &manifest.dead_letter.topic);
        let mut written = vec![dead_letter];
        if !manifest.sink.topic.is_empty() || manifest.sink.otherwise == Otherwise::Topic {
            written.insert(0, (KeyPath::of("sink").key("topic"), &manifest.sink.topic));
        }
        written.extend(routes::topics(manifest));
        for (number, stage) in manifest.stages.iter().enumerate() {
            let place = KeyPath::of("stages").index(number).key("topics");
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
        let routed = manifest.sink.routes.iter().map(|route| &route.topic);
        let mut predicted = [&manifest.sink.topic].into_iter().chain(routed);
        if predicted.any(|topic| *topic == manifest.dead_letter.topic) {
            self.report(KeyPath::of("dead-letter").key("topic"), format!(
                "'{}' is also a topic of [sink]: dead letters would mix with predictions; name another topic",
                manifest.dead_letter.topic
            ));
        }
    }

    /// Start offsets are of topics that are read.
    fn start(&mut self, manifest: &Manifest, patterns: &[(&String, Pattern)]) {
        let Start::Offsets(topics) = &manifest.source.start else { return };
        for topic in topics.keys() {
            let matches = || patterns.iter().any(|(_, pattern)| pattern.matches(topic));
            if !manifest.source.topics.contains(topic) && !matches() {
                let place = KeyPath::of("source").key("start").key(topic);
                self.report(place, format!("'{topic}' is not a topic of [source]"));
            }
        }
    }

    fn stages(&mut self, manifest: &Manifest) {
        if manifest.stages.is_empty() {
            self.report(
                KeyPath::default(),
                "no stages; add [[stages]] with a name and a component",
            );
        }
        let mut seen = BTreeMap::new();
        for (number, stage) in manifest.stages.iter().enumerate() {
            let place = KeyPath::of("stages").index(number);
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

    fn references(&mut self, manifest: &Manifest) {
        let Some(references) = &manifest.references else { return };
        let place = KeyPath::of("references");
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

    fn runner(&mut self, manifest: &Manifest) {
        let (runner, place) = (&manifest.runner, KeyPath::of("runner"));
        self.size(place.clone().key("batch-bytes"), runner.batch_bytes, BATCH_LIMIT);
        self.size(place.clone().key("in-flight"), runner.in_flight, ByteSize::tib(1));
        self.duration(place.clone().key("drain-deadline"), runner.drain_deadline);
        let interval = runner.commit_interval(manifest.delivery);
        self.duration(place.clone().key("commit-interval"), interval);
        if let Some(problem) = memory::problem(manifest) {
            self.report(place.clone().key("memory"), problem);
        }
        if runner.in_flight < runner.batch_bytes && runner.in_flight.as_u64() > 0 {
            self.report(place.key("in-flight"), format!(
                "{} is less than one batch (batch-bytes, {}); allow several batches for each worker",
                runner.in_flight, runner.batch_bytes
            ));
        }
    }

    fn size(&mut self, place: KeyPath, size: ByteSize, most: ByteSize) {
        if let Some(problem) = size_problem(size, most) {
            self.report(place, problem);
        }
    }

    fn duration(&mut self, place: KeyPath, duration: Duration) {
        if let Some(problem) = duration_problem(duration) {
            self.report(place, problem);
        }
    }

    fn limits(
        &mut self,
        place: &KeyPath,
        limits: &LimitsSection,
        inherited: Option<&LimitsSection>,
    ) {
        self.problems.extend(limit_problems(self.document, place, limits, inherited));
    }
}

//! The manifest itself: its keys, and what follows from them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use sandbar_config::{Problem, Problems, settings};
use sandbar_registry::ArtifactSource;
use sandbar_sandbox::LimitsSection;
use sandbar_schemas::Credentials;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::admin::{Admin, AdminToken, Secret};
use crate::cases::Test;
use crate::client_files;
use crate::failures::DeadLetter;
use crate::format::FormatName;
use crate::properties::Properties;
use crate::references::References;
use crate::registry::RegistrySection;
use crate::routes::{Matching, Otherwise};
use crate::schemas::SchemasSection;
use crate::sections::{Delivery, Fleet, Kafka, Runner, Sink, Source, Stage};
use crate::start::Start;
use crate::topics::{Pattern, is_pattern};

/// A pipeline as its manifest has it, defaults filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// The pipeline's name in consumer group, headers and metrics: letters,
    /// digits, `-`, `_` and `.`.
    pub name: String,
    /// The delivery guarantee for a record's outputs.
    #[serde(default)]
    pub delivery: Delivery,
    /// Where the brokers are. Default: unknown.
    #[serde(default)]
    pub kafka: Kafka,
    /// What is read.
    pub source: Source,
    /// The operators that records go through, in this order; at least one.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// Where predictions go and how they are written.
    pub sink: Sink,
    /// Where failed records go.
    #[serde(default)]
    pub dead_letter: DeadLetter,
    /// Models, by the pipeline's names for them: folders, relative to the
    /// manifest's, or versions of the registry. None by default.
    #[serde(default)]
    pub models: BTreeMap<String, ArtifactSource>,
    /// The registry of models and operators. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistrySection>,
    /// The runners that serve the same versions. Default: each serves its manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<Fleet>,
    /// Where the runner gets external payloads. Default: records carry their data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<References>,
    /// Where operators get the schemas of records from. Default: there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemas: Option<SchemasSection>,
    /// How much a stage may use, unless it overrides it.
    #[serde(default)]
    pub limits: LimitsSection,
    /// The process that runs the pipeline.
    #[serde(default)]
    pub runner: Runner,
    /// Its HTTP interface.
    #[serde(default)]
    pub admin: Admin,
    /// Cases that show what the pipeline does, for `sandbar test`. None by default; a file
    /// beside the manifest may have them instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Test>,
    /// The manifest's file.
    #[serde(skip)]
    pub(crate) path: PathBuf,
}

/// Why a manifest cannot be used.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("{path}: the manifest cannot be read: {cause}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// It has invalid content; one line for each problem.
    #[error(transparent)]
    Invalid(#[from] Problems),
    /// Neither the manifest nor the command line has the brokers.
    #[error("{path}: no brokers configured; give --brokers HOST:PORT, or set brokers = \"HOST:PORT\" under [kafka]", path = path.display())]
    NoBrokers {
        /// The manifest's file.
        path: PathBuf,
    },
}

impl Manifest {
    /// A pipeline of one stage, for a case of an operator alone. Relative paths are
    /// relative to the current folder.
    pub fn of_operator(stage: Stage, limits: LimitsSection) -> Self {
        let mut manifest = Manifest {
            name: stage.name.clone(),
            delivery: Delivery::default(),
            kafka: Kafka::default(),
            source: Source {
                topics: vec!["input".to_owned()],
                group: String::new(),
                start: Start::default(),
                properties: Properties::default(),
            },
            stages: vec![stage],
            sink: Sink {
                topic: "output".to_owned(),
                from: Vec::new(),
                format: None,
                template: None,
                top: None,
                schema: None,
                key: None,
                headers: IndexMap::new(),
                matching: Matching::default(),
                otherwise: Otherwise::default(),
                routes: Vec::new(),
                properties: Properties::default(),
            },
            dead_letter: DeadLetter::default(),
            models: BTreeMap::new(),
            registry: None,
            fleet: None,
            references: None,
            schemas: None,
            limits,
            runner: Runner::default(),
            admin: Admin::default(),
            tests: Vec::new(),
            path: PathBuf::new(),
        };
        manifest.fill();
        manifest
    }

    /// Sets the defaults that come from other keys.
    pub(crate) fn fill(&mut self) {
        if self.source.group.is_empty() {
            self.source.group.clone_from(&self.name);
        }
        if self.dead_letter.topic.is_empty() {
            self.dead_letter.topic = format!("{}.dead-letter", self.name);
        }
        if self.sink.template.is_none() {
            self.sink.format.get_or_insert(FormatName::Json);
        }
        let interval = self.runner.commit_interval(self.delivery);
        self.runner.commit_interval = Some(interval);
        self.limits.fill();
        for stage in &mut self.stages {
            stage.limits = stage.overrides.over(&self.limits);
        }
    }

    /// The manifest's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path of the manifest, which is relative to the manifest's folder, as this
    /// process can open it.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.folder().join(path)
    }

    /// The manifest's folder.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The topics that the pipeline writes.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        let ends = [&self.sink.topic, &self.dead_letter.topic];
        let by_stages = self.stages.iter().flat_map(|stage| &stage.topics);
        let routed = self.sink.routes.iter().map(|route| &route.topic);
        let all = ends.into_iter().chain(by_stages).chain(routed).map(String::as_str);
        // The sink may have none.
        all.filter(|topic| !topic.is_empty())
    }

    /// Whether the pipeline reads a topic, by name or by expression.
    pub fn reads(&self, topic: &str) -> bool {
        self.source.topics.iter().any(|entry| match is_pattern(entry) {
            true => Pattern::new(entry).is_ok_and(|pattern| pattern.matches(topic)),
            false => entry == topic,
        })
    }

    /// The brokers: those of the command line, else those of the manifest.
    ///
    /// # Errors
    /// [`ManifestError::NoBrokers`] where neither names any.
    pub fn brokers<'a>(&'a self, command_line: Option<&'a str>) -> Result<&'a str, ManifestError> {
        let given = command_line.filter(|brokers| !brokers.trim().is_empty());
        given
            .or(self.kafka.brokers.as_deref())
            .ok_or_else(|| ManifestError::NoBrokers { path: self.path.clone() })
    }

    /// librdkafka properties of the consumer, secrets included. References that cannot be
    /// resolved are left out; [`Manifest::secrets`] reports them.
    pub fn consumer_properties(&self) -> BTreeMap<String, String> {
        settings::resolve(&self.kafka.properties.overlaid(&self.source.properties), self.folder()).0
    }

    /// librdkafka properties of the producer, as [`Manifest::consumer_properties`].
    pub fn producer_properties(&self) -> BTreeMap<String, String> {
        settings::resolve(&self.kafka.properties.overlaid(&self.sink.properties), self.folder()).0
    }

    /// The options of a store, by the prefix that it has in `[references.stores]`, as
    /// [`Manifest::consumer_properties`]; and why others cannot be resolved, by name.
    pub fn store_options(
        &self,
        prefix: &str,
    ) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let stores = self.references.as_ref().map(|references| &references.stores);
        let options = stores.and_then(|stores| stores.get(prefix)).cloned().unwrap_or_default();
        settings::resolve(options.settings(), self.folder())
    }

    /// The options of the registry's store, and why others are not to be had, by name.
    pub fn registry_options(&self) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let options = self.registry.as_ref().map(|registry| registry.options.clone());
        settings::resolve(options.unwrap_or_default().settings(), self.folder())
    }

    /// What the registry of `[schemas]` is shown, if anything.
    ///
    /// # Errors
    /// The key of a secret that cannot be read, and why, as [`Manifest::secrets`].
    pub fn schema_credentials(&self) -> Result<Credentials, (&'static str, String)> {
        let Some(schemas) = &self.schemas else { return Ok(Credentials::None) };
        let value =
            |key, secret: &Secret| secret.0.value(self.folder()).map_err(|reason| (key, reason));
        Ok(match (&schemas.user, &schemas.password, &schemas.token) {
            (Some(user), Some(password), _) => {
                let (user, password) = (user.clone(), value("password", password)?);
                Credentials::Basic { user, password }
            }
            (_, _, Some(token)) => Credentials::Bearer(value("token", token)?),
            _ => Credentials::None,
        })
    }

    /// Checks that all values can be read that the manifest takes from
    /// the environment or from a file. To check a pipeline they are not
    /// needed, to run it they are.
    ///
    /// # Errors
    /// If one cannot, with what to do.
    pub fn secrets(&self) -> Result<(), Problems> {
        let sections = [
            ("[kafka] properties".to_owned(), self.kafka.properties.settings()),
            ("[source] properties".to_owned(), self.source.properties.settings()),
            ("[sink] properties".to_owned(), self.sink.properties.settings()),
        ];
        let stores = self.references.iter().flat_map(|references| &references.stores);
        let stores = stores.map(|(prefix, options)| {
            (format!("[references] stores.{prefix:?}"), options.settings())
        });
        let registry = self.registry.iter();
        let registry = registry.map(|it| ("[registry] options".to_owned(), it.options.settings()));
        let mut problems = Vec::new();
        for (section, settings) in sections.into_iter().chain(stores).chain(registry) {
            let (_, missing) = settings::resolve(settings, self.folder());
            problems.extend(missing.into_iter().map(|(name, message)| Problem {
                line: None,
                place: format!("{section}.{name:?}"),
                message,
            }));
            problems.extend(client_files::refused(settings).map(|(name, message)| Problem {
                line: None,
                place: format!("{section}.{name:?}"),
                message,
            }));
        }
        if let Err(message) = self.admin_token() {
            problems.push(Problem { line: None, place: "[admin] token".to_owned(), message });
        }
        problems.extend(self.admin_tokens().err());
        if let Err((key, message)) = self.schema_credentials() {
            problems.push(Problem { line: None, place: format!("[schemas] {key}"), message });
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Problems { path: self.path.clone(), problems })
    }

    /// The token of `[admin]`, if there is one.
    ///
    /// # Errors
    /// If it cannot be read, as [`Manifest::secrets`].
    pub fn admin_token(&self) -> Result<Option<String>, String> {
        self.admin.token.as_ref().map(|token| token.0.value(self.folder())).transpose()
    }

    /// The tokens of `[[admin.tokens]]`, each with its secret.
    ///
    /// # Errors
    /// If one cannot be read, as [`Manifest::secrets`], or is the same as another.
    pub fn admin_tokens(&self) -> Result<Vec<(&AdminToken, String)>, Problem> {
        let mut found: Vec<(&AdminToken, String)> = Vec::new();
        for token in &self.admin.tokens {
            let secret = token.token.0.value(self.folder()).and_then(|secret| {
                match found.iter().find(|(_, other)| *other == secret) {
                    Some((other, _)) => {
                        Err(format!("the same as that of '{}'; make one for each", other.name))
                    }
                    None => Ok(secret),
                }
            });
            let place = || format!("[[admin.tokens]] '{}'", token.name);
            found.push((
                token,
                secret.map_err(|message| Problem { line: None, place: place(), message })?,
            ));
        }
        Ok(found)
    }
}

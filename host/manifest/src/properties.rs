//! Properties that are passed to librdkafka unchanged, except for those that the
//! delivery guarantee depends on or that have their own key.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use sandbar_config::settings::{self, Setting, Settings};

use crate::native;

/// librdkafka properties by name. Neither its `Debug` form nor what it serialises
/// to shows the values of secrets; a reference to a secret may be shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(Settings);

/// Properties that a manifest may not set, and what to do instead.
const RESERVED: &[(&str, &str)] = &[
    ("bootstrap.servers", "use [kafka] brokers"),
    ("metadata.broker.list", "use [kafka] brokers"),
    ("group.id", "use [source] group"),
    ("auto.offset.reset", "use [source] start"),
    ("enable.auto.commit", COMMITS),
    ("auto.commit.enable", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    ("auto.commit.interval.ms", "use [runner] commit-interval"),
    ("allow.auto.create.topics", "create the topics with the settings that they need"),
    ("enable.idempotence", RETRIES),
    ("acks", RETRIES),
    ("request.required.acks", RETRIES),
    ("message.timeout.ms", WAITS),
    ("delivery.timeout.ms", WAITS),
    ("transactional.id", "leave it out: delivery = \"exactly-once\" gives each worker its own"),
];
const COMMITS: &str = "leave it out: Sandbar commits an offset once everything produced from it is delivered; [runner] commit-interval sets how often";
const RETRIES: &str = "leave it out: Sandbar's producer is idempotent, as otherwise retries reorder, repeat or lose messages";
const WAITS: &str =
    "leave it out: Sandbar waits for an unreachable broker, and pauses the source meanwhile";

impl Extend<(String, String)> for Properties {
    fn extend<T: IntoIterator<Item = (String, String)>>(&mut self, more: T) {
        self.0.extend(more.into_iter().map(|(name, value)| (name, Setting::Plain(value))));
    }
}

impl Properties {
    /// These properties, overridden by those of `over`.
    pub fn overlaid(&self, over: &Properties) -> Settings {
        let mut all = self.0.clone();
        all.extend(over.0.clone());
        all
    }

    /// The properties that must not be set here, each with what to do instead.
    pub fn reserved(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        RESERVED.iter().copied().filter(|(name, _)| self.0.contains_key(*name))
    }

    /// The properties that do more than a manifest may by itself, each with what it does.
    pub(crate) fn native(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.0.keys().filter_map(|name| Some((name.as_str(), native::property(name)?)))
    }

    /// The properties by name.
    pub fn settings(&self) -> &Settings {
        &self.0
    }

    /// The properties as they may be shown.
    fn shown(&self) -> impl Iterator<Item = (&str, Setting)> {
        self.0.iter().map(|(key, setting)| (key.as_str(), setting.shown(is_secret(key))))
    }
}

/// Whether the value of librdkafka's property is a secret: passwords, passphrases, client
/// secrets, tokens, and private keys (not the paths of files that hold them).
pub fn is_secret(key: &str) -> bool {
    // Of plugins too, whose properties nobody lists.
    const WORDS: &[&str] = &["password", "passphrase", "passwd", "secret", "credential", "token"];
    // Where tokens are to be had, which client asks for them, and functions.
    const OPEN: &[&str] = &[
        "sasl.oauthbearer.token.endpoint.url",
        "sasl.oauthbearer.client.credentials.client.id",
        "oauthbearer_token_refresh_cb",
    ];
    let key = key.to_ascii_lowercase();
    let is_key = [".key", "_key", "key.pem"].iter().any(|end| key.ends_with(end));
    let word = WORDS.iter().any(|word| key.contains(word)) && !OPEN.contains(&key.as_str());
    // The latter may be a command with a password, and what goes along with a token.
    let more =
        ["sasl.oauthbearer.config", "sasl.oauthbearer.extensions", "sasl.kerberos.kinit.cmd"];
    word || is_key || more.contains(&key.as_str())
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.shown())
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        settings::deserialize(from).map(Properties)
    }
}

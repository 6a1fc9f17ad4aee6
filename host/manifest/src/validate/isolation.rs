//! What exactly once needs of `isolation.level`.

use sandbar_config::settings::Setting;

use crate::manifest::Manifest;
use crate::sections::Delivery;

/// librdkafka's property.
pub(super) const LEVEL: &str = "isolation.level";

/// The section that sets the level wrongly, and what is wrong. A reader of what is not committed
/// does not wait for offsets that a transaction holds, and so reads records again.
pub(super) fn problem(manifest: &Manifest) -> Option<(&'static str, String)> {
    let sections = [("source", &manifest.source.properties), ("kafka", &manifest.kafka.properties)];
    let set = |(section, properties): (&'static str, &crate::Properties)| {
        Some((section, properties.settings().get(LEVEL)?.clone()))
    };
    let (section, level) = sections.into_iter().find_map(set)?;
    let is_wrong = level != Setting::Plain("read_committed".into());
    (manifest.delivery == Delivery::ExactlyOnce && is_wrong).then(|| {
        let problem = "delivery = \"exactly-once\" needs \"read_committed\": records would be \
                       processed twice; leave it out";
        (section, problem.to_owned())
    })
}

//! Records from topic to topic: order, keys, headers, dead letters, and what a bad
//! record does to its neighbours.

mod interruptions;
mod records;
mod routes;

use std::collections::BTreeMap;

use sandbar::runner::RunError;
use sandbar_tests::runner::plan;
use sandbar_tests::{Broker, Received, Runner, Sent, on_each_broker};

/// A pipeline of the extractor and scorer that do mischief on request.
fn mischief(topics: [&str; 3], rest: &str) -> String {
    let [source, sink, dead] = topics;
    format!(
        r#"
        name = "mischief"
        [source]
        topics = ["{source}"]
        group = "{source}"
        # A member that could not say farewell is missed after this time.
        properties = {{ "session.timeout.ms" = 6000 }}
        [[stages]]
        name = "extract"
        component = "{{component:mischief-extractor}}"
        [[stages]]
        name = "score"
        component = "{{component:mischief-scorer}}"
        [sink]
        topic = "{sink}"
        [dead-letter]
        topic = "{dead}"
        [limits]
        memory = "32 MiB"
        deadline = "1s"
        [runner]
        commit-interval = "50ms"
        {rest}
        "#
    )
}

fn topics(broker: &Broker, partitions: i32) -> [String; 3] {
    ["source", "sink", "dead"].map(|name| broker.topic(name, partitions))
}

fn names(topics: &[String; 3]) -> [&str; 3] {
    topics.each_ref().map(String::as_str)
}

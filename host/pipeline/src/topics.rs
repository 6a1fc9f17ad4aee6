//! The topics of a pipeline's outputs, and the keys of its manifest that name them.

use sandbar_manifest::Manifest;

/// The key of the manifest that names each of the topics.
pub(crate) fn named_by(manifest: &Manifest, topics: &[String]) -> Vec<&'static str> {
    let key = |topic: &String| match topic {
        topic if *topic == manifest.sink.topic => "[sink] topic",
        topic if manifest.sink.routes.iter().any(|route| route.topic == *topic) => {
            "[[sink.routes]] topic"
        }
        _ => "the stage's `topics`",
    };
    topics.iter().map(key).collect()
}

/// The topics of `[sink]` and its routes, each once.
pub(crate) fn ends(manifest: &Manifest) -> Vec<String> {
    let routes = manifest.sink.routes.iter().map(|route| route.topic.as_str());
    let mut ends = Vec::new();
    for topic in [manifest.sink.topic.as_str()].into_iter().chain(routes) {
        if !topic.is_empty() {
            place(&mut ends, topic);
        }
    }
    ends
}

/// The index of a topic in `topics`, where it is put if it is not there.
pub(crate) fn place(topics: &mut Vec<String>, topic: &str) -> usize {
    topics.iter().position(|known| known == topic).unwrap_or_else(|| {
        topics.push(topic.to_owned());
        topics.len() - 1
    })
}

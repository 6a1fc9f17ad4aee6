//! The rules of `[sink]`: formats and templates, its own and those of its routes.

use indexmap::IndexMap;
use sandbar_config::KeyPath;

use crate::format::FormatName;
use crate::manifest::Manifest;
use crate::routes::{Matching, Otherwise, Route};
use crate::template::Template;

/// Headers that say where an output comes from begin so.
const RESERVED: &str = "sandbar-";

/// What is wrong, each with its place.
pub(super) fn problems(manifest: &Manifest) -> Vec<(KeyPath, String)> {
    let mut problems = Vec::new();
    let (sink, place) = (&manifest.sink, KeyPath::of("sink"));
    form(&place, sink.format, sink.template.as_deref(), sink.top.is_some(), &mut problems);
    own(&place, sink.key.as_deref(), &sink.headers, &mut problems);
    for (index, route) in sink.routes.iter().enumerate() {
        let place = place.clone().key("routes").index(index);
        let Route { when, format, template, top, key, headers, .. } = route;
        if let Err(problem) = expressions::parses(when) {
            problems.push((place.clone().key("when"), problem.to_string()));
        }
        form(&place, *format, template.as_deref(), top.is_some(), &mut problems);
        own(&place, key.as_deref(), headers, &mut problems);
    }
    if sink.routes.is_empty() {
        let message = "only applies with [[sink.routes]]; add a route, or leave it out";
        if sink.matching != Matching::default() {
            problems.push((place.clone().key("match"), message.to_owned()));
        }
        if sink.otherwise != Otherwise::default() {
            problems.push((place.key("otherwise"), message.to_owned()));
        }
    } else if sink.otherwise == Otherwise::Drop && !sink.topic.is_empty() {
        let message = "nothing is written there, since what no route takes is dropped; leave out \
                       'topic', or 'otherwise'";
        problems.push((place.key("topic"), message.to_owned()));
    }
    problems
}

/// The topics of the routes, each with its place.
pub(super) fn topics(manifest: &Manifest) -> impl Iterator<Item = (KeyPath, &String)> {
    let place = KeyPath::of("sink").key("routes");
    let routes = manifest.sink.routes.iter().enumerate();
    routes.map(move |(index, route)| (place.clone().index(index).key("topic"), &route.topic))
}

/// `format`, `template` and `top` go together.
fn form(
    place: &KeyPath,
    format: Option<FormatName>,
    template: Option<&str>,
    top: bool,
    problems: &mut Vec<(KeyPath, String)>,
) {
    let Some(template) = template else { return };
    if format.is_some() {
        let message = "conflicts with 'template'; leave one of them out";
        problems.push((place.clone().key("format"), message.to_owned()));
    }
    if top {
        let message = "only applies to format = \"json\"; a template chooses its classes itself";
        problems.push((place.clone().key("top"), message.to_owned()));
    }
    if let Err(error) = Template::compile(template) {
        problems.push((place.clone().key("template"), error.to_string()));
    }
}

/// The templates of a key and of headers.
fn own(
    place: &KeyPath,
    key: Option<&str>,
    headers: &IndexMap<String, String>,
    problems: &mut Vec<(KeyPath, String)>,
) {
    let key = key.map(|key| (place.clone().key("key"), key));
    let headers = headers.iter().map(|(name, text)| {
        let place = place.clone().key("headers").key(name);
        (place, name.as_str(), text.as_str())
    });
    for (place, name, _) in headers.clone() {
        if name.is_empty() {
            problems.push((place, "a header has a name; write one".to_owned()));
        } else if name.starts_with(RESERVED) {
            let message = "names that begin with 'sandbar-' are Sandbar's own; choose another";
            problems.push((place, message.to_owned()));
        }
    }
    for (place, text) in key.into_iter().chain(headers.map(|(place, _, text)| (place, text))) {
        if let Err(error) = Template::compile(text) {
            problems.push((place, error.to_string()));
        }
    }
}

//! How a node names what it takes.

/// `node`, `node:1`: a node, and which of its outputs.
pub(crate) fn place(input: &str) -> (&str, usize) {
    match input.rsplit_once(':') {
        Some((node, place)) => place.parse().map_or((input, 0), |place| (node, place)),
        None => (input, 0),
    }
}

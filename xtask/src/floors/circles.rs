//! Circles in a graph of uses.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::uses::Uses;

/// The shortest circle through each edge that is in one, each circle once, from its first
/// member in the alphabet on.
pub fn circles(uses: &Uses) -> BTreeSet<Vec<String>> {
    let mut circles = BTreeSet::new();
    for (from, targets) in uses {
        for to in targets.keys() {
            if let Some(mut circle) = shortest(uses, to, from) {
                let first = circle.iter().enumerate().min_by_key(|(_, name)| *name);
                let first = first.map_or(0, |(index, _)| index);
                circle.rotate_left(first);
                circles.insert(circle);
            }
        }
    }
    circles
}

/// The shortest way, both ends included.
fn shortest(uses: &Uses, from: &str, to: &str) -> Option<Vec<String>> {
    let mut came_from = BTreeMap::from([(from, from)]);
    let mut next = VecDeque::from([from]);
    while let Some(current) = next.pop_front() {
        if current == to {
            let mut way = vec![to.to_owned()];
            let mut at = to;
            while at != from {
                at = came_from[at];
                way.push(at.to_owned());
            }
            way.reverse();
            return Some(way);
        }
        for target in uses.get(current).into_iter().flat_map(BTreeMap::keys) {
            if !came_from.contains_key(target.as_str()) {
                came_from.insert(target, current);
                next.push_back(target);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_longer_circles_are_found_once() {
        let mut uses = Uses::new();
        let edges = ["ab", "ba", "bc", "cd", "db", "ce", "fa"];
        for edge in edges {
            let (from, to) = edge.split_at(1);
            uses.entry(from.to_owned()).or_default().insert(to.to_owned(), BTreeSet::new());
        }
        let found: Vec<String> = circles(&uses).iter().map(|circle| circle.concat()).collect();
        assert_eq!(found, ["ab", "bcd"]);
    }
}

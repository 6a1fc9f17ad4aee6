//! What H2O's tree algorithms have in common in a MOJO: how trees are filed and counted.

use decision_trees::{Builder, Comparison, Forest, Settings};

use super::engine::Source;
use crate::error::Error;
use crate::limits;
use crate::trees::{self, Format};

/// The encodings of categories that H2O scores with trees.
pub(super) const ENCODINGS: &[&str] = &[
    "AUTO",
    "Enum",
    "SortByResponse",
    "OneHotExplicit",
    "Binary",
    "Eigen",
    "LabelEncoder",
    "EnumLimited",
];

/// How many trees a MOJO says that each round of training made.
pub(super) fn trees_per_round(source: &Source<'_, '_>) -> Result<usize, Error> {
    let (info, classes) = (source.info, source.classes.count());
    // Version 1.00 does not say it.
    Ok(match info.optional("n_trees_per_class")? {
        Some(trees) => trees,
        None if classes == 2 && !info.flag("binomial_double_trees")? => 1,
        None => classes.max(1),
    })
}

/// Reads all trees of a MOJO of this version, whose sums come in `groups`; each round of
/// training made `per_round` trees.
///
/// H2O's reader passes over trees that the archive does not have, and its writer leaves out
/// those of classes without a row in training. Any other tree that is missing, or is there
/// beyond what `model.ini` says, is an error: the sums would be those of another model.
pub(super) fn read(
    source: &mut Source<'_, '_>,
    version: f64,
    groups: usize,
    per_round: usize,
) -> Result<Forest<f32>, Error> {
    let rounds: u64 = source.info.number("n_trees")?;
    let total = rounds.saturating_mul(per_round as u64);
    limits::check(|| "trees".into(), total, source.limits.entries, "entries")?;
    let beyond = source.archive.names().find(|name| {
        number(name).is_some_and(|(group, tree)| group >= per_round as u64 || tree >= rounds)
    });
    if let Some(entry) = beyond {
        return Err(Error::Contradiction {
            key: "n_trees".into(),
            reason: format!("{entry} is beyond {rounds} rounds of {per_round}"),
        });
    }

    let format = Format::of(version);
    let ends = source.features.iter().map(|feature| {
        let categories = feature.domain().map(|domain| domain.levels().len());
        format.end(categories)
    });
    let limit = source.limits.nodes;
    let mut forest = Builder::new(Settings {
        columns: source.features.len(),
        groups,
        comparison: Comparison::DoubleWithSingle,
        missing_from: ends.collect(),
        node_limit: limit,
        // A set has its bits in the archive, whose size is limited.
        set_limit: u64::MAX,
    });
    for group in 0..groups {
        let may_lack = groups > 1 && source.classes.is_absent(group);
        for tree in 0..rounds {
            let entry = format!("trees/t{group:02}_{tree:03}.bin");
            if may_lack && !source.archive.has(&entry) {
                continue;
            }
            // What would be refused for its nodes is refused before it is inflated.
            if let Some(mut stream) = source.archive.stream(&entry, LARGE)? {
                let room = limit.saturating_sub(forest.nodes());
                let nodes = trees::count(&mut stream, format, room)?;
                if nodes > room {
                    let nodes = forest.nodes().saturating_add(nodes);
                    return Err(trees::too_many_nodes(&entry, nodes, limit));
                }
            }
            let bytes = source.archive.get(&entry)?;
            trees::decode(&bytes, format, &entry, &mut forest, group)?;
        }
    }
    Ok(forest.build())
}

/// From which size in bytes on a tree's nodes are counted before it is inflated.
const LARGE: u64 = 1 << 20;

/// Which tree an entry holds: its number in its round, and the round.
fn number(entry: &str) -> Option<(u64, u64)> {
    let (number, round) = entry.strip_prefix("trees/t")?.strip_suffix(".bin")?.split_once('_')?;
    Some((number.parse().ok()?, round.parse().ok()?))
}

/// Whether a MOJO's trees are in the byte order that the decoder reads.
pub(super) fn check_byte_order(source: &Source<'_, '_>) -> Result<(), Error> {
    match source.info.text("endianness") {
        None | Some("LITTLE_ENDIAN") => Ok(()),
        Some(order) => Err(Error::Unsupported {
            what: format!("byte order {order}"),
            supported: "LITTLE_ENDIAN".into(),
        }),
    }
}

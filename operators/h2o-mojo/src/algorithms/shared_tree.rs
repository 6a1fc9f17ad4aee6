//! What H2O's tree algorithms have in common in a MOJO: how trees are filed and counted.

use super::engine::Source;
use crate::error::Error;
use crate::limits;
use crate::trees::h2o::{self, Format};
use crate::trees::{Builder, Forest};

/// How many trees a MOJO says that each round of training made.
pub(super) fn trees_per_round(source: &Source<'_, '_>) -> Result<usize, Error> {
    let Source { info, classes, .. } = source;
    // Version 1.00 does not say it.
    Ok(match info.optional("n_trees_per_class")? {
        Some(trees) => trees,
        None if *classes == 2 && !info.flag("binomial_double_trees")? => 1,
        None => (*classes).max(1),
    })
}

/// Reads all trees of a MOJO of this version, whose sums come in `groups`.
pub(super) fn read(
    source: &mut Source<'_, '_>,
    version: f64,
    groups: usize,
) -> Result<Forest, Error> {
    let trees: u64 = source.info.number("n_trees")?;
    let total = trees.saturating_mul(groups as u64);
    limits::check(|| "trees".into(), total, source.limits.entries, "entries")?;

    let format = Format::of(version);
    let ends = source.features.iter().map(|feature| {
        let categories = feature.domain().map(|domain| domain.levels().len());
        format.end(categories)
    });
    let mut forest = Builder::new(ends.collect(), groups, source.limits.nodes);
    for group in 0..groups {
        for tree in 0..trees {
            let entry = format!("trees/t{group:02}_{tree:03}.bin");
            // A tree that training left out has no entry and adds nothing.
            if let Some(bytes) = source.archive.find(&entry)? {
                forest.add(group, &entry, |trees| h2o::decode(&bytes, format, &entry, trees))?;
            }
        }
    }
    Ok(forest.build())
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

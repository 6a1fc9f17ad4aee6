//! The pictures of the demo: the handwritten digits of `models/digits/samples`,
//! repeatedly, some of them truncated.

use std::path::Path;

use anyhow::{Context, Result};

use crate::feed::Records;

/// One picture in this many is truncated.
const CUT: u64 = 100;

/// Writes one picture after the other; the key is the file's name, `NUMBER-DIGIT`.
pub fn records(samples: &Path) -> Result<Records> {
    let mut pictures = Vec::new();
    let place = || format!("{}: cannot read the pictures", samples.display());
    for entry in std::fs::read_dir(samples).with_context(place)? {
        let path = entry.with_context(place)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        pictures.push((name, std::fs::read(&path).with_context(place)?));
    }
    anyhow::ensure!(!pictures.is_empty(), "{}: no pictures found", samples.display());
    pictures.sort();
    Ok(Box::new(move |number, record| {
        let (name, picture) = &pictures[number as usize % pictures.len()];
        name.clone_into(&mut record.key);
        let cut = number % CUT == CUT - 1;
        let length = if cut { picture.len() / 2 } else { picture.len() };
        record.value.clear();
        record.value.extend_from_slice(&picture[..length]);
    }))
}

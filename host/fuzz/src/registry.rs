//! Documents of a registry, which anybody may write who may write there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use sandbar::registry::{ArtifactKind, Registry};

use crate::models::folder;

/// A registry whose documents are all the input.
struct Documents {
    registry: Registry,
    files: [PathBuf; 4],
}

static DOCUMENTS: LazyLock<Documents> = LazyLock::new(|| {
    let root = folder("registry");
    let files = [
        "models/flights/versions/1.json",
        "models/flights/aliases/production/00000001.json",
        "operators/router/versions/1.json",
        "uses/runner.json",
    ];
    let files = files.map(|file| root.join(file));
    for file in &files {
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).expect("a folder for temporary files");
    }
    let place = root.to_string_lossy().into_owned();
    let registry = Registry::open(&place, &BTreeMap::new(), Path::new("."));
    Documents { registry: registry.expect("a registry in a folder"), files }
});

/// Any document of a version, an alias or a lease is one or an error; none leads out of
/// the registry.
///
/// # Panics
/// Where a file's path does.
pub fn document(bytes: &[u8]) {
    let Documents { registry, files } = &*DOCUMENTS;
    for file in files {
        std::fs::write(file, bytes).expect("a temporary file");
    }
    for (sort, name) in [(ArtifactKind::Model, "flights"), (ArtifactKind::Operator, "router")] {
        if let Ok(version) = registry.version(sort, name, 1) {
            for file in &version.files {
                let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
                assert!(file.path.split('/').all(plain), "{}", file.path);
            }
            let _ = (version.size(), version.content(), version.id());
        }
    }
    let _ = registry.alias(ArtifactKind::Model, "flights", "production");
    let _ = registry.uses();
}

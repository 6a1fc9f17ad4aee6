//! Manifests, which people write.

use std::path::Path;

use sandbar::manifest::Manifest;

/// Any text is a manifest or an error, and a manifest that is printed is the same again.
///
/// # Panics
/// Where it is not.
pub fn manifest(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let path = Path::new("folder/manifest.toml");
    match Manifest::parse(&text, path) {
        Err(error) => {
            let said = error.to_string();
            assert!(said.contains("manifest.toml"), "the error does not name the file: {said}");
        }
        Ok(manifest) => {
            let printed = manifest.print();
            let again = Manifest::parse(&printed, path);
            let again = again.unwrap_or_else(|error| panic!("{error}\nin\n{printed}"));
            assert_eq!(again.print(), printed);
        }
    }
}

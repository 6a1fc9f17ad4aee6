//! Files that librdkafka opens by itself, as properties name them: looked at before it does,
//! since it would wait for a pipe.

use std::io::ErrorKind;
use std::path::Path;

use sandbar_config::settings::{Setting, Settings};

/// Certificates, which anybody may read: librdkafka's CONFIGURATION.md.
const PUBLIC: [&str; 3] = ["ssl.ca.location", "ssl.certificate.location", "ssl.crl.location"];
/// Keys.
const SECRET: [&str; 3] = ["ssl.key.location", "ssl.keystore.location", "sasl.kerberos.keytab"];

/// The properties whose file must not be used, and why. Missing files are librdkafka's to
/// tell, and a folder may be meant (`ssl.ca.location`).
pub(crate) fn refused(settings: &Settings) -> impl Iterator<Item = (&'static str, String)> {
    PUBLIC.into_iter().chain(SECRET).filter_map(|name| {
        let Some(Setting::Plain(path)) = settings.get(name) else { return None };
        // Relative to the folder in which the runner was started, as librdkafka has it.
        let file = Path::new(path);
        let opened = match SECRET.contains(&name) {
            true => sandbar_files::open_secret(file),
            false => sandbar_files::open(file),
        };
        let error = opened.err()?;
        let bad = match error.kind() {
            ErrorKind::InvalidInput => true,
            // Without a number it is not the system that refuses.
            ErrorKind::PermissionDenied => error.raw_os_error().is_none(),
            _ => false,
        };
        bad.then(|| (name, format!("the file {path}: {error}")))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    #[test]
    fn librdkafka_is_given_no_pipe_and_no_key_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key.pem");
        std::fs::write(&key, "a key").unwrap();
        let named = |name: &str, path: &Path| {
            let path = Setting::Plain(path.display().to_string());
            let settings = Settings::from([(name.to_owned(), path)]);
            refused(&settings).map(|(_, reason)| reason).next()
        };
        for name in PUBLIC.into_iter().chain(SECRET) {
            assert_eq!(named(name, &key), None, "{name}");
            assert_eq!(named(name, folder.path()), None, "{name}");
            assert_eq!(named(name, Path::new("probe")), None, "{name}");
            let reason = named(name, Path::new("/dev/zero")).unwrap();
            assert!(reason.contains("a device, not a regular file"), "{reason}");
        }
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        std::fs::set_permissions(&key, mode).unwrap();
        assert_eq!(named("ssl.ca.location", &key), None);
        assert!(named("ssl.key.location", &key).unwrap().contains("others can write it"));
    }
}

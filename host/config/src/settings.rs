//! Values in the manifest, or references to them in the environment or a file: so that a
//! secret need not be in a shared file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Shown in place of a secret.
pub const HIDDEN: &str = "***";

/// A value by itself or by reference.
#[derive(Clone, PartialEq, Eq)]
pub enum Setting {
    /// The value.
    Plain(String),
    /// The environment variable that has it.
    Variable(String),
    /// The file that has it, relative to the manifest's folder.
    File(PathBuf),
}

/// Values by name.
pub type Settings = BTreeMap<String, Setting>;

impl Setting {
    /// The value; `folder` is the manifest's.
    ///
    /// # Errors
    /// If it cannot be read: why, and what to do.
    pub fn value(&self, folder: &Path) -> Result<String, String> {
        match self {
            Setting::Plain(value) => Ok(value.clone()),
            Setting::Variable(name) => match std::env::var(name) {
                Ok(value) if value.is_empty() => {
                    Err(format!("the environment variable {name} is empty; give it the value"))
                }
                Ok(value) => Ok(value),
                Err(std::env::VarError::NotPresent) => Err(format!(
                    "the environment variable {name} is not set; set it, or name the right one here"
                )),
                Err(std::env::VarError::NotUnicode(_)) => {
                    Err(format!("the environment variable {name} is not UTF-8"))
                }
            },
            Setting::File(path) => {
                let path = folder.join(path);
                let shown = path.display();
                let text = sandbar_files::read_secret(&path).map_err(|error| {
                    format!(
                        "the file {shown} cannot be read: {error}; put the value there, or name the right file here"
                    )
                })?;
                // Editors end the last line with a line feed, which is not part of a password.
                let text = text.strip_suffix('\n').unwrap_or(&text);
                let text = text.strip_suffix('\r').unwrap_or(text);
                if text.is_empty() {
                    return Err(format!("the file {shown} is empty; put the value there"));
                }
                Ok(text.to_owned())
            }
        }
    }

    /// As it may be shown: a value only if it is not a secret.
    pub fn shown(&self, is_secret: bool) -> Self {
        match self {
            Setting::Plain(_) if is_secret => Setting::Plain(HIDDEN.to_owned()),
            other => other.clone(),
        }
    }
}

/// The values that can be read, and why others cannot, by name.
pub fn resolve(
    settings: &Settings,
    folder: &Path,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut values, mut missing) = (BTreeMap::new(), BTreeMap::new());
    for (name, setting) in settings {
        match setting.value(folder) {
            Ok(value) => values.insert(name.clone(), value),
            Err(reason) => missing.insert(name.clone(), reason),
        };
    }
    (values, missing)
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Setting::Plain(value) => std::fmt::Debug::fmt(value, f),
            Setting::Variable(name) => write!(f, "{{ env = {name:?} }}"),
            Setting::File(path) => write!(f, "{{ file = {path:?} }}"),
        }
    }
}

impl Serialize for Setting {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = match self {
            Setting::Plain(value) => return to.serialize_str(value),
            Setting::Variable(_) | Setting::File(_) => to.serialize_map(Some(1))?,
        };
        match self {
            Setting::Plain(_) => {}
            Setting::Variable(name) => map.serialize_entry("env", name)?,
            Setting::File(path) => map.serialize_entry("file", path)?,
        }
        map.end()
    }
}

/// Values of a TOML table: text, numbers, booleans, or references.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Settings, D::Error> {
    let values = BTreeMap::<String, toml::Value>::deserialize(from)?;
    let read = |(key, value): (String, toml::Value)| {
        let setting = setting(&key, value).map_err(D::Error::custom)?;
        Ok((key, setting))
    };
    values.into_iter().map(read).collect()
}

fn setting(key: &str, value: toml::Value) -> Result<Setting, String> {
    match value {
        toml::Value::String(text) => Ok(Setting::Plain(text)),
        toml::Value::Integer(number) => Ok(Setting::Plain(number.to_string())),
        toml::Value::Float(number) => Ok(Setting::Plain(number.to_string())),
        toml::Value::Boolean(flag) => Ok(Setting::Plain(flag.to_string())),
        toml::Value::Table(table) => elsewhere(key, &table),
        value => {
            Err(format!("the property '{key}' has type {}; write it as a string", value.type_str()))
        }
    }
}

/// A table is a reference to the value.
fn elsewhere(key: &str, table: &toml::Table) -> Result<Setting, String> {
    let name = |word: &str| table.get(word)?.as_str().filter(|name| !name.trim().is_empty());
    match (table.len(), name("env"), name("file")) {
        (1, Some(variable), None) => Ok(Setting::Variable(variable.to_owned())),
        (1, None, Some(path)) => Ok(Setting::File(path.into())),
        _ if table.contains_key("env") || table.contains_key("file") => Err(format!(
            "the property '{key}' has an invalid reference; write {{ env = \"VARIABLE\" }} or {{ file = \"PATH\" }}"
        )),
        _ => Err(format!(
            "the property '{key}' is a table; quote a property name that contains dots, as in \"security.protocol\" = \"ssl\""
        )),
    }
}

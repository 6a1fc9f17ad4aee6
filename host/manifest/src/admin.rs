//! `[admin]`: where the runner serves metrics and health, and who may read and make changes.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use sandbar_config::settings::Setting;

/// A port that metrics exporters commonly use.
const PORT: u16 = 9464;

/// `[admin]`: the runner's HTTP interface.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Admin {
    /// The address to listen on, or `off`. Default: `127.0.0.1:9464`, if that is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<Listen>,
    /// The token that changes need. Default: none; then everybody on this machine may make
    /// changes, if the address is a loopback one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// Further tokens, each with a name and a role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<AdminToken>,
    /// Who may read. Default: every client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Reading>,
    /// Names that clients without a token may address the runner by, besides IP addresses and
    /// `localhost`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// An address where health and readiness are served, and nothing else. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Listen>,
    /// The certificate that it has. Default: none, and no TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<AdminTls>,
}

/// A token by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdminToken {
    /// What its holder is called in events.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// Where it is.
    pub token: Secret,
}

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Read.
    Read,
    /// Read, and change what is served.
    Change,
}

/// Who may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Every client.
    Open,
    /// Who has a token.
    Token,
}

/// Files in PEM, relative to the manifest's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdminTls {
    /// The certificate, followed by those between it and a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Certificates of those who sign clients' certificates. Default: clients need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
}

/// Where to read a value that must not be in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) Setting);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(from)?;
        let table = value.as_table().filter(|table| table.len() == 1);
        let name = |word: &str| {
            table?.get(word)?.as_str().filter(|name| !name.trim().is_empty()).map(str::to_owned)
        };
        match (name("env"), name("file")) {
            (Some(variable), _) => Ok(Secret(Setting::Variable(variable))),
            (_, Some(path)) => Ok(Secret(Setting::File(path.into()))),
            _ => Err(serde::de::Error::custom(
                "secrets are not allowed in a manifest; write { env = \"VARIABLE\" } or { file = \"PATH\" }",
            )),
        }
    }
}

/// An address to listen on, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// This address.
    At(SocketAddr),
    /// None.
    Off,
}

impl Default for Listen {
    fn default() -> Self {
        Listen::At((Ipv4Addr::LOCALHOST, PORT).into())
    }
}

impl Listen {
    /// The address, if any.
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Listen::At(address) => Some(address),
            Listen::Off => None,
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Listen::Off);
        }
        text.parse().map(Listen::At).map_err(|_| {
            format!(
                "'{text}' is not an address; write IP:PORT, as in \"127.0.0.1:{PORT}\", or \"off\""
            )
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::At(address) => address.fmt(f),
            Listen::Off => f.write_str("off"),
        }
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Listen {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

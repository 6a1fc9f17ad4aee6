//! The servers of a runner, as its manifest and the command line have them.

use std::sync::Arc;

use sandbar_manifest::{Listen, Manifest, Reading, Role};
use thiserror::Error;

use crate::admin::access::{Access, Token};
use crate::admin::{Admin, AdminError, Names, Subject, Tls, TlsFiles};

/// What the token of `[admin] token` and `--admin-token` is called in events.
const TOKEN: &str = "token";

/// Why no server can be set up.
#[derive(Debug, Error)]
pub enum ServerError {
    /// A token cannot be read.
    #[error("{0}")]
    Token(String),
    /// A certificate cannot be used.
    #[error("{0}")]
    Tls(String),
}

/// What the command line says instead of the manifest.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    pub(super) listen: Option<Listen>,
    pub(super) health: Option<Listen>,
    pub(super) token: Option<String>,
}

/// The servers that are to be.
pub(super) struct Http {
    /// `None`: nobody has chosen one.
    listen: Option<Listen>,
    health: Listen,
    access: Access,
    tls: Option<Tls>,
}

impl Http {
    /// Reads tokens and certificates.
    ///
    /// # Errors
    /// If one cannot be used.
    pub(super) fn of(manifest: &Manifest, overrides: Overrides) -> Result<Self, ServerError> {
        let Overrides { listen, health, token } = overrides;
        let admin = &manifest.admin;
        let listen = listen.or(admin.listen);
        let token = match token {
            Some(token) => Some(token),
            None => manifest
                .admin_token()
                .map_err(|error| ServerError::Token(format!("[admin] token: {error}")))?,
        };
        let mut tokens: Vec<Token> =
            token.iter().map(|secret| Token::new(TOKEN, Role::Change, secret)).collect();
        let named = manifest.admin_tokens();
        for (named, secret) in
            named.map_err(|it| ServerError::Token(format!("{}: {}", it.place, it.message)))?
        {
            if token.as_ref() == Some(&secret) {
                return Err(ServerError::Token(format!(
                    "[[admin.tokens]] '{}': the same as [admin] token; make one for each",
                    named.name
                )));
            }
            tokens.push(Token::new(&named.name, named.role, &secret));
        }
        // Not when the manifest is checked: the command line may have one.
        let read_needs_token = admin.read == Some(Reading::Token);
        if read_needs_token && tokens.is_empty() {
            let message = "[admin] read: there is no token to read with; add [[admin.tokens]]";
            return Err(ServerError::Token(message.to_owned()));
        }
        let address = listen.unwrap_or_default().address();
        let local = address.is_none_or(|address| address.ip().is_loopback());
        let allowed = admin.hosts.iter().map(|name| name.to_ascii_lowercase()).collect();
        let access =
            Access { tokens, read_needs_token, local, names: Names { allowed, short: !local } };
        let tls = admin.tls.as_ref().filter(|_| address.is_some()).map(|tls| {
            let at = |path: &std::path::Path| manifest.folder().join(path);
            Tls::load(TlsFiles {
                certificate: at(&tls.certificate),
                key: at(&tls.key),
                client_ca: tls.client_ca.as_deref().map(at),
            })
        });
        let tls = tls.transpose().map_err(ServerError::Tls)?;
        let health = health.or(admin.health).unwrap_or(Listen::Off);
        Ok(Http { listen, health, access, tls })
    }

    /// Who may use the server.
    pub(super) fn access(&self) -> Access {
        self.access.clone()
    }

    /// Starts the servers; they end when they are dropped. With the default address a failure is
    /// no error: several runners on one machine would conflict.
    pub(super) fn serve(self, subject: Subject) -> Result<Vec<Admin>, AdminError> {
        let (subject, mut servers) = (Arc::new(subject), Vec::new());
        if let Some(address) = self.health.address() {
            let health = Admin::health(address, subject.clone())?;
            tracing::info!(address = %health.address(), "serving health");
            servers.push(health);
        }
        let Some(address) = self.listen.unwrap_or_default().address() else { return Ok(servers) };
        match Admin::start(address, self.tls, subject) {
            Ok(admin) => {
                tracing::info!(address = %admin.address(), "serving metrics and health");
                servers.push(admin);
            }
            Err(error) if self.listen.is_none() => {
                tracing::warn!(%error, "metrics and health are not served");
            }
            Err(error) => return Err(error),
        }
        Ok(servers)
    }
}

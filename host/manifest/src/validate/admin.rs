//! The rules of `[admin]`.

use std::path::Path;

use sandbar_config::{KeyPath, name_problem};

use crate::admin::{Admin, AdminToken, Listen};

/// Names of tokens that events have for others.
const TAKEN: [&str; 2] = ["local", "token"];
/// How many tokens there may be: each is compared with that of every request.
const TOKENS: usize = 64;

/// What is wrong, and where.
pub(super) fn problems(admin: &Admin) -> Vec<(KeyPath, String)> {
    let at = |key| KeyPath::of("admin").key(key);
    let mut found = token_problems(&admin.tokens);
    for (index, host) in admin.hosts.iter().enumerate().filter(|(_, host)| !is_name(host)) {
        let message = format!(
            "'{host}' is not a name; write it without scheme and port, as in \"runner.example.com\""
        );
        found.push((at("hosts").index(index), message));
    }
    let address = |listen: Option<Listen>| listen.and_then(Listen::address);
    if let (Some(one), Some(other)) = (address(admin.listen), address(admin.health))
        && one == other
        && one.port() != 0
    {
        let message =
            "the same address as listen, which serves health as well; choose another port";
        found.push((at("health"), message.to_owned()));
    }
    let files = admin.tls.iter().flat_map(|tls| {
        [
            ("certificate", Some(&tls.certificate)),
            ("key", Some(&tls.key)),
            ("client-ca", tls.client_ca.as_ref()),
        ]
    });
    for (key, _) in files.filter(|(_, file)| file.is_some_and(|file| file == Path::new(""))) {
        let message = "must not be empty; name a file in PEM";
        found.push((at("tls").key(key), message.to_owned()));
    }
    found
}

fn token_problems(tokens: &[AdminToken]) -> Vec<(KeyPath, String)> {
    let at = || KeyPath::of("admin").key("tokens");
    let mut found = Vec::new();
    if tokens.len() > TOKENS {
        found.push((at(), format!("more than {TOKENS} tokens; remove some")));
    }
    for (index, token) in tokens.iter().enumerate() {
        let name = token.name.as_str();
        let taken = TAKEN
            .contains(&name)
            .then(|| format!("'{name}' means others in events; choose another name"));
        let twice = tokens[..index]
            .iter()
            .any(|other| other.name == name)
            .then(|| format!("there is a token '{name}' already; choose another name"));
        if let Some(message) = name_problem(name).or(taken).or(twice) {
            found.push((at().index(index).key("name"), message));
        }
    }
    found
}

/// Whether a text is the name of a host: labels of letters, digits and hyphens.
fn is_name(text: &str) -> bool {
    let fine = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    text.len() <= 253 && text.split('.').all(fine)
}

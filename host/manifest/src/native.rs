//! What a manifest may not do by itself: a manifest is data, and whoever checks or runs one need
//! not read it first. Some properties of librdkafka, and some options of object stores, load
//! code, start programs, or send and write files; those are refused by name unless the command
//! line trusts the manifest (`--allow-native`).

use sandbar_config::settings::Settings;

/// What a manifest may bring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trust {
    /// Data alone.
    #[default]
    Data,
    /// Also properties that load code, start programs, or send and write files: whoever wrote
    /// the manifest may do on this machine what its user may.
    Native,
}

const LOADS: &str = "loads native code into the runner";
const SHELL: &str = "is part of a command line that a shell runs";
const POINTER: &str = "is the address of a function or of data of a program";
const SENDS: &str = "reads any file, which may be sent to a server that the manifest names";
const WRITES: &str = "writes a file for offsets, beside the offsets that Sandbar commits";
const SIGNAL: &str = "sends a signal to threads of the runner, which may end it";
const REPLACES: &str = "replaces the brokers by a test's";

/// librdkafka's properties of this kind, as of 2.12.1 (its `CONFIGURATION.md`, and those of
/// `rdkafka_conf.c` that it hides), each with what it does.
const PROPERTIES: &[(&str, &str)] = &[
    ("plugin.library.paths", LOADS),
    ("interceptors", LOADS),
    ("ssl.engine.location", LOADS),
    ("ssl.engine.id", LOADS),
    ("ssl.providers", LOADS),
    ("ssl_engine_callback_data", POINTER),
    ("sasl.kerberos.kinit.cmd", SHELL),
    ("sasl.kerberos.keytab", SHELL),
    ("sasl.kerberos.principal", SHELL),
    ("sasl.oauthbearer.assertion.file", SENDS),
    ("sasl.oauthbearer.assertion.jwt.template.file", SENDS),
    ("sasl.oauthbearer.assertion.private.key.file", SENDS),
    ("offset.store.path", WRITES),
    ("offset.store.method", WRITES),
    ("internal.termination.signal", SIGNAL),
    ("test.mock.num.brokers", REPLACES),
    ("test.mock.broker.rtt", REPLACES),
    ("error_cb", POINTER),
    ("throttle_cb", POINTER),
    ("stats_cb", POINTER),
    ("log_cb", POINTER),
    ("background_event_cb", POINTER),
    ("socket_cb", POINTER),
    ("connect_cb", POINTER),
    ("closesocket_cb", POINTER),
    ("open_cb", POINTER),
    ("resolve_cb", POINTER),
    ("opaque", POINTER),
    ("default_topic_conf", POINTER),
    ("ssl_key", POINTER),
    ("ssl_certificate", POINTER),
    ("ssl_ca", POINTER),
    ("ssl.certificate.verify_cb", POINTER),
    ("oauthbearer_token_refresh_cb", POINTER),
    ("consume_cb", POINTER),
    ("rebalance_cb", POINTER),
    ("offset_commit_cb", POINTER),
    ("dr_cb", POINTER),
    ("dr_msg_cb", POINTER),
    ("partitioner_cb", POINTER),
    ("msg_order_cmp", POINTER),
    ("ut_handle_ProduceResponse", POINTER),
];

/// Options of object stores of this kind (`object_store` 0.14), without the name of the cloud
/// that may stand before them.
const OPTIONS: &[(&str, &str)] = &[
    ("use_azure_cli", "starts the program `az`"),
    ("credential_type", "may start the program `az`"),
    ("federated_token_file", SENDS),
    ("web_identity_token_file", SENDS),
    ("container_authorization_token_file", SENDS),
];

/// What the property does that a manifest may not; `None` if it is data.
pub(crate) fn property(name: &str) -> Option<&'static str> {
    PROPERTIES.iter().find(|(it, _)| *it == name).map(|(_, does)| *does)
}

/// The options of a store that do what a manifest may not, and what that is.
pub(crate) fn options(settings: &Settings) -> impl Iterator<Item = (&str, &'static str)> {
    settings.keys().filter_map(|name| {
        let lower = name.to_ascii_lowercase();
        let bare = lower.strip_prefix("aws_").or(lower.strip_prefix("azure_")).unwrap_or(&lower);
        let found = OPTIONS.iter().find(|(it, _)| *it == bare);
        found.map(|(_, does)| (name.as_str(), *does))
    })
}

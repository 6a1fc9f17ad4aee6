//! Listeners for authenticated clients, beside the open one that the harness uses.

/// Which clients may connect, and the broker's own identity. All certificates
/// and keys are PEM.
#[derive(Clone, Default)]
pub struct Security {
    /// The broker's certificate, followed by those that it is signed by.
    pub certificate: String,
    /// Its private key, as PKCS#8 without a password.
    pub key: String,
    /// The authority that signs the certificates of clients.
    pub authority: String,
    /// Names and passwords, known by PLAIN and by both kinds of SCRAM.
    pub users: Vec<(String, String)>,
    /// Super users, such as `sandbar` or `CN=sandbar`; all others may do
    /// nothing. Clients of the open listener are always super users.
    pub trusted: Vec<String>,
}

/// The ports of such listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecurePorts {
    /// SASL without encryption.
    pub sasl_plaintext: u16,
    /// SASL over TLS, without certificates of clients.
    pub sasl_ssl: u16,
    /// TLS, where a client must have a certificate.
    pub ssl: u16,
}

impl SecurePorts {
    /// As they stand in `listeners`, behind another one.
    pub(super) fn listeners(self) -> String {
        let Self { sasl_plaintext, sasl_ssl, ssl } = self;
        format!(
            ",SASL_PLAINTEXT://127.0.0.1:{sasl_plaintext},SASL_SSL://127.0.0.1:{sasl_ssl},SSL://127.0.0.1:{ssl}"
        )
    }
}

impl Security {
    /// The broker's settings, besides the listeners.
    pub(super) fn settings(&self) -> String {
        let Self { certificate, key, authority, users, trusted } = self;
        let [certificate, key, authority] =
            [certificate, key, authority].map(|pem| pem.trim_end().replace('\n', "\\n"));
        let plain: String =
            users.iter().map(|(name, password)| format!(" user_{name}=\"{password}\"")).collect();
        let trusted: String = trusted.iter().map(|name| format!(";User:{name}")).collect();
        let mut settings = format!(
            "\
ssl.keystore.type=PEM
ssl.keystore.certificate.chain={certificate}
ssl.keystore.key={key}
ssl.truststore.type=PEM
ssl.truststore.certificates={authority}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS{trusted}
"
        );
        for listener in ["sasl_plaintext", "sasl_ssl"] {
            let package = "org.apache.kafka.common.security";
            settings += &format!(
                "\
listener.name.{listener}.plain.sasl.jaas.config={package}.plain.PlainLoginModule required{plain};
listener.name.{listener}.scram-sha-256.sasl.jaas.config={package}.scram.ScramLoginModule required;
listener.name.{listener}.scram-sha-512.sasl.jaas.config={package}.scram.ScramLoginModule required;
"
            );
        }
        settings
    }

    /// Arguments of the format tool, which makes the users of SCRAM.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for (name, password) in &self.users {
            for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
                arguments.push("--add-scram".to_owned());
                arguments.push(format!("{mechanism}=[name={name},password={password}]"));
            }
        }
        arguments
    }
}

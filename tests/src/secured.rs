//! An Apache Kafka that lets only known clients in, and certificates for it and them.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::mpsc::channel;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name};
use xtask::kafka::{Cluster, Installation, Lifetime, Options, SecurePorts, Security};

use crate::broker::Broker;
use crate::paths::project;

/// The password of the user `sandbar`, who may do everything.
pub const PASSWORD: &str = "open-sesame-7d1f";
/// The password of the user `stranger`, who may do nothing.
pub const OTHER_PASSWORD: &str = "let-me-look-93ab";

/// A cluster of one broker, which all tests of a process share.
pub struct Secured {
    open: String,
    /// Where it lets only known clients in.
    pub ports: SecurePorts,
    folder: PathBuf,
}

impl Secured {
    /// The cluster, which ends with this process. `None` where there is no Apache Kafka for
    /// tests.
    pub fn start() -> Option<&'static Self> {
        static SECURED: OnceLock<Secured> = OnceLock::new();
        Broker::apache()?;
        Some(SECURED.get_or_init(|| {
            let (tell, told) = channel();
            // The broker ends with the thread that started it.
            std::thread::spawn(move || {
                let (cluster, secured) = start();
                tell.send(secured).unwrap();
                loop {
                    std::thread::park();
                    let _ = &cluster;
                }
            });
            told.recv().unwrap()
        }))
    }

    /// The broker, as everybody may use it.
    pub fn broker(&self) -> Broker {
        Broker::Apache(self.open.clone())
    }

    /// A file: `ca.pem`, `other-ca.pem`, `client.pem` or `client.key`.
    pub fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }
}

fn start() -> (Cluster, Secured) {
    let authority = Authority::new("Tests");
    let (certificate, key) = authority.sign("broker");
    let (client, client_key) = authority.sign("sandbar");
    // Files go with the build's other products, since nobody is there to delete them.
    let folder = project().join("target/secured");
    std::fs::create_dir_all(&folder).unwrap();
    let others = Authority::new("Others");
    for (name, content) in [
        ("ca.pem", authority.pem()),
        ("other-ca.pem", others.pem()),
        ("client.pem", client),
        ("client.key", client_key),
    ] {
        std::fs::write(folder.join(name), content).unwrap();
    }
    let user = |name: &str, password: &str| (name.to_owned(), password.to_owned());
    let security = Security {
        certificate,
        key,
        authority: authority.pem(),
        users: vec![user("sandbar", PASSWORD), user("stranger", OTHER_PASSWORD)],
        trusted: ["sandbar", "CN=sandbar"].map(str::to_owned).to_vec(),
    };
    let installation = Installation::resolve(None);
    let installation = installation.unwrap_or_else(|_| panic!("there is no Apache Kafka to start"));
    let name = format!("secured-{}", std::process::id());
    let options = Options { security: Some(security), ..Options::default() };
    let cluster =
        Cluster::start_with(&installation, &name, 1, None, Lifetime::Ours, &options).unwrap();
    let (open, ports) = (cluster.bootstrap().to_owned(), cluster.secured().unwrap());
    (cluster, Secured { open, ports, folder })
}

/// Signs certificates.
pub struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

impl Authority {
    /// One of this name.
    pub fn new(name: &str) -> Self {
        let key = new_key();
        let mut builder = builder(name, &key);
        builder.set_issuer_name(&named(name)).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Authority { certificate: builder.build(), key }
    }

    /// A certificate and its key, for whoever is called that on this machine.
    pub fn sign(&self, name: &str) -> (String, String) {
        let key = new_key();
        let mut builder = builder(name, &key);
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let address =
            SubjectAlternativeName::new().ip("127.0.0.1").dns("localhost").build(&context).unwrap();
        builder.append_extension(address).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build().to_pem().unwrap();
        (text(certificate), text(key.private_key_to_pem_pkcs8().unwrap()))
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        text(self.certificate.to_pem().unwrap())
    }
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn builder(name: &str, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(120, MsbOption::MAYBE_ZERO, false).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&named(name)).unwrap();
    builder.set_pubkey(key).unwrap();
    // Clocks of tests may be a little wrong, and they last no year.
    let since = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64 - 86_400;
    builder.set_not_before(&Asn1Time::from_unix(since).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(365).unwrap()).unwrap();
    builder
}

fn named(name: &str) -> X509Name {
    let mut builder = X509Name::builder().unwrap();
    builder.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    builder.build()
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).unwrap()
}

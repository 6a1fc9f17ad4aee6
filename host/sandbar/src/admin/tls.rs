//! TLS of the server, with the OpenSSL that Kafka's client has. Certificates that are replaced
//! on disk are taken up.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use openssl::pkey::{PKey, Private};
use openssl::ssl::{AlpnError, Ssl, SslAcceptor, SslMethod, SslVerifyMode, select_next_proto};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use sandbar_files::limits;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// How often the files are looked at, at most.
const AGAIN: Duration = Duration::from_secs(1);
/// What is spoken, as ALPN has it.
const PROTOCOLS: &[u8] = b"\x08http/1.1";

/// The files of a server's certificates, in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Its certificate, then those between it and a root.
    pub certificate: PathBuf,
    /// The key of the first of them, without a passphrase.
    pub key: PathBuf,
    /// Who signs the certificates of clients. `None`: clients need none.
    pub client_ca: Option<PathBuf>,
}

/// What they say now.
pub struct Tls {
    files: TlsFiles,
    acceptor: SslAcceptor,
    stamps: Stamps,
    looked: Instant,
}

/// When each file was last changed, and its size; `None` where there is none.
type Stamps = Vec<Option<(SystemTime, u64)>>;

impl Tls {
    /// Reads them.
    ///
    /// # Errors
    /// If one cannot be used: which, and why.
    pub fn load(files: TlsFiles) -> Result<Self, String> {
        let stamps = files.stamps();
        Ok(Tls { acceptor: files.acceptor()?, files, stamps, looked: Instant::now() })
    }

    /// What connections from now on use. Where new files are unfit, the old ones stay.
    pub(super) fn current(&mut self) -> SslAcceptor {
        if self.looked.elapsed() >= AGAIN {
            self.looked = Instant::now();
            let stamps = self.files.stamps();
            if stamps != self.stamps {
                self.stamps = stamps;
                match self.files.acceptor() {
                    Ok(acceptor) => {
                        self.acceptor = acceptor;
                        tracing::info!("admin certificate renewed");
                    }
                    Err(error) => {
                        tracing::warn!(%error, "admin certificate not renewed, the old one stays");
                    }
                }
            }
        }
        self.acceptor.clone()
    }
}

/// Agrees on TLS with a client.
pub(super) async fn accept(
    acceptor: &SslAcceptor,
    stream: TcpStream,
) -> Result<SslStream<TcpStream>, openssl::ssl::Error> {
    let mut stream = SslStream::new(Ssl::new(acceptor.context())?, stream)?;
    std::pin::Pin::new(&mut stream).accept().await?;
    Ok(stream)
}

impl TlsFiles {
    fn stamps(&self) -> Stamps {
        let files = [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()];
        let stamp = |file: &PathBuf| {
            let metadata = std::fs::metadata(file).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        files.into_iter().flatten().map(stamp).collect()
    }

    fn acceptor(&self) -> Result<SslAcceptor, String> {
        let chain = certificates("certificate", &self.certificate)?;
        let key = key(&self.key)?;
        let clients = self.client_ca.as_deref().map(|file| certificates("client-ca", file));
        let clients = clients.transpose()?;
        build(&chain, &key, clients.as_deref()).map_err(|error| {
            format!(
                "[admin] tls: {} and {} do not fit together: {error}; name a certificate and its key",
                self.certificate.display(),
                self.key.display()
            )
        })
    }
}

fn build(
    chain: &[X509],
    key: &PKey<Private>,
    clients: Option<&[X509]>,
) -> Result<SslAcceptor, openssl::error::ErrorStack> {
    // TLS 1.2 and 1.3, as Mozilla advises for servers.
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    for (index, certificate) in chain.iter().enumerate() {
        match index {
            0 => builder.set_certificate(certificate)?,
            _ => builder.add_extra_chain_cert(certificate.clone())?,
        }
    }
    builder.set_private_key(key)?;
    builder.check_private_key()?;
    // Without it, a client with a certificate could not come back to its session.
    builder.set_session_id_context(b"sandbar-admin")?;
    builder.set_alpn_select_callback(|_, offered| {
        select_next_proto(PROTOCOLS, offered).ok_or(AlpnError::NOACK)
    });
    if let Some(clients) = clients {
        let mut store = X509StoreBuilder::new()?;
        for certificate in clients {
            builder.add_client_ca(certificate)?;
            store.add_cert(certificate.clone())?;
        }
        builder.set_verify_cert_store(store.build())?;
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    Ok(builder.build())
}

fn certificates(what: &str, file: &Path) -> Result<Vec<X509>, String> {
    let found = X509::stack_from_pem(&read(what, file)?).map_err(|error| error.to_string());
    let found = found.and_then(|found| match found.is_empty() {
        true => Err("it has none".to_owned()),
        false => Ok(found),
    });
    found.map_err(|error| {
        format!(
            "[admin] tls {what}: {}: no certificates: {error}; name a file of certificates in PEM",
            file.display()
        )
    })
}

fn key(file: &Path) -> Result<PKey<Private>, String> {
    let text = read("key", file)?;
    // Without this, OpenSSL asks for a passphrase on the terminal.
    let key = PKey::private_key_from_pem_callback(&text, |_| Ok(0));
    key.map_err(|error| {
        format!(
            "[admin] tls key: {}: no private key: {error}; name a file with one in PEM, without \
             a passphrase",
            file.display()
        )
    })
}

/// Reads a file.
fn read(what: &str, file: &Path) -> Result<Vec<u8>, String> {
    sandbar_files::read(file, limits::SECRET).map_err(|error| {
        format!("[admin] tls {what}: {} cannot be read: {error}; name another file", file.display())
    })
}

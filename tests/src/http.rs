//! A small HTTP server on this machine, that answers as a test wants and remembers what
//! it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Error, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssl::pkey::PKey;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::X509;

/// What the server was asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// GET, PUT and so on.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, where its length is said in advance.
    pub body: Vec<u8>,
    /// How often this was asked for before.
    pub before: usize,
}

/// What the server answers.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status; 0 is 200.
    pub status: u16,
    /// Headers, besides the length.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the length is said in advance.
    pub unsized_body: bool,
    /// After so many bytes of the body the connection breaks.
    pub cut: Option<usize>,
    /// Before the answer begins.
    pub delay: Duration,
}

impl Answer {
    /// 200 with a body.
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Answer { body: body.into(), ..Answer::default() }
    }

    /// A status and nothing else.
    pub fn status(status: u16) -> Self {
        Answer { status, ..Answer::default() }
    }

    /// A redirect.
    pub fn redirect(to: impl Into<String>) -> Self {
        Answer { headers: vec![("location", to.into())], ..Answer::status(302) }
    }
}

/// The server. It ends when this is dropped.
pub struct Server {
    scheme: &'static str,
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// A server that answers with what `answer` says, each connection on a thread.
    pub fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Server::listen("http", Ok, answer)
    }

    /// The same behind TLS, with a certificate in PEM and its key.
    pub fn encrypted(
        (certificate, key): (String, String),
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_certificate(&X509::from_pem(certificate.as_bytes()).unwrap()).unwrap();
        let key = PKey::private_key_from_pem(key.as_bytes()).unwrap();
        acceptor.set_private_key(&key).unwrap();
        let acceptor = acceptor.build();
        let accept = move |connection| acceptor.accept(connection).map_err(Error::other);
        Server::listen("https", accept, answer)
    }

    fn listen<S: Read + Write>(
        scheme: &'static str,
        accept: impl Fn(TcpStream) -> std::io::Result<S> + Send + Sync + 'static,
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (requests, ended) =
            (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, end) = (requests.clone(), ended.clone());
        let (accept, answer) = (Arc::new(accept), Arc::new(answer));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let (seen, accept, answer) = (seen.clone(), accept.clone(), answer.clone());
                std::thread::spawn(move || {
                    // A client may go away when it likes.
                    let _ = serve(accept(connection?)?, &seen, &*answer);
                    std::io::Result::Ok(())
                });
            }
        });
        Server { scheme, address, requests, ended }
    }

    /// The URL of a path of this server.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// All that was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(&self.address);
    }
}

fn serve(
    connection: impl Read + Write,
    seen: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request) -> Answer,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let request = {
        let mut seen = seen.lock().unwrap();
        let before = seen.iter().filter(|request| request.target == target).count();
        seen.push(Request { method, target, headers, body, before });
        seen[seen.len() - 1].clone()
    };
    let Answer { status, headers, body, unsized_body, cut, delay } = answer(&request);
    std::thread::sleep(delay);
    let status = if status == 0 { 200 } else { status };
    let mut head = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !unsized_body {
        head += &format!("content-length: {}\r\n", body.len());
    }
    let connection = reader.get_mut();
    connection.write_all(format!("{head}\r\n").as_bytes())?;
    connection.write_all(&body[..cut.unwrap_or(body.len()).min(body.len())])?;
    connection.flush()
}

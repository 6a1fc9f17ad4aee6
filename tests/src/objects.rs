//! A small object store on this machine that speaks as S3, Google's or Azure's do, as far
//! as a registry does: objects are put (also only if there is none), got, listed and
//! removed. It checks no signature.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::http::{Answer, Request, Server};

/// The store. It ends when this is dropped.
pub struct Store {
    server: Server,
    objects: Objects,
    tongue: Tongue,
}

/// Whose protocol it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// Amazon's, and that of many others.
    S3,
    /// That of Google Cloud Storage.
    Google,
    /// That of Azure Blob Storage.
    Azure,
}

type Objects = Arc<Mutex<BTreeMap<String, (Vec<u8>, SystemTime)>>>;

/// The bucket that there is.
pub const BUCKET: &str = "bucket";

impl Store {
    /// An empty store.
    pub fn start(tongue: Tongue) -> Self {
        let objects = Objects::default();
        let shared = objects.clone();
        let server = Server::start(move |request| answer(tongue, request, &shared));
        Store { server, objects, tongue }
    }

    /// The URL of a registry in it.
    pub fn location(&self, prefix: &str) -> String {
        let scheme = match self.tongue {
            Tongue::S3 => "s3",
            Tongue::Google => "gs",
            Tongue::Azure => "az",
        };
        format!("{scheme}://{BUCKET}/{prefix}")
    }

    /// What a client must know of it, as options of a registry.
    pub fn options(&self) -> BTreeMap<String, String> {
        let pair = |(name, value): (&str, String)| (name.to_owned(), value);
        let url = self.server.url("");
        let options = match self.tongue {
            Tongue::S3 => vec![
                ("endpoint", url),
                ("region", "eu-west-3".to_owned()),
                ("access_key_id", "AKID".to_owned()),
                ("secret_access_key", "hush".to_owned()),
            ],
            Tongue::Google => {
                vec![("google_base_url", url), ("google_bearer_token", "hush".to_owned())]
            }
            Tongue::Azure => vec![
                ("azure_storage_endpoint", url),
                ("azure_storage_account_name", "AKID".to_owned()),
                // `hush` in base64.
                ("azure_storage_account_key", "aHVzaA==".to_owned()),
            ],
        };
        options.into_iter().map(pair).collect()
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    /// All that was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }
}

fn answer(tongue: Tongue, request: &Request, objects: &Objects) -> Answer {
    let mut objects = objects.lock().unwrap();
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let path = decode(path);
    let Some(rest) = path.strip_prefix(&format!("/{BUCKET}")) else { return Answer::status(404) };
    let key = rest.trim_start_matches('/').to_owned();
    match request.method.as_str() {
        "PUT" => {
            let says =
                |name: &str, value: &str| request.headers.get(name).is_some_and(|it| it == value);
            let only_new = match tongue {
                Tongue::S3 | Tongue::Azure => says("if-none-match", "*"),
                Tongue::Google => says("x-goog-if-generation-match", "0"),
            };
            if only_new && objects.contains_key(&key) {
                return Answer::status(412);
            }
            objects.insert(key, (request.body.clone(), SystemTime::now()));
            let generation = ("x-goog-generation", "1".to_owned());
            let headers = vec![("etag", "\"1\"".to_owned()), generation];
            Answer {
                headers,
                status: if tongue == Tongue::Azure { 201 } else { 200 },
                ..Answer::default()
            }
        }
        "GET" if key.is_empty() => list(tongue, &objects, query),
        "GET" | "HEAD" => match objects.get(&key) {
            None => Answer::status(404),
            Some((body, modified)) => Answer {
                headers: vec![
                    ("etag", "\"1\"".into()),
                    ("x-goog-generation", "1".into()),
                    ("last-modified", time(*modified).in_headers()),
                ],
                body: body.clone(),
                cut: (request.method == "HEAD").then_some(0),
                ..Answer::default()
            },
        },
        "POST" if query.starts_with("delete") => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let mut deleted = String::new();
            for part in body.split("<Key>").skip(1) {
                let key = part.split("</Key>").next().unwrap_or_default();
                objects.remove(key);
                deleted += &format!("<Deleted><Key>{key}</Key></Deleted>");
            }
            xml(format!("<DeleteResult>{deleted}</DeleteResult>"))
        }
        "POST" if query.contains("comp=batch") => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let mut answers = String::new();
            let lines = body.lines().filter_map(|line| line.strip_prefix("DELETE /"));
            for (index, line) in lines.enumerate() {
                let path = line.split([' ', '?']).next().unwrap_or_default();
                let key = decode(path);
                objects.remove(key.strip_prefix(&format!("{BUCKET}/")).unwrap_or(&key));
                answers += &format!(
                    "--b\r\nContent-Type: application/http\r\nContent-ID: {index}\r\n\r\n\
                     HTTP/1.1 202 Accepted\r\n\r\n\r\n"
                );
            }
            Answer {
                status: 202,
                headers: vec![("content-type", "multipart/mixed; boundary=b".into())],
                ..Answer::body(format!("{answers}--b--\r\n"))
            }
        }
        "DELETE" => {
            objects.remove(&key);
            Answer::status(204)
        }
        _ => Answer::status(405),
    }
}

fn list(tongue: Tongue, objects: &BTreeMap<String, (Vec<u8>, SystemTime)>, query: &str) -> Answer {
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| decode(value)).next()
    };
    let prefix = value("prefix").unwrap_or_default();
    let is_flat = value("delimiter").is_none();
    let (mut contents, mut folders) = (String::new(), BTreeSet::new());
    for (key, (body, modified)) in objects {
        let Some(rest) = key.strip_prefix(&prefix) else { continue };
        match rest.split_once('/').filter(|_| !is_flat) {
            Some((folder, _)) => {
                folders.insert(format!("{prefix}{folder}/"));
            }
            None if tongue == Tongue::Azure => {
                contents += &format!(
                    "<Blob><Name>{key}</Name><Properties><Last-Modified>{}</Last-Modified>\
                     <Etag>1</Etag><Content-Length>{}</Content-Length>\
                     <Content-Type>a/b</Content-Type></Properties></Blob>",
                    time(*modified).in_headers(),
                    body.len()
                );
            }
            None => {
                contents += &format!(
                    "<Contents><Key>{key}</Key><LastModified>{}</LastModified>\
                     <ETag>\"1\"</ETag><Size>{}</Size></Contents>",
                    time(*modified).in_lists(),
                    body.len()
                );
            }
        }
    }
    if tongue == Tongue::Azure {
        let folders: String = folders
            .iter()
            .map(|it| format!("<BlobPrefix><Name>{it}</Name></BlobPrefix>"))
            .collect();
        return xml(format!(
            "<EnumerationResults><Blobs>{contents}{folders}</Blobs></EnumerationResults>"
        ));
    }
    let folders: String = folders
        .iter()
        .map(|it| format!("<CommonPrefixes><Prefix>{it}</Prefix></CommonPrefixes>"))
        .collect();
    xml(format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated>{contents}{folders}</ListBucketResult>"
    ))
}

fn xml(body: String) -> Answer {
    Answer { headers: vec![("content-type", "application/xml".into())], ..Answer::body(body) }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
            let digits = String::from_utf8_lossy(&pair).into_owned();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A time by the calendar.
struct Time {
    /// Year, month, day, hour, minute, second.
    parts: [u64; 6],
    weekday: usize,
}

/// The calendar repeats itself every 400 years of 146,097 days; years begin in March, so
/// that the odd day is the last.
fn time(at: SystemTime) -> Time {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    Time {
        parts: [year, month, day, second / 3600, second / 60 % 60, second % 60],
        weekday: (days + 4) as usize % 7,
    }
}

impl Time {
    fn in_lists(&self) -> String {
        let [year, month, day, hour, minute, second] = self.parts;
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
    }

    fn in_headers(&self) -> String {
        let [year, month, day, hour, minute, second] = self.parts;
        let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][self.weekday];
        let month =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
                [month as usize - 1];
        format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
    }
}

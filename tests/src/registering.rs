//! A registry of schemas on this machine that schemas can be put into, as Confluent's.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::http::{Answer, Request, Server};

/// The registry. It ends when this is dropped.
pub struct SchemaRegistry {
    server: Server,
    content: Arc<Mutex<Content>>,
}

/// What is in it, and how it answers.
#[derive(Default)]
pub struct Content {
    /// Subject, type and text of each schema; the same text has the same id everywhere.
    schemas: Vec<(String, String, String)>,
    /// Why nothing new is taken, if that is so.
    pub refuses: Option<String>,
    /// A status that is answered to everything.
    pub fails: Option<u16>,
    /// What `authorization` has to be.
    pub expects: Option<String>,
}

impl SchemaRegistry {
    /// An empty one.
    pub fn start() -> Self {
        let content: Arc<Mutex<Content>> = Arc::default();
        let own = content.clone();
        let server = Server::start(move |request| own.lock().unwrap().answer(request));
        SchemaRegistry { server, content }
    }

    /// An empty one behind TLS, with a certificate in PEM and its key.
    pub fn encrypted(certificate: (String, String)) -> Self {
        let content: Arc<Mutex<Content>> = Arc::default();
        let own = content.clone();
        let answer = move |request: &Request| own.lock().unwrap().answer(request);
        SchemaRegistry { server: Server::encrypted(certificate, answer), content }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.server.url("")
    }

    /// The section of a manifest.
    pub fn section(&self) -> String {
        format!("[schemas]\nurls = [\"{}\"]\ntimeout = \"400ms\"\n", self.url())
    }

    /// What is in it.
    pub fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap()
    }

    /// What it was asked: method and path.
    pub fn asked(&self) -> Vec<String> {
        let asked = |it: Request| format!("{} {}", it.method, it.target);
        self.server.requests().into_iter().map(asked).collect()
    }
}

impl Content {
    /// Puts a schema under a subject, and returns its id.
    pub fn put(&mut self, subject: &str, kind: &str, text: &str) -> usize {
        let schema = (subject.to_owned(), kind.to_owned(), text.to_owned());
        if !self.schemas.contains(&schema) {
            self.schemas.push(schema);
        }
        self.id(text).unwrap()
    }

    /// The text of a schema by its id.
    pub fn text(&self, id: usize) -> String {
        self.texts()[id - 1].clone()
    }

    /// The subjects, in the order in which they came.
    pub fn subjects(&self) -> Vec<&str> {
        self.schemas.iter().map(|(subject, ..)| subject.as_str()).collect()
    }

    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for (_, _, text) in &self.schemas {
            if !texts.contains(text) {
                texts.push(text.clone());
            }
        }
        texts
    }

    fn id(&self, text: &str) -> Option<usize> {
        self.texts().iter().position(|known| known == text).map(|at| at + 1)
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let error = |status: u16, message: &str| Answer {
            body: json!({"error_code": status, "message": message}).to_string().into_bytes(),
            ..Answer::status(status)
        };
        if let Some(status) = self.fails {
            return error(status, "not now");
        }
        if self.expects.as_ref().is_some_and(|it| request.headers.get("authorization") != Some(it))
        {
            return error(401, "who are you?");
        }
        let path: Vec<&str> = request.target.trim_start_matches('/').split('/').collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (kind, text) = (field("schemaType"), field("schema"));
        match (request.method.as_str(), path.as_slice()) {
            ("POST", ["subjects", subject, "versions"]) => {
                let known = self.schemas.iter().any(|it| (&it.0[..], &it.2) == (subject, &text));
                match &self.refuses {
                    Some(message) if !known => error(409, message),
                    _ => Answer::body(json!({"id": self.put(subject, &kind, &text)}).to_string()),
                }
            }
            ("POST", ["subjects", subject]) => {
                match self.schemas.iter().find(|it| (&it.0[..], &it.2) == (subject, &text)) {
                    Some(_) => {
                        let id = self.id(&text);
                        let about =
                            json!({"subject": subject, "version": 1, "id": id, "schema": text});
                        Answer::body(about.to_string())
                    }
                    None => error(404, "Schema not found"),
                }
            }
            _ => error(404, "no such path"),
        }
    }
}

//! What is in a document, asked for in the order in which it stands there.

use std::borrow::Cow;

use crate::error::Error;
use crate::limits;
use crate::tokens::{Number, Token, Tokens};

/// A document that is read from front to back, and where in it the reader is.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    tokens: Tokens<'a>,
    /// A token that has been looked at and is still to be read.
    next: Option<Token<'a>>,
    /// The keys of the objects, and the places in the lists, that are open.
    path: Vec<Step<'a>>,
}

#[derive(Debug)]
enum Step<'a> {
    Key(Cow<'a, str>),
    Place(u64),
}

/// How many items a list may have, and the field of [`Limits`](crate::Limits) that says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most(pub(crate) u64, pub(crate) &'static str);

impl<'a> Input<'a> {
    pub(crate) fn new(tokens: Tokens<'a>) -> Self {
        Self { tokens, next: None, path: vec![] }
    }

    /// Where the reader is, such as `learner.gradient_booster.model.trees[3]`.
    pub(crate) fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) if place.is_empty() => place.push_str(key),
                Step::Key(key) => place.extend([".", key]),
                Step::Place(index) => place.push_str(&format!("[{index}]")),
            }
        }
        if place.is_empty() { "the file".into() } else { place }
    }

    /// The error where the reader is.
    pub(crate) fn fault(&self, reason: impl Into<String>) -> Error {
        Error::Field { place: self.place(), reason: reason.into() }
    }

    /// Sets what a key says, which may stand there once.
    pub(crate) fn set<T>(&self, slot: &mut Option<T>, value: T) -> Result<(), Error> {
        if slot.is_some() {
            return Err(self.fault("the key stands there twice"));
        }
        *slot = Some(value);
        Ok(())
    }

    /// Fails where anything stands behind the one value of a document.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.token().map(|_| ())
    }

    /// Reads an object; `field` reads the value of each key.
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, &str) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.token()? != Token::BeginObject {
            return Err(self.fault("expected an object"));
        }
        // Objects hold keys and end; the tokens see to it.
        while let Token::Key(key) = self.token()? {
            self.path.push(Step::Key(key.clone()));
            field(self, &key)?;
            self.path.pop();
        }
        Ok(())
    }

    /// Reads a list; `item` reads each item.
    pub(crate) fn list(
        &mut self,
        most: Most,
        mut item: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.token()? != Token::BeginArray {
            return Err(self.fault("expected a list"));
        }
        let mut count = 0;
        self.path.push(Step::Place(0));
        loop {
            let token = self.token()?;
            if token == Token::EndArray {
                break;
            }
            count += 1;
            limits::check(|| self.place(), count, most.0, most.1)?;
            self.next = Some(token);
            item(self)?;
            if let Some(Step::Place(index)) = self.path.last_mut() {
                *index += 1;
            }
        }
        self.path.pop();
        Ok(())
    }

    /// Reads a list of numbers, which `convert` makes items of where it can.
    pub(crate) fn numbers<T>(
        &mut self,
        most: Most,
        what: &str,
        convert: impl Fn(Number<'a>) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let mut items = vec![];
        self.list(most, |input| {
            items.push(input.number(what, &convert)?);
            Ok(())
        })?;
        Ok(items)
    }

    /// Reads a number, or a flag as 0 or 1, of which `convert` makes a value where it can.
    pub(crate) fn number<T>(
        &mut self,
        what: &str,
        convert: impl Fn(Number<'a>) -> Option<T>,
    ) -> Result<T, Error> {
        let number = match self.token()? {
            Token::Number(number) => Some(number),
            Token::Flag(flag) => Some(Number::Integer(flag.into())),
            _ => None,
        };
        number.and_then(convert).ok_or_else(|| self.fault(format!("expected {what}")))
    }

    /// Reads a text.
    pub(crate) fn text(&mut self) -> Result<String, Error> {
        match self.token()? {
            Token::Text(text) => Ok(text.into_owned()),
            _ => Err(self.fault("expected a text")),
        }
    }

    /// Reads a number that is written as a text, as XGBoost writes parameters.
    pub(crate) fn parameter<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, Error> {
        let text = self.text()?;
        text.parse().map_err(|_| self.fault(format!("expected {what}, got '{text}'")))
    }

    /// Passes over a value, whatever it is.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        let mut open = 0_usize;
        loop {
            match self.token()? {
                Token::BeginObject | Token::BeginArray => open += 1,
                Token::EndObject | Token::EndArray => open = open.saturating_sub(1),
                _ => {}
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    #[inline]
    fn token(&mut self) -> Result<Token<'a>, Error> {
        match self.next.take() {
            Some(token) => Ok(token),
            None => self.tokens.next(),
        }
    }
}

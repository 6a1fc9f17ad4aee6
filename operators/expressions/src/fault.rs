//! Why an evaluation gives no value, and what it may use.

use std::borrow::Cow;

/// What one evaluation may do: a byte of text or an element of a list that is looked at is a step
/// or, for regular expressions, more.
pub const STEPS: u64 = 1_000_000;
/// Bytes of a text that an expression makes, at most.
pub const TEXT: usize = 1 << 20;

/// Why one evaluation gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(crate) code: FaultCode,
    /// The byte of the expression.
    pub(crate) at: u32,
    pub(crate) message: Cow<'static, str>,
}

/// What kind of a [`Fault`] it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCode {
    /// A value is missing that the result depends on.
    Missing,
    /// A whole number beyond 64 bits, or divided by zero.
    Arithmetic,
    /// A text that is no number or time, a number that is no whole one, an index out of range.
    Conversion,
    /// It takes more steps or more memory than an expression may.
    TooLarge,
    /// A value does not have the type that its variable was declared with.
    Type,
}

impl Fault {
    pub(crate) fn new(code: FaultCode, message: impl Into<Cow<'static, str>>) -> Self {
        Fault { code, at: u32::MAX, message: message.into() }
    }

    /// What kind of a fault it is.
    pub fn code(&self) -> FaultCode {
        self.code
    }

    /// Whether a value is missing, and nothing else is wrong.
    pub fn is_missing(&self) -> bool {
        self.code == FaultCode::Missing
    }

    /// The variable at the place, where the fault is about one.
    pub(crate) fn about<'a>(&self, source: &'a str) -> Option<&'a str> {
        let rest = source.get(self.at as usize..)?;
        let name = match rest.strip_prefix('`') {
            Some(rest) => rest.split('`').next()?,
            None => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                &rest[..end.unwrap_or(rest.len())]
            }
        };
        let is_about_one = matches!(self.code, FaultCode::Missing | FaultCode::Type);
        (is_about_one && !name.is_empty()).then_some(name)
    }

    /// The innermost place counts.
    pub(crate) fn placed(self, at: u32) -> Self {
        if self.at == u32::MAX { Fault { at, ..self } } else { self }
    }
}

/// The steps that are left.
#[derive(Debug)]
pub(crate) struct Budget(pub(crate) u64);

impl Budget {
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        match self.0.checked_sub(steps as u64) {
            Some(left) => self.0 = left,
            None => return Err(Fault::new(FaultCode::TooLarge, "takes too many steps")),
        }
        Ok(())
    }

    /// Pays for a text that is made.
    pub(crate) fn text(&mut self, bytes: usize) -> Result<(), Fault> {
        if bytes > TEXT {
            let message = format!("would be a text of more than {TEXT} bytes");
            return Err(Fault::new(FaultCode::TooLarge, message));
        }
        self.spend(bytes)
    }
}

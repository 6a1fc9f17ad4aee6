//! `[sink] template`: predictions as the author of the pipeline writes them. What it may use
//! is known here; what that is worth for a record, the pipeline knows.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use crate::format::FormatError;

/// The budget of steps and bytes for one record (a step pays for 64 bytes): enough to
/// repeat the largest records, and too little for nested loops to stall
/// the stream.
const FUEL: u64 = 2_000_000;
/// The one template's name in its environment.
pub const NAME: &str = "template";

/// The variables of a template. `docs/reference/manifest.md` describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/reference/manifest.md says what each is")]
pub enum Variable {
    Label,
    Probability,
    Probabilities,
    Values,
    Model,
    Predictions,
    Key,
    Value,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Headers,
}

impl Variable {
    const ALL: [(&'static str, Variable); 13] = [
        ("label", Variable::Label),
        ("probability", Variable::Probability),
        ("probabilities", Variable::Probabilities),
        ("values", Variable::Values),
        ("model", Variable::Model),
        ("predictions", Variable::Predictions),
        ("key", Variable::Key),
        ("value", Variable::Value),
        ("topic", Variable::Topic),
        ("partition", Variable::Partition),
        ("offset", Variable::Offset),
        ("timestamp", Variable::Timestamp),
        ("headers", Variable::Headers),
    ];
}

/// A compiled template.
#[derive(Debug)]
pub struct Template {
    /// The engine, with the template in it.
    pub environment: Environment<'static>,
    /// The variables that it uses, with their names.
    pub uses: Vec<(&'static str, Variable)>,
    /// Whether what is null is undefined, so that it fails to be written: a key or a header that
    /// says "none" would look like one.
    pub is_strict: bool,
}

impl Template {
    /// Compiles a template and checks the names in it.
    ///
    /// # Errors
    /// If it is not a template, or uses a name that no prediction has.
    pub fn compile(text: &str) -> Result<Self, FormatError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        let reason = |error: minijinja::Error| FormatError::Template { reason: explain(&error) };
        // The text unchanged: a newline at its end is the author's.
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build().map_err(reason)?;
        environment.set_syntax(syntax);
        environment.add_template_owned(NAME, text.to_owned()).map_err(reason)?;
        let names = environment.get_template(NAME).map_err(reason)?.undeclared_variables(false);
        let mut unknown: Vec<&String> = names
            .iter()
            .filter(|name| !Variable::ALL.iter().any(|(known, _)| known == name))
            .filter(|name| !environment.globals().any(|(global, _)| global == name.as_str()))
            .collect();
        unknown.sort();
        if let Some(name) = unknown.first() {
            let known: Vec<&str> = Variable::ALL.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            return Err(FormatError::Unknown { name: (*name).clone(), known });
        }
        if let Some(reason) = unknown_filter(&mut environment) {
            return Err(FormatError::Template { reason });
        }
        let uses = Variable::ALL.into_iter().filter(|(name, _)| names.contains(*name)).collect();
        Ok(Template { environment, uses, is_strict: false })
    }
}

/// Finds unknown filters, tests and functions. The engine detects
/// them only while rendering, so the template is rendered once with made-up values; any
/// other error there may come from these values and means nothing.
fn unknown_filter(environment: &mut Environment<'static>) -> Option<String> {
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    let made_up = Variable::ALL.map(|(name, variable)| match variable {
        Variable::Probability => (name, Value::from(0.5)),
        Variable::Partition | Variable::Offset | Variable::Timestamp => (name, Value::from(1)),
        Variable::Probabilities | Variable::Values | Variable::Predictions | Variable::Headers => {
            (name, Value::UNDEFINED)
        }
        _ => (name, Value::from("text")),
    });
    let rendered = environment
        .get_template(NAME)
        .and_then(|template| template.render(Value::from_pairs(made_up)));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let error = rendered.err()?;
    let unknown = [
        ErrorKind::UnknownFilter,
        ErrorKind::UnknownTest,
        ErrorKind::UnknownFunction,
        ErrorKind::UnknownMethod,
    ];
    unknown.contains(&error.kind()).then(|| explain(&error))
}

/// What failed, and in which line of the template.
pub fn explain(error: &minijinja::Error) -> String {
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => {
            "it takes too many steps for one record; loop over less".to_owned()
        }
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    match error.line() {
        Some(line) => format!("{what} (line {line} of the template)"),
        None => what,
    }
}

//! The transformer that the component exports.

use sandbar_operator::{Emitter, Error, Failure, Record, Setup, Transformer};

use crate::config::{Config, Destination, NotText, Occurrence};
use crate::rule::Rule;

/// Sends each record where the first rule that holds says.
#[derive(Debug)]
pub struct HeaderRouter {
    rules: Vec<(Rule, Destination)>,
    otherwise: Destination,
    occurrence: Occurrence,
    not_text: NotText,
}

impl Transformer for HeaderRouter {
    type Config = Config;

    fn configure(config: Config, setup: &Setup) -> Result<Self, Error> {
        if config.rules.is_empty() {
            return Err("`rules` is empty: write at least one, or remove the stage".into());
        }
        let mut rules = Vec::with_capacity(config.rules.len());
        for (index, rule) in config.rules.iter().enumerate() {
            let at = |error: Error| error.context(format_args!("rule {}", index + 1));
            granted(&rule.to, setup).map_err(at)?;
            rules.push((Rule::new(rule).map_err(at)?, rule.to.clone()));
        }
        granted(&config.otherwise, setup).map_err(|error| error.context("`otherwise`"))?;
        let Config { otherwise, occurrence, not_text, .. } = config;
        Ok(HeaderRouter { rules, otherwise, occurrence, not_text })
    }

    fn transform(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
        for (index, (rule, to)) in self.rules.iter().enumerate() {
            if rule.holds(record, self.occurrence, self.not_text)? {
                return send(record, to, out, || {
                    format!("rejected by rule {} on header '{}'", index + 1, rule.header)
                });
            }
        }
        send(record, &self.otherwise, out, || "no rule matches the headers".to_owned())
    }
}

/// A topic that the manifest does not grant would fail every record: it is refused here.
fn granted(to: &Destination, setup: &Setup) -> Result<(), Error> {
    match to {
        Destination::Topic(topic) if !setup.topics().contains(topic) => Err(format!(
            "topic '{topic}' is not granted to this stage: add it to the stage's `topics`"
        )
        .into()),
        _ => Ok(()),
    }
}

fn send(
    record: &Record<'_>,
    to: &Destination,
    out: &mut Emitter<'_>,
    why: impl FnOnce() -> String,
) -> Result<(), Failure> {
    match to {
        Destination::Pass => out.forward(record),
        Destination::Drop => {}
        Destination::Fail => return Err(Failure::unsupported(why())),
        Destination::Topic(topic) => return out.derive(record).to(topic).send(),
    }
    Ok(())
}

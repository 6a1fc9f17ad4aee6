//! A transformer: of each record, none, one or several.
//!
//! This one tidies up texts: it drops empty ones, cuts off the white space around the
//! others and says in a header how many words they have. What is too long goes to the
//! first of the stage's `topics`. Put your own work in its place; `cargo doc --open`
//! shows the SDK's documentation.

use sandbar_operator::{Emitter, Error, Failure, Record, Setup, Transformer, text};

/// The stage's `config` table in the pipeline's manifest.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Bytes of the longest text that goes on.
    longest: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config { longest: 65_536 }
    }
}

/// Tidies up texts.
struct Tidy {
    longest: usize,
    /// Where longer texts go.
    aside: Option<String>,
}

impl Transformer for Tidy {
    type Config = Config;

    fn configure(config: Config, setup: &Setup) -> Result<Self, Error> {
        if config.longest == 0 {
            return Err("`longest`: must be greater than zero".into());
        }
        Ok(Tidy { longest: config.longest, aside: setup.topics().first().cloned() })
    }

    fn transform(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
        // A tombstone, as a record without a value is called.
        let Some(value) = record.value() else { return Ok(()) };
        let text = text::string(value)?.trim();
        if text.is_empty() {
            return Ok(());
        }
        if text.len() > self.longest {
            let Some(topic) = &self.aside else {
                let message = format!("{} bytes exceed `longest` ({})", text.len(), self.longest);
                return Err(Failure::too_large(message));
            };
            return out.derive(record).to(topic).send();
        }
        let words = text.split_whitespace().count().to_string();
        out.derive(record).value(text.as_bytes()).header("words", words.as_bytes()).send()
    }
}

sandbar_operator::transformer!(Tidy);

#[cfg(test)]
mod tests {
    use super::*;
    use sandbar_operator::testing::{Records, Stage};

    #[test]
    fn texts_are_tidied_up() -> Result<(), Error> {
        let mut tidy = Stage::new().transformer::<Tidy>()?;
        let out = tidy.transform(&Records::of_values(["  two words ", " "]));
        assert_eq!(out.records.len(), 1);
        assert_eq!(out.records[0].record.value.as_deref(), Some(b"two words".as_slice()));
        Ok(())
    }

    #[test]
    fn long_texts_go_aside() -> Result<(), Error> {
        let stage = Stage::new().config(r#"{ "longest": 9 }"#).topic("long");
        let out = stage.transformer::<Tidy>()?.transform(&Records::of_values(["far too long"]));
        assert_eq!(out.records[0].topic.as_deref(), Some("long"));
        Ok(())
    }
}

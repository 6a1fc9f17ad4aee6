//! An extractor: of each record, a row of features.
//!
//! This one counts the words of a text and takes the first. Put your own features in
//! their place; `cargo doc --open` shows the SDK's documentation.

use sandbar_operator::{Error, Extractor, Failure, Field, Record, Row, Setup, text};

/// The stage's `config` table in the pipeline's manifest.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Bytes of the longest value that is read.
    longest: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config { longest: 65_536 }
    }
}

/// Words of a text.
struct Words {
    longest: usize,
}

impl Extractor for Words {
    type Config = Config;

    fn configure(config: Config, _: &Setup) -> Result<Self, Error> {
        if config.longest == 0 {
            return Err("`longest`: must be greater than zero".into());
        }
        Ok(Words { longest: config.longest })
    }

    fn features(&self) -> Vec<Field> {
        vec![Field::number("words"), Field::text("first")]
    }

    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
        let value = record.value().ok_or_else(|| Failure::missing("the value is null"))?;
        if value.len() > self.longest {
            let (bytes, longest) = (value.len(), self.longest);
            return Err(Failure::too_large(format!("{bytes} bytes exceed `longest` ({longest})")));
        }
        let text = text::string(value)?;
        row.number(text.split_whitespace().count() as f64);
        row.text(text.split_whitespace().next().unwrap_or_default());
        Ok(())
    }
}

sandbar_operator::extractor!(Words);

#[cfg(test)]
mod tests {
    use super::*;
    use sandbar_operator::testing::{Cell, Records, Stage};

    #[test]
    fn words_are_counted() -> Result<(), Error> {
        let mut words = Stage::new().config(r#"{ "longest": 9 }"#).extractor::<Words>()?;
        let rows = words.extract(&Records::of_values(["two words", "far too long"])).rows();
        let two = vec![Cell::Number(2.0), Cell::text("two")];
        assert_eq!(rows, [Ok(two), Err(Failure::too_large("12 bytes exceed `longest` (9)"))]);
        Ok(())
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        assert!(Stage::new().config(r#"{ "longest": 0 }"#).extractor::<Words>().is_err());
    }
}

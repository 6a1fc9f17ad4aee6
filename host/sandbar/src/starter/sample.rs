//! Records such as will come, and the form that they have.

use std::fmt;

use serde::de::IgnoredAny;

use super::error::StarterError;

/// How many records are taken.
const MOST: usize = 20;

/// The form of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// A line of columns: a file of them begins with a line of their names.
    Csv,
    /// A JSON object: a file has one after another, as lines or not, or a list of them.
    Json,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Csv => "csv",
            Form::Json => "json",
        })
    }
}

/// Sample records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    pub(super) form: Form,
    /// What separates the columns of CSV.
    pub(super) separator: char,
    /// The names of the columns, in order; of JSON the keys of the first object.
    pub(super) fields: Vec<String>,
    /// The records, as they are.
    pub(super) values: Vec<String>,
}

impl Records {
    /// The records, as they are.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Those of a text, such as a file's, from `place`. Without a `form` it is told by the first
    /// character; `fields` are the names of the columns of CSV that has no line of them.
    ///
    /// # Errors
    /// If they are not of that form, or there are none.
    pub fn of_text(
        place: &str,
        text: &str,
        form: Option<Form>,
        fields: &[String],
    ) -> Result<Self, StarterError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let is_json = text.trim_start().starts_with(['{', '[']);
        let records = match form.unwrap_or(if is_json { Form::Json } else { Form::Csv }) {
            Form::Json => json(text),
            Form::Csv => csv(text, fields),
        };
        let records = records.and_then(|records| match records.values.is_empty() {
            true => Err("no records: give one at least".to_owned()),
            false => Ok(records),
        });
        records.map_err(|reason| StarterError::Records { place: place.to_owned(), reason })
    }
}

fn json(text: &str) -> Result<Records, String> {
    let mut rest = text.trim();
    let is_list = rest.starts_with('[');
    rest = rest.strip_prefix('[').unwrap_or(rest);
    let mut values = Vec::new();
    while values.len() < MOST {
        rest = rest.trim_start();
        if rest.is_empty() || is_list && rest.starts_with(']') {
            break;
        }
        // As it is written: a number that is read and written again may be another.
        let mut one = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        let wrong = |error| format!("record {}: not JSON: {error}", values.len() + 1);
        one.next().transpose().map_err(wrong)?;
        let (value, after) = rest.split_at(one.byte_offset());
        if !value.starts_with('{') {
            return Err(format!("record {}: not a JSON object", values.len() + 1));
        }
        values.push(value.to_owned());
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) if is_list => more,
            // The end of the list is looked at above.
            None if !is_list || after.starts_with(']') => after,
            _ => return Err(format!("record {}: expected ',' or the end behind it", values.len())),
        };
    }
    let first = values.first().map_or("{}", String::as_str);
    let first: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(first).map_err(|error| format!("record 1: {error}"))?;
    let fields = first.keys().cloned().collect();
    Ok(Records { form: Form::Json, separator: ',', fields, values })
}

fn csv(text: &str, fields: &[String]) -> Result<Records, String> {
    let first = text.lines().next().unwrap_or_default();
    let count = |separator: &char| first.matches(*separator).count();
    let separator = [',', ';', '\t', '|'].into_iter().rev().max_by_key(count).unwrap_or(',');
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).delimiter(separator as u8);
    let mut reader = reader.from_reader(text.as_bytes());
    let mut fields = fields.to_vec();
    let (mut values, mut record, mut from) = (Vec::new(), csv::StringRecord::new(), 0);
    while values.len() < MOST {
        let more = reader.read_record(&mut record).map_err(|error| format!("not CSV: {error}"))?;
        let to = usize::try_from(reader.position().byte()).unwrap_or(text.len());
        let line = text.get(from..to).unwrap_or_default().trim_matches(['\r', '\n']);
        from = to;
        if !more {
            break;
        }
        if fields.is_empty() {
            if let Some(number) = record.iter().find(|cell| cell.trim().parse::<f64>().is_ok()) {
                return Err(format!(
                    "the first line has no names of columns, as it has '{number}': give them with \
                     --fields, in the order of the columns"
                ));
            }
            fields = record.iter().map(|cell| cell.trim().to_owned()).collect();
        } else if record.len() == fields.len() {
            values.push(line.to_owned());
        } else {
            return Err(format!(
                "record {}: expected {} columns, got {}",
                values.len() + 1,
                fields.len(),
                record.len()
            ));
        }
    }
    Ok(Records { form: Form::Csv, separator, fields, values })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn read(text: &str) -> Records {
        Records::of_text("x", text, None, &[]).unwrap()
    }

    #[test]
    fn json_comes_as_lines_as_a_list_and_one_after_another() {
        for text in
            ["{\"a\": 1.50}\n{\"a\":2}\n", "[{\"a\": 1.50}, {\"a\":2}]", "{\"a\": 1.50} {\"a\":2}"]
        {
            let records = read(text);
            assert_eq!((records.form, records.fields), (Form::Json, vec!["a".into()]));
            assert_eq!(records.values, ["{\"a\": 1.50}", "{\"a\":2}"], "as they are written");
        }
    }

    #[test]
    fn csv_keeps_its_lines_and_tells_its_separator() {
        let records = read("a;b\r\n1;\"x\ny\"\r\n2;z");
        assert_eq!(records.separator, ';');
        assert_eq!(records.fields, ["a", "b"]);
        assert_eq!(records.values, ["1;\"x\ny\"", "2;z"]);
    }

    #[test]
    fn what_is_not_said_is_asked_for() {
        let refused = |text: &str| Records::of_text("x", text, None, &[]).unwrap_err().to_string();
        assert!(refused("1,2\n").contains("give them with --fields"));
        assert!(refused("a,b\n1\n").contains("record 1: expected 2 columns, got 1"));
        assert!(refused("").contains("no records"));
        assert!(refused("[1]").contains("not a JSON object"));
        assert!(refused("{\"a\":").contains("not JSON"));
        for wrong in ["[{} {}]", "[{}", "{}, {}"] {
            assert!(refused(wrong).contains("record 1: expected ','"), "{wrong}");
        }
        let named = Records::of_text("x", "1,2\n", None, &["a".into(), "b".into()]).unwrap();
        assert_eq!(named.values, ["1,2"]);
    }
}

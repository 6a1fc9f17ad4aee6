//! What habits of an operator's author cost: an extractor that does one thing or another
//! with each line of CSV, by its configuration. `docs/guide/fast-operators.md` has the
//! figures and the commands.

use std::collections::HashMap;
use std::fmt::Write;

use sandbar_operator::{Error, Extractor, Failure, Field, Record, Row, Setup};
use serde::Deserialize;

/// The stage's configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is done with each record.
    habit: Habit,
}

/// What is done with each record.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Habit {
    /// Nothing: an empty text.
    Nothing,
    /// The first column, borrowed from the record.
    Borrow,
    /// The same, copied into a `String` first.
    Own,
    /// The first two columns with a dash between, by `format!`.
    Format,
    /// The same, by `write!` into a `String` that is kept.
    Write,
    /// The same, by `push_str` into a `String` that is kept.
    Push,
    /// Counts the columns, as an iterator gives them.
    Count,
    /// Counts them after they are collected into a `Vec`.
    Collect,
    /// Reads the year as a floating-point number, by `str::parse`.
    ParseFloat,
    /// Reads it as a whole number.
    ParseInteger,
    /// Looks the first column up in a `HashMap`.
    Lookup,
    /// Fails, with a literal as message.
    FailLiteral,
    /// Fails, with a formatted message.
    FailFormat,
    /// Prints a line.
    Print,
}

/// The extractor.
pub struct Habits {
    habit: Habit,
    kept: String,
    map: HashMap<String, f64>,
}

impl Extractor for Habits {
    type Config = Config;

    fn configure(config: Config, _: &Setup) -> Result<Self, Error> {
        let map = (1900..2100).map(|year| (year.to_string(), f64::from(year))).collect();
        Ok(Habits { habit: config.habit, kept: String::new(), map })
    }

    fn features(&self) -> Vec<Field> {
        vec![Field::text("text"), Field::number("number")]
    }

    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
        let line = record.value().unwrap_or_default();
        let line = str::from_utf8(line).map_err(|_| Failure::malformed("not UTF-8"))?;
        let mut columns = line.split(',');
        let mut next = || columns.next().unwrap_or_default();
        let (mut number, kept) = (0.0, &mut self.kept);
        match self.habit {
            Habit::Nothing => row.text(""),
            Habit::Borrow => row.text(next()),
            Habit::Own => row.text(&std::hint::black_box(next().to_owned())),
            Habit::Format => row.text(&format!("{}-{}", next(), next())),
            Habit::Write => {
                kept.clear();
                let _ = write!(kept, "{}-{}", next(), next());
                row.text(kept);
            }
            Habit::Push => {
                kept.clear();
                kept.push_str(next());
                kept.push('-');
                kept.push_str(next());
                row.text(kept);
            }
            Habit::Count => {
                number = line.split(',').count() as f64;
                row.text("");
            }
            Habit::Collect => {
                let columns: Vec<&str> = line.split(',').collect();
                number = std::hint::black_box(columns).len() as f64;
                row.text("");
            }
            Habit::ParseFloat => {
                number = next().parse().unwrap_or(f64::NAN);
                row.text("");
            }
            Habit::ParseInteger => {
                number = next().parse::<i32>().map_or(f64::NAN, f64::from);
                row.text("");
            }
            Habit::Lookup => {
                number = self.map.get(next()).copied().unwrap_or(f64::NAN);
                row.text("");
            }
            Habit::FailLiteral => return Err(Failure::invalid("the year is not allowed")),
            Habit::FailFormat => {
                return Err(Failure::invalid(format!("the year {:?} is not allowed", next())));
            }
            Habit::Print => {
                println!("{}", next());
                row.text("");
            }
        }
        row.number(number);
        Ok(())
    }
}

sandbar_operator::extractor!(Habits);

#[cfg(test)]
mod tests {
    use sandbar_operator::Error;
    use sandbar_operator::testing::{Cell, Records, Stage};

    use super::Habits;

    #[test]
    fn habits_that_are_compared_give_the_same() -> Result<(), Error> {
        let rows = |habit: &str| -> Result<_, Error> {
            let config = format!("{{\"habit\":\"{habit}\"}}");
            let mut habits = Stage::new().config(config).extractor::<Habits>()?;
            Ok(habits.extract(&Records::of_values(["1987,10,14"])).rows())
        };
        assert_eq!(rows("borrow")?, [Ok(vec![Cell::text("1987"), Cell::Number(0.0)])]);
        assert_eq!(rows("borrow")?, rows("own")?);
        assert_eq!(rows("format")?, [Ok(vec![Cell::text("1987-10"), Cell::Number(0.0)])]);
        assert_eq!(rows("format")?, rows("write")?);
        assert_eq!(rows("format")?, rows("push")?);
        assert_eq!(rows("count")?, rows("collect")?);
        assert_eq!(rows("parse-float")?, rows("parse-integer")?);
        assert_eq!(rows("parse-float")?, rows("lookup")?);
        Ok(())
    }
}

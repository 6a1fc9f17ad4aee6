//! `[source] start`: where a consumer group starts to read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::value::{Datetime, Offset};

/// Where a consumer group starts in a partition without a committed offset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record in the topic. The default.
    #[default]
    Earliest,
    /// With the records that are written from now on.
    Latest,
    /// At the first record that is not older than this.
    At(StartTime),
    /// At these offsets, by topic and partition; elsewhere at the oldest record.
    Offsets(BTreeMap<String, BTreeMap<i32, i64>>),
}

/// A point in time, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartTime {
    written: Datetime,
    /// Milliseconds since the epoch.
    millis: i64,
}

impl StartTime {
    /// Milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.millis
    }
}

impl fmt::Display for StartTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

impl TryFrom<Datetime> for StartTime {
    type Error = String;

    fn try_from(written: Datetime) -> Result<Self, String> {
        let (Some(date), Some(time)) = (written.date, written.time) else {
            return Err(format!("'{written}' is not a timestamp; write it as {EXAMPLE}"));
        };
        let Some(offset) = written.offset else {
            let message = "has no time zone; append Z for UTC, or an offset";
            return Err(format!("'{written}' {message} such as +02:00"));
        };
        let offset = match offset {
            Offset::Z => 0,
            Offset::Custom { minutes } => i64::from(minutes),
        };
        let days = days(date.year.into(), date.month.into(), date.day.into());
        let minutes = (days * 24 + i64::from(time.hour)) * 60 + i64::from(time.minute) - offset;
        let seconds = minutes * 60 + i64::from(time.second.unwrap_or(0));
        let millis = seconds * 1000 + i64::from(time.nanosecond.unwrap_or(0)) / 1_000_000;
        if millis < 0 {
            return Err(format!("'{written}' is before 1970, the earliest timestamp of a record"));
        }
        Ok(StartTime { written, millis })
    }
}

/// An example of a timestamp.
const EXAMPLE: &str = "\"2026-11-01T00:00:00Z\"";

/// Days from 1970-01-01 to a date of the Gregorian calendar. A year is taken to begin in
/// March, so that the leap day is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // Months have 30 or 31 days, 153 in five of them.
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read(toml::Value::deserialize(from)?).map_err(D::Error::custom)
    }
}

fn read(value: toml::Value) -> Result<Start, String> {
    let at = |written| Ok(Start::At(StartTime::try_from(written)?));
    match value {
        toml::Value::String(text) => match (text.as_str(), text.parse::<Datetime>()) {
            ("earliest", _) => Ok(Start::Earliest),
            ("latest", _) => Ok(Start::Latest),
            (_, Ok(written)) => at(written),
            (_, Err(_)) => Err(format!(
                "unknown start position '{text}'; expected \"earliest\", \"latest\", a \
                 timestamp such as {EXAMPLE}, or a table of offsets"
            )),
        },
        toml::Value::Datetime(written) => at(written),
        toml::Value::Table(topics) => {
            let topics = topics.into_iter().map(|(topic, value)| {
                let partitions = partitions(&topic, value)?;
                Ok((topic, partitions))
            });
            Ok(Start::Offsets(topics.collect::<Result<_, String>>()?))
        }
        _ => Err(format!(
            "invalid start position; expected \"earliest\", \"latest\", a timestamp such \
             as {EXAMPLE}, or a table of offsets"
        )),
    }
}

fn partitions(topic: &str, value: toml::Value) -> Result<BTreeMap<i32, i64>, String> {
    let wrong = || {
        format!(
            "expected a table of partition = offset for '{topic}', both whole numbers, as in \
             {{ 0 = 120, 1 = 80 }}"
        )
    };
    let toml::Value::Table(table) = value else { return Err(wrong()) };
    let each = table.into_iter().map(|(partition, offset)| {
        let partition = partition.parse::<i32>().ok().filter(|number| *number >= 0);
        let offset = offset.as_integer().filter(|offset| *offset >= 0);
        partition.zip(offset).ok_or_else(wrong)
    });
    each.collect()
}

impl Serialize for Start {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Start::Earliest => to.serialize_str("earliest"),
            Start::Latest => to.serialize_str("latest"),
            Start::At(moment) => to.collect_str(moment),
            Start::Offsets(topics) => topics.serialize(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_milliseconds_since_the_epoch() {
        let millis = |text: &str| {
            let written: Datetime = text.parse().map_err(|_| "no date".to_owned())?;
            StartTime::try_from(written).map(StartTime::millis)
        };
        assert_eq!(millis("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(millis("1970-03-01T00:00:00.25Z"), Ok(59 * 86_400_000 + 250));
        assert_eq!(millis("2000-02-29T12:00:00Z"), Ok(951_825_600_000));
        assert_eq!(millis("2000-02-29T14:00:00+02:00"), Ok(951_825_600_000));
        assert_eq!(millis("2026-11-01T00:00:00Z"), Ok(1_793_491_200_000));
        assert_eq!(millis("2026-10-31T19:00:00-05:00"), Ok(1_793_491_200_000));
        assert!(millis("2026-11-01T00:00:00").is_err_and(|error| error.contains("time zone")));
        assert!(millis("2026-11-01").is_err_and(|error| error.contains("not a timestamp")));
        assert!(millis("1969-12-31T23:59:59Z").is_err_and(|error| error.contains("1970")));
    }
}

//! Points in time in the proleptic Gregorian calendar, always in UTC.

use std::fmt;

/// Nanoseconds of a second.
const NANOS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, as in CEL.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A point in time between the years 1 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Since 1970, rounded down.
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// The time so many seconds after 1970 began; none outside of the years 1 to 9999.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        SECONDS.contains(&seconds).then_some(Timestamp { seconds, nanos: 0 })
    }

    /// The same in milliseconds, as Kafka has it.
    pub fn from_millis(millis: i64) -> Option<Self> {
        let nanos = millis.rem_euclid(1000) as u32 * 1_000_000;
        Some(Timestamp { nanos, ..Self::from_seconds(millis.div_euclid(1000))? })
    }

    /// The same in microseconds, as Avro may have it.
    pub fn from_micros(micros: i64) -> Option<Self> {
        let nanos = micros.rem_euclid(1_000_000) as u32 * 1000;
        Some(Timestamp { nanos, ..Self::from_seconds(micros.div_euclid(1_000_000))? })
    }

    /// The same in nanoseconds.
    pub fn from_nanos(nanos: i64) -> Option<Self> {
        let rest = nanos.rem_euclid(NANOS) as u32;
        Some(Timestamp { nanos: rest, ..Self::from_seconds(nanos.div_euclid(NANOS))? })
    }

    /// Reads `2026-11-30T12:00:00.5Z`, or with `+01:00` in place of `Z` (RFC 3339).
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = (text.get(..10)?, text.get(10..)?);
        let time = time.strip_prefix(['T', 't'])?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(time.get(..8)?, ':', [2, 2, 2])?;
        let mut rest = &time[8..];
        let mut nanos = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            if !(1..=9).contains(&end) {
                return None;
            }
            nanos = fraction[..end].parse::<u32>().ok()? * 10_u32.pow(9 - end as u32);
            rest = &fraction[end..];
        }
        let offset = match rest {
            "Z" | "z" => 0,
            _ => {
                let sign = if rest.starts_with('-') { -1 } else { 1 };
                let [hours, minutes] = numbers(rest.strip_prefix(['+', '-'])?, ':', [2, 2])?;
                if hours > 23 || minutes > 59 {
                    return None;
                }
                sign * (hours * 3600 + minutes * 60)
            }
        };
        let fine = (1..=12).contains(&month)
            && (1..=month_length(year, month)).contains(&day)
            && hour <= 23
            && minute <= 59
            && second <= 59;
        if !fine {
            return None;
        }
        let days = days_before(year, month, day);
        let seconds = days * DAY + hour * 3600 + minute * 60 + second - offset;
        Some(Timestamp { nanos, ..Self::from_seconds(seconds)? })
    }

    /// Seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// What exceeds [`Timestamp::seconds`].
    pub fn nanos(self) -> u32 {
        self.nanos
    }

    /// Year, month from 1, day from 1.
    pub(crate) fn date(self) -> [i64; 3] {
        // Days since 0000-03-01: a year that ends with the leap day has months of a fixed pattern.
        let days = self.seconds.div_euclid(DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        [year_of_era + era * 400 + i64::from(month <= 2), month, day]
    }

    /// 0 is Sunday.
    pub(crate) fn day_of_week(self) -> i64 {
        (self.seconds.div_euclid(DAY) + 4).rem_euclid(7)
    }

    /// From 1.
    pub(crate) fn day_of_year(self) -> i64 {
        let [year, ..] = self.date();
        self.seconds.div_euclid(DAY) - days_before(year, 1, 1) + 1
    }

    /// Hour, minute, second.
    pub(crate) fn time(self) -> [i64; 3] {
        let second = self.seconds.rem_euclid(DAY);
        [second / 3600, second / 60 % 60, second % 60]
    }
}

impl fmt::Display for Timestamp {
    /// As [`Timestamp::parse`] reads it, with `Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([year, month, day], [hour, minute, second]) = (self.date(), self.time());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.nanos > 0 {
            match self.nanos {
                nanos if nanos % 1_000_000 == 0 => write!(f, ".{:03}", nanos / 1_000_000)?,
                nanos if nanos % 1000 == 0 => write!(f, ".{:06}", nanos / 1000)?,
                nanos => write!(f, ".{nanos:09}")?,
            }
        }
        f.write_str("Z")
    }
}

/// Numbers of fixed lengths with a separator between them.
fn numbers<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part = parts.next()?;
        if part.len() != length || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

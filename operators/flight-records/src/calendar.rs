//! Days and times of day.

/// A date with its day of the week: 1 is Monday, 7 is Sunday.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Date {
    pub(crate) year: i32,
    pub(crate) month: i32,
    pub(crate) day: i32,
    pub(crate) weekday: i32,
}

impl Date {
    pub(crate) fn new(year: i32, month: i32, day: i32) -> Date {
        Date { year, month, day, weekday: weekday(year, month, day) }
    }
}

/// The number of days of a month (1 to 12).
pub(crate) fn days(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Zeller's congruence, with Monday as 1.
fn weekday(year: i32, month: i32, day: i32) -> i32 {
    // January and February count as months 13 and 14 of the year before.
    let (year, month) = if month < 3 { (year - 1, month + 12) } else { (year, month) };
    let saturday_is_0 =
        (day + 13 * (month + 1) / 5 + year + year / 4 - year / 100 + year / 400) % 7;
    (saturday_is_0 + 5) % 7 + 1
}

/// Minutes since midnight, of any day, as the data writes a time: 7:05 is 705.
pub(crate) fn clock(minutes: i32) -> i32 {
    let minutes = minutes.rem_euclid(24 * 60);
    minutes / 60 * 100 + minutes % 60
}

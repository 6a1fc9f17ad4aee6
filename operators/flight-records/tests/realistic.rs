//! Every line obeys what holds in the real data.

use std::collections::{HashMap, HashSet};

use flight_records::{COLUMNS, Flights};

/// A line as its columns by name.
struct Line(HashMap<&'static str, String>);

impl Line {
    fn parse(line: &str) -> Line {
        let values: Vec<&str> = line.split(',').collect();
        assert_eq!(values.len(), COLUMNS.len(), "{line}");
        Line(COLUMNS.into_iter().zip(values.into_iter().map(str::to_owned)).collect())
    }

    fn text(&self, column: &str) -> &str {
        &self.0[column]
    }

    /// `None` for NA.
    fn number(&self, column: &str) -> Option<i32> {
        match self.text(column) {
            "NA" => None,
            text => Some(text.parse().unwrap_or_else(|_| panic!("{column}: {text:?}"))),
        }
    }

    fn known(&self, column: &str) -> i32 {
        self.number(column).unwrap_or_else(|| panic!("{column} is NA"))
    }

    /// A time of day, in minutes.
    fn minutes(&self, column: &str) -> Option<i32> {
        let time = self.number(column)?;
        assert!((0..2400).contains(&time) && time % 100 < 60, "{column}: {time}");
        Some(time / 100 * 60 + time % 100)
    }
}

fn lines() -> impl Iterator<Item = Line> {
    Flights::new(42).take(50_000).map(|line| Line::parse(&line))
}

#[test]
fn dates_have_their_day_of_the_week() {
    // Counted day by day from 1 October 1987, a Thursday.
    let mut weekdays = HashMap::new();
    let mut weekday = 4;
    for year in 1987..=2008 {
        let february = if year % 4 == 0 { 29 } else { 28 };
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let first = if year == 1987 { 10 } else { 1 };
        for month in first..=12_usize {
            for day in 1..=lengths[month - 1] {
                weekdays.insert((year, month as i32, day), weekday);
                weekday = weekday % 7 + 1;
            }
        }
    }
    let mut seen = HashSet::new();
    for line in lines() {
        let date = (line.known("Year"), line.known("Month"), line.known("DayofMonth"));
        let weekday = weekdays.get(&date).copied();
        assert_eq!(weekday, line.number("DayOfWeek"), "{date:?}");
        seen.insert(date);
    }
    assert!(seen.len() > weekdays.len() * 9 / 10, "only {} days", seen.len());
}

#[test]
fn times_delays_and_durations_agree() {
    for line in lines() {
        let departure = line.minutes("CRSDepTime").expect("always scheduled");
        let arrival = line.minutes("CRSArrTime").expect("always scheduled");
        // The rest is the difference of time zones: whole hours, at most five.
        let zone = (arrival - departure - line.known("CRSElapsedTime")).rem_euclid(1440);
        assert!(zone % 60 == 0 && !(360..=1080).contains(&zone), "{zone}");

        if let (Some(left), Some(late)) = (line.minutes("DepTime"), line.number("DepDelay")) {
            assert_eq!((left - departure - late).rem_euclid(1440), 0);
        }
        if let (Some(landed), Some(late)) = (line.minutes("ArrTime"), line.number("ArrDelay")) {
            assert_eq!((landed - arrival - late).rem_euclid(1440), 0);
            let elapsed = line.known("ActualElapsedTime");
            assert_eq!(elapsed - line.known("CRSElapsedTime"), late - line.known("DepDelay"));
            if let Some(air) = line.number("AirTime") {
                assert!(air > 0);
                assert_eq!(elapsed, air + line.known("TaxiIn") + line.known("TaxiOut"));
            }
            if late >= 15 && line.known("Year") >= 2004 {
                let causes = ["Carrier", "Weather", "NAS", "Security", "LateAircraft"];
                let causes = causes.map(|cause| line.known(&format!("{cause}Delay")));
                assert!(causes.iter().all(|&cause| cause >= 0));
                assert_eq!(causes.iter().sum::<i32>(), late);
            }
        }
        for (delay, flag) in [("ArrDelay", "IsArrDelayed"), ("DepDelay", "IsDepDelayed")] {
            let delayed = line.number(delay).is_none_or(|minutes| minutes > 0);
            assert_eq!(line.text(flag), if delayed { "YES" } else { "NO" });
        }
    }
}

#[test]
fn values_are_missing_where_the_real_data_lacks_them() {
    let (mut cancelled, mut diverted) = (0, 0);
    for line in lines() {
        let year = line.known("Year");
        let gone = line.known("Cancelled") == 1;
        let elsewhere = line.known("Diverted") == 1;
        assert!(!(gone && elsewhere));
        cancelled += u32::from(gone);
        diverted += u32::from(elsewhere);

        for column in ["DepTime", "DepDelay"] {
            assert_eq!(line.number(column).is_none(), gone, "{column}");
        }
        for column in ["ArrTime", "ArrDelay", "ActualElapsedTime"] {
            assert_eq!(line.number(column).is_none(), gone || elsewhere, "{column}");
        }
        if year < 1995 {
            for column in ["TailNum", "AirTime", "TaxiIn", "TaxiOut"] {
                assert_eq!(line.text(column), "NA");
            }
        }
        if year < 2004 {
            assert_eq!(line.text("CancellationCode"), "NA");
            assert_eq!(line.text("WeatherDelay"), "NA");
        } else {
            assert_eq!(line.text("CancellationCode").is_empty(), !gone);
        }
        if (2004..2008).contains(&year) {
            assert!(line.number("WeatherDelay").is_some());
        }
    }
    assert!((500..1500).contains(&cancelled), "{cancelled} of 50,000");
    assert!((75..300).contains(&diverted), "{diverted} of 50,000");
}

#[test]
fn carriers_fly_in_their_years_between_real_airports() {
    let mut carriers = HashSet::new();
    let mut airports = HashSet::new();
    let mut miles = HashMap::new();
    let mut delayed = 0;
    for line in lines() {
        let carrier = line.text("UniqueCarrier").to_owned();
        let year = line.known("Year");
        match carrier.as_str() {
            "PS" => assert!(year <= 1988),
            "PI" => assert!(year <= 1989),
            "TW" => assert!(year <= 2001),
            "HP" => assert!(year <= 2005),
            _ => {}
        }
        carriers.insert(carrier);
        let mut pair = [line.text("Origin").to_owned(), line.text("Dest").to_owned()];
        assert_ne!(pair[0], pair[1]);
        pair.sort();
        airports.extend(pair.clone());
        let distance = line.known("Distance");
        assert_eq!(*miles.entry(pair).or_insert(distance), distance);
        delayed += u32::from(line.text("IsDepDelayed") == "YES");
    }
    assert_eq!(carriers.len(), 10);
    assert!(airports.len() > 100, "{} airports", airports.len());
    assert_eq!(miles[&["SAN".to_owned(), "SFO".to_owned()]], 447);
    assert_eq!(miles[&["DEN".to_owned(), "PHX".to_owned()]], 602);
    assert!((15_000..30_000).contains(&delayed), "{delayed} of 50,000");
}

//! Writes a flight down as the data of its year does.
//!
//! - until 1994: no tail numbers, no times on the taxiway or in the air;
//! - from 2004: codes of cancellation (empty where there is none) and the causes
//!   of delays of 15 minutes and more;
//! - 2008: what does not apply is `NA` where earlier years had 0.

use crate::calendar::clock;
use crate::flight::{Blame, Fate, Flight};

/// From here on a delay has its causes.
const DELAY_WITH_CAUSES: i32 = 15;

/// Appends the 31 columns of the flight.
pub(crate) fn write(flight: &Flight, line: &mut String) {
    let year = flight.date.year;
    let mut columns = Columns(line);

    // What happened, as far as it did.
    let (mut late_off, mut late_on) = (None, None);
    let (mut taxi_out, mut taxi_in, mut air) = (None, None, None);
    match flight.fate {
        Fate::Arrived { late_off: off, taxi_out: out, air: cruise, taxi_in: in_, .. } => {
            late_off = Some(off);
            late_on = Some(off + out + cruise + in_ - flight.planned);
            (taxi_out, air, taxi_in) = (Some(out), Some(cruise), Some(in_));
        }
        Fate::Diverted { late_off: off, taxi_out: out } => {
            (late_off, taxi_out) = (Some(off), Some(out))
        }
        Fate::Cancelled { .. } => {}
    }
    let elapsed = air.zip(taxi_in).zip(taxi_out);
    let elapsed = elapsed.map(|((air, taxi_in), taxi_out)| air + taxi_in + taxi_out);

    columns.number(year);
    columns.number(flight.date.month);
    columns.number(flight.date.day);
    columns.number(flight.date.weekday);
    let (departure, arrival) = flight.scheduled;
    columns.number_or_na(late_off.map(|late| clock(departure + late)));
    columns.number(clock(departure));
    columns.number_or_na(late_on.map(|late| clock(arrival + late)));
    columns.number(clock(arrival));
    columns.text(flight.carrier);
    columns.number(flight.number);
    columns.tail(flight);
    columns.number_or_na(elapsed);
    columns.number(flight.planned);
    columns.number_or_na(air.filter(|_| year >= 1995));
    columns.number_or_na(late_on);
    columns.number_or_na(late_off);
    columns.text(flight.from);
    columns.text(flight.to);
    columns.number(flight.miles);
    columns.taxi(year, taxi_in);
    columns.taxi(year, taxi_out);
    columns.cancellation(flight);
    columns.number(i32::from(matches!(flight.fate, Fate::Diverted { .. })));
    columns.causes(flight, late_on, elapsed);
    columns.delayed(late_on);
    columns.delayed(late_off);
    // The comma after the last column.
    line.pop();
}

/// The columns written so far, each with a comma after it.
struct Columns<'a>(&'a mut String);

impl Columns<'_> {
    fn text(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push(',');
    }

    /// Minutes, miles, years: nothing here has more than four digits.
    fn number(&mut self, number: i32) {
        if number < 0 {
            self.0.push('-');
        }
        let number = number.unsigned_abs();
        let mut place = match number {
            0..10 => 1,
            10..100 => 10,
            100..1000 => 100,
            _ => 1000,
        };
        while place > 0 {
            self.0.push(char::from(b'0' + (number / place % 10) as u8));
            place /= 10;
        }
        self.0.push(',');
    }

    fn number_or_na(&mut self, number: Option<i32>) {
        match number {
            Some(number) => self.number(number),
            None => self.text("NA"),
        }
    }

    fn tail(&mut self, flight: &Flight) {
        let cancelled = matches!(flight.fate, Fate::Cancelled { .. });
        match flight.date.year {
            ..=1994 => self.text("NA"),
            ..=2002 if cancelled => self.text("UNKNOW"),
            ..=2005 if cancelled => self.text("000000"),
            ..=2007 if cancelled => self.text("0"),
            _ if cancelled => self.text(""),
            _ => {
                self.0.push('N');
                self.number(flight.tail);
                self.0.pop();
                self.text(flight.carrier);
            }
        }
    }

    fn taxi(&mut self, year: i32, minutes: Option<i32>) {
        match (year, minutes) {
            (1995..=2007, None) => self.number(0),
            (1995.., minutes) => self.number_or_na(minutes),
            _ => self.text("NA"),
        }
    }

    fn cancellation(&mut self, flight: &Flight) {
        let code = match flight.fate {
            Fate::Cancelled { code } => Some(code),
            _ => None,
        };
        self.number(i32::from(code.is_some()));
        match flight.date.year {
            ..=2003 => self.text("NA"),
            _ => self.text(code.unwrap_or("")),
        }
    }

    /// CarrierDelay, WeatherDelay, NASDelay, SecurityDelay, LateAircraftDelay: they
    /// add up to the delay at arrival.
    fn causes(&mut self, flight: &Flight, late_on: Option<i32>, elapsed: Option<i32>) {
        let year = flight.date.year;
        let late = late_on.filter(|&late| late >= DELAY_WITH_CAUSES);
        let (Fate::Arrived { blame, .. }, Some(late), Some(elapsed), 2004..) =
            (&flight.fate, late, elapsed, year)
        else {
            for _ in 0..5 {
                self.number_or_na(Some(0).filter(|_| (2004..=2007).contains(&year)));
            }
            return;
        };
        // Time lost after the doors closed is the air space's.
        let air_space = (elapsed - flight.planned).clamp(0, late);
        let share = |who| if *blame == who { late - air_space } else { 0 };
        self.number(share(Blame::Carrier));
        self.number(share(Blame::Weather));
        self.number(air_space);
        self.number(0);
        self.number(share(Blame::LateAircraft));
    }

    /// The data counts a flight that never left or arrived as delayed.
    fn delayed(&mut self, late: Option<i32>) {
        self.text(if late.is_none_or(|late| late > 0) { "YES" } else { "NO" });
    }
}

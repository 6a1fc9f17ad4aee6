//! What happened to one flight.

use crate::calendar::{Date, days};
use crate::random::Random;
use crate::routes::{CARRIERS, Carrier};

/// The first and the last year of the data; it starts in October 1987.
const YEARS: (i32, i32) = (1987, 2008);

/// A flight before it is written down: everything that is known of it, whether or
/// not the data of its year tells.
pub(crate) struct Flight {
    pub(crate) date: Date,
    pub(crate) carrier: &'static str,
    pub(crate) number: i32,
    /// The digits of the tail number, which ends in the carrier's code.
    pub(crate) tail: i32,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) miles: i32,
    /// Scheduled departure and arrival, each in local time: minutes since midnight
    /// of the day of departure.
    pub(crate) scheduled: (i32, i32),
    /// Scheduled duration in minutes, gate to gate.
    pub(crate) planned: i32,
    pub(crate) fate: Fate,
}

/// How it went. Minutes throughout.
pub(crate) enum Fate {
    Arrived {
        late_off: i32,
        taxi_out: i32,
        air: i32,
        taxi_in: i32,
        /// Which causes share a delay that is the fault of neither the air space
        /// nor security.
        blame: Blame,
    },
    /// It left and landed elsewhere.
    Diverted {
        late_off: i32,
        taxi_out: i32,
    },
    Cancelled {
        code: &'static str,
    },
}

/// Who is responsible for a delay that came before the taxiway.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Blame {
    Carrier,
    Weather,
    LateAircraft,
}

impl Flight {
    /// The order of the draws is part of what a seed promises.
    pub(crate) fn draw(random: &mut Random) -> Flight {
        let date = draw_date(random);
        let carrier = draw_carrier(random, date.year);

        // The lower of two draws: the busiest routes come first in the table.
        let routes = carrier.routes;
        let count = routes.len() as u32;
        let choice = random.below(count).min(random.below(count));
        let (a, b, miles, later) = routes[choice as usize];
        let (from, to, later) = if random.percent(50) { (a, b, later) } else { (b, a, -later) };
        let miles = i32::from(miles);

        // About 470 miles an hour, and 10 minutes to climb and to descend.
        let cruise = 10 + miles * 60 / 470;
        let planned = cruise + 18 + random.between(0, 8);
        let departure = draw_departure(random);
        let arrival = departure + planned + 60 * i32::from(later);

        Flight {
            date,
            carrier: carrier.code,
            number: random.between(1, 2999),
            tail: random.between(100, 999),
            from,
            to,
            miles,
            scheduled: (departure, arrival),
            planned,
            fate: draw_fate(random, departure, cruise),
        }
    }
}

fn draw_date(random: &mut Random) -> Date {
    let year = random.between(YEARS.0, YEARS.1);
    let first = if year == YEARS.0 { 10 } else { 1 };
    let month = random.between(first, 12);
    Date::new(year, month, random.between(1, days(year, month)))
}

fn draw_carrier(random: &mut Random, year: i32) -> &'static Carrier {
    let flies = |carrier: &&Carrier| {
        (i32::from(carrier.years.0)..=i32::from(carrier.years.1)).contains(&year)
    };
    let total = CARRIERS.iter().filter(flies).map(|c| c.weight).sum();
    let mut left = random.below(total);
    let mut chosen = &CARRIERS[0];
    for carrier in CARRIERS.iter().filter(flies) {
        chosen = carrier;
        if left < carrier.weight {
            break;
        }
        left -= carrier.weight;
    }
    chosen
}

/// Most leave in the middle of the day, on a multiple of five minutes; a few at night.
fn draw_departure(random: &mut Random) -> i32 {
    let hour = if random.percent(3) {
        random.between(0, 23)
    } else {
        random.between(6, 14) + random.between(0, 8)
    };
    let minute = if random.percent(80) { 5 * random.between(0, 11) } else { random.between(0, 59) };
    60 * hour + minute
}

fn draw_fate(random: &mut Random, departure: i32, cruise: i32) -> Fate {
    if random.percent(2) {
        let code = ["A", "B", "C"][random.below(3) as usize];
        return Fate::Cancelled { code };
    }
    let late_off = draw_departure_delay(random, departure);
    let taxi_out = 5 + random.between(0, 8).min(random.between(0, 20)) + random.between(0, 5);
    if random.below(1000) < 3 {
        return Fate::Diverted { late_off, taxi_out };
    }
    Fate::Arrived {
        late_off,
        taxi_out,
        air: cruise + random.between(-5, 5) + random.between(-3, 3),
        taxi_in: random.between(2, 9),
        blame: match random.below(10) {
            0 => Blame::Weather,
            1..5 => Blame::Carrier,
            _ => Blame::LateAircraft,
        },
    }
}

/// Delays pile up during the day; most are short, a few are of hours.
fn draw_departure_delay(random: &mut Random, departure: i32) -> i32 {
    let hour = departure / 60;
    let late = 20 + 2 * (hour - 5).max(0).unsigned_abs();
    if !random.percent(late) {
        -random.between(0, 7)
    } else if random.percent(8) {
        random.between(60, 300)
    } else {
        random.between(1, 60).min(random.between(1, 60))
    }
}

//! A seeded generator of flight records in the CSV of the US DOT's on-time data.
//!
//! A record is one line of 31 columns ([`COLUMNS`]), such as
//!
//! ```text
//! 1987,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES
//! ```
//!
//! Carriers, airports and distances are real; dates run from October 1987 to
//! December 2008 and have their true day of the week; times, delays and durations
//! agree with each other and with the time zones; `NA` and the empty value stand
//! where the real data of that year has them. What the real data has and this has
//! not: bytes that are not UTF-8 (tail numbers of 2001 and 2002).
//!
//! **The sequence of a seed never changes.** Golden results depend on it, so it is
//! made of PCG32 (XSH RR, 64-bit LCG) and integer arithmetic alone, and a test
//! pins it.
//!
//! ```
//! use flight_records::Flights;
//!
//! let mut flights = Flights::new(1);
//! let mut line = String::new();
//! flights.write_next(&mut line); // reuses the string's memory
//! assert_eq!(line.split(',').count(), flight_records::COLUMNS.len());
//!
//! // The same lines as an iterator that never ends.
//! assert_eq!(Flights::new(1).next().as_deref(), Some(line.as_str()));
//! ```

mod calendar;
mod flight;
mod line;
mod random;
mod routes;

use flight::Flight;
use random::Random;

/// The names of the columns, in their order.
pub const COLUMNS: [&str; 31] = [
    "Year",
    "Month",
    "DayofMonth",
    "DayOfWeek",
    "DepTime",
    "CRSDepTime",
    "ArrTime",
    "CRSArrTime",
    "UniqueCarrier",
    "FlightNum",
    "TailNum",
    "ActualElapsedTime",
    "CRSElapsedTime",
    "AirTime",
    "ArrDelay",
    "DepDelay",
    "Origin",
    "Dest",
    "Distance",
    "TaxiIn",
    "TaxiOut",
    "Cancelled",
    "CancellationCode",
    "Diverted",
    "CarrierDelay",
    "WeatherDelay",
    "NASDelay",
    "SecurityDelay",
    "LateAircraftDelay",
    "IsArrDelayed",
    "IsDepDelayed",
];

/// The header line of the CSV: [`COLUMNS`], joined by commas.
pub const HEADER: &str = "Year,Month,DayofMonth,DayOfWeek,DepTime,CRSDepTime,ArrTime,\
    CRSArrTime,UniqueCarrier,FlightNum,TailNum,ActualElapsedTime,CRSElapsedTime,AirTime,ArrDelay,\
    DepDelay,Origin,Dest,Distance,TaxiIn,TaxiOut,Cancelled,CancellationCode,Diverted,CarrierDelay,\
    WeatherDelay,NASDelay,SecurityDelay,LateAircraftDelay,IsArrDelayed,IsDepDelayed";

/// The two flights of the classic example of streaming H2O models: the same flight
/// in 1987 and in 1999, about which the example's two models disagree.
pub const CLASSIC: [&str; 2] = [
    "1987,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES",
    "1999,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES",
];

/// An endless sequence of flights, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Flights {
    random: Random,
}

impl Flights {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Flights {
        Flights { random: Random::new(seed) }
    }

    /// Replaces what `line` holds with the next flight, without a line end. Once
    /// the string has grown to a line's length (at most 128 bytes), nothing is
    /// allocated.
    pub fn write_next(&mut self, line: &mut String) {
        line.clear();
        line::write(&Flight::draw(&mut self.random), line);
    }
}

impl Iterator for Flights {
    type Item = String;

    /// The next flight, without a line end. There is always one.
    fn next(&mut self) -> Option<String> {
        let mut line = String::with_capacity(128);
        self.write_next(&mut line);
        Some(line)
    }
}

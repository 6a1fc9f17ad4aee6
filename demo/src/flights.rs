//! The flights of the demo: the two of the classic example, then the seeded
//! generator's, with some garbage among them.

use flight_records::{CLASSIC, Flights};

use crate::feed::Records;
use crate::watch::Remarks;

/// The key of the two classic flights, the first of their partition.
const CLASSIC_KEY: &str = "PS1451";
/// Their years, in the order of sending.
const CLASSIC_YEARS: [u32; 2] = [1987, 1999];

/// Writes one flight after the other; one in `garbage` is not a flight (0: all are).
pub fn records(seed: u64, garbage: u64) -> Records {
    let mut flights = Flights::new(seed);
    let mut line = String::new();
    Box::new(move |number, record| {
        match CLASSIC.get(number as usize) {
            Some(classic) => (*classic).clone_into(&mut line),
            None if garbage > 0 && number % garbage == garbage - 1 => {
                "this is not a flight".clone_into(&mut line);
            }
            None => flights.write_next(&mut line),
        }
        let mut columns = line.split(',').skip(8);
        record.key.clear();
        record.key.extend([columns.next().unwrap_or(""), columns.next().unwrap_or("")]);
        record.value.clear();
        record.value.extend_from_slice(line.as_bytes());
    })
}

/// Labels the predictions of the classic flights.
pub fn remarks() -> Remarks {
    let mut years = CLASSIC_YEARS.iter();
    Box::new(move |key| {
        let year = (key == CLASSIC_KEY).then(|| years.next()).flatten()?;
        Some(format!("the classic flight, in {year}"))
    })
}

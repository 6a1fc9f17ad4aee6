//! The records of every row: generated flights, the same in the sandbox, natively
//! and for Java. The native program includes this file.

use flight_records::Flights;

/// The seed of the flights.
pub const SEED: u64 = 1;

/// Records of a batch: the runner's default.
pub const BATCH: usize = 256;

/// The headers of a record where there are any: what a tracing producer adds.
pub const HEADERS: [(&str, &[u8]); 2] = [
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("content-type", b"text/csv"),
];

/// A flight under its key, carrier and number.
pub struct Flight {
    /// `PS1451`
    pub key: String,
    /// The line of 31 columns.
    pub line: String,
}

/// So many flights, always the same.
pub fn flights(count: usize) -> impl Iterator<Item = Flight> {
    Flights::new(SEED).take(count).map(|line| {
        let mut columns = line.split(',').skip(8);
        let key = [columns.next(), columns.next()].into_iter().flatten().collect();
        Flight { key, line }
    })
}

//! Time per record, natively: `cargo bench -p flight-features`.

use std::hint::black_box;
use std::time::Instant;

use flight_features::{COLUMNS, Config, Kind, Reader, Sink};
use flight_records::Flights;

/// Adds up what it gets, so that nothing is optimised away.
#[derive(Default)]
struct Sum(f64, usize);

impl Sink for Sum {
    fn number(&mut self, number: f64) {
        self.0 += number;
    }
    fn text(&mut self, text: &str) {
        self.1 += text.len();
    }
    fn missing(&mut self) {
        self.1 += 1;
    }
}

/// As a JSON producer would write it: numbers as numbers, NA as null.
fn json(line: &str) -> String {
    let fields: Vec<String> = COLUMNS
        .iter()
        .zip(line.split(','))
        .map(|(column, field)| match (field, column.kind) {
            ("NA" | "", _) => format!("\"{}\":null", column.name),
            (_, Kind::Number) => format!("\"{}\":{field}", column.name),
            (_, Kind::Text) => format!("\"{}\":\"{field}\"", column.name),
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// The best of several passes, in nanoseconds per record.
fn measure(what: &str, config: &Config, records: &[String]) {
    let mut reader = Reader::new(config).expect("a valid configuration");
    let mut best = f64::INFINITY;
    for _ in 0..15 {
        let start = Instant::now();
        let mut sum = Sum::default();
        for record in records {
            reader.read(Some(black_box(record.as_bytes())), &mut sum).expect("a flight");
        }
        black_box(sum);
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / records.len() as f64);
    }
    println!("{what:<40} {best:>7.1} ns/record");
}

fn main() {
    let lines: Vec<String> = Flights::new(1).take(20_000).collect();
    let quoted: Vec<String> =
        lines.iter().map(|line| format!("\"{}\"", line.replace(',', "\",\""))).collect();
    let objects: Vec<String> = lines.iter().map(|line| json(line)).collect();
    let all = Config {
        features: COLUMNS.map(|column| column.name.to_owned()).to_vec(),
        ..Config::default()
    };
    let eight = Config::default();
    measure("csv, the classic eight", &eight, &lines);
    measure("csv, all 31", &all, &lines);
    measure("csv, all quoted, the classic eight", &eight, &quoted);
    measure("json, the classic eight", &eight, &objects);
    measure("json, all 31", &all, &objects);
}

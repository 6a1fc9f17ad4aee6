//! The two flight models over 20,000 generated flights and over the real ones.

mod support;

use std::path::Path;
use std::{env, fs};

use flight_records::Flights;
use h2o_mojo::Model;
use support::{Result, Table, crate_folder, flights_bytes, score};

const MODELS: [(&str, f64); 2] = [("flights-gbm", 1e-6), ("flights-dl", 1e-5)];

/// The seed and the number of flights that the golden results are of.
const SEED: u64 = 1;
const FLIGHTS: usize = 20_000;

fn generated() -> Table {
    let header = flight_records::COLUMNS.join(",");
    let lines: Vec<String> =
        std::iter::once(header).chain(Flights::new(SEED).take(FLIGHTS)).collect();
    Table::parse(lines.join("\n").as_bytes())
}

fn golden(model: &str, file: &str) -> Result<Vec<u8>> {
    Ok(fs::read(crate_folder().join(format!("../../models/{model}/{file}")))?)
}

fn check(flights: &Table, file: &str, unpack: impl Fn(Vec<u8>) -> Result<Vec<u8>>) -> Result {
    for (name, tolerance) in MODELS {
        let model = Model::read(&flights_bytes(name)?)?;
        let predictions = score(&model, &flights.rows(&model), None)?;
        let golden = Table::parse(&unpack(golden(name, file)?)?);
        // The probability of YES alone is recorded; that of NO is the rest.
        let mut largest = 0.0_f64;
        assert_eq!(predictions.len(), golden.lines.len(), "{name}: flights");
        let values = predictions.values().chunks_exact(2).zip(predictions.labels());
        for (index, ((values, label), line)) in values.zip(&golden.lines).enumerate() {
            let label = &model.classes()[*label as usize];
            assert_eq!(label.as_bytes(), line[0], "{name}: label of flight {index}");
            let expected: f64 = str::from_utf8(&line[1])?.parse()?;
            largest = largest.max((values[1] - expected).abs());
            largest = largest.max((values[0] - (1.0 - expected)).abs());
        }
        println!("{name}: {largest:e} over {} flights", predictions.len());
        assert!(largest <= tolerance, "{name}: differs by {largest:e}");
    }
    Ok(())
}

#[test]
fn generated_flights_score_as_in_java() -> Result {
    check(&generated(), "golden-generated.csv", Ok)
}

#[test]
fn real_flights_score_as_in_java() -> Result {
    let Some(folder) = env::var_os("SANDBAR_TEST_DATA") else {
        println!("skipped: SANDBAR_TEST_DATA is not set, so there are no real flights");
        return Ok(());
    };
    let archive = fs::read(Path::new(&folder).join("data/airlines/allyears2k_headers.zip"))?;
    let zip = rawzip::ZipArchive::from_slice(&archive)?;
    let entry = zip.entries().next_entry()?.ok_or("an empty archive")?;
    let packed = zip.get_entry(entry.wayfinder())?;
    let csv = inflate(packed.data())?;
    check(&Table::parse(&csv), "golden-real.csv.gz", |bytes| {
        // The header of gzip is ten bytes, and a name that ends with zero where bit 3 says so.
        let name = if bytes[3] & 8 == 0 {
            0
        } else {
            bytes[10..].iter().position(|byte| *byte == 0).ok_or("no end of the name")? + 1
        };
        inflate(&bytes[10 + name..])
    })
}

#[test]
fn the_classic_flights_have_the_published_predictions() -> Result {
    let line = "1987,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,NA,NA,0,NA,0,\
                NA,NA,NA,NA,NA,YES,YES";
    let later = line.replacen("1987", "1999", 1);
    let table = [&flight_records::COLUMNS.join(","), line, &later].join("\n");
    let flights = Table::parse(table.as_bytes());
    for (name, expected) in [("flights-gbm", ["YES", "NO"]), ("flights-dl", ["YES", "YES"])] {
        let model = Model::read(&flights_bytes(name)?)?;
        let predictions = score(&model, &flights.rows(&model), None)?;
        let labels = predictions.labels().iter().map(|label| &model.classes()[*label as usize]);
        assert_eq!(labels.collect::<Vec<_>>(), expected, "{name}");
    }
    Ok(())
}

fn inflate(packed: &[u8]) -> Result<Vec<u8>> {
    miniz_oxide::inflate::decompress_to_vec(packed).map_err(|e| e.to_string().into())
}

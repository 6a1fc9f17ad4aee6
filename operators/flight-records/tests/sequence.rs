//! The sequence of a seed is a promise: golden results of other crates are made
//! from it. If a test here fails, the generator is wrong, not the test.

use flight_records::{CLASSIC, COLUMNS, Flights, HEADER};

/// Printed once by this crate and frozen since.
const FIRST_OF_SEED_1: [&str; 3] = [
    "1994,6,1,3,1434,1435,1614,1613,UA,2296,NA,160,158,NA,1,-1,MCO,ORD,1005,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,NO",
    "1993,11,1,1,1834,1825,1940,1936,WN,2253,NA,66,71,NA,4,9,LBB,DAL,293,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES",
    "1987,11,29,7,1543,1545,1646,1657,HP,2443,NA,63,72,NA,-11,-2,PHX,ABQ,328,NA,NA,0,NA,0,NA,NA,NA,NA,NA,NO,NO",
];

/// 64-bit FNV-1a of the first lines, each with a line feed.
fn digest(seed: u64, lines: usize) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for line in Flights::new(seed).take(lines) {
        for byte in line.bytes().chain([b'\n']) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

#[test]
fn the_first_lines_are_these() {
    let lines: Vec<String> = Flights::new(1).take(3).collect();
    assert_eq!(lines, FIRST_OF_SEED_1);
}

#[test]
fn twenty_thousand_lines_are_those_of_always() {
    assert_eq!(digest(1, 20_000), 0x1aac_8c0e_cc61_560b, "seed 1");
    assert_eq!(digest(u64::MAX, 20_000), 0xf779_665e_a658_a4c5, "the largest seed");
}

#[test]
fn seeds_differ() {
    let fields = |seed| -> Vec<String> { Flights::new(seed).take(100).collect() };
    let (one, two) = (fields(1), fields(2));
    assert!(one.iter().all(|line| !two.contains(line)));
}

#[test]
fn both_ways_to_draw_give_the_same() {
    let mut written = Flights::new(7);
    let mut line = String::from("what was there before");
    for drawn in Flights::new(7).take(1000) {
        written.write_next(&mut line);
        assert_eq!(line, drawn);
        assert!(line.len() <= 128, "longer than promised: {line}");
    }
}

#[test]
fn the_header_is_the_columns() {
    assert_eq!(HEADER, COLUMNS.join(","));
    for line in CLASSIC {
        assert_eq!(line.split(',').count(), COLUMNS.len());
    }
}

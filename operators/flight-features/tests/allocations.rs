//! A record costs no allocation once the reader has read a few. Its own test binary:
//! the counter sees the whole process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use flight_features::{Config, Reader, Sink};
use flight_records::Flights;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
struct Counted;

// SAFETY: every call is passed on as it is to the system's allocator, which keeps
// the contract.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` is from `alloc` above, so from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// Counts what it gets.
struct Count(usize);

impl Sink for Count {
    fn number(&mut self, _: f64) {
        self.0 += 1;
    }
    fn text(&mut self, _: &str) {
        self.0 += 1;
    }
    fn missing(&mut self) {
        self.0 += 1;
    }
}

/// How many allocations reading these records costs, when they were read before.
fn allocations(records: &[String]) -> usize {
    let mut reader = Reader::new(&Config::default()).expect("a valid configuration");
    let mut count = Count(0);
    let mut read_all = || {
        for record in records {
            reader.read(Some(record.as_bytes()), &mut count).expect("a flight");
        }
    };
    read_all();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    read_all();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

// One test, since others would allocate at the same time.
#[test]
fn records_cost_no_allocations() {
    let lines: Vec<String> = Flights::new(1).take(1000).collect();
    let quoted: Vec<String> =
        lines.iter().map(|line| format!("\"{}\"", line.replace(',', "\",\""))).collect();
    let objects: Vec<String> = (1..=1000)
        .map(|n| format!(r#"{{"Year": 1987, "Origin": "SAN", "Dest": null, "FlightNum": {n}}}"#))
        .collect();
    assert_eq!(allocations(&lines), 0, "lines");
    assert_eq!(allocations(&quoted), 0, "quoted lines");
    assert_eq!(allocations(&objects), 0, "objects");

    let mut flights = Flights::new(1);
    let mut line = String::with_capacity(128);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..1000 {
        flights.write_next(&mut line);
    }
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0, "generated lines");
}

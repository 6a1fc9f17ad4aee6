//! What expressions cost: `cargo run --release -p expressions --example cost`.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on should stop")]

use std::hint::black_box;
use std::time::Instant;

use expressions::{Expression, Scope, Timestamp, Type, Value, Variables};

struct Payment(f64);

impl Variables for Payment {
    fn value(&self, variable: usize) -> Option<Value<'_>> {
        Some(match variable {
            0 => self.0.into(),
            1 => 40.0.into(),
            2 => "SFO".into(),
            _ => Timestamp::from_millis(1_796_043_909_250)?.into(),
        })
    }
}

fn main() {
    const TIMES: u32 = 1_000_000;
    let mut scope = Scope::default();
    for (name, is) in [
        ("amount", Type::Number),
        ("limit", Type::Number),
        ("destination", Type::Text),
        ("departure", Type::Timestamp),
    ] {
        scope.declare(name, is);
    }
    for source in [
        "amount / limit",
        "amount / limit > 0.5",
        "destination == \"SFO\" && amount > 10 || amount < 1",
        "destination in [\"LAX\", \"JFK\", \"SFO\"]",
        "hour(departure)",
        "destination.matches(\"^S.O$\")",
        "destination + \"-\" + string(amount)",
    ] {
        let begun = Instant::now();
        for _ in 0..1000 {
            black_box(Expression::compile(black_box(source), &scope).unwrap());
        }
        let compiled = begun.elapsed() / 1000;
        let expression = Expression::compile(source, &scope).unwrap();
        let begun = Instant::now();
        for number in 0..TIMES {
            black_box(expression.evaluate(&Payment(black_box(f64::from(number)))).unwrap());
        }
        let evaluated = begun.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES);
        println!("{evaluated:7.1} ns, compiled in {compiled:.1?}: {source}");
    }
}

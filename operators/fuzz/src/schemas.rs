//! Schemas and records by them: both are of others.

use record_schemas::{Found, Place, Value, avro, protobuf, wire};

/// A schema of Avro, a zero byte, another or nothing, a zero byte, and a record.
///
/// # Panics
/// Where what was found is not in the record.
pub fn avro(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let (Some(writer), Some(reader), Some(record)) = (parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    let read = |text: &[u8]| avro::Schema::read(std::str::from_utf8(text).ok()?, []).ok();
    let Some(writer) = read(writer) else { return };
    let reader = read(reader);
    let Ok(plan) = avro::Plan::new(&writer, reader.as_ref(), &places()) else { return };
    let mut found = plan.found();
    if plan.read(record, &mut found).is_ok() {
        check(record, &found);
    }
}

/// A `.proto` file, a zero byte, and a record.
///
/// # Panics
/// Where what was found is not in the record.
pub fn protobuf(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (Some(file), Some(record)) = (parts.next(), parts.next()) else { return };
    let Ok(file) = std::str::from_utf8(file) else { return };
    let Ok(schema) = protobuf::Schema::read(file, []) else { return };
    let Ok(message) = schema.message(&[0]) else { return };
    let Ok(plan) = protobuf::Plan::new(&message, &places()) else { return };
    let mut found = plan.found();
    if plan.read(record, &mut found).is_ok() {
        check(record, &found);
    }
}

/// A value with the id of its schema in front, or a header.
///
/// # Panics
/// Where what is said to be the record is not a part of the value.
pub fn envelope(bytes: &[u8]) {
    let middle = bytes.len() / 2;
    for protobuf in [false, true] {
        for header in [None, Some(&bytes[..middle])] {
            if let Ok(envelope) = wire::open(bytes, header, protobuf) {
                assert!(bytes.get(envelope.body).is_some());
                assert!(envelope.message.len() <= 32 && protobuf != envelope.message.is_empty());
            }
        }
    }
}

fn places() -> Vec<Place> {
    let whole = |sizes: &[u32]| Place { array: Some(sizes.to_vec()), ..Place::at(["a"]) };
    let mut places: Vec<Place> = ["a", "b", "a.a", "a.0", "a.b.a", "b.k", "b.0.a", "a.a.a.a"]
        .map(|way| Place::at(way.split('.')))
        .into();
    places.extend([whole(&[2]), whole(&[2, 1]), Place::default()]);
    places
}

fn check(record: &[u8], found: &Found) {
    for value in found.values.iter().chain(found.arrays.iter().flatten()) {
        match value {
            Value::Text(_) | Value::Copied(_) => assert!(found.text(record, value).is_some()),
            Value::Decimal(_) => assert!(found.number(value).is_some_and(|it| !it.is_nan())),
            _ => {}
        }
    }
}

//! What guests answer. A component may say anything about lengths, ends and indices.

use sandbar::record::Headers;
use sandbar::sandbox::OutputSchema;
use sandbar::sandbox::check;
use sandbar::sandbox::{
    Column, ElementType, Emitted, Extracted, Failure, FailureCode, Field, FieldType, Scored, Table,
    TensorShape, Text, Transformed,
};

use crate::bytes::Bytes;

/// Any answer in any of the three worlds is refused, or can be read to its end without
/// looking again whether it is sound.
///
/// # Panics
/// Where an answer that was let through cannot be read.
pub fn answer(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    match bytes.byte() % 3 {
        0 => extraction(&mut bytes),
        1 => scoring(&mut bytes),
        _ => transformation(&mut bytes),
    }
}

fn extraction(bytes: &mut Bytes<'_>) {
    let fields = bytes.list(field);
    if check::fields(&fields).is_err() {
        return;
    }
    let records = bytes.number() as usize;
    let extracted = Extracted {
        table: Table { rows: bytes.number(), columns: bytes.list(column) },
        failures: failures(bytes),
    };
    if check::extracted(records, &fields, &extracted).is_err() {
        return;
    }
    let rows = extracted.table.rows as usize;
    failed(records, &extracted.failures);
    assert_eq!(rows + extracted.failures.len(), records);
    for (field, column) in fields.iter().zip(&extracted.table.columns) {
        match (&field.ty, column) {
            (FieldType::Number, Column::Numbers(numbers)) => assert_eq!(numbers.len(), rows),
            (FieldType::Text, Column::Text(text)) => {
                let mut start = 0;
                for end in &text.ends {
                    let end = *end as usize;
                    let cell = std::str::from_utf8(&text.bytes[start..end]);
                    assert!(cell.is_ok(), "a cell that is not UTF-8");
                    start = end;
                }
                assert_eq!(text.ends.len(), rows);
            }
            (FieldType::Tensor(shape), Column::Tensor(data)) => {
                let size = shape.dimensions.iter().map(|size| *size as usize).product::<usize>();
                assert!(rows == 0 || data.len() % rows == 0, "{} in {rows}", data.len());
                assert!(size > 0 || data.is_empty());
            }
            (declared, _) => panic!("a column that is not {declared:?}"),
        }
    }
}

fn scoring(bytes: &mut Bytes<'_>) {
    let names = |bytes: &mut Bytes<'_>| bytes.list(|bytes| bytes.text());
    let output = match bytes.byte() % 2 {
        0 => OutputSchema::Classes(names(bytes)),
        _ => OutputSchema::Values(names(bytes)),
    };
    if check::output(&output).is_err() {
        return;
    }
    let rows = bytes.number() as usize;
    let scored = Scored {
        labels: bytes.list(Bytes::number),
        values: bytes.list(|bytes| f64::from(bytes.byte())),
        failures: failures(bytes),
    };
    if check::scored(rows, &output, &scored).is_err() {
        return;
    }
    failed(rows, &scored.failures);
    let predictions = rows - scored.failures.len();
    let width = output.names().len();
    for row in 0..predictions {
        let values = &scored.values[row * width..(row + 1) * width];
        assert_eq!(values.len(), width);
        if let OutputSchema::Classes(names) = &output {
            let _ = &names[scored.labels[row] as usize];
        }
    }
}

fn transformation(bytes: &mut Bytes<'_>) {
    let records = bytes.number() as usize;
    let topics = usize::from(bytes.byte() % 4);
    let transformed = Transformed {
        records: Emitted {
            origins: bytes.list(Bytes::number),
            routes: bytes.list(Bytes::number),
            timestamps: bytes.list(|bytes| i64::from(bytes.byte()) - 1),
            bytes: bytes.slice().to_vec(),
            ends: bytes.list(Bytes::number),
            nulls: bytes.list(Bytes::byte),
        },
        failures: failures(bytes),
    };
    if check::transformed(records, topics, &transformed).is_err() {
        return;
    }
    failed(records, &transformed.failures);
    let emitted = &transformed.records;
    let mut start = 0;
    for (index, origin) in emitted.origins.iter().enumerate() {
        assert!((*origin as usize) < records);
        assert!(emitted.routes[index] as usize <= topics);
        let _ = (emitted.timestamps[index], emitted.nulls[index]);
        let [key, value, headers] = [0, 1, 2].map(|part| emitted.ends[3 * index + part] as usize);
        let _ = (&emitted.bytes[start..key], &emitted.bytes[key..value]);
        assert!(Headers::validate(&emitted.bytes[value..headers]));
        start = headers;
    }
    assert_eq!(start, emitted.bytes.len());
}

fn failed(count: usize, failures: &[Failure]) {
    let mut seen = std::collections::BTreeSet::new();
    for failure in failures {
        assert!((failure.index as usize) < count);
        assert!(seen.insert(failure.index), "record {} failed twice", failure.index);
    }
}

fn failures(bytes: &mut Bytes<'_>) -> Vec<Failure> {
    bytes.list(|bytes| Failure {
        index: bytes.number(),
        code: FailureCode::Malformed,
        message: bytes.text(),
    })
}

fn field(bytes: &mut Bytes<'_>) -> Field {
    let ty = match bytes.byte() % 3 {
        0 => FieldType::Number,
        1 => FieldType::Text,
        _ => {
            let element = match bytes.byte() % 3 {
                0 => ElementType::U8,
                1 => ElementType::Fp32,
                _ => ElementType::I64,
            };
            FieldType::Tensor(TensorShape { element, dimensions: bytes.list(Bytes::number) })
        }
    };
    Field { name: bytes.text(), ty }
}

fn column(bytes: &mut Bytes<'_>) -> Column {
    match bytes.byte() % 3 {
        0 => Column::Numbers(bytes.list(|bytes| f64::from(bytes.byte()))),
        1 => Column::Text(Text { bytes: bytes.slice().to_vec(), ends: bytes.list(Bytes::number) }),
        _ => Column::Tensor(bytes.slice().to_vec()),
    }
}

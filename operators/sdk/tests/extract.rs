//! Extractors through the public interface: rows, and records that give none.

use sandbar_operator::testing::{Cell, Records, Stage, TestRecord};
use sandbar_operator::{
    ElementType, Error, Extractor, Failure, FailureCode, Field, NoConfig, Record, Row, Setup,
};

/// Fills the row as the value says: a letter per cell, `!` fails.
struct Letters;

impl Extractor for Letters {
    type Config = NoConfig;

    fn configure(_: NoConfig, _: &Setup) -> Result<Self, Error> {
        Ok(Letters)
    }

    fn features(&self) -> Vec<Field> {
        vec![
            Field::number("number"),
            Field::text("text"),
            Field::tensor("tensor", ElementType::Fp16, [2, 1]),
        ]
    }

    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
        for letter in record.value().unwrap_or_default() {
            match letter {
                b'n' => row.number(1.5),
                b't' => row.text("täxt"),
                b'x' => row.tensor(&[1, 2, 3, 4]),
                b'y' => row.tensor(&[1, 2, 3]),
                b'-' => row.missing(),
                _ => return Err(Failure::malformed("no such letter")),
            }
        }
        Ok(())
    }
}

fn full() -> Vec<Cell> {
    vec![Cell::Number(1.5), Cell::text("täxt"), Cell::Tensor(vec![1, 2, 3, 4])]
}

#[test]
fn a_failed_record_leaves_nothing_behind() -> Result<(), Error> {
    let records = Records::of_values(["!", "ntx", "n!", "nt!", "ntx!", "--x", "ntx"]);
    let rows = Stage::new().extractor::<Letters>()?.extract(&records).rows();

    let failure = || Err(Failure::malformed("no such letter"));
    let missing = vec![Cell::Missing, Cell::Missing, Cell::Tensor(vec![1, 2, 3, 4])];
    let expected =
        [failure(), Ok(full()), failure(), failure(), failure(), Ok(missing), Ok(full())];
    assert_eq!(rows, expected);
    Ok(())
}

#[test]
fn a_row_that_does_not_fit_fails_by_name_and_spares_the_others() -> Result<(), Error> {
    let cases = [
        ("", "feature 'number': got no cell"),
        ("nt", "feature 'tensor': got no cell"),
        ("tnx", "feature 'number': got text"),
        ("nnx", "feature 'text': got a number"),
        ("nty", "feature 'tensor': got a tensor of another size"),
        ("nt-", "feature 'tensor': got nothing"),
        ("ntxn", "expected 3 cells for a row, got more"),
    ];
    for (value, message) in cases {
        let records = Records::of_values(["ntx", value, "ntx"]);
        let rows = Stage::new().extractor::<Letters>()?.extract(&records).rows();
        let message = format!("{message} from the extractor");
        assert_eq!(rows, [Ok(full()), Err(Failure::internal(message)), Ok(full())], "{value}");
    }
    Ok(())
}

#[test]
fn no_records_give_no_rows() -> Result<(), Error> {
    let extracted = Stage::new().extractor::<Letters>()?.extract(&Records::default());
    assert!(extracted.features.is_empty());
    assert!(extracted.rows().is_empty());
    Ok(())
}

/// Writes down all that a record says.
struct Describe;

impl Extractor for Describe {
    type Config = NoConfig;

    fn configure(_: NoConfig, _: &Setup) -> Result<Self, Error> {
        Ok(Describe)
    }

    fn features(&self) -> Vec<Field> {
        vec![Field::text("description")]
    }

    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
        let text = |bytes: Option<&[u8]>| bytes.map(|it| String::from_utf8_lossy(it).into_owned());
        let headers: Vec<_> = record.headers().map(|(name, it)| (name, text(it))).collect();
        row.text(&format!(
            "{}/{}/{} {:?} {:?} {:?} {headers:?} {:?}",
            record.topic(),
            record.partition(),
            record.offset(),
            record.timestamp(),
            text(record.key()),
            text(record.value()),
            text(record.header("b")),
        ));
        Ok(())
    }
}

#[test]
fn a_record_is_read_in_all_its_parts() -> Result<(), Error> {
    let header = |name: &str, value: Option<&[u8]>| (name.into(), value.map(<[u8]>::to_vec));
    let records = Records::new("flights", 3)
        .record(TestRecord {
            key: Some(b"k".to_vec()),
            value: Some(b"v".to_vec()),
            headers: vec![
                header("b", Some(b"1")),
                header("", None),
                header("b", Some(b"2")),
                header("ä", Some(b"")),
            ],
            timestamp: Some(17),
        })
        .record(TestRecord::default())
        .record(TestRecord {
            key: Some(vec![]),
            value: Some(vec![]),
            headers: vec![header("b", None)],
            timestamp: Some(0),
        });
    let rows = Stage::new().extractor::<Describe>()?.extract(&records).rows();
    let expected = [
        r#"flights/3/0 Some(17) Some("k") Some("v") [("b", Some("1")), ("", None), ("b", Some("2")), ("ä", Some(""))] Some("2")"#,
        r#"flights/3/1 None None None [] None"#,
        r#"flights/3/2 Some(0) Some("") Some("") [("b", None)] None"#,
    ];
    assert_eq!(rows, expected.map(|text| Ok(vec![Cell::text(text)])));
    Ok(())
}

#[test]
fn failure_codes_are_those_of_their_names() {
    let all = [
        (Failure::malformed("x"), FailureCode::Malformed, "malformed: x"),
        (Failure::missing("x"), FailureCode::Missing, "missing: x"),
        (Failure::invalid("x"), FailureCode::Invalid, "invalid: x"),
        (Failure::unsupported("x"), FailureCode::Unsupported, "unsupported: x"),
        (Failure::too_large("x"), FailureCode::TooLarge, "too large: x"),
        (Failure::unavailable("x"), FailureCode::Unavailable, "unavailable: x"),
        (Failure::internal("x"), FailureCode::Internal, "internal: x"),
    ];
    for (failure, code, text) in all {
        assert_eq!(failure.code, code);
        assert_eq!(failure.to_string(), text);
    }
}

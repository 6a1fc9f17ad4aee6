//! Transformers through the public interface: what they emit, and from what.

use sandbar_operator::testing::{EmittedRecord, Records, Stage, TestRecord};
use sandbar_operator::{Emitter, Error, Failure, NoConfig, Record, Setup, Transformer};

/// Emits as the value says.
struct Every;

impl Transformer for Every {
    type Config = NoConfig;

    fn configure(_: NoConfig, _: &Setup) -> Result<Self, Error> {
        Ok(Every)
    }

    fn transform(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
        match record.value().unwrap_or_default() {
            b"new" => out.emit().send()?,
            b"all" => out
                .emit()
                .header("h", b"1".as_slice())
                .value(b"value")
                .key(b"key")
                .header("null", None)
                .timestamp(5)
                .to("second")
                .send()?,
            b"bare" => out.derive(record).no_key().no_value().no_headers().send()?,
            b"stray" => {
                out.forward(record);
                out.emit().header("lost", None).to("third").send()?;
            }
            _ => {
                // An emission that is not sent must not leak into the next.
                drop(out.emit().header("unsent", None).key(b"unsent"));
                out.forward(record);
                out.derive(record).to("first").send()?;
            }
        }
        Ok(())
    }
}

#[test]
fn emitted_records_are_what_was_asked_for() -> Result<(), Error> {
    let headers = vec![("a".to_owned(), Some(b"1".to_vec())), ("b".to_owned(), None)];
    let record = |value: &str| TestRecord {
        key: Some(b"k".to_vec()),
        value: Some(value.into()),
        headers: headers.clone(),
        timestamp: Some(17),
    };
    let records = ["new", "stray", "all", "bare", "other"]
        .into_iter()
        .fold(Records::default(), |records, value| records.record(record(value)));
    let stage = Stage::new().topic("first").topic("second");
    let out = stage.transformer::<Every>()?.transform(&records);

    let emitted = |origin, topic: Option<&str>, record| EmittedRecord {
        origin,
        topic: topic.map(String::from),
        record,
    };
    let bare = TestRecord { timestamp: Some(17), ..TestRecord::default() };
    let all = TestRecord {
        key: Some(b"key".to_vec()),
        value: Some(b"value".to_vec()),
        headers: vec![("h".into(), Some(b"1".to_vec())), ("null".into(), None)],
        timestamp: Some(5),
    };
    let expected = [
        emitted(0, None, bare.clone()),
        emitted(2, Some("second"), all),
        emitted(3, None, bare),
        emitted(4, None, record("other")),
        emitted(4, Some("first"), record("other")),
    ];
    assert_eq!(out.records, expected);
    let stray =
        Failure::internal("topic 'third' is not granted to this stage, which has first, second");
    assert_eq!(out.failures, [(1, stray)]);
    Ok(())
}

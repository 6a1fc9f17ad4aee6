//! Every way in which a record can leave a transformer, chosen by its value:
//!
//! | value starts with | what becomes of the record |
//! |---|---|
//! | `drop` | nothing: it is filtered out |
//! | `twice` | it is emitted twice |
//! | `route:` | it goes to the first topic that the stage may send to, without the prefix |
//! | `header` | it gets the header `route-transformer` with the value `was here` |
//! | `fail` | it fails, `invalid`, after emitting a record that must not be seen |
//! | `trap` | the component traps |
//!
//! All others are forwarded as they are, tombstones too.

use sandbar_operator::{Emitter, Error, Failure, NoConfig, Record, Setup, Transformer};

/// The transformer.
pub struct Route {
    topic: Option<String>,
}

impl Transformer for Route {
    type Config = NoConfig;

    fn configure(_: NoConfig, setup: &Setup) -> Result<Self, Error> {
        Ok(Route { topic: setup.topics().first().cloned() })
    }

    fn transform(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
        let value = record.value().unwrap_or_default();
        let is = |prefix: &str| value.starts_with(prefix.as_bytes());
        if is("drop") {
            return Ok(());
        }
        if is("header") {
            let mark = b"was here".as_slice();
            return out.derive(record).header("route-transformer", mark).send();
        }
        if let Some(rest) = value.strip_prefix(b"route:") {
            let topic = self.topic.as_deref();
            let topic = topic.ok_or_else(|| Failure::missing("the stage may send to no topic"))?;
            return out.derive(record).value(rest).to(topic).send();
        }
        out.forward(record);
        if is("twice") {
            out.forward(record);
        }
        if is("fail") {
            return Err(Failure::invalid("the record asked to fail"));
        }
        assert!(!is("trap"), "the record asked for a trap");
        Ok(())
    }
}

sandbar_operator::transformer!(Route);

#[cfg(test)]
mod tests {
    use sandbar_operator::testing::{EmittedRecord, Records, Stage, TestRecord};
    use sandbar_operator::{Error, FailureCode};

    use super::Route;

    fn record(value: &[u8]) -> TestRecord {
        TestRecord {
            key: Some(b"key".to_vec()),
            value: Some(value.to_vec()),
            headers: vec![("a".into(), None), ("b".into(), Some(b"1".to_vec()))],
            timestamp: Some(17),
        }
    }

    #[test]
    fn each_value_takes_its_way() -> Result<(), Error> {
        let values = ["drop", "twice", "route:x", "fail", "header", "plain"];
        let records = values
            .iter()
            .fold(Records::default(), |records, value| records.record(record(value.as_bytes())))
            .record(TestRecord::default());
        let out = Stage::new().topic("side").transformer::<Route>()?.transform(&records);

        let to = |origin, topic: Option<&str>, record| EmittedRecord {
            origin,
            topic: topic.map(String::from),
            record,
        };
        let mut marked = record(b"header");
        marked.headers.push(("route-transformer".into(), Some(b"was here".to_vec())));
        let expected = [
            to(1, None, record(b"twice")),
            to(1, None, record(b"twice")),
            to(2, Some("side"), record(b"x")),
            to(4, None, marked),
            to(5, None, record(b"plain")),
            to(6, None, TestRecord::default()),
        ];
        assert_eq!(out.records, expected);
        let [(3, failure)] = out.failures.as_slice() else { panic!("{:?}", out.failures) };
        assert_eq!(failure.code, FailureCode::Invalid);
        Ok(())
    }

    #[test]
    fn a_topic_that_is_not_granted_fails_the_record() -> Result<(), Error> {
        let records = Records::of_values(["route:x", "plain"]);
        let out = Stage::new().transformer::<Route>()?.transform(&records);
        assert_eq!(out.failures[0].1.code, FailureCode::Missing);
        assert_eq!(out.records.len(), 1);
        Ok(())
    }
}

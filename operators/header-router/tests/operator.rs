//! The router through the SDK, natively.

use header_router::HeaderRouter;
use proptest::prelude::*;
use sandbar_operator::testing::{Records, Stage, TestRecord};
use sandbar_operator::{Error, FailureCode};
use serde_json::{Value, json};

fn record(headers: &[(&str, Option<&[u8]>)]) -> TestRecord {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), value.map(<[u8]>::to_vec)));
    TestRecord {
        key: Some(b"key".to_vec()),
        value: Some(b"value".to_vec()),
        headers: headers.collect(),
        timestamp: Some(17),
    }
}

fn stage(config: Value) -> Stage {
    Stage::new().topic("eu").topic("us").config(config)
}

/// Where one record goes: a topic, `pass`, `drop`, or the code of its failure.
fn goes(config: &Value, record: TestRecord) -> Result<String, Error> {
    let mut router = stage(config.clone()).transformer::<HeaderRouter>()?;
    let out = router.transform(&Records::default().record(record.clone()));
    if let [(0, failure)] = out.failures.as_slice() {
        assert!(out.records.is_empty());
        return Ok(failure.to_string().split(':').next().unwrap_or_default().to_owned());
    }
    Ok(match out.records.as_slice() {
        [] => "drop".into(),
        [emitted] => {
            assert_eq!(emitted.record, record, "a record goes on as it is");
            emitted.topic.clone().unwrap_or("pass".into())
        }
        more => panic!("{more:?}"),
    })
}

fn orders() -> Value {
    json!({ "rules": [
        { "header": "test", "present": true, "to": "drop" },
        { "header": "country", "values": ["DE", "FR"], "to": { "topic": "eu" } },
        { "header": "country", "pattern": "^US(-[A-Z]{2})?$", "to": { "topic": "us" } },
        { "header": "country", "present": false, "to": "fail" },
    ]})
}

#[test]
fn the_first_rule_that_holds_decides() -> Result<(), Error> {
    let country = |value: &'static str| record(&[("country", Some(value.as_bytes()))]);
    for (sent, expected) in [
        (country("DE"), "eu"),
        (country("FR"), "eu"),
        (country("US"), "us"),
        (country("US-CA"), "us"),
        (country("AUS"), "pass"),
        (country("de"), "pass"),
        (record(&[("country", None)]), "pass"),
        (record(&[("country", Some(b""))]), "pass"),
        (record(&[("country", Some(b"DE")), ("test", None)]), "drop"),
        (record(&[("Country", Some(b"DE"))]), "unsupported"),
        (record(&[]), "unsupported"),
    ] {
        assert_eq!(goes(&orders(), sent.clone())?, expected, "{sent:?}");
    }
    Ok(())
}

#[test]
fn otherwise_is_for_the_rest() -> Result<(), Error> {
    for (otherwise, expected) in [
        (json!("drop"), "drop"),
        (json!("pass"), "pass"),
        (json!("fail"), "unsupported"),
        (json!({ "topic": "us" }), "us"),
    ] {
        let mut config = orders();
        config["otherwise"] = otherwise;
        assert_eq!(goes(&config, record(&[("country", Some(b"JP"))]))?, expected);
    }
    Ok(())
}

#[test]
fn a_header_that_comes_more_than_once() -> Result<(), Error> {
    let twice = record(&[("country", Some(b"DE")), ("country", Some(b"US"))]);
    for (occurrence, expected) in [("last", "us"), ("first", "eu"), ("any", "eu")] {
        let mut config = orders();
        config["occurrence"] = occurrence.into();
        assert_eq!(goes(&config, twice.clone())?, expected, "{occurrence}");
    }
    // A null last header is still the last.
    let null = record(&[("country", Some(b"DE")), ("country", None)]);
    assert_eq!(goes(&orders(), null)?, "pass");
    Ok(())
}

#[test]
fn what_is_not_text() -> Result<(), Error> {
    let bytes = record(&[("country", Some(b"\xff\xfe"))]);
    assert_eq!(goes(&orders(), bytes.clone())?, "malformed");
    let mut config = orders();
    config["not_text"] = "no-match".into();
    assert_eq!(goes(&config, bytes)?, "pass");
    Ok(())
}

#[test]
fn a_failure_says_which_rule() -> Result<(), Error> {
    let mut router = stage(orders()).transformer::<HeaderRouter>()?;
    let out = router.transform(&Records::of_values(["no headers"]));
    assert_eq!(out.failures[0].1.code, FailureCode::Unsupported);
    assert_eq!(out.failures[0].1.message, "rejected by rule 4 on header 'country'");
    Ok(())
}

#[test]
fn a_tombstone_goes_the_same_way() -> Result<(), Error> {
    let tombstone = TestRecord { value: None, ..record(&[("country", Some(b"FR"))]) };
    assert_eq!(goes(&orders(), tombstone)?, "eu");
    Ok(())
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let rule = |rule: Value| json!({ "rules": [rule] });
    for (config, reason) in [
        (json!({ "rules": [] }), "`rules` is empty"),
        (json!({}), "missing field `rules`"),
        (rule(json!({ "header": "a", "to": "pass" })), "rule 1: expected exactly one condition"),
        (
            rule(json!({ "header": "a", "present": true, "pattern": "x", "to": "pass" })),
            "rule 1: expected exactly one condition",
        ),
        (rule(json!({ "header": "", "present": true, "to": "pass" })), "`header` is empty"),
        (rule(json!({ "header": "a", "values": [], "to": "pass" })), "`values` is empty"),
        (rule(json!({ "header": "a", "pattern": "(", "to": "pass" })), "rule 1: `pattern` \"(\""),
        (rule(json!({ "header": "a", "present": true, "to": "away" })), "unknown variant `away`"),
        (
            rule(json!({ "header": "a", "present": true, "to": { "topic": "asia" } })),
            "rule 1: topic 'asia' is not granted",
        ),
        (
            json!({ "otherwise": { "topic": "asia" },
                "rules": [{ "header": "a", "present": true, "to": "pass" }] }),
            "`otherwise`: topic 'asia' is not granted",
        ),
        (rule(json!({ "header": "a", "presents": true, "to": "pass" })), "unknown field"),
    ] {
        let refused = stage(config.clone()).transformer::<HeaderRouter>();
        let message = refused.err().map(|error| error.message().to_owned()).unwrap_or_default();
        assert!(message.contains(reason), "{config}: {message:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_header_makes_it_panic(
        headers in proptest::collection::vec(
            ("[a-z]{0,8}|country|test", proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20))),
            0..6,
        ),
    ) {
        let sent = TestRecord { headers, ..TestRecord::default() };
        let went = goes(&orders(), sent).map_err(|error| TestCaseError::fail(error.message().to_owned()))?;
        prop_assert!(["pass", "drop", "eu", "us", "unsupported", "malformed"].contains(&went.as_str()));
    }
}

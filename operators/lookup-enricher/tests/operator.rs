//! The enricher through the SDK, natively.

use lookup_enricher::LookupEnricher;
use proptest::prelude::*;
use sandbar_operator::testing::{Records, Stage, TestRecord};
use sandbar_operator::{Error, FailureCode};
use serde_json::{Value, json};

const AIRPORTS: &str = "iata,city,latitude,note\n\
                        SFO,San Francisco,37.618806,\n\
                        JFK,\"New York, \"\"NY\"\"\",40.63993,4\n";

fn stage(config: Value) -> Stage {
    Stage::new().model("airports", AIRPORTS).config(config)
}

fn with(mut base: Value, more: Value) -> Value {
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        base[key] = value;
    }
    base
}

/// The value that one record gets; `Err` has its failure, `Ok(None)` is a dropped record.
fn enriched(config: Value, value: &[u8]) -> Result<Option<String>, (FailureCode, String)> {
    let record = TestRecord { value: Some(value.to_vec()), ..TestRecord::default() };
    let out = one(config, record)?;
    Ok(out.map(|record| String::from_utf8(record.value.unwrap_or_default()).unwrap_or_default()))
}

fn one(config: Value, record: TestRecord) -> Result<Option<TestRecord>, (FailureCode, String)> {
    let mut enricher = stage(config)
        .transformer::<LookupEnricher>()
        .unwrap_or_else(|error| panic!("{}", error.message()));
    let out = enricher.transform(&Records::default().record(record));
    match out.failures.into_iter().next() {
        Some((_, failure)) => Err((failure.code, failure.message.into_owned())),
        None => Ok(out.records.into_iter().next().map(|emitted| emitted.record)),
    }
}

fn json_config() -> Value {
    json!({ "key": { "field": "Origin" }, "columns": ["city", "latitude"],
        "numbers": ["latitude"], "prefix": "origin_" })
}

#[test]
fn a_json_object_gets_fields_and_stays_as_it_was() {
    for (value, expected) in [
        (
            r#"{"Origin":"SFO"}"#,
            r#"{"Origin":"SFO","origin_city":"San Francisco","origin_latitude":37.618806}"#,
        ),
        (
            " { \"z\" : 1.50, \"Origin\" : \"\\u0053FO\", \"a\": [ {\"Origin\": 1} ] } \n",
            " { \"z\" : 1.50, \"Origin\" : \"\\u0053FO\", \"a\": [ {\"Origin\": 1} ] \
             ,\"origin_city\":\"San Francisco\",\"origin_latitude\":37.618806} \n",
        ),
        (
            r#"{"Origin":"JFK"}"#,
            r#"{"Origin":"JFK","origin_city":"New York, \"NY\"","origin_latitude":40.63993}"#,
        ),
    ] {
        assert_eq!(enriched(json_config(), value.as_bytes()), Ok(Some(expected.into())));
    }
}

#[test]
fn json_that_cannot_be_read_fails() {
    use FailureCode::{Invalid, Malformed, Missing};
    for (value, code, message) in [
        (&b"SFO"[..], Malformed, "not a JSON object: expected value"),
        (b"[]", Malformed, "not a JSON object: invalid type: sequence, expected an object"),
        (b"{\"Origin\":\"SFO\"} {}", Malformed, "not a JSON object: trailing characters"),
        (b"{\"Origin\":\"SFO\"", Malformed, "not a JSON object: EOF"),
        (b"{\"Origin\":\"SFO\",\"Origin\":\"JFK\"}", Malformed, "duplicate key 'Origin'"),
        (b"{\"Origin\":\"\xff\"}", Malformed, "not UTF-8"),
        (b"", Missing, "the value is empty"),
        (b" \n", Missing, "the value is empty"),
        (b"{\"Origin\":{}}", Invalid, "the key is an object or an array"),
        (b"{\"Origin\":\"XXX\"}", Invalid, "\"XXX\" is not in the table"),
        (b"{\"Origin\":17}", Invalid, "\"17\" is not in the table"),
        (b"{\"Origin\":null}", Missing, "the record has no key"),
        (b"{\"Origin\":\"\"}", Missing, "the record has no key"),
        (b"{}", Missing, "the record has no key"),
        (b"{\"Origin\":\"SFO\",\"origin_city\":1}", Invalid, "field 'origin_city' exists already"),
    ] {
        let shown = String::from_utf8_lossy(value);
        let failure = enriched(json_config(), value).expect_err(&shown);
        assert_eq!(failure.0, code, "{shown}");
        assert!(failure.1.contains(message), "{shown}: {}", failure.1);
    }
}

#[test]
fn a_miss_is_what_the_configuration_says() {
    let miss = br#"{"Origin":"XXX"}"#;
    let empty = r#"{"Origin":"XXX","origin_city":null,"origin_latitude":null}"#;
    for (choice, expected) in
        [("empty", Some(empty)), ("pass", Some(r#"{"Origin":"XXX"}"#)), ("drop", None)]
    {
        let config = with(json_config(), json!({ "on_miss": choice }));
        assert_eq!(enriched(config, miss), Ok(expected.map(str::to_owned)), "{choice}");
    }
    let config = with(json_config(), json!({ "on_no_key": "empty" }));
    let empty = r#"{"origin_city":null,"origin_latitude":null}"#;
    assert_eq!(enriched(config, b"{}"), Ok(Some(empty.into())));
}

#[test]
fn what_is_there_can_be_kept() {
    let config = with(json_config(), json!({ "existing": "keep" }));
    let value = br#"{"origin_city":"SF","Origin":"SFO"}"#;
    let expected = r#"{"origin_city":"SF","Origin":"SFO","origin_latitude":37.618806}"#;
    assert_eq!(enriched(config, value), Ok(Some(expected.into())));
}

#[test]
fn a_line_gets_columns() {
    let config = json!({ "format": "csv", "key": { "column": 2 } });
    for (line, expected) in [
        ("1,SFO,x", "1,SFO,x,San Francisco,37.618806,"),
        ("1,SFO\r\n", "1,SFO,San Francisco,37.618806,\r\n"),
        ("\"a,\"\"b\",\"SFO\"\n", "\"a,\"\"b\",\"SFO\",San Francisco,37.618806,\n"),
        ("1,JFK", "1,JFK,\"New York, \"\"NY\"\"\",40.63993,4"),
    ] {
        assert_eq!(enriched(config.clone(), line.as_bytes()), Ok(Some(expected.into())));
    }
    use FailureCode::{Invalid, Malformed, Missing};
    for (line, code) in [
        ("1", Missing),
        ("", Missing),
        ("1,,", Missing),
        ("1,SFO,\"open", Malformed),
        ("1,SFO,\"a\"b", Malformed),
        ("1,SFO,a\"b", Malformed),
        ("1,SFO\n2,SFO", Malformed),
        ("1,XXX", Invalid),
    ] {
        assert_eq!(
            enriched(config.clone(), line.as_bytes()).map_err(|it| it.0),
            Err(code),
            "{line}"
        );
    }
    assert_eq!(enriched(config.clone(), b"1,\xff").map_err(|it| it.0), Err(Malformed));
    // Only the key is read.
    let latin1 = TestRecord { value: Some(b"\xff,SFO".to_vec()), ..TestRecord::default() };
    let out = one(config.clone(), latin1).map(|record| record.and_then(|it| it.value));
    assert_eq!(out, Ok(Some([&b"\xff,SFO"[..], b",San Francisco,37.618806,"].concat())));
    let semicolons = with(config, json!({ "separator": ";", "columns": ["city"] }));
    let expected = "1;JFK;\"New York, \"\"NY\"\"\"";
    assert_eq!(enriched(semicolons, b"1;JFK"), Ok(Some(expected.into())));
}

#[test]
fn headers_can_be_key_and_target() {
    let config = json!({ "key": { "header": "from" }, "into": "headers", "existing": "keep" });
    let header = |name: &str, value: &[u8]| (name.to_owned(), Some(value.to_vec()));
    let record = TestRecord {
        value: None,
        headers: vec![header("from", b"SFO"), header("city", b"SF")],
        ..TestRecord::default()
    };
    let out = one(config.clone(), record).expect("no failure").expect("a record");
    assert_eq!(out.value, None);
    let added = [header("latitude", b"37.618806"), ("note".into(), None)];
    assert_eq!(out.headers[2..], added);

    let config = with(config, json!({ "key": "record-key", "columns": ["city"] }));
    let record = TestRecord { key: Some(b"JFK".to_vec()), ..TestRecord::default() };
    let out = one(config, record).expect("no failure").expect("a record");
    assert_eq!(out.headers, [header("city", b"New York, \"NY\"")]);
}

#[test]
fn a_tombstone_passes() {
    let tombstone = TestRecord { key: Some(b"SFO".to_vec()), ..TestRecord::default() };
    assert_eq!(one(json_config(), tombstone.clone()), Ok(Some(tombstone)));
}

#[test]
fn rows_may_stand_in_the_configuration() -> Result<(), Error> {
    let config = json!({ "key": { "field": "country" }, "rows": {
        "DE": { "name": "Germany", "eu": true, "code": 49 },
        "CH": { "name": "Switzerland", "eu": false },
    }});
    let mut enricher = Stage::new().config(config).transformer::<LookupEnricher>()?;
    let out =
        enricher.transform(&Records::of_values([r#"{"country":"DE"}"#, r#"{"country":"CH"}"#]));
    let values: Vec<_> = out
        .records
        .iter()
        .map(|it| String::from_utf8_lossy(it.record.value.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(values[0], r#"{"country":"DE","code":49,"eu":true,"name":"Germany"}"#);
    assert_eq!(values[1], r#"{"country":"CH","code":null,"eu":false,"name":"Switzerland"}"#);
    Ok(())
}

/// The key's field and the added ones may have any names and come in any order.
#[test]
fn fields_are_told_apart() {
    let config = json!({ "key": { "field": "b" }, "existing": "keep" });
    let table = "k,a,b,c\nx,1,2,3\n";
    let enriched = |value: &str| {
        let stage = Stage::new().model("t", table).config(config.clone());
        let mut enricher = stage.transformer::<LookupEnricher>().expect("a configuration");
        let out = enricher.transform(&Records::of_values([value]));
        let emitted = out.records.into_iter().next().and_then(|it| it.record.value);
        emitted.map(|value| String::from_utf8(value).unwrap_or_default())
    };
    for (value, expected) in [
        (r#"{"b":"x"}"#, r#"{"b":"x","a":"1","c":"3"}"#),
        (r#"{"c":0,"b":"x"}"#, r#"{"c":0,"b":"x","a":"1"}"#),
        (r#"{"b":"x","a":0}"#, r#"{"b":"x","a":0,"c":"3"}"#),
        (r#"{"c":0,"b":"x","a":0}"#, r#"{"c":0,"b":"x","a":0}"#),
    ] {
        assert_eq!(enriched(value).as_deref(), Some(expected));
    }
    assert_eq!(enriched(r#"{"a":0,"b":"x","a":0}"#), None);
}

#[test]
fn a_table_may_have_a_byte_order_mark() -> Result<(), Error> {
    let table = "\u{feff}\"iata\",city\r\nSFO,\"San\r\nFrancisco\"\r\n\r\nJFK,NY\r\n";
    let stage = Stage::new().model("t", table).config(json!({ "key": { "field": "o" } }));
    let records = Records::of_values([r#"{"o":"SFO"}"#, r#"{"o":"JFK"}"#]);
    let out = stage.transformer::<LookupEnricher>()?.transform(&records);
    let values = out.records.iter().map(|it| it.record.value.as_deref().unwrap_or_default());
    let expected =
        [&br#"{"o":"SFO","city":"San\r\nFrancisco"}"#[..], br#"{"o":"JFK","city":"NY"}"#];
    assert!(values.eq(expected), "{:?}", out.records);
    Ok(())
}

#[test]
fn a_configuration_or_table_that_makes_no_sense_is_refused() {
    let key = json!({ "key": "record-key" });
    let table = |table: &str| Stage::new().model("t", table);
    let good = || table(AIRPORTS);
    for (stage, config, reason) in [
        (Stage::new(), json!({}), "no table: name a model"),
        (good(), json!({ "rows": {} }), "a model and `rows` are both set"),
        (
            good(),
            json!({ "columns": ["town"] }),
            "no column 'town' in the table: use any of iata, city",
        ),
        (good(), json!({ "columns": ["city", "city"] }), "`columns`: duplicate column 'city'"),
        (good(), json!({ "columns": [] }), "no columns to add"),
        (good(), json!({ "table_key": "icao" }), "no column 'icao'"),
        (
            good(),
            json!({ "numbers": ["city"] }),
            "line 2: city: expected a number, got \"San Francisco\"",
        ),
        (good(), json!({ "numbers": ["iata"] }), "`numbers`: 'iata' is not an added column"),
        (good(), json!({ "table_key": "note" }), "line 2: the row has no key"),
        (good(), json!({ "key": { "column": 1 } }), "`key`: JSON objects have no columns"),
        (good(), json!({ "key": { "column": 0 }, "format": "csv" }), "column 0"),
        (
            good(),
            json!({ "key": { "field": "a" }, "format": "csv" }),
            "`key`: lines of CSV have no fields",
        ),
        (good(), json!({ "separator": "\"" }), "`separator`: '\"' is not allowed"),
        (good(), json!({ "on_mis": "pass" }), "unknown field `on_mis`"),
        (table("a,b\nx,1\nx,2\n"), json!({}), "model 't': line 3: duplicate key 'x'"),
        (table("a,b\nx\n"), json!({}), "line 2: expected 2 columns, got 1"),
        (table("a,b,b\nx,1,2\n"), json!({}), "duplicate column 'b'"),
        (table(""), json!({}), "no column"),
        (table("a\nx\n"), json!({}), "no columns to add"),
        (Stage::new().model("t", &b"a,b\nx,\xff\n"[..]), json!({}), "line 2: not UTF-8"),
        (Stage::new().model("t", &b"\xff\xfea\0,\0b\0"[..]), json!({}), "the text is UTF-16"),
        (table("a,b\n\"x\ny\",1\nz\"z,2\n"), json!({}), "line 4: column 1: quote inside"),
        (table("a,b\nx,\"1\n"), json!({}), "line 2: column 2: unterminated quote"),
        (table("a,b\nx,\"1\" \n"), json!({}), "line 2: column 2: text after the closing"),
        (
            table("a,b\nx,1e400\n"),
            json!({ "numbers": ["b"] }),
            "line 2: b: number out of range: \"1e400\"",
        ),
        (table("a,b\nx,.5\n"), json!({ "numbers": ["b"] }), "not a number in JSON: \".5\""),
        (table("a,b\nx,NaN\n"), json!({ "numbers": ["b"] }), "expected a number, got \"NaN\""),
    ] {
        let stage = stage.config(with(key.clone(), config.clone()));
        let refused = stage.transformer::<LookupEnricher>();
        let message = refused.err().map(|error| error.message().to_owned()).unwrap_or_default();
        assert!(message.contains(reason), "{config}: {message:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_a_record_or_a_failure(value in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = enriched(json_config(), &value);
        let _ = enriched(json!({ "format": "csv", "key": { "column": 1 } }), &value);
    }

    /// What comes out is the object that went in, and the row.
    #[test]
    fn json_stays_json(members in proptest::collection::btree_map("[a-z]{1,6}|Origin", ".{0,8}", 0..6)) {
        let mut object = json!(members);
        object["Origin"] = "SFO".into();
        let out = enriched(json_config(), object.to_string().as_bytes());
        let out = out.map_err(|it| TestCaseError::fail(it.1))?.unwrap_or_default();
        object["origin_city"] = "San Francisco".into();
        object["origin_latitude"] = json!(37.618806);
        prop_assert_eq!(serde_json::from_str::<Value>(&out)?, object);
    }

    /// A reader of CSV finds the columns that went in, and those of the row.
    #[test]
    fn csv_stays_csv(columns in proptest::collection::vec("[^\r\n]{0,8}", 1..6)) {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        let mut columns = columns;
        columns.insert(0, "JFK".into());
        writer.write_record(&columns)?;
        let line = writer.into_inner()?;
        let config = json!({ "format": "csv", "key": { "column": 1 }, "columns": ["city", "latitude"] });
        let out = enriched(config, &line).map_err(|it| TestCaseError::fail(it.1))?.unwrap_or_default();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_bytes());
        let read = reader.records().next().expect("a line")?;
        columns.extend(["New York, \"NY\"".into(), "40.63993".into()]);
        prop_assert_eq!(read.iter().collect::<Vec<_>>(), columns);
    }
}

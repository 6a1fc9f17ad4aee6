//! The harness with real components: what comes out of it is what Kafka would be given.

use std::time::Duration;

use flight_records::{CLASSIC, Flights};
use sandbar::pipeline::harness::{Harness, Record, Written};
use sandbar::pipeline::operator_harness::{
    ExtractorHarness, Origin, Predicted, ScorerHarness, Value,
};
use sandbar::record::Batch;
use sandbar::record::BatchLimits;
use sandbar::record::Code;
use sandbar::record::Input;
use sandbar::record::Output;
use sandbar::record::Sink;
use sandbar::sandbox::Limits;
use sandbar::sandbox::LimitsSection;
use sandbar::sandbox::{Component, Field, FieldType, Grants, Operator, StageError};
use sandbar::telemetry::CallTimes;
use sandbar_tests::runner::{plan, sandbox};
use sandbar_tests::{Broker, Received, Runner, Sent, component, project};

/// A harness of a manifest in the notation of [`Runner::start`].
fn harness(manifest: &str) -> Harness {
    Harness::new(&plan(manifest, "").unwrap()).unwrap()
}

/// `pipelines/flights.toml` as a manifest beside the tests.
fn flights() -> String {
    let text = std::fs::read_to_string(project().join("pipelines/flights.toml")).unwrap();
    text.replace("\"../", "\"{project}/")
}

/// A pipeline of the extractor and scorer that do mischief on request.
fn mischief([source, sink, dead]: [&str; 3], rest: &str) -> String {
    format!(
        "name = \"mischief\"\nsource = {{ topics = [\"{source}\"] }}\n\
         sink = {{ topic = \"{sink}\" }}\ndead-letter = {{ topic = \"{dead}\" }}\n\
         [[stages]]\nname = \"extract\"\ncomponent = \"{{component:mischief-extractor}}\"\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{{component:mischief-scorer}}\"\n\
         [limits]\nmemory = \"32 MiB\"\ndeadline = \"1s\"\n{rest}"
    )
}

/// A pipeline of the transformer that filters, doubles, routes, fails and traps.
fn routes([source, sink, dead]: [&str; 3], routed: &str, rest: &str) -> String {
    format!(
        "name = \"routes\"\nsource = {{ topics = [\"{source}\"] }}\n\
         sink = {{ topic = \"{sink}\" }}\ndead-letter = {{ topic = \"{dead}\" }}\n\
         [[stages]]\nname = \"route\"\ncomponent = \"{{component:route-transformer}}\"\n\
         topics = [\"{routed}\"]\n{rest}"
    )
}

const TOPICS: [&str; 3] = ["source", "sink", "dead"];

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.text().into_owned()).collect()
}

#[test]
fn flights_are_predicted() {
    let mut harness = harness(&flights());
    let written = harness
        .pipe([
            Input::value(CLASSIC[0]).key("PS1451").header("trace", "7").at(1_600_000_000_000),
            Input::value("this is not a flight"),
            Input { value: None, ..Input::default() },
            Input::value(CLASSIC[1]),
        ])
        .unwrap();

    let [first, second] = written.outputs.as_slice() else { panic!("{written:?}") };
    assert_eq!(first.topic, "flight-predictions");
    assert_eq!(first.key.as_deref(), Some(&b"PS1451"[..]));
    assert_eq!(first.timestamp, Some(1_600_000_000_000));
    assert!(first.text().starts_with(r#"{"label":"YES""#), "{}", first.text());
    let headers: Vec<&str> = first.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(headers, ["trace", "sandbar-model"]);
    assert_eq!(first.header("sandbar-model").unwrap(), "flights-gbm@1");
    assert!(second.text().starts_with(r#"{"label":"NO""#), "{}", second.text());
    assert_eq!((first.origin.offset, second.origin.offset), (0, 3));
    assert_eq!((second.origin.topic.as_str(), second.origin.partition), ("flights", 0));

    let codes: Vec<Code> = written.dead_letters.iter().map(|letter| letter.code).collect();
    assert_eq!(codes, [Code::Malformed, Code::Missing]);
    let letter = &written.dead_letters[0];
    assert_eq!(letter.record.topic, "flights.dead-letter");
    assert_eq!(letter.record.text(), "this is not a flight");
    assert_eq!(letter.stage, "features");
    assert_eq!(letter.record.header("sandbar-code").unwrap(), "malformed");
    assert_eq!(letter.record.header("sandbar-offset").unwrap(), "1");
    assert_eq!(letter.record.header("sandbar-message").unwrap(), letter.message);
    assert_eq!(written.dead_letters[1].record.value, None);

    // Offsets go on where they were.
    let more = harness.pipe([Input::value(CLASSIC[0])]).unwrap();
    assert_eq!(more.outputs[0].origin.offset, 4);
    let end = harness.stats();
    assert_eq!((end.records, end.outputs, end.failed()), (5, 3, 2));
}

#[test]
fn a_trap_is_one_record_s_alone() {
    let mut harness = harness(&mischief(TOPICS, ""));
    let values = ["one", "trap", "two", "loop", "allocate", "three"];
    let written = harness.pipe(values.map(Input::value)).unwrap();
    let origins: Vec<i64> = written.outputs.iter().map(|output| output.origin.offset).collect();
    assert_eq!(origins, [0, 2, 5]);
    let failed: Vec<(String, Code)> = written
        .dead_letters
        .iter()
        .map(|letter| (letter.record.text().into_owned(), letter.code))
        .collect();
    let expected = [("trap", Code::Trap), ("loop", Code::Deadline), ("allocate", Code::Memory)];
    assert_eq!(failed, expected.map(|(value, code)| (value.to_owned(), code)));
    assert_eq!(harness.stats().isolated, 1);
}

#[test]
fn a_transformer_s_records_go_where_it_says() {
    let mut harness = harness(&routes(TOPICS, "there", ""));
    let values = ["plain", "drop it", "twice", "route:away", "fail", "header", "trap", "last"];
    let written = harness.pipe(values.map(Input::value)).unwrap();
    let to = |topic: &str| -> Vec<Record> {
        written.outputs.iter().filter(|output| output.topic == topic).cloned().collect()
    };
    assert_eq!(texts(&to("sink")), ["plain", "twice", "twice", "header", "last"]);
    assert_eq!(to("sink")[3].header("route-transformer").unwrap(), "was here");
    assert!(to("sink").iter().all(|output| output.header("sandbar-model").is_none()));
    assert_eq!(texts(&to("there")), ["away"]);
    let codes: Vec<Code> = written.dead_letters.iter().map(|letter| letter.code).collect();
    assert_eq!(codes, [Code::Invalid, Code::Trap]);
    assert_eq!(harness.stats().filtered, 1);
}

/// Batches are those of a runner: of one partition, and bounded.
#[test]
fn batches_are_bounded() {
    let runner = "[runner]\nbatch-records = 10\nbatch-bytes = \"100 B\"\n";
    let mut harness = harness(&mischief(TOPICS, runner));
    let small = (0..25).map(|number| Input::value("x").partition(number % 2));
    assert_eq!(harness.pipe(small).unwrap().outputs.len(), 25);
    // 10 and 3 of one partition, 10 and 2 of the other.
    assert_eq!(harness.stats().batches, 4);
    let large = (0..5).map(|_| Input::value("x".repeat(45)));
    assert_eq!(harness.pipe(large).unwrap().outputs.len(), 5);
    assert_eq!(harness.stats().batches, 4 + 3);
    let offsets = harness.pipe([Input::value("x"), Input::value("x").partition(1)]).unwrap();
    let offsets: Vec<i64> = offsets.outputs.iter().map(|output| output.origin.offset).collect();
    assert_eq!(offsets, [13 + 5, 12]);
}

/// Records come out when their batch is full, or when it is asked for.
#[test]
fn what_waits_goes_on_when_it_is_asked_for() {
    #[derive(Default)]
    struct Counter(usize);

    impl Sink for Counter {
        fn output(&mut self, _: &Batch, _: &Output<'_>) {
            self.0 += 1;
        }

        fn dead_letter(&mut self, _: &Batch, failure: &sandbar::record::Failure) {
            panic!("{failure:?}");
        }
    }

    let mut harness = harness(&mischief(TOPICS, "[runner]\nbatch-records = 3\n"));
    let mut counter = Counter::default();
    assert_eq!(harness.waiting_since(), None);
    for _ in 0..4 {
        harness.push(&Input::value("x"), &mut counter).unwrap();
    }
    assert_eq!(counter.0, 3);
    assert!(harness.waiting_since().is_some());
    harness.flush(&mut counter).unwrap();
    assert_eq!((counter.0, harness.waiting_since()), (4, None));
}

/// What records refer to is got as in a runner; outputs and dead letters keep what came in.
#[test]
fn references_are_resolved() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("long"), "x".repeat(40)).unwrap();
    std::fs::write(folder.path().join("bad"), "trap").unwrap();
    let allow = format!("[references]\nallow = [\"{}\"]\n", folder.path().display());
    let mut harness = harness(&mischief(TOPICS, &allow));
    let path = |name: &str| folder.path().join(name).display().to_string();
    let names = ["long", "nowhere", "bad", "long"].map(path);
    let written = harness.pipe(names.iter().map(|name| Input::value(name.as_str()))).unwrap();
    assert_eq!(written.outputs.len(), 2);
    assert!(written.outputs.iter().all(|output| output.text().contains(r#""label":"long""#)));
    let letters = &written.dead_letters;
    let failed: Vec<(&str, Code)> =
        letters.iter().map(|letter| (letter.stage.as_str(), letter.code)).collect();
    assert_eq!(failed, [("references", Code::Missing), ("extract", Code::Trap)]);
    assert_eq!(letters[1].record.text(), names[2]);
}

#[test]
fn flights_as_h2o() {
    let golden = project().join("models/flights-gbm/golden-generated.csv");
    let golden = std::fs::read_to_string(golden).unwrap();
    let mut harness = harness(&flights());
    let written = harness.pipe(Flights::new(1).take(2000).map(Input::value)).unwrap();
    assert_eq!((written.outputs.len(), written.dead_letters.len()), (2000, 0));
    for (number, (output, line)) in written.outputs.iter().zip(golden.lines().skip(1)).enumerate() {
        let (label, yes) = line.split_once(',').unwrap();
        let found: serde_json::Value = serde_json::from_str(&output.text()).unwrap();
        assert_eq!(found["label"], label, "flight {number}");
        let difference =
            found["probabilities"]["YES"].as_f64().unwrap() - yes.parse::<f64>().unwrap();
        assert!(difference.abs() <= 1e-6, "flight {number}: {difference}");
        assert_eq!(output.origin.offset, number as i64);
    }
}

/// A header whose value is not null.
fn headers(record: &Record) -> Vec<(String, Vec<u8>)> {
    record.headers.iter().map(|(name, value)| (name.clone(), value.clone().unwrap())).collect()
}

/// Records of the harness are those that Kafka has, in the same order.
fn same(written: &[Record], received: &[Received]) {
    assert_eq!(written.len(), received.len());
    for (ours, theirs) in written.iter().zip(received) {
        assert_eq!(ours.key, theirs.key);
        assert_eq!(ours.value, theirs.value, "{}", theirs.text());
        assert_eq!(headers(ours), theirs.headers, "{}", theirs.text());
        assert_eq!(ours.timestamp, theirs.timestamp, "{}", theirs.text());
    }
}

/// Runs the same records through Kafka and through the harness, and compares what is
/// written to each of the topics that `manifest` is made of.
fn compare(topics: &[String], manifest: &str, broker: &Broker, records: &[Sent]) {
    broker.send(&topics[0], records);
    let inputs = records.iter().map(|sent| Input {
        topic: Some(topics[0].clone()),
        partition: sent.partition.unwrap(),
        key: sent.key.clone(),
        value: sent.value.clone(),
        headers: sent
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), Some(value.clone())))
            .collect(),
        timestamp: sent.timestamp,
    });
    let Written { outputs, dead_letters } = harness(manifest).pipe(inputs).unwrap();
    let letters = dead_letters.into_iter().map(|letter| letter.record);
    let all: Vec<Record> = outputs.into_iter().chain(letters).collect();
    let runner = Runner::start(broker, manifest);
    for topic in &topics[1..] {
        let ours: Vec<Record> =
            all.iter().filter(|record| record.topic == *topic).cloned().collect();
        assert!(!ours.is_empty(), "nothing is written to {topic}");
        same(&ours, &broker.receive(topic, ours.len()));
    }
    let end = runner.stop().unwrap();
    assert_eq!(end.outputs + end.failed(), all.len() as u64);
}

fn records(values: &[&str]) -> Vec<Sent> {
    let record = |(number, value): (usize, &&str)| Sent {
        headers: vec![("trace".into(), number.to_string().into_bytes())],
        timestamp: Some(1_700_000_000_000 + number as i64),
        ..Sent::keyed(number % 3, *value)
    };
    values.iter().enumerate().map(record).collect()
}

#[test]
fn predictions_are_those_that_kafka_is_given() {
    let broker = Broker::mock();
    let topics = TOPICS.map(|name| broker.topic(name, 1));
    let manifest = mischief(topics.each_ref().map(String::as_str), "");
    let mut values: Vec<String> = (0..600).map(|number| "x".repeat(number % 40)).collect();
    for (place, bad) in [(40, "trap"), (41, "fail"), (300, "allocate"), (599, "abort")] {
        values[place] = bad.to_owned();
    }
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    compare(&topics, &manifest, &broker, &records(&values));
}

#[test]
fn routed_records_are_those_that_kafka_is_given() {
    let broker = Broker::mock();
    let topics = ["source", "sink", "dead", "routed"].map(|name| broker.topic(name, 1));
    let [source, sink, dead, routed] = topics.each_ref().map(String::as_str);
    let manifest = routes([source, sink, dead], routed, "");
    let values =
        ["plain", "drop it", "twice", "route:there", "fail", "header", "trap", "last"].repeat(5);
    compare(&topics, &manifest, &broker, &records(&values));
}

/// An operator with no more than a configuration.
fn operator(name: &str, config: &str) -> Operator {
    Operator {
        stage: "alone".into(),
        component: Component::load(&sandbox(), &component(name)).unwrap(),
        grants: Grants { config: config.into(), ..Grants::default() }.into(),
        limits: Limits::from(&LimitsSection {
            deadline: Duration::from_secs(1),
            ..LimitsSection::default()
        }),
        times: CallTimes::default(),
    }
}

const TWO_AT_A_TIME: BatchLimits = BatchLimits { records: 2, bytes: 1 << 20, outputs: 64 << 20 };

#[test]
fn an_extractor_alone() {
    let mut harness =
        ExtractorHarness::new(operator("mischief-extractor", "{}"), TWO_AT_A_TIME).unwrap();
    let names: Vec<&str> = harness.fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["length", "text"]);
    let values = ["ab", "fail", "trap", "loop", "x"];
    let records = values.map(Input::value).map(|input| match input.value.as_deref() {
        Some(b"x") => input.partition(1),
        _ => input,
    });
    let results = harness.pipe(records).unwrap();
    let row = |length: f64, text: &str| Ok(vec![Value::Number(length), Value::Text(text.into())]);
    let seen: Vec<_> = results
        .into_iter()
        .map(|(origin, result)| (origin.partition, origin.offset, result.map_err(|it| it.code)))
        .collect();
    let expected = [
        (0, 0, row(2.0, "ab")),
        (0, 1, Err(Code::Malformed)),
        (0, 2, Err(Code::Trap)),
        (0, 3, Err(Code::Deadline)),
        (1, 0, row(1.0, "x")),
    ];
    assert_eq!(seen, expected);
    // Two batches of two, of which the second is run again record by record, and one more.
    let usage = harness.usage();
    assert_eq!((usage.calls, usage.records), (5, 7));
    // The partitions go on where they were.
    let more = harness.pipe([Input::value("y")]).unwrap();
    assert_eq!(more[0].0, Origin { topic: "input".into(), partition: 0, offset: 4 });
}

#[test]
fn a_scorer_alone() {
    let length = || Field { name: "length".into(), ty: FieldType::Number };
    let scorer = |config: &str| {
        ScorerHarness::new(operator("mischief-scorer", config), vec![length()], TWO_AT_A_TIME)
    };
    let rows: Vec<Vec<Value>> =
        [3.0, 12.0, f64::NAN].into_iter().map(|length| vec![Value::Number(length)]).collect();
    let mut harness = scorer("{}").unwrap();
    assert_eq!(harness.output().names(), ["short", "long"]);
    let predicted =
        |label, values: [f64; 2]| Ok(Predicted { label: Some(label), values: values.to_vec() });
    let expected =
        [predicted(0, [0.75, 0.25]), predicted(1, [0.25, 0.75]), predicted(0, [0.75, 0.25])];
    assert_eq!(harness.pipe(&rows).unwrap(), expected);
    assert_eq!(harness.usage().calls, 2);

    // A contract that is broken for every table is broken for every row.
    let failed = scorer(r#"{ "lie": "too-few-values" }"#).unwrap().pipe(&rows).unwrap();
    let codes: Vec<_> = failed.into_iter().map(|row| row.unwrap_err().code).collect();
    assert_eq!(codes, [Code::Contract; 3]);

    // Rows that are not of the features that were declared.
    let error = harness.pipe(&[rows[0].clone(), rows[0].clone(), Vec::new()]).unwrap_err();
    assert_eq!(error.to_string(), "row 2: expected 1 features, got 0");
    let error = harness.pipe(&[vec![Value::Text("x".into())]]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("row 0: the feature 'length' does not have its declared type")
    );
    assert_eq!(harness.pipe(&[]).unwrap(), []);

    let error = ScorerHarness::new(operator("mischief-scorer", "{}"), Vec::new(), TWO_AT_A_TIME);
    assert!(matches!(error.err().unwrap(), StageError::Refused { .. }));
    let error = ExtractorHarness::new(operator("mischief-scorer", "{}"), TWO_AT_A_TIME);
    assert!(matches!(error.err().unwrap(), StageError::World { .. }));
}

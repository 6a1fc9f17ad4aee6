//! The example operators as their pipelines use them: real components, without Kafka.

use std::io::Write;
use std::process::Stdio;

use flight_records::{CLASSIC, Flights};
use sandbar::pipeline::harness::{Harness, Written};
use sandbar::record::Code;
use sandbar::record::Input;
use sandbar_tests::runner::plan;
use sandbar_tests::{project, sandbar};
use serde_json::{Value, json};

/// A pipeline of `pipelines/`, in a harness.
fn pipeline(name: &str) -> Harness {
    let text = std::fs::read_to_string(project().join("pipelines").join(name)).unwrap();
    Harness::new(&plan(&text.replace("\"../", "\"{project}/"), "").unwrap()).unwrap()
}

/// One stage of `header-router` with this configuration.
fn router(config: &str) -> Result<Harness, String> {
    let manifest = format!(
        "name = \"route\"\nsource = {{ topics = [\"orders\"] }}\nsink = {{ topic = \"sink\" }}\n\
         [[stages]]\nname = \"route\"\ncomponent = \"{{component:header-router}}\"\n\
         topics = [\"eu\"]\n[stages.config]\n{config}"
    );
    let plan = plan(&manifest, "").map_err(|error| error.to_string())?;
    Harness::new(&plan).map_err(|error| error.to_string())
}

/// What went to a topic, in order.
fn to(written: &Written, topic: &str) -> Vec<String> {
    let there = written.outputs.iter().filter(|output| output.topic == topic);
    there.map(|output| output.text().into_owned()).collect()
}

#[test]
fn flights_get_their_airports() {
    let written = pipeline("airports.toml")
        .pipe([
            Input::value(r#"{"Origin":"SAN","Dest":"SFO","Distance":447.0}"#).key("PS1451"),
            // Closed since, and not in the table.
            Input::value(r#"{"Origin":"JFK","Dest":"UCA"}"#),
            Input::value(r#"{"Origin":"JFK"}"#),
            Input::value("JFK"),
        ])
        .unwrap();
    let [first, second] = written.outputs.as_slice() else { panic!("{written:?}") };
    assert_eq!(
        (first.topic.as_str(), first.key.as_deref()),
        ("flights-with-airports", Some(&b"PS1451"[..]))
    );
    // As it came in, with what the table's file says behind it.
    assert!(first.text().starts_with(r#"{"Origin":"SAN","Dest":"SFO","Distance":447.0,"#));
    let value: Value = serde_json::from_str(&first.text()).unwrap();
    assert_eq!(value["Origin_city"], "San Diego");
    assert_eq!(value["Dest_city"], "San Francisco");
    let table = std::fs::read_to_string(project().join("models/airports/airports.csv")).unwrap();
    let sfo: Vec<&str> =
        table.lines().find(|line| line.starts_with("SFO,")).unwrap().split(',').collect();
    assert_eq!(value["Dest_latitude"], json!(sfo[4].parse::<f64>().unwrap()));
    let value: Value = serde_json::from_str(&second.text()).unwrap();
    assert_eq!(value["Origin_city"], "New York");
    assert!(value["Dest_latitude"].is_null());

    let letters: Vec<_> =
        written.dead_letters.iter().map(|it| (it.stage.as_str(), it.code)).collect();
    assert_eq!(letters, [("destination", Code::Missing), ("origin", Code::Malformed)]);
}

#[test]
fn flights_go_where_they_start() {
    let mut harness = pipeline("states.toml");
    // The last starts at an airport that has closed since.
    let closed = CLASSIC[0].replace(",SAN,", ",UCA,");
    let flights: Vec<String> = Flights::new(7).take(3_000).chain([closed]).collect();
    let written = harness.pipe(flights.iter().map(|flight| Input::value(flight.as_str()))).unwrap();
    assert!(written.dead_letters.is_empty(), "{:?}", written.dead_letters[0]);

    let table = std::fs::read_to_string(project().join("models/airports/airports.csv")).unwrap();
    let state = |flight: &str| {
        let origin = flight.split(',').nth(16).unwrap();
        let row = table.lines().find(|line| line.split(',').next() == Some(origin));
        row.map(|row| row.split(',').nth(3).unwrap())
    };
    let starting = |wanted: fn(&str) -> bool| -> Vec<String> {
        flights.iter().filter(|flight| state(flight).is_some_and(wanted)).cloned().collect()
    };
    let corner = |state: &str| matches!(state, "Arizona" | "Colorado" | "New Mexico" | "Utah");
    let california = |state: &str| state == "California";
    let elsewhere = |state: &str| {
        !matches!(state, "California" | "Arizona" | "Colorado" | "New Mexico" | "Utah")
    };
    // `assert!`, since three thousand flights would fill the screen.
    assert!(to(&written, "flights-california") == starting(california));
    assert!(to(&written, "flights-four-corners") == starting(corner));
    assert!(to(&written, "flights-elsewhere") == starting(elsewhere));
    let unknown = flights.iter().filter(|flight| state(flight).is_none()).count();
    assert_eq!(harness.stats().filtered, unknown as u64);
    assert!(unknown > 0);
    let first = &written.outputs[0];
    assert_eq!(first.header("origin-state").as_deref(), state(&first.text()));
}

#[test]
fn orders_are_routed_by_their_headers() {
    let mut harness = router(
        "otherwise = \"drop\"\n\
         rules = [\n\
           { header = \"country\", values = [\"DE\"], to = { topic = \"eu\" } },\n\
           { header = \"country\", pattern = \"^U\", to = \"pass\" },\n\
         ]",
    )
    .unwrap();
    let order = |value: &str, country: &[u8]| Input::value(value).header("country", country);
    let written = harness
        .pipe([
            order("german", b"DE"),
            order("american", b"US"),
            order("garbage", b"\xff"),
            order("japanese", b"JP"),
            Input::value("of nowhere"),
            Input { value: None, ..order("", b"DE") },
        ])
        .unwrap();
    assert_eq!(to(&written, "eu"), ["german", ""]);
    assert_eq!(to(&written, "sink"), ["american"]);
    let tombstones = written.outputs.iter().filter(|output| output.value.is_none());
    assert_eq!(tombstones.count(), 1, "a tombstone stays one");
    let [letter] = written.dead_letters.as_slice() else { panic!("{written:?}") };
    assert_eq!(
        (letter.code, letter.message.as_str()),
        (Code::Malformed, "the header 'country' is not UTF-8")
    );
    assert_eq!(harness.stats().filtered, 2);
}

#[test]
fn a_rule_to_a_topic_that_is_not_granted_is_refused_before_the_first_record() {
    let rule = "rules = [{ header = \"a\", present = true, to = { topic = \"asia\" } }]";
    let refused = router(rule).err().unwrap();
    assert!(refused.contains("rule 1: topic 'asia' is not granted to this stage"), "{refused}");
}

#[test]
fn a_graph_is_no_table() {
    let manifest = "name = \"enrich\"\nsource = { topics = [\"a\"] }\nsink = { topic = \"b\" }\n\
         models = { digits = \"{project}/models/digits\" }\n\
         [[stages]]\nname = \"enrich\"\ncomponent = \"{component:lookup-enricher}\"\n\
         models = [\"digits\"]\nconfig = { key = \"record-key\" }\n";
    let refused = plan(manifest, "").err().unwrap().to_string();
    assert!(refused.contains("model 'digits' is a graph that the host runs"), "{refused}");
}

#[test]
fn the_pipelines_run_in_a_shell() {
    let run = |arguments: &[&str], input: &str| {
        let mut child = sandbar()
            .args(["--log", "off", "run"])
            .args(arguments)
            .current_dir(project())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let flight = r#"{"UniqueCarrier":"PS","Origin":"SAN","Dest":"SFO"}"#;
    let out = run(&["pipelines/airports.toml", "--stdin"], flight);
    assert!(out.contains(r#""Origin_city":"San Diego""#), "{out}");
    let out = run(&["pipelines/states.toml", "--stdin", "--with-topic"], CLASSIC[0]);
    assert_eq!(out, format!("flights-california\t{}\n", CLASSIC[0]));
}

/// Three stages double each record: eight for one. Of a batch more is made than `in-flight`
/// allows, so that it goes through in parts; of the large record alone more is made.
#[test]
fn what_is_made_of_a_batch_is_bounded_and_every_record_accounted_for() {
    let stage = |name: &str| {
        format!("[[stages]]\nname = \"{name}\"\ncomponent = \"{{component:route-transformer}}\"\n")
    };
    let manifest = format!(
        "name = \"p\"\nsource = {{ topics = [\"in\"] }}\nsink = {{ topic = \"out\" }}\n\
         [runner]\nbatch-bytes = \"16 KiB\"\nin-flight = \"16 KiB\"\n{}{}{}",
        stage("a"),
        stage("b"),
        stage("c")
    );
    let mut harness = Harness::new(&plan(&manifest, "").unwrap()).unwrap();
    let padding = "x".repeat(880);
    let mut values: Vec<String> = (0..16).map(|it| format!("twice {it:2} {padding}")).collect();
    values[3] = "fail 3".into();
    values[12] = "drop 12".into();
    values.insert(8, format!("twice {}", "y".repeat(20 << 10)));
    let written = harness.pipe(values.iter().map(|value| Input::value(value.as_str()))).unwrap();
    let failed: Vec<(&str, Code)> =
        written.dead_letters.iter().map(|it| (it.stage.as_str(), it.code)).collect();
    assert_eq!(failed, [("a", Code::Invalid), ("c", Code::TooLarge)]);
    let expected = values.iter().filter(|it| it.len() < 1000 && it.starts_with("twice"));
    let expected: Vec<&str> = expected.flat_map(|value| [value.as_str(); 8]).collect();
    let found: Vec<_> = written.outputs.iter().map(|output| output.text()).collect();
    assert!(found == expected, "{} of {}", found.len(), expected.len());
    // Once for all is too much, as the first batch is; a part of it is not.
    let one_batch = (0..16).map(|it| Input::value(format!("twice {it:2} {padding}")));
    assert_eq!(harness.pipe(one_batch).unwrap().outputs.len(), 16 * 8);
}

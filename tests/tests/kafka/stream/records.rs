//! What becomes of each record.

use super::*;

/// Codes of dead letters by the value of the record.
fn codes(dead: &[Received]) -> BTreeMap<String, String> {
    let short = |text: String| text.chars().take(20).collect();
    dead.iter().map(|letter| (short(letter.text()), letter.header("sandbar-code"))).collect()
}

on_each_broker! {
    /// Keys, headers and timestamps are kept; order is kept per partition.
    fn what_goes_in_comes_out_with_its_prediction(broker: &Broker) {
        let topics = topics(broker, 2);
        let sent: Vec<Sent> = (0..2000)
            .map(|number| Sent {
                key: Some(format!("key-{}", number % 7).into_bytes()),
                value: Some(format!("value {number}{}", "x".repeat(number % 13)).into_bytes()),
                headers: vec![("trace".into(), number.to_string().into_bytes())],
                timestamp: Some(1_700_000_000_000 + number as i64),
                partition: Some((number % 7 % 2) as i32),
            })
            .collect();
        broker.send(&topics[0], &sent);
        let runner = Runner::start(broker, &mischief(names(&topics), ""));
        let received = broker.receive(&topics[1], sent.len());
        let end = runner.stop().unwrap();

        assert_eq!(received.len(), sent.len());
        assert_eq!((end.records, end.outputs, end.failed()), (2000, 2000, 0));
        let mut by_key: BTreeMap<Vec<u8>, Vec<&Received>> = BTreeMap::new();
        for record in &received {
            by_key.entry(record.key.clone().unwrap()).or_default().push(record);
        }
        for (key, records) in by_key {
            let expected = sent.iter().filter(|sent| sent.key.as_ref() == Some(&key));
            for (record, sent) in records.iter().zip(expected) {
                assert_eq!(record.timestamp, sent.timestamp);
                assert_eq!(record.headers[0], sent.headers[0]);
                let long = sent.value.as_ref().unwrap().len() > 10;
                let label = if long { r#""label":"long""# } else { r#""label":"short""# };
                assert!(record.text().contains(label), "{}", record.text());
            }
        }
        for partition in 0..2 {
            let count = sent.iter().filter(|sent| sent.partition == Some(partition)).count();
            let committed = broker.committed(&topics[0], &topics[0], partition);
            assert_eq!(committed, Some(count as i64));
        }
    }

    /// One record's mischief is that record's alone, and its dead letter says what it was.
    fn a_bad_record_fails_alone(broker: &Broker) {
        let topics = topics(broker, 1);
        let bad = ["trap", "loop", "allocate", "sleep", "exit", "recurse", "fail", "abort"];
        let mut sent = Vec::new();
        for (index, value) in bad.iter().enumerate() {
            sent.extend((0..20).map(|number| Sent::value(format!("good {index} {number}"))));
            sent.push(Sent {
                key: Some(b"the key".to_vec()),
                headers: vec![("mine".into(), b"stays".to_vec())],
                timestamp: Some(1_600_000_000_000),
                ..Sent::value(*value)
            });
        }
        broker.send(&topics[0], &sent);
        let runner = Runner::start(broker, &mischief(names(&topics), ""));
        let good = broker.receive(&topics[1], 20 * bad.len());
        let dead = broker.receive(&topics[2], bad.len());
        runner.stop().unwrap();

        assert_eq!((good.len(), dead.len()), (20 * bad.len(), bad.len()));
        let expected = [
            ("abort", "trap"), ("allocate", "memory"), ("exit", "trap"), ("fail", "malformed"),
            ("loop", "deadline"), ("recurse", "trap"), ("sleep", "trap"), ("trap", "trap"),
        ];
        let expected = expected.map(|(value, code)| (value.to_owned(), code.to_owned()));
        assert_eq!(codes(&dead), BTreeMap::from(expected));
        let letter = &dead[0];
        assert_eq!((letter.text().as_str(), letter.key.as_deref()), ("trap", Some(&b"the key"[..])));
        assert_eq!((letter.timestamp, letter.header("mine").as_str()), (Some(1_600_000_000_000), "stays"));
        assert_eq!(letter.header("sandbar-pipeline"), "mischief");
        assert_eq!(letter.header("sandbar-stage"), "extract");
        assert_eq!(letter.header("sandbar-topic"), topics[0]);
        assert_eq!(letter.header("sandbar-partition"), "0");
        assert_eq!(letter.header("sandbar-offset"), "20");
        assert!(letter.header("sandbar-message").contains("unreachable"), "{}", letter.header("sandbar-message"));
    }

    /// Garbage, empty and null values, and a value of megabytes get an answer each.
    fn odd_values_are_answered(broker: &Broker) {
        let topics = topics(broker, 1);
        let megabytes = match broker {
            // The mock broker drops what it holds beyond 5 MB.
            Broker::Mock(_) => 4,
            Broker::Apache(_) | Broker::Replicated(_) => 5,
        };
        let sent = [
            Sent::value([0xff, 0xfe, 0x00]),
            Sent::value([]),
            Sent { value: None, ..Sent::value([]) },
            Sent::value(vec![b'x'; megabytes << 20]),
            Sent::value("after"),
        ];
        broker.send(&topics[0], &sent);
        let runner = Runner::start(broker, &mischief(names(&topics), ""));
        runner.await_stats("all are answered", |now| now.outputs + now.failed() == 5);
        let end = runner.stop().unwrap();
        let good = broker.receive(&topics[1], end.outputs as usize);
        let dead = broker.receive(&topics[2], end.failed() as usize);
        assert_eq!(good.len() + dead.len(), sent.len());
        assert!(good.iter().any(|record| record.text().contains("long")));
    }

    /// Lies of a component cost the batch nothing but the record that they are about.
    fn a_lie_becomes_a_dead_letter(broker: &Broker) {
        let topics = topics(broker, 1);
        let manifest = mischief(names(&topics), "").replace(
            "[[stages]]\n        name = \"score\"",
            "config = { lie = \"non-monotone-ends\" }\n        [[stages]]\n        name = \"score\"",
        );
        let values = ["a", "lie", "b"];
        broker.send(&topics[0], &values.map(Sent::value));
        let runner = Runner::start(broker, &manifest);
        assert_eq!(broker.receive(&topics[1], 2).len(), 2);
        let dead = broker.receive(&topics[2], 1);
        runner.stop().unwrap();
        assert_eq!(dead[0].header("sandbar-code"), "contract");
        assert_eq!(dead[0].text(), "lie");
    }

    /// Filtered, doubled, routed, failed and trapped, each record by itself.
    fn a_transformer_may_do_all_that_records_can_suffer(broker: &Broker) {
        let topics = topics(broker, 1);
        let routed = broker.topic("routed", 1);
        let [source, sink, dead] = names(&topics);
        let manifest = format!(
            r#"
            name = "routes"
            [source]
            topics = ["{source}"]
            [[stages]]
            name = "route"
            component = "{{component:route-transformer}}"
            topics = ["{routed}"]
            [sink]
            topic = "{sink}"
            [dead-letter]
            topic = "{dead}"
            "#
        );
        let values = ["plain", "drop it", "twice", "route:there", "fail", "header", "trap", "last"];
        broker.send(&topics[0], &values.map(Sent::value));
        let runner = Runner::start(broker, &manifest);
        let kept = broker.receive(&topics[1], 5);
        let dead = broker.receive(&topics[2], 2);
        let routed = broker.receive(&routed, 1);
        let end = runner.stop().unwrap();

        let texts: Vec<String> = kept.iter().map(Received::text).collect();
        assert_eq!(texts, ["plain", "twice", "twice", "header", "last"]);
        assert_eq!(kept[3].header("route-transformer"), "was here");
        assert_eq!(routed[0].text(), "there");
        let expected = [("fail", "invalid"), ("trap", "trap")];
        let expected = expected.map(|(value, code)| (value.to_owned(), code.to_owned()));
        assert_eq!(codes(&dead), BTreeMap::from(expected));
        assert_eq!((end.filtered, end.outputs), (1, 6));
    }

    /// A topic that is not there ends the run with its name.
    fn a_missing_topic_is_named(broker: &Broker) {
        let topics = topics(broker, 1);
        if let Broker::Mock(_) = broker {
            // The mock broker makes every topic that it is asked for.
            return;
        }
        let mut runner = Runner::start(broker, &mischief(["nowhere", &topics[1], &topics[2]], ""));
        let error = runner.join().unwrap_err();
        assert!(matches!(error, RunError::Kafka(_)));
        let expected = format!(
            "topic 'nowhere' does not exist on {}: create it, or correct [source] topics in the manifest",
            broker.address()
        );
        assert_eq!(error.to_string(), expected);
    }

    /// What the sink's topic refuses becomes a dead letter; its neighbours, which were
    /// refused in the same request, do not.
    fn an_output_that_is_refused_becomes_a_dead_letter(broker: &Broker) {
        let Broker::Apache(_) = broker else {
            // The mock broker takes records of any size.
            return;
        };
        let topics = topics(broker, 1);
        let small = broker.topic_with("small", 1, &[("max.message.bytes", "1000")]);
        let [source, _, dead] = names(&topics);
        let manifest = format!(
            r#"
            name = "{source}"
            [source]
            topics = ["{source}"]
            [[stages]]
            name = "route"
            component = "{{component:route-transformer}}"
            [sink]
            topic = "{small}"
            properties = {{ "compression.type" = "none" }}
            [dead-letter]
            topic = "{dead}"
            "#
        );
        let large = "y".repeat(3000);
        let values = (0..100).map(|number| if number == 50 { large.clone() } else { format!("{number}") });
        broker.send(&topics[0], &values.map(Sent::value).collect::<Vec<_>>());
        let runner = Runner::start(broker, &manifest);
        let kept = broker.receive(&small, 99);
        let dead = broker.receive(&topics[2], 1);
        let end = runner.stop().unwrap();
        assert_eq!((kept.len(), dead.len(), end.failed()), (99, 1, 1));
        assert_eq!((dead[0].header("sandbar-code").as_str(), dead[0].text()), ("too-large", large));
        assert_eq!(dead[0].header("sandbar-stage"), "sink");
        assert_eq!(broker.committed(source, source, 0), Some(100));
    }

    /// Any producer may send a header whose name is not UTF-8.
    fn odd_header_names_are_read(broker: &Broker) {
        let topics = topics(broker, 1);
        broker.send_with_odd_header(&topics[0], b"na\xffme", "value");
        broker.send(&topics[0], &[Sent::value("after")]);
        let runner = Runner::start(broker, &mischief(names(&topics), ""));
        runner.await_stats("both are through", |now| now.outputs == 2);
        runner.stop().unwrap();
    }

    /// A second runner of the group takes partitions over; nothing is lost or out of order.
    fn two_runners_share_the_partitions(broker: &Broker) {
        if let Broker::Mock(_) = broker {
            // It refuses commits while a group shares out its partitions, so that a
            // hand-over repeats records there.
            return;
        }
        let topics = topics(broker, 4);
        let manifest = mischief(names(&topics), "");
        let send = |from: usize, to: usize| {
            let records = (from..to)
                .map(|number| Sent { partition: Some((number % 4) as i32), ..Sent::value("x") });
            broker.send(&topics[0], &records.collect::<Vec<_>>());
        };
        send(0, 400);
        let first = Runner::start(broker, &manifest);
        first.await_stats("the first runs", |now| now.outputs > 0);
        let second = Runner::start(broker, &manifest);
        // The second has joined when it gets something to do.
        let mut sent = 400;
        while second.stats().records == 0 {
            send(sent, sent + 40);
            sent += 40;
            first.await_stats("the first goes on", |now| now.outputs + second.stats().outputs >= sent as u64);
            assert!(sent < 100_000, "the second runner gets nothing");
        }
        first.stop().unwrap();
        send(sent, sent + 400);
        sent += 400;
        second.await_stats("the second has it all", |now| now.records >= 400);
        let received = broker.receive(&topics[1], sent);
        second.stop().unwrap();
        assert_eq!(received.len(), sent, "each exactly once: every hand-over was orderly");
        for partition in 0..4 {
            let committed = broker.committed(&topics[0], &topics[0], partition);
            assert_eq!(committed, Some((sent / 4) as i64), "partition {partition}");
        }
    }
}

/// What is wrong with a pipeline is known before it runs.
#[test]
fn stages_that_do_not_follow_are_refused() {
    let error = |stages: &str| {
        let manifest =
            format!("name = \"x\"\n[source]\ntopics = [\"a\"]\n[sink]\ntopic = \"b\"\n{stages}");
        plan(&manifest, "localhost:1").err().unwrap().to_string()
    };
    let stage = |name: &str, component: &str| {
        format!("[[stages]]\nname = \"{name}\"\ncomponent = \"{{component:{component}}}\"\n")
    };
    let scorer_first = stage("s", "mischief-scorer") + &stage("e", "mischief-extractor");
    assert!(error(&scorer_first).contains("stage 's' (number 1, scorer): a scorer takes features"));
    assert!(
        error(&stage("e", "mischief-extractor"))
            .contains("stage 'e' (number 1, extractor): nothing reads its features")
    );
    let missing = "[[stages]]\nname = \"e\"\ncomponent = \"nowhere.wasm\"\n";
    let found = error(missing);
    assert!(found.contains("stage 'e': component ") && found.contains("nowhere.wasm"), "{found}");
}

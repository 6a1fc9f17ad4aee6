//! `delivery = "exactly-once"`: one transaction for outputs, dead letters and offsets.
//! What becomes of it while things break is shown by the program `faults`.

use std::collections::BTreeMap;

use sandbar_tests::broker::PATIENCE;
use sandbar_tests::held::{Client, END_TRANSACTION, Holder};
use sandbar_tests::runner::plan;
use sandbar_tests::{Broker, Received, Runner, Sent, cluster, on_each_broker};
use xtask::kafka::Options;

/// A pipeline of the transformer that routes on request; `rest` ends the last section.
fn routes(source: &str, sink: &str, dead: &str, routed: &str, rest: &str) -> String {
    format!(
        r#"
        name = "{source}"
        delivery = "exactly-once"
        [source]
        topics = ["{source}"]
        [[stages]]
        name = "route"
        component = "{{component:route-transformer}}"
        topics = ["{routed}"]
        [dead-letter]
        topic = "{dead}"
        [sink]
        topic = "{sink}"
        properties = {{ "compression.type" = "none" }}
        {rest}
        "#
    )
}

/// A pipeline whose extractor does what a record says, with the milliseconds that a
/// transaction may take; `rest` are more sections.
fn mischief(source: &str, sink: &str, dead: &str, timeout: u32, rest: &str) -> String {
    format!(
        r#"
        name = "{source}"
        delivery = "exactly-once"
        source = {{ topics = ["{source}"] }}
        dead-letter = {{ topic = "{dead}" }}
        [[stages]]
        name = "extract"
        component = "{{component:mischief-extractor}}"
        [[stages]]
        name = "score"
        component = "{{component:mischief-scorer}}"
        [sink]
        topic = "{sink}"
        properties = {{ "transaction.timeout.ms" = {timeout} }}
        {rest}
        "#
    )
}

fn texts(records: &[Received]) -> Vec<String> {
    records.iter().map(Received::text).collect()
}

on_each_broker! {
    /// Several topics and dead letters in one transaction.
    fn all_that_comes_of_a_batch_is_delivered_with_its_offset(broker: &Broker) {
        let [source, sink, dead, routed] =
            ["source", "sink", "dead", "routed"].map(|name| broker.topic(name, 1));
        let values = ["plain", "drop it", "twice", "route:there", "fail", "trap", "last"];
        broker.send(&source, &values.map(Sent::value));
        let runner = Runner::start(broker, &routes(&source, &sink, &dead, &routed, ""));
        let kept = broker.receive(&sink, 4);
        let letters = broker.receive(&dead, 2);
        let there = broker.receive(&routed, 1);
        let end = runner.stop().unwrap();
        assert_eq!(texts(&kept), ["plain", "twice", "twice", "last"]);
        assert_eq!(texts(&there), ["there"]);
        let codes: BTreeMap<_, _> =
            letters.iter().map(|it| (it.text(), it.header("sandbar-code"))).collect();
        let due = [("fail", "invalid"), ("trap", "trap")];
        assert_eq!(codes, due.map(|(text, code)| (text.to_owned(), code.to_owned())).into());
        assert!(end.committed >= 1 && end.aborted == 0, "{end:?}");
        if let Broker::Mock(_) = broker {
            // It takes offsets in a transaction and forgets them.
            return;
        }
        assert_eq!(broker.committed(&source, &source, 0), Some(7));

        // Whoever starts next goes on behind it.
        broker.send(&source, &[Sent::value("next")]);
        let runner = Runner::start(broker, &routes(&source, &sink, &dead, &routed, ""));
        let kept = broker.receive(&sink, 5);
        runner.stop().unwrap();
        assert_eq!(texts(&kept)[4..], ["next"]);
    }

    /// A batch of which nothing comes moves the offset all the same.
    fn what_is_filtered_is_done(broker: &Broker) {
        let [source, sink, dead, routed] =
            ["source", "sink", "dead", "routed"].map(|name| broker.topic(name, 1));
        broker.send(&source, &["drop it", "drop it"].map(Sent::value));
        let runner = Runner::start(broker, &routes(&source, &sink, &dead, &routed, ""));
        runner.await_stats("it is committed", |now| now.filtered == 2 && now.committed == 1);
        runner.stop().unwrap();
        if let Broker::Apache(_) = broker {
            assert_eq!(broker.committed(&source, &source, 0), Some(2));
        }
    }

    /// The brokers end a transaction that is open for too long: what takes that long again
    /// and again ends the run, with the way out.
    fn a_batch_that_outlasts_its_transaction_is_named(broker: &Broker) {
        let Broker::Apache(_) = broker else {
            // The mock broker leaves transactions open for ever.
            return;
        };
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let rest = "[limits]\ndeadline = \"700ms\"\n";
        let manifest = mischief(&source, &sink, &dead, 1000, rest);
        // The first is sent at once, and the others keep its transaction open.
        broker.send(&source, &["fine", "loop", "loop", "loop", "loop", "loop"].map(Sent::value));
        let mut runner = Runner::start(broker, &manifest);
        let error = runner.join().unwrap_err().to_string();
        let due = "a batch takes longer than transaction.timeout.ms (1s): raise that under";
        assert!(error.contains(due), "{error}");
        assert_eq!(broker.committed(&source, &source, 0), None);
    }

    /// Batches that are too slow for one transaction together are committed in several.
    fn slow_batches_are_shared_out(broker: &Broker) {
        let Broker::Apache(_) = broker else { return };
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 4));
        let rest = "[limits]\ndeadline = \"400ms\"\n[runner]\nworkers = 1\ncommit-interval = \"5s\"\n";
        let manifest = mischief(&source, &sink, &dead, 2000, rest);
        // Twice the deadline for each partition: with company, then alone.
        let values = ["one", "loop", "two"];
        let sent = |partition: i32| {
            values.map(|value| Sent { partition: Some(partition), ..Sent::value(value) })
        };
        broker.send(&source, &(0..4).flat_map(sent).collect::<Vec<_>>());
        let runner = Runner::start(broker, &manifest);
        let kept = broker.receive(&sink, 8);
        let letters = broker.receive(&dead, 4);
        let end = runner.stop().unwrap();
        assert_eq!((kept.len(), letters.len()), (8, 4));
        assert!(end.aborted >= 1 && end.committed >= 2, "{end:?}");
        for partition in 0..4 {
            assert_eq!(broker.committed(&source, &source, partition), Some(3));
        }
    }

    /// What a topic refuses is replaced by its dead letter, a dead letter that is refused
    /// too by a notice; their neighbours, which were refused in the same request, arrive.
    fn what_is_refused_is_replaced(broker: &Broker) {
        let Broker::Apache(_) = broker else {
            // The mock broker takes records of any size.
            return;
        };
        let [source, routed] = ["source", "routed"].map(|name| broker.topic(name, 1));
        let sink = broker.topic_with("small", 1, &[("max.message.bytes", "1000")]);
        let dead = broker.topic_with("less-small", 1, &[("max.message.bytes", "5000")]);
        let large = |number: usize| match number {
            30 | 50 => "y".repeat(3000),
            70 => "z".repeat(9000),
            _ => number.to_string(),
        };
        let sent: Vec<Sent> = (0..100).map(|number| Sent::keyed(number, large(number))).collect();
        broker.send(&source, &sent);
        let runner = Runner::start(broker, &routes(&source, &sink, &dead, &routed, ""));
        let kept = broker.receive(&sink, 97);
        let letters = broker.receive(&dead, 3);
        let end = runner.stop().unwrap();
        let due: Vec<String> =
            (0..100).filter(|number| ![30, 50, 70].contains(number)).map(large).collect();
        assert_eq!(texts(&kept), due);
        assert_eq!(letters.len(), 3);
        for letter in &letters {
            assert_eq!(letter.header("sandbar-code"), "too-large");
            assert_eq!(letter.header("sandbar-stage"), "sink");
            let message = letter.header("sandbar-message");
            assert!(message.starts_with(&format!("topic '{sink}': record rejected: ")), "{message}");
        }
        let [one, other, notice] = &letters[..] else { panic!("{letters:?}") };
        assert_eq!([one.text(), other.text()], [large(30), large(50)]);
        assert_eq!((notice.header("sandbar-offset"), notice.header("sandbar-truncated")), ("70".into(), "true".into()));
        assert_eq!(notice.value, None);
        assert!(end.aborted >= 3, "{end:?}");
        assert_eq!(broker.committed(&source, &source, 0), Some(100));
    }
}

#[test]
fn kinds_of_delivery_that_there_are_not_are_refused() {
    let of = |delivery: &str| {
        let manifest = format!(
            "name = \"p\"\ndelivery = \"{delivery}\"\nsource = {{ topics = [\"a\"] }}\n\
             sink = {{ topic = \"b\" }}\n[[stages]]\nname = \"route\"\n\
             component = \"{{component:route-transformer}}\"\n"
        );
        plan(&manifest, "").map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(of("at-least-once"), Ok(()));
    assert_eq!(of("exactly-once"), Ok(()));
    let error = of("at-most-once").unwrap_err();
    assert!(
        error.contains("is not supported, as it loses records silently; choose \"at-least-once\""),
        "{error}"
    );
    let error = of("sometimes").unwrap_err();
    assert!(error.contains("unknown delivery 'sometimes'; choose"), "{error}");
}

/// A request that ends a transaction, and is so late that it has been sent again, ends no other:
/// the broker takes it for one of a producer that has been replaced. So whether no answer came in
/// time or the connection was lost, of which librdkafka says nothing.
#[test]
fn what_comes_too_late_ends_no_later_transaction() {
    let holder = Holder::start();
    let options = Options { proxy: Some(holder.port()), ..Options::default() };
    let Some(cluster) = cluster("late", 1, options) else { return };
    holder.lead_to(cluster.behind_proxy().unwrap());
    let direct = Broker::Apache(cluster.bootstrap().to_owned());
    let through = Broker::Apache(format!("127.0.0.1:{}", holder.port()));
    let [source, sink, dead, routed] =
        ["source", "sink", "dead", "routed"].map(|name| direct.topic(name, 1));
    let impatient = "\"socket.timeout.ms\" = 2000, \"compression.type\"";
    let manifest =
        routes(&source, &sink, &dead, &routed, "").replace("\"compression.type\"", impatient);
    let runner = Runner::start(&through, &manifest);

    let mut sent = 0;
    let mut send = |value: &str| {
        direct.send(&source, &[Sent::value(value)]);
        sent += 1;
        sent
    };
    for client in [Client::IsCut, Client::Waits] {
        let held = holder.hold(END_TRANSACTION, client);
        let one = send("one");
        let held = held.recv_timeout(PATIENCE).expect("the request does not come");
        // It was sent again.
        direct.await_committed(&source, &source, 0, one);
        let two = send("two");
        direct.await_committed(&source, &source, 0, two);
        assert_ne!(held.release(), 0, "{client:?}: the broker has done what came too late");
        let three = send("three");
        direct.await_committed(&source, &source, 0, three);
    }
    let written = direct.receive(&sink, 6);
    assert_eq!(texts(&written), ["one", "two", "three"].repeat(2));
    runner.stop().unwrap();
}

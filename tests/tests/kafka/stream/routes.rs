//! `[[sink.routes]]`: outputs go to topics by what was predicted.

use flight_records::Flights;
use sandbar_tests::flights::{golden, pipeline};

use super::*;

const FLIGHTS: usize = 400;

/// The flights pipeline with more in `[sink]`, behind its topic, and H2O's answers to its records.
struct Site {
    topics: [String; 3],
    golden: Vec<(String, f64)>,
}

impl Site {
    /// Sends flights, each with its number as key.
    fn new(broker: &Broker) -> Self {
        let topics = topics(broker, 1);
        let flights = Flights::new(1).take(FLIGHTS).enumerate();
        let sent: Vec<Sent> = flights.map(|(number, line)| Sent::keyed(number, line)).collect();
        broker.send(&topics[0], &sent);
        Site { topics, golden: golden("flights-gbm") }
    }

    fn manifest(&self, delivery: &str, sink: &str) -> String {
        format!("delivery = \"{delivery}\"\n{}", pipeline(&self.topics, "flights-gbm", sink))
    }

    /// The numbers of the flights whose label and probability of YES are so.
    fn where_golden(&self, is: impl Fn(&str, f64) -> bool) -> Vec<String> {
        let flights = self.golden.iter().take(FLIGHTS).enumerate();
        let fits = flights.filter(|(_, (label, yes))| is(label, *yes));
        fits.map(|(number, _)| number.to_string()).collect()
    }
}

fn keys(received: &[Received]) -> Vec<String> {
    let key = |record: &Received| String::from_utf8(record.key.clone().unwrap()).unwrap();
    received.iter().map(key).collect()
}

on_each_broker! {
    /// The first route that holds takes a prediction, and what none takes goes to the sink; in the
    /// order of the records, with each delivery.
    fn the_first_route_that_holds(broker: &Broker) {
        for delivery in ["at-least-once", "exactly-once"] {
            let site = Site::new(broker);
            let [late, early] = ["late", "early"].map(|name| broker.topic(name, 1));
            let runner = Runner::start(broker, &site.manifest(delivery, &format!(
                r#"
                headers = {{ flight = "{{{{ key }}}}", trace = "all" }}
                [[sink.routes]]
                when = 'label == "YES" && probability > 0.6'
                topic = "{late}"
                [[sink.routes]]
                when = 'probabilities.YES > 0.6 || probabilities["NO"] > 0.6'
                topic = "{early}"
                template = "{{{{ key }}}}: {{{{ label }}}}"
                key = "{{{{ label }}}}"
                headers = {{ trace = "early {{{{ offset }}}}" }}
                "#
            )));
            let is_late = |label: &str, yes: f64| label == "YES" && yes > 0.6;
            let is_early = |_: &str, yes: f64| 1.0 - yes > 0.6 || yes > 0.6;
            let lates = site.where_golden(is_late);
            let earlies = site.where_golden(|label, yes| !is_late(label, yes) && is_early(label, yes));
            let others = site.where_golden(|label, yes| !is_late(label, yes) && !is_early(label, yes));
            assert!(lates.len() > 20 && earlies.len() > 20 && others.len() > 20);

            let received = broker.receive(&late, lates.len());
            assert_eq!(keys(&received), lates);
            for record in &received {
                let number: usize = record.header("flight").parse().unwrap();
                let tolerance = 1e-6;
                sandbar_tests::flights::assert_golden(record, &site.golden[number], tolerance);
                assert_eq!(record.header("trace"), "all");
            }
            let received = broker.receive(&early, earlies.len());
            for (record, number) in received.iter().zip(&earlies) {
                let (label, _) = &site.golden[number.parse::<usize>().unwrap()];
                assert_eq!(record.text(), format!("{number}: {label}"));
                assert_eq!(record.key.as_deref(), Some(label.as_bytes()));
                assert_eq!(record.header("trace"), format!("early {number}"));
                assert_eq!(record.header("flight"), *number);
                assert_eq!(record.header("sandbar-model"), "flights-gbm@1");
            }
            assert_eq!(keys(&broker.receive(&site.topics[1], others.len())), others);
            let end = runner.stop().unwrap();
            assert_eq!((end.outputs, end.unrouted, end.failed()), (FLIGHTS as u64, 0, 0));
        }
    }

    /// Each route that holds takes it, and what none takes is dropped and counted. The sink needs
    /// no topic then.
    fn all_routes_that_hold(broker: &Broker) {
        for delivery in ["at-least-once", "exactly-once"] {
            let site = Site::new(broker);
            let [yes, sure] = ["yes", "sure"].map(|name| broker.topic(name, 1));
            let sink = format!(
                r#"
                match = "all"
                otherwise = "drop"
                [[sink.routes]]
                when = 'label == "YES"'
                topic = "{yes}"
                [[sink.routes]]
                when = 'math.greatest(probabilities.YES, probabilities.NO) >= 0.7'
                topic = "{sure}"
                "#
            );
            let manifest = site.manifest(delivery, &sink);
            let manifest = manifest.replace(&format!("topic = \"{}\"\n", site.topics[1]), "");
            let runner = Runner::start(broker, &manifest);
            let yesses = site.where_golden(|label, _| label == "YES");
            let sures = site.where_golden(|_, yes| yes.max(1.0 - yes) >= 0.7);
            let none = site.where_golden(|label, yes| label != "YES" && yes.max(1.0 - yes) < 0.7);
            assert!(none.len() > 20 && yesses.len() + sures.len() + none.len() > FLIGHTS);
            assert_eq!(keys(&broker.receive(&yes, yesses.len())), yesses);
            assert_eq!(keys(&broker.receive(&sure, sures.len())), sures);
            let end = runner.stop().unwrap();
            assert_eq!(end.outputs, (yesses.len() + sures.len()) as u64);
            assert_eq!((end.unrouted, end.failed()), (none.len() as u64, 0));
        }
    }

    /// What a condition or a template cannot be computed of is a dead letter; none of the outputs
    /// of its record leaves. What is missing holds nowhere.
    fn a_record_that_a_route_fails_for(broker: &Broker) {
        let names = topics(broker, 1);
        let big = broker.topic("big", 1);
        let sent = |limit: Option<&str>, key: Option<&str>| Sent {
            key: key.map(|key| key.as_bytes().to_vec()),
            headers: limit.map(|it| ("limit".into(), it.into())).into_iter().collect(),
            ..Sent::value(format!("value {limit:?}"))
        };
        let records = [
            sent(Some("7"), Some("one")),
            sent(Some("many"), Some("two")),
            sent(None, Some("three")),
            sent(Some("12"), None),
            sent(Some("8"), Some("five")),
        ];
        broker.send(&names[0], &records);
        let more = format!(
            r#"
            [[sink.routes]]
            when = "int(headers.limit) > 5"
            topic = "{big}"
            key = "{{{{ key|upper }}}}"
            "#
        );
        let manifest = mischief(super::names(&names), "");
        let manifest = manifest.replace("[dead-letter]", &format!("{more}\n[dead-letter]"));
        let runner = Runner::start(broker, &manifest);
        assert_eq!(keys(&broker.receive(&big, 2)), ["ONE", "FIVE"]);
        assert_eq!(keys(&broker.receive(&names[1], 1)), ["three"]);
        let letters = broker.receive(&names[2], 2);
        let end = runner.stop().unwrap();
        assert_eq!((end.outputs, end.failed()), (3, 2));
        for letter in &letters {
            assert_eq!((letter.header("sandbar-stage"), letter.header("sandbar-code")), ("sink".into(), "sink".into()));
        }
        let messages: Vec<String> = letters.iter().map(|it| it.header("sandbar-message")).collect();
        assert_eq!(
            messages[0],
            "[[sink.routes]] number 1: when: line 1, column 1: the text is no whole number of 64 bits"
        );
        assert!(messages[1].starts_with("[[sink.routes]] number 1: key: undefined value"), "{}", messages[1]);
    }
}

/// `sandbar topics` knows those of routes.
#[test]
fn topics_of_routes_are_created() {
    // The other kind of broker creates topics by itself.
    let Some(broker) = Broker::apache() else { return };
    let names = topics(&broker, 1);
    let route = format!("{}-routed", names[0]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("routed.toml");
    let text = format!(
        "name = \"routed\"\nsource.topics = [\"{}\"]\ndead-letter.topic = \"{}\"\n[[stages]]\n\
         name = \"route\"\ncomponent = \"{}\"\n[sink]\ntopic = \"{}\"\n[[sink.routes]]\n\
         when = \"has(key)\"\ntopic = \"{route}\"\n",
        names[0],
        names[2],
        sandbar_tests::component("route-transformer").display(),
        names[1],
    );
    std::fs::write(&path, text).unwrap();
    let run = |verb: &str| {
        let mut command = sandbar_tests::sandbar();
        command.args(["topics", verb]).arg(&path).args(["--brokers", &broker.address()]);
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let missing = format!("{route} (topic of [[sink.routes]] number 1): missing\n");
    assert!(run("list").contains(&missing), "{}", run("list"));
    let created = run("create");
    assert!(
        created.contains(&format!("{route} (topic of [[sink.routes]] number 1): created\n")),
        "{created}"
    );
}

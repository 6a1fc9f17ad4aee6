//! The flights pipeline against the answers of H2O's own Java runtime, from topic to
//! topic: `models/*/golden-generated.csv` holds them for the generator's first 20,000
//! flights (models/golden.py).

use flight_records::{CLASSIC, Flights};
use sandbar_tests::flights::{assert_golden, golden, pipeline, topics};
use sandbar_tests::{Broker, Runner, Sent, on_each_broker};

fn compare(broker: &Broker, model: &str, tolerance: f64) {
    let expected = golden(model);
    assert_eq!(expected.len(), 20_000);
    let topics = topics(broker);
    let records: Vec<Sent> = Flights::new(1).take(expected.len()).map(Sent::value).collect();
    broker.send(&topics[0], &records);
    let runner = Runner::start(broker, &pipeline(&topics, model, ""));
    let received = broker.receive(&topics[1], expected.len());
    let end = runner.stop().unwrap();
    assert_eq!(end.failed(), 0);
    assert_eq!(received.len(), expected.len());
    let id = format!("{model}@1");
    for (record, golden) in received.iter().zip(&expected) {
        assert_golden(record, golden, tolerance);
        assert_eq!(record.header("sandbar-model"), id);
    }
}

on_each_broker! {
    /// 10 trees of depth 5.
    fn gbm_as_h2o(broker: &Broker) {
        compare(broker, "flights-gbm", 1e-6);
    }

    /// 200-200 rectifier.
    fn deep_learning_as_h2o(broker: &Broker) {
        compare(broker, "flights-dl", 1e-5);
    }

    /// The published behaviour of the classic example, in its own words: about the
    /// flight of 1987 both models agree, about that of 1999 they do not.
    fn the_classic_flights(broker: &Broker) {
        let template = r#"template = "Prediction: Is Airline delayed? => {{ label }}""#;
        for (model, labels) in [("flights-gbm", ["YES", "NO"]), ("flights-dl", ["YES", "YES"])] {
            let topics = topics(broker);
            broker.send(&topics[0], &CLASSIC.map(Sent::value));
            let runner = Runner::start(broker, &pipeline(&topics, model, template));
            let received = broker.receive(&topics[1], 2);
            runner.stop().unwrap();
            let texts: Vec<String> = received.iter().map(|record| record.text()).collect();
            let expected = labels.map(|label| format!("Prediction: Is Airline delayed? => {label}"));
            assert_eq!(texts, expected, "{model}");
        }
    }

    /// The same flights as JSON objects, and what is no flight at all.
    fn flights_as_json_and_garbage(broker: &Broker) {
        let topics = topics(broker);
        let json = r#"{"Year":1987,"Month":10,"DayofMonth":14,"DayOfWeek":3,"CRSDepTime":730,"UniqueCarrier":"PS","Origin":"SAN","Dest":"SFO"}"#;
        let values: [&[u8]; 6] = [CLASSIC[0].as_bytes(), json.as_bytes(), b"garbage", b"{\"Year\":", b"\xff\xfe", b""];
        broker.send(&topics[0], &values.map(Sent::value));
        let runner = Runner::start(broker, &pipeline(&topics, "flights-gbm", ""));
        let good = broker.receive(&topics[1], 2);
        let dead = broker.receive(&topics[2], 4);
        runner.stop().unwrap();
        assert_eq!(good[0].value, good[1].value);
        let codes: Vec<String> = dead.iter().map(|letter| letter.header("sandbar-code")).collect();
        // The third begins as UTF-16 does.
        assert_eq!(codes, ["malformed", "malformed", "unsupported", "missing"]);
    }
}

//! Chains of more than one scorer, from topic to topic: both flights models on the same features,
//! a scorer that reads their predictions, and stages behind predictions.

use std::collections::BTreeMap;
use std::time::Instant;

use flight_records::Flights;
use sandbar::pipeline::rollout::{Mode, RolloutReport, RolloutSpec};
use sandbar::pipeline::swap::SwapSpec;
use sandbar_tests::broker::PATIENCE;
use sandbar_tests::flights::{golden, topics};
use sandbar_tests::{Broker, Received, Runner, Sent, on_each_broker, project};
use serde_json::Value;

const FLIGHTS: usize = 2000;

/// Two models on the features of flights, and more stages. The sink's section comes last, with
/// `sink` in it.
fn ensemble(topics: &[String; 3], delivery: &str, stages: &str, sink: &str) -> String {
    let scorer = |name: &str| {
        format!(
            "[[stages]]\nname = \"{name}\"\ncomponent = \"{{component:tabular-score}}\"\n\
             models = [\"{name}\"]\nconfig = {{ unknown_category = \"missing\" }}\n"
        )
    };
    let [flights, predictions, dead] = topics;
    format!(
        "name = \"{flights}\"\ndelivery = \"{delivery}\"\nsource = {{ topics = [\"{flights}\"] }}\n\
         dead-letter = {{ topic = \"{dead}\" }}\n\
         models = {{ gbm = \"{{project}}/models/flights-gbm\", dl = \"{{project}}/models/flights-dl\" }}\n\
         [[stages]]\nname = \"features\"\ncomponent = \"{{component:flight-features}}\"\n\
         {}{}{stages}\n[sink]\ntopic = \"{predictions}\"\n{sink}",
        scorer("gbm"),
        scorer("dl"),
    )
}

/// A stage that adds up columns.
fn sum(more: &str) -> String {
    format!("[[stages]]\nname = \"sum\"\ncomponent = \"{{component:sum-scorer}}\"\n{more}\n")
}

/// The generator's first flights, each with its number as key.
fn flights() -> Vec<Sent> {
    Flights::new(1).take(FLIGHTS).enumerate().map(|(n, it)| Sent::keyed(n, it)).collect()
}

fn json(record: &Received) -> Value {
    serde_json::from_str(&record.text()).unwrap()
}

/// Whether a prediction is H2O's own.
fn assert_predicted(prediction: &Value, golden: &(String, f64), model: &str) {
    let yes = prediction["probabilities"]["YES"].as_f64().unwrap();
    assert!((yes - golden.1).abs() <= 1e-5, "{prediction}, not {golden:?}");
    assert_eq!((&prediction["label"], &prediction["model"]), (&golden.0[..].into(), &model.into()));
}

/// Both predictions of each flight in one record, in the order of the flights.
fn ensemble_of_flights(broker: &Broker, delivery: &str) {
    let topics = topics(broker);
    let runner = Runner::start(broker, &ensemble(&topics, delivery, "", ""));
    broker.send(&topics[0], &flights());
    broker.send(&topics[0], &[Sent::keyed("none", "no flight")]);
    let received = broker.receive(&topics[1], FLIGHTS);
    let letters = broker.receive(&topics[2], 1);
    let end = runner.stop().unwrap();
    let (gbm, dl) = (golden("flights-gbm"), golden("flights-dl"));
    for (number, record) in received.iter().enumerate() {
        assert_eq!(record.key.as_deref(), Some(number.to_string().as_bytes()));
        assert_eq!(record.header("sandbar-model"), "flights-gbm@1, flights-dl@1");
        let predicted = json(record);
        assert_predicted(&predicted["gbm"], &gbm[number], "flights-gbm@1");
        assert_predicted(&predicted["dl"], &dl[number], "flights-dl@1");
    }
    assert_eq!((letters[0].header("sandbar-stage").as_str(), end.failed()), ("features", 1));
    assert_eq!(end.outputs, FLIGHTS as u64);
}

on_each_broker! {
    fn two_models_of_one_flight(broker: &Broker) {
        ensemble_of_flights(broker, "at-least-once");
    }

    /// The label and the probabilities of both, one of them under another name. A flight for which
    /// the one that reads them fails is one dead letter, whatever was predicted before.
    fn predictions_are_features(broker: &Broker) {
        let topics = topics(broker);
        let stage = sum(
            "from = [\"features\", \"gbm\", \"dl\"]\ncolumns = { risk = \"gbm.probabilities.YES\" }\n\
             config = { of = [\"risk\", \"dl.probabilities.YES\", \"gbm.label\"], fail = \"NO\" }",
        );
        let manifest = ensemble(&topics, "at-least-once", &stage, "from = \"sum\"");
        let runner = Runner::start(broker, &manifest);
        broker.send(&topics[0], &flights());
        let (gbm, dl) = (golden("flights-gbm"), golden("flights-dl"));
        let pairs: Vec<_> = gbm.iter().zip(&dl).take(FLIGHTS).enumerate().collect();
        let late: Vec<_> = pairs.iter().filter(|(_, (gbm, _))| gbm.0 == "YES").collect();
        let received = broker.receive(&topics[1], late.len());
        let letters = broker.receive(&topics[2], FLIGHTS - late.len());
        let end = runner.stop().unwrap();
        for (record, (number, (gbm, dl))) in received.iter().zip(&late) {
            assert_eq!(record.key.as_deref(), Some(number.to_string().as_bytes()));
            // One scorer is written: as it always is.
            let values = &json(record)["values"];
            let sum = values["sum"].as_f64().unwrap();
            assert!((sum - gbm.1 - dl.1).abs() < 2e-5, "{number}: {values}");
            assert_eq!(values["columns"], 3.0);
            assert_eq!(record.header("sandbar-model"), "");
        }
        let stages: Vec<String> = letters.iter().map(|it| it.header("sandbar-stage")).collect();
        assert!(stages.iter().all(|stage| stage == "sum"), "{stages:?}");
        assert_eq!((received.len(), letters.len()), (late.len(), FLIGHTS - late.len()));
        assert_eq!((end.outputs, end.failed()), (late.len() as u64, letters.len() as u64));
    }

    /// A trap in one of several scorers is of the record alone for which it traps.
    fn a_trap_behind_predictions(broker: &Broker) {
        let topics = topics(broker);
        let stage = sum("from = [\"gbm\", \"features\"]\nconfig = { trap = \"SFO\" }");
        let runner = Runner::start(broker, &ensemble(&topics, "at-least-once", &stage, ""));
        let flights: Vec<Sent> = flights().into_iter().take(300).collect();
        let text = |sent: &Sent| String::from_utf8_lossy(sent.value.as_deref().unwrap()).into_owned();
        let traps = |sent: &&Sent| text(sent).split(',').any(|it| it == "SFO");
        let trapping = flights.iter().filter(traps).count();
        assert!(trapping > 0);
        broker.send(&topics[0], &flights);
        let received = broker.receive(&topics[1], flights.len() - trapping);
        let letters = broker.receive(&topics[2], trapping);
        runner.stop().unwrap();
        assert_eq!(received.len(), flights.len() - trapping);
        for letter in &letters {
            let about = (letter.header("sandbar-stage"), letter.header("sandbar-code"));
            assert_eq!((about.0.as_str(), about.1.as_str()), ("sum", "trap"));
        }
        let sum = &json(&received[0])["sum"]["values"];
        // Three columns of the prediction, and those of the flight.
        assert_eq!(sum["columns"], 11.0);
    }

    /// A transformer is given what the sink would write, and sends late flights elsewhere.
    fn a_transformer_behind_predictions(broker: &Broker) {
        let [source, sink, dead] = topics(broker);
        let late = broker.topic("late", 1);
        let template = r#"template = '{% if predictions.gbm.label == "YES" %}route:{{ key }} {{ predictions.dl.label }}{% else %}{{ key }} on time{% endif %}'"#;
        let route = format!(
            "[[stages]]\nname = \"route\"\ncomponent = \"{{component:route-transformer}}\"\n\
             topics = [\"{late}\"]\n"
        );
        let topics = [source, sink, dead];
        let runner = Runner::start(broker, &ensemble(&topics, "at-least-once", &route, template));
        broker.send(&topics[0], &flights());
        let (gbm, dl) = (golden("flights-gbm"), golden("flights-dl"));
        let expected = |label: &str| -> Vec<usize> {
            (0..FLIGHTS).filter(|number| gbm[*number].0 == label).collect()
        };
        let (yes, no) = (expected("YES"), expected("NO"));
        let there = broker.receive(&late, yes.len());
        let here = broker.receive(&topics[1], no.len());
        let end = runner.stop().unwrap();
        for (record, number) in there.iter().zip(&yes) {
            assert_eq!(record.text(), format!("{number} {}", dl[*number].0));
            // The transformer kept the headers that predictions have.
            assert_eq!(record.header("sandbar-model"), "flights-gbm@1, flights-dl@1");
        }
        for (record, number) in here.iter().zip(&no) {
            assert_eq!(record.text(), format!("{number} on time"));
        }
        assert_eq!((end.outputs, end.failed()), (FLIGHTS as u64, 0));
    }

    /// An extractor that reads the predictions of others, and a scorer behind it.
    fn an_extractor_behind_predictions(broker: &Broker) {
        let topics = topics(broker);
        let stages = format!(
            "[[stages]]\nname = \"length\"\nfrom = \"dl\"\ncomponent = \"{{component:echo-extractor}}\"\n{}",
            sum("")
        );
        // The other prediction is not read, which is refused.
        let plan = sandbar_tests::runner::plan(&ensemble(&topics, "at-least-once", &stages, ""), "");
        let error = plan.err().unwrap().to_string();
        assert!(error.contains("stage 'gbm' (number 2, scorer): nothing reads its predictions"), "{error}");
        let stages = stages.replace("from = \"dl\"", "from = [\"gbm\", \"dl\"]");
        let runner = Runner::start(broker, &ensemble(&topics, "at-least-once", &stages, ""));
        broker.send(&topics[0], &flights()[..20]);
        let received = broker.receive(&topics[1], 20);
        runner.stop().unwrap();
        for record in &received {
            let length = json(record)["values"]["sum"].as_f64().unwrap();
            // Labels, probabilities and models of both.
            assert!((190.0..240.0).contains(&length), "{}", record.text());
        }
    }

    /// One of two models in the place of another, beside what serves and then by itself: each
    /// scorer is compared with its own.
    fn one_model_of_two_is_rolled_out(broker: &Broker) {
        let topics = topics(broker);
        let runner = Runner::start(broker, &ensemble(&topics, "at-least-once", "", ""));
        broker.send(&topics[0], &flights()[..1]);
        broker.receive(&topics[1], 1);
        let folder = project().join("models/flights-gbm");
        let change = SwapSpec {
            models: BTreeMap::from([("dl".into(), folder.into())]),
            ..SwapSpec::default()
        };
        let deployment = runner.deployment().clone();
        deployment.start_rollout(&change, &RolloutSpec::new(Mode::Ab)).unwrap();
        broker.send(&topics[0], &flights());
        let received = broker.receive(&topics[1], 1 + 2 * FLIGHTS);
        let report = await_report(|| deployment.rollout().unwrap().report());
        let swap = deployment.promote_rollout(None, "it is better".into()).unwrap();
        assert_eq!(swap.revision.model.as_deref(), Some("flights-gbm@1"));
        broker.send(&topics[0], &flights()[..1]);
        let last = broker.receive(&topics[1], 2 + 2 * FLIGHTS);
        let metrics = runner.stop().unwrap();

        let (gbm, dl) = (golden("flights-gbm"), golden("flights-dl"));
        for (at, record) in received[1..].iter().enumerate() {
            let (number, predicted) = (at / 2, json(record));
            assert_predicted(&predicted["gbm"], &gbm[number], "flights-gbm@1");
            match record.header("sandbar-variant").as_str() {
                "serving" => assert_predicted(&predicted["dl"], &dl[number], "flights-dl@1"),
                _ => assert_predicted(&predicted["dl"], &gbm[number], "flights-gbm@1"),
            }
        }
        assert_predicted(&json(&last[1 + 2 * FLIGHTS])["dl"], &gbm[0], "flights-gbm@1");
        let agreed = gbm.iter().zip(&dl).take(FLIGHTS).filter(|(a, b)| a.0 == b.0).count();
        let share = agreed as f64 / FLIGHTS as f64;
        assert_eq!((report.compared, report.agreement), (FLIGHTS as u64, Some(share)));
        let [changed, same] = ["dl", "gbm"].map(|stage| &report.stages[stage]);
        assert_eq!((changed.agreement, same.agreement), (Some(share), Some(1.0)));
        assert_eq!((same.mean_difference, changed.compared), (Some(0.0), FLIGHTS as u64));
        assert_eq!(changed.candidate, same.serving);
        assert!(report.confusion.is_empty(), "{report:?}");
        assert_eq!(metrics.failed(), 0);
    }
}

/// Waits until both have scored all.
fn await_report(report: impl Fn() -> RolloutReport) -> RolloutReport {
    let end = Instant::now() + PATIENCE;
    loop {
        let report = report();
        if report.compared == FLIGHTS as u64 {
            return report;
        }
        assert!(Instant::now() < end, "{report:?}");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

#[test]
fn two_models_in_transactions() {
    if let Some(broker) = Broker::apache() {
        ensemble_of_flights(&broker, "exactly-once");
    }
}

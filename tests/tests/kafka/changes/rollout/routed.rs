//! A candidate of a pipeline with routes: each side's predictions go where they belong.

use super::*;

on_each_broker! {
    /// Both answer each flight, and each answer goes by what it says, with a key of its own.
    fn both_sides_are_routed(broker: &Broker) {
        let topics = topics(broker);
        let late = broker.topic("late", 1);
        let sink = format!(
            "headers = {{ flight = \"{{{{ key }}}}\" }}\n[[sink.routes]]\n\
             when = 'label == \"YES\"'\ntopic = \"{late}\"\nkey = \"{{{{ label }}}}-{{{{ key }}}}\"\n"
        );
        let runner = Runner::start(broker, &pipeline(&topics, "flights-gbm", &sink));
        let sent: Vec<Sent> = flights().into_iter().take(500).collect();
        broker.send(&topics[0], &sent[..1]);
        runner.await_stats("one is answered", |now| now.outputs == 1);
        runner.deployment().start_rollout(&model("flights-dl"), &RolloutSpec::new(Mode::Ab)).unwrap();
        broker.send(&topics[0], &sent[1..]);

        let golden = ["flights-gbm", "flights-dl"].map(golden);
        let yesses = |answers: &[(String, f64)], from: usize| {
            let flights = answers[..sent.len()].iter().enumerate().skip(from);
            flights.filter(|(_, (label, _))| label == "YES").map(|(number, _)| number).collect()
        };
        let [gbm, dl]: [Vec<usize>; 2] = [yesses(&golden[0], 0), yesses(&golden[1], 1)];
        assert!(gbm.len() > 50 && dl.len() > 50 && gbm != dl);
        let received = broker.receive(&late, gbm.len() + dl.len());
        let others = broker.receive(&topics[1], 2 * sent.len() - 1 - received.len());
        let end = runner.stop().unwrap();
        assert_eq!((end.outputs as usize, end.failed()), (2 * sent.len() - 1, 0));
        let of = |variant: &str| {
            let own = received.iter().filter(|it| it.header("sandbar-variant") == variant);
            own.map(|it| it.header("flight").parse().unwrap()).collect::<Vec<usize>>()
        };
        // The first flight came before there were two.
        let mut serving = of("");
        serving.extend(of("serving"));
        assert_eq!((serving, of("candidate")), (gbm, dl));
        for record in &received {
            let key = format!("YES-{}", record.header("flight"));
            assert_eq!(record.key.as_deref(), Some(key.as_bytes()));
            assert!(record.text().contains("\"label\":\"YES\""));
        }
        for record in &others {
            assert_eq!(record.key.as_deref(), Some(record.header("flight").as_bytes()));
            assert!(record.text().contains("\"label\":\"NO\""));
        }
    }
}

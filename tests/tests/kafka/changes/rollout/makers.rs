//! The model of another maker beside the one that serves: the same question, the same records, the
//! same stages.

use super::*;

/// What a model's own tool says of the rows of its samples, by the line of the record.
fn answers(name: &str) -> BTreeMap<String, (String, f64)> {
    let file = project().join("models").join(name).join("samples.csv");
    let rows = csv::Reader::from_path(file).unwrap().into_records().map(Result::unwrap);
    rows.map(|row| {
        let columns: Vec<&str> = row.iter().take(row.len() - 2).collect();
        let answer = (row[row.len() - 2].to_owned(), row[row.len() - 1].parse().unwrap());
        (columns.join(","), answer)
    })
    .collect()
}

#[test]
fn both_makers_answer_and_the_other_is_promoted() {
    let broker = &Broker::mock();
    let [source, sink, dead] = ["customers", "churn", "dead"].map(|name| broker.topic(name, 1));
    let (h2o, xgboost) = (answers("churn"), answers("churn-xgboost"));
    let shared: Vec<&String> = h2o.keys().filter(|line| xgboost.contains_key(*line)).collect();
    assert!(shared.len() > 5, "{}", shared.len());
    let table = project().join("models/churn/samples.csv");
    let names = csv::Reader::from_path(table).unwrap().headers().unwrap().clone();
    let fields: Vec<&str> = names.iter().take(names.len() - 2).collect();
    let manifest = format!(
        r#"
        name = "{source}"
        [source]
        topics = ["{source}"]
        [models]
        churn = "{{project}}/models/churn"
        [[stages]]
        name = "extract"
        component = "builtin:record-features"
        [stages.config]
        fields = {fields:?}
        [[stages]]
        name = "score"
        component = "builtin:tabular-score"
        models = ["churn"]
        [sink]
        topic = "{sink}"
        [dead-letter]
        topic = "{dead}"
        "#
    );
    let sent: Vec<Sent> =
        shared.iter().map(|line| Sent::keyed(line.as_str(), line.as_str())).collect();
    let runner = Runner::start(broker, &manifest);
    let folder = project().join("models/churn-xgboost");
    let candidate = SwapSpec {
        models: BTreeMap::from([("churn".into(), folder.into())]),
        ..SwapSpec::default()
    };
    let terms = RolloutSpec::new(Mode::Ab);
    broker.send(&source, &sent[..1]);
    broker.receive(&sink, 1);
    let rollout = runner.deployment().start_rollout(&candidate, &terms).unwrap();
    assert_eq!(rollout.candidate.models["churn"], "churn-xgboost@1");
    broker.send(&source, &sent);
    let received = broker.receive(&sink, 1 + 2 * sent.len()).split_off(1);
    runner.deployment().promote_rollout(Some(1), "it is better".into()).unwrap();
    broker.send(&source, &sent);
    let promoted = broker.receive(&sink, 1 + 3 * sent.len()).split_off(1 + 2 * sent.len());
    runner.stop().unwrap();

    for record in received.iter().chain(&promoted) {
        let line = String::from_utf8(record.key.clone().unwrap()).unwrap();
        let due = match record.header("sandbar-model").as_str() {
            "churn@1" => &h2o[&line],
            "churn-xgboost@1" => &xgboost[&line],
            other => panic!("{other}"),
        };
        let prediction: serde_json::Value = serde_json::from_str(&record.text()).unwrap();
        assert_eq!(prediction["label"], *due.0);
        assert_eq!(prediction["probabilities"]["yes"].as_f64(), Some(due.1), "{line}");
    }
    let of = |records: &[Received], model: &str| {
        records.iter().filter(|it| it.header("sandbar-model") == model).count()
    };
    assert_eq!(of(&received, "churn@1"), sent.len());
    assert_eq!(of(&received, "churn-xgboost@1"), sent.len());
    assert_eq!(of(&promoted, "churn-xgboost@1"), sent.len());
}

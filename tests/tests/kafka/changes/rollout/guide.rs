//! The commands of docs/guide/canary-a-model.md.

use super::*;

/// The commands of docs/guide/canary-a-model.md, on a runner in a process of its own.
#[test]
fn the_guide_works() {
    let broker = Broker::mock();
    let topics = topics(&broker);
    broker.make_topic("flight-candidates", 1, &[]);
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("flights.toml");
    let text = pipeline(&topics, "flights-gbm", "");
    let text =
        text.replace("{project}", "..").replace("\"../", &format!("\"{}/", project().display()));
    std::fs::write(&manifest, text).unwrap();
    let mut command = sandbar();
    command.arg("run").arg(&manifest).args(["--brokers", &broker.address()]);
    command.args(["--admin", "127.0.0.1:0", "--admin-token", "secret"]);
    let mut runner = Process::start(&mut command);
    let address = runner.admin_address();
    let guide = std::fs::read_to_string(project().join("docs/guide/canary-a-model.md")).unwrap();
    let guide = guide.replace("\\\n    ", "");
    let ask = |line: &str, token: &str| {
        assert!(guide.contains(&format!("$ sandbar {line}\n")), "the guide has no '{line}'");
        let mut command = sandbar();
        command.args(line.split(' ')).args(["--admin", &address]);
        command.env("SANDBAR_ADMIN_TOKEN", token);
        let output = command.current_dir(project()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    let send = || broker.send(&topics[0], &flights());
    send();
    broker.receive(&topics[1], FLIGHTS);

    let shadow =
        "rollout start --mode shadow --model flights=models/flights-dl --topic flight-candidates";
    let (done, said) = ask(shadow, "wrong");
    assert!(!done && said.contains("send the token"), "{said}");
    let (done, said) = ask(shadow, "secret");
    assert!(done && said.contains("roll-out: shadow, flights-dl@1 since 2"), "{said}");
    assert!(said.contains("recent records: 0 failed, 0 failed before"), "{said}");
    send();
    broker.receive(&topics[1], 2 * FLIGHTS);
    broker.receive("flight-candidates", 1);
    let said = await_that("records are compared", || {
        let (_, said) = ask("rollout status", "");
        said.contains("of labels agree").then_some(said)
    });
    assert!(said.contains("mean difference") && said.contains("but candidate"), "{said}");
    let metrics = get(&address, "/metrics");
    for name in ["active", "records", "labels", "agreement_ratio", "batch_duration_seconds_count"] {
        assert!(
            metrics.contains(&format!("sandbar_rollout_{name}{{pipeline=")),
            "{name}: {metrics}"
        );
    }
    let (done, said) = ask("rollout abort", "secret");
    assert!(done && said.contains("aborted 2") && said.contains("aborted on request"), "{said}");

    let canary = "rollout start --mode canary --weight 10% --model flights=models/flights-dl \
                  --min-rows 300 --max-failure-rate 1% --max-p99 10s --then promote";
    let (done, said) = ask(canary, "secret");
    assert!(done && said.contains("canary of 10% by key, flights-dl@1"), "{said}");
    assert!(
        said.contains(
            "rules from 300 records on: failures at most 1%, p99 at most 10s; then it is promoted"
        ),
        "{said}"
    );
    let (done, said) = ask("swap --model flights=models/flights-gbm", "secret");
    assert!(!done && said.contains("a roll-out is under way (canary of flights-dl@1)"), "{said}");
    send();
    let said = await_that("it is promoted", || {
        let (_, said) = ask("status", "");
        said.contains("last roll-out: canary of 10% by key, flights-dl@1, promoted").then_some(said)
    });
    assert!(said.contains("revision 2 since") && said.contains("kept its rules over"), "{said}");
    broker.receive(&topics[1], 3 * FLIGHTS);

    let (done, said) = ask("rollout start --mode ab --model flights=models/flights-gbm", "secret");
    assert!(done && said.contains("roll-out: ab, flights-gbm@1"), "{said}");
    send();
    let answers = broker.receive(&topics[1], 5 * FLIGHTS);
    assert!(answers.iter().any(|it| it.header("sandbar-variant") == "candidate"));
    let (done, said) = ask("rollout promote", "secret");
    assert!(done && said.contains("promoted\nrevision 3 since"), "{said}");
    let (done, said) = ask("rollback", "secret");
    assert!(done && said.contains("revision 4 since") && said.contains("flights-dl@1"), "{said}");
    let (done, said) = ask("rollout promote", "secret");
    assert!(!done && said.contains("no roll-out is under way"), "{said}");
    let said = runner.stop();
    assert!(
        said.contains("roll-out ended outcome=\"promoted\" reason=\"the candidate kept its rules"),
        "{said}"
    );
    assert!(!said.contains("secret"), "{said}");
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

//! `sandbar dlq` against brokers: what failed is listed, shown and fed in again.

use std::path::{Path, PathBuf};
use std::process::Output;

use sandbar_tests::{Broker, Received, Runner, Sent, component, on_each_broker, sandbar};

/// A pipeline of the guests that do mischief, as a file in a folder and as its text.
struct Pipeline {
    path: PathBuf,
    text: String,
}

impl Pipeline {
    /// `score` is the configuration of its scorer.
    fn new(folder: &Path, [source, sink, dead]: [&str; 3], score: &str) -> Self {
        let text = format!(
            "name = \"{source}\"\nsource = {{ topics = [\"{source}\"] }}\n\
             dead-letter = {{ topic = \"{dead}\" }}\n\
             sink = {{ topic = \"{sink}\", template = \"{{{{ value }}}}\" }}\n\
             [[stages]]\nname = \"extract\"\ncomponent = \"{}\"\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{}\"\nconfig = {{ {score} }}\n",
            component("mischief-extractor").display(),
            component("mischief-scorer").display(),
        );
        let path = folder.join(format!("{source}.toml"));
        std::fs::write(&path, &text).unwrap();
        Pipeline { path, text }
    }

    /// Runs it until so many dead letters are there.
    fn run(&self, broker: &Broker, dead: &str, letters: usize) -> Vec<Received> {
        let runner = Runner::start(broker, &self.text);
        let letters = broker.receive(dead, letters);
        runner.stop().unwrap();
        letters
    }

    fn dlq(&self, broker: &Broker, verb: &str, rest: &[&str]) -> Output {
        let mut command = sandbar();
        command.arg("dlq").arg(verb).arg(&self.path).args(rest);
        command.args(["--brokers", &broker.address()]).output().unwrap()
    }

    /// What a command says that succeeds.
    fn said(&self, broker: &Broker, verb: &str, rest: &[&str]) -> String {
        let output = self.dlq(broker, verb, rest);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command says that fails.
    fn complaint(&self, broker: &Broker, verb: &str, rest: &[&str]) -> String {
        let output = self.dlq(broker, verb, rest);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }
}

fn texts(records: &[Received]) -> Vec<String> {
    records.iter().map(Received::text).collect()
}

on_each_broker! {
    fn hostile_letters_do_nothing_with_a_terminal(broker: &Broker) {
        let folder = tempfile::tempdir().unwrap();
        let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let [source, _, dead] = topics.each_ref().map(String::as_str);
        let pipeline = Pipeline::new(folder.path(), topics.each_ref().map(String::as_str), "");
        let hostile = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{200b}c\rd\nforged: x";
        let fail = Sent {
            headers: vec![(hostile.to_owned(), hostile.as_bytes().to_vec())],
            ..Sent::keyed(hostile, "fail")
        };
        broker.send(source, &[fail, Sent::value("fail"), Sent::value("fail")]);
        let letters = pipeline.run(broker, dead, 3);
        let position = format!("{}/{}", letters[0].partition, letters[0].offset);

        for (verb, rest) in [("list", &[][..]), ("list", &["--json"]), ("show", &[&position])] {
            let said = pipeline.said(broker, verb, rest);
            let harmful = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{200b}".contains(c);
            assert!(!said.contains(harmful), "{verb}: {said:?}");
            assert!(!said.lines().any(|line| line.starts_with("forged")), "{said}");
            // Its reader is gone: there is nothing to complain of.
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let mut command = sandbar();
            command.arg("dlq").arg(verb).arg(&pipeline.path).args(rest);
            let command = command.args(["--brokers", &broker.address()]);
            let child = command.stdout(writer).stderr(std::process::Stdio::piped()).spawn();
            let output = child.unwrap().wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && !said.contains("panicked"), "{said}");
        }
    }
}

on_each_broker! {
    fn dead_letters_are_listed_and_shown(broker: &Broker) {
        let folder = tempfile::tempdir().unwrap();
        let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let [source, _, dead] = topics.each_ref().map(String::as_str);
        let pipeline = Pipeline::new(folder.path(), topics.each_ref().map(String::as_str), "");
        assert_eq!(pipeline.said(broker, "list", &[]), "", "there are none");

        let fail = Sent {
            headers: vec![("trace".to_owned(), b"7".to_vec())],
            timestamp: Some(1_700_000_000_000),
            ..Sent::keyed("k", "fail")
        };
        broker.send(source, &[Sent::value("fine"), fail, Sent::value("trap"), Sent::value("fail")]);
        pipeline.run(broker, dead, 3);

        let list = pipeline.said(broker, "list", &[]);
        let lines: Vec<&str> = list.lines().collect();
        assert_eq!(lines.len(), 5, "{list}");
        let due = format!(
            "0/0  2023-11-14T22:13:20Z  extract  malformed  {source}/0/1  \"the record asked to fail\""
        );
        assert_eq!(lines[0], due);
        assert_eq!(lines[3..], ["2 extract malformed", "1 extract trap"]);

        let trap = pipeline.said(broker, "list", &["--code", "trap", "--json"]);
        let trap: serde_json::Value = serde_json::from_str(&trap).unwrap();
        assert_eq!((&trap["offset"], &trap["from"]["offset"]), (&1.into(), &2.into()));
        assert_eq!(trap["value"], "trap");
        for (filter, count) in [
            (["--stage", "score"], 0),
            (["--topic", source], 3),
            (["--contains", "asked to"], 2),
            (["--since", "1h"], 2),
            (["--limit", "1"], 1),
        ] {
            let found = pipeline.said(broker, "list", &[filter[0], filter[1], "--json"]);
            assert_eq!(found.lines().count(), count, "{filter:?}: {found}");
        }

        let one = pipeline.said(broker, "show", &["0/0"]);
        for line in ["trace: 7", "sandbar-stage: extract", "key: k", "value: fail"] {
            assert!(one.lines().any(|found| found == line), "{line}: {one}");
        }
        assert_eq!(pipeline.said(broker, "show", &["0/1", "--raw"]), "trap");
        let nothing = pipeline.complaint(broker, "show", &["0/99"]);
        assert!(nothing.contains(&format!("topic '{dead}' has no dead letter 0/99")), "{nothing}");
        let wrong = pipeline.complaint(broker, "show", &["7"]);
        assert!(wrong.contains("'7' is not PARTITION/OFFSET"), "{wrong}");
    }

    /// To the topic that they came from, with what they had, and a count.
    fn dead_letters_are_fed_in_again(broker: &Broker) {
        let folder = tempfile::tempdir().unwrap();
        let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let [source, _, dead] = topics.each_ref().map(String::as_str);
        let pipeline = Pipeline::new(folder.path(), topics.each_ref().map(String::as_str), "");
        let fail = Sent {
            headers: vec![("trace".to_owned(), b"7".to_vec())],
            timestamp: Some(1_700_000_000_000),
            ..Sent::keyed("k", "fail")
        };
        broker.send(source, &[fail, Sent::value("trap")]);
        pipeline.run(broker, dead, 2);

        let code = ["--code", "malformed"];
        let dry = pipeline.said(broker, "replay", &[code[0], code[1], "--dry-run"]);
        assert!(dry.ends_with("1 records would be replayed\n"), "{dry}");
        let fed = pipeline.said(broker, "replay", &code);
        assert_eq!(fed, "1 records were replayed\n");
        let again = &broker.receive(source, 3)[2];
        assert_eq!((again.text(), again.key.as_deref()), ("fail".into(), Some(&b"k"[..])));
        assert_eq!(again.timestamp, Some(1_700_000_000_000));
        let headers: Vec<_> = again.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(headers, ["trace", "sandbar-replayed"]);

        // It fails again, and the next time counts on.
        let letters = pipeline.run(broker, dead, 3);
        assert_eq!(letters[2].header("sandbar-replayed"), "1");
        assert_eq!(letters[2].header("sandbar-offset"), "2");
        let fed = pipeline.said(broker, "replay", &["--contains", "asked to fail", "--limit", "9"]);
        assert_eq!(fed, "2 records were replayed\n");
        let counts: Vec<String> =
            broker.receive(source, 5)[3..].iter().map(|it| it.header("sandbar-replayed")).collect();
        assert_eq!(counts, ["1", "2"]);
    }

    /// What failed in one pipeline goes through another, to the topics of that.
    fn dead_letters_go_through_another_pipeline(broker: &Broker) {
        let folder = tempfile::tempdir().unwrap();
        let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        let others = ["unread", "mended", "other-dead"].map(|name| broker.topic(name, 1));
        let names = topics.each_ref().map(String::as_str);
        let broken = Pipeline::new(folder.path(), names, "lie = \"trap\"");
        let mended = Pipeline::new(folder.path(), others.each_ref().map(String::as_str), "");
        broker.send(names[0], &["one", "fail", "two"].map(Sent::value));
        broken.run(broker, names[2], 3);

        let path = mended.path.to_str().unwrap();
        let fed = broken.said(broker, "replay", &["--through", path]);
        assert_eq!(fed, "3 records were replayed\n");
        let outputs = broker.receive(&others[1], 2);
        assert_eq!(texts(&outputs), ["one", "two"]);
        assert!(outputs.iter().all(|output| output.header("sandbar-replayed") == "1"));
        let letters = broker.receive(&others[2], 1);
        assert_eq!(texts(&letters), ["fail"]);
        assert_eq!(letters[0].header("sandbar-topic"), names[0]);
    }
}

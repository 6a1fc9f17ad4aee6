//! Routes, keys and headers of the sink without brokers: what `check` refuses, and what `test` and
//! `run --stdin` show.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use flight_records::CLASSIC;
use sandbar_tests::{component, project, sandbar};

/// A pipeline that predicts flights, with these keys in its `[sink]`.
fn flights(folder: &Path, sink: &str) -> PathBuf {
    let text = std::fs::read_to_string(project().join("pipelines/flights.toml")).unwrap();
    let text = text.replace("\"../", &format!("\"{}/", project().display()));
    let topic = "topic = \"flight-predictions\"\n";
    assert!(text.contains(topic));
    let path = folder.join("flights.toml");
    std::fs::write(&path, text.replace(topic, &format!("{topic}{sink}\n"))).unwrap();
    path
}

/// A pipeline of a transformer alone.
fn records(folder: &Path, sink: &str) -> PathBuf {
    let path = folder.join("records.toml");
    let component = component("route-transformer");
    let text = format!(
        "name = \"records\"\nsource.topics = [\"source\"]\n[[stages]]\nname = \"route\"\n\
         component = \"{}\"\ntopics = [\"there\"]\n[sink]\ntopic = \"kept\"\n{sink}\n",
        component.display()
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check(path: &Path) -> String {
    let output = sandbar().arg("check").arg(path).output().unwrap();
    text(&output.stdout) + &text(&output.stderr)
}

fn run(path: &Path, lines: &str) -> Output {
    let mut command = sandbar();
    command.arg("run").arg(path).args(["--stdin", "--with-topic"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn what_is_wrong_with_a_route_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let route = |when: &str, more: &str| {
        format!("[[sink.routes]]\nwhen = '''{when}'''\ntopic = \"routed\"\n{more}")
    };
    for (sink, expected) in [
        (
            route("label == ", ""),
            "[[sink.routes]] number 1 when: line 1, column 10: expected a value, got the end",
        ),
        (
            route("labl == 'YES'", ""),
            "[[sink.routes]] number 1: when: line 1, column 1: unknown variable 'labl'; did you mean 'label'?",
        ),
        (
            route("label == 'YES' &&\n  probabilities.YESS > 0.5", ""),
            "[[sink.routes]] number 1: when: line 2, column 16: unknown name 'YESS'; did you mean 'YES'?",
        ),
        (
            route("probability", ""),
            "[[sink.routes]] number 1: when: line 1, column 1: a condition is true or false, this is number",
        ),
        (route("probability > label", ""), "'>' does not take number and text"),
        (route("values.x > 1", ""), "unknown variable 'values'"),
        (route("[1, 2].exists(x, x > 1)", ""), "'exists' loops over a list, which is not offered"),
        (route(&"(".repeat(5000), ""), "nested deeper than 64 levels"),
        (
            route("true", "key = \"{{ labl }}\""),
            "[[sink.routes]] number 1 key: the template uses the unknown variable 'labl'",
        ),
        (
            route("true", "key = \"{{ values.x }}\""),
            "[[sink.routes]] number 1: key: the template uses 'values', but the model predicts classes",
        ),
        (
            route("true", "headers = { sandbar-model = \"x\" }"),
            "names that begin with 'sandbar-' are Sandbar's own",
        ),
        (
            route("true", "template = \"x\"\nformat = \"json\""),
            "[[sink.routes]] number 1 format: conflicts with 'template'",
        ),
        (
            route("true", "").replace("routed", "flights"),
            "[[sink.routes]] number 1 topic: 'flights' is also a topic of [source]: the pipeline would read its own output in an endless loop",
        ),
        (
            route("true", "").replace("routed", "flights.dead-letter"),
            "dead letters would mix with predictions",
        ),
        ("match = \"all\"".to_owned(), "[sink] match: only applies with [[sink.routes]]"),
        ("otherwise = \"drop\"".to_owned(), "[sink] otherwise: only applies with [[sink.routes]]"),
        (
            format!("otherwise = \"drop\"\n{}", route("true", "")),
            "[sink] topic: nothing is written there",
        ),
        ("otherwise = \"lose\"".to_owned(), "lose"),
    ] {
        let said = check(&flights(folder.path(), &sink));
        assert!(said.contains(expected) && said.contains("flights.toml"), "{sink}: {said}");
    }
    let said = check(&flights(folder.path(), &route("label == 'YES'", "")));
    assert!(said.contains("→ flight-predictions, routed"), "{said}");
    let said = check(&records(folder.path(), &route("label == 'YES'", "")));
    assert!(said.contains("unknown variable 'label'"), "{said}");
    let said = check(&records(folder.path(), &route("has(key)", "format = \"json\"")));
    assert!(said.contains("the pipeline makes no predictions"), "{said}");
    let said = check(&records(folder.path(), "key = \"{{ label }}\""));
    assert!(
        said.contains("the template uses 'label', but the pipeline makes no predictions"),
        "{said}"
    );
}

#[test]
fn lines_are_routed_as_records_are() {
    let folder = tempfile::tempdir().unwrap();
    let sink =
        "[[sink.routes]]\nwhen = 'label == \"YES\"'\ntopic = \"late\"\ntemplate = \"{{ label }}\"";
    let output = run(&flights(folder.path(), sink), &(CLASSIC.join("\n") + "\n"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (line, flight) in text(&output.stdout).lines().zip(CLASSIC) {
        let late = line == "late\tYES";
        let kept = line.starts_with("flight-predictions\t{\"label\":\"NO\"");
        assert!(late != kept, "{flight}: {line}");
    }
    assert_eq!(text(&output.stdout).lines().count(), CLASSIC.len());
}

#[test]
fn records_are_routed_without_a_prediction() {
    let folder = tempfile::tempdir().unwrap();
    let sink = "match = \"all\"\n[[sink.routes]]\nwhen = 'value.startsWith(\"a\")'\ntopic = \"as\"\n\
                [[sink.routes]]\nwhen = 'value.size() == 2 && offset >= 1'\ntopic = \"twos\"\n\
                key = \"{{ offset }}\"";
    let output = run(&records(folder.path(), sink), "ab\nbb\nac\nxyz\nroute:there\n");
    let mut lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    let expected = ["as\tab", "as\tac", "kept\txyz", "there\tthere", "twos\tac", "twos\tbb"];
    assert_eq!(lines, expected, "{}", text(&output.stderr));
}

#[test]
fn cases_expect_topics_keys_and_headers() {
    let folder = tempfile::tempdir().unwrap();
    let sink = "headers = { probability = \"{{ '%.1f'|format(probability) }}\" }\n[[sink.routes]]\n\
                when = 'label == \"YES\"'\ntopic = \"late\"\nkey = \"{{ headers.carrier }}\"";
    let path = flights(folder.path(), sink);
    let cases = |key: &str| {
        let line = serde_json::to_string(CLASSIC[0]).unwrap();
        format!(
            "[[tests]]\nname = \"routed\"\n[[tests.records]]\nkey = \"7\"\nvalue = {line}\n\
             headers = {{ carrier = \"PS\" }}\n[[tests.expect]]\n[[tests.expect.outputs]]\n\
             topic = \"late\"\nkey = \"{key}\"\nheaders = {{ probability = \"0.6\", carrier = \"PS\" }}\n"
        )
    };
    let test = |key: &str| {
        std::fs::write(folder.path().join("flights.tests.toml"), cases(key)).unwrap();
        let output = sandbar().arg("test").arg(&path).output().unwrap();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let (passed, said) = test("PS");
    assert!(passed, "{said}");
    let (passed, said) = test("7");
    assert!(!passed && said.contains("PS"), "{said}");
}

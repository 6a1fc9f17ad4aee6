//! What verbs print when nobody reads it, when it cannot be written, and when names and
//! descriptions are hostile.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, pipe};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sandbar_tests::http::{Answer, Server};
use sandbar_tests::{component, project, sandbar};

/// Clears a screen, turns the direction of writing, hides a letter, and looks like a line of
/// its own; as C1 too.
const HOSTILE: &str = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{200b}c\rd\nforged";

/// What a terminal would act on, or not show.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn flights() -> String {
    project().join("pipelines/flights.toml").display().to_string()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = sandbar();
    command.args(arguments).current_dir(project()).stdin(Stdio::null());
    command
}

/// Verbs that print, and need no runner.
fn verbs(folder: &Path) -> Vec<Vec<String>> {
    let lines = folder.join("lines");
    fs::write(&lines, "1,2\n".repeat(2000)).unwrap();
    let (lines, flights) = (lines.display().to_string(), flights());
    let extractor = component("mischief-extractor").display().to_string();
    let tests = project().join("operators/flight-features").display().to_string();
    let calls = [
        "--help".to_owned(),
        "help run".to_owned(),
        "--version".to_owned(),
        format!("check {flights} {flights}"),
        format!("check --print {flights}"),
        format!("inspect {extractor} {extractor}"),
        format!("inspect --json {extractor}"),
        "models list".to_owned(),
        "models list --json".to_owned(),
        "models show flights-gbm".to_owned(),
        "models show flights-gbm --json".to_owned(),
        "models verify flights-gbm airports".to_owned(),
        format!("test --list {tests}"),
        format!("test {tests}"),
        format!("bench {extractor} --records {lines} --rounds 1"),
        format!("bench {extractor} --records {lines} --rounds 1 --json"),
    ];
    let split = |call: &String| call.split(' ').map(str::to_owned).collect();
    calls.iter().map(split).collect()
}

fn fine(call: &[String], output: &Output) {
    let said = text(&output.stderr);
    assert!(output.status.success(), "{call:?}: {}: {said}", output.status);
    for word in ["panicked", "Broken pipe", "error:"] {
        assert!(!said.contains(word), "{call:?}: {said}");
    }
}

fn strs(call: &[String]) -> Vec<&str> {
    call.iter().map(String::as_str).collect()
}

#[test]
fn a_reader_that_is_gone_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for call in verbs(folder.path()) {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = command(&strs(&call));
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        fine(&call, &child.wait_with_output().unwrap());
    }
}

#[test]
fn a_reader_may_leave_after_a_line() {
    let folder = tempfile::tempdir().unwrap();
    for call in verbs(folder.path()) {
        let (reader, writer) = pipe().unwrap();
        let mut command = command(&strs(&call));
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        drop(command);
        let mut reader = BufReader::with_capacity(1, reader);
        assert!(reader.read_line(&mut String::new()).unwrap() > 0, "{call:?}");
        drop(reader);
        fine(&call, &child.wait_with_output().unwrap());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for call in verbs(folder.path()) {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = command(&strs(&call));
        let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{call:?}: {said}");
        assert!(said.contains("error: standard output cannot be written"), "{call:?}: {said}");
        assert!(!said.contains("panicked"), "{call:?}: {said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_told_on_standard_error_ends_nothing() {
    for arguments in [&["check", "no/such.toml"][..], &["models", "show", "none"], &["nonsense"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let status = command(arguments).stdout(Stdio::null()).stderr(full).status().unwrap();
        assert!(matches!(status.code(), Some(1 | 2)), "{arguments:?}: {status}");
    }
    // The log has nothing to say that a run depends on.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut check = command(&["--log", "debug", "check", &flights()]);
    assert!(check.stdout(Stdio::null()).stderr(full).status().unwrap().success());
}

#[test]
fn descriptions_do_nothing_with_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("evil");
    fs::create_dir(&model).unwrap();
    let original = fs::read_to_string(project().join("models/airports/model.toml")).unwrap();
    let hostile = serde_json::to_string(HOSTILE).unwrap().replace('\u{9b}', "\\u009b");
    let lines = original.lines().map(|line| {
        let key = line.split(" = ").next().unwrap_or_default();
        match key {
            "description" | "licence" => format!("{key} = {hostile}"),
            _ => line.to_owned(),
        }
    });
    fs::write(model.join("model.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    let models = folder.path().display().to_string();
    let mut seen = 0;
    for call in [&["list"][..], &["list", "--json"], &["show", "evil"], &["show", "evil", "--json"]]
    {
        let call = [&["models", "--models", &models], call].concat();
        let output = command(&call).output().unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(!said.contains(is_harmful), "{call:?}: {said:?}");
        assert!(!said.lines().any(|line| line.starts_with("forged")), "{call:?}: {said}");
        if call.contains(&"--json") {
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let json = json.get(0).cloned().unwrap_or(json);
            assert_eq!(json["licence"], HOSTILE);
        }
        seen += usize::from(said.contains("\\u{1b}[2J") || said.contains("\\u001b[2J"));
    }
    assert_eq!(seen, 4);
}

#[test]
fn names_of_files_do_nothing_with_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(HOSTILE.replace('/', "") + ".toml");
    fs::write(&path, "name = \"\u{9b}\"\n\"\\u001b[2J\" = 1").unwrap();
    for verb in ["check", "inspect", "test", "run"] {
        let output = sandbar().arg(verb).arg(&path).output().unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(!output.status.success());
        assert!(!said.contains(is_harmful), "{verb}: {said:?}");
    }
}

#[test]
fn what_a_server_answers_does_nothing_with_a_terminal() {
    let body = serde_json::json!({ "error": HOSTILE }).to_string();
    for (status, body) in [(400, body), (500, HOSTILE.to_owned()), (200, HOSTILE.to_owned())] {
        let server = Server::start(move |_| Answer { status, ..Answer::body(body.clone()) });
        let address = server.url("");
        let address = address.trim_start_matches("http://").trim_end_matches('/');
        for verb in [&["status"][..], &["rollback"], &["rollout", "status"], &["fleet", "history"]]
        {
            let call = [verb, &["--admin", address]].concat();
            let output = command(&call).output().unwrap();
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(!output.status.success(), "{said}");
            assert!(!said.contains(is_harmful), "{verb:?}: {said:?}");
        }
    }
}

#[test]
fn a_change_is_made_though_nobody_reads_of_it() {
    let answer = serde_json::json!({
        "revision": 2, "since": 0, "models": {}, "components": [], "model": null,
        "samples": 0, "trial": null, "prepared": 0.1, "switched": 0.1,
    });
    let body = answer.to_string();
    let server = Server::start(move |_| Answer::body(body.clone()));
    let address = server.url("");
    let address = address.trim_start_matches("http://").trim_end_matches('/');
    for verb in [&["rollback"][..], &["rollback", "--json"], &["swap", "--model", "a=b@1"]] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let call: Vec<String> =
            [verb, &["--admin", address]].concat().into_iter().map(str::to_owned).collect();
        let mut command = command(&strs(&call));
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        fine(&call, &child.wait_with_output().unwrap());
    }
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn letters_of_all_scripts_are_visible() {
    use sandbar::telemetry::visible;
    for text in
        ["plain 'it' \"x\" \\ ~", "Grüße, e\u{301}té", "日本語 русский עברית हिन्दी 👩", "→ …"]
    {
        assert_eq!(visible::line(text), text);
        assert_eq!(visible::json(text), text);
    }
    assert_eq!(visible::line("a\tb\r\n\u{7f}\u{85}"), "a\\tb\\r\\n\\u{7f}\\u{85}");
    assert_eq!(visible::lines("a\tb\r\n\u{1b}"), "a\tb\\r\n\\u{1b}");
    for c in
        "\u{ad}\u{200b}\u{200f}\u{2028}\u{202e}\u{2066}\u{feff}\u{fe0f}\u{e0041}\u{3164}".chars()
    {
        assert_eq!(visible::line(&c.to_string()), format!("\\u{{{:x}}}", u32::from(c)));
    }
    assert_eq!(visible::json("\"\u{9b}\u{e0041}\""), "\"\\u009b\\udb40\\udc41\"");
}

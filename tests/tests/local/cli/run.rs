//! `sandbar run --stdin` and `--file` as a person at a shell meets them.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use flight_records::{CLASSIC, Flights};
use sandbar_tests::{component, project, sandbar};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `sandbar run` with a pipeline of the project, which needs no brokers.
fn run(pipeline: &str) -> Command {
    let mut command = sandbar();
    command.arg("run").arg(project().join("pipelines").join(pipeline));
    command
}

fn piped(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a command says to `input`.
fn answer(command: &mut Command, input: &[u8]) -> Output {
    let mut child = piped(command);
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The lines of standard error that are JSON.
fn letters(output: &Output) -> Vec<serde_json::Value> {
    let said = text(&output.stderr);
    said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The first 200 flights against H2O's answers.
#[test]
fn a_file_of_flights_as_h2o() {
    let golden = project().join("models/flights-gbm/golden-generated.csv");
    let golden = std::fs::read_to_string(golden).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = Flights::new(1).take(200).collect();
    let path = write(folder.path(), "flights.csv", lines.join("\n") + "\n");
    let output = run("flights.toml").arg("--file").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert_eq!(said.lines().count(), 200);
    for (number, (line, golden)) in said.lines().zip(golden.lines().skip(1)).enumerate() {
        let (label, yes) = golden.split_once(',').unwrap();
        let found: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(found["label"], label, "flight {number}");
        let difference =
            found["probabilities"]["YES"].as_f64().unwrap() - yes.parse::<f64>().unwrap();
        assert!(difference.abs() <= 1e-6, "flight {number}: {difference}");
    }
    let said = text(&output.stderr);
    assert!(said.contains("totals records=200 outputs=200 failed=0 filtered=0"), "{said}");
}

#[test]
fn lines_that_fail_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let long = "y".repeat(1000);
    let first = write(folder.path(), "a.csv", format!("{}\r\ngarbage\n", CLASSIC[0]));
    let second = write(folder.path(), "b.csv", format!("\n{}\n{long}", CLASSIC[1]));
    let mut command = run("flights.toml");
    command.arg("--file").arg(&first).arg("--file").arg(&second);
    // A variable that many have set is not in the way.
    command.env("SANDBAR_BROKERS", "localhost:1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let labels: Vec<String> =
        text(&output.stdout).lines().map(|line| line[..12].to_owned()).collect();
    assert_eq!(labels, [r#"{"label":"YE"#, r#"{"label":"NO"#]);
    let letters = letters(&output);
    let [garbage, empty, cut] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(garbage["stage"], "features");
    assert_eq!(garbage["code"], "malformed");
    assert_eq!(garbage["message"], "expected 31 columns, got 1");
    assert_eq!(garbage["file"], first.to_str().unwrap());
    assert_eq!((&garbage["line"], &garbage["value"]), (&2.into(), &"garbage".into()));
    assert_eq!((&empty["line"], &empty["code"]), (&1.into(), &"missing".into()));
    assert_eq!(cut["file"], second.to_str().unwrap());
    assert_eq!(cut["line"], 3);
    assert_eq!(cut["value"], format!("{}…", &long[..200]));

    let strict = command.arg("--strict").output().unwrap();
    assert_eq!(strict.status.code(), Some(1));
    let said = text(&strict.stderr);
    assert!(said.ends_with("error: 3 of 5 records failed, and --strict is set\n"), "{said}");
    assert_eq!(strict.stdout, output.stdout);
}

#[test]
fn strict_is_content_with_good_records() {
    let output = answer(run("flights.toml").args(["--stdin", "--strict"]), CLASSIC[0].as_bytes());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(answer(run("flights.toml").args(["--stdin", "--strict"]), b"").status.success());
}

/// A line is answered at once, although its batch is not full and the input goes on.
#[test]
fn a_line_does_not_wait_for_the_next() {
    let mut child = piped(run("flights.toml").arg("--stdin"));
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for (flight, label) in CLASSIC.iter().zip(["YES", "NO"]) {
        writeln!(stdin, "{flight}").unwrap();
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(&format!(r#""label":"{label}""#)), "{line}");
    }
    // Half a line is none.
    stdin.write_all(b"1987,10").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(letters(&output)[0]["line"], 3);
    assert_eq!(letters(&output)[0]["file"], "<stdin>");
}

/// `head` takes what it wants of an input without end; nothing is said about it.
#[test]
fn an_output_that_nobody_reads_ends_it_quietly() {
    let mut child = piped(run("flights.toml").arg("--stdin"));
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        // It ends with the command.
        while writeln!(stdin, "{}", CLASSIC[0]).is_ok() {}
    });
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    let end = Instant::now() + Duration::from_secs(30);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < end, "it goes on for nobody");
        std::thread::sleep(Duration::from_millis(20));
    };
    feeder.join().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(status.success(), "{said}");
    assert_eq!(said, "");
}

/// Memory is bounded by what is read ahead, however long the input is.
#[test]
fn an_endless_input_does_not_fill_the_memory() {
    let mut child = piped(run("flights.toml").arg("--stdin"));
    let mut stdin = child.stdin.take().unwrap();
    let reader = std::thread::spawn({
        let mut stdout = child.stdout.take().unwrap();
        move || std::io::copy(&mut stdout, &mut std::io::sink()).unwrap()
    });
    let lines = format!("{}\n", CLASSIC[0]).repeat(1000);
    let resident = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let mut early = 0;
    for round in 0..150 {
        stdin.write_all(lines.as_bytes()).unwrap();
        if round == 30 {
            early = resident();
        }
    }
    let late = resident();
    assert!(late < early + 8 * 1024, "{early} KB after 30,000 records, {late} KB after 150,000");
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert!(reader.join().unwrap() > 150_000 * 50);
}

#[test]
fn files_are_records_where_they_are_whole() {
    let folder = project().join("models/digits/samples");
    let mut samples: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.sort();
    samples.truncate(20);
    let garbage = tempfile::tempdir().unwrap();
    let garbage = write(garbage.path(), "not\nan image", "nothing");
    let mut command = run("images.toml");
    let output = command.args(["--whole", "--file"]).args(&samples).arg(&garbage).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert_eq!(said.lines().count(), samples.len());
    let right = said.lines().zip(&samples).filter(|(line, sample)| {
        let digit = sample.file_stem().unwrap().to_str().unwrap().rsplit('-').next().unwrap();
        line.contains(&format!(r#""label":"{digit}""#))
    });
    assert!(right.count() >= 18, "{said}");
    let letters = letters(&output);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["file"], garbage.to_str().unwrap());
    assert_eq!((letters[0].get("line"), &letters[0]["value"]), (None, &"nothing".into()));
}

#[test]
fn routed_records_say_their_topic_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let component = component("route-transformer");
    let manifest = format!(
        "name = \"routes\"\nsource = {{ topics = [\"in\"] }}\nsink = {{ topic = \"out\" }}\n\
         [[stages]]\nname = \"route\"\ncomponent = \"{}\"\ntopics = [\"there\"]\n",
        component.display()
    );
    let manifest = write(folder.path(), "routes.toml", manifest);
    let input = b"plain\ndrop it\ntwice\nroute:away\ntrap\nlast\n";
    let mut command = sandbar();
    command.arg("run").arg(manifest).arg("--stdin");
    let output = answer(&mut command, input);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["away", "last", "plain", "twice", "twice"]);
    assert_eq!(letters(&output)[0]["code"], "trap");
    assert!(text(&output.stderr).contains("totals records=6 outputs=5 failed=1 filtered=1"));
    let output = answer(command.arg("--with-topic"), input);
    let mut lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["out\tlast", "out\tplain", "out\ttwice", "out\ttwice", "there\taway"]);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let refused = |arguments: &[&str], expected: &str| {
        let output = run("flights.toml").args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    };
    refused(&["--stdin", "--brokers", "localhost:1"], "cannot be used with");
    refused(&["--file", "x", "--brokers", "localhost:1"], "cannot be used with");
    refused(&["--file", "x", "--stdin"], "cannot be used with");
    refused(&["--stdin", "--whole"], "cannot be used with");
    refused(&["--strict"], "--stdin");
    refused(&["--file", "no/such/file"], "error: no/such/file: cannot be read: No such file");
    let folder = project();
    let folder = folder.to_str().unwrap();
    refused(&["--file", folder], "is a folder; name the files in it");
}

//! `sandbar test` as a person and as a build server sees it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};
use std::process::Output;

use proptest::prelude::*;
use sandbar::cases::{Finder, Runner, Verdict};
use sandbar_tests::runner::sandbox;
use sandbar_tests::{component, project, sandbar};
use tempfile::TempDir;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with case files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, in which `{component:NAME}` is a component and `{project}` the
    /// project's folder.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let mut text = text.replace("{project}", project().to_str().unwrap());
        while let Some((before, rest)) = text.split_once("{component:") {
            let (name, after) = rest.split_once('}').unwrap();
            text = format!("{before}{}{after}", component(name).display());
        }
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `sandbar test` in the folder.
    fn test(&self, arguments: &[&str]) -> Run {
        let output =
            sandbar().current_dir(self.0.path()).arg("test").args(arguments).output().unwrap();
        Run::of(&output)
    }
}

/// What a run said, without times and memory.
struct Run {
    status: Option<i32>,
    said: String,
    errors: String,
}

impl Run {
    fn of(output: &Output) -> Self {
        // What cases cost has its own line, and the total time stands behind the totals.
        let costs = |line: &&str| !line.contains(" B a record");
        let said = text(&output.stdout);
        let lines: Vec<&str> = said.lines().filter(costs).collect();
        let said = lines.join("\n");
        let said = match said.rsplit_once(" (") {
            Some((before, time)) if time.ends_with("s)") => before.to_owned(),
            _ => said,
        };
        Run { status: output.status.code(), said, errors: text(&output.stderr) }
    }

    #[track_caller]
    fn expect(&self, status: i32, said: &str) {
        assert_eq!(self.status, Some(status), "{}\n{}", self.said, self.errors);
        assert_eq!(self.said, said, "\n{}\n{}", self.said, self.errors);
    }
}

const ECHO: &str = "component = \"{component:echo-extractor}\"\n";
const ROUTE: &str = "component = \"{component:route-transformer}\"\n";
const MISCHIEF: &str = "component = \"{component:mischief-extractor}\"\n";

/// A pipeline of a transformer, an extractor and a scorer.
const PIPELINE: &str = r#"
name = "p"
source = { topics = ["a", "b"] }
sink = { topic = "out" }
[[stages]]
name = "route"
component = "{component:route-transformer}"
topics = ["side"]
[[stages]]
name = "extract"
component = "{component:echo-extractor}"
[[stages]]
name = "score"
component = "{component:constant-scorer}"
config = { value = 1.5 }
"#;

#[test]
fn the_cases_of_the_repository_pass() {
    let paths = [
        "operators/flight-features",
        "operators/h2o-score",
        "operators/header-router",
        "operators/image-features",
        "operators/lookup-enricher",
        "operators/nn-score",
        "pipelines",
    ];
    let output = sandbar().current_dir(project()).arg("test").args(paths).output().unwrap();
    let run = Run::of(&output);
    assert_eq!(run.status, Some(0), "{}\n{}", run.said, run.errors);
    let totals = run.said.lines().last().unwrap();
    assert!(totals.ends_with(" passed"), "{totals}");
    let mut list =
        sandbar().current_dir(project()).args(["test", "--list"]).args(paths).output().unwrap();
    list.stdout.retain(|byte| *byte == b'\n');
    assert_eq!(totals, format!("{} passed", list.stdout.len()));
}

#[test]
fn a_difference_is_shown_with_what_is_around_it() {
    let folder = Folder::new();
    folder.write(
        "tests/words.toml",
        &format!(
            "{MISCHIEF}{}",
            r#"
[[tests]]
name = "short ones"
records = [{ value = "a\nb" }, { value = "fail" }, { value = "" }, { value = { null = true } }]
[[tests.expect]]
features = { length = 3, text = "a\nc" }
[[tests.expect]]
features.length = 4
[[tests.expect]]
features = { length = 0, text = { missing = true }, other = 1 }
[[tests.expect]]
failure = { code = "missing" }
"#
        ),
    );
    folder.test(&[]).expect(
        1,
        r#"tests/words.toml
  FAILED  short ones
    record 1, "a\nb", expected at tests/words.toml:6:
        features.length = 3
        features.text = "a"
      - features.text | "c"
      + features.text | "b"
    record 2, "fail", expected at tests/words.toml:8:
      - features.length = 4
      + failure.code = "malformed"
      + failure.message = "the record asked to fail"
    record 3, "", expected at tests/words.toml:10:
        features.length = 0
        features.text.missing = true
      - features.other = 1
    record 4, a tombstone, expected at tests/words.toml:12:
      - failure.code = "missing"
      + features.length = 0
      + features.text.missing = true
0 passed, 1 failed"#,
    );
}

#[test]
fn records_leave_a_transformer_in_every_way() {
    let folder = Folder::new();
    folder.write(
        "route.toml",
        &format!(
            "{ROUTE}{}",
            r#"
[[tests]]
name = "ways"
topics = ["side"]
records = [
    { value = "drop" },
    { value = "twice" },
    { value = "route:x", key = "k", timestamp = 7 },
    { value = "header", headers = { a = ["1", { null = true }], b = { base64 = "/w==" } } },
    { value = "fail" },
    { value = "trap" },
    { json = { a = 1, list = [{ b = 0.5, c = "x" }] } },
    { value = { null = true } },
]
expect = [
    { outputs = [] },
    { outputs = [{ value = "twice", topic = "output" }, { contains = "wic" }] },
    { outputs = [{ topic = "side", key = "k", value = "x", timestamp = 7 }] },
    { outputs = [{ headers = { a = ["1", { null = true }], b = { base64 = "/w==" }, route-transformer = "was here", gone = [] } }] },
    { failure = { code = "invalid", contains = "asked to" } },
    { failure = { code = "trap", contains = "asked for a trap" } },
    { outputs = [{ json = { list = [{ b = 0.49 }] } }] },
    { outputs = [{ value = { null = true }, key = { null = true } }] },
]
tolerance = 0.02
"#
        ),
    );
    folder.test(&["route.toml"]).expect(0, "route.toml\n  ok      ways\n1 passed");
}

#[test]
fn json_is_compared_by_what_is_written_or_exactly() {
    let folder = Folder::new();
    folder.write(
        "route.toml",
        &format!(
            "{ROUTE}{}",
            r#"
[[tests]]
name = "json"
records = [{ value = '{"a":1,"b":{"c":[1,2],"d":null}}' }, { value = "no json" }, { value = '{"a":18446744073709551615}' }]
[[tests.expect]]
outputs = [{ json = { a = 1, b = { c = [1, 3] } }, exact = true }]
[[tests.expect]]
outputs = [{ json = { a = 1 } }, { contains = "x" }]
[[tests.expect]]
outputs = [{ json = { a = 1 } }]
[[tests]]
name = "the same without what TOML cannot say"
records = [{ json = { a = 1, b = { c = [1, 2], d = [] } } }]
[[tests.expect]]
outputs = [{ json = { a = 1, b = { c = [1, 3] } }, exact = true }]
"#
        ),
    );
    folder.test(&["route.toml"]).expect(
        1,
        r#"route.toml
  FAILED  json
    record 1, "{\"a\":1,\"b\":{\"c\":[1,2],\"d\":null}}", expected at route.toml:6:
      - outputs[0].json.a = 1
      - outputs[0].json.b.c[0] = 1
      - outputs[0].json.b.c[1] = 3
      - outputs[0].exact = true
      + outputs[0].value = '{"a":1,"b":{"c":[1,2],"d":null}}'
    record 2, "no json", expected at route.toml:8:
      - outputs[0].json.a = 1
      - outputs[1].contains = "x"
      + outputs[0].value = "no json"
    record 3, "{\"a\":18446744073709551615}", expected at route.toml:10:
      - outputs[0].json.a = 1
      + outputs[0].value = '{"a":18446744073709551615}'
  FAILED  the same without what TOML cannot say
    record 1, "{\"a\":1,\"b\":{\"c\":[1,2],\"d\":[]}}", expected at route.toml:15:
        outputs[0].json.a = 1
        outputs[0].json.b.c[0] = 1
      - outputs[0].json.b.c[1] = 3
      + outputs[0].json.b.c[1] = 2
      + outputs[0].json.b.d = []
        outputs[0].exact = true
0 passed, 2 failed"#,
    );
}

#[test]
fn limits_are_those_of_the_case() {
    let folder = Folder::new();
    folder.write(
        "limits.toml",
        &format!(
            "{MISCHIEF}{}",
            r#"
[[tests]]
name = "time and memory"
limits = { deadline = "100ms", memory = "16 MiB" }
records = [{ value = "loop" }, { value = "allocate" }, { value = "exit" }, { value = "x" }]
[[tests.expect]]
failure = { code = "deadline", message = "no result within 100ms" }
[[tests.expect]]
failure = { code = "memory" }
[[tests.expect]]
failure = { code = "trap", contains = "exited with status 0" }
[[tests.expect]]
features.length = 1
[[tests]]
name = "what breaks the contract"
config = { lie = "configure-error" }
refused = { message = "this operator refuses everything" }
[[tests]]
name = "traps at once"
config = { lie = "configure-trap" }
refused = { contains = "asked for a trap" }
"#
        ),
    );
    let run = folder.test(&["limits.toml"]);
    assert!(run.said.ends_with("\n3 passed"), "{}\n{}", run.said, run.errors);
    assert_eq!(run.status, Some(0));
}

#[test]
fn memory_that_an_operator_keeps_is_told() {
    let folder = Folder::new();
    let big = "x".repeat(3 << 20);
    folder.write("big.txt", &big);
    folder.write(
        "big.toml",
        &format!(
            "{ECHO}[[tests]]\nname = \"big\"\nrecords = [{{ file = \"big.txt\" }}]\n\
             [[tests.expect]]\nfeatures.length = {}\n",
            big.len()
        ),
    );
    let mut finder = Finder::default();
    finder.add(&folder.path("big.toml")).unwrap();
    let suite = &finder.suites[0];
    let report = Runner::new(sandbox()).run(suite, &suite.tests[0]);
    assert!(matches!(report.verdict, Verdict::Passed), "{:?}", report.verdict);
    let [(name, usage)] = report.usage.as_slice() else { panic!("{:?}", report.usage) };
    assert_eq!((&**name, usage.calls, usage.records), ("echo-extractor", 1, 1));
    assert!(usage.grown >= big.len() as u64 && usage.memory > usage.grown, "{usage:?}");
    assert!(report.cost().contains(&format!("{:+} B a record", usage.grown)), "{}", report.cost());
}

#[test]
fn a_pipeline_is_tested_with_stages_and_models_of_the_case() {
    let folder = Folder::new();
    folder.write("p.toml", PIPELINE);
    folder.write(
        "p.tests.toml",
        r#"
[[tests]]
name = "records of several partitions"
records = [
    { value = "x", partition = 1 },
    { value = "route:y", topic = "b", key = "1" },
    { value = "drop" },
    { value = "fail", partition = 1 },
    { value = "z", topic = "b", key = "2" },
]
[[tests.expect]]
outputs = [{ topic = "out", json = { values = { x = 1.5 } } }]
[[tests.expect]]
outputs = [{ topic = "side", key = "1", value = "y" }]
[[tests.expect]]
outputs = []
[[tests.expect]]
outputs = []
failure = { stage = "route", code = "invalid" }
[[tests.expect]]
outputs = [{ key = "2" }]
[[tests]]
name = "another configuration"
stages.score = { config = { value = 2 }, limits = { memory = "8 MiB" } }
records = [{ value = "x" }]
[[tests.expect]]
outputs = [{ json = { values = { x = 2 }, model = "none" }, exact = true }]
[[tests]]
name = "one that is refused"
stages.score.config = { valu = 2 }
refused = { contains = "stage 'score': the operator refuses its configuration" }
[[tests]]
name = "a failure that nobody expects"
records = [{ value = "fail" }]
[[tests.expect]]
"#,
    );
    let said = r#"p.tests.toml
  ok      records of several partitions
  ok      another configuration
  ok      one that is refused
  FAILED  a failure that nobody expects
    record 1, "fail", expected at p.tests.toml:35:
      + failure.stage = "route"
      + failure.code = "invalid"
      + failure.message = "the record asked to fail"
3 passed, 1 failed"#;
    // By its manifest, by its cases, by its folder.
    folder.test(&["p.toml"]).expect(1, said);
    folder.test(&["p.tests.toml", "p.toml"]).expect(1, said);
    folder.test(&["."]).expect(1, said);
}

#[test]
fn cases_in_a_manifest_are_looked_at_by_every_verb() {
    let folder = Folder::new();
    let case = "[[tests]]\nname = \"t\"\nrecords = [{ value = \"x\" }]\n[[tests.expect]]\noutputs = [{ topic = \"out\" }]\n";
    folder.write("p.toml", &format!("{PIPELINE}{case}"));
    folder.test(&["p.toml"]).expect(0, "p.toml\n  ok      t\n1 passed");
    let check = || {
        let output = sandbar().current_dir(folder.0.path()).args(["check", "p.toml"]).output();
        let output = output.unwrap();
        (output.status.success(), text(&output.stderr))
    };
    assert!(check().0);
    folder.write("p.toml", &format!("{PIPELINE}{}", case.replace("topic =", "topc =")));
    let (success, error) = check();
    assert!(!success);
    assert!(
        error.starts_with("p.toml:20: [[tests]] 't' expect[0].outputs[0]: unknown key 'topc'; did you mean 'topic'?"),
        "{error}"
    );
}

#[test]
fn what_came_is_written_over_what_was_expected() {
    let folder = Folder::new();
    let before = format!(
        "{MISCHIEF}{}",
        r#"
# These are mine.
[[tests]]
name = "kept"   # as it is
records = [ { value = "ab" }, { value = "fail" }, { value = "abc" }, { value = "abcd" } ]
tolerance = 0.5

[[tests.expect]]
features = { length = 2.25, text = "xy" } # the text is wrong
[[tests.expect]]   # this too
features.length = 7
[[tests.expect]]
features = { length = 3 }

[[tests]]
name = "too many"
records = [ { value = "ab" } ]
expect = [ { features = { length = 1 } }, { features = { length = 1 } } ]
"#
    );
    folder.write("cases.toml", &before);
    let before = folder.read("cases.toml");
    folder.test(&["cases.toml", "--bless"]).expect(
        0,
        r#"cases.toml
  blessed kept
  blessed too many
cases.toml now:
  @@ -7,13 +7,16 @@
    tolerance = 0.5
    
    [[tests.expect]]
  - features = { length = 2.25, text = "xy" } # the text is wrong
  + features = { length = 2.25, text = "ab" } # the text is wrong
    [[tests.expect]]   # this too
  - features.length = 7
  + failure = { code = "malformed", message = "the record asked to fail" }
    [[tests.expect]]
    features = { length = 3 }
    
  + [[tests.expect]]
  + features = { length = 4, text = "abcd" }
  + 
    [[tests]]
    name = "too many"
    records = [ { value = "ab" } ]
  - expect = [ { features = { length = 1 } }, { features = { length = 1 } } ]
  + expect = [ { features = { length = 2 } }]
0 passed, 2 blessed"#,
    );
    let after = folder.read("cases.toml");
    assert_ne!(before, after);
    let said = "cases.toml\n  ok      kept\n  ok      too many\n2 passed";
    folder.test(&["cases.toml"]).expect(0, said);
    // What passes is left alone.
    folder.test(&["cases.toml", "--bless"]).expect(0, said);
    assert_eq!(folder.read("cases.toml"), after);
}

#[test]
fn expectations_may_have_a_file_of_their_own() {
    let folder = Folder::new();
    folder.write("in.csv", "a,b\r\n\nc\n");
    folder.write(
        "a.toml",
        &format!("{MISCHIEF}[[tests]]\nname = \"lines\"\nlines = \"in.csv\"\nexpect-lines = \"out.jsonl\"\n"),
    );
    let case = folder.read("a.toml");
    let run = folder.test(&["a.toml"]);
    assert_eq!(run.status, Some(1));
    assert!(run.said.contains("record 3, \"c\":"), "{}", run.said);
    folder.test(&["a.toml", "--bless"]).expect(
        0,
        r#"a.toml
  blessed lines
out.jsonl now:
  @@ -0,0 +1,3 @@
  + {"features":{"length":3,"text":"a,b"}}
  + {"features":{"length":0,"text":{"missing":true}}}
  + {"features":{"length":1,"text":"c"}}
0 passed, 1 blessed"#,
    );
    assert_eq!(folder.read("a.toml"), case);
    folder.test(&["a.toml"]).expect(0, "a.toml\n  ok      lines\n1 passed");

    folder.write(
        "out.jsonl",
        "{ \"features\": { \"length\": 3 } }\n{\"features\":{\"length\":1}}\n{}\n{}\n",
    );
    folder.test(&["a.toml", "--bless"]).expect(
        0,
        r#"a.toml
  blessed lines
out.jsonl now:
  @@ -1,4 +1,3 @@
    { "features": { "length": 3 } }
  - {"features":{"length":1}}
  - {}
  + {"features":{"length":0}}
    {}
0 passed, 1 blessed"#,
    );
    folder.write("out.jsonl", "{\"features\":{\"length\":4}}\n{}\n{}\n");
    folder.test(&["a.toml"]).expect(
        1,
        r#"a.toml
  FAILED  lines
    record 1, "a,b", expected at out.jsonl:1:
      - features.length = 4
      + features.length = 3
0 passed, 1 failed"#,
    );
    for (line, expected) in [
        (
            "{\"featurs\":{}}",
            "out.jsonl:2: this is not what is expected of a record: unknown field `featurs`",
        ),
        ("{\"features\":{\"length\":null}}", "out.jsonl:2: this is not"),
        ("[", "out.jsonl:2: this is not"),
    ] {
        folder.write("out.jsonl", &format!("{{}}\n{line}\n"));
        let run = folder.test(&["a.toml"]);
        assert_eq!(run.status, Some(2), "{}", run.said);
        assert!(run.errors.contains(expected), "{}", run.errors);
    }
}

#[test]
fn time_and_chance_are_those_of_the_case() {
    let folder = Folder::new();
    folder.write(
        "a.toml",
        &format!(
            "{MISCHIEF}{}",
            r#"
[[tests]]
name = "time stands where the case says"
grants = ["clock"]
time = 1_700_000_000_123
records = [{ value = "clock", timestamp = 5 }]
expect = [{ features = { text = "1700000000123" } }]
[[tests]]
name = "or where the records say"
time = 1_700_000_000_123
records = [{ value = "clock", timestamp = 5 }, { value = "clock", timestamp = 7 }]
expect = [{ features = { text = "7" } }, { features = { text = "7" } }]
[[tests]]
name = "chance is the same every time"
records = [{ value = "random" }]
[[tests]]
name = "chance is the same every time, again"
records = [{ value = "random" }]
"#
        ),
    );
    let run = folder.test(&["a.toml"]);
    assert!(run.said.contains("  ok      time stands where the case says\n"), "{}", run.said);
    assert!(run.said.contains("  ok      or where the records say\n"), "{}", run.said);
    let random: Vec<&str> =
        run.said.lines().filter(|line| line.contains("+ features.text = ")).collect();
    assert_eq!(random.len(), 2, "{}", run.said);
    assert_eq!(random[0], random[1]);
}

#[test]
fn what_cannot_be_written_down_stays_a_failure() {
    let folder = Folder::new();
    let text = format!(
        "{ECHO}[[tests]]\nname = \"refuses\"\nrefused = {{ contains = \"no\" }}\n\
         [[tests]]\nname = \"no model\"\nmodels = {{ m = \"nowhere\" }}\nrecords = [{{ value = \"x\" }}]\n"
    );
    folder.write("a.toml", &text);
    let before = folder.read("a.toml");
    let run = folder.test(&["a.toml", "--bless"]);
    assert_eq!(run.status, Some(1));
    for said in
        ["(it was not refused)", "model 'm': nowhere/model.toml: ", "1 failed, 1 could not run"]
    {
        assert!(run.said.contains(said), "{said}: {}", run.said);
    }
    assert_eq!(folder.read("a.toml"), before);
}

#[test]
fn build_servers_get_their_xml() {
    let folder = Folder::new();
    folder.write(
        "a.toml",
        &format!(
            "{ECHO}{}",
            r#"
[[tests]]
name = "good <&>"
records = [{ value = "x" }]
expect = [{ features.length = 1 }]
[[tests]]
name = "bad"
records = [{ value = "x" }]
expect = [{ features.length = 2 }]
[[tests]]
name = "broken"
models = { m = "nowhere" }
records = [{ value = "x" }]
"#
        ),
    );
    folder.write("b.toml", "[[tests]]\nnam = 1\n");
    let run = folder.test(&["a.toml", "b.toml", "--junit", "out.xml"]);
    assert_eq!(run.status, Some(2), "{}", run.errors);
    let xml = folder.read("out.xml");
    for part in [
        r#"<testsuites name="sandbar test" tests="4" skipped="0" failures="1" errors="2">"#,
        r#"<testsuite name="a.toml" tests="3" skipped="0" errors="1" failures="1""#,
        r#"<testcase name="good &lt;&amp;&gt;" classname="a.toml""#,
        r#"<property name="echo-extractor.records" value="1"/>"#,
        r#"<property name="echo-extractor.grown-bytes" value="0"/>"#,
        "record 1, &quot;x&quot;, expected at a.toml:10:\n  - features.length = 2\n  + features.length = 1",
        r#"<error message="model &apos;m&apos;: nowhere/model.toml"#,
        r#"<testsuite name="b.toml" tests="1" skipped="0" errors="1" failures="0""#,
        "unknown key &apos;nam&apos;; did you mean &apos;name&apos;?",
    ] {
        assert!(xml.contains(part), "{part}\n{xml}");
    }
}

#[test]
fn cases_are_chosen_and_listed() {
    let folder = Folder::new();
    let test = |name: &str| {
        format!("[[tests]]\nname = \"{name}\"\nrecords = [{{ value = \"x\" }}]\nexpect = [{{}}]\n")
    };
    folder.write("tests/one.toml", &format!("{ECHO}{}{}", test("red"), test("blue")));
    folder.write("tests/two.toml", &format!("{ECHO}{}", test("green")));
    folder.write("Cargo.toml", "[package]\nname = \"x\"\n");
    let all = "tests/one.toml: red\ntests/one.toml: blue\ntests/two.toml: green";
    folder.test(&["--list"]).expect(0, all);
    folder.test(&["--list", "--filter", "two"]).expect(0, "tests/two.toml: green");
    folder
        .test(&["--filter", "blue"])
        .expect(0, "tests/one.toml\n  ok      blue\n1 passed, 2 left out by --filter");
    folder.test(&["--filter", "pink"]).expect(0, "0 passed, 3 left out by --filter");
}

#[test]
fn an_operators_folder_says_what_its_cases_are_of() {
    let folder = Folder::new();
    let case = "[[tests]]\nname = \"t\"\nrecords = [{ value = \"xx\" }]\nexpect = [{ features.length = 2 }]\n";
    folder.write("words/tests/a.toml", case);
    let run = folder.test(&["words"]);
    assert_eq!(run.status, Some(2));
    assert!(run.errors.contains("words/tests/a.toml: nothing says what these cases are of"));

    folder.write(
        "words/operator.toml",
        "name = \"words\"\ncomponent = \"{component:echo-extractor}\"\n[limits]\nmemory = \"8 MiB\"\n",
    );
    let said = "words/tests/a.toml\n  ok      t\n1 passed";
    folder.test(&["words"]).expect(0, said);
    folder.test(&["words/tests/a.toml"]).expect(0, said);
    folder.test(&["words", "words/tests/a.toml"]).expect(0, said);

    // A component on the command line goes before that of the folder.
    let other = component("mischief-extractor");
    let other = other.to_str().unwrap();
    folder.test(&[other, "words/tests/a.toml"]).expect(0, said);
    let run = folder.test(&[other]);
    assert_eq!(run.status, Some(2));
    assert!(run.errors.contains("no cases are named behind this component"), "{}", run.errors);

    folder.write("words/operator.toml", "name = \"words\"\ncomponent = \"words.wasm\"\n");
    let run = folder.test(&["words"]);
    assert_eq!(run.status, Some(1));
    assert!(run.said.contains("words/words.wasm: No such file"), "{}", run.said);
}

#[test]
fn stand_ins_are_checked_against_what_they_stand_for() {
    let folder = Folder::new();
    let case = |models: &str| {
        format!(
            "component = \"{{component:nn-score}}\"\n[[tests]]\nname = \"t\"\nmodels = {{ m = {models} }}\n\
             features = [{{ name = \"t\", type = \"fp32\", shape = [1, 8, 8] }}]\nrows = [{{ t = {{ fill = 0 }} }}]\nexpect = [{{}}]\n"
        )
    };
    let digits = "folder = \"{project}/models/digits\"";
    for (models, status, expected) in [
        (
            format!(
                "{{ {digits}, outputs = {{ probabilities = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] }} }}"
            ),
            0,
            "1 passed",
        ),
        (
            format!("{{ {digits}, output = [1, 0] }}"),
            1,
            "output 'probabilities' has 10 elements for each row, the answer 2",
        ),
        (
            format!("{{ {digits}, outputs = {{ logits = [1] }} }}"),
            1,
            "has no output 'logits', but: probabilities",
        ),
        (format!("{{ {digits}, text = \"x\" }}"), 1, "this is no answer of a model of kind onnx"),
        (format!("{{ {digits}, fails = \"gone\" }}"), 1, "model 'digits@1': gone"),
        ("{ folder = \"nowhere\", output = [1] }".into(), 1, "nowhere/model.toml"),
        ("{ output = [1], fails = \"x\" }".into(), 2, "more than one answer"),
        ("{ labels = [\"a\"] }".into(), 2, "this says no answer"),
        ("{ output = [] }".into(), 2, "an answer without numbers"),
        (
            "{ output = \"x\" }".into(),
            2,
            "a.toml:4: [[tests]] 't' models.m: invalid type: string \"x\", expected a list",
        ),
        (
            "{ outptu = [1] }".into(),
            2,
            "a.toml:4: [[tests]] 't' models.m: unknown key 'outptu'; did you mean 'output'?",
        ),
        ("7".into(), 2, "expected a model's folder, or a table with a fixed answer"),
    ] {
        folder.write("a.toml", &case(&models));
        let run = folder.test(&["a.toml"]);
        assert_eq!(run.status, Some(status), "{models}: {}\n{}", run.said, run.errors);
        let said = run.said + &run.errors;
        assert!(said.contains(expected), "{models}: {expected}\n{said}");
    }
}

/// Case files that say what is not allowed, of an operator, and the error.
const WRONG: [(&str, &str); 24] = [
    ("[[tests]]\nrecords = []", "a.toml:2: [[tests]] number 1: the key 'name' is missing"),
    ("[[tests]]\nname = \" \"\nrecords = [{ value = \"x\" }]", "say what the test shows"),
    ("[[tests]]\nname = \"t\"", "[[tests]] 't': nothing goes in"),
    ("[[test]]\nname = \"t\"", "unknown key 'test'; did you mean 'tests'?"),
    ("", "a.toml: there are no cases in it"),
    ("[[tests]\n", "this is not TOML"),
    ("pipeline = \"p.toml\"\n[[tests]]\nname = \"t\"", "it names a component and a pipeline"),
    ("TEST records = [{ }]", "records[0]: give one of value, json, file and base64"),
    (
        "TEST records = [{ value = \"a\", file = \"b\" }]",
        "give one of value, json, file and base64",
    ),
    ("TEST records = [{ base64 = \"?\" }]", "records[0].base64: this is not base64"),
    ("TEST records = [{ value = { base64 = \"?\" } }]", "this is not base64"),
    ("TEST records = [{ value = { null = false } }]", "give either base64 or null = true"),
    ("TEST records = [{ value = 7 }]", "records[0].value: invalid type: integer, expected a text"),
    ("TEST records = [{ value = \"a\", partition = -1 }]", "partitions count from 0"),
    ("TEST records = [{ value = \"a\" }]\nlines = \"x\"", "are alternatives; give one of them"),
    ("TEST records = [{ value = \"a\" }]\ntolerance = nan", "tolerance: give a number from 0"),
    (
        "TEST records = [{ value = \"a\" }]\nlimits = { memory = \"0 B\" }",
        "limits.memory: nothing can run with 0",
    ),
    ("TEST records = [{ value = \"a\" }]\nstages.s.config = {}", "an operator alone has no stages"),
    (
        "TEST records = [{ value = \"a\" }]\nexpect = [{ failure = { code = \"misssing\" } }]",
        "unknown value 'misssing'; did you mean 'missing'?",
    ),
    (
        "TEST records = [{ value = \"a\" }]\nexpect = [{ failure = { stage = \"s\" } }]",
        "an operator alone has no stages",
    ),
    (
        "TEST records = [{ value = \"a\" }]\nexpect = [{ features.x.at = { \"1,x\" = 1 } }]",
        "write the index of each dimension",
    ),
    ("TEST refused = {}", "give either message or contains"),
    ("TEST rows = [{ x = 1 }]", "declare the features of these rows"),
    (
        "TEST rows = [{ x = 1 }]\nfeatures = [{ name = \"x\", type = \"text\" }, { name = \"y\", type = \"fp32\" }]",
        "rows[0].x: this is not a text",
    ),
];

#[test]
fn every_mistake_is_named_with_its_place() {
    let folder = Folder::new();
    for (case, expected) in WRONG {
        let case = case.replace("TEST ", "[[tests]]\nname = \"t\"\n");
        folder.write("a.toml", &format!("{ECHO}{case}"));
        let run = folder.test(&["a.toml"]);
        assert_eq!(run.status, Some(2), "{case}: {}\n{}", run.said, run.errors);
        assert!(run.errors.starts_with("a.toml:"), "{case}: {}", run.errors);
        assert!(run.errors.contains(expected), "{case}: {expected}\n{}", run.errors);
    }
    folder.write("p.toml", PIPELINE);
    for (case, expected) in [
        ("stages.scor.config = {}", "the pipeline has no stage 'scor'; did you mean 'score'?"),
        ("models = { m = { output = [1] } }", "[models] has no 'm'"),
        ("config = {}\ntopics = [\"x\"]", "topics: this is for an operator alone"),
        (
            "stages.score.limits.deadline = \"0s\"",
            "stages.score.limits.deadline: this is no time at all",
        ),
    ] {
        let test = "[[tests]]\nname = \"t\"\nrecords = [{ value = \"a\", topic = \"b\" }]\n";
        folder.write("p.tests.toml", &format!("{test}{case}"));
        let run = folder.test(&["p.toml"]);
        assert_eq!(run.status, Some(2), "{case}: {}\n{}", run.said, run.errors);
        assert!(run.errors.contains(expected), "{case}: {expected}\n{}", run.errors);
    }
    let run = folder.test(&["nowhere"]);
    assert_eq!(run.status, Some(2));
    assert!(run.errors.starts_with("nowhere: cannot be read: "), "{}", run.errors);
}

/// A case file with a bit of everything.
const EVERYTHING: &str = r#"
[[tests]]
name = "a"
config = {}
models = { m = { output = [0.5], labels = ["x"], inputs = [{ name = "i", shape = ["N", 2] }] } }
records = [{ value = "xx", key = { base64 = "/w==" }, headers = { h = ["1", "2"] } }, { json = { a = [1, 2.5, true] } }]
tolerance = 1e-3
[[tests.expect]]
features = { length = 2 }
[[tests.expect]]
failure = { code = "trap", contains = "x" }
[[tests]]
name = "b"
records = [{ base64 = "AAAA", timestamp = 5, partition = 3 }]
limits = { deadline = "1s" }
[[tests.expect]]
features = { length = { shape = [2], at = { "0" = 1 } }, other = { missing = true } }
outputs = [{ json = { a = 1 }, exact = true, headers = { h = [] } }]
prediction = { label = "x", probabilities = { x = nan } }
"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A case file that was cut, doubled or overwritten somewhere is run or refused.
    #[test]
    fn any_damage_is_run_or_refused(from in 0..1200_usize, length in 0..60_usize, put in ".{0,8}") {
        let whole = format!("{ECHO}{EVERYTHING}")
            .replace("{component:echo-extractor}", component("echo-extractor").to_str().unwrap());
        let start = whole.find("[[tests]]").unwrap();
        let from = whole.floor_char_boundary(start + from);
        let to = whole.floor_char_boundary(from + length);
        let folder = Folder::new();
        let path = folder.path("a.toml");
        std::fs::write(&path, format!("{}{put}{}", &whole[..from], &whole[to..])).unwrap();
        let mut finder = Finder::default();
        match finder.add(&path) {
            Ok(()) => {
                let mut runner = Runner::new(sandbox());
                for suite in &finder.suites {
                    for test in &suite.tests {
                        let report = runner.run(suite, test);
                        prop_assert_eq!(&report.name, &test.name);
                    }
                }
            }
            Err(error) => prop_assert!(error.to_string().contains("a.toml"), "{}", error),
        }
    }
}

#[test]
fn the_examples_of_the_reference_are_valid() {
    let folder = Folder::new();
    let reference = std::fs::read_to_string(project().join("docs/reference/tests.md")).unwrap();
    let examples: Vec<&str> = reference
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|example| example.contains("[[tests]]"))
        .collect();
    assert!(examples.len() >= 4, "{} examples", examples.len());
    for example in examples {
        let pipeline = example.contains("# pipelines/");
        let name = if pipeline { "p.tests.toml" } else { "a.toml" };
        folder.write(
            "p.toml",
            &PIPELINE.replace(
                "[[stages]]\nname = \"route\"",
                "models = { digits = \"x\" }\n[[stages]]\nname = \"route\"",
            ),
        );
        folder.write(name, &if pipeline { example.to_owned() } else { format!("{ECHO}{example}") });
        let mut finder = Finder::default();
        let found = finder.add(&folder.path(name));
        assert!(found.is_ok(), "{}\n{example}", found.unwrap_err());
    }
}

#[test]
fn a_folder_of_the_repository_is_never_changed_by_a_run() {
    let path: &Path = &project().join("pipelines/images.toml");
    let before = std::fs::read_to_string(path).unwrap();
    let output = sandbar().arg("test").arg("--bless").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(path).unwrap(), before);
}

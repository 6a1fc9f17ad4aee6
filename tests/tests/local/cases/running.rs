//! What cases are run of, and with which limits, models, time and chance.

use super::*;
use sandbar_tests::graphs::{integers, made, node};

#[test]
fn the_cases_of_the_repository_pass() {
    let paths = [
        "operators/flight-features",
        "operators/tabular-score",
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
fn limits_are_those_of_the_case() {
    let folder = Folder::new();
    folder.write(
        "limits.toml",
        &format!(
            "{MISCHIEF}{}",
            r#"
[[tests]]
name = "time and memory"
limits = { deadline = "2s", memory = "16 MiB" }
records = [{ value = "loop" }, { value = "allocate" }, { value = "exit" }, { value = "x" }]
[[tests.expect]]
failure = { code = "deadline", message = "no result within 2s" }
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
fn an_operators_folder_says_what_its_cases_are_of() {
    let folder = Folder::new();
    let case = "[[tests]]\nname = \"t\"\nrecords = [{ value = \"xx\" }]\nexpect = [{ features.length = 2 }]\n";
    folder.write("words/tests/a.toml", case);
    let run = folder.test(&["words"]);
    assert_eq!(run.status, Some(2));
    assert!(run.errors.contains("words/tests/a.toml: the subject of these cases is unknown"));

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
    assert!(run.errors.contains("no case files follow this component"), "{}", run.errors);

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
            "output 'probabilities': expected 10 elements for each row, the answer has 2",
        ),
        (
            format!("{{ {digits}, outputs = {{ logits = [1] }} }}"),
            1,
            "has no output 'logits'; known outputs: probabilities",
        ),
        (
            format!("{{ {digits}, text = \"x\" }}"),
            1,
            "this kind of answer does not fit a model of kind onnx",
        ),
        (format!("{{ {digits}, fails = \"gone\" }}"), 1, "model 'digits@1': gone"),
        ("{ folder = \"nowhere\", output = [1] }".into(), 1, "nowhere/model.toml"),
        ("{ output = [1], fails = \"x\" }".into(), 2, "more than one answer"),
        ("{ labels = [\"a\"] }".into(), 2, "no answer; give one of"),
        ("{ output = [] }".into(), 2, "an answer has no numbers"),
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

/// Graphs that an operator brings are tried by the command's own process for that.
#[test]
fn an_operator_brings_graphs() {
    let folder = Folder::new();
    let bomb = made(
        vec![node("ConstantOfShape", &["shape"], "c")],
        vec![integers("shape", &[1], &[1 << 30])],
    );
    let bomb: String = bomb.iter().map(|byte| format!("{byte:02x}")).collect();
    folder.write(
        "graphs.toml",
        &format!(
            r#"component = "{{component:plain-nn-scorer}}"
[[tests]]
name = "one that is right, and one that is too large"
load-graphs = "1 MiB"
features = [{{ name = "command", type = "text" }}]
rows = [
    {{ command = "bytes onnx cpu image 1x1x8x8 fp32 -1" }},
    {{ command = "hex onnx {bomb} x 1x1 fp32 2" }},
]
[[tests.expect]]
prediction = {{ values = {{ count = 10 }} }}
[[tests.expect]]
failure = {{ code = "internal", contains = "TooLarge: the operator's own graph: node 'c', " }}
"#
        ),
    );
    let run = folder.test(&["graphs.toml"]);
    assert!(run.said.ends_with("\n1 passed"), "{}\n{}", run.said, run.errors);
}

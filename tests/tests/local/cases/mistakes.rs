//! Case files that are wrong are refused with the place of the mistake.

use super::*;

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

/// Case files that say what is not allowed, of an operator, and the error.
const WRONG: [(&str, &str); 24] = [
    ("[[tests]]\nrecords = []", "a.toml:2: [[tests]] number 1: the key 'name' is missing"),
    ("[[tests]]\nname = \" \"\nrecords = [{ value = \"x\" }]", "say what the test shows"),
    ("[[tests]]\nname = \"t\"", "[[tests]] 't': no input"),
    ("[[test]]\nname = \"t\"", "unknown key 'test'; did you mean 'tests'?"),
    ("", "a.toml: no cases found"),
    ("[[tests]\n", "invalid TOML"),
    ("pipeline = \"p.toml\"\n[[tests]]\nname = \"t\"", "names both a component and a pipeline"),
    ("TEST records = [{ }]", "records[0]: give one of value, json, file and base64"),
    (
        "TEST records = [{ value = \"a\", file = \"b\" }]",
        "give one of value, json, file and base64",
    ),
    ("TEST records = [{ base64 = \"?\" }]", "records[0].base64: invalid base64"),
    ("TEST records = [{ value = { base64 = \"?\" } }]", "invalid base64"),
    ("TEST records = [{ value = { null = false } }]", "give either base64 or null = true"),
    ("TEST records = [{ value = 7 }]", "records[0].value: invalid type: integer, expected a text"),
    ("TEST records = [{ value = \"a\", partition = -1 }]", "partitions start at 0"),
    ("TEST records = [{ value = \"a\" }]\nlines = \"x\"", "are alternatives; give one of them"),
    (
        "TEST records = [{ value = \"a\" }]\ntolerance = nan",
        "tolerance: expected a number of at least 0",
    ),
    (
        "TEST records = [{ value = \"a\" }]\nlimits = { memory = \"0 B\" }",
        "limits.memory: must be greater than zero",
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
        "rows[0].x: expected a text",
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
        ("config = {}\ntopics = [\"x\"]", "topics: only applies to an operator alone"),
        (
            "stages.score.limits.deadline = \"0s\"",
            "stages.score.limits.deadline: must be greater than zero",
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

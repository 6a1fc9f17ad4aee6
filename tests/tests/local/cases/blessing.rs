//! `--bless` writes what came out over what was expected.

use super::*;

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
            "out.jsonl:2: not an expectation of a record: unknown field `featurs`",
        ),
        ("{\"features\":{\"length\":null}}", "out.jsonl:2: not an expectation"),
        ("[", "out.jsonl:2: not an expectation"),
    ] {
        folder.write("out.jsonl", &format!("{{}}\n{line}\n"));
        let run = folder.test(&["a.toml"]);
        assert_eq!(run.status, Some(2), "{}", run.said);
        assert!(run.errors.contains(expected), "{}", run.errors);
    }
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
fn a_folder_of_the_repository_is_never_changed_by_a_run() {
    let path: &Path = &project().join("pipelines/images.toml");
    let before = std::fs::read_to_string(path).unwrap();
    let output = sandbar().arg("test").arg("--bless").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(path).unwrap(), before);
}

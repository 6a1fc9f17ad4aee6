//! Which cases run, and how that is reported.

use super::*;

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

//! What comes out is compared with what is expected, and differences are shown.

use super::*;

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

//! Case files with any damage.

use proptest::prelude::*;

use super::*;

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

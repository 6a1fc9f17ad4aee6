//! Chains of several scorers on one machine: what `check` says of them, cases, and `bench`.

use std::path::PathBuf;
use std::process::Output;

use sandbar_tests::{component, project, sandbar};

/// A pipeline of these stages, as `name component` with more keys, and what the sink has.
fn pipeline(stages: &[(&str, &str, &str)], sink: &str) -> (tempfile::TempDir, PathBuf) {
    let mut text = format!(
        "name = \"p\"\nsource = {{ topics = [\"flights\"] }}\n\
         models = {{ gbm = '{0}/flights-gbm', dl = '{0}/flights-dl' }}\n",
        project().join("models").display()
    );
    for (name, file, more) in stages {
        let path = component(file);
        text +=
            &format!("[[stages]]\nname = \"{name}\"\ncomponent = '{}'\n{more}\n", path.display());
    }
    text += &format!("[sink]\ntopic = \"predictions\"\n{sink}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

const FEATURES: (&str, &str, &str) = ("features", "flight-features", "");
const GBM: (&str, &str, &str) = ("gbm", "tabular-score", "models = [\"gbm\"]");
const DL: (&str, &str, &str) = ("dl", "tabular-score", "models = [\"dl\"]");
const BOTH: (&str, &str, &str) = ("both", "sum-scorer", "from = [\"gbm\", \"dl\"]");
const ROUTE: (&str, &str, &str) = ("route", "route-transformer", "topics = [\"late\"]");

fn run(arguments: &[&str], path: &std::path::Path) -> Output {
    sandbar().arg(arguments[0]).arg(path).args(&arguments[1..]).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn check_draws_what_each_stage_reads() {
    let (_folder, path) = pipeline(&[FEATURES, GBM, DL, BOTH, ROUTE], "");
    let output = run(&["check"], &path);
    let said = text(&output.stdout);
    let expected = "ok: flights → features (extractor) → gbm (scorer, flights-gbm@1) → \
                    dl (scorer, flights-dl@1) → both (scorer) → route (transformer) → predictions\n";
    assert!(said.ends_with(expected), "{said}{}", text(&output.stderr));
    let table = "\
source    topics flights
features  extractor, 8 features           ← source
gbm       scorer, flights-gbm@1: NO, YES  ← features
dl        scorer, flights-dl@1: NO, YES   ← features
both      scorer: sum, columns            ← gbm, dl
route     transformer                     ← gbm, dl, both
route     topic late                      ← route
sink      topic predictions               ← route
";
    assert_eq!(text(&run(&["check", "--graph"], &path).stdout), table);
    let before = sandbar().args(["check", "--graph"]).arg(&path).output().unwrap();
    assert_eq!(text(&before.stdout), table);
    let dot = text(&run(&["check", "--graph", "dot"], &path).stdout);
    assert!(
        dot.starts_with("digraph \"p\" {\n")
            && dot.contains("  n2 -> n4 [label = \"predictions\"]\n")
    );
    let mermaid = text(&run(&["check", "--graph", "mermaid"], &path).stdout);
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains("  n1 -->|features| n2\n"));
    assert!(mermaid.contains("  n4[\"both<br>scorer: sum, columns\"]\n"), "{mermaid}");
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let second = |from: &'static str| ("more", "flight-features", from);
    let sum = |more: &'static str| ("sum", "sum-scorer", more);
    for (stages, sink, expected) in [
        (
            vec![FEATURES, GBM, second(""), DL],
            "",
            "stage 'more' (number 3, extractor): it could read the records ('source') or their predictions ('gbm'); say which, as in from = \"source\"",
        ),
        (
            vec![FEATURES, GBM, ROUTE, DL],
            "",
            "stage 'dl' (number 4, scorer): a scorer takes features, and no stage before it makes some of the records of 'route'",
        ),
        (
            vec![FEATURES, ROUTE],
            "",
            "stage 'features' (number 1, extractor): nothing reads its features",
        ),
        (
            vec![FEATURES, GBM, DL],
            "from = \"dl\"",
            "stage 'gbm' (number 2, scorer): nothing reads its predictions; name it in 'from' of [sink]",
        ),
        (
            vec![FEATURES, GBM, DL],
            "template = \"{{ label }}\"",
            "[sink]: the template uses 'label', but several stages predict (gbm, dl); use 'predictions.gbm.label', or that of another",
        ),
        (
            vec![
                FEATURES,
                GBM,
                sum("from = [\"features\", \"gbm\"]\ncolumns = { Year = \"gbm.label\" }"),
            ],
            "",
            "stage 'sum' (number 3, scorer): the columns that it is given: the feature 'Year' is declared twice; 'columns' gives one another name",
        ),
        (
            vec![FEATURES, GBM, sum("from = \"gbm\"\ncolumns = { x = \"gbm.lable\" }")],
            "",
            "stage 'sum' (number 3, scorer): columns: nothing that it reads has a column 'gbm.lable'; did you mean 'gbm.label'?",
        ),
        (
            vec![FEATURES, GBM, ("route", "route-transformer", "columns = { x = \"gbm.label\" }")],
            "",
            "stage 'route' (number 3, transformer): columns: only a scorer is given columns",
        ),
        (
            vec![FEATURES, GBM, ("dl", "tabular-score", "models = [\"dl\"]\nfrom = \"gbm\"")],
            "",
            "stage 'dl': the operator refuses its configuration: ",
        ),
        (vec![FEATURES, GBM], "from = \"features\"", "[sink]: from: it cannot read 'features'"),
    ] {
        let (_folder, path) = pipeline(&stages, sink);
        let output = run(&["check"], &path);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "expected {expected}\n{said}");
    }
}

/// A case says what all scorers predict, and a record fails once.
#[test]
fn cases_of_several_scorers() {
    let fail = (
        "sum",
        "sum-scorer",
        "from = [\"gbm\", \"features\"]\nconfig = { of = [\"gbm.probabilities.YES\", \"Origin\"], fail = \"LBB\" }",
    );
    let (_folder, path) = pipeline(
        &[FEATURES, GBM, DL, fail],
        r#"
[[tests]]
name = "three questions about a flight"
tolerance = 1e-6
records = [
    { value = "1994,6,1,3,1434,1435,1614,1613,UA,2296,NA,160,158,NA,1,-1,MCO,ORD,1005,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,NO" },
    { value = "1993,11,1,1,1834,1825,1940,1936,WN,2253,NA,66,71,NA,4,9,LBB,DAL,293,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES" },
]
[[tests.expect]]
outputs = [{ json = { gbm = { label = "YES", probabilities = { YES = 0.6904108682340332 } }, dl = { label = "YES" }, sum = { values = { sum = 0.6904108682340332, columns = 2 } } } }]
[[tests.expect]]
failure = { stage = "sum", code = "invalid" }
"#,
    );
    let output = run(&["test"], &path);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let lines = tempfile::NamedTempFile::new().unwrap();
    let line = "1994,6,1,3,1434,1435,1614,1613,UA,2296,NA,160,158,NA,1,-1,MCO,ORD,1005,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,NO\n";
    std::fs::write(lines.path(), line).unwrap();
    let records = lines.path().to_str().unwrap();
    let output = run(&["bench", "--rounds", "1", "--json", "--records", records], &path);
    let reports: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let stages = reports.as_array().unwrap().iter().map(|it| it["stage"].as_str().unwrap());
    assert_eq!(stages.collect::<Vec<_>>(), ["features", "gbm", "dl", "sum"], "{reports}");
    let one =
        run(&["bench", "--rounds", "1", "--json", "--stage", "sum", "--records", records], &path);
    let one: serde_json::Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!((one[0]["stage"].as_str(), one.as_array().unwrap().len()), (Some("sum"), 1));
}

/// The pipeline of the guide, and the table that it shows of it.
#[test]
fn the_guide_is_right() {
    let guide = std::fs::read_to_string(project().join("docs/guide/several-models.md")).unwrap();
    let block = |begin: &str| {
        let rest = guide.split_once(begin).unwrap().1;
        rest.split_once("```").unwrap().0.to_owned()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two-models.toml");
    let manifest = block("```toml\n").replace("\"../", &format!("\"{}/", project().display()));
    std::fs::write(&path, manifest).unwrap();
    let shown = text(&run(&["check", "--graph"], &path).stdout);
    assert_eq!(shown, block("$ sandbar check --graph pipelines/two-models.toml\n"));
    let lines = folder.path().join("flight.csv");
    let flight = "1994,6,1,3,1434,1435,1614,1613,UA,2296,NA,160,158,NA,1,-1,MCO,ORD,1005,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,NO\n";
    std::fs::write(&lines, flight).unwrap();
    let output = run(&["run", "--file", lines.to_str().unwrap()], &path);
    let read = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    let (mut came, shown) = (read(&text(&output.stdout)), read(&block("```json\n")));
    for stage in ["gbm", "dl"] {
        for number in came[stage]["probabilities"].as_object_mut().unwrap().values_mut() {
            *number = ((number.as_f64().unwrap() * 100.0).round() / 100.0).into();
        }
    }
    assert_eq!(came, shown);
}

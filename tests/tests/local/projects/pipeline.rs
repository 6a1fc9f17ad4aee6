//! `sandbar new pipeline`: what it makes predicts what the model's own tool does.

use std::path::{Path, PathBuf};
use std::process::Output;

use sandbar_tests::paths::sandbar;
use sandbar_tests::project;
use serde_json::Value;
use tempfile::TempDir;

/// Runs `sandbar new pipeline NAME` in a folder.
fn new(folder: &Path, name: &str, model: &Path, records: &Path, more: &[&str]) -> Output {
    let mut command = sandbar();
    command.current_dir(folder).args(["new", "pipeline", name]).arg("--model").arg(model);
    command.arg("--records").arg(records).args(more).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// What a pipeline makes of a file's records.
fn predictions(folder: &Path, records: &Path) -> Vec<Value> {
    let mut command = sandbar();
    command.current_dir(folder).args(["run", "pipeline.toml", "--file"]).arg(records);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn model(path: &str) -> PathBuf {
    project().canonicalize().unwrap().join("models").join(path)
}

#[test]
fn a_mojo_scores_csv_and_json_as_h2o_does() {
    let folder = TempDir::new().unwrap();
    let samples = csv::Reader::from_path(model("churn/samples.csv")).unwrap();
    let expected: Vec<f64> = samples
        .into_records()
        .map(|row| row.unwrap().iter().next_back().unwrap().parse().unwrap())
        .collect();
    // The same rows as JSON, in which numbers are numbers and other columns come first.
    let mut rows = csv::Reader::from_path(model("churn/records.csv")).unwrap();
    let names = rows.headers().unwrap().clone();
    let json: String = rows
        .records()
        .map(|row| {
            let row = row.unwrap();
            let cells = names.iter().zip(row.iter()).map(|(name, cell)| {
                let number = cell.parse::<f64>().is_ok();
                format!("{name:?}: {}", if number { cell.to_owned() } else { format!("{cell:?}") })
            });
            let cells: Vec<_> = cells.collect();
            format!("{{ {} }}\n", cells.into_iter().rev().collect::<Vec<_>>().join(", "))
        })
        .collect();
    let (lines, objects) = (folder.path().join("lines.csv"), folder.path().join("objects.jsonl"));
    std::fs::write(&objects, json).unwrap();
    let table = std::fs::read_to_string(model("churn/records.csv")).unwrap();
    std::fs::write(&lines, table.split_once('\n').unwrap().1).unwrap();

    for (name, sample, records) in
        [("lines", model("churn/records.csv"), &lines), ("objects", objects.clone(), &objects)]
    {
        let made = new(folder.path(), name, &model("churn/model.zip"), &sample, &[]);
        assert!(made.status.success(), "{}", said(&made));
        let actual: Vec<f64> = predictions(&folder.path().join(name), records)
            .iter()
            .map(|prediction| prediction["probabilities"]["yes"].as_f64().unwrap())
            .collect();
        assert_eq!(actual, expected, "{name}");
    }
}

/// Its columns, classes and categories are XGBoost's; their names are in its file, but for the
/// classes'.
#[test]
fn a_model_of_xgboost_scores_as_xgboost_does() {
    let folder = TempDir::new().unwrap();
    let samples = model("churn-xgboost/samples.csv");
    let (file, labels) = (model("churn-xgboost/model.ubj"), ["--labels", "no,yes"]);
    let made = new(folder.path(), "churn", &file, &samples, &labels);
    assert!(made.status.success(), "{}", said(&made));
    let description = std::fs::read_to_string(folder.path().join("churn/model/model.toml"));
    assert!(description.unwrap().contains("kind = \"xgboost\"\nfile = \"model.ubj\"\n"));

    let table = std::fs::read_to_string(&samples).unwrap();
    let lines = folder.path().join("lines.csv");
    std::fs::write(&lines, table.split_once('\n').unwrap().1).unwrap();
    let predicted = predictions(&folder.path().join("churn"), &lines);
    let rows = csv::Reader::from_path(&samples).unwrap().into_records().map(Result::unwrap);
    let expected: Vec<(String, f64)> = rows
        .map(|row| (row[row.len() - 2].to_owned(), row[row.len() - 1].parse().unwrap()))
        .collect();
    let predicted: Vec<(String, f64)> = predicted
        .iter()
        .map(|it| {
            let label = it["label"].as_str().unwrap().to_owned();
            (label, it["probabilities"]["yes"].as_f64().unwrap())
        })
        .collect();
    assert_eq!(predicted, expected);
    assert!(["no", "yes"].iter().all(|due| expected.iter().any(|(label, _)| label == due)));
}

/// A text model of the reader's golden results, unpacked.
fn lightgbm(name: &str) -> String {
    let file = format!("operators/lightgbm-model/testdata/{name}.txt.gz");
    let packed = std::fs::File::open(project().join(file)).unwrap();
    std::io::read_to_string(flate2::read::GzDecoder::new(packed)).unwrap()
}

/// What LightGBM 4.7.0 says: of categories that are texts, and of columns without names, which
/// have to be said.
#[test]
fn models_of_lightgbm_score_as_lightgbm_does() {
    let folder = TempDir::new().unwrap();
    let probability = |name: &str, records: &Path, class: &str| -> Vec<f64> {
        let all = predictions(&folder.path().join(name), records);
        all.iter().map(|it| it["probabilities"][class].as_f64().unwrap()).collect()
    };
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let file = write("named.txt", &lightgbm("pandas-binary"));
    let lines = "-1.38,blue\n0.898,green\n-0.811,größe\n";
    let records = write("named.csv", &format!("number,text\n{lines}"));
    let made = new(folder.path(), "named", &file, &records, &["--labels", "stays,leaves"]);
    assert!(made.status.success(), "{}", said(&made));
    let expected = [0.08290773661363265, 0.7559717779969187, 0.13006803089839808];
    assert_eq!(probability("named", &write("lines.csv", lines), "leaves"), expected);

    let file = write("array.txt", &lightgbm("binary-sigmoid"));
    let records = write("array.csv", "a,b,c,d,e,f\n1,2,3,4,5,6\n");
    let made = new(folder.path(), "without", &file, &records, &[]);
    assert!(said(&made).contains("Column_0"), "{}", said(&made));
    let features = ["--features", "a,b,c,d,e,f"];
    let made = new(folder.path(), "array", &file, &records, &features);
    assert!(made.status.success(), "{}", said(&made));
    let [predicted] = probability("array", &write("line.csv", "1,2,3,4,5,6\n"), "1")[..] else {
        panic!("one line, one prediction");
    };
    assert!((predicted - 0.29523288).abs() < 1e-8, "{predicted}");
}

#[test]
fn a_graph_scores_the_columns_that_are_said() {
    let folder = TempDir::new().unwrap();
    let (graph, records) = (model("iris/model.onnx"), model("iris/records.jsonl"));
    let refused = new(folder.path(), "iris", &graph, &records, &[]);
    assert!(!refused.status.success() && !folder.path().join("iris").exists());
    assert!(said(&refused).contains("say which columns go in"), "{}", said(&refused));
    let columns = "sepal_length,sepal_width,petal_length,petal_width";
    let more = ["--features", columns, "--labels", "setosa,versicolor,virginica"];
    let made = new(folder.path(), "iris", &graph, &records, &more);
    assert!(made.status.success(), "{}", said(&made));
    // The pipeline's model reproduces scikit-learn's samples, which its own folder has not.
    let samples = model("iris/samples.npz");
    let into = folder.path().join("iris/model");
    std::fs::copy(samples, into.join("samples.npz")).unwrap();
    let description = std::fs::read_to_string(into.join("model.toml")).unwrap();
    let description = format!("{description}\n[samples]\nfile = \"samples.npz\"\n");
    std::fs::write(into.join("model.toml"), description).unwrap();
    let mut check = sandbar();
    let check = check.current_dir(folder.path()).args(["check", "iris/pipeline.toml"]);
    let check = check.output().unwrap();
    assert!(check.status.success(), "{}", said(&check));
    let predicted = predictions(&folder.path().join("iris"), &records);
    assert_eq!(predicted.len(), 30);
    assert_eq!(predicted[0]["label"], "setosa");
}

#[test]
fn records_that_fail_are_told() {
    let folder = TempDir::new().unwrap();
    let records = folder.path().join("records.jsonl");
    std::fs::write(&records, "{\"state\": \"OK\"}\n").unwrap();
    let made = new(folder.path(), "churn", &model("churn/model.zip"), &records, &[]);
    assert!(!made.status.success());
    let said = said(&made);
    assert!(said.contains("1 of 1 sample records become dead letters: missing: "), "{said}");
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let refused = |name: &str, of: PathBuf, due: &str| {
        let made = new(folder.path(), name, &of, &model("iris/records.jsonl"), &[]);
        assert!(!made.status.success());
        assert!(said(&made).contains(due), "{}", said(&made));
        assert!(!folder.path().join(name).exists());
    };
    refused("Über", model("churn/model.zip"), "cannot be the name of a pipeline");
    refused("text", model("README.md"), "not a model that is known by its file");
    refused("none", model("none.onnx"), "No such file");
    refused("picture", model("digits/model.onnx"), "not a row of columns");
}

//! Samples of graphs and of other models: written, shown, and tried before a pipeline is.

use std::path::Path;

use super::*;
use sandbar_tests::project;

fn golden(name: &str) -> PathBuf {
    project().join("tests/golden/samples").join(name)
}

/// The folder of the digits, copied without its pictures but some.
fn digits(models: &Models) -> PathBuf {
    let (from, to) = (project().join("models/digits"), models.path("digits"));
    fs::create_dir_all(to.join("samples")).unwrap();
    let pictures = ["samples/0004-4.png", "samples/0009-9.png", "samples/0049-0.png"];
    for file in ["model.onnx", "model.toml", "labels.txt"].iter().chain(&pictures) {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    to
}

/// A pipeline of the project with another model.
fn pipeline(name: &str, from: &str, model: &Path, place: &Path) -> PathBuf {
    let text = fs::read_to_string(project().join("pipelines").join(name)).unwrap();
    let model = format!("\"{}\"", model.display());
    let named = format!("\"../models/{from}\"");
    assert!(text.contains(&named));
    let text = text.split("[[tests]]").next().unwrap().replace(&named, &model);
    let text = text.replace("\"../", &format!("\"{}/", project().display()));
    let manifest = place.join(name);
    fs::write(&manifest, text).unwrap();
    manifest
}

/// Whether `sandbar check` takes a pipeline, and what it says.
fn check(manifest: &Path) -> (bool, String) {
    let output = sandbar().arg("check").arg(manifest).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// What a command says that succeeds; what it logs, as of graphs that it optimises, is apart.
fn told(models: &Models, arguments: &[&str]) -> String {
    let output = models.run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    models.shortened(&output.stdout)
}

fn description(model: &Path) -> String {
    fs::read_to_string(model.join("model.toml")).unwrap()
}

/// The model with other weights, as its description says.
fn break_weights(model: &Path) {
    let mut bytes = fs::read(model.join("model.onnx")).unwrap();
    bytes[40_000..48_000].fill(0);
    fs::write(model.join("model.onnx"), &bytes).unwrap();
    let text = description(model);
    let digest = text.lines().find(|line| line.starts_with("sha256")).unwrap();
    let text = text.replacen(digest, &format!("sha256 = \"{}\"", Sha256::of(&bytes)), 1);
    fs::write(model.join("model.toml"), text).unwrap();
}

#[test]
fn tensors_are_written_and_tried() {
    let models = Models::new();
    let model = digits(&models);
    let manifest = pipeline("images.toml", "digits", &model, models.0.path());
    let write = |name: &str| {
        ["samples", "digits", "--from", golden(name).to_str().unwrap()].map(str::to_owned)
    };
    let run = |arguments: [String; 4]| told(&models, &arguments.each_ref().map(String::as_str));
    let before = description(&model);
    assert_eq!(
        run(write("digits.npz")),
        "digits@1: wrote MODELS/digits/samples.npz: image, probabilities, whose expected answers the model gives\n"
    );
    let after = description(&model);
    let digest = Sha256::of(&fs::read(golden("digits.npz")).unwrap());
    assert_eq!(
        after,
        format!("{before}\n[samples]\nfile = \"samples.npz\"\nsha256 = \"{digest}\"\n")
    );
    assert!(
        told(&models, &["show", "digits"]).contains("samples        2 tensors, in samples.npz\n")
    );
    assert_eq!(told(&models, &["verify", "digits"]), "digits: ok (its labels have no digest)\n");
    let (good, said) = check(&manifest);
    assert!(good, "{said}");

    // A registry has them, and tries them.
    let registry = tempfile::tempdir().unwrap();
    let add = || {
        let mut command = sandbar();
        command.args(["models", "add"]).arg(&model).arg("--registry").arg(registry.path());
        let output = command.output().unwrap();
        (
            output.status.success(),
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        )
    };
    let (good, said) = add();
    assert!(good, "{said}");

    break_weights(&model);
    for (good, said) in [check(&manifest), add()] {
        let due = ": output 'probabilities' is ";
        assert!(!good && said.contains("samples of digits@1: ") && said.contains(due), "{said}");
        assert!(said.contains("digits/samples.npz, row "), "{said}");
    }
    let said = models.complains(&write("digits.npz").each_ref().map(String::as_str));
    assert!(
        said.contains(": output 'probabilities' is ") && said.contains("nothing was written"),
        "{said}"
    );

    // Its own answers are those that it gives, right or not, and the description says so.
    let said = run(write("digits-inputs.npz"));
    assert!(said.contains("this runner's own answers"), "{said}");
    assert!(description(&model).contains("answers = \"runner\""), "{}", description(&model));
    assert!(
        models
            .says(&["show", "digits"])
            .contains("in samples.npz, with this runner's own answers\n")
    );
    let (good, said) = check(&manifest);
    assert!(good, "{said}");
}

#[test]
fn pictures_are_written_and_tried() {
    let models = Models::new();
    let model = digits(&models);
    let manifest = pipeline("images.toml", "digits", &model, models.0.path());
    let manifest_name = manifest.to_str().unwrap();
    let list = model.join("list.csv");
    let golden = fs::read_to_string(golden("digits.csv")).unwrap();
    let rows: Vec<&str> = golden.lines().take(3).collect();
    let table = |pictures: [&str; 2]| {
        let [a, b] = [1, 2].map(|row| rows[row].split_once(',').unwrap().1);
        format!("{}\n{},{a}\n{},{b}\n", rows[0], pictures[0], pictures[1])
    };
    fs::copy(project().join("models/digits/samples/0039-9.png"), model.join("nine.png")).unwrap();
    let write =
        ["samples", "digits", "--from", list.to_str().unwrap(), "--pipeline", manifest_name];

    // Answers that are not the model's are told, and nothing is written.
    let before = description(&model);
    fs::write(&list, table(["nine.png", "samples/0004-4.png"])).unwrap();
    let said = models.complains(&write);
    let due = "row 1 (line 2), nine.png: 'label' is '9', expected '4'";
    assert!(said.contains(due), "{said}");
    assert_eq!(description(&model), before);

    fs::write(&list, table(["samples/0004-4.png", "nine.png"])).unwrap();
    let said = told(&models, &write);
    assert!(
        said.contains("samples.csv: 2 pictures, whose expected answers the model gives"),
        "{said}"
    );
    let written = fs::read_to_string(model.join("samples.csv")).unwrap();
    let mut lines = written.lines();
    assert!(lines.next().unwrap().ends_with(",probabilities.9,sha256"), "{written}");
    let digest = Sha256::of(&fs::read(model.join("nine.png")).unwrap());
    let last = lines.nth(1).unwrap();
    assert!(last.starts_with("nine.png,9,") && last.ends_with(&digest.to_string()), "{written}");
    assert!(
        told(&models, &["show", "digits"]).contains("samples        2 pictures, in samples.csv\n")
    );
    let (good, said) = check(&manifest);
    assert!(good, "{said}");

    // Without answers they are the pipeline's, and pictures from elsewhere are copied.
    let elsewhere = project().join("models/digits/samples/0014-4.png");
    let write =
        ["samples", "digits", "--pipeline", manifest_name, "--from", elsewhere.to_str().unwrap()];
    let said = told(&models, &write);
    assert!(said.contains("1 pictures, with this runner's own answers"), "{said}");
    assert!(model.join("samples/0014-4.png").exists());
    let written = fs::read_to_string(model.join("samples.csv")).unwrap();
    assert!(written.starts_with("picture,sha256,label,probabilities.0,"), "{written}");
    let folder = model.join("samples");
    let said = told(
        &models,
        &["samples", "digits", "--pipeline", manifest_name, "--from", folder.to_str().unwrap()],
    );
    assert!(said.contains("4 pictures"), "{said}");
    let (good, said) = check(&manifest);
    assert!(good, "{said}");

    // What is no longer as it was is named.
    fs::write(model.join("samples/0009-9.png"), "no picture").unwrap();
    let (good, said) = check(&manifest);
    assert!(!good && said.contains("samples/0009-9.png: its sha256 is"), "{said}");
    let table = fs::read_to_string(model.join("samples.csv")).unwrap();
    let digest = table.lines().find(|line| line.starts_with("samples/0009-9.png")).unwrap();
    let digest = digest.split(',').nth(1).unwrap();
    fs::write(model.join("samples.csv"), table.replace(digest, "")).unwrap();
    let text = description(&model);
    fs::write(model.join("model.toml"), text.rsplit_once("sha256 = ").unwrap().0).unwrap();
    let (good, said) = check(&manifest);
    assert!(!good && said.contains("samples/0009-9.png: the row fails: malformed: "), "{said}");

    fs::copy(project().join("models/digits/samples/0009-9.png"), model.join("samples/0009-9.png"))
        .unwrap();
    break_weights(&model);
    let (good, said) = check(&manifest);
    assert!(!good && said.contains(".png: 'probabilities."), "{said}");
    let said = models.complains(&["samples", "digits", "--from", folder.to_str().unwrap()]);
    assert!(said.contains("--pipeline: missing"), "{said}");
}

#[test]
fn tables_are_written_and_tried() {
    let models = Models::new();
    let (from, model) = (project().join("models/flights-gbm"), models.path("flights-gbm"));
    fs::create_dir_all(&model).unwrap();
    for file in ["model.zip", "model.toml"] {
        fs::copy(from.join(file), model.join(file)).unwrap();
    }
    let manifest = pipeline("flights.toml", "flights-gbm", &model, models.0.path());
    let table = fs::read_to_string(from.join("samples.csv")).unwrap();
    let list = models.0.path().join("list.csv");
    let write = |text: &str| {
        fs::write(&list, text).unwrap();
        [
            "samples",
            "flights-gbm",
            "--from",
            list.to_str().unwrap(),
            "--pipeline",
            manifest.to_str().unwrap(),
        ]
    };
    let said = told(&models, &write(&table));
    assert!(said.contains("20 rows, whose expected answers the model gives"), "{said}");
    assert_eq!(fs::read_to_string(model.join("samples.csv")).unwrap(), table);
    // An answer that is not called one would never be compared.
    let said = models.complains(&write(&table.replacen("label", "predict", 1)));
    assert!(
        said.contains("column 'predict' would be a feature") && said.contains("'label'"),
        "{said}"
    );
    let said = models.complains(&write(&table.replacen(",YES,", ",NO,", 1)));
    assert!(said.contains("row 1 (line 2): 'label' is 'YES', expected 'NO'"), "{said}");
    let features: String = table
        .lines()
        .map(|line| line.split(',').take(8).collect::<Vec<_>>().join(",") + "\n")
        .collect();
    let said = told(&models, &write(&features));
    assert!(said.contains("20 rows, with this runner's own answers"), "{said}");
    let (good, said) = check(&manifest);
    assert!(good, "{said}");
    let said = models.complains(&[
        "samples",
        "flights-gbm",
        "--from",
        golden("digits.npz").to_str().unwrap(),
    ]);
    assert!(said.contains("kind h2o-mojo takes no tensors"), "{said}");
}

//! Operators that are not in Rust: those of the repository, and what the helpers can do.

use sandbar_tests::projects::{Projects, has, output};
use sandbar_tests::{component, project, sandbar};

/// The classic flight, in the two years of the classic example.
const FLIGHT: &str = "YEAR,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,\
                      NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES";

/// A scorer in Python: what scikit-learn answers, alone and behind an extractor in Rust.
#[test]
fn logit_score() {
    if !has("python") {
        return;
    }
    component("flight-features");
    let folder = project().join("operators/logit-score");
    output(sandbar().arg("build").arg(&folder));
    let tested = output(sandbar().arg("test").arg(&folder));
    assert!(tested.contains("1 passed"), "{tested}");

    let file = tempfile::NamedTempFile::new().unwrap();
    let flights = ["1987", "1999"].map(|year| FLIGHT.replace("YEAR", year)).join("\n");
    std::fs::write(file.path(), flights).unwrap();
    let pipeline = folder.join("pipeline.toml");
    let lines = output(sandbar().arg("run").arg(pipeline).arg("--file").arg(file.path()));
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    // As scikit-learn 1.9.1 answers with the pipeline of models/train-logit.py.
    let answers = [("YES", 0.6586859490463608), ("NO", 0.47134789861376686)];
    for (line, (label, probability)) in lines.iter().zip(answers) {
        assert_eq!((&line["label"], &line["model"]), (&label.into(), &"flights-logit@1".into()));
        let found = line["probabilities"]["YES"].as_f64().unwrap();
        assert!((found - probability).abs() < 1e-12, "{line}");
    }
}

#[test]
fn a_graph_from_python() {
    if let Some(projects) = Projects::python("graph-python") {
        digits(&projects, "app.py");
    }
}

#[test]
fn a_graph_from_javascript() {
    if let Some(projects) = Projects::javascript("graph-javascript") {
        digits(&projects, "app.js");
    }
}

/// A scorer whose model the runner computes sees in pictures what their names say.
fn digits(projects: &Projects, source: &str) {
    output(&mut projects.create("scorer"));
    let project_folder = projects.folder().join("scorer");
    let guest = project().join("tests/guests/digits").join(source);
    std::fs::copy(guest, project_folder.join("src").join(source)).unwrap();
    output(projects.sandbar("scorer").arg("build"));

    let root = project().canonicalize().unwrap();
    let manifest = format!(
        "name = \"digits\"\nsource = {{ topics = [\"a\"] }}\nsink = {{ topic = \"b\", template = \
         \"{{{{ label }}}}\" }}\nmodels = {{ digits = {:?} }}\n\
         [[stages]]\nname = \"image\"\ncomponent = {:?}\nmodels = [\"digits\"]\n\
         [[stages]]\nname = \"score\"\ncomponent = \"scorer.wasm\"\nmodels = [\"digits\"]\n",
        root.join("models/digits"),
        component("image-features"),
    );
    std::fs::write(project_folder.join("digits.toml"), manifest).unwrap();
    let samples = ["0009-9", "0034-6", "0044-7", "0049-0"];
    let files = samples.map(|name| root.join(format!("models/digits/samples/{name}.png")));
    let run = ["run", "digits.toml", "--whole", "--file"];
    let labels = output(projects.sandbar("scorer").args(run).args(files));
    assert_eq!(labels, "9\n6\n7\n0\n");
}

#[test]
fn schemas_from_python() {
    if let Some(projects) = Projects::python("schemas-python") {
        schema_names(&projects, "app.py");
    }
}

#[test]
fn schemas_from_javascript() {
    if let Some(projects) = Projects::javascript("schemas-javascript") {
        schema_names(&projects, "app.js");
    }
}

/// A transformer that is built for the world with schemas gets them from the runner.
fn schema_names(projects: &Projects, source: &str) {
    output(&mut projects.create("transformer"));
    let folder = projects.folder().join("transformer");
    let guest = project().join("tests/guests/schema-names").join(source);
    std::fs::copy(guest, folder.join("src").join(source)).unwrap();
    let description = folder.join("operator.toml");
    let text = std::fs::read_to_string(&description).unwrap();
    let worlds = ["--world transformer", "--world-name transformer"];
    let world = worlds.into_iter().find(|world| text.contains(&format!("{world} "))).unwrap();
    std::fs::write(&description, text.replace(world, &format!("{world}-with-schemas"))).unwrap();
    output(projects.sandbar("transformer").arg("build"));

    std::fs::write(folder.join("b.avsc"), r#"{"type":"fixed","name":"B","size":2}"#).unwrap();
    std::fs::write(folder.join("a.proto"), "syntax = \"proto3\";").unwrap();
    std::fs::write(folder.join("names"), "B\na.proto\nc\n").unwrap();
    let manifest = "name = \"names\"\nsource = { topics = [\"a\"] }\nsink = { topic = \"b\" }\n\
                    [schemas.files]\nB = \"b.avsc\"\n\"a.proto\" = \"a.proto\"\n\
                    [[stages]]\nname = \"names\"\ncomponent = \"transformer.wasm\"\n\
                    grants = [\"schemas\"]\n";
    std::fs::write(folder.join("names.toml"), manifest).unwrap();
    let run = ["run", "names.toml", "--file", "names"];
    let written = output(projects.sandbar("transformer").args(run));
    let expected = [
        r#"avro | {"type":"fixed","name":"B","size":2}"#,
        r#"protobuf | syntax = "proto3";"#,
        "invalid",
    ];
    assert_eq!(written.lines().collect::<Vec<_>>(), expected);
}

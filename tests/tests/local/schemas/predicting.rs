//! Predictions by schemas: what is registered, what is looked up, and what is refused.

use std::io::Write;
use std::process::Stdio;

use sandbar::pipeline::harness::{Harness, Written};
use sandbar::pipeline::{Deployment, Plan};
use sandbar::record::Input;
use sandbar_tests::registering::SchemaRegistry;
use sandbar_tests::runner::{definition, plan, read, sandbox};
use sandbar_tests::secured::Authority;
use sandbar_tests::{component, sandbar};

/// Writes the number 2.5 for each record, with these keys in its `[sink]`.
fn manifest(sink: &str, schemas: &str) -> String {
    format!(
        "name = \"written\"\nsource = {{ topics = [\"in\"] }}\n\
         [[stages]]\nname = \"read\"\ncomponent = \"{{component:echo-extractor}}\"\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{{component:constant-scorer}}\"\n\
         config = {{ value = 2.5 }}\n{schemas}\n[sink]\ntopic = \"out\"\n{sink}\n"
    )
}

/// What comes out for one record, once the registry has been asked.
fn outputs(manifest: &str, input: Input) -> Result<Written, String> {
    let mut plan = plan(manifest, "").map_err(|error| format!("{error:#}"))?;
    let registered = plan.register_schemas(&definition(manifest, ""));
    registered.map_err(|error| error.reason.to_string())?;
    Ok(Harness::new(&plan).unwrap().pipe([input]).unwrap())
}

/// The same of a pipeline that is started.
fn started(manifest: &str) -> Result<(), String> {
    let deployment = Deployment::new(definition(manifest, ""), &sandbox(), Default::default());
    deployment.map(drop).map_err(|error| error.reason.to_string())
}

const AVRO: &str = r#"{"type":"record","name":"Prediction","fields":[{"name":"values","type":{"type":"map","values":"double"}},{"name":"model","type":"string"}]}"#;

/// The record of Avro: a map of one entry, and the model.
fn avro() -> Vec<u8> {
    [&[2, 2, b'x'], &2.5_f64.to_le_bytes()[..], &[0, 8], b"none"].concat()
}

#[test]
fn a_schema_is_registered_when_a_pipeline_is_to_run() {
    let registry = SchemaRegistry::start();
    let manifest = manifest("format = \"avro\"\nschema = { register = true }", &registry.section());
    // Neither reading nor planning asks anybody.
    let planned = plan(&manifest, "").unwrap();
    let schema = planned.topic_schemas().next().unwrap();
    assert_eq!((schema.schema.subject.as_str(), schema.schema.text.as_str()), ("out-value", AVRO));
    assert_eq!(registry.asked(), [""; 0]);
    let written = outputs(&manifest, Input::value("abc")).unwrap();
    assert_eq!(registry.asked(), ["POST /subjects/out-value/versions"]);
    assert_eq!(registry.content().text(1), AVRO);
    let value = [&[0, 0, 0, 0, 1][..], &avro()].concat();
    assert_eq!(written.outputs[0].value.as_deref(), Some(value.as_slice()));
    // Whoever starts again has the same.
    started(&manifest).unwrap();
    assert_eq!(registry.asked().len(), 2);
    assert_eq!(registry.content().subjects(), ["out-value"]);
}

#[test]
fn without_being_told_to_register_the_schema_has_to_be_there() {
    let registry = SchemaRegistry::start();
    let sink = "format = \"avro\"\nschema = { id = \"header\", strategy = \"record-name\" }";
    let manifest = manifest(sink, &registry.section());
    let error = started(&manifest).unwrap_err();
    for part in [
        "[sink]: schema: subject 'Prediction': the server answers 404 Not Found: Schema not found",
        "register the schema that `sandbar check --schemas` prints, or set `register = true`",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(registry.content().subjects(), [""; 0]);
    registry.content().put("another", "AVRO", "\"string\"");
    registry.content().put("Prediction", "AVRO", AVRO);
    // Whatever the record's own header says is not said of the prediction.
    let input = Input::value("abc").header("__value_schema_id", [0, 0, 0, 0, 77]);
    let written = outputs(&manifest, input.header("trace", "7")).unwrap();
    let output = &written.outputs[0];
    assert_eq!(output.value.as_deref(), Some(avro().as_slice()));
    let headers: Vec<(&str, Option<&[u8]>)> =
        output.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    let id: &[u8] = &[0, 0, 0, 0, 2];
    assert_eq!(headers, [("trace", Some(&b"7"[..])), ("__value_schema_id", Some(id)),]);
    assert!(registry.asked().iter().all(|asked| asked == "POST /subjects/Prediction"));
}

#[test]
fn what_a_registry_refuses_is_told_at_once() {
    let registry = SchemaRegistry::start();
    let manifest =
        manifest("format = \"protobuf\"\nschema = { register = true }", &registry.section());
    registry.content().refuses = Some("Schema being registered is incompatible".to_owned());
    let error = started(&manifest).unwrap_err();
    for part in ["subject 'out-value'", "409 Conflict: Schema being registered is incompatible"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(registry.asked().len(), 1);
    registry.content().fails = Some(422);
    assert!(started(&manifest).unwrap_err().contains("422 Unprocessable Entity: not now"));
    assert_eq!(registry.asked().len(), 2);
    registry.content().fails = Some(403);
    assert!(started(&manifest).unwrap_err().contains("403 Forbidden"));
    assert_eq!(registry.asked().len(), 3);
}

#[test]
fn a_registry_that_is_away_is_asked_again_until_the_time_is_over() {
    let registry = SchemaRegistry::start();
    let manifest =
        manifest("format = \"json-schema\"\nschema = { register = true }", &registry.section());
    registry.content().fails = Some(503);
    let error = started(&manifest).unwrap_err();
    assert!(error.contains("subject 'out-value'") && error.contains("503"), "{error}");
    assert!(registry.asked().len() > 1);
    registry.content().fails = None;
    started(&manifest).unwrap();
    // Nobody is there at all.
    let gone = "[schemas]\nurls = [\"http://127.0.0.1:1\"]\ntimeout = \"200ms\"\n";
    let manifest = manifest.replace(&registry.section(), gone);
    assert!(started(&manifest).unwrap_err().contains("http://127.0.0.1:1"));
}

#[test]
fn the_registry_is_shown_the_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "swordfish\n").unwrap();
    let registry = SchemaRegistry::start();
    registry.content().expects = Some("Bearer swordfish".to_owned());
    let sink = "format = \"avro\"\nschema = { register = true }";
    assert!(started(&manifest(sink, &registry.section())).unwrap_err().contains("who are you?"));
    let schemas = format!("{}token = {{ file = \"{}\" }}\n", registry.section(), secret.display());
    started(&manifest(sink, &schemas)).unwrap();
}

#[test]
fn a_registry_behind_tls_has_to_be_one_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (known, other) = (Authority::new("Known"), Authority::new("Other"));
    for (name, authority) in [("known.pem", &known), ("other.pem", &other)] {
        std::fs::write(folder.path().join(name), authority.pem()).unwrap();
    }
    let registry = SchemaRegistry::encrypted(known.sign("registry"));
    assert!(registry.url().starts_with("https://"));
    let ask = |keys: &str| {
        let schemas = format!("{}{keys}", registry.section());
        started(&manifest("format = \"avro\"\nschema = { register = true }", &schemas))
    };
    let ca = |name: &str| format!("ca = \"{}\"\n", folder.path().join(name).display());
    for keys in [String::new(), ca("other.pem")] {
        let error = ask(&keys).unwrap_err();
        assert!(error.contains("certificate"), "{error}");
    }
    assert_eq!(registry.asked(), [""; 0]);
    ask(&ca("known.pem")).unwrap();
    assert_eq!(registry.content().subjects(), ["out-value"]);
}

#[test]
fn each_route_has_the_schema_of_its_topic() {
    let registry = SchemaRegistry::start();
    let routes = "format = \"avro\"\nmatch = \"all\"\nschema = { register = true }\n\
        [[sink.routes]]\nwhen = \"values.x > 2.0\"\ntopic = \"same\"\n\
        [[sink.routes]]\nwhen = \"values.x > 2.0\"\ntopic = \"json\"\nformat = \"json\"\n\
        [[sink.routes]]\nwhen = \"values.x > 2.0\"\ntopic = \"text\"\ntemplate = \"{{ values.x }}\"\n\
        [[sink.routes]]\nwhen = \"values.x > 2.0\"\ntopic = \"proto\"\nformat = \"protobuf\"\n\
        [[sink.routes]]\nwhen = \"values.x > 2.0\"\ntopic = \"own\"\n\
        schema = { id = \"none\", name = \"Own\" }\n\
        [[sink.routes]]\nwhen = \"values.x > 3.0\"\ntopic = \"never\"\n\
        schema = { subject = \"a/b c\", register = true }\n";
    let manifest = manifest(routes, &registry.section());
    let written = outputs(&manifest, Input::value("abc")).unwrap();
    let (own, front) = (avro(), |id: u8| vec![0, 0, 0, 0, id]);
    let message = [&[26, 12, 10, 1, b'x', 17][..], &2.5_f64.to_le_bytes(), &[34, 4], b"none"];
    let expected: [(&str, Vec<u8>); 5] = [
        ("same", [front(1), own.clone()].concat()),
        ("json", br#"{"values":{"x":2.5},"model":"none"}"#.to_vec()),
        ("text", b"2.5".to_vec()),
        ("proto", [front(2), vec![0], message.concat()].concat()),
        ("own", own),
    ];
    let found: Vec<(&str, Vec<u8>)> = written
        .outputs
        .iter()
        .map(|it| (it.topic.as_str(), it.value.clone().unwrap_or_default()))
        .collect();
    assert_eq!(found, expected);
    let subjects = registry.content().subjects().join(" ");
    assert_eq!(subjects, "out-value same-value proto-value a%2Fb%20c");
    // With nothing written to its topic, `[sink]` has no schema.
    let registry = SchemaRegistry::start();
    let dropped = manifest
        .replace("topic = \"out\"\n", "otherwise = \"drop\"\n")
        .replace("[schemas]\nurls = [", &format!("[schemas]\nurls = [\"{}\", ", registry.url()));
    outputs(&dropped, Input::value("abc")).unwrap();
    assert!(!registry.asked().iter().any(|asked| asked.contains("out-value")));
    assert_eq!(registry.content().subjects().len(), 3);
}

#[test]
fn a_given_schema_is_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("given.avsc");
    let given = r#"{"type":"record","name":"shop.Number","fields":[
        {"name":"note","type":["null","string"],"default":null},
        {"name":"values","type":{"type":"record","name":"Values","fields":[{"name":"x","type":"float"}]}}
    ]}"#;
    std::fs::write(&path, given).unwrap();
    let registry = SchemaRegistry::start();
    let sink = "format = \"avro\"\nschema = { file = \"number\", register = true, strategy = \"topic-record-name\" }";
    let files = format!("files = {{ number = \"{}\" }}\n", path.display());
    let manifest = manifest(sink, &format!("{}{files}", registry.section()));
    let written = outputs(&manifest, Input::value("abc")).unwrap();
    let value = [&[0, 0, 0, 0, 1, 0][..], &2.5_f32.to_le_bytes()].concat();
    assert_eq!(written.outputs[0].value.as_deref(), Some(value.as_slice()));
    assert_eq!(registry.content().subjects(), ["out-shop.Number"]);
    assert_eq!(registry.content().text(1), given);
    // What does not fit is refused when the pipeline is planned.
    std::fs::write(&path, given.replace("float", "int")).unwrap();
    let error = format!("{:#}", plan(&manifest, "").err().unwrap());
    let expected = "[sink]: schema 'number': values.x: expected double or float, got int";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let registry =
        "[schemas]\nurls = [\"http://a\"]\nfiles = { a = \"a.avsc\", b = \"b.proto\" }\n";
    for (sink, schemas, problem) in [
        ("format = \"avro\"", "", "[sink] format: needs a registry, which gives schemas their ids"),
        (
            "format = \"avro\"\nschema = { id = \"header\" }",
            "[schemas]\nfiles = { a = \"a.avsc\" }\n",
            "[sink] format: needs a registry",
        ),
        ("format = \"xml\"", "", "[sink] format: unknown value 'xml'"),
        ("schema = { register = true }", registry, "[sink] schema: only applies to format"),
        ("format = \"json\"\nschema = {}", registry, "[sink] schema: only applies to format"),
        ("template = \"\"\nschema = {}", registry, "[sink] schema: only applies to format"),
        (
            "format = \"avro\"\ntemplate = \"\"",
            registry,
            "[sink] format: conflicts with 'template'",
        ),
        (
            "format = \"avro\"\nschema = { subject = \"a\", strategy = \"record-name\" }",
            registry,
            "[sink] schema.strategy: conflicts with 'subject'",
        ),
        ("format = \"avro\"\nschema = { subject = \"\" }", registry, "must not be empty"),
        ("format = \"avro\"\nschema = { strategy = \"x\" }", registry, "unknown value 'x'"),
        ("format = \"avro\"\nschema = { unknown = 1 }", registry, "unknown"),
        (
            "format = \"avro\"\nschema = { id = \"none\", register = true }",
            "",
            "[sink] schema.register: is of a registry, which is not asked with id = \"none\"",
        ),
        (
            "format = \"avro\"\nschema = { id = \"none\", subject = \"a\" }",
            "",
            "schema.subject: is of a",
        ),
        (
            "format = \"avro\"\nschema = { name = \"by-how\" }",
            registry,
            "schema.name: expected letters",
        ),
        (
            "format = \"avro\"\nschema = { name = \"a.B\" }",
            registry,
            "schema.name: expected letters",
        ),
        ("format = \"avro\"\nschema = { name = \"\" }", registry, "schema.name: expected letters"),
        (
            "format = \"avro\"\nschema = { namespace = \"a..b\" }",
            registry,
            "schema.namespace: expected",
        ),
        (
            "format = \"avro\"\nschema = { namespace = \"1a\" }",
            registry,
            "schema.namespace: expected",
        ),
        (
            "format = \"protobuf\"\nschema = { file = \"b\" }",
            registry,
            "[sink] schema.file: only schemas of Avro can be given",
        ),
        (
            "format = \"json-schema\"\nschema = { file = \"a\" }",
            registry,
            "schema.file: only schemas of Avro",
        ),
        ("format = \"avro\"\nschema = { file = \"c\" }", registry, "[schemas.files] has no 'c'"),
        (
            "format = \"avro\"\nschema = { file = \"b\" }",
            registry,
            "b.proto: expected a file that ends in .avsc",
        ),
        (
            "format = \"avro\"\nschema = { file = \"a\", name = \"B\" }",
            registry,
            "schema.name: is said by the schema of 'file'",
        ),
        (
            "format = \"avro\"\nheaders = { __value_schema_id = \"7\" }",
            registry,
            "[sink] headers.__value_schema_id: is written by the schema",
        ),
        (
            "[[sink.routes]]\nwhen = \"true\"\ntopic = \"there\"\nformat = \"avro\"",
            "",
            "[[sink.routes]] number 1 format: needs a registry",
        ),
        (
            "[[sink.routes]]\nwhen = \"true\"\ntopic = \"there\"\nschema = {}",
            registry,
            "[[sink.routes]] number 1 schema: only applies to format",
        ),
        (
            "format = \"avro\"\nschema = { file = \"a\" }\n\
             [[sink.routes]]\nwhen = \"true\"\ntopic = \"there\"\nformat = \"protobuf\"",
            registry,
            "[[sink.routes]] number 1 schema.file: only schemas of Avro",
        ),
    ] {
        let error = read(&manifest(sink, schemas)).err().unwrap_or_else(|| panic!("{sink}"));
        assert!(error.to_string().contains(problem), "{sink}: {error}");
    }
    for (sink, schemas) in [
        ("format = \"avro\"\nschema = { id = \"none\" }", ""),
        ("format = \"avro\"\ntop = 3", registry),
        // The schema of `[sink]` is for its routes.
        (
            "schema = { register = true }\n\
             [[sink.routes]]\nwhen = \"true\"\ntopic = \"there\"\nformat = \"avro\"",
            registry,
        ),
    ] {
        read(&manifest(sink, schemas)).unwrap_or_else(|error| panic!("{sink}: {error}"));
    }
}

#[test]
fn records_that_are_no_predictions_have_no_schema() {
    let text = "name = \"records\"\nsource.topics = [\"in\"]\n[[stages]]\nname = \"route\"\n\
        component = \"{component:route-transformer}\"\ntopics = [\"there\"]\n\
        [sink]\ntopic = \"out\"\nformat = \"avro\"\nschema = { id = \"none\" }\n";
    let error = format!("{:#}", plan(text, "").err().unwrap());
    assert!(error.contains("[sink]: the last stage makes records"), "{error}");
}

/// What the command says, for a person: cases and runs without Kafka have JSON.
#[test]
fn people_are_shown_json_and_the_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let gone = "[schemas]\nurls = [\"http://127.0.0.1:1\"]\n";
    let tests = "[[tests]]\nname = \"a number\"\nrecords = [{ value = \"abc\" }]\n\
        expect = [{ outputs = [{ json = { values = { x = 2.5 }, model = \"none\" } }] }]\n";
    let text =
        manifest("format = \"avro\"\nschema = { register = true }\n", &format!("{gone}{tests}"));
    let path = folder.path().join("written.toml");
    let text = ["echo-extractor", "constant-scorer"].into_iter().fold(text, |text, name| {
        text.replace(&format!("{{component:{name}}}"), component(name).to_str().unwrap())
    });
    std::fs::write(&path, text).unwrap();
    let said = |arguments: &[&str], input: &str| {
        let mut command = sandbar();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    };
    let path = path.to_str().unwrap();
    let json = "{\"values\":{\"x\":2.5},\"model\":\"none\"}\n";
    assert_eq!(said(&["run", path, "--stdin"], "abc\n"), json);
    assert!(said(&["test", path], "").contains("1 passed"));
    assert_eq!(
        said(&["check", path, "--schemas"], ""),
        format!("out: Avro, subject out-value\n{AVRO}\n")
    );
    let graph = said(&["check", path, "--graph"], "");
    assert!(graph.contains("topic out; out: Avro, subject out-value"), "{graph}");
}

/// A plan that nobody registered writes zeros, and says so by its type alone: it is never served.
#[test]
fn a_plan_is_registered_once() {
    let registry = SchemaRegistry::start();
    let text = manifest("format = \"avro\"\nschema = { register = true }", &registry.section());
    let mut plan: Plan = plan(&text, "").unwrap();
    for _ in 0..2 {
        plan.register_schemas(&definition(&text, "")).unwrap();
    }
    assert_eq!(registry.asked().len(), 1);
}

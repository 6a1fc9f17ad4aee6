//! `sandbar new`: what the templates make builds, passes its own tests and runs.

use sandbar_tests::project;
use sandbar_tests::projects::{Projects, output};

const WORLDS: [&str; 3] = ["extractor", "scorer", "transformer"];

/// Every project's own tests, and a run of those that are pipelines.
fn try_out(projects: &Projects, world: &str) {
    let built = output(projects.sandbar(world).arg("build"));
    assert!(built.contains(&format!("  {world}  ")), "{built}");
    let tested = output(projects.sandbar(world).arg("test"));
    assert!(tested.contains("2 passed"), "{tested}");
    if world == "transformer" {
        let run = ["run", "pipeline.toml", "--file", "samples/lines.txt"];
        let lines = output(projects.sandbar(world).args(run));
        assert_eq!(lines, "to be or not to be\nthat is the question\nwhether\n");
    }
}

#[test]
fn rust() {
    let projects = Projects::rust("new");
    for world in WORLDS {
        // The copy of the SDK is for the guide's test: this one is compiled once for all.
        let sdk = project().join("operators/sdk");
        output(projects.create(world).arg("--sdk").arg(sdk));
        try_out(&projects, world);
        let tested = output(projects.command("cargo", world).arg("test"));
        assert!(tested.contains("2 passed"), "{tested}");
    }
}

#[test]
fn python() {
    let Some(projects) = Projects::python("new-python") else { return };
    for world in WORLDS {
        output(&mut projects.create(world));
        projects.borrow(world, ".venv", WORLDS[0]);
        try_out(&projects, world);
    }
}

#[test]
fn javascript() {
    let Some(projects) = Projects::javascript("new-javascript") else { return };
    for world in WORLDS {
        output(&mut projects.create(world));
        projects.borrow(world, "node_modules", WORLDS[0]);
        try_out(&projects, world);
    }
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_written() {
    let projects = Projects::rust("new-refused");
    let fails = |arguments: &[&str]| {
        let mut command = projects.sandbar(".");
        let result = command.arg("new").args(arguments).output().unwrap();
        assert!(!result.status.success(), "{arguments:?}");
        String::from_utf8(result.stderr).unwrap()
    };
    for (arguments, expected) in [
        (&["scorer", "Words"] as &[&str], "as in 'words'"),
        (&["scorer", "self"], "it is a reserved word of Rust"),
        (&["scorer", "serde"], "it is the name of a library"),
        (&["scorer", "sink"], "give the stage another name"),
        (&["scorer", "../words"], "lower-case letter"),
        (&["reader", "words"], "unrecognized subcommand 'reader'"),
        (&["scorer", "words", "--lang", "c"], "possible values: rust, python, javascript"),
        (&["scorer", "words", "--sdk", "."], "name operators/sdk of a clone"),
        (&["scorer", "words", "--lang", "python", "--sdk", "."], "--sdk is for Rust"),
        (&["transformer", "words", "--with", "."], "--with joins an extractor and a scorer"),
        (&["scorer", "words", "--with", "nothing"], "nothing/operator.toml: "),
    ] {
        let error = fails(arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert_eq!(std::fs::read_dir(projects.folder()).unwrap().count(), 0, "{arguments:?}");
    }

    output(projects.sandbar(".").args(["new", "scorer", "words"]));
    let error = fails(&["extractor", "words"]);
    assert!(error.contains("words already exists"), "{error}");
    let source = std::fs::read_to_string(projects.folder().join("words/src/lib.rs")).unwrap();
    assert!(source.contains("scorer!("));
}

/// `--path` is the folder, and the manifest of a pair finds the other half from there.
#[test]
fn a_project_may_lie_anywhere() {
    let projects = Projects::rust("new-path");
    let new = |arguments: &[&str]| output(projects.sandbar(".").arg("new").args(arguments));
    new(&["extractor", "words", "--path", "a/deep/place"]);
    new(&["scorer", "verdict", "--path", "b", "--with", "a/deep/place"]);
    let text = std::fs::read_to_string(projects.folder().join("b/pipeline.toml")).unwrap();
    let component = "component = \"../a/deep/place/target/wasm32-wasip2/release/words.wasm\"";
    assert!(text.contains(component), "{text}");
}

#[test]
fn a_build_that_fails_says_which_command_did() {
    let projects = Projects::rust("build-fails");
    let write = |text: &str| {
        std::fs::write(projects.folder().join("operator.toml"), text).unwrap();
        let result = projects.sandbar(".").arg("build").output().unwrap();
        assert!(!result.status.success());
        assert_eq!(result.stdout, b"");
        String::from_utf8(result.stderr).unwrap()
    };
    let start = "name = \"words\"\ncomponent = \"words.wasm\"\n[build]\n";

    let error =
        write(&format!("{start}commands = [\"echo one\", \"echo two; exit 3\", \"echo no\"]"));
    assert!(error.contains("words: echo one\none\nwords: echo two; exit 3\ntwo\n"), "{error}");
    assert!(error.contains("words: `echo two; exit 3` failed: exit status: 3"), "{error}");
    assert!(!error.contains("no\n"), "{error}");

    let error = write(&format!("{start}commands = [\"true\"]"));
    assert!(error.contains("words: the build did not create words.wasm"), "{error}");
    let error = write(&format!("{start}commands = [\"echo > words.wasm\"]"));
    assert!(error.contains("words: this runner cannot run the component"), "{error}");
    let error = write(&format!("{start}comands = []"));
    assert!(error.contains("operator.toml:4: [build]: unknown key 'comands'"), "{error}");
}
